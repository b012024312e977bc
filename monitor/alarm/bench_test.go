package alarm

import (
	"math/rand/v2"
	"testing"
)

// BenchmarkEvent takes over one status, of a campaign that goes on and on, as the
// monitor does: judged at every 20th.
func BenchmarkEvent(b *testing.B) {
	c, r := runningCampaign()
	at := int64(20_000)
	b.Run("event", func(b *testing.B) {
		for i := range b.N {
			second := at + int64(i/20)
			switch {
			case r.IntN(20) == 0:
				c.Add(second-3, Sent{Failed: 1})
			default:
				c.Add(second, Sent{Messages: 1})
			}
		}
		at += int64(b.N/20) + 1
	})
	b.Run("snapshot", func(b *testing.B) {
		for range b.N {
			for range 20 {
				c.Add(at, Sent{Messages: 1})
			}
			c.Add(at-12, Sent{Failed: 1}) // late: what was judged is judged again
			c.Add(at-2, Sent{Delivered: 19, Soon: 19})
			c.Judge(at)
			at++
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
