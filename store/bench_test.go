package store

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"tickwatch/wa"
)

// BenchmarkIngest stores posts of a campaign that another system sends, from 64
// goroutines at once: a third of the statuses are of new messages, the others
// news of recent ones.
func BenchmarkIngest(b *testing.B) {
	for _, n := range []int{1, 10, 100} {
		b.Run(fmt.Sprintf("external/%d", n), func(b *testing.B) {
			s := open(b, b.TempDir())
			var next atomic.Int64
			body := make([]byte, 356*n)
			b.SetParallelism(32)
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				r := rand.New(rand.NewPCG(uint64(next.Add(1)), 1))
				for pb.Next() {
					p := &wa.Post{Source: "meta", ReceivedAt: received, Body: body}
					for range n {
						id, st := next.Load(), wa.StatusDelivered
						if r.IntN(3) == 0 {
							id, st = next.Add(1), wa.StatusSent
						} else {
							id = max(1, id-int64(r.ExpFloat64()*20_000))
						}
						p.Statuses = append(p.Statuses, status(fmt.Sprintf("HBgLMzUxOTAwMDAwMDAx%012d", id), st, at(id/1000), "autumn:1"))
					}
					if err := s.Ingest(context.Background(), p); err != nil {
						b.Error(err)
					}
				}
			})
			b.ReportMetric(float64(b.N*n)/b.Elapsed().Seconds(), "statuses/s")
		})
	}
}

// BenchmarkImport writes a list of a million rows, shuffled.
func BenchmarkImport(b *testing.B) {
	const rows = 1_000_000
	for b.Loop() {
		s := open(b, b.TempDir())
		imported(b, s, rows, wa.CategoryMarketing)
		_ = s.Close()
	}
	b.ReportMetric(float64(b.N*rows)/b.Elapsed().Seconds(), "rows/s")
}

// BenchmarkQueue takes messages and settles them as accepted, 64 at a time as the
// queue does under load, from a list of a hundred thousand and of a million.
func BenchmarkQueue(b *testing.B) {
	for _, rows := range []int{100_000, 1_000_000} {
		b.Run(fmt.Sprint(rows), func(b *testing.B) {
			s := open(b, b.TempDir())
			p := imported(b, s, rows, wa.CategoryMarketing)
			r := wa.ClaimRequest{
				Campaign: p.Campaign, From: sender.NumberID, Limit: 64, Now: received,
				Cap: wa.FrequencyCap{Messages: 2, Within: 24 * time.Hour, Apart: 6 * time.Hour},
			}
			sent := 0
			b.ResetTimer()
			for i := 0; i < b.N; i += 64 {
				got, err := s.Claim(b.Context(), r)
				if err != nil {
					b.Fatal(err)
				}
				var settling sync.WaitGroup
				for _, c := range got.Messages {
					settling.Go(func() {
						err := s.Settle(b.Context(), wa.Outcome{Message: c.Message, Kind: wa.OutcomeAccepted, At: received, Accepted: wa.Accepted{
							WAMID: fmt.Sprintf("wamid.HBgLMzUxOTAwMDAwMDAx%012d", c.Message), Person: wa.Person{Phone: c.Phone[1:]},
						}})
						if err != nil {
							b.Error(err)
						}
					})
				}
				settling.Wait()
				sent += len(got.Messages)
			}
			b.ReportMetric(float64(sent)/b.Elapsed().Seconds(), "messages/s")
		})
	}
}

