package monitor

import (
	"maps"
	"slices"

	"tickwatch/monitor/alarm"
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

	first  int64                 // the minute in which the campaign starts
	window map[int64]store.Pulse // by second, windowSeconds from first on
	frozen bool                  // minutes were dropped: first is what it was then

	present present // how the newest messages fare
}

type errorCourse struct {
	total   int64
	minutes map[int64]int64
}

// windowOf is the stretch of seconds that the figures of the first half hour need.
func windowOf(minutes map[int64]store.Pulse) (from, to int64) {
	first, _ := startOf(minutes, slices.Sorted(maps.Keys(minutes)))
	return first * 60, first*60 + windowSeconds
}

// newCourse makes a course of what is stored.
func newCourse(c *store.Course, lines alarm.Lines) *course {
	out := &course{
		seq: c.Seq, minutes: c.Minutes, order: slices.Sorted(maps.Keys(c.Minutes)),
		errors: map[int]*errorCourse{}, optOuts: c.OptOuts, window: c.Seconds,
	}
	out.first, _ = startOf(out.minutes, out.order)
	out.addErrors(c.Errors)
	out.prune()
	out.present.start(c, lines)
	return out
}

// add takes over the difference that a later commit makes.
func (c *course) add(d *store.Tally, seq int64) {
	c.seq = seq
	for second, p := range d.Pulses {
		m := second / 60
		sum, known := c.minutes[m]
		if !known {
			if c.frozen && m < c.order[0] {
				continue // older than what is kept; the totals have it
			}
			at, _ := slices.BinarySearch(c.order, m)
			c.order = slices.Insert(c.order, at, m)
		}
		sum.Add(&p)
		c.minutes[m] = sum
		if i := second - c.first*60; i >= 0 && i < windowSeconds {
			cell := c.window[second]
			cell.Add(&p)
			c.window[second] = cell
		}
	}
	c.present.add(d)
	c.addErrors(d.Errors)
	for m, n := range d.OptOuts {
		c.optOuts[m] += n
	}
	if len(c.order) > keptMinutes+24*60 {
		c.prune()
	}
}

func (c *course) addErrors(more map[store.CodeMinute]int64) {
	for k, n := range more {
		e := c.errors[k.Code]
		if e == nil {
			e = &errorCourse{minutes: map[int64]int64{}}
			c.errors[k.Code] = e
		}
		e.total += n
		e.minutes[k.Minute] += n
	}
}

// startOf is the minute in which a campaign started: the first of the first
// stretch, unbroken by half an hour of silence, that holds twenty messages or a
// tenth of all. False when there are no messages.
func startOf(minutes map[int64]store.Pulse, order []int64) (minute int64, ok bool) {
	var total int64
	for _, m := range order {
		// Where the first stretch has twenty, the rest need not be looked at.
		if total += minutes[m].Messages; total >= stretchSize*10 {
			break
		}
	}
	enough := min(stretchSize, (total+9)/10)
	var from, size, last int64
	earliest := int64(-1)
	for _, m := range order {
		n := minutes[m].Messages
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
	if c.frozen {
		return false
	}
	m, ok := startOf(c.minutes, c.order)
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
	var first int64
	for second, p := range c.window {
		if p.Messages > 0 && (first == 0 || second < first) {
			first = second
		}
	}
	return first
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
// decided messages, at least three and at most thirty of them. False when even
// thirty hold too few.
func (c *course) recent(now, enough int64) (sum store.Pulse, ok bool) {
	for span := int64(1); span <= 30; span++ {
		if p, has := c.minutes[now-span+1]; has {
			sum.Add(&p)
		}
		if span >= 3 && sum.Delivered+sum.Failed >= enough {
			return sum, true
		}
	}
	return sum, false
}
