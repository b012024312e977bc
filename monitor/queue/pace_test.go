package queue_test

import (
	"context"
	"testing"
	"time"

	"tickwatch/monitor/queue"
	"tickwatch/wa"
)

func TestPaceIsEven(t *testing.T) {
	for _, pace := range []wa.Pace{{Messages: 1000, Per: time.Hour}, {Messages: 600, Per: time.Minute}, {Messages: 50, Per: time.Second}} {
		inBubble(t, func(t *testing.T) {
			store, m := newMemory(t), &meta{takes: 50 * time.Millisecond}
			p := plan(1)
			p.Pace = pace
			store.add(p, 1000)
			h := open(t, store, m)
			gap := time.Duration(float64(time.Second) / pace.PerSecond())
			h.after(40*gap + gap/2)
			all := m.all()
			if len(all) < 40 || len(all) > 42 {
				t.Fatalf("%s: %d messages began, want 41", pace, len(all))
			}
			for i := 1; i < len(all); i++ {
				if got := all[i].at.Sub(all[i-1].at); got < gap/2-time.Millisecond || got > gap+gap/2 {
					t.Errorf("%s: %v between two messages, want %v", pace, got, gap)
				}
			}
		})
	}
}

func TestFastPaceIsReached(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		store, m := newMemory(t), &meta{takes: 50 * time.Millisecond}
		p := plan(1)
		p.Pace = wa.Pace{Messages: 1000, Per: time.Second}
		store.add(p, 30_000)
		store.slow = 5 * time.Millisecond
		h := open(t, store, m, func(o *queue.Options) { o.Throughput = func(string) float64 { return 1000 } })
		h.after(10 * time.Second)
		if n := m.count(); n < 9900 || n > 10_100 {
			t.Errorf("%d messages began in ten seconds at 1000/s", n)
		}
		if got := h.View().Campaigns[1].PerSecond; got < 950 || got > 1050 {
			t.Errorf("the view says %v a second", got)
		}
	})
}

func TestPaceChangesAtOnce(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		store, m := newMemory(t), &meta{}
		p := plan(1)
		p.Pace = wa.Pace{Messages: 1, Per: time.Hour}
		store.add(p, 1000)
		h := open(t, store, m)
		h.after(15 * time.Second)
		h.wantHeld(1, "at a pace of 1/h")
		if err := h.SetPace(context.Background(), 1, wa.Pace{Messages: 50, Per: time.Second}); err != nil {
			t.Fatal(err)
		}
		h.after(2 * time.Second)
		fast := m.count()
		if fast < 95 || fast > 105 {
			t.Errorf("%d messages began in two seconds at 50/s", fast)
		}
		if err := h.SetPace(context.Background(), 1, wa.Pace{Messages: 1, Per: time.Minute}); err != nil {
			t.Fatal(err)
		}
		h.after(30 * time.Second)
		if n := m.count() - fast; n > 1 {
			t.Errorf("%d messages began after the pace had fallen to 1/m", n)
		}
		h.want(claimed, 0) // what was claimed for the faster pace is back in the queue
		if got := store.plans[1].Pace; got.Messages != 1 {
			t.Errorf("the store has pace %s", got)
		}
	})
}

// No burst makes up for the time that a pause took.
func TestPauseIsNotMadeUpFor(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		store, m := newMemory(t), &meta{}
		p := plan(1)
		p.Pace = wa.Pace{Messages: 20, Per: time.Second}
		store.add(p, 1000)
		h := open(t, store, m)
		h.after(time.Second)
		h.pause("campaign", p.Key)
		before := m.count()
		h.after(time.Minute)
		if n := m.count(); n != before {
			t.Fatalf("%d messages began while it was paused", n-before)
		}
		resumed := time.Now()
		h.resume("campaign", p.Key)
		h.after(time.Second)
		all := m.all()[before:]
		if len(all) < 19 || len(all) > 22 {
			t.Errorf("%d messages began in the second after the resume, want 20", len(all))
		}
		if took := all[0].at.Sub(resumed); took > 100*time.Millisecond {
			t.Errorf("the first message after the resume began after %v", took)
		}
	})
}

