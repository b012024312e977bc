package queue

import (
	"cmp"
	"slices"
	"time"

	"tickwatch/wa"
)

// View is what a snapshot shows of the queue.
type View struct {
	StopFile  bool      // the STOP file is there
	Gates     []wa.Gate // those that were ever closed, by scope and id
	Campaigns map[int64]Sending
}

// Sending is how a campaign goes out.
type Sending struct {
	Plan         wa.Plan
	Template     string  // its name and language, clean
	PerSecond    float64 // requests begun, over the last ten seconds of the daemon's clock
	OpenRequests int
	// Held is why nothing goes out, a few words for people; "" = something does, or the
	// campaign was never started, or is cancelled.
	Held   string
	EndsAt wa.Instant // when all that waits will have gone out at this pace; 0 = not known
}

// View gives the state of now. It reads memory only.
func (q *Queue) View() View {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := q.o.Now()
	v := View{Campaigns: make(map[int64]Sending, len(q.campaigns))}
	for id, c := range q.campaigns {
		v.Campaigns[id] = c.view(now)
	}
	q.gates.mu.Lock()
	defer q.gates.mu.Unlock()
	v.StopFile = q.gates.stopped
	for _, g := range q.gates.at {
		if g.ever {
			v.Gates = append(v.Gates, g.Gate)
		}
	}
	slices.SortFunc(v.Gates, func(a, b wa.Gate) int {
		return cmp.Or(cmp.Compare(a.Scope, b.Scope), cmp.Compare(a.ID, b.ID))
	})
	return v
}

func (c *campaign) view(now time.Time) Sending {
	s := Sending{
		Plan: *c.plan, Template: wa.Clean(c.plan.Form.Name + "/" + c.plan.Form.Language),
		Held: c.held(now),
	}
	c.q.gates.mu.Lock()
	s.PerSecond, s.OpenRequests = c.gate.begun.perSecond(now), c.gate.open
	c.q.gates.mu.Unlock()
	if rate := c.speed(now); s.Held == "" && c.plan.State == wa.PlanRunning && c.left > 0 && rate > 0 {
		s.EndsAt = wa.At(now.Add(time.Duration(float64(c.left) / rate * float64(time.Second))))
	}
	return s
}

// speed is how many messages a second may go out now, by the pace and the numbers
// that are neither paused nor resting.
func (c *campaign) speed(now time.Time) (rate float64) {
	for _, l := range c.lanes {
		if _, rests := l.number.resting(now); !rests && !c.q.closed(l.number.gate) {
			rate += l.number.rate(now)
		}
	}
	if pace := c.plan.Pace.PerSecond(); pace > 0 {
		rate = min(rate, pace)
	}
	return rate
}
