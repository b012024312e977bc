package queue

import (
	"math"
	"time"
)

// lane is a campaign's way over one of its numbers.
type lane struct {
	number *number
	ready  []*ticket // claimed, in their order; waiting for pace and a connection
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
