package cluster

import "math"

// chance answers how likely figures are; it holds the logarithms of the factorials
// up to the number of rows.
type chance struct{ logs []float64 }

func newChance(most int) chance {
	c := chance{make([]float64, most+1)}
	for i := 2; i <= most; i++ {
		c.logs[i] = c.logs[i-1] + math.Log(float64(i))
	}
	return c
}

// choose is the logarithm of the number of ways to take k of n.
func (c chance) choose(n, k int) float64 { return c.logs[n] - c.logs[k] - c.logs[n-k] }

// atLeast is the upper tail of the hypergeometric distribution: of all messages so
// many failed; how likely do at least k of any inside ones belong to them? It is
// Fisher's exact test, one-sided.
func (c chance) atLeast(k, inside, failed, all int) float64 {
	if k <= max(0, failed+inside-all) {
		return 1
	}
	if k > min(inside, failed) {
		return 0
	}
	term := math.Exp(c.choose(failed, k) + c.choose(all-failed, inside-k) - c.choose(all, inside))
	sum := 0.0
	for x := k; x <= min(inside, failed); x++ {
		sum += term
		if term < sum*1e-16 && x > inside*failed/all {
			break
		}
		term *= float64(failed-x) * float64(inside-x) / (float64(x+1) * float64(all-failed-inside+x+1))
	}
	return min(sum, 1)
}

// weighed is atLeast where failures come in runs of about d: each run counts once.
func (c chance) weighed(k, inside, failed, all int, d float64) float64 {
	if d < 1.2 { // no more than chance makes of failures one by one
		return c.atLeast(k, inside, failed, all)
	}
	runs := func(n int) int { return int(math.Ceil(float64(n) / d)) }
	all = runs(all)
	failed, inside = min(runs(failed), all), min(runs(inside), all)
	return c.atLeast(int(float64(k)/d), inside, failed, all)
}

// fit is how much better two failed shares, inside and outside, explain the
// figures than one share for all does: a log-likelihood ratio.
func fit(k, inside, failed, all int) float64 {
	part := func(k, n int) float64 {
		if k == 0 || k == n {
			return 0
		}
		p := float64(k) / float64(n)
		return float64(k)*math.Log(p) + float64(n-k)*math.Log1p(-p)
	}
	return part(k, inside) + part(failed-k, all-inside) - part(failed, all)
}
