package queue

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"tickwatch/wa"
)

const (
	platformTries = 5               // times that a row goes back for platform faults, before it is refused
	platformDelay = 5 * time.Second // before such a row is tried again; each time four times as long
	sameRefusals  = 50              // of a campaign, in a row, at which it is paused
	pairMost      = 6               // 4^6 s are more than an hour
)

// ticket is one claimed message on its way.
type ticket struct {
	pass
	wa.Claimed
	campaign *campaign
	number   *number
	plan     *wa.Plan // that it was claimed under
	claimed  time.Time
	launched time.Time          // zero = not yet
	cancel   context.CancelFunc // of its request; nil before there is one
}

// claim starts to claim messages for a lane. It says when to try again if there
// is no room for them; zero = its end wakes the campaign.
func (c *campaign) claim(l *lane, size int) (next time.Time) {
	q := c.q
	now := q.o.Now()
	if q.o.Unanswered != nil {
		size = int(min(int64(size), q.o.MaxUnanswered-q.unanswered-int64(c.ready())))
	}
	room := 0
	if size > 0 {
		room = q.gates.reserve(size)
	}
	if room == 0 {
		return now.Add(q.own(claimAhead / 10))
	}
	r := wa.ClaimRequest{
		Campaign: c.plan.Campaign, From: l.number.id, Limit: room, Upto: upto(c.plan), Now: wa.At(now),
	}
	if c.plan.Form.Category == wa.CategoryMarketing {
		r.Cap = q.o.Cap
	}
	t := ticket{campaign: c, number: l.number, plan: c.plan}
	t.gates, t.epoch = q.gates.passage(c.gate, l.number.gate)
	stirs := c.stirs
	c.claiming = q.deed(func(ctx context.Context) {
		var window atomic.Int64
		r.Hold = q.hold(t.plan, &window)
		r.Aside = aside(t.plan)
		got, err := q.o.Store.Claim(context.WithoutCancel(ctx), r) // a claim that is cut off could be on disk all the same
		q.claimed(l, &t, claimResult{got, room, stirs, wa.Instant(window.Load()), err})
	})
	if !c.claiming {
		q.gates.unreserve(room)
	}
	return time.Time{}
}

// hold is the sending window for a claim. It notes the latest moment that it gave.
func (q *Queue) hold(p *wa.Plan, latest *atomic.Int64) func(string) wa.Instant {
	if q.o.Window == nil {
		return nil
	}
	window := q.o.Window(p)
	if window == nil {
		return nil
	}
	return func(phone string) wa.Instant {
		until := window(phone)
		if int64(until) > latest.Load() {
			latest.Store(int64(until))
		}
		return until
	}
}

// claimResult is what came of a claim.
type claimResult struct {
	wa.Claims
	room   int        // that was reserved for it
	stirs  int        // campaign.stirs when it began
	window wa.Instant // the latest end of a wait for a sending window; 0 = none
	err    error
}

// claimed takes in what a claim gave. All of its tickets are like pattern.
func (q *Queue) claimed(l *lane, pattern *ticket, got claimResult) {
	q.mu.Lock()
	defer q.mu.Unlock()
	c, now := pattern.campaign, q.o.Now()
	q.gates.unreserve(got.room - len(got.Messages))
	c.claiming = false
	defer c.nudge()
	defer c.tellQuiet()
	defer q.notices.changed()
	if got.err != nil {
		if c.trouble == nil {
			q.o.Log.Error("nothing can be claimed; it is tried again", "campaign", c.plan.Key, "error", got.err)
		}
		c.trouble, c.claimAt = got.err, now.Add(q.own(claimAgain))
		return
	}
	for _, m := range got.Messages {
		t := *pattern
		t.Claimed, t.claimed = m, now
		c.out[&t] = struct{}{}
		l.ready = append(l.ready, &t)
	}
	fewer := got.Left < c.left || !c.asked
	c.trouble, c.asked, c.left, c.next, c.why = nil, true, got.Left, got.Next, got.Why
	c.window = max(c.window, got.window)
	c.empty, c.askAt = len(got.Messages) == 0 && c.stirs == got.stirs, time.Time{}
	switch {
	case !c.empty:
	case got.Next != 0:
		c.askAt = got.Next.Time()
		if soonest := now.Add(q.own(claimAhead / 10)); c.askAt.Before(soonest) {
			c.askAt = soonest
		}
	case got.Left > 0 && fewer: // it left out people, and has more to look through
		c.askAt = now
	case got.Left > 0:
		c.askAt = now.Add(q.own(askAgain))
	}
	c.barred = -1 // gates may have closed meanwhile
	c.giveBack(now)
}

