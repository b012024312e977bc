package monitor

import (
	"math"
	"math/rand/v2"
	"testing"

	"tickwatch/monitor/link"
	"tickwatch/store"
	"tickwatch/wa"
)

var testLines = (&Monitor{o: Options{Thresholds: DefaultThresholds()}, arrivals: usualArrivals}).lines()

// The default curve is the design's.
func TestCurve(t *testing.T) {
	for age, want := range map[int64]float64{5: 0.81, 30: 0.85, 60: 0.88, 300: 0.95, 1800: 0.99, 0: 0, 9000: 0.99} {
		if got := usualArrivals.by(age); math.Abs(got-want/0.99) > 1e-9 {
			t.Errorf("at %d s: %v, want %v", age, got, want/0.99)
		}
	}
	for age := int64(1); age < 2000; age++ {
		if usualArrivals.by(age) < usualArrivals.by(age-1) {
			t.Fatalf("falls at %d s", age)
		}
	}
}

// What is projected early on must be what comes of it: over many campaigns that
// follow the curve, the interval holds the rate at 30 minutes about as often as
// it says.
func TestProjectionKeepsItsPromise(t *testing.T) {
	const campaigns = 400
	r := rand.New(rand.NewPCG(1, 2))
	held := 0
	for range campaigns {
		rate := 0.6 + 0.39*r.Float64()
		var p projection
		var delivered, failed int64
		var in30 int64
		const sent = 1500
		for i := range sent {
			age := int64(i / 20) // 20 a second, the oldest 75 s ago
			p.add(1, age, &usualArrivals)
			switch u := r.Float64(); {
			case u >= rate:
				if age > 3 && r.Float64() < 0.8 { // most failures come soon
					failed++
				}
			default:
				in30++
				if r.Float64() < usualArrivals.by(age) {
					delivered++
				}
			}
		}
		_, low, high := p.interval(delivered, failed)
		if truth := float64(in30) / sent; truth >= *low && truth <= *high {
			held++
		}
	}
	if share := float64(held) / campaigns; share < 0.93 {
		t.Errorf("the 95 %% interval held the outcome in %.1f %% of the campaigns", 100*share)
	}
}

func TestProjectionTooEarly(t *testing.T) {
	var p projection
	p.add(100, 3, &usualArrivals)
	if rate, _, _ := p.interval(50, 0); rate != nil {
		t.Errorf("projected %v from almost nothing", *rate)
	}
}

func TestPercentNeverFlatters(t *testing.T) {
	for share, want := range map[float64]string{1: "100.0 %", 0.99999: "99.9 %", 0.94999: "94.9 %", 0: "0.0 %"} {
		if got := percent(share); got != want {
			t.Errorf("%v: %s, want %s", share, got, want)
		}
	}
}

// One stray old message, or a few tests an hour before, do not start a campaign.
func TestStart(t *testing.T) {
	base := int64(29_900_000) // a minute
	for name, c := range map[string]struct {
		minutes map[int64]int64 // minute → messages
		want    int64
	}{
		"one message":                {map[int64]int64{base: 1}, base},
		"a stray one before":         {map[int64]int64{base - 500: 1, base: 100, base + 1: 100}, base},
		"tests an hour before":       {map[int64]int64{base - 60: 5, base: 900}, base},
		"a slow send":                {map[int64]int64{base: 1, base + 20: 1, base + 40: 1, base + 60: 1}, base},
		"two sends of some size":     {map[int64]int64{base - 90: 25, base: 100_000}, base - 90},
		"half an hour's break":       {map[int64]int64{base: 3, base + 30: 3, base + 60: 3, base + 90: 100}, base},
		"all of it stray":            {map[int64]int64{base: 1, base + 100: 1, base + 200: 1}, base},
		"a minute that was emptied":  {map[int64]int64{base - 1: 0, base: 50}, base},
		"a stray one, small so far":  {map[int64]int64{base - 500: 1, base: 5}, base - 500},
		"a stray one, outweighed by": {map[int64]int64{base - 500: 1, base: 10}, base},
	} {
		all := &store.Course{Minutes: map[int64]store.Pulse{}, Seconds: map[int64]store.Pulse{}, OptOuts: map[int64]int64{}}
		for m, n := range c.minutes {
			all.Minutes[m] = store.Pulse{Messages: n}
		}
		from, to := windowOf(all.Minutes)
		for m, p := range all.Minutes {
			if second := m*60 + 7; second >= from && second < to {
				all.Seconds[second] = p
			}
		}
		course := newCourse(all, testLines)
		if course.first != c.want {
			t.Errorf("%s: %d minutes off", name, course.first-c.want)
		}
		if got := course.startSecond(); got != c.want*60+7 {
			t.Errorf("%s: starts at second %d", name, got-c.want*60)
		}
	}
}

// A campaign that never ends keeps its start, its memory stays bounded.
func TestLongCourse(t *testing.T) {
	const first, minutes = 29_000_000, 2 * keptMinutes
	c := newCourse(&store.Course{
		Minutes: map[int64]store.Pulse{first: {Messages: 20}}, Seconds: map[int64]store.Pulse{first * 60: {Messages: 20}},
		OptOuts: map[int64]int64{},
	}, testLines)
	for m := int64(1); m < minutes; m++ {
		c.add(&store.Tally{
			Pulses:  map[int64]store.Pulse{(first + m) * 60: {Messages: 2, Delivered: 1, Failed: 1}},
			Errors:  map[store.CodeMinute]int64{{Code: 131026, Minute: first + m}: 1},
			OptOuts: map[int64]int64{first + m: 1},
		}, m)
	}
	const most = keptMinutes + 24*60
	if len(c.minutes) > most || len(c.order) > most || len(c.optOuts) > most || len(c.errors[131026].minutes) > most {
		t.Errorf("%d minutes, %d of opt-outs are kept", len(c.minutes), len(c.optOuts))
	}
	if c.startSecond() != first*60 || c.moved() {
		t.Error("the start moved")
	}
	if c.errors[131026].total != minutes-1 {
		t.Errorf("%d errors in all", c.errors[131026].total)
	}
	if f := c.first30(wa.Instant((first+minutes)*60_000), DefaultThresholds(), &usualArrivals); !f.Closed || f.Messages != 20+2*29 || f.Verdict != link.VerdictUnsure {
		t.Errorf("%+v", f)
	}
}
