package queue

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"time"

	"tickwatch/wa"
)

// lookPatience is how long a step waits for people who may be written to soon.
const lookPatience = time.Minute

// upto is how many rows of the list may have been taken at a plan's step; 0 = all.
func upto(p *wa.Plan) int64 {
	if p.Step >= len(p.Ramp)-1 {
		return 0
	}
	return max(1, int64(math.Ceil(p.Ramp[p.Step]*float64(p.Rows))))
}

// lookReason is why a campaign is paused after a step.
func lookReason(share float64) string {
	return fmt.Sprintf("ramp: a look after %s %%", strconv.FormatFloat(share*100, 'f', -1, 64))
}

// rampLook pauses the campaign for a look when of a step all has gone out that may
// go soon: who waits for a sending window goes with a later one. It tells whether
// it did.
func (c *campaign) rampLook(now time.Time) bool {
	if upto(c.plan) == 0 || len(c.out) > 0 || c.left <= 0 || c.next != 0 && c.next.Sub(wa.At(now)) < lookPatience {
		return false
	}
	p, reason := place{scopeCampaign, c.plan.Key}, lookReason(c.plan.Ramp[c.plan.Step])
	if _, before, _ := c.q.gates.close(p, byItself, reason, now); before.Closed {
		return true
	}
	c.q.keeper.nudge()
	c.q.notices.tell(Incident{Scope: p.scope, ID: p.id, Text: "Paused: " + reason + ". Resume goes on to the next step."})
	c.q.notices.changed()
	return true
}

// rampOn goes on to the next step of a campaign whose gate was closed for a look.
func (q *Queue) rampOn(ctx context.Context, key string, g *gate) error {
	c := q.byKey(key)
	if c == nil {
		return nil
	}
	release, err := c.hold(ctx)
	if err != nil {
		return err
	}
	defer release()
	q.mu.Lock()
	next := *c.plan
	q.mu.Unlock()
	q.gates.mu.Lock()
	looked := g.By == byItself && next.Step < len(next.Ramp)-1 && g.Reason == lookReason(next.Ramp[next.Step])
	q.gates.mu.Unlock()
	if !looked {
		return nil
	}
	next.Step++
	return c.save(ctx, next)
}
