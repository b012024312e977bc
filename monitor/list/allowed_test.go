package list_test

import (
	"testing"
	"time"

	"tickwatch/monitor/list"
)

// Other channels reach nobody outside the allowed hours at their place, on a
// Sunday, or on a holiday, whatever country and zone they are in.
func TestAllowed(t *testing.T) {
	hours, err := list.ParseHours("mon-sat 08:00-20:00")
	if err != nil {
		t.Fatal(err)
	}
	allowed := list.Allowed{
		Hours:    list.Windows{"": hours},
		Holidays: list.Holidays{"": {"2026-12-25": true}, "PT": {"2026-12-26": true}, "DE": {"2026-11-30": true}},
	}
	zone, err := time.LoadLocation("Europe/Lisbon")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		phone, at, opens string
		known            bool
	}{
		{"+351912345678", "2026-11-27T12:00:00Z", "2026-11-27T12:00:00Z", true},
		{"+351912345678", "2026-11-27T23:00:00Z", "2026-11-28T09:00:00Z", true},  // at 23:00: the next morning, on the Azores too
		{"+351912345678", "2026-11-28T20:00:00Z", "2026-11-30T09:00:00Z", true},  // Saturday evening: over Sunday
		{"+4915112345678", "2026-11-28T19:00:00Z", "2026-12-01T07:00:00Z", true}, // Sunday, then a holiday there
		{"+351912345678", "2026-12-24T21:00:00Z", "2026-12-28T09:00:00Z", true},  // a holiday of all, one of the country, a Sunday
		{"+4915112345678", "2026-12-24T21:00:00Z", "2026-12-26T07:00:00Z", true},
		{"+12025550123", "2026-11-27T12:30:00Z", "2026-11-27T13:00:00Z", true},
		{"+18005550123", "2026-11-27T12:30:00Z", "2026-11-27T22:00:00Z", true},    // all zones of +1: morning in Guam, evening in Newfoundland
		{"+8811234567890", "2026-11-27T07:30:00Z", "2026-11-27T08:00:00Z", false}, // a satellite phone: no zone
	} {
		at, err := time.Parse(time.RFC3339, c.at)
		if err != nil {
			t.Fatal(err)
		}
		opens, known := allowed.OpenAt(c.phone, at, zone)
		if got := opens.UTC().Format(time.RFC3339); got != c.opens || known != c.known {
			t.Errorf("%s at %s: %s (zone known: %v), want %s (%v)", c.phone, c.at, got, known, c.opens, c.known)
		}
	}
	allowed.Hours["US"] = list.Hours{From: 540, To: 1140, Days: hours.Days}
	if opens, known := allowed.OpenAt("+18005550123", time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC), zone); !opens.IsZero() || !known {
		t.Errorf("zones that never agree: %s (%v)", opens, known)
	}
	allowed.Holidays["US"] = map[string]bool{}
	for day := range 60 {
		allowed.Holidays["US"][time.Date(2026, 11, 27+day, 0, 0, 0, 0, time.UTC).Format(time.DateOnly)] = true
	}
	if opens, _ := allowed.OpenAt("+12025550123", time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC), zone); !opens.IsZero() {
		t.Errorf("two months of holidays: %s", opens)
	}
}
