package queue_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"tickwatch/monitor/queue"
	"tickwatch/wa"
)

func TestNoAnswerIsUnknownAndNeverSentAgain(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		store, m := newMemory(t), &meta{}
		m.answer = func(i int, _ sent) (wa.Accepted, error) {
			if i <= 8 {
				return wa.Accepted{}, fmt.Errorf("%w: connection reset", wa.ErrMayHaveGone)
			}
			return wa.Accepted{WAMID: fmt.Sprint(i)}, nil
		}
		p := plan(1)
		p.Pace = wa.Pace{Messages: 10, Per: time.Second}
		store.add(p, 500)
		h := open(t, store, m)
		h.after(2 * time.Second)
		h.want(unknown, 5)
		h.wantHeld(1, "no answer from Meta: goes on in")
		all := m.all()
		h.after(time.Minute)
		h.want(unknown, 8)
		began := m.all()
		// Rests of 5, 10 and 20 s, each ended by one request alone.
		for i, want := range []time.Duration{5, 10, 20} {
			at := len(all) + i
			if got := began[at].at.Sub(began[at-1].at); got < want*time.Second || got > want*time.Second+200*time.Millisecond {
				t.Errorf("the rest before request %d was %v, want %v s", at, got, want)
			}
		}
		h.after(2 * time.Minute) // 40 s of it the last rest
		h.want(accepted, 492)
		h.want(unknown, 8)
		m.twice(t)
	})
}

// Requests that are open together and bring no answer count as one silence.
func TestManySilentAtOnce(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		store, m := newMemory(t), &meta{takes: 5 * time.Second}
		m.answer = func(i int, _ sent) (wa.Accepted, error) {
			if i <= 64 {
				m.takes = 10 * time.Millisecond
				return wa.Accepted{}, fmt.Errorf("%w: timeout", wa.ErrMayHaveGone)
			}
			return wa.Accepted{WAMID: fmt.Sprint(i)}, nil
		}
		store.add(plan(1), 500)
		h := open(t, store, m, fast)
		h.after(5*time.Second + 100*time.Millisecond)
		h.want(unknown, 64)
		h.wantHeld(1, "no answer from Meta: goes on in 5 s")
		h.after(20 * time.Second)
		h.want(accepted, 500-64)
	})
}

// What comes back while an empty claim is under way goes out all the same.
func TestNothingIsOverlooked(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		store, m := newMemory(t), &meta{takes: 10 * time.Millisecond, answer: refuseFirst(1, wa.Refusal{Code: 131056})}
		store.late = 50 * time.Millisecond
		store.add(plan(1), 1)
		h := open(t, store, m)
		h.after(time.Minute)
		h.want(accepted, 1)
	})
}

// What certainly did not leave keeps its place, and is not tried in a frenzy.
func TestNotSentKeepsItsPlace(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		store := newMemory(t)
		store.add(plan(1), 500)
		m := &meta{}
		var dials atomic.Int64
		var down atomic.Bool
		down.Store(true)
		h := open(t, store, m, func(o *queue.Options) {
			o.Sender = senderFunc(func(ctx context.Context, from string, out *wa.Outgoing, begin func() error) (wa.Accepted, error) {
				if down.Load() {
					dials.Add(1)
					return wa.Accepted{}, fmt.Errorf("%w: connection refused", wa.ErrNotSent)
				}
				return m.Send(ctx, from, out, begin)
			})
		})
		h.after(10 * time.Second)
		h.wantHeld(1, "no answer from Meta")
		if dials := dials.Load(); dials > 150 {
			t.Errorf("%d tries in ten seconds", dials)
		}
		h.want(waiting, 500)
		h.after(5 * time.Minute)
		if dials := dials.Load(); dials > 160 {
			t.Errorf("%d tries in five minutes", dials)
		}
		down.Store(false)
		h.after(time.Minute + 10*time.Second)
		h.want(accepted, 500)
		m.twice(t)
	})
}

// What has begun may have gone, whatever the sender believes.
func TestBegunIsNeverSentAgain(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		store, m := newMemory(t), &meta{answer: func(int, sent) (wa.Accepted, error) {
			return wa.Accepted{}, fmt.Errorf("%w: or so it seems", wa.ErrNotSent)
		}}
		store.add(plan(1), 3)
		h := open(t, store, m)
		h.after(time.Minute)
		h.want(unknown, 3)
		m.twice(t)
	})
}

