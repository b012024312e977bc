package list

import "testing"

// The ranges are those of the plans: Portugal's and Côte d'Ivoire's tell carriers,
// North America's does not.
func TestCarrierOf(t *testing.T) {
	for phone, want := range map[string]string{
		"+351912345678": "Vodafone", "+351930000001": "NOS", "+2250712345678": "Orange", "+12025550123": "", "+0": "", "": "",
	} {
		for range 2 { // asked, and remembered
			if got := CarrierOf(phone); got != want {
				t.Errorf("%s: %q, want %q", phone, got, want)
			}
		}
	}
}
