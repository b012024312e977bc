package store

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
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
