package store

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"testing"

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
