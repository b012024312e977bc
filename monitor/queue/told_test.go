package queue_test

import (
	"testing"
	"time"

	"tickwatch/wa"
)

// What Meta says later of messages that it took does what it would have done as
// an answer, once.
func TestFailuresThatAreToldLater(t *testing.T) {
	for _, c := range []struct {
		code      int
		scope, id string
	}{
		{131042, "all", ""}, {131048, "number", "100"}, {132015, "campaign", "autumn-1"},
	} {
		inBubble(t, func(t *testing.T) {
			store, m := newMemory(t), &meta{}
			store.add(plan(1), 100_000)
			h := open(t, store, m)
			h.after(time.Second)
			for range 3 {
				h.Failed(1, c.code, []string{"100"})
			}
			h.after(2 * time.Second)
			if g := store.gate(c.scope, c.id); !g.Closed || len(h.heard()) != 1 {
				t.Errorf("%d: %+v, heard of %d", c.code, g, len(h.heard()))
			}
			// After the resume the failures of before are still coming in.
			h.resume(c.scope, c.id)
			h.after(10 * time.Second)
			h.Failed(1, c.code, []string{"100"})
			h.wantHeld(1, "")
			h.after(30 * time.Second)
			h.Failed(1, c.code, []string{"100"})
			h.wantHeld(1, "paused")
			h.Failed(99, c.code, nil) // nobody's
		})
	}
}

func TestFailuresOfOnePersonCloseNothing(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		store, m := newMemory(t), &meta{}
		store.add(plan(1), 100_000)
		h := open(t, store, m)
		h.after(time.Second)
		for _, code := range []int{131026, 131049, 131050, 131056, 1234567} {
			h.Failed(1, code, nil)
		}
		before := m.count()
		h.after(time.Second)
		if n := m.count() - before; n < 70 || len(h.heard()) > 0 {
			t.Errorf("%d messages began, heard of %v", n, h.heard())
		}
		h.Failed(1, 130429, nil)
		h.after(100 * time.Millisecond)
		h.wantHeld(1, "Meta slows this number down")
	})
}

// A template that Meta pauses stops who uses it before a message is refused.
func TestTemplateThatMetaStops(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		store, m := newMemory(t), &meta{}
		store.add(plan(1), 100_000)
		p := plan(2)
		p.Form = winter()
		p.Pace = wa.Pace{Messages: 1, Per: time.Second}
		store.add(p, 100_000)
		h := open(t, store, m)
		h.after(time.Second)
		h.TemplateStopped("autumn_offer", "pt_PT", "DISABLED")
		h.after(time.Second)
		h.wantHeld(1, "paused")
		h.wantHeld(2, "")
		h.want(refused, 0)
		h.TemplateStopped("winter_offer", "pt_PT", "LOCKED") // no code says that
		h.after(time.Second)
		h.wantHeld(2, "paused")
		if g := store.gate("campaign", "autumn-2"); g.Reason != "Meta locked its template" {
			t.Errorf("%+v", g)
		}
	})
}

// An account that Meta stops pauses everything before a message is refused.
func TestAccountThatMetaStops(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		store, m := newMemory(t), &meta{}
		store.add(plan(1), 100_000)
		h := open(t, store, m)
		h.after(time.Second)
		h.AccountStopped("Meta disabled the WhatsApp account")
		h.after(time.Second)
		if g := store.gate("all", ""); !g.Closed || g.Reason != "Meta disabled the WhatsApp account" || len(h.heard()) != 1 {
			t.Errorf("%+v, heard of %v", g, h.heard())
		}
		h.want(refused, 0)
	})
}
