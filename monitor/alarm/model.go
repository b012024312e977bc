package alarm

import (
	"math"
	"slices"
	"sort"
	"sync"
)

// model is a grid of ways in which a block of messages can fare: a share of them is
// bad, and the bad ones come in clusters. Block by block that is the beta-binomial
// distribution: rho is the correlation between two messages of a block, 0 when each
// fares for itself. With clusters in the model a run of failures is not taken for as
// many witnesses as it has messages. A model does not change.
type model struct {
	shares   []float64 // sorted
	clusters []clustering
	points   []point // by share, then clustering

	// Logarithms of rising products, by point and count, from which a block's
	// likelihood is put together: of its bad, its good, and all of its messages.
	bad, good, all [][]float64
}

type point struct{ share, rho float64 }

// clustering is a correlation that is looked at, and its weight in mixtures.
type clustering struct{ rho, weight float64 }

// kind is what a model is of.
type kind struct {
	clusters []clustering
	odds     []float64 // of the grid's shares, as multiples of a line's
}

// Most weight is on messages that fare each for itself, which decides how soon a
// plain fall is seen. Opt-outs are of people, whom little ties together; they are so
// few that a finer grid would cost more than it finds.
var (
	ofFailures = &kind{
		[]clustering{{0, 0.75}, {0.03, 0.05}, {0.1, 0.05}, {0.25, 0.05}, {0.5, 0.05}, {0.8, 0.05}},
		[]float64{0.1, 0.25, 0.45, 0.7, 1.25, 1.6, 2.2, 3.5, 6, 10, 18, 36},
	}
	ofOptOuts = &kind{
		[]clustering{{0, 0.8}, {0.001, 0.1}, {0.004, 0.1}},
		[]float64{0.1, 0.3, 0.6, 2, 4, 12},
	}
)

// tabled is up to how many messages of a block the products are tabled.
const tabled = 256

// modelFor gives the model for some lines, at most two.
func modelFor(lines []line, of *kind) *model {
	key := modelKey{of: of}
	for i, l := range lines {
		key.lines[i] = l.Share
	}
	if m, ok := models.Load(key); ok {
		return m.(*model) // nothing else is stored
	}
	m := newModel(lines, of)
	models.Store(key, m)
	return m
}

// models are shared between campaigns: some hundred kilobytes each.
var models sync.Map

type modelKey struct {
	lines [2]float64
	of    *kind
}

func newModel(lines []line, of *kind) *model {
	m := &model{shares: sharesAround(lines, of.odds), clusters: of.clusters}
	for _, share := range m.shares {
		for _, c := range m.clusters {
			m.points = append(m.points, point{share, c.rho})
		}
	}
	for _, p := range m.points {
		bad, good, all := make([]float64, tabled+1), make([]float64, tabled+1), make([]float64, tabled+1)
		for i := range tabled {
			more := float64(i) * p.rho
			bad[i+1] = bad[i] + math.Log(p.share*(1-p.rho)+more)
			good[i+1] = good[i] + math.Log((1-p.share)*(1-p.rho)+more)
			all[i+1] = all[i] + math.Log(1-p.rho+more)
		}
		m.bad, m.good, m.all = append(m.bad, bad), append(m.good, good), append(m.all, all)
	}
	return m
}

// sharesAround are a model's: the lines, and odds on both sides of them.
func sharesAround(lines []line, multiples []float64) []float64 {
	var out []float64
	near := func(a, b float64) bool { return a/(1-a) < 1.2*b/(1-b) && b/(1-b) < 1.2*a/(1-a) }
	for _, l := range lines {
		out = append(out, l.Share)
	}
	for _, l := range lines {
		for _, times := range multiples {
			odds := times * l.Share / (1 - l.Share)
			share := odds / (1 + odds)
			if !slices.ContainsFunc(out, func(s float64) bool { return near(s, share) }) {
				out = append(out, share)
			}
		}
	}
	slices.Sort(out)
	return out
}

// around is which share of the grid a line is, and which comes next.
func (m *model) around(share float64) (line, next int) {
	i := sort.Search(len(m.shares), func(i int) bool { return m.shares[i] > share-1e-12 })
	return i, min(i+1, len(m.shares))
}

// likelihood is the logarithm of a block's chance at a point, but for a term that is
// the same at all points.
func (m *model) likelihood(p int, n, bad int64) float64 {
	if n <= tabled {
		return m.bad[p][bad] + m.good[p][n-bad] - m.all[p][n]
	}
	share, rho := m.points[p].share, m.points[p].rho
	return rising(share*(1-rho), rho, bad) + rising((1-share)*(1-rho), rho, n-bad) - rising(1-rho, rho, n)
}

// rising is the logarithm of start·(start+more)·(start+2·more)…, n factors.
func rising(start, more float64, n int64) float64 {
	if more == 0 {
		return float64(n) * math.Log(start)
	}
	from, _ := math.Lgamma(start / more)
	to, _ := math.Lgamma(start/more + float64(n))
	return float64(n)*math.Log(more) + to - from
}
