package notify

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"tickwatch/store"
	"tickwatch/wa"
)

// listener is a place that hears everything, or nothing while it is deaf.
type listener struct {
	start time.Time
	mu    sync.Mutex
	deaf  bool
	heard []string
	tries []time.Duration
}

func (*listener) Name() string { return "listener" }
func (*listener) ID() string   { return "listener 1" }
func (*listener) Single() bool { return false }

func (l *listener) Send(_ context.Context, m *Message) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tries = append(l.tries, time.Since(l.start))
	if l.deaf {
		return errors.New("it is deaf")
	}
	l.heard = append(l.heard, changes(m.Items))
	return nil
}

func (l *listener) deafen(so bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.deaf = so
}

func (l *listener) expect(t *testing.T, want ...string) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	if diff := cmp.Diff(want, l.heard); diff != "" {
		t.Error(diff)
	}
	l.heard = nil
}

// house is a notifier with a real store, whose clock is the bubble's.
type house struct {
	store *store.Store
	n     *Notifier
	ear   *listener
	end   func()
}

func openHouse(t *testing.T, dir string) *house {
	s, err := store.Open(t.Context(), store.Options{Dir: dir, Throwaway: true})
	if err != nil {
		t.Fatal(err)
	}
	h := &house{store: s, ear: &listener{start: time.Now()}}
	h.n = New(Options{Targets: []Target{h.ear}, Told: s, Zone: time.UTC})
	ctx, cancel := context.WithCancel(t.Context())
	ran := make(chan struct{})
	go func() { defer close(ran); h.n.Run(ctx) }()
	h.end = func() {
		cancel()
		<-ran
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	return h
}

// look shows the alarms, as the monitor does, for a while.
func (h *house) look(t *testing.T, d time.Duration, alarms ...Alarm) {
	t.Helper()
	var stored []store.Alarm
	for _, a := range alarms {
		stored = append(stored, store.Alarm{ID: a.ID, Kind: a.Kind, Subject: a.Subject, Severity: a.Severity, RaisedAt: a.RaisedAt, ActedAt: a.ActedAt, ClearedAt: a.ClearedAt})
	}
	if err := h.store.SaveAlarms(stored, nil); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(time.Second) {
		h.n.Look(wa.At(time.Now()), alarms, false)
	}
	synctest.Wait()
}

func alarmAt(id int64, severity string, at time.Time) Alarm {
	a := Alarm{ID: id, Kind: "delivery", Subject: fmt.Sprint(id), Severity: severity, RaisedAt: wa.At(at)}
	if severity == Act {
		a.ActedAt = a.RaisedAt
	}
	return a
}

// TestNotifier: what comes at once is one message; what a place missed it hears
// later, as it then is; a restart repeats nothing.
func TestNotifier(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		h := openHouse(t, dir)
		one, two := alarmAt(1, Watch, time.Now()), alarmAt(2, Act, time.Now())
		h.look(t, time.Second, one)
		h.ear.expect(t) // it waits for more
		h.look(t, 5*time.Second, one, two)
		h.ear.expect(t, "a2 raised, a1 raised")
		h.look(t, time.Minute, one, two)
		h.ear.expect(t)

		h.ear.deafen(true)
		one.Severity, one.ActedAt = Act, wa.At(time.Now())
		h.look(t, time.Minute, one, two)
		if got := h.n.Trouble(); !strings.Contains(got, "listener: it is deaf") {
			t.Errorf("trouble %q", got)
		}
		h.ear.deafen(false)
		two.ClearedAt = wa.At(time.Now())
		h.look(t, 6*time.Minute, one, two)
		h.ear.expect(t, "a1 grown, a2 cleared")
		if got := h.n.Trouble(); got != "" {
			t.Errorf("trouble %q after it was heard", got)
		}
		h.end()

		h = openHouse(t, dir)
		h.look(t, time.Minute, one, two)
		h.ear.expect(t)
		one.ClearedAt = wa.At(time.Now())
		h.look(t, 5*time.Second, one, two)
		h.ear.expect(t, "a1 cleared")
		h.end()
	})
}

// TestNotifierPatience: a place that does not hear is tried less and less often, and
// at least every few minutes.
func TestNotifierPatience(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		h := openHouse(t, dir)
		defer h.end()
		h.ear.deafen(true)
		h.look(t, time.Hour, alarmAt(1, Act, time.Now()))
		tries := h.ear.tries
		if n := len(tries); n < 12 || n > 20 {
			t.Fatalf("%d tries in an hour: %v", n, tries)
		}
		for i := 1; i < len(tries); i++ {
			if gap := tries[i] - tries[i-1]; gap < retryFirst || gap > retryLast*5/4+2*time.Second {
				t.Errorf("%v between two tries", gap)
			}
		}
	})
}

// TestNotifierNobody: a daemon that tells nobody has a nil notifier.
func TestNotifierNobody(t *testing.T) {
	var n *Notifier
	n.Look(1, nil, true)
	n.Run(t.Context())
	if n.Trouble() != "" {
		t.Error("it has trouble")
	}
}
