package queue

import (
	"context"
	"errors"

	"tickwatch/wa"
)

// Seed is a message to one of the operator's own phones that goes out among those of
// a campaign. It is not in the campaign's queue: it passes the same gates and takes a
// turn of a number's pace, and changes neither how a number nor how the campaign is
// judged by its refusals.
type Seed struct {
	// Claim puts its attempt on the disk and gives the message, for a number to send
	// from and the plan in use. An error = nothing is sent.
	Claim func(ctx context.Context, from string, p *wa.Plan) (*wa.Outgoing, error)
	// Settle takes in what became of what Claim gave, once.
	Settle func(ctx context.Context, o wa.Outcome)
	// Over tells, at the end, whether its request may have left.
	Over func(left bool)
}

// Seed sends a seed among the messages of a campaign, if one may go out at this
// moment; false = none may, and nothing of s is called. It does not wait for the
// disk or the network.
func (q *Queue) Seed(campaign int64, s Seed) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	c, now := q.campaigns[campaign], q.o.Now()
	if c == nil || q.sending == nil || !c.goes(now) || q.o.Unanswered != nil && q.unanswered >= q.o.MaxUnanswered {
		return false
	}
	n := c.seedNumber()
	if n == nil || q.gates.reserve(1) == 0 {
		return false
	}
	slack := q.own(claimAhead / 2)
	c.pace.take(now, c.plan.Pace.PerSecond(), slack)
	n.pace.take(now, n.rate(now), slack)
	n.busy++
	t := &pass{}
	t.gates, t.epoch = q.gates.passage(c.gate, n.gate)
	plan := c.plan
	return q.deed(func(ctx context.Context) { q.sendSeed(ctx, n, plan, t, s) })
}

// seedNumber is the number that a seed may go out from now: an open one that is due
// before the campaign claims its next messages; nil = none. q.mu is held.
func (c *campaign) seedNumber() *number {
	now := c.q.o.Now()
	for i := range c.lanes {
		n := c.lanes[(i+c.seeds)%len(c.lanes)].number
		if c.q.closed(n.gate) || n.free(now, c.q.o.Connections) == 0 || c.due(n, now).Sub(now) > c.q.own(claimAhead) {
			continue
		}
		c.seeds += i + 1
		return n
	}
	return nil
}

// sendSeed sends a seed, and has what became of it stored.
func (q *Queue) sendSeed(ctx context.Context, n *number, plan *wa.Plan, t *pass, s Seed) {
	m, err := s.Claim(ctx, n.id, plan)
	claimed := err == nil
	var accepted wa.Accepted
	if claimed {
		m.Written = func() { q.gates.wrote(t) }
		accepted, err = q.o.Sender.Send(ctx, n.id, m, func() error { return q.gates.begin(t, q.o.Now) })
	}
	o := q.seedOver(n, t, accepted, err)
	if claimed {
		s.Settle(context.WithoutCancel(ctx), o)
	}
	q.gates.settled()
	s.Over(o.Kind != wa.OutcomeAgain)
}

// seedOver takes in that a seed's request is over, and says what became of it. What
// a refusal says of the number's pace counts, for it is the number's; the other
// messages find out the rest by themselves.
func (q *Queue) seedOver(n *number, t *pass, accepted wa.Accepted, err error) wa.Outcome {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := q.o.Now()
	began := q.gates.cameBack(t)
	n.busy, n.back = n.busy-1, now
	for c := range n.waiting {
		c.nudge()
	}
	clear(n.waiting)
	o := wa.Outcome{At: wa.At(now), Kind: wa.OutcomeUnknown}
	var refusal *wa.Refusal
	switch {
	case err == nil:
		n.accepted()
		o.Kind, o.Accepted = wa.OutcomeAccepted, accepted
	case errors.As(err, &refusal):
		o.Kind, o.Code = wa.OutcomeRefused, refusal.Code
		switch refusal.Class() {
		case wa.ClassSlow:
			o.Kind = wa.OutcomeAgain
			n.slow(refusal, began, now, q.sentLately(n, now))
		case wa.ClassPair: // the phone had too many just now
			o.Kind = wa.OutcomeAgain
		}
	case began.IsZero() && !errors.Is(err, wa.ErrMayHaveGone):
		o.Kind = wa.OutcomeAgain
	}
	return o
}
