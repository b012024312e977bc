package queue

import (
	"math"
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
	window  wa.Instant // when the latest of those in the claim that wait for their sending window may go
	left    int64      // Claims.Left of the latest claim

	sameCode  int // of refusals in a row, see refused
	sameCount int
	went      time.Time       // when the latest of those that Meta took began
	faults    map[int64]tries // rows that were sent back
	blamed    map[int64]blame // rows whose refusal closed a gate
}

// lane is a campaign's way over one of its numbers.
type lane struct {
	number *number
	ready  []*ticket // claimed, in their order; waiting for pace and a connection
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

// nextLane is the lane that the next message goes out over now: of those that
// have one, are due and have a free connection, the freest. Without one it says
// when one will be due.
func (c *campaign) nextLane(now time.Time) (best *lane, next time.Time) {
	most := 0
	for _, l := range c.lanes {
		if len(l.ready) == 0 {
			continue
		}
		n := l.number
		if until, rests := n.resting(now); rests {
			next = sooner(next, until)
			continue
		}
		free := n.free(now, c.q.o.Connections)
		if free == 0 {
			n.waiting[c] = true
			continue
		}
		if due := c.due(n, now); due.After(now) {
			next = sooner(next, due)
		} else if free > most {
			best, most = l, free
		}
	}
	return best, next
}

// due is when the campaign may send its next message from a number.
func (c *campaign) due(n *number, now time.Time) time.Time {
	due := c.pace.due(c.plan.Pace.PerSecond())
	if d := n.pace.due(n.rate(now)); d.After(due) {
		return d
	}
	return due
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

// neediest is the lane that should claim now, and how many: of those that have
// less ready than is due soon, the one with the most free connections; equals
// take turns. Without one it says when one will be due.
func (c *campaign) neediest(now time.Time) (best *lane, size int, next time.Time) {
	ahead, share, most := c.q.own(claimAhead), c.q.share(), 0
	room := countWithin(c.plan.Pace.PerSecond(), ahead) - c.ready()
	if room <= 0 {
		return nil, 0, time.Time{} // sending what is ready wakes the campaign
	}
	for i := range c.lanes {
		l := c.lanes[(i+c.turn)%len(c.lanes)]
		n := l.number
		if c.q.closed(n.gate) {
			continue
		}
		if until, rests := n.resting(now); rests {
			next = sooner(next, until)
			continue
		}
		want := min(share, countWithin(n.rate(now), ahead))
		spare := n.free(now, c.q.o.Connections) - len(l.ready)
		switch early := c.due(n, now).Add(-ahead); {
		case len(l.ready) > want/2:
		case early.After(now):
			next = sooner(next, early)
		case n.testing && n.busy+len(l.ready) > 0, n.stuck(now, c.q.o.Connections, c.q.own(claimKeeps)/2):
			n.waiting[c] = true
		case best == nil || spare > most:
			best, size, most = l, min(room, want-len(l.ready)), spare
			if n.testing {
				size = 1
			}
		}
	}
	return best, size, next
}

// countWithin is how many messages a rate a second gives within a span, at least
// one and at most as many as one claim; a rate of 0 is no limit.
func countWithin(rate float64, span time.Duration) int {
	if rate <= 0 {
		return maxClaim
	}
	return int(min(maxClaim, max(1, math.Ceil(rate*span.Seconds()))))
}

// soon is how many of a number's claimed messages may still go out soon; more
// are better off in the queue.
func (c *campaign) soon(n *number, now time.Time) int {
	span := 5 * c.q.own(claimAhead)
	if until, rests := n.resting(now); rests && until.Sub(now) > span || c.due(n, now).Sub(now) > span {
		return 0
	}
	rate := n.rate(now)
	if pace := c.plan.Pace.PerSecond(); pace > 0 {
		rate = min(rate, pace)
	}
	if n.testing {
		return 1
	}
	return countWithin(rate, span)
}

// ready is how many messages it has claimed that wait to be released.
func (c *campaign) ready() (n int) {
	for _, l := range c.lanes {
		n += len(l.ready)
	}
	return n
}

// share is how many messages each lane may have claimed ahead, so that none
// keeps the others from going out.
func (q *Queue) share() int {
	lanes := 0
	for _, c := range q.campaigns {
		if c.going && !c.empty {
			lanes += len(c.lanes)
		}
	}
	return max(1, maxClaim/max(1, lanes))
}

// closed tells whether a gate is.
func (q *Queue) closed(g *gate) bool {
	q.gates.mu.Lock()
	defer q.gates.mu.Unlock()
	return g.Closed
}

// sooner is the earlier of two moments; a zero one is never.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
