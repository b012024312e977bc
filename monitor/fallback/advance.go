package fallback

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"tickwatch/wa"
)

// step does what can be done now, and says when to look again.
func (e *Engine) step(ctx, sending context.Context, l *lane, requests *sync.WaitGroup) time.Duration {
	next := time.Minute
	for _, r := range e.active(l.channel) {
		if ctx.Err() != nil {
			return next
		}
		next = min(next, e.advance(ctx, sending, l, r, requests))
	}
	return next
}

// active are the runs that may have something for a channel, oldest first.
func (e *Engine) active(channel string) (all []wa.FallbackRun) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, id := range slices.Sorted(maps.Keys(e.runs)) {
		if r := e.runs[id]; r.State != wa.FallbackRunCancelled && slices.Contains(r.Channels, channel) {
			all = append(all, *r)
		}
	}
	return all
}

// advance brings a run as far as it may go now.
func (e *Engine) advance(ctx, sending context.Context, l *lane, r wa.FallbackRun, requests *sync.WaitGroup) time.Duration {
	now := e.o.Now()
	if r.State == wa.FallbackRunPending {
		if wait := r.StartsAt.Time().Sub(now); wait > 0 {
			return wait
		}
		state := wa.FallbackRunRunning
		if r.LookAfter > 0 && r.LookAfter < r.Planned {
			state = wa.FallbackRunLook
		}
		if !e.set(ctx, &r, state) {
			return lookAgain
		}
	}
	if r.ExpiresAt != 0 && r.ExpiresAt <= wa.At(now) {
		e.expire(ctx, l, &r, now)
	}
	room, wait := e.room(l, &r, now)
	if room == 0 {
		return wait
	}
	stalled := r.After > 0 && e.o.Stalled()
	got, err := e.o.Store.ClaimFallback(ctx, wa.FallbackClaimRequest{
		Run: r.ID, Channel: l.channel, Limit: room, Now: wa.At(now), Hold: e.o.Hold, Stalled: stalled,
	})
	if err != nil {
		if ctx.Err() == nil {
			e.o.Log.Error("no fallback message can be claimed; it is tried again", "channel", l.channel, "error", err)
		}
		return lookAgain
	}
	e.claimed(l, &r, &got, now, stalled)
	for i := range got.Messages {
		m := got.Messages[i]
		requests.Go(func() { e.send(sending, l, r, &m) })
	}
	switch {
	case len(got.Messages) > 0:
		return 0
	case got.Left > 0:
		return lookAgain
	}
	return time.Minute
}

func (e *Engine) set(ctx context.Context, r *wa.FallbackRun, state string) bool {
	now, err := e.o.Store.SetFallbackRun(ctx, r.ID, state)
	if err != nil {
		e.o.Log.Error("a fallback does not begin yet; it is tried again", "error", err)
		return false
	}
	*r = now
	e.o.Changed()
	return r.State == state
}

// expire ends what has waited too long, once a minute.
func (e *Engine) expire(ctx context.Context, l *lane, r *wa.FallbackRun, now time.Time) {
	e.mu.Lock()
	left, asked := l.left[r.ID]
	rests := asked && left == 0 || now.Sub(l.aged[r.ID]) < time.Minute
	e.mu.Unlock()
	if rests {
		return
	}
	n, err := e.o.Store.ExpireFallback(ctx, r.ID, wa.At(now))
	if err != nil {
		if ctx.Err() == nil {
			e.o.Log.Error("what waits for too long of a fallback could not be ended; it is tried again", "error", err)
		}
		return
	}
	e.mu.Lock()
	l.aged[r.ID] = now
	if n > 0 {
		delete(l.left, r.ID)
	}
	e.mu.Unlock()
	if n > 0 {
		e.o.Changed()
	}
}

// room is how many messages of a run may be claimed now, and else when to look again.
func (e *Engine) room(l *lane, r *wa.FallbackRun, now time.Time) (room int, wait time.Duration) {
	if e.o.Gate(l.channel, r.Key).Barred() != "" {
		return 0, lookAgain
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if left, asked := l.left[r.ID]; asked && left == 0 {
		return 0, time.Minute
	}
	if looked(r) {
		return 0, lookAgain
	}
	if wait := l.rest.Sub(now); wait > 0 {
		return 0, min(wait, lookAgain)
	}
	free := connections - l.busy
	if l.faults >= faultsToRest { // one tries whether the provider is back
		free = 1 - l.busy
	}
	if quarter := now.Add(-time.Second / 4); l.paid.Before(quarter) { // what was not used is not made up for
		l.paid = quarter
	}
	switch {
	case free <= 0:
		return 0, lookAgain // its end wakes the lane
	case l.paid.After(now):
		return 0, l.paid.Sub(now)
	}
	return min(free, 1+int(now.Sub(l.paid).Seconds()*e.rate(l))), 0
}

// rate is how many messages a second a channel sends.
func (e *Engine) rate(l *lane) float64 { return cmp.Or(e.o.Rate[l.channel], usualRate) }

// looked tells whether the first messages of a run are out and wait for a look.
func looked(r *wa.FallbackRun) bool {
	return r.State == wa.FallbackRunLook && r.Taken >= r.LookAfter
}

// claimed takes in what a claim gave.
func (e *Engine) claimed(l *lane, r *wa.FallbackRun, got *wa.FallbackClaims, now time.Time, stalled bool) {
	e.mu.Lock()
	n := len(got.Messages)
	l.busy += n
	l.open[r.ID] += n
	before, asked := l.left[r.ID]
	l.left[r.ID], l.next[r.ID] = got.Left, got.Next
	l.stalled[r.ID] = stalled && (l.stalled[r.ID] || got.Stalled > 0)
	l.paid = l.paid.Add(time.Duration(float64(n) / e.rate(l) * float64(time.Second)))
	changed := n > 0 || !asked || before != got.Left
	e.mu.Unlock()
	if changed {
		e.o.Changed()
	}
}
