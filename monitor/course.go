package monitor

import (
	"slices"

	"tickwatch/store"
)

const (
	// windowSeconds hold the first 30 minutes, counted from the whole minute in
	// which the campaign starts.
	windowSeconds = 31 * 60
	// stretchGap is the silence, in minutes, that parts two stretches of a campaign.
	stretchGap = 30
	// stretchSize messages, or a tenth of all, make a stretch the start of the
	// campaign; fewer are stray: a test message, one old event.
	stretchSize = 20
	// keptMinutes bounds the memory of a campaign that never ends: three days.
	keptMinutes = 3 * 24 * 60
)

// course is a campaign over time, as far as the screen needs it: minutes by the
// clocks of its messages, its errors and opt-outs by the minute they happened in,
// and the seconds of its first half hour. It is the sum of the store's pulses
// and of nothing else, so it does not depend on the order of events.
type course struct {
	seq     int64 // the commit it stands at
	minutes map[int64]store.Pulse
	order   []int64 // keys of minutes, ascending
	errors  map[int]*errorCourse
	optOuts map[int64]int64

	first  int64         // the minute in which the campaign starts
	window []store.Pulse // seconds from first on; nil = not known
	frozen bool          // minutes were dropped: first is what it was then
}

type errorCourse struct {
	total   int64
	minutes map[int64]int64
}

// newCourse makes a course of everything that a campaign has.
func newCourse(all *store.Tally, seq int64) *course {
	c := &course{seq: seq, minutes: map[int64]store.Pulse{}, errors: map[int]*errorCourse{}, optOuts: map[int64]int64{}}
	c.add(all, seq)
	c.first, _ = c.start()
	c.window = make([]store.Pulse, windowSeconds)
	c.addWindow(all)
	c.prune()
	return c
}

// add takes over a difference; one that the course contains already changes nothing.
func (c *course) add(d *store.Tally, seq int64) {
	c.seq = seq
	for second, p := range d.Pulses {
		m := second / 60
		sum, known := c.minutes[m]
		if !known {
			if c.frozen && m < c.order[0] {
				continue // a stray older than what is kept; the totals have it
			}
			at, _ := slices.BinarySearch(c.order, m)
			c.order = slices.Insert(c.order, at, m)
		}
		sum.Add(&p)
		c.minutes[m] = sum
	}
	for k, n := range d.Errors {
		e := c.errors[k.Code]
		if e == nil {
			e = &errorCourse{minutes: map[int64]int64{}}
			c.errors[k.Code] = e
		}
		e.total += n
		e.minutes[k.Minute] += n
	}
	for m, n := range d.OptOuts {
		c.optOuts[m] += n
	}
	if c.window != nil {
		c.addWindow(d)
	}
}

func (c *course) addWindow(d *store.Tally) {
	for second, p := range d.Pulses {
		if i := second - c.first*60; i >= 0 && i < windowSeconds {
			c.window[i].Add(&p)
		}
	}
}

// start is the minute in which the campaign started: the first of the first
// stretch, unbroken by half an hour of silence, that holds twenty messages or a
// tenth of all. False when there are no messages.
func (c *course) start() (minute int64, ok bool) {
	if c.frozen {
		return c.first, true
	}
	var total int64
	for _, p := range c.minutes {
		total += p.Messages
	}
	enough := min(stretchSize, (total+9)/10)
	var from, size, last int64
	earliest := int64(-1)
	for _, m := range c.order {
		n := c.minutes[m].Messages
		if n <= 0 {
			continue
		}
		if earliest < 0 {
			earliest = m
		}
		if size == 0 || m-last > stretchGap {
			from, size = m, 0
		}
		size += n
		last = m
		if size >= enough {
			return from, true
		}
	}
	return earliest, earliest >= 0
}

// moved tells whether the start is no longer where the window begins, so that
// the course must be read again.
func (c *course) moved() bool {
	m, ok := c.start()
	return ok && m != c.first
}

// prune drops the oldest minutes of a course that is longer than what is kept.
func (c *course) prune() {
	if len(c.order) <= keptMinutes {
		return
	}
	c.frozen = true
	drop := len(c.order) - keptMinutes
	for _, m := range c.order[:drop] {
		delete(c.minutes, m)
	}
	oldest := c.order[drop]
	c.order = slices.Delete(c.order, 0, drop)
	for _, e := range c.errors {
		for m := range e.minutes {
			if m < oldest {
				delete(e.minutes, m)
			}
		}
	}
	for m := range c.optOuts {
		if m < oldest {
			delete(c.optOuts, m)
		}
	}
}

// startSecond is the campaign's start: the clock of the first message in its
// first minute. 0 when there are no messages.
func (c *course) startSecond() int64 {
	for i := range c.window {
		if c.window[i].Messages > 0 {
			return c.first*60 + int64(i)
		}
	}
	return 0
}

// lastMinute is the latest minute in which a message's clock started; 0 when there is none.
func (c *course) lastMinute() int64 {
	for _, m := range slices.Backward(c.order) {
		if c.minutes[m].Messages > 0 {
			return m
		}
	}
	return 0
}

// recent sums the newest minutes up to and with now's until they hold enough
// decided messages, at least three and at most thirty of them; span is how many
// minutes that took. False when even thirty hold too few.
func (c *course) recent(now, enough int64) (sum store.Pulse, span int64, ok bool) {
	for span = 1; span <= 30; span++ {
		if p, has := c.minutes[now-span+1]; has {
			sum.Add(&p)
		}
		if span >= 3 && sum.Delivered+sum.Failed >= enough {
			return sum, span, true
		}
	}
	return sum, 30, false
}