func TestNumbersTakeTurns(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		store, m := newMemory(t), &meta{takes: 50 * time.Millisecond}
		p := plan(1)
		p.From = []string{"100", "200", "300"}
		store.add(p, 100_000)
		h := open(t, store, m, func(o *queue.Options) {
			o.Throughput = func(id string) float64 { return map[string]float64{"300": 20}[id] }
		})
		h.after(10 * time.Second)
		from := map[string]int{}
		for _, s := range m.all() {
			from[s.from]++
		}
		for id, want := range map[string]int{"100": 800, "200": 800, "300": 200} {
			if got := from[id]; got < want*95/100 || got > want*105/100 {
				t.Errorf("%d messages went out from %s, want %d", got, id, want)
			}
		}
		h.pause("number", "100")
		before := m.count()
		h.after(time.Second)
		for _, s := range m.all()[before:] {
			if s.from == "100" {
				t.Fatal("a message left from a number that is paused")
			}
		}
		if n := m.count() - before; n < 90 {
			t.Errorf("%d messages went out from the other numbers", n)
		}
	})
}

// A slow campaign uses its numbers evenly, too.
func TestSlowCampaignUsesAllNumbers(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		store, m := newMemory(t), &meta{}
		p := plan(1)
		p.From, p.Pace = []string{"100", "200"}, wa.Pace{Messages: 60, Per: time.Minute}
		store.add(p, 1000)
		h := open(t, store, m)
		h.after(time.Minute)
		from := map[string]int{}
		for _, s := range m.all() {
			from[s.from]++
		}
		if from["100"] < 20 || from["200"] < 20 {
			t.Errorf("the numbers sent %v", from)
		}
	})
}

func TestOurOwnCeilingOfANumber(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		store, m := newMemory(t), &meta{}
		store.add(plan(1), 1000)
		store.add(plan(2), 1000)
		h := open(t, store, m, func(o *queue.Options) { o.PerNumber = wa.Pace{Messages: 10, Per: time.Second} })
		h.after(10 * time.Second)
		if n := m.count(); n < 99 || n > 103 {
			t.Errorf("two campaigns sent %d messages in ten seconds from a number with a ceiling of 10/s", n)
		}
		byCampaign := map[int64]int{}
		for _, w := range store.rows {
			if w.state == accepted {
				byCampaign[w.campaign]++
			}
		}
		if byCampaign[1] < 25 || byCampaign[2] < 25 {
			t.Errorf("the campaigns sent %v", byCampaign)
		}
	})
}

// Campaigns that are paused take nothing from the batches of those that go.
func TestPausedCampaignsCostNothing(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		store, m := newMemory(t), &meta{takes: 50 * time.Millisecond}
		store.slow = 10 * time.Millisecond
		for id := range int64(40) {
			store.add(plan(id+1), 6000)
		}
		h := open(t, store, m, fast)
		for id := range 39 {
			h.pause("campaign", plan(int64(id+2)).Key)
		}
		before := m.count()
		h.after(5 * time.Second)
		if n := m.count() - before; n < 4800 {
			t.Errorf("%d messages began in five seconds at 1000/s", n)
		}
	})
}

// The daemon's clock may run faster than the real one; pace is of its clock.
func TestScaledClock(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		store, m := newMemory(t), &meta{}
		p := plan(1)
		p.Pace = wa.Pace{Messages: 1, Per: time.Second}
		store.add(p, 1000)
		start := time.Now()
		h := open(t, store, m, func(o *queue.Options) {
			o.Speed = 10
			o.Now = func() time.Time { return start.Add(10 * time.Since(start)) }
		})
		h.after(10 * time.Second)
		if n := m.count(); n < 99 || n > 102 {
			t.Errorf("%d messages began in a hundred seconds of the daemon's clock at 1/s", n)
		}
	})
}