// BenchmarkSuppressed compares the queue's rate without a suppression list and
// with one of five million, by numbers and by hashes, of people who are not on it:
// the two take turns, and what is lost is said as a share, of the time on the clock
// and of the processor's.
func BenchmarkSuppressed(b *testing.B) {
	const people, rows = 5_000_000, 400_000
	for _, hashed := range []bool{false, true} {
		b.Run(fmt.Sprintf("%d/hashed=%t", people, hashed), func(b *testing.B) {
			var sides [2]*queueSide
			for i := range sides {
				dir := b.TempDir()
				s := open(b, dir)
				if i == 1 {
					suppressMany(b, s, people, hashed)
				}
				sides[i] = &queueSide{p: imported(b, s, rows, wa.CategoryMarketing)}
				if err := s.Close(); err != nil { // else the pages of one import are in memory, and those of the other are not
					b.Fatal(err)
				}
				sides[i].s = open(b, dir)
			}
			b.ResetTimer()
			for i := range b.N {
				sides[i%2].round(b)
				sides[1-i%2].round(b)
			}
			for k, name := range []string{"without", "with"} {
				b.ReportMetric(sides[k].sent/sides[k].took.Seconds(), "messages/s-"+name)
			}
			lost := func(took func(*queueSide) time.Duration) float64 {
				return 100 * (1 - took(sides[0]).Seconds()/sides[0].sent*sides[1].sent/took(sides[1]).Seconds())
			}
			b.ReportMetric(lost(func(q *queueSide) time.Duration { return q.took }), "%-lost")
			b.ReportMetric(lost(func(q *queueSide) time.Duration { return q.cpu }), "%-lost-cpu")
		})
	}
}

// suppressMany puts so many made-up numbers on a store's suppression list.
func suppressMany(b *testing.B, s *Store, people int, hashed bool) {
	const step = 20_000
	r := rand.New(rand.NewPCG(1, 2))
	for range people / step {
		all := make([]Listing, step)
		for i := range all {
			all[i] = Listing{Number: fmt.Sprintf("4915%09d", r.IntN(1_000_000_000)), By: "bench", Reason: "imported"}
			if hashed {
				all[i].Hash = make([]byte, 32)
				for k := range all[i].Hash {
					all[i].Hash[k] = byte(r.Uint32())
				}
				all[i].Number = ""
			}
		}
		if _, _, err := s.Suppress(b.Context(), all); err != nil {
			b.Fatal(err)
		}
	}
	for busy := true; busy; { // until the index's runs are merged
		if err := s.submit(b.Context(), &request{group: func(g *group) error {
			busy = g.w.indexes[indexSuppressed].busy(g.w)
			return nil
		}}); err != nil {
			b.Fatal(err)
		}
	}
}

// queueSide is a store whose queue is timed.
type queueSide struct {
	s    *Store
	p    wa.Plan
	sent float64
	took time.Duration
	cpu  time.Duration // of this process
}

func processorTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// round claims and settles 64 messages.
func (q *queueSide) round(b *testing.B) {
	start, cpu := time.Now(), processorTime()
	got, err := q.s.Claim(b.Context(), wa.ClaimRequest{
		Campaign: q.p.Campaign, From: sender.NumberID, Limit: 64, Now: received,
		Cap: wa.FrequencyCap{Messages: 2, Within: 24 * time.Hour, Apart: 6 * time.Hour},
	})
	if err != nil {
		b.Fatal(err)
	}
	outcomes := make([]wa.Outcome, len(got.Messages))
	for i, c := range got.Messages {
		outcomes[i] = wa.Outcome{Message: c.Message, Kind: wa.OutcomeAccepted, At: received, Accepted: wa.Accepted{
			WAMID: fmt.Sprintf("wamid.HBgLMzUxOTAwMDAwMDAx%012d", c.Message), Person: wa.Person{Phone: c.Phone[1:]},
		}}
	}
	if err := q.s.Settle(b.Context(), outcomes...); err != nil {
		b.Fatal(err)
	}
	q.took, q.cpu, q.sent = q.took+time.Since(start), q.cpu+processorTime()-cpu, q.sent+float64(len(got.Messages))
}

// BenchmarkSuppressedLookUp asks whether people are on a suppression list of a
// million who are not.
func BenchmarkSuppressedLookUp(b *testing.B) {
	const people = 1_000_000
	for _, hashed := range []bool{false, true} {
		b.Run(fmt.Sprintf("%d/hashed=%t", people, hashed), func(b *testing.B) {
			s := open(b, b.TempDir())
			suppressMany(b, s, people, hashed)
			b.ResetTimer()
			err := s.look(b.Context(), func(w *writer) error {
				g := newGroup(b.Context(), w)
				for i := range b.N {
					if _, err := g.suppressed(person{}, fmt.Sprintf("35190%07d", i), wa.ChannelWhatsApp, true, received); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				b.Fatal(err)
			}
		})
	}
}
