package alarm

import (
	"math/rand/v2"
	"testing"
)

// BenchmarkEvent takes over one status, and one second's worth of a snapshot: of a
// campaign that goes on and on at 20 and at 1,000 messages a second.
func BenchmarkEvent(b *testing.B) {
	b.Run("event", func(b *testing.B) {
		c, r := runningCampaign()
		at := int64(20_000)
		b.ResetTimer()
		for i := range b.N {
			if i%2000 == 1999 { // as much as waits to be judged, at most
				b.StopTimer()
				c.Judge(at)
				b.StartTimer()
			}
			if i%20 == 0 {
				at++
			}
			if r.IntN(20) == 0 {
				c.Add(at-3, Sent{Failed: 1})
			} else {
				c.Add(at, Sent{Messages: 1})
			}
		}
	})
	for name, n := range map[string]int64{"snapshot": 20, "snapshot at 1000 a second": 1000} {
		b.Run(name, func(b *testing.B) {
			c, _ := runningCampaign()
			at := int64(20_000)
			b.ResetTimer()
			for range b.N {
				c.Add(at, Sent{Messages: n})
				c.Add(at-12, Sent{Failed: n / 20}) // late: what was judged is judged again
				c.Add(at-2, Sent{Delivered: n * 19 / 20, Soon: n * 19 / 20})
				c.Judge(at)
				at++
			}
		})
	}
	b.Run("snapshot without news", func(b *testing.B) {
		c, _ := runningCampaign()
		b.ResetTimer()
		for range b.N {
			c.Judge(20_000)
		}
	})
}

// runningCampaign is one of 100,000 messages so far.
func runningCampaign() (*Campaign, *rand.Rand) {
	c := NewCampaign(Lines{DeliveryOK: 0.95, DeliveryAct: 0.9, ReportsOK: 0.001, ReportsAct: 0.005, JudgeAfter: 10, Soon: 0.88})
	for at := range int64(5000) {
		c.Add(10_000+at, Sent{Messages: 20, Failed: at % 3, Delivered: 18, Soon: 17})
		c.Judge(10_000 + at)
	}
	return c, rand.New(rand.NewPCG(1, 2))
}
