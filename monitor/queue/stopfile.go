package queue

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"slices"
	"time"

	"tickwatch/wa"
)

const (
	watchEvery = 100 * time.Millisecond // real time: the STOP file, and resumes that named a time
	stopReason = "the file STOP was put into the data folder"
)

// ErrStopFile is why nothing can be resumed.
var ErrStopFile = errors.New("the file STOP is in the data folder: remove it, then resume")

// stopFileThere tells whether the STOP file is there. A folder that cannot be
// looked into counts as if it were: what cannot be known is closed.
func (q *Queue) stopFileThere() bool {
	if q.o.StopFile == "" {
		return false
	}
	_, err := os.Lstat(q.o.StopFile)
	return !errors.Is(err, fs.ErrNotExist)
}

// lookForStop closes everything when the STOP file has appeared. That it is gone
// opens nothing: what it closed stays paused by an ordinary gate.
func (q *Queue) lookForStop() {
	there := q.stopFileThere()
	if !q.gates.stop(there) {
		return
	}
	if there {
		_, before, _ := q.gates.close(place{scopeAll, ""}, "STOP file", stopReason, q.o.Now())
		q.keeper.nudge()
		if !before.Closed {
			q.notices.tell(Incident{Scope: scopeAll, Text: "Everything is paused: " + stopReason + ". Remove it, then resume."})
		}
	}
	q.wakeAll()
	q.notices.changed()
}

// lookAround asks for what changes outside of the queue.
func (q *Queue) lookAround() {
	if q.o.Unanswered != nil {
		q.mu.Lock()
		launched, busy := q.launched, q.busy
		q.mu.Unlock()
		n := q.o.Unanswered()
		q.mu.Lock()
		q.unanswered = n + busy + q.launched - launched // what has been answered since counts too: at most
		q.mu.Unlock()
	}
	q.mu.Lock()
	ids := slices.Collect(maps.Keys(q.numbers))
	q.mu.Unlock()
	for _, id := range ids {
		rate := q.ceiling(id)
		q.mu.Lock()
		q.numbers[id].limit(rate)
		q.mu.Unlock()
	}
}

// ceiling is how many messages a second may go out from a number.
func (q *Queue) ceiling(id string) float64 {
	rate := 0.0
	if q.o.Throughput != nil {
		rate = q.o.Throughput(id)
	}
	if rate <= 0 {
		rate = defaultThroughput
	}
	return q.bound(rate)
}

// bound keeps a rate of a number under our own ceiling.
func (q *Queue) bound(rate float64) float64 {
	if own := q.o.PerNumber.PerSecond(); own > 0 {
		rate = min(rate, own)
	}
	return rate
}

// watch looks for the STOP file ten times a second, opens gates at the time that
// a resume has named, and asks for what changes outside, until ctx ends.
func (q *Queue) watch(ctx context.Context) {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	var tried time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		q.lookForStop()
		q.lookAround()
		if time.Since(tried) < retryEvery {
			continue
		}
		for _, d := range q.keeper.due(wa.At(q.o.Now())) {
			if err := q.openInTime(ctx, d); err != nil {
				tried = time.Now()
			}
		}
	}
}

// openInTime carries out a resume that had named a time.
func (q *Queue) openInTime(ctx context.Context, d standing) error {
	p := place{d.state.Scope, d.state.ID}
	if err := q.open(ctx, p, d.g, d.version, d.resumer); err != nil {
		if !errors.Is(err, errPausedAgain) && !errors.Is(err, ErrStopFile) && ctx.Err() == nil {
			q.o.Log.Error("a resume at its time failed; it is tried again", "gate", p.scope, "id", p.id, "error", err)
		}
		return err
	}
	q.notices.tell(Incident{Scope: p.scope, ID: p.id, Opened: true, Text: "Resumed at its time, as " + wa.Clean(d.resumer) + " had asked."})
	return nil
}
