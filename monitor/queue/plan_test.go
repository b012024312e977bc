package queue_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"tickwatch/monitor/queue"
	"tickwatch/wa"
)

func winter() wa.TemplateForm {
	return wa.TemplateForm{Name: "winter_offer", Language: "pt_PT", Category: wa.CategoryMarketing, Body: "Dear {{1}}"}
}

// When a swap returns, nothing begins with the former template, whatever was on
// its way; and it opens nothing.
func TestSwap(t *testing.T) {
	for _, dials := range []time.Duration{0, 20 * time.Millisecond, time.Hour} {
		inBubble(t, func(t *testing.T) {
			store, m := newMemory(t), &meta{takes: 50 * time.Millisecond, dials: dials}
			store.add(plan(1), 3000)
			store.slow = 3 * time.Millisecond
			h := open(t, store, m, fast)
			h.after(time.Second)
			called := time.Now()
			if err := h.Swap(context.Background(), 1, winter(), map[string]int{"1": 0}); err != nil {
				t.Fatal(err)
			}
			if took := time.Since(called); took > time.Second {
				t.Errorf("the swap took %v", took)
			}
			before := m.count()
			m.set(func() { m.dials = 0 })
			h.after(10 * time.Second)
			for i, s := range m.all() {
				if want := map[bool]string{true: "autumn_offer", false: "winter_offer"}[i < before]; s.template != want {
					t.Fatalf("request %d of %d had template %s", i, before, s.template)
				}
			}
			h.want(accepted, 3000)
			m.twice(t)
			if got := store.plans[1].Form.Name; got != "winter_offer" {
				t.Errorf("the store has %s", got)
			}
			h.pause("campaign", "autumn-1")
			if err := h.Swap(context.Background(), 1, plan(1).Form, map[string]int{"1": 0}); err != nil {
				t.Fatal(err)
			}
			h.wantHeld(1, "paused")
		})
	}
}

func TestSwapThatCannotBeStored(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		store, m := newMemory(t), &meta{takes: 50 * time.Millisecond}
		store.add(plan(1), 3000)
		h := open(t, store, m)
		h.after(time.Second)
		store.set(func() {
			store.fail = func(op string) error {
				if op == "plan" {
					return errors.New("disk full")
				}
				return nil
			}
		})
		if err := h.Swap(context.Background(), 1, winter(), nil); err == nil || !strings.Contains(err.Error(), "not swapped: disk full") {
			t.Errorf("the swap says %v", err)
		}
		h.after(time.Minute)
		h.want(accepted, 3000) // with the former one
		for _, s := range m.all() {
			if s.template != "autumn_offer" {
				t.Fatal("a message went out with a template that is not stored")
			}
		}
		store.set(func() { store.fail = func(string) error { return errors.New("disk full") } })
		called := time.Now()
		if err := h.Swap(context.Background(), 1, winter(), nil); err == nil {
			t.Error("the swap says nothing")
		}
		if took := time.Since(called); took > 6*time.Second {
			t.Errorf("the swap took %v", took)
		}
	})
}

func TestCancel(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		store, m := newMemory(t), &meta{takes: 50 * time.Millisecond}
		// What comes back after the cancel is cancelled, too.
		m.answer = func(i int, _ sent) (wa.Accepted, error) {
			if i%10 == 0 {
				return wa.Accepted{}, &wa.Refusal{Code: 131056}
			}
			return wa.Accepted{}, nil
		}
		store.add(plan(1), 3000)
		store.slow = 3 * time.Millisecond
		h := open(t, store, m, fast)
		h.after(time.Second)
		n, already, err := h.Cancel(context.Background(), 1)
		if err != nil || already || n < 1500 {
			t.Fatalf("the cancel says %d, %v, %v", n, already, err)
		}
		before := m.count()
		h.after(time.Minute)
		if m.count() != before {
			t.Error("messages began after the cancel")
		}
		h.want(waiting, 0)
		h.want(claimed, 0)
		if sum := store.count(accepted) + store.count(cancelled); sum != 3000 {
			t.Errorf("%d rows are handed over or cancelled", sum)
		}
		if _, already, err := h.Cancel(context.Background(), 1); err != nil || !already {
			t.Errorf("a second cancel: %v, %v", already, err)
		}
		if err := h.Swap(context.Background(), 1, winter(), nil); err == nil {
			t.Error("a cancelled campaign was swapped")
		}
		if _, err := h.Start(context.Background(), 1, queue.Launch{}); err == nil {
			t.Error("a cancelled campaign was started")
		}
		if _, _, err := h.Cancel(context.Background(), 9); !errors.Is(err, queue.ErrNoCampaign) {
			t.Errorf("a campaign that is not there: %v", err)
		}
	})
}

