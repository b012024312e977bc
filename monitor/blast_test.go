package monitor

import (
	"math/rand/v2"
	"testing"
)

// The range of a minute's failures holds in nine of ten minutes and more, though
// failures come in blocks of the list, and is not so wide as to say nothing.
func TestFailuresAhead(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 9))
	// draw is how many of n fail: blocks of ten people share a rate.
	draw := func(n int64, rate float64) (failed int64) {
		own := rate
		for i := range n {
			if i%10 == 0 {
				own = min(max(rate+0.12*r.NormFloat64(), 0), 1)
			}
			if r.Float64() < own {
				failed++
			}
		}
		return failed
	}
	for _, c := range []struct {
		rate     float64
		messages int64
		widest   int64
	}{{0.12, 720, 110}, {0.3, 240, 80}, {0.5, 60, 45}, {0.06, 1200, 130}} {
		held, rounds := 0, 2000
		var widest int64
		for range rounds {
			low, high := failuresAhead(c.messages, draw(300, c.rate), 300)
			if n := draw(c.messages, c.rate); low <= n && n <= high {
				held++
			}
			if low < 0 || high > c.messages || low > high {
				t.Fatalf("%d to %d of %d", low, high, c.messages)
			}
			widest = max(widest, high-low)
		}
		if share := float64(held) / float64(rounds); share < 0.9 || widest > 2*c.widest {
			t.Errorf("%+v: held in %.3f, up to %d wide", c, share, widest)
		}
	}
	if low, high := failuresAhead(100, 0, 300); low != 0 || high == 0 {
		t.Errorf("of none that failed so far: %d to %d", low, high)
	}
}
