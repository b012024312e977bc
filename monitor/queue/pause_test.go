package queue_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tickwatch/monitor/queue"
	"tickwatch/wa"
)

// fast is a queue that sends 1000 a second over 64 connections of 50 ms.
func fast(o *queue.Options) { o.Throughput = func(string) float64 { return 1000 } }

func TestPauseAndResumeOfEveryScope(t *testing.T) {
	for _, p := range [][2]string{{"all", ""}, {"channel", "whatsapp"}, {"number", "100"}, {"campaign", "autumn-1"}} {
		t.Run(p[0], func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				store, m := newMemory(t), &meta{takes: 50 * time.Millisecond}
				store.add(plan(1), 3000)
				h := open(t, store, m, fast)
				h.after(time.Second)
				stopped := h.pause(p[0], p[1])
				at, begun := time.Now(), m.count()
				if stopped.Already || !stopped.Stored || stopped.Open < 30 || stopped.Gate.By != "ana" || stopped.Gate.Reason != "a look" {
					t.Errorf("the pause says %+v", stopped)
				}
				if last := m.all()[begun-1].at; !stopped.LastStarted.Equal(last) {
					t.Errorf("the last start was at %v, the pause says %v", last, stopped.LastStarted)
				}
				h.after(time.Minute)
				if n := m.count(); n != begun {
					t.Fatalf("%d messages began after the pause", n-begun)
				}
				h.want(claimed, 0)
				h.want(accepted, begun)
				h.want(waiting, 3000-begun)
				h.wantHeld(1, "paused")
				if g := store.gate(p[0], p[1]); !g.Closed || g.Since != wa.At(at) {
					t.Errorf("the store has %+v", g)
				}
				if again := h.pause(p[0], p[1]); !again.Already || again.ClosedAfter != 0 {
					t.Errorf("the second pause says %+v", again)
				}
				resumed := time.Now()
				h.resume(p[0], p[1])
				h.after(100 * time.Millisecond)
				if n := m.count(); n == begun {
					t.Fatal("nothing began within 100 ms of the resume")
				}
				if took := m.all()[begun].at.Sub(resumed); took > 50*time.Millisecond {
					t.Errorf("the first message began %v after the resume", took)
				}
				h.after(5 * time.Second)
				h.want(accepted, 3000)
				h.wantHeld(1, "all sent")
				m.twice(t)
				if r, err := h.Resume(context.Background(), p[0], p[1], "ana", time.Time{}); err != nil || !r.Already {
					t.Errorf("a second resume: %+v, %v", r, err)
				}
			})
		})
	}
}

// Opening one gate leaves the others as they are.
func TestResumeOpensNoOtherGate(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		store, m := newMemory(t), &meta{}
		store.add(plan(1), 100)
		h := open(t, store, m)
		h.pause("all", "")
		h.pause("campaign", "autumn-1")
		before := m.count()
		h.resume("all", "")
		h.after(time.Minute)
		if n := m.count(); n != before {
			t.Errorf("%d messages began at a campaign that is paused", n-before)
		}
		h.resume("campaign", "autumn-1")
		h.after(10 * time.Second)
		h.want(accepted, 100)
	})
}

// A pause returns when the requests that had begun are written, and not much later
// when they hang.
func TestPauseWaitsForWhatIsBeingWritten(t *testing.T) {
	for _, c := range []struct{ writes, want time.Duration }{{100 * time.Millisecond, 100 * time.Millisecond}, {time.Hour, 400 * time.Millisecond}} {
		inBubble(t, func(t *testing.T) {
			store, m := newMemory(t), &meta{writes: c.writes, takes: time.Second}
			store.add(plan(1), 10)
			h := open(t, store, m)
			h.after(0)
			if m.count() == 0 {
				t.Fatal("nothing has begun")
			}
			at := time.Now()
			h.pause("all", "")
			if took := time.Since(at); took != c.want {
				t.Errorf("the pause returned after %v, want %v", took, c.want)
			}
			m.set(func() { m.writes = 0 })
		})
	}
}

// A store that is slow or dead delays no pause, and a message that waits for its
// connection does not begin.
func TestPauseWithoutTheStore(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		store, m := newMemory(t), &meta{dials: 30 * time.Second}
		store.add(plan(1), 1000)
		h := open(t, store, m)
		h.after(time.Second)
		store.set(func() { store.slow = 10 * time.Second })
		at := time.Now()
		stopped := h.pause("all", "")
		if took := time.Since(at); took > 250*time.Millisecond {
			t.Errorf("the pause took %v", took)
		}
		if stopped.Stored {
			t.Error("the pause says that it is stored")
		}
		h.after(time.Minute)
		if m.count() > 0 {
			t.Errorf("%d messages began", m.count())
		}
		if g := store.gate("all", ""); !g.Closed {
			t.Error("the pause never came to be stored")
		}
		h.want(claimed, 0)
		store.set(func() { store.slow, store.fail = 0, func(string) error { return errors.New("disk full") } })
		if _, err := h.Resume(context.Background(), "all", "", "ana", time.Time{}); err == nil || !strings.Contains(err.Error(), "stays paused") {
			t.Errorf("a resume that cannot be stored: %v", err)
		}
		h.after(time.Minute)
		if m.count() > 0 {
			t.Errorf("%d messages began", m.count())
		}
	})
}

