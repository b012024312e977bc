package list

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"
	_ "time/tzdata" // sending windows hold on machines that have no time zones, too

	"github.com/nyaruka/phonenumbers"

	"tickwatch/wa"
)

// Hours are when people may be written to, by the clock on their wall.
type Hours struct {
	From, To int     // minutes of the day: from 540 (9:00) until before 1200 (20:00)
	Days     [7]bool // by time.Weekday
}

// weekdays by their short names, as time.Weekday counts them.
var weekdays = [7]string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// ParseHours reads "09:00-20:00" and "mon-sat 09:00-20:00"; days are a range or
// one day.
func ParseHours(s string) (Hours, error) {
	h := Hours{Days: [7]bool{true, true, true, true, true, true, true}}
	fields := strings.Fields(strings.ToLower(s))
	wrong := fmt.Errorf("%q is no sending window; write it like \"09:00-20:00\" or \"mon-sat 09:00-20:00\"", wa.Clean(s))
	if len(fields) == 2 {
		first, last, ranged := strings.Cut(fields[0], "-")
		from, to := weekday(first), weekday(last)
		if !ranged {
			to = from
		}
		if from < 0 || to < 0 {
			return h, wrong
		}
		h.Days = [7]bool{}
		for day := from; ; day = (day + 1) % 7 {
			h.Days[day] = true
			if day == to {
				break
			}
		}
		fields = fields[1:]
	}
	if len(fields) != 1 {
		return h, wrong
	}
	from, to, _ := strings.Cut(fields[0], "-")
	h.From, h.To = minutes(from), minutes(to)
	if h.From < 0 || h.To <= h.From {
		return h, wrong
	}
	return h, nil
}

func weekday(s string) int {
	for i, day := range weekdays {
		if s == day {
			return i
		}
	}
	return -1
}

// minutes reads "9:30" and "24:00"; -1 = neither.
func minutes(s string) int {
	hour, minute, _ := strings.Cut(s, ":")
	h, err := strconv.Atoi(hour)
	m, err2 := strconv.Atoi(minute)
	if err != nil || err2 != nil || h < 0 || m < 0 || m > 59 || len(minute) != 2 || h*60+m > 24*60 {
		return -1
	}
	return h*60 + m
}

// Windows are the sending windows by ISO 3166 code of the country of a number; ""
// is for all others. A country without one may be written to at any time.
type Windows map[string]Hours

// Holidays are days on which nobody of a country is written to by other channels:
// "2026-12-25" by ISO 3166 code; "" is for all countries.
type Holidays map[string]map[string]bool

// on tells whether a day, by the clock on the wall, is one of a country's.
func (h Holidays) on(country string, at time.Time) bool {
	day := at.Format(time.DateOnly)
	return h[""][day] || h[country][day]
}

// Allowed is when people may be reached by other channels than WhatsApp: within
// Hours, which say something of every country, and on no holiday.
type Allowed struct {
	Hours    Windows
	Holidays Holidays
}

// OpenAt is the first moment from at on at which a person may be reached, by their
// number: where it has several time zones it must be allowed in all of them at once.
// It is zero where it never is. known is false where the number tells no time zone
// and fallback was used.
func (a Allowed) OpenAt(phone string, at time.Time, fallback *time.Location) (opens time.Time, known bool) {
	country, zones := CountryOf(phone), locations(phone)
	known = len(zones) > 0
	if !known {
		zones = []*time.Location{fallback}
	}
	hours, limited := a.Hours.of(country)
	const most = 30 // holidays in a row
	for range most {
		if limited {
			opens, ok := hours.openIn(zones, at)
			if !ok {
				return time.Time{}, known
			}
			at = opens
		}
		closed := false
		for _, zone := range zones {
			if local := at.In(zone); a.Holidays.on(country, local) {
				at = time.Date(local.Year(), local.Month(), local.Day()+1, 0, 0, 0, 0, zone)
				closed = true
			}
		}
		if !closed {
			return at, known
		}
	}
	return time.Time{}, known
}

