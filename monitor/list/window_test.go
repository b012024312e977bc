package list

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestOpenAt(t *testing.T) {
	day, err := ParseHours("mon-sat 09:00-20:00")
	if err != nil {
		t.Fatal(err)
	}
	early, _ := ParseHours("02:30-04:00")
	evening, _ := ParseHours("19:00-20:00")
	w := Windows{"DE": day, "US": day, "CH": early, "PT": {From: 540, To: 1200}}
	utc := func(s string) time.Time {
		at, err := time.Parse("2006-01-02 15:04", s)
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	for _, c := range []struct{ why, phone, now, want string }{
		{"open", "+491712345678", "2026-11-20 12:00", ""},
		{"the first minute", "+491712345678", "2026-11-20 08:00", ""},
		{"a minute too early", "+491712345678", "2026-11-20 07:59", "2026-11-20 08:00"},
		{"the last minute", "+491712345678", "2026-11-20 18:59", ""},
		{"just over", "+491712345678", "2026-11-20 19:00", "2026-11-21 08:00"},
		{"over Sunday", "+491712345678", "2026-11-21 19:00", "2026-11-23 08:00"},
		{"summer time began that night", "+491712345678", "2026-03-28 19:00", "2026-03-30 07:00"},
		{"summer time ended that night", "+491712345678", "2026-10-24 18:30", "2026-10-26 08:00"},
		{"New York", "+12125550123", "2026-11-20 13:59", "2026-11-20 14:00"},
		{"Los Angeles", "+12135550123", "2026-11-20 14:00", "2026-11-20 17:00"},
		{"an hour that is left out", "+41791234567", "2026-03-28 23:00", "2026-03-29 01:00"}, // 2:30 is 3:00
		{"an hour that comes twice", "+41791234567", "2026-10-24 23:00", "2026-10-25 00:30"},
		{"all zones of +1: evening in Newfoundland, Saturday's nine in Guam", "+18005550123", "2026-11-20 12:00", "2026-11-20 23:00"},
		{"no window", "+351912345678", "2026-11-20 03:00", "never"},
		{"other countries", "+33612345678", "2026-11-20 03:00", ""},
	} {
		lisbon, _ := time.LoadLocation("Europe/Lisbon")
		got, want := w.OpenAt(c.phone, utc(c.now), lisbon), time.Time{}
		switch c.want {
		case "", "never": // a window without days is none: better now than never
		default:
			want = utc(c.want)
		}
		if !got.Equal(want) {
			t.Errorf("%s: %s at %s: %s, want %s (%v)", c.why, c.phone, c.now, got, want, Zones(c.phone))
		}
	}
	if got := (Windows{"US": evening}).OpenAt("+18005550123", utc("2026-11-20 12:00"), time.UTC); !got.Equal(utc("2026-11-20 19:00")) {
		t.Error("zones that never agree:", got)
	}
	everywhere := Windows{"": day}
	if got := everywhere.OpenAt("+33612345678", utc("2026-11-20 03:00"), time.UTC); !got.Equal(utc("2026-11-20 08:00")) {
		t.Error(got)
	}
	if got := Windows(nil).OpenAt("+33612345678", utc("2026-11-20 03:00"), time.UTC); !got.IsZero() {
		t.Error(got)
	}
	if got := everywhere.OpenAt("+999123", utc("2026-11-20 03:00"), time.FixedZone("", 3600)); !got.Equal(utc("2026-11-20 08:00")) {
		t.Error("without a zone:", got)
	}
}

// Whenever it is said to be open, it is, by the clock of every zone of the number.
func TestOpenAtIsOpen(t *testing.T) {
	phones := []string{"+491712345678", "+12125550123", "+18005550123", "+5511987654321", "+61412345678", "+79161234567", "+351912345678", "+9779812345678"}
	rapid.Check(t, func(t *rapid.T) {
		h := Hours{From: rapid.IntRange(0, 1200).Draw(t, "from")}
		h.To = rapid.IntRange(h.From+1, 1440).Draw(t, "to")
		for i := range h.Days {
			h.Days[i] = rapid.Bool().Draw(t, "day")
		}
		h.Days[1] = true
		phone := rapid.SampledFrom(phones).Draw(t, "phone")
		now := time.Unix(rapid.Int64Range(1.7e9, 1.9e9).Draw(t, "now"), 0)
		at := Windows{"": h}.OpenAt(phone, now, time.UTC)
		if at.IsZero() {
			at = now
		}
		if at.Before(now) {
			t.Fatalf("%s is before %s", at, now)
		}
		inAll := true
		for _, zone := range locations(phone) {
			inAll = inAll && h.open(at.In(zone))
		}
		if !inAll && !h.open(at.UTC()) {
			t.Fatalf("%s at %s is closed in %v and in UTC: %+v", phone, at, Zones(phone), h)
		}
		if at.After(now) { // not a minute later than need be
			before := at.Add(-time.Second)
			open := true
			for _, zone := range locations(phone) {
				open = open && h.open(before.In(zone))
			}
			if open {
				t.Fatalf("%s: already open at %s", phone, before)
			}
		}
	})
}

func TestParseHours(t *testing.T) {
	all := [7]bool{true, true, true, true, true, true, true}
	for s, want := range map[string]Hours{
		"09:00-20:00":         {540, 1200, all},
		"9:30-24:00":          {570, 1440, all},
		"mon-fri 09:00-20:00": {540, 1200, [7]bool{false, true, true, true, true, true, false}},
		"Sat-Mon 09:00-20:00": {540, 1200, [7]bool{true, true, false, false, false, false, true}},
		"sun 09:00-20:00":     {540, 1200, [7]bool{true}},
	} {
		if got, err := ParseHours(s); got != want || err != nil {
			t.Errorf("%q: %+v %v", s, got, err)
		}
	}
	for _, s := range []string{"", "9-20", "20:00-09:00", "09:00", "xxx 09:00-20:00", "09:00-25:00", "09:60-20:00", "mon tue 09:00-20:00", "09:00-09:00"} {
		if got, err := ParseHours(s); err == nil {
			t.Errorf("%q: %+v", s, got)
		}
	}
}

func BenchmarkOpenAt(b *testing.B) {
	h, _ := ParseHours("09:00-20:00")
	w := Windows{"": h}
	b.ReportAllocs()
	for i := range b.N {
		w.OpenAt([]string{"+491712345678", "+12125550123"}[i%2], time.Unix(1.8e9, 0), time.UTC)
	}
}
