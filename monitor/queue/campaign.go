package queue

import (
	"time"

	"tickwatch/wa"
)

const (
	claimKeeps   = time.Second      // a claimed message that has not been sent by then goes back
	lookEvery    = time.Second      // at a campaign that has nothing to wait for: limits and throughput change by themselves
	idleEvery    = time.Minute      // at one that has nothing to send
	claimAgain   = time.Second      // after a claim that failed
	askAgain     = 10 * time.Second // when messages wait and none may go, though nothing says until when
	commandWaits = 5 * time.Second  // at most, for what was claimed to go back
)

// campaign is one of our own campaigns on its way out. One goroutine releases
// its messages; everything in it is guarded by Queue.mu.
type campaign struct {
	q       *Queue
	id      int64
	wake    chan struct{} // capacity 1
	command chan struct{} // capacity 1: held by what changes the plan, taken before Queue.mu

	plan   *wa.Plan // never changed in place: tickets keep the one they were claimed under
	gate   *gate
	lanes  []*lane
	pace   pacer
	turn   int                  // of lanes that are equally free
	seeds  int                  // of lanes that messages to own phones go out over
	out    map[*ticket]struct{} // claimed and not settled
	barred int64                // gates.changes when tickets were last looked through

	frozen   bool          // a command waits for tickets that could begin; nothing is claimed
	quiet    chan struct{} // closed when there is none any more; nil = nobody waits
	busy     bool          // a deed of its own is under way: a start, an end
	deedAt   time.Time     // not before, after one that failed
	claiming bool
	going    bool // as of its latest step, see goes
	unsaved  bool // that it is cancelled is not on disk yet

	claimAt time.Time  // not before, after a claim that failed
	trouble error      // of the latest claim
	asked   bool       // it has claimed since it was started
	empty   bool       // the latest claim gave nothing
	stirs   int        // counts what a claim that is under way may not have seen
	askAt   time.Time  // when it is worth to claim again, if empty; zero = when stirred
	next    wa.Instant // Claims.Next of the latest claim
	why     string     // and its Why
	window  wa.Instant // when the latest of those in the claim that wait for their sending window may go
	left    int64      // Claims.Left of the latest claim

	sameCode  int // of refusals in a row, see refused
	sameCount int
	went      time.Time       // when the latest of those that Meta took began
	faults    map[int64]tries // rows that were sent back
	blamed    map[int64]blame // rows whose refusal closed a gate
}

func newCampaign(q *Queue, p wa.Plan) *campaign {
	c := &campaign{
		q: q, id: p.Campaign, wake: make(chan struct{}, 1), command: make(chan struct{}, 1), plan: &p,
		gate: q.gates.find(place{scopeCampaign, p.Key}), out: map[*ticket]struct{}{}, left: -1,
		faults: map[int64]tries{}, blamed: map[int64]blame{},
	}
	for _, id := range p.From {
		n := q.numbers[id]
		if n == nil {
			n = newNumber(id, q.gates.find(place{scopeNumber, id}))
			n.limit(q.bound(defaultThroughput)) // until what Meta takes is known
			q.numbers[id] = n
		}
		c.lanes = append(c.lanes, &lane{number: n})
	}
	return c
}

// nudge makes it look again.
func (c *campaign) nudge() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// stirred tells that there may be something to claim again.
func (c *campaign) stirred() {
	c.stirs++
	c.empty, c.askAt = false, time.Time{}
	c.nudge()
}

// run releases messages until the queue ends, and then gives back what has not begun.
func (c *campaign) run() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		timer.Reset(max(c.step(), time.Millisecond))
		select {
		case <-c.q.gates.ended:
			c.step()
			return
		case <-c.wake:
		case <-timer.C:
		}
	}
}

// step does what can be done now, and says after how much real time to look again.
func (c *campaign) step() time.Duration {
	c.q.mu.Lock()
	defer c.q.mu.Unlock()
	now := c.q.o.Now()
	c.giveBack(now)
	next := sooner(now.Add(c.q.own(lookEvery)), c.keepTime(now))
	if c.plan.State != wa.PlanRunning || c.empty && c.askAt.IsZero() && len(c.out) == 0 {
		next = sooner(now.Add(c.q.own(idleEvery)), c.keepTime(now))
	}
	if c.going = c.goes(now); c.going {
		next = sooner(next, c.release(now))
		next = sooner(next, c.claimMore(now))
	}
	return c.q.real(next.Sub(now))
}

// goes tells whether the campaign may send at all, numbers and pace aside.
func (c *campaign) goes(now time.Time) bool {
	if end := c.plan.ExpiresAt; end != 0 && end <= wa.At(now) {
		return false
	}
	s := &c.q.gates
	s.mu.Lock()
	defer s.mu.Unlock()
	return c.plan.State == wa.PlanRunning && !c.frozen && !s.ending && !s.stopped &&
		!c.gate.Closed && !s.get(place{scopeAll, ""}).Closed && !s.get(place{scopeChannel, whatsApp}).Closed
}

// giveBack returns to the queue what was claimed and cannot begin now: its gate
// is closed, its campaign has changed, its number rests or has no connection
// free, or the pace has fallen. It is judged anew when it is claimed again, so
// that nobody is written to who opted out more than a moment before.
func (c *campaign) giveBack(now time.Time) {
	c.q.gates.mu.Lock()
	changes := c.q.gates.changes
	c.q.gates.mu.Unlock()
	for _, l := range c.lanes {
		soon := c.soon(l.number, now)
		keep := l.ready[:0]
		for i, t := range l.ready {
			stale := i >= soon || now.Sub(t.claimed) > c.q.own(claimKeeps)
			if (stale || c.barred != changes && c.q.bars(t)) && c.q.gates.revoke(&t.pass) {
				c.q.comeBack(t, wa.Outcome{Kind: wa.OutcomeAgain})
				continue
			}
			keep = append(keep, t)
		}
		clear(l.ready[len(keep):])
		l.ready = keep
	}
	if c.barred == changes {
		return
	}
	c.barred = changes
	for t := range c.out { // those that are waiting for their connection come back at once
		if t.cancel != nil && c.q.bars(t) && c.q.gates.revoke(&t.pass) {
			t.cancel()
		}
	}
}

// bars tells whether a ticket could not begin now.
func (q *Queue) bars(t *ticket) bool {
	q.gates.mu.Lock()
	defer q.gates.mu.Unlock()
	return t.begun.IsZero() && q.gates.barred(&t.pass) != nil
}

// release sends what is claimed and due, and says when more will be; zero = what
// that waits for wakes the campaign by itself.
func (c *campaign) release(now time.Time) (next time.Time) {
	rate, slack := c.plan.Pace.PerSecond(), c.q.own(claimAhead/2)
	for {
		l, due := c.nextLane(now)
		if l == nil {
			return due
		}
		t := l.ready[0]
		l.ready[0] = nil
		l.ready = l.ready[1:]
		c.pace.take(now, rate, slack)
		l.number.pace.take(now, l.number.rate(now), slack)
		c.q.launch(t, now)
	}
}

// claimMore starts a claim if there is reason to, and says when there will be;
// zero = what it waits for wakes the campaign by itself.
func (c *campaign) claimMore(now time.Time) (next time.Time) {
	switch {
	case c.claiming:
		return time.Time{}
	case now.Before(c.claimAt):
		return c.claimAt
	case c.empty && c.rampLook(now):
		return time.Time{}
	case c.empty && (c.askAt.IsZero() || now.Before(c.askAt)):
		return c.askAt
	}
	l, size, next := c.neediest(now)
	if l == nil {
		return next
	}
	c.turn++
	return c.claim(l, size)
}