// A cancel stops at once, and is stored when the store can.
func TestCancelWithoutTheStore(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		store, m := newMemory(t), &meta{takes: 50 * time.Millisecond}
		store.add(plan(1), 3000)
		h := open(t, store, m)
		h.after(time.Second)
		store.set(func() { store.fail = func(string) error { return errors.New("disk full") } })
		at := m.count()
		if _, _, err := h.Cancel(context.Background(), 1); err == nil || !strings.Contains(err.Error(), "nothing more of it goes out") {
			t.Errorf("the cancel says %v", err)
		}
		h.after(time.Minute)
		if n := m.count(); n != at {
			t.Errorf("%d messages began after the cancel", n-at)
		}
		store.set(func() { store.fail = nil })
		h.after(time.Minute)
		h.want(waiting, 0)
		h.want(claimed, 0)
		if got := store.plans[1].State; got != wa.PlanCancelled {
			t.Errorf("the store has it as %s", got)
		}
	})
}

func TestStartAtATimeAndExpiry(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		store, m := newMemory(t), &meta{}
		p := plan(1)
		p.State, p.Pace = wa.PlanDraft, wa.Pace{Messages: 1, Per: time.Second}
		store.add(p, 3000)
		h := open(t, store, m)
		h.after(time.Minute)
		if m.count() > 0 {
			t.Fatal("a campaign that was never started has begun")
		}
		h.wantHeld(1, "")
		eight := time.Now().Add(8 * time.Hour).Truncate(time.Hour)
		launch := queue.Launch{At: eight, Expires: eight.Add(time.Minute)}
		for _, want := range []bool{false, true} {
			if already, err := h.Start(context.Background(), 1, launch); err != nil || already != want {
				t.Fatalf("the start says %v, %v", already, err)
			}
		}
		h.wantHeld(1, "starts at 08:00")
		h.after(time.Until(eight) + 30500*time.Millisecond)
		all := m.all()
		if len(all) != 31 || !all[0].at.Equal(eight) && all[0].at.Sub(eight) > 50*time.Millisecond {
			t.Errorf("%d messages began half a minute after the start, the first %v after it", len(all), all[0].at.Sub(eight))
		}
		h.after(time.Hour)
		h.want(accepted, 60)
		h.want(cancelled, 2940)
		if all := h.heard(); len(all) != 1 || !all[0].Cancelled {
			t.Errorf("heard of %+v", all)
		}
	})
}

func TestStartThatMakesNoSense(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		store := newMemory(t)
		p := plan(1)
		p.State = wa.PlanDraft
		store.add(p, 10)
		h := open(t, store, &meta{})
		for _, l := range []queue.Launch{
			{Ramp: []float64{0.5}},
			{Ramp: []float64{0.5, 0.4, 1}},
			{Ramp: []float64{0, 1}},
			{Ramp: []float64{1, 2}},
			{Expires: time.Now().Add(-time.Hour)},
			{At: time.Now().Add(time.Hour), Expires: time.Now().Add(time.Minute)},
		} {
			if _, err := h.Start(context.Background(), 1, l); err == nil {
				t.Errorf("%+v was taken", l)
			}
		}
		h.after(time.Second)
		h.want(waiting, 10)
	})
}

func TestRamp(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		store, m := newMemory(t), &meta{takes: 50 * time.Millisecond}
		// Some come back, so that a step is not over when its last was claimed.
		m.answer = func(i int, _ sent) (wa.Accepted, error) {
			if i%7 == 0 {
				return wa.Accepted{}, &wa.Refusal{Code: 131056}
			}
			return wa.Accepted{}, nil
		}
		p := plan(1)
		p.State = wa.PlanDraft
		store.add(p, 1000)
		h := open(t, store, m)
		if _, err := h.Start(context.Background(), 1, queue.Launch{Ramp: []float64{0.01, 0.05, 0.25, 1}}); err != nil {
			t.Fatal(err)
		}
		for i, want := range []int{10, 50, 250} {
			h.after(time.Hour)
			h.want(accepted, want)
			h.wantHeld(1, "ramp: a look after "+[]string{"1 %", "5 %", "25 %"}[i])
			if i == 1 { // a restart and a pause in between change nothing
				h.pause("campaign", p.Key)
				h.stop()
				h = open(t, store, m)
				h.after(time.Minute)
				h.want(accepted, want)
			}
			if got := h.View().Campaigns[1].Plan.Step; got != i {
				t.Errorf("it stands at step %d, want %d", got, i)
			}
			h.resume("campaign", p.Key)
		}
		h.after(time.Hour)
		h.want(accepted, 1000)
		h.wantHeld(1, "all sent")
	})
}

// A sending window: the rest of the list goes on, and who is asleep waits.
func TestSendingWindow(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		store, m := newMemory(t), &meta{}
		store.add(plan(1), 300)
		morning := time.Now().Add(8 * time.Hour).Truncate(time.Hour)
		h := open(t, store, m, func(o *queue.Options) {
			o.Window = func(*wa.Plan) func(string) wa.Instant {
				return func(phone string) wa.Instant {
					if time.Now().Before(morning) && strings.HasSuffix(phone, "7") {
						return wa.At(morning)
					}
					return 0
				}
			}
		})
		h.after(time.Minute)
		h.want(accepted, 270)
		h.wantHeld(1, "waits until 08:00 for its sending window")
		h.after(time.Until(morning) + time.Minute)
		h.want(accepted, 300)
		m.twice(t)
	})
}
