package store

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"time"

	"tickwatch/wa"
)

// Reasons why a fallback message does not go out. People read them.
const (
	reasonWithdrawn  = "the WhatsApp message arrived first"
	reasonTriedAgain = "is tried again by WhatsApp"
	reasonHours      = "outside the allowed hours"
	reasonStalled    = "looks undelivered while the webhooks are stalled"
	reasonBudget     = "over the budget"
	reasonRecalled   = "cancelled while it was on its way, and not sent"
)

// retries tells whether a message is tried again by WhatsApp, or was: a retry that was
// cancelled, by itself or with its campaign, or refused reaches nobody. It follows the
// index recipient_retry, which has no row without a message.
func retries(message string) string {
	return `EXISTS (SELECT 1 FROM recipient w WHERE w.retry_of = ` + message + ` AND w.retry_of <> 0 AND w.state NOT IN (4, 5)
		AND NOT (w.state < 2 AND EXISTS (SELECT 1 FROM plan l WHERE l.campaign = w.campaign AND l.state = '` + wa.PlanCancelled + `')))`
}

var retriesRow = "SELECT " + retries("?")

// ClaimFallback takes fallback messages that may be sent now: their attempts are
// on disk when it returns. Whoever the WhatsApp message reached meanwhile is
// withdrawn, whoever must not be written to is left out.
func (s *Store) ClaimFallback(ctx context.Context, r wa.FallbackClaimRequest) (out wa.FallbackClaims, err error) {
	err = s.submit(ctx, &request{weight: int64(r.Limit), group: func(g *group) error {
		out = wa.FallbackClaims{}
		return g.claimFallback(&r, &out)
	}})
	if err != nil {
		return wa.FallbackClaims{}, fmt.Errorf("taking fallback messages to be sent: %w", err)
	}
	return out, nil
}

func (g *group) claimFallback(r *wa.FallbackClaimRequest, out *wa.FallbackClaims) error {
	run := g.fallbackRun(r.Run)
	if run == nil || run.State != wa.FallbackRunRunning && run.State != wa.FallbackRunLook {
		return nil
	}
	limit := r.Limit
	if run.State == wa.FallbackRunLook {
		limit = int(min(int64(limit), run.LookAfter-run.Taken))
	}
	for looked := 0; len(out.Messages) < limit && looked < maxLooked; {
		rows, err := query(g.ctx, g.conn, scanFallback,
			"SELECT "+fallbackColumns+" FROM fallback WHERE run = ? AND channel = ? AND state = 0 AND due <= ? ORDER BY due, id LIMIT ?",
			r.Run, r.Channel, int64(r.Now), limit-len(out.Messages))
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			break
		}
		looked += len(rows)
		for i := range rows {
			if err := g.takeFallback(&rows[i], r, out); err != nil {
				return err
			}
		}
	}
	if n := len(out.Messages); n > 0 {
		g.changeRun(r.Run).Taken += int64(n)
	}
	return g.conn.QueryRowContext(g.ctx, "SELECT count(*), coalesce(min(due), 0) FROM fallback WHERE run = ? AND channel = ? AND state = 0", r.Run, r.Channel).
		Scan(&out.Left, &out.Next)
}

// stalledFor is when somebody who only looks undelivered is looked at again.
const stalledFor = wa.Instant(time.Minute / time.Millisecond)

// failedStill tells whether a WhatsApp message has failed, and did not only not arrive.
func (g *group) failedStill(message int64) (bool, error) {
	t, err := g.byID(message)
	if missing(err) {
		return false, nil
	}
	return err == nil && t.now.progress.State() == wa.StateFailed, err
}

// takeFallback claims a message, or says why it does not go out now.
func (g *group) takeFallback(f *fallback, r *wa.FallbackClaimRequest, out *wa.FallbackClaims) error {
	arrived, err := g.arrived(f.campaign, g.is(f.person), f.message)
	if err != nil {
		return err
	}
	if arrived {
		return g.leaveFallback(f, fallbackWithdrawn, reasonWithdrawn)
	}
	reason, err := g.mustNotReach(f.campaign, g.is(f.person), f.address, f.channel, r.Now)
	if err != nil {
		return err
	}
	if reason == "" {
		again := false
		if err := g.conn.QueryRowContext(g.ctx, retriesRow, f.message).Scan(&again); err != nil {
			return err
		}
		if again {
			reason = reasonTriedAgain
		}
	}
	if reason == "" && g.overBudget(f) {
		reason = reasonBudget
	}
	if reason != "" {
		return g.leaveFallback(f, fallbackLeftOut, reason)
	}
	if r.Stalled {
		if failed, err := g.failedStill(f.message); err != nil {
			return err
		} else if !failed {
			out.Stalled++
			return g.changeFallback(f, func(f *fallback) { f.due, f.reason = r.Now+stalledFor, reasonStalled })
		}
	}
	if r.Hold != nil {
		phone, err := g.phoneOf(f)
		if err != nil {
			return err
		}
		if until := r.Hold(phone); until == wa.Never {
			return g.leaveFallback(f, fallbackLeftOut, wa.ReasonNoHour)
		} else if until > r.Now {
			return g.changeFallback(f, func(f *fallback) {
				f.due, f.reason = until, reasonHours
				if f.expires != 0 { // the hours are no part of its age
					f.expires += until - r.Now
				}
			})
		}
	}
	token := f.token
	if token == "" {
		var random [16]byte
		_, _ = rand.Read(random[:]) // never fails
		token = hex.EncodeToString(random[:])
	}
	if err := g.changeFallback(f, func(f *fallback) { f.state, f.token, f.at, f.reason = fallbackClaimed, token, r.Now, "" }); err != nil {
		return err
	}
	out.Messages = append(out.Messages, f.outgoing())
	return nil
}

// overBudget tells whether a message would cost more than is left of its campaign's
// budget: what went out may have been billed higher than it was planned.
func (g *group) overBudget(f *fallback) bool {
	run := g.fallbackRun(f.run)
	now, more := g.w.fallbacks.counts[f.campaign], g.fallbacks.counts[f.campaign]
	now.Add(&more, 1)
	return run.Budget > 0 && now.Cost+now.Begun+f.cost > run.Budget
}

// phoneOf is the phone of a message's person, by which their hours are known; "" =
// it is not known.
func (g *group) phoneOf(f *fallback) (string, error) {
	if f.channel != wa.ChannelEmail {
		return f.address, nil
	}
	who, err := g.personByRow(g.is(f.person))
	if err != nil || who.phone == "" {
		return "", err
	}
	return "+" + who.phone, nil
}