// The newest state wins on disk, in whatever order things happen.
func TestGateThatCannotBeStoredIsTriedOn(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		store, m := newMemory(t), &meta{}
		store.add(plan(1), 1000)
		h := open(t, store, m)
		store.set(func() { store.fail = func(string) error { return errors.New("disk full") } })
		if h.pause("number", "100").Stored {
			t.Error("the pause says that it is stored")
		}
		h.after(10 * time.Second)
		h.wantHeld(1, "its number is paused")
		store.set(func() { store.fail = nil })
		h.after(2 * time.Second)
		if g := store.gate("number", "100"); !g.Closed {
			t.Error("the store says that the number is open")
		}
		// A resume is being stored when the next pause comes: the pause wins.
		store.set(func() { store.slow = time.Second })
		failed := make(chan error)
		go func() {
			_, err := h.Resume(context.Background(), "number", "100", "ana", time.Time{})
			failed <- err
		}()
		h.after(500 * time.Millisecond)
		before := m.count()
		h.pause("number", "100")
		if err := <-failed; err == nil || !strings.Contains(err.Error(), "paused again") {
			t.Errorf("the resume says %v", err)
		}
		h.after(10 * time.Second)
		if g := store.gate("number", "100"); !g.Closed {
			t.Error("the store says that the number is open")
		}
		if m.count() != before {
			t.Error("messages began")
		}
	})
}

func TestResumeAtATime(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		store, m := newMemory(t), &meta{}
		store.add(plan(1), 1000)
		h := open(t, store, m)
		h.after(time.Second)
		h.pause("campaign", "autumn-1")
		before := m.count()
		eight := time.Now().Add(8 * time.Hour)
		r, err := h.Resume(context.Background(), "campaign", "autumn-1", "ana", eight)
		if err != nil || !r.Gate.Closed || r.Gate.OpensAt != wa.At(eight) {
			t.Fatalf("the resume says %+v, %v", r, err)
		}
		h.wantHeld(1, "paused, resumes at 08:00")
		if g := store.gate("campaign", "autumn-1"); g.OpensAt != wa.At(eight) {
			t.Errorf("the store has %+v", g)
		}
		h.after(8*time.Hour - time.Second)
		if m.count() != before {
			t.Fatal("messages began before the time")
		}
		h.after(2 * time.Second)
		if m.count() == before {
			t.Fatal("nothing began at the time")
		}
		if all := h.heard(); len(all) != 1 || !all[0].Opened {
			t.Errorf("heard of %+v", all)
		}
		// A pause forgets it.
		h.pause("campaign", "autumn-1")
		before = m.count()
		if _, err := h.Resume(context.Background(), "campaign", "autumn-1", "ana", time.Now().Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		h.pause("campaign", "autumn-1")
		h.after(2 * time.Hour)
		if m.count() != before {
			t.Error("messages began though it was paused again")
		}
	})
}

func TestStopFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "STOP")
	inBubble(t, func(t *testing.T) {
		store, m := newMemory(t), &meta{takes: 50 * time.Millisecond}
		store.add(plan(1), 100_000)
		h := open(t, store, m, fast, func(o *queue.Options) { o.StopFile = file })
		h.after(time.Second)
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		put := time.Now()
		h.after(time.Second)
		begun := m.count()
		if took := m.all()[begun-1].at.Sub(put); took > 200*time.Millisecond {
			t.Errorf("messages began until %v after the file was there", took)
		}
		h.after(time.Minute)
		if m.count() != begun {
			t.Fatal("messages began though the file is there")
		}
		h.want(claimed, 0)
		h.wantHeld(1, "STOP file")
		if v := h.View(); !v.StopFile || len(v.Gates) != 1 || !v.Gates[0].Closed {
			t.Errorf("the view shows %+v", v.Gates)
		}
		for _, p := range [][2]string{{"all", ""}, {"campaign", "autumn-1"}} {
			if _, err := h.Resume(context.Background(), p[0], p[1], "ana", time.Time{}); !errors.Is(err, queue.ErrStopFile) {
				t.Errorf("a resume of %s while the file is there: %v", p[0], err)
			}
		}
		h.stop()

		// It closes everything at a start, too, whatever is stored.
		clear(store.gates)
		h = open(t, store, m, func(o *queue.Options) { o.StopFile = file })
		h.after(time.Minute)
		if m.count() != begun {
			t.Fatal("messages began though the file is there at the start")
		}
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
		h.after(time.Minute)
		if m.count() != begun {
			t.Fatal("messages began because the file was removed")
		}
		h.wantHeld(1, "everything is paused")
		h.resume("all", "")
		h.after(time.Second)
		if m.count() == begun {
			t.Error("nothing began after the resume")
		}
	})
}

// A pause is a pause after a restart, too.
func TestPauseHoldsAfterARestart(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		store, m := newMemory(t), &meta{}
		store.add(plan(1), 1000)
		h := open(t, store, m)
		h.pause("channel", "whatsapp")
		h.stop()
		before := m.count()
		h = open(t, store, m)
		h.after(time.Minute)
		if m.count() != before {
			t.Error("messages began")
		}
		h.wantHeld(1, "WhatsApp is paused")
	})
}

func TestPauseOfNothing(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		h := open(t, newMemory(t), &meta{})
		for _, p := range [][2]string{{"all", "x"}, {"campaign", ""}, {"somewhere", "x"}, {"", ""}} {
			if _, err := h.Pause(context.Background(), p[0], p[1], "ana", ""); err == nil {
				t.Errorf("there is no gate %q of %q, and it was paused", p[1], p[0])
			}
		}
	})
}
