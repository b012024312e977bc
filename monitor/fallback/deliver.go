package fallback

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"tickwatch/wa"
)

// send hands one message over, and has stored what became of it.
func (e *Engine) send(ctx context.Context, l *lane, r wa.FallbackRun, m *wa.FallbackMessage) {
	gate := e.o.Gate(l.channel, r.Key)
	begun := false
	answer, err := l.provider.Send(ctx, m, func() (err error) {
		begun, err = e.begin(r.ID, gate)
		return err
	})
	gate.Over()
	now := e.o.Now()
	o := wa.FallbackOutcome{Attempt: m.Attempt, At: wa.At(now), Answer: answer}
	e.judge(ctx, l, &o, err, now)
	e.settle(ctx, o)
	e.mu.Lock()
	l.busy--
	l.open[r.ID]--
	if begun {
		e.begun[r.ID]--
	}
	if o.Answer.Kind == wa.FallbackThrottled || o.Answer.Kind == wa.FallbackNotSent {
		delete(l.left, r.ID)
	}
	e.mu.Unlock()
	l.nudge()
	e.o.Changed()
}

// begin lets a message of a run begin if that was not cancelled, and its gates are open.
func (e *Engine) begin(run int64, gate Gate) (begun bool, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.runs[run].State == wa.FallbackRunCancelled {
		return false, fmt.Errorf("%w: the fallback was cancelled", wa.ErrGateClosed)
	}
	if err := gate.Begin(); err != nil {
		return false, err
	}
	e.begun[run]++
	return true, nil
}

// Open is how many requests of a run are on their way to their providers.
func (e *Engine) Open(run int64) int64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.begun[run]
}

// judge takes in what an answer says of the provider, and when a message that did
// not go out may be tried again.
func (e *Engine) judge(ctx context.Context, l *lane, o *wa.FallbackOutcome, err error, now time.Time) {
	gated := errors.Is(err, wa.ErrGateClosed) || err != nil && ctx.Err() != nil
	e.mu.Lock()
	pause := ""
	switch o.Answer.Kind {
	case wa.FallbackAccepted, wa.FallbackOptedOut:
		l.faults, l.same, l.problem = 0, 0, ""
	case wa.FallbackRejected:
		l.faults, l.problem = 0, ""
		if l.same++; o.Answer.Code != l.code {
			l.code, l.same = o.Answer.Code, 1
		}
		if l.same == sameToPause {
			l.same = 0 // once it is resumed they count anew
			pause = "the provider refuses every message: " + cmp.Or(wa.Clean(o.Answer.Details), "code "+wa.Clean(o.Answer.Code), "no reason given")
		}
	case wa.FallbackThrottled:
		wait := max(o.Answer.RetryAfter, time.Second)
		l.rest, l.problem = now.Add(wait), cmp.Or(wa.Clean(o.Answer.Details), "the provider asks to go slower")
		o.Due = wa.At(l.rest)
	default:
		o.Due = wa.At(now.Add(restFirst))
		// What was under way when the lane came to rest broke by the same outage.
		if gated || l.faults >= faultsToRest && l.rest.After(now) {
			break
		}
		l.faults++
		if l.faults >= faultsToRest {
			l.rest = now.Add(min(restFirst<<min(l.faults-faultsToRest, 10), restLongest))
			l.problem = "the provider does not answer: " + cmp.Or(wa.Clean(o.Answer.Details), "no reason given")
		}
	}
	e.mu.Unlock()
	if pause != "" {
		e.o.Pause(l.channel, pause)
	}
}

// settle stores what became of a message, and tries again until that succeeds, or
// the daemon has ended and the store does not work: then it is unknown at the next
// start.
func (e *Engine) settle(ctx context.Context, o wa.FallbackOutcome) {
	var last time.Time
	for said := false; ; said = true {
		err := e.o.Store.SettleFallback(context.WithoutCancel(ctx), o)
		if err == nil {
			return
		}
		if !said {
			e.o.Log.Error("what became of a fallback message cannot be stored; it is kept and tried again", "error", err)
		}
		if ctx.Err() != nil {
			if last.IsZero() {
				last = time.Now().Add(settleFor)
			}
			if time.Now().After(last) {
				return
			}
		}
		again := time.NewTimer(settleAgain)
		<-again.C
	}
}