// launch sends a ticket from a goroutine of its own. q.mu is held.
func (q *Queue) launch(t *ticket, now time.Time) {
	t.launched = now
	t.number.busy++
	q.unanswered++
	q.launched++
	q.busy++
	ok := q.deed(func(ctx context.Context) { q.send(ctx, t) })
	if !ok {
		t.number.busy--
		q.comeBack(t, wa.Outcome{Kind: wa.OutcomeAgain})
	}
}

// send sends a ticket, and takes in what became of it.
func (q *Queue) send(ctx context.Context, t *ticket) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	q.mu.Lock()
	t.cancel = cancel
	q.mu.Unlock()
	m, err := t.outgoing()
	if err != nil {
		q.over(t, wa.Accepted{}, &unfit{err})
		return
	}
	m.Written = func() { q.gates.wrote(&t.pass) }
	accepted, err := q.o.Sender.Send(ctx, t.number.id, m, func() error {
		return q.gates.begin(&t.pass, q.o.Now)
	})
	q.over(t, accepted, err)
}

// unfit is that a row cannot be sent, whatever Meta would say.
type unfit struct{ error }

// outgoing fills the template in with the row's values.
func (t *ticket) outgoing() (*wa.Outgoing, error) {
	filled, err := t.plan.Form.Fill(func(v string) string { return t.plan.Value(t.Values, v) })
	if err != nil {
		return nil, fmt.Errorf("the row does not fill the template: %w", err)
	}
	return &wa.Outgoing{To: t.Phone, Template: filled, CallbackData: t.Data, Marketing: t.plan.Marketing}, nil
}

// over takes in that a send is over.
func (q *Queue) over(t *ticket, accepted wa.Accepted, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := q.o.Now()
	n, began := t.number, q.gates.cameBack(&t.pass)
	n.busy, n.back = n.busy-1, now
	for c := range n.waiting {
		c.nudge()
	}
	clear(n.waiting)
	t.campaign.nudge()
	o := wa.Outcome{At: wa.At(now)}
	var refusal *wa.Refusal
	var row *unfit
	switch {
	case err == nil:
		n.accepted()
		t.campaign.acceptedOne(t, began)
		o.Kind, o.Accepted = wa.OutcomeAccepted, accepted
	case errors.As(err, &row):
		t.campaign.refusedOne(t, &wa.Refusal{Details: row.Error()}, now, &o)
	case errors.As(err, &refusal):
		q.refused(t, refusal, began, now, &o)
	case began.IsZero() && !errors.Is(err, wa.ErrMayHaveGone):
		o.Kind = wa.OutcomeAgain
		if !errors.Is(err, wa.ErrGateClosed) && !errors.Is(err, context.Canceled) {
			n.quiet(t.launched, now)
		}
	default: // what has begun may have gone, whatever the error says
		o.Kind = wa.OutcomeUnknown
		n.quiet(t.launched, now)
	}
	if o.Kind == wa.OutcomeAgain || o.Kind == wa.OutcomeRefused {
		q.unanswered--
	}
	q.comeBack(t, o)
}

// comeBack has an outcome stored. q.mu is held.
func (q *Queue) comeBack(t *ticket, o wa.Outcome) {
	q.gates.cameBack(&t.pass)
	o.Message = t.Message
	if o.At == 0 {
		o.At = wa.At(q.o.Now())
	}
	q.settler.add(settlement{o, t})
}

// settled takes in that outcomes are on disk.
func (q *Queue) settled(all []settlement) {
	q.mu.Lock()
	for _, s := range all {
		c := s.ticket.campaign
		q.gates.settled()
		delete(c.out, s.ticket)
		if !s.ticket.launched.IsZero() {
			q.busy--
		}
		if s.Kind == wa.OutcomeAgain {
			c.stirred()
		} else if len(c.out) == 0 {
			c.nudge()
		}
		c.tellQuiet()
	}
	q.mu.Unlock()
	q.notices.changed()
}
