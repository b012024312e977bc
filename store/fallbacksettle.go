package store

import (
	"context"
	"fmt"
	"time"

	"tickwatch/wa"
)

// SettleFallback stores what became of claimed fallback messages. What a receipt
// has told before stands.
func (s *Store) SettleFallback(ctx context.Context, outcomes ...wa.FallbackOutcome) error {
	err := s.submit(ctx, &request{weight: int64(len(outcomes)), group: func(g *group) error {
		for i := range outcomes {
			if err := g.settleFallback(&outcomes[i]); err != nil {
				return err
			}
		}
		return nil
	}})
	if err != nil {
		return fmt.Errorf("storing what became of fallback messages: %w", err)
	}
	return nil
}

func (g *group) settleFallback(o *wa.FallbackOutcome) error {
	f, err := g.fallbackByRow(o.Attempt.ID)
	if err != nil {
		return err
	}
	answer := &o.Answer
	if f.state != fallbackClaimed && f.state != fallbackUnknown {
		if answer.Kind == wa.FallbackAccepted && f.providerID == "" { // its receipt was quicker
			return g.changeFallback(&f, func(f *fallback) { f.providerID = bounded(answer.ProviderID) })
		}
		return nil
	}
	if answer.Kind == wa.FallbackOptedOut {
		if err := g.optOutBeside(&f, o.At); err != nil {
			return err
		}
	}
	if again := answer.Kind == wa.FallbackThrottled || answer.Kind == wa.FallbackNotSent; again {
		if run := g.fallbackRun(f.run); run != nil && run.Taken > 0 {
			g.changeRun(f.run).Taken--
		}
	}
	return g.changeFallback(&f, func(f *fallback) {
		f.toldAt, f.code, f.reason = o.At, bounded(answer.Code), bounded(answer.Details)
		switch answer.Kind {
		case wa.FallbackAccepted:
			f.state, f.accepted, f.providerID = fallbackAccepted, true, bounded(answer.ProviderID)
			g.billed(f, answer.Segments, answer.Price, answer.Currency)
		case wa.FallbackRejected, wa.FallbackOptedOut:
			f.state = fallbackFailed
		case wa.FallbackThrottled, wa.FallbackNotSent:
			f.tries++
			g.waitsAgain(f, max(o.Due, o.At+backOff(f.tries)))
		default:
			f.state = fallbackUnknown
		}
	})
}

// Tries of a message after which it waits longer each time, up to a longest: a
// mailbox that puts everybody off (greylisting, RFC 6647) is not asked each second.
const (
	triesAtOnce    = 3
	longestBetween = wa.Instant(5 * time.Minute / time.Millisecond)
)

// backOff is how long a message waits after so many tries in vain.
func backOff(tries int) wa.Instant {
	if tries <= triesAtOnce {
		return 0
	}
	return min(wa.Instant(time.Second/time.Millisecond)<<min(tries, 10), longestBetween)
}

// waitsAgain has a message wait that was on its way and did not go out. Of a run that
// was cancelled meanwhile nothing waits.
func (g *group) waitsAgain(f *fallback, due wa.Instant) {
	if run := g.fallbackRun(f.run); run != nil && run.State == wa.FallbackRunCancelled {
		f.state, f.reason = fallbackLeftOut, reasonRecalled
		return
	}
	f.state, f.due = fallbackWaiting, due
}

// billed takes over what a provider says of the segments and of the price. One in
// another currency than the run's cannot be added up: the planned one stands.
func (g *group) billed(f *fallback, segments int, price float64, currency string) {
	if segments > 0 {
		f.segments = int64(segments)
	}
	if run := g.fallbackRun(f.run); price > 0 && run != nil && currency == run.Currency {
		f.cost = wa.MoneyOf(price)
	}
}

// ResolveFallback is the operator's word on the messages of a campaign that may have
// gone out by a channel: those that did are with the provider, the others wait
// again. It says how many.
func (s *Store) ResolveFallback(ctx context.Context, campaign int64, channel string, sent bool) (resolved int64, err error) {
	for {
		n := 0
		err = s.submit(ctx, &request{weight: fallbackStep, group: func(g *group) error {
			rows, err := query(g.ctx, g.conn, scanFallback, "SELECT "+fallbackColumns+" FROM fallback WHERE state = 2 AND state IN (1, 2) AND campaign = ? AND channel = ? LIMIT ?",
				campaign, channel, fallbackStep)
			if err != nil {
				return err
			}
			for i := range rows {
				if err := g.changeFallback(&rows[i], func(f *fallback) {
					if sent {
						f.state, f.accepted, f.reason = fallbackAccepted, true, "sent, by the operator's word"
					} else {
						f.reason = "not sent, by the operator's word"
						g.waitsAgain(f, 0)
					}
				}); err != nil {
					return err
				}
			}
			n = len(rows)
			return nil
		}})
		if err != nil {
			return resolved, fmt.Errorf("resolving fallback messages that may have gone out: %w", err)
		}
		resolved += int64(n)
		if n < fallbackStep {
			return resolved, nil
		}
	}
}
