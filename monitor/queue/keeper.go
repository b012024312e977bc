package queue

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"tickwatch/wa"
)

// keeper puts gates on disk: the newest state of each, again every second while
// that fails. One at a time writes, so that the order on disk is the order in
// which they changed.
type keeper struct {
	gates *gates
	store Store
	log   *slog.Logger
	wake  chan struct{} // capacity 1: something is to be stored
	one   chan struct{} // capacity 1: held by who writes
	round chan struct{} // closed and made anew when something was stored; guarded by gates.mu
}

func (k *keeper) init(g *gates, s Store, log *slog.Logger) {
	k.gates, k.store, k.log = g, s, log
	k.wake, k.one, k.round = make(chan struct{}, 1), make(chan struct{}, 1), make(chan struct{})
}

func (k *keeper) nudge() {
	select {
	case k.wake <- struct{}{}:
	default:
	}
}

// run stores what has changed until ended is closed, and tries once more then.
func (k *keeper) run(ended <-chan struct{}) {
	again := time.NewTicker(retryEvery)
	defer again.Stop()
	failing := false
	for over := false; ; {
		err := k.save(context.Background())
		if err != nil && !failing {
			k.log.Error("a pause holds but cannot be stored; it is tried on", "error", err)
		}
		if failing = err != nil; over {
			return
		}
		select {
		case <-k.wake:
		case <-again.C:
		case <-ended:
			over = true
		}
	}
}

// save stores every gate whose newest state is not on disk.
func (k *keeper) save(ctx context.Context) error {
	k.one <- struct{}{}
	defer func() { <-k.one }()
	var failed error
	for _, w := range k.unsaved() {
		if err := k.store.SaveGate(ctx, w.state); err != nil {
			failed = err
			continue
		}
		k.saved(w.g, w.version)
	}
	return failed
}

// standing is a gate as it stood at one moment.
type standing struct {
	g       *gate
	state   wa.Gate
	version int64
	resumer string
}

func (k *keeper) unsaved() (all []standing) {
	k.gates.mu.Lock()
	defer k.gates.mu.Unlock()
	for _, g := range k.gates.at {
		if g.stored < g.version {
			all = append(all, standing{g, g.Gate, g.version, g.resumer})
		}
	}
	return all
}

func (k *keeper) saved(g *gate, version int64) {
	k.gates.mu.Lock()
	defer k.gates.mu.Unlock()
	g.stored = max(g.stored, version)
	close(k.round)
	k.round = make(chan struct{})
}

// await waits until a gate's newest state is on disk, for so long at most, and
// tells whether it is.
func (k *keeper) await(ctx context.Context, g *gate, atMost time.Duration) bool {
	k.nudge()
	k.gates.mu.Lock()
	version := g.version
	k.gates.mu.Unlock()
	late := time.NewTimer(atMost)
	defer late.Stop()
	for {
		k.gates.mu.Lock()
		done, round := g.stored >= version, k.round
		k.gates.mu.Unlock()
		if done {
			return true
		}
		select {
		case <-round:
		case <-late.C:
			return false
		case <-ctx.Done():
			return false
		}
	}
}

// errPausedAgain is why a resume did not open a gate.
var errPausedAgain = errors.New("it was paused again in the same moment: it stays paused, resume once more if that is wrong")

// open stores a gate as open and then opens it, unless it was closed anew since
// it had that version.
func (k *keeper) open(ctx context.Context, g *gate, version int64, by string, now func() time.Time) error {
	select {
	case k.one <- struct{}{}:
		defer func() { <-k.one }()
	case <-ctx.Done():
		return ctx.Err()
	}
	k.gates.mu.Lock()
	next := g.Gate
	changed := g.version != version
	k.gates.mu.Unlock()
	if changed {
		return errPausedAgain
	}
	next.Closed, next.By, next.Reason, next.Since, next.OpensAt = false, by, "", wa.At(now()), 0
	if err := k.store.SaveGate(ctx, next); err != nil {
		k.touch(g) // whatever is on disk now, the newest state shall be
		return err
	}
	k.gates.mu.Lock()
	defer k.gates.mu.Unlock()
	switch {
	case g.version != version:
		g.version++
		k.nudge()
		return errPausedAgain
	case k.gates.stopped:
		g.version++
		k.nudge()
		return ErrStopFile
	}
	g.Gate, g.resumer, g.opened = next, "", now()
	g.version++
	g.stored = g.version
	return nil
}

// touch makes a gate's newest state to be stored once more.
func (k *keeper) touch(g *gate) {
	k.gates.mu.Lock()
	defer k.gates.mu.Unlock()
	g.version++
	k.nudge()
}

// due are the gates that are to open by themselves by now.
func (k *keeper) due(now wa.Instant) (all []standing) {
	k.gates.mu.Lock()
	defer k.gates.mu.Unlock()
	for _, g := range k.gates.at {
		if g.Closed && g.OpensAt != 0 && g.OpensAt <= now {
			all = append(all, standing{g, g.Gate, g.version, g.resumer})
		}
	}
	slices.SortFunc(all, func(a, b standing) int { return int(a.state.OpensAt - b.state.OpensAt) })
	return all
}
