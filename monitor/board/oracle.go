package board

import (
	"math"
	"math/rand/v2"
	"slices"
)

// Bound is how soon a test could tell a fall that knew beforehand what no real one
// knows: both rates, when the fall begins, and which failures are one run. It is
// wrong as often as the alarms may be: in one healthy campaign of a hundred. What it
// needs nobody can do without; it puts the alarms' figures in their place.
type Bound struct {
	Rate   float64 `json:"rate"` // of messages that arrive
	Run    int     `json:"run"`
	Judged int64   `json:"judged"` // median; -1 = in less than half of them
}

// mayBeWrong is the share of healthy campaigns in which an alarm may ring.
const mayBeWrong = 0.01

// Bounds plays that test so many times.
func Bounds(seeds int, seed uint64) []Bound {
	var out []Bound
	for _, run := range [...]int{1, 12, 30} {
		for _, rate := range [...]float64{0.60, 0.80, 0.85} {
			out = append(out, bound(rate, run, seeds, seed))
		}
	}
	return out
}

func bound(rate float64, run, seeds int, seed uint64) Bound {
	well, ill := starts(worstHealthy, run), starts(1-rate, run)
	begins, goesOn := math.Log(ill/well), math.Log((1-ill)/(1-well))
	// walk follows the logarithm of the odds (Page's CUSUM), and gives its maximum, or
	// the message at which it passes a line.
	walk := func(n int, p, line float64, messages int) (most float64, at int64) {
		r := rand.New(rand.NewPCG(seed, uint64(n))) //nolint:gosec // a count
		sum := 0.0
		for i := 0; i < messages; i++ {
			if r.Float64() < p {
				sum = max(sum+begins, 0)
				i += run - 1 // the rest of the run is no news
			} else {
				sum = max(sum+goesOn, 0)
			}
			if most = max(most, sum); most > line {
				return most, int64(i + 1)
			}
		}
		return most, never
	}
	peaks := make([]float64, seeds)
	for n := range peaks {
		peaks[n], _ = walk(n, well, math.Inf(1), wholeCampaign)
	}
	slices.Sort(peaks)
	line := peaks[min(seeds-1, int(math.Ceil((1-mayBeWrong)*float64(seeds))))]
	judged := make([]int64, seeds)
	for n := range judged {
		_, judged[n] = walk(n+seeds, ill, line, 2*wholeCampaign)
	}
	return Bound{Rate: rate, Run: run, Judged: quantile(judged, 0.5)}
}
