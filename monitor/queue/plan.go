package queue

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"tickwatch/monitor/list"
	"tickwatch/wa"
)

// ErrNoCampaign is that the queue knows no such campaign: it is external, was
// cancelled before the daemon began, or has wholly gone out.
var ErrNoCampaign = errors.New("the queue has no such campaign: `tickwatch campaign list` names them")

// Launch says when a campaign starts, how, and until when it may go out.
type Launch struct {
	At      time.Time // zero or past = now
	Expires time.Time // what still waits then is cancelled; zero = never
	Ramp    []float64 // shares of the list after which it pauses for a look, rising to 1; nil = none
}

// Plan is what a campaign sends now.
func (q *Queue) Plan(campaign int64) (wa.Plan, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	c := q.campaigns[campaign]
	if c == nil {
		return wa.Plan{}, false
	}
	return *c.plan, true
}

// Start lets a campaign go out, now or at its time, as far as gates are open: it
// opens none. One that runs, or is ready for the same time, is already started;
// another time replaces the one before.
func (q *Queue) Start(ctx context.Context, campaign int64, l Launch) (already bool, err error) {
	if err := checkRamp(l.Ramp); err != nil {
		return false, err
	}
	err = q.change(ctx, campaign, func(p *wa.Plan, now time.Time) error {
		at := wa.At(l.At)
		switch {
		case p.State == wa.PlanCancelled:
			return errors.New("it is cancelled: import the list again to send it")
		case p.State == wa.PlanRunning, p.State == wa.PlanReady && at > wa.At(now) && at == p.StartsAt:
			already = true
			return errNothing
		case at > wa.At(now):
			p.State, p.StartsAt = wa.PlanReady, at
		default:
			p.State, p.StartsAt = wa.PlanRunning, wa.At(now)
		}
		if p.ExpiresAt = wa.At(l.Expires); p.ExpiresAt != 0 && p.ExpiresAt <= max(p.StartsAt, wa.At(now)) {
			return errors.New("it would expire before it starts: give a later end")
		}
		p.Ramp, p.Step = slices.Clone(l.Ramp), 0
		return nil
	})
	return already, err
}

func checkRamp(ramp []float64) error {
	if len(ramp) == 0 {
		return nil
	}
	last := 0.0
	for _, share := range ramp {
		if !(share > last && share <= 1) {
			return errors.New("the steps of a ramp are shares of the list that rise, like 1%,5%,25%,100%")
		}
		last = share
	}
	if last != 1 {
		return errors.New("the last step of a ramp is the whole list: end it with 100%")
	}
	return nil
}

// SetPace changes how fast a campaign goes out; from the next message on.
func (q *Queue) SetPace(ctx context.Context, campaign int64, pace wa.Pace) error {
	return q.change(ctx, campaign, func(p *wa.Plan, _ time.Time) error {
		if p.Pace == pace {
			return errNothing
		}
		p.Pace = pace
		return nil
	})
}

