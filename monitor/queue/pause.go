package queue

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tickwatch/wa"
)

// How long a pause waits before it answers.
const (
	writtenWithin = 400 * time.Millisecond // for requests that had begun to be written
	storedWithin  = 250 * time.Millisecond // for the disk
)

// Stopped is what a pause did.
type Stopped struct {
	Gate        wa.Gate       // as it stands now
	ClosedAfter time.Duration // from the call to the closed gate, real time; 0 = it was closed
	LastStarted time.Time     // of the requests that passed it, the latest; zero = none since the daemon began
	Open        int           // requests to Meta that have begun and not come back
	Beside      int           // likewise, by other channels
	Already     bool          // it was closed before; its reason stays
	Stored      bool          // false: it holds, and is not on disk yet; it is tried on
}

// Pause closes a gate: of everything ("all", ""), of a "channel", a "number" or a
// "campaign" by its key. From the moment it is closed, which nothing can delay,
// nothing begins there; Pause returns when what had begun is written or 400 ms
// have passed. It forgets a resume that was to come. The only error is a gate that
// cannot be.
func (q *Queue) Pause(ctx context.Context, scope, id, by, reason string) (Stopped, error) {
	called := time.Now()
	p := place{scope, id}
	if err := p.check(); err != nil {
		return Stopped{}, err
	}
	g, before, written := q.gates.close(p, by, reason, q.o.Now())
	out := Stopped{Already: before.Closed}
	if !before.Closed {
		out.ClosedAfter = time.Since(called)
	}
	q.keeper.nudge()
	q.wakeAll()
	if written != nil {
		late := time.NewTimer(writtenWithin)
		select {
		case <-written:
		case <-late.C:
		case <-ctx.Done():
		}
		late.Stop()
	}
	out.Stored = q.keeper.await(ctx, g, storedWithin)
	q.gates.mu.Lock()
	out.Gate, out.LastStarted, out.Open, out.Beside = g.Gate, g.last, g.open, g.beside
	q.gates.mu.Unlock()
	q.notices.changed()
	return out, nil
}

// Resumed is what a resume did.
type Resumed struct {
	Gate    wa.Gate // as it stands now
	Already bool    // it was open before
}

// Resume opens a gate and no other: first on disk, then for the next message. A
// time that is still to come is kept, and the gate opens then. After a ramp's
// look it goes on to the next step. It fails while the STOP file is there
// (ErrStopFile), when the store does, and when the gate is paused again meanwhile;
// the gate then stays closed.
func (q *Queue) Resume(ctx context.Context, scope, id, by string, at time.Time) (Resumed, error) {
	p := place{scope, id}
	if err := p.check(); err != nil {
		return Resumed{}, err
	}
	if q.lookForStop(); q.stopFileThere() {
		return Resumed{}, ErrStopFile
	}
	g := q.gates.find(p)
	q.gates.mu.Lock()
	closed, version := g.Closed, g.version
	kept := closed && at.After(q.o.Now())
	if kept {
		g.OpensAt, g.resumer = wa.At(at), by
		g.version++
	}
	q.gates.mu.Unlock()
	var err error
	switch {
	case kept:
		if !q.keeper.await(ctx, g, storedWithin) {
			q.o.Log.Warn("a resume at a time is kept, but not on disk yet", "gate", scope, "id", id)
		}
	case closed:
		err = q.open(ctx, p, g, version, by)
	}
	q.gates.mu.Lock()
	out := Resumed{Gate: g.Gate, Already: !closed}
	q.gates.mu.Unlock()
	q.notices.changed()
	return out, err
}

// open opens a gate that had a version.
func (q *Queue) open(ctx context.Context, p place, g *gate, version int64, by string) error {
	if q.stopFileThere() {
		return ErrStopFile
	}
	if p.scope == scopeCampaign {
		if err := q.rampOn(ctx, p.id, g); err != nil {
			return fmt.Errorf("it stays paused, its next step could not be stored: %w", err)
		}
	}
	if err := q.keeper.open(ctx, g, version, by, q.o.Now); err != nil {
		if errors.Is(err, errPausedAgain) || errors.Is(err, ErrStopFile) {
			return err
		}
		return fmt.Errorf("it stays paused, that it is resumed could not be stored: %w", err)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if n := q.numbers[p.id]; n != nil && p.scope == scopeNumber {
		n.refreshed()
	}
	for _, c := range q.campaigns {
		if p.scope != scopeCampaign || c.plan.Key == p.id {
			c.sameCount = 0
			c.stirred()
		}
	}
	q.notices.changed()
	return nil
}
