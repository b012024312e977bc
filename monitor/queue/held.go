package queue

import (
	"fmt"
	"math"
	"strings"
	"time"

	"tickwatch/wa"
)

// held is why nothing of the campaign goes out now, in a few words; "" when
// something does, or is about to. The widest reason comes first.
func (c *campaign) held(now time.Time) string {
	switch c.plan.State {
	case wa.PlanReady:
		return "starts " + moment(c.plan.StartsAt, now)
	case wa.PlanRunning:
	default:
		return ""
	}
	select {
	case <-c.q.gates.ended: // the last snapshot shows how it went until here
		return ""
	default:
	}
	for _, why := range []func(time.Time) string{c.paused, c.outOfOrder, c.resting, c.waiting} {
		if text := why(now); text != "" {
			return text
		}
	}
	return ""
}

// paused names the gate that is closed.
func (c *campaign) paused(time.Time) string {
	s := &c.q.gates
	s.mu.Lock()
	defer s.mu.Unlock()
	all, channel := s.get(place{scopeAll, ""}), s.get(place{scopeChannel, whatsApp})
	switch {
	case s.stopped:
		return "the STOP file is there"
	case all.Closed:
		return "everything is paused" + c.from(all)
	case channel.Closed:
		return "WhatsApp is paused" + c.from(channel)
	case c.gate.Closed && strings.HasPrefix(c.gate.Reason, "ramp: "):
		return c.gate.Reason
	case c.gate.Closed:
		return "paused" + c.from(c.gate)
	case len(c.lanes) == 0:
		return "it has no number to send from"
	}
	for _, l := range c.lanes {
		if !l.number.gate.Closed {
			return ""
		}
	}
	if len(c.lanes) == 1 {
		return "its number is paused" + c.from(c.lanes[0].number.gate)
	}
	return "all of its numbers are paused"
}

// from says until when a gate is closed, if that is known.
func (c *campaign) from(g *gate) string {
	if g.OpensAt == 0 {
		return ""
	}
	return ", resumes " + moment(g.OpensAt, c.q.o.Now())
}

// outOfOrder is what is wrong on our side, or with all of Meta's answers.
func (c *campaign) outOfOrder(time.Time) string {
	switch fault := c.q.settler.fault(); {
	case c.trouble != nil:
		return "the database takes nothing: " + wa.Clean(c.trouble.Error())
	case fault != nil:
		return "the database takes nothing: " + wa.Clean(fault.Error())
	case c.q.o.Unanswered != nil && c.q.unanswered >= c.q.o.MaxUnanswered:
		return fmt.Sprintf("Meta has not answered %s messages", thousands(c.q.o.MaxUnanswered))
	}
	return ""
}

// resting is why none of its open numbers may send.
func (c *campaign) resting(now time.Time) (why string) {
	var soonest time.Time
	for _, l := range c.lanes {
		n := l.number
		if c.q.closed(n.gate) {
			continue
		}
		until, rests := n.resting(now)
		if !rests {
			return ""
		}
		if soonest.IsZero() || until.Before(soonest) {
			soonest = until
			why = fmt.Sprintf("%s: goes on in %d s", n.restWhy, int(math.Ceil(until.Sub(now).Seconds())))
		}
	}
	return why
}

// waiting is what it waits for though nothing is wrong.
func (c *campaign) waiting(now time.Time) string {
	c.q.gates.mu.Lock()
	open, lately := c.gate.open, c.gate.begun.sum(now)
	c.q.gates.mu.Unlock()
	if open > 0 {
		if lately == 0 {
			return fmt.Sprintf("%d requests wait for Meta's answer", open)
		}
		return ""
	}
	if c.empty && !c.claiming {
		switch {
		case c.left == 0 && len(c.out) == 0:
			return "all sent"
		case c.next != 0 && c.window > wa.At(now):
			return "waits until " + clock(c.next, now) + " for its sending window"
		case c.next > wa.At(now):
			return "the next may go " + moment(c.next, now) + because(c.why)
		case c.left > 0 && len(c.out) == 0:
			return "none of those that wait may go now"
		}
	}
	if lately > 0 {
		return ""
	}
	if due := c.pace.due(c.plan.Pace.PerSecond()); due.Sub(now) > time.Second {
		return fmt.Sprintf("the next goes %s, at a pace of %s", moment(wa.At(due), now), c.plan.Pace)
	}
	switch {
	case c.claiming:
		return "waits for the database"
	case !c.asked:
		return "about to begin"
	}
	return "about to go on"
}

// because is what somebody waits for, as the end of a sentence.
func because(why string) string {
	switch why {
	case "":
		return ""
	case wa.ReasonCap:
		return ": people get no more than the cap allows"
	}
	return ": " + wa.Clean(why)
}

// moment is a time for people: in seconds where it is close, else of the day.
func moment(at wa.Instant, now time.Time) string {
	if wait := at.Sub(wa.At(now)); wait < time.Minute {
		return fmt.Sprintf("in %d s", max(1, int(math.Ceil(wait.Seconds()))))
	}
	return "at " + clock(at, now)
}

// clock is a time of day in the daemon's zone, with the day where it is another.
func clock(at wa.Instant, now time.Time) string {
	t := at.Time().In(now.Location())
	if t.YearDay() == now.YearDay() && t.Year() == now.Year() {
		return t.Format("15:04")
	}
	return t.Format("15:04 on 2 January")
}

// thousands writes a number with a comma between groups of digits.
func thousands(n int64) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%s,%03d", thousands(n/1000), n%1000)
}
