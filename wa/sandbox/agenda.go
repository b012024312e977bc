package sandbox

import (
	"container/heap"
	"context"
	"sync"
	"time"

	"tickwatch/wa"
)

// tick is how often, in real time, the agenda looks at what is due at most.
// What comes due within one tick can go out in one webhook, as at Meta; and a
// fast campaign costs no more wake-ups than a slow one.
const tick = 50 * time.Millisecond

// agenda holds all that is still to happen, and lets it happen in order of
// time, one thing after the other. Any goroutine may add to it.
type agenda struct {
	now   func() time.Time
	speed float64
	wake  chan struct{} // something earlier than all else was added

	mu      sync.Mutex
	entries entries
	added   uint64
	ahead   int // entries that have not yet happened to the end
}

func newAgenda(now func() time.Time, speed float64) *agenda {
	return &agenda{now: now, speed: speed, wake: make(chan struct{}, 1)}
}

// at lets do happen at a moment of the campaign's clock, or a little later.
func (a *agenda) at(due wa.Instant, do func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	first := len(a.entries) == 0 || due < a.entries[0].due
	a.added++
	a.ahead++
	heap.Push(&a.entries, entry{due: due, order: a.added, do: do})
	if first {
		select {
		case a.wake <- struct{}{}:
		default:
		}
	}
}

// remaining is how much is still to happen.
func (a *agenda) remaining() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.ahead
}

// run lets things happen until ctx ends; after each look it calls after.
func (a *agenda) run(ctx context.Context, after func()) {
	for {
		a.happen()
		after()
		if !a.rest(ctx) {
			return
		}
	}
}

// rest waits until something is due, but a tick at least; false when ctx ended.
func (a *agenda) rest(ctx context.Context) bool {
	earliest := time.Now().Add(tick)
	for {
		wait := time.NewTimer(max(a.untilNext(), time.Until(earliest)))
		select {
		case <-ctx.Done():
			wait.Stop()
			return false
		case <-a.wake:
			wait.Stop()
		case <-wait.C:
			return true
		}
	}
}

// happen does everything that is due by now.
func (a *agenda) happen() {
	now := wa.At(a.now())
	for {
		a.mu.Lock()
		if len(a.entries) == 0 || a.entries[0].due > now {
			a.mu.Unlock()
			return
		}
		e := heap.Pop(&a.entries).(entry)
		a.mu.Unlock()
		e.do()
		a.mu.Lock()
		a.ahead--
		a.mu.Unlock()
	}
}

// untilNext is how long, in real time, nothing is due.
func (a *agenda) untilNext() time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.entries) == 0 {
		return time.Hour
	}
	return realTime(a.entries[0].due.Sub(wa.At(a.now())), a.speed)
}

// realTime is how long a span of the campaign's clock takes, an hour at most:
// whoever waits looks at the clock again.
func realTime(d time.Duration, speed float64) time.Duration {
	return time.Duration(min(float64(d)/speed, float64(time.Hour)))
}

type entry struct {
	due   wa.Instant
	order uint64 // of two that are due at once the one added first comes first
	do    func()
}

type entries []entry

func (e entries) Len() int { return len(e) }
func (e entries) Less(i, j int) bool {
	return e[i].due < e[j].due || e[i].due == e[j].due && e[i].order < e[j].order
}
func (e entries) Swap(i, j int) { e[i], e[j] = e[j], e[i] }
func (e *entries) Push(x any)   { *e = append(*e, x.(entry)) }
func (e *entries) Pop() any {
	old := *e
	last := old[len(old)-1]
	old[len(old)-1] = entry{} // let go of what it held
	*e = old[:len(old)-1]
	return last
}
