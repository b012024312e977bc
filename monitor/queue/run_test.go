package queue_test

import (
	"context"
	"testing"
	"time"

	"tickwatch/monitor/queue"
	"tickwatch/wa"
)

// When the daemon ends, what has not begun goes back, and open requests are waited
// for, but not for ever.
func TestEnd(t *testing.T) {
	for _, c := range []struct {
		takes time.Duration
		want  rowState
	}{{3 * time.Second, accepted}, {time.Hour, unknown}} {
		inBubble(t, func(t *testing.T) {
			store, m := newMemory(t), &meta{takes: c.takes}
			store.add(plan(1), 1000)
			h := open(t, store, m, fast)
			h.after(2 * time.Second)
			begun := m.count()
			at := time.Now()
			h.stop()
			if took := time.Since(at); took > 6100*time.Millisecond {
				t.Errorf("the end took %v", took)
			}
			if m.count() != begun {
				t.Error("messages began after the end")
			}
			h.want(claimed, 0)
			h.want(c.want, begun)
			h.want(waiting, 1000-begun)
		})
	}
}

// A campaign that is all sent goes on when rows come.
func TestWake(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		store, m := newMemory(t), &meta{}
		store.add(plan(1), 10)
		h := open(t, store, m)
		h.after(time.Minute)
		h.wantHeld(1, "all sent")
		store.add(plan(1), 5)
		h.Wake(1)
		h.Wake(99)
		h.after(time.Minute)
		h.want(accepted, 15)
		p := store.add(plan(2), 5)
		h.Add(p)
		h.Add(p)
		h.after(time.Minute)
		h.want(accepted, 20)
	})
}

// A campaign that runs and sends nothing says why, always.
func TestNothingSentHasAReason(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		store, m := newMemory(t), &meta{takes: time.Hour}
		store.add(plan(1), 1000)
		p := plan(2)
		p.From = nil
		store.add(p, 10)
		p = plan(3)
		p.From = []string{"300"}
		store.add(p, 10)
		h := open(t, store, m)
		h.pause("number", "300")
		h.after(time.Minute)
		h.wantHeld(1, "64 requests wait for Meta's answer")
		h.wantHeld(2, "no number to send from")
		h.wantHeld(3, "its number is paused")
		h.stop()
	})
}

// No campaign keeps another one from going out.
func TestHangingNumberLeavesRoomForOthers(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		store := newMemory(t)
		store.add(plan(1), 1000)
		p := plan(2)
		p.From = []string{"200"}
		store.add(p, 1000)
		m, hangs := &meta{takes: 50 * time.Millisecond}, &meta{takes: time.Hour}
		h := open(t, store, m, func(o *queue.Options) {
			o.Sender = senderFunc(func(ctx context.Context, from string, out *wa.Outgoing, begin func() error) (wa.Accepted, error) {
				if from == "100" {
					return hangs.Send(ctx, from, out, begin)
				}
				return m.Send(ctx, from, out, begin)
			})
		})
		h.after(13 * time.Second)
		h.want(accepted, 1000)
		h.stop()
	})
}