// of gives the window of a country; false = it has none.
func (w Windows) of(country string) (Hours, bool) {
	hours, ok := w[country]
	if !ok {
		hours, ok = w[""]
	}
	return hours, ok
}

// OpenAt says when a person may be written to, at the earliest: zero = now. The
// number tells the time zone; where it has several, it must be allowed in all of
// them at once, and where it has none, or they never agree, in fallback.
func (w Windows) OpenAt(phone string, now time.Time, fallback *time.Location) time.Time {
	hours, ok := w.of(CountryOf(phone))
	if !ok {
		return time.Time{}
	}
	zones := locations(phone)
	if len(zones) == 0 {
		zones = []*time.Location{fallback}
	}
	at, ok := hours.openIn(zones, now)
	if !ok {
		at, ok = hours.openIn([]*time.Location{fallback}, now)
	}
	if !ok || at.Equal(now) {
		return time.Time{}
	}
	return at
}

// openIn is the first moment from now on at which it is open in all zones; not ok
// if there is none within eight days.
func (h Hours) openIn(zones []*time.Location, now time.Time) (time.Time, bool) {
	at, last := now, now.Add(8*24*time.Hour)
	for at.Before(last) {
		next := at
		for _, zone := range zones {
			if open := h.next(at.In(zone)); open.After(next) {
				next = open
			}
		}
		if next.Equal(at) {
			return at, true
		}
		at = next
	}
	return at, false
}

// open tells whether the wall clock is within the hours.
func (h Hours) open(at time.Time) bool {
	minute := at.Hour()*60 + at.Minute()
	return h.Days[at.Weekday()] && minute >= h.From && minute < h.To
}

// next is the first moment from at on at which it is open, in at's zone; more than
// eight days later if there is none.
func (h Hours) next(at time.Time) time.Time {
	if h.open(at) {
		return at
	}
	for day := range 9 {
		opens := time.Date(at.Year(), at.Month(), at.Day()+day, 0, h.From, 0, 0, at.Location())
		if _, before := opens.Add(-changes).Zone(); !sameOffset(opens.Add(changes), before) {
			opens = h.search(at, opens)
		}
		if opens.After(at) && h.open(opens) {
			return opens
		}
	}
	return at.Add(9 * 24 * time.Hour)
}

// changes is how near to a change of clocks a moment may be ambiguous or left out.
const changes = 3 * time.Hour

func sameOffset(at time.Time, offset int) bool {
	_, is := at.Zone()
	return is == offset
}

// search finds the first open minute after at around a moment at which clocks are changed.
func (h Hours) search(at, around time.Time) time.Time {
	t, end := around.Add(-changes), around.Add(changes)
	if !t.After(at) {
		t = at.Truncate(time.Minute).Add(time.Minute)
	}
	for ; t.Before(end); t = t.Add(time.Minute) {
		if h.open(t) && t.Day() == around.Day() {
			return t
		}
	}
	return around
}

// CountryOf is the ISO 3166 code of the country that a number in E.164 belongs to;
// "" = none, or it is no valid number.
func CountryOf(phone string) string {
	if region, _, ok := world.classify(wa.Digits(phone)); ok {
		return region
	}
	number, _ := parse(phone, "")
	return number.Country
}

// Zones are the time zones that a number in E.164 may be in, by its area code as
// far as the country has some; none if that is not known.
func Zones(phone string) []string {
	zones, err := phonenumbers.GetTimezonesForPrefix(phone)
	if err != nil || len(zones) == 1 && zones[0] == phonenumbers.UNKNOWN_TIMEZONE {
		return nil
	}
	return zones
}

// loaded holds the time zones that were asked for, as *time.Location by name.
var loaded sync.Map

func locations(phone string) []*time.Location {
	var all []*time.Location
	for _, name := range Zones(phone) {
		known, ok := loaded.Load(name)
		if !ok {
			zone, err := time.LoadLocation(name)
			if err != nil {
				continue
			}
			known, _ = loaded.LoadOrStore(name, zone)
		}
		all = append(all, known.(*time.Location))
	}
	return all
}