// The same holds for a sender that says so without having asked whether it may.
func TestMayHaveGoneWithoutBeginIsUnknown(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		store := newMemory(t)
		store.add(plan(1), 3)
		h := open(t, store, &meta{}, func(o *queue.Options) {
			o.Sender = senderFunc(func(context.Context, string, *wa.Outgoing, func() error) (wa.Accepted, error) {
				return wa.Accepted{}, wa.ErrMayHaveGone
			})
		})
		h.after(time.Minute)
		h.want(unknown, 3)
	})
}

// A request that asks twice whether it may begin is not let through twice: a
// transport that sends it again would reach the person twice.
func TestBeginTwice(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		store := newMemory(t)
		store.add(plan(1), 1)
		var second error
		h := open(t, store, &meta{}, func(o *queue.Options) {
			o.Sender = senderFunc(func(_ context.Context, _ string, _ *wa.Outgoing, begin func() error) (wa.Accepted, error) {
				if err := begin(); err != nil {
					return wa.Accepted{}, err
				}
				second = begin()
				return wa.Accepted{}, fmt.Errorf("%w: %w", wa.ErrMayHaveGone, second)
			})
		})
		h.after(time.Second)
		if second == nil {
			t.Error("the second was let through")
		}
		h.want(unknown, 1)
	})
}

type senderFunc func(context.Context, string, *wa.Outgoing, func() error) (wa.Accepted, error)

func (f senderFunc) Send(ctx context.Context, from string, m *wa.Outgoing, begin func() error) (wa.Accepted, error) {
	return f(ctx, from, m, begin)
}

func TestStoreThatFails(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		store, m := newMemory(t), &meta{takes: 50 * time.Millisecond}
		store.add(plan(1), 5000)
		h := open(t, store, m)
		h.after(5 * time.Second)
		store.set(func() { store.fail = func(string) error { return errors.New("database or disk is full") } })
		h.after(30 * time.Second)
		h.wantHeld(1, "the database takes nothing: database or disk is full")
		before := m.count()
		h.after(30 * time.Second)
		if n := m.count() - before; n > 0 {
			t.Errorf("%d messages began though no attempt could be stored", n)
		}
		store.set(func() { store.fail = nil })
		h.after(time.Minute)
		h.want(accepted, 5000)
		m.twice(t)
	})
}

// What cannot be asked of Meta for want of a token, or of the right number, fails
// nobody.
func TestRefusalWithoutARequest(t *testing.T) {
	for _, c := range []struct {
		code  int
		scope string
		id    string
	}{{190, "all", ""}, {33, "number", "100"}} {
		inBubble(t, func(t *testing.T) {
			store := newMemory(t)
			store.add(plan(1), 500)
			h := open(t, store, &meta{}, func(o *queue.Options) {
				o.Sender = senderFunc(func(context.Context, string, *wa.Outgoing, func() error) (wa.Accepted, error) {
					return wa.Accepted{}, &wa.Refusal{Code: c.code, Details: "not asked"}
				})
			})
			h.after(time.Minute)
			h.want(waiting, 500)
			if g := store.gate(c.scope, c.id); !g.Closed {
				t.Errorf("%d closed no gate", c.code)
			}
		})
	}
}

// One outcome that the store will not take holds up no other.
func TestOneOutcomeThatCannotBeStored(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		store, m := newMemory(t), &meta{takes: 50 * time.Millisecond}
		store.add(plan(1), 3000)
		store.refuses = func(o wa.Outcome) bool { return o.Message == 77 }
		h := open(t, store, m)
		h.after(2 * time.Minute)
		h.want(accepted, 2999)
		h.want(claimed, 1)
	})
}

func TestTooManyUnanswered(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		store, m := newMemory(t), &meta{takes: 50 * time.Millisecond}
		store.add(plan(1), 30_000)
		answered := int64(0)
		h := open(t, store, m, fast, func(o *queue.Options) {
			o.Unanswered = func() int64 { return int64(store.count(accepted)) - answered }
		})
		h.after(time.Minute)
		if n := m.count(); n > 10_000 || n < 9_900 {
			t.Errorf("%d messages went out without a word from Meta", n)
		}
		h.wantHeld(1, "Meta has not answered 10,000 messages")
		store.set(func() { answered = 5000 })
		h.after(time.Minute)
		if n := m.count(); n > 15_000 || n < 14_900 {
			t.Errorf("%d messages went out, of which 5,000 were answered", n)
		}
	})
}
