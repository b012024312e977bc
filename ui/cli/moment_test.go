package cli

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func TestMoment(t *testing.T) {
	now := time.Date(2026, 11, 20, 21, 30, 15, 500, time.UTC)
	for _, c := range []struct{ text, zone, want string }{
		{"2026-11-21T08:00:00Z", "Europe/Berlin", "2026-11-21T08:00:00Z"},
		{"2026-11-21T08:00:00+05:30", "UTC", "2026-11-21T02:30:00Z"},
		{"2026-11-21 08:00", "Europe/Berlin", "2026-11-21T07:00:00Z"},
		{" 2026-11-21T08:00 ", "Europe/Berlin", "2026-11-21T07:00:00Z"},
		{"2026-07-21 08:00:30", "Europe/Berlin", "2026-07-21T06:00:30Z"},
		{"22:00", "UTC", "2026-11-20T22:00:00Z"},
		{"08:00", "UTC", "2026-11-21T08:00:00Z"},
		{"21:30", "UTC", "2026-11-21T21:30:00Z"},               // it was, fifteen seconds ago
		{"09:00", "Asia/Tokyo", "2026-11-21T00:00:00Z"},        // there it is 06:30 of the 21st
		{"00:00", "America/Sao_Paulo", "2026-11-21T03:00:00Z"}, // and here 18:30 of the 20th
		{"+30m", "UTC", "2026-11-20T22:00:15Z"},
		{"+1h30m", "UTC", "2026-11-20T23:00:15Z"},
	} {
		got, err := moment(c.text, now, zone(t, c.zone))
		if err != nil || got.UTC().Format(time.RFC3339) != c.want {
			t.Errorf("%s in %s: %s, %v, want %s", c.text, c.zone, got.UTC().Format(time.RFC3339), err, c.want)
		}
	}
	for _, c := range []struct{ text, zone, says string }{
		{"soon", "UTC", "no time"},
		{"", "UTC", "no time"},
		{"25:00", "UTC", "no time"},
		{"8", "UTC", "no time"},
		{"2026-02-30 08:00", "UTC", "no time"},
		{"30m", "UTC", "+30m"},
		{"+", "UTC", "no span"},
		{"+-5m", "UTC", "no span"},
		{"-5m", "UTC", "no time"},
		{"2026-03-29 02:30", "Europe/Berlin", "does not exist"},
		{"2026-10-25 02:30", "Europe/Berlin", "comes twice"},
		{"2026-11-01 01:30", "America/New_York", "comes twice"},
		{"2026-04-05 01:45", "Australia/Lord_Howe", "comes twice"}, // half an hour is set back there
		{"\x1b[31m", "UTC", "[31m"},
	} {
		got, err := moment(c.text, now, zone(t, c.zone))
		if err == nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "\x1b") {
			t.Errorf("%q in %s: %s, %v, want an error that says %q", c.text, c.zone, got, err, c.says)
		}
	}
	// A night in which the clocks change has the hours around them once.
	for text, want := range map[string]string{"2026-10-25 03:00": "2026-10-25T02:00:00Z", "2026-10-25 01:59": "2026-10-24T23:59:00Z", "2026-03-29 03:00": "2026-03-29T01:00:00Z"} {
		if got, err := moment(text, now, zone(t, "Europe/Berlin")); err != nil || got.UTC().Format(time.RFC3339) != want {
			t.Errorf("%s: %s, %v, want %s", text, got.UTC(), err, want)
		}
	}
}

func TestRamp(t *testing.T) {
	for text, want := range map[string][]float64{"1%,5%,25%,100%": {0.01, 0.05, 0.25, 1}, "100%": {1}, "0.5% , 100 %": {0.005, 1}} {
		var r rampArg
		if err := r.UnmarshalText([]byte(text)); err != nil || !slices.Equal(r.shares, want) {
			t.Errorf("%s: %v, %v", text, r.shares, err)
		}
	}
	for _, text := range []string{"", "1%", "5%,1%,100%", "1%,1%,100%", "0%,100%", "50%,101%", "0.5,1", "1%,,100%", "NaN%,100%", "100%,100%"} {
		var r rampArg
		if err := r.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is taken as %v", text, r.shares)
		}
	}
}

// TestZoneName: what the daemon calls its zone, the command line finds again.
func TestZoneName(t *testing.T) {
	name := zoneName()
	if name == "" {
		t.Skip("this machine does not tell its zone")
	}
	now := time.Now()
	if got := zone(t, name); now.In(got).Format(time.RFC3339) != now.Format(time.RFC3339) {
		t.Errorf("%s is not the zone of this process", name)
	}
}
