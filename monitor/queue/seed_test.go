package queue_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"tickwatch/monitor/queue"
	"tickwatch/wa"
)

// own is somebody who sends to an own phone, and hears what came of it.
type own struct {
	mu       sync.Mutex
	claimed  int
	outcomes []wa.OutcomeKind
	left     []bool
	fails    error // of the disk
}

func (o *own) seed() queue.Seed {
	return queue.Seed{
		Claim: func(_ context.Context, _ string, p *wa.Plan) (*wa.Outgoing, error) {
			o.mu.Lock()
			defer o.mu.Unlock()
			if o.fails != nil {
				return nil, o.fails
			}
			o.claimed++
			return &wa.Outgoing{To: "+351910000099", Template: wa.Filled{Name: p.Form.Name}, CallbackData: "own"}, nil
		},
		Settle: func(_ context.Context, x wa.Outcome) {
			o.mu.Lock()
			defer o.mu.Unlock()
			o.outcomes = append(o.outcomes, x.Kind)
		},
		Over: func(left bool) {
			o.mu.Lock()
			defer o.mu.Unlock()
			o.left = append(o.left, left)
		},
	}
}

func (m *meta) own() (n int) {
	for _, s := range m.all() {
		if s.data == "own" {
			n++
		}
	}
	return n
}

// A message to an own phone passes every gate that the campaign's must pass: closed
// before it, nothing is claimed; closed between its claim and its first byte, nothing
// leaves.
func TestSeedsPassTheGates(t *testing.T) {
	for _, p := range []struct{ scope, id string }{{"all", ""}, {"channel", "whatsapp"}, {"number", "100"}, {"campaign", "autumn-1"}} {
		t.Run(p.scope, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				store := newMemory(t)
				store.add(plan(1), 0)
				h := open(t, store, &meta{dials: 3 * time.Second})
				var o own
				h.after(time.Second)
				if !h.Seed(1, o.seed()) {
					t.Fatal("none goes out of a running campaign")
				}
				h.after(time.Second)
				h.pause(p.scope, p.id)
				if h.Seed(1, o.seed()) {
					t.Error("one began after the pause")
				}
				h.after(5 * time.Second)
				if o.claimed != 1 || h.meta.own() != 0 || h.meta.refused != 1 || len(o.outcomes) != 1 || o.outcomes[0] != wa.OutcomeAgain || o.left[0] {
					t.Errorf("claimed %d, gone %d, outcomes %v", o.claimed, h.meta.own(), o.outcomes)
				}
				h.resume(p.scope, p.id)
				if !h.Seed(1, o.seed()) {
					t.Error("none goes out after the resume")
				}
				h.after(5 * time.Second)
				if h.meta.own() != 1 || o.outcomes[1] != wa.OutcomeAccepted || !o.left[1] {
					t.Errorf("gone %d, outcomes %v", h.meta.own(), o.outcomes)
				}
			})
		})
	}
}

// What can be said of a send is said of one to an own phone, too; a disk that takes
// nothing keeps it from leaving.
func TestWhatBecomesOfASeed(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		m, store := &meta{}, newMemory(t)
		store.add(plan(1), 0)
		h := open(t, store, m)
		var o own
		o.fails = errors.New("the disk is full")
		h.after(time.Second)
		h.Seed(1, o.seed())
		h.after(time.Second)
		if m.own() != 0 || len(o.outcomes) != 0 || o.left[0] {
			t.Fatalf("gone %d, outcomes %v", m.own(), o.outcomes)
		}
		o.fails = nil
		for _, c := range []struct {
			err  error
			want wa.OutcomeKind
		}{
			{nil, wa.OutcomeAccepted},
			{&wa.Refusal{Code: 131026, HTTP: 400}, wa.OutcomeRefused},
			{&wa.Refusal{Code: 131056, HTTP: 400}, wa.OutcomeAgain},
			{&wa.Refusal{Code: 130429, HTTP: 429}, wa.OutcomeAgain},
			{wa.ErrMayHaveGone, wa.OutcomeUnknown},
		} {
			m.set(func() { m.answer = func(int, sent) (wa.Accepted, error) { return wa.Accepted{}, c.err } })
			h.after(10 * time.Second)
			if !h.Seed(1, o.seed()) {
				t.Fatalf("%v: none goes out", c.err)
			}
			h.after(time.Second)
			if got := o.outcomes[len(o.outcomes)-1]; got != c.want {
				t.Errorf("%v: %d, want %d", c.err, got, c.want)
			}
		}
		if h.Seed(2, o.seed()) {
			t.Error("one went out of a campaign that there is not")
		}
		h.stop()
		if h.Seed(1, o.seed()) {
			t.Error("one went out after the end")
		}
	})
}

// Messages to own phones and the campaign's own share one pace.
func TestSeedsKeepThePace(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		p := plan(1)
		p.Pace = wa.Pace{Messages: 10, Per: time.Second}
		store := newMemory(t)
		store.add(p, 400)
		h := open(t, store, &meta{takes: 10 * time.Millisecond})
		var o own
		for range 400 { // 20 s
			h.Seed(1, o.seed())
			h.after(50 * time.Millisecond)
		}
		all := h.meta.all()
		if n := len(all); n < 180 || n > 203 || h.meta.own() < 20 {
			t.Errorf("%d messages in 20 s at 10/s, %d of them to own phones", n, h.meta.own())
		}
	})
}