// Swap sends the rest of a campaign with another template, whose variables bind
// fills from the list's columns (see wa.Plan.Bind). When it returns, nothing begins
// any more with the former one: what was claimed with it and had not begun is back
// in the queue. It opens no gate. Where the store fails the former stays in use.
func (q *Queue) Swap(ctx context.Context, campaign int64, form wa.TemplateForm, bind map[string]int) error {
	c, release, err := q.take(ctx, campaign)
	if err != nil {
		return err
	}
	defer release()
	q.mu.Lock()
	next := *c.plan
	q.mu.Unlock()
	if next.State == wa.PlanCancelled {
		return errors.New("it is cancelled: nothing of it goes out any more")
	}
	defer c.thaw()
	if err := c.freeze(ctx); err != nil {
		return fmt.Errorf("the template was not swapped: %w", err)
	}
	next.Form, next.Bind = form, bind
	if err := c.save(ctx, next); err != nil {
		return fmt.Errorf("the template was not swapped: %w", err)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	clear(c.blamed)
	c.sameCount = 0
	return nil
}

// SetAside changes the traits whose messages are set aside. When it returns, nothing
// begins any more that has one of them: what was claimed before and had not begun is
// back in the queue, and the next claim goes by the new traits. Where the store fails
// the former stand.
func (q *Queue) SetAside(ctx context.Context, campaign int64, change func(now []wa.Trait) []wa.Trait) error {
	c, release, err := q.take(ctx, campaign)
	if err != nil {
		return err
	}
	defer release()
	q.mu.Lock()
	next := *c.plan
	q.mu.Unlock()
	if next.State == wa.PlanCancelled {
		return errors.New("it is cancelled: nothing of it goes out any more")
	}
	defer c.thaw()
	if err := c.freeze(ctx); err != nil {
		return fmt.Errorf("nothing was changed: %w", err)
	}
	next.Aside = change(slices.Clone(next.Aside))
	if err := c.save(ctx, next); err != nil {
		return fmt.Errorf("nothing was changed: %w", err)
	}
	return nil
}

// aside is wa.ClaimRequest.Aside of a plan. A trait that cannot be looked for any more,
// for its column is gone, holds nothing back.
func aside(p *wa.Plan) func(phone string, line int64, values []string) string {
	if len(p.Aside) == 0 {
		return nil
	}
	var has []list.Matcher
	var names []string
	for _, t := range p.Aside {
		if m, err := list.NewMatcher(p, t); err == nil {
			has, names = append(has, m), append(names, t.String())
		}
	}
	return func(phone string, line int64, values []string) string {
		for i, m := range has {
			if m(phone, line, values) {
				return names[i]
			}
		}
		return ""
	}
}

// Cancel ends a campaign: nothing of it begins any more, whatever the store does,
// and what waits is cancelled, which it counts. An error says that this is not
// on disk yet; it is tried on.
func (q *Queue) Cancel(ctx context.Context, campaign int64) (cancelled int64, already bool, err error) {
	c, release, err := q.take(ctx, campaign)
	if err != nil {
		return 0, false, err
	}
	defer release()
	q.mu.Lock()
	already = c.plan.State == wa.PlanCancelled && !c.unsaved
	q.mu.Unlock()
	if already {
		return 0, true, nil
	}
	cancelled, err = c.cancel(ctx)
	return cancelled, false, err
}

// cancel stops the campaign at once and then stores it. Its command is held.
func (c *campaign) cancel(ctx context.Context) (int64, error) {
	c.q.mu.Lock()
	next := *c.plan
	next.State = wa.PlanCancelled
	c.plan, c.unsaved = &next, true
	c.q.gates.advance(c.gate) // nothing of it begins from here on
	c.giveBack(c.q.o.Now())
	c.q.mu.Unlock()
	n, err := c.q.o.Store.CancelRest(ctx, next.Campaign)
	c.q.mu.Lock()
	defer c.q.mu.Unlock()
	defer c.nudge()
	if err != nil {
		c.deedAt = c.q.o.Now().Add(c.q.own(retryEvery))
		return 0, fmt.Errorf("nothing more of it goes out, but that is not on disk yet and is tried again: %w", err)
	}
	c.unsaved, c.left = false, 0
	c.q.notices.changed()
	return n, nil
}

// errNothing is that a command has nothing to change.
var errNothing = errors.New("nothing to change")

// change changes a plan: on disk first, then for the next message.
func (q *Queue) change(ctx context.Context, campaign int64, do func(p *wa.Plan, now time.Time) error) error {
	c, release, err := q.take(ctx, campaign)
	if err != nil {
		return err
	}
	defer release()
	q.mu.Lock()
	next := *c.plan
	q.mu.Unlock()
	if err := do(&next, q.o.Now()); err != nil {
		if errors.Is(err, errNothing) {
			return nil
		}
		return err
	}
	return c.save(ctx, next)
}

// save stores a plan and then goes by it. The campaign's command is held.
func (c *campaign) save(ctx context.Context, p wa.Plan) error {
	if err := c.q.o.Store.SavePlan(ctx, p); err != nil {
		return err
	}
	c.q.mu.Lock()
	defer c.q.mu.Unlock()
	c.plan = &p
	c.stirred()
	c.q.notices.changed()
	return nil
}

// take gives a campaign to a command, one at a time.
func (q *Queue) take(ctx context.Context, campaign int64) (*campaign, func(), error) {
	q.mu.Lock()
	c := q.campaigns[campaign]
	q.mu.Unlock()
	if c == nil {
		return nil, nil, ErrNoCampaign
	}
	release, err := c.hold(ctx)
	return c, release, err
}

// hold waits until no other command changes the plan, and gives what lets the next.
func (c *campaign) hold(ctx context.Context) (release func(), err error) {
	select {
	case c.command <- struct{}{}:
		return func() { <-c.command }, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("another command to this campaign is still at work: %w", ctx.Err())
	}
}

func (q *Queue) byKey(key string) *campaign {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, c := range q.campaigns {
		if c.plan.Key == key {
			return c
		}
	}
	return nil
}

// freeze keeps the campaign from claiming, and from beginning what it has claimed,
// and waits until that is back in the queue: on disk, five seconds at most. thaw
// ends it.
func (c *campaign) freeze(ctx context.Context) error {
	q := c.q
	q.mu.Lock()
	c.frozen = true
	q.gates.advance(c.gate)
	quiet := make(chan struct{})
	c.quiet = quiet
	c.giveBack(q.o.Now())
	c.tellQuiet()
	q.mu.Unlock()
	late := time.NewTimer(commandWaits)
	defer late.Stop()
	select {
	case <-quiet:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-late.C:
	}
	if err := q.settler.fault(); err != nil {
		return fmt.Errorf("what was about to go out is not yet back in the queue: %w", err)
	}
	return errors.New("what was about to go out is not yet back in the queue: try again in a moment")
}

// thaw lets the campaign claim again.
func (c *campaign) thaw() {
	c.q.mu.Lock()
	defer c.q.mu.Unlock()
	c.frozen, c.quiet = false, nil
	c.stirred()
}

// tellQuiet tells who waits for it that nothing is left that was claimed before and
// has neither begun nor gone back. Queue.mu is held.
func (c *campaign) tellQuiet() {
	if c.quiet == nil || c.claiming {
		return
	}
	c.q.gates.mu.Lock()
	defer c.q.gates.mu.Unlock()
	for t := range c.out {
		if t.begun.IsZero() {
			return
		}
	}
	close(c.quiet)
	c.quiet = nil
}

// keepTime does what is due by the clock: a start, an end, and a cancel that could
// not be stored. It says when to look again.
func (c *campaign) keepTime(now time.Time) time.Time {
	if c.busy {
		return time.Time{}
	}
	if now.Before(c.deedAt) {
		return c.deedAt
	}
	p, at := c.plan, wa.At(now)
	ends := p.ExpiresAt != 0 && p.State != wa.PlanCancelled && p.State != wa.PlanDraft
	switch {
	case ends && p.ExpiresAt <= at:
		c.byItself(c.expire)
	case p.State == wa.PlanReady && p.StartsAt <= at:
		c.byItself(func(ctx context.Context) error {
			_, err := c.q.Start(ctx, p.Campaign, Launch{Expires: p.ExpiresAt.Time(), Ramp: p.Ramp})
			return err
		})
	case p.State == wa.PlanReady:
		return p.StartsAt.Time()
	case p.State == wa.PlanCancelled && c.unsaved:
		c.byItself(func(ctx context.Context) error {
			_, _, err := c.q.Cancel(ctx, p.Campaign)
			return err
		})
	case ends:
		return p.ExpiresAt.Time()
	}
	return time.Time{}
}

// expire cancels what still waits at the campaign's end.
func (c *campaign) expire(ctx context.Context) error {
	c.q.notices.tell(Incident{
		Scope: scopeCampaign, ID: c.gate.ID, Cancelled: true,
		Text: "The campaign has reached its end: what still waited is cancelled.",
	})
	_, _, err := c.q.Cancel(ctx, c.id)
	return err
}

// byItself does something of the campaign's own; after a failure not again for a
// second. Queue.mu is held.
func (c *campaign) byItself(do func(context.Context) error) {
	c.busy = c.q.deed(func(ctx context.Context) {
		err := do(ctx)
		if err != nil {
			c.q.o.Log.Error("what a campaign was to do at its time failed; it is tried again", "campaign", c.gate.ID, "error", err)
		}
		c.q.mu.Lock()
		defer c.q.mu.Unlock()
		c.busy = false
		if err != nil {
			c.deedAt = c.q.o.Now().Add(c.q.own(retryEvery))
		}
		c.nudge()
	})
}
