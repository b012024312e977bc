package queue_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tickwatch/monitor/queue"
	"tickwatch/store"
	"tickwatch/wa"
)

// away answers every request after 50 ms, and knows when the latest began.
type away struct {
	n    atomic.Int64
	last atomic.Int64 // nanoseconds since the epoch
}

func (a *away) Send(ctx context.Context, _ string, o *wa.Outgoing, begin func() error) (wa.Accepted, error) {
	if err := begin(); err != nil {
		return wa.Accepted{}, fmt.Errorf("%w: %w", wa.ErrNotSent, err)
	}
	a.last.Store(time.Now().UnixNano())
	o.Written()
	time.Sleep(50 * time.Millisecond)
	return wa.Accepted{WAMID: fmt.Sprintf("wamid.bench.%d", a.n.Add(1))}, nil
}

// bench is a queue of so many rows on a real store, which sends without a pace.
func bench(b *testing.B, rows int, m *away, slow time.Duration) (q *queue.Queue, p wa.Plan) {
	s, err := store.Open(b.Context(), store.Options{Dir: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	p = plan(0)
	p.Form.ID = 7
	i, err := s.Import(p, false)
	if err != nil {
		b.Fatal(err)
	}
	for n := range rows {
		if err := i.Add(store.Recipient{Phone: fmt.Sprintf("+3519%08d", n), Line: int64(n + 2), Values: []string{"Ana"}}); err != nil {
			b.Fatal(err)
		}
	}
	if p, err = i.Finish(b.Context(), nil); err != nil {
		b.Fatal(err)
	}
	q, err = queue.New(b.Context(), queue.Options{
		Store: &slowStore{s, slow}, Sender: m, Throughput: func(string) float64 { return 100_000 },
		Cap: wa.FrequencyCap{Messages: 2, Within: 24 * time.Hour, Apart: 6 * time.Hour},
	})
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var ended sync.WaitGroup
	ended.Go(func() { q.Run(ctx) })
	b.Cleanup(func() {
		cancel()
		ended.Wait()
		if err := s.Close(); err != nil {
			b.Error(err)
		}
	})
	return q, p
}

// slowStore takes so long for each commit of the queue's.
type slowStore struct {
	*store.Store
	takes time.Duration
}

func (s *slowStore) Claim(ctx context.Context, r wa.ClaimRequest) (wa.Claims, error) {
	time.Sleep(s.takes)
	return s.Store.Claim(ctx, r)
}

func (s *slowStore) Settle(ctx context.Context, all ...wa.Outcome) error {
	time.Sleep(s.takes)
	return s.Store.Settle(ctx, all...)
}

func (s *slowStore) SaveGate(ctx context.Context, g wa.Gate) error {
	time.Sleep(s.takes)
	return s.Store.SaveGate(ctx, g)
}

// One operation is one message, claimed, sent over one of 64 connections to
// somebody who answers in 50 ms, and settled on disk.
func BenchmarkSend(b *testing.B) {
	for _, rows := range []int{100_000, 1_000_000} {
		b.Run(fmt.Sprint(rows), func(b *testing.B) {
			m := &away{}
			q, p := bench(b, rows, m, 0)
			if b.N > rows {
				b.Skip("more messages than rows")
			}
			b.ResetTimer()
			if _, err := q.Start(b.Context(), p.Campaign, queue.Launch{}); err != nil {
				b.Fatal(err)
			}
			for m.n.Load() < int64(b.N) {
				time.Sleep(time.Millisecond)
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
		})
	}
}

// One operation is a pause at full load, and the resume after it. Reported are the
// time from the call to the last start of a request, until the pause returned, and
// from the call of the resume to the first start.
func BenchmarkPause(b *testing.B) {
	for _, slow := range []time.Duration{0, 50 * time.Millisecond} {
		b.Run(fmt.Sprint("commit=", slow), func(b *testing.B) { benchPause(b, slow) })
	}
}

func benchPause(b *testing.B, slow time.Duration) {
	m := &away{}
	q, p := bench(b, 200_000, m, slow)
	if _, err := q.Start(b.Context(), p.Campaign, queue.Launch{}); err != nil {
		b.Fatal(err)
	}
	var last, returned, first []time.Duration
	for b.Loop() {
		for n := m.n.Load(); m.n.Load() < n+100; {
			time.Sleep(time.Millisecond)
		}
		called := time.Now()
		s, err := q.Pause(b.Context(), "all", "", "ana", "")
		if err != nil || !s.Stored {
			b.Fatalf("%+v, %v", s, err)
		}
		returned = append(returned, time.Since(called))
		last = append(last, max(0, s.LastStarted.Sub(called)))
		stood := m.last.Load()
		called = time.Now()
		if _, err := q.Resume(b.Context(), "all", "", "ana", time.Time{}); err != nil {
			b.Fatal(err)
		}
		for m.last.Load() == stood {
			time.Sleep(100 * time.Microsecond)
		}
		first = append(first, time.Since(called))
	}
	for name, all := range map[string][]time.Duration{"last-start": last, "pause": returned, "first-start": first} {
		slices.Sort(all)
		b.ReportMetric(float64(all[len(all)*99/100].Microseconds())/1000, name+"-p99-ms")
	}
}
