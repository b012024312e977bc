package queue_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tickwatch/monitor/queue"
	"tickwatch/wa"
)

// plan is a running campaign that sends without a limit of its own.
func plan(id int64) wa.Plan {
	return wa.Plan{
		Campaign: id, Key: fmt.Sprintf("autumn-%d", id), Name: "autumn", State: wa.PlanRunning,
		Form:    wa.TemplateForm{Name: "autumn_offer", Language: "pt_PT", Category: wa.CategoryMarketing, Body: "Hello {{1}}"},
		Columns: []string{"first_name"}, Bind: map[string]int{"1": 0}, From: []string{"100"},
	}
}

// sent is a request that has begun.
type sent struct {
	at             time.Time
	from, to, data string
	template       string
}

// meta stands for the Cloud API in tests of time: it answers as it is told.
type meta struct {
	mu      sync.Mutex
	takes   time.Duration                            // to answer
	dials   time.Duration                            // before a request begins
	writes  time.Duration                            // between the beginning and the last byte
	answer  func(n int, s sent) (wa.Accepted, error) // one at a time
	begun   []sent
	refused int // by a gate
}

func (m *meta) set(do func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	do()
}

func (m *meta) Send(ctx context.Context, from string, o *wa.Outgoing, begin func() error) (wa.Accepted, error) {
	m.mu.Lock()
	takes, dials, writes, answer := m.takes, m.dials, m.writes, m.answer
	m.mu.Unlock()
	if !rest(ctx, dials) {
		return wa.Accepted{}, fmt.Errorf("%w: %w", wa.ErrNotSent, ctx.Err())
	}
	if err := begin(); err != nil {
		m.set(func() { m.refused++ })
		return wa.Accepted{}, fmt.Errorf("%w: %w", wa.ErrNotSent, err)
	}
	s := sent{time.Now(), from, o.To, o.CallbackData, o.Template.Name}
	m.mu.Lock()
	m.begun = append(m.begun, s)
	n := len(m.begun)
	m.mu.Unlock()
	rest(context.WithoutCancel(ctx), writes)
	o.Written()
	if !rest(ctx, takes) {
		return wa.Accepted{}, fmt.Errorf("%w: %w", wa.ErrMayHaveGone, ctx.Err())
	}
	if answer != nil {
		m.mu.Lock()
		defer m.mu.Unlock()
		return answer(n, s)
	}
	return wa.Accepted{WAMID: fmt.Sprintf("wamid.%d", n)}, nil
}

func rest(ctx context.Context, d time.Duration) bool {
	if d == 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// count is how many requests have begun.
func (m *meta) count() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.begun)
}

// all are the requests that have begun, in order.
func (m *meta) all() []sent {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.begun)
}

// twice fails the test if somebody was written to twice.
func (m *meta) twice(t testing.TB) {
	t.Helper()
	seen := map[string]bool{}
	for _, s := range m.all() {
		if seen[s.to] {
			t.Errorf("%s was written to twice", s.to)
		}
		seen[s.to] = true
	}
}

// house is a queue that runs on a clock of its own.
type house struct {
	*queue.Queue
	t         *testing.T
	store     *memory
	meta      *meta
	stop      func() // ends the queue and waits for it
	mu        sync.Mutex
	incidents []queue.Incident
}

// inBubble runs a test on a clock of its own.
func inBubble(t *testing.T, do func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, do)
}

// open makes a queue over a store and runs it. It is ended with the test.
func open(t *testing.T, store *memory, m *meta, change ...func(*queue.Options)) *house {
	t.Helper()
	h := &house{t: t, store: store, meta: m}
	o := queue.Options{Store: store, Sender: m, Incident: func(i queue.Incident) {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.incidents = append(h.incidents, i)
	}}
	for _, c := range change {
		c(&o)
	}
	q, err := queue.New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	h.Queue = q
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		q.Run(ctx)
	}()
	h.stop = sync.OnceFunc(func() {
		cancel()
		<-ended
	})
	t.Cleanup(h.stop)
	return h
}

// after lets time pass, until everything has come to rest.
func (h *house) after(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func (h *house) heard() []queue.Incident {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.incidents)
}

// held is why a campaign does not go out.
func (h *house) held(campaign int64) string { return h.View().Campaigns[campaign].Held }

func (h *house) wantHeld(campaign int64, part string) {
	h.t.Helper()
	if got := h.held(campaign); part == "" && got != "" || !strings.Contains(got, part) {
		h.t.Errorf("held is %q, want %q", got, part)
	}
}

func (h *house) pause(scope, id string) queue.Stopped {
	h.t.Helper()
	s, err := h.Pause(context.Background(), scope, id, "ana", "a look")
	if err != nil {
		h.t.Fatal(err)
	}
	return s
}

func (h *house) resume(scope, id string) {
	h.t.Helper()
	if _, err := h.Resume(context.Background(), scope, id, "ana", time.Time{}); err != nil {
		h.t.Fatal(err)
	}
}

// want fails unless that many rows stand somewhere.
func (h *house) want(s rowState, n int) {
	h.t.Helper()
	if got := h.store.count(s); got != n {
		h.t.Errorf("%d rows are %s, want %d", got, s, n)
	}
}
