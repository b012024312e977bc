package alarm

import (
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
)

func testDrift() *drift {
	return newDrift([]line{{0.05, accuse, acquit}, {0.10, accuse, acquit}}, ofFailures, blockSize)
}

// fill gives a drift messages of which a share is bad, one here and one there.
func fill(d *drift, at int64, cells int, bad float64, r *rand.Rand) int64 {
	for range cells {
		c := cell{At: at, N: 20}
		for range c.N {
			if r.Float64() < bad {
				c.Bad++
			}
		}
		d.Add(c)
		at++
	}
	return at
}

// A fall is accused on both lines, and acquitted some time after it is mended; what
// is said of it is true of the messages since it began.
func TestFallAndRecovery(t *testing.T) {
	d, r := testDrift(), rand.New(rand.NewPCG(1, 2))
	at := fill(d, 1000, 100, 0.02, r)
	if f := d.Judge(); f[0].Accused || f[1].Accused {
		t.Fatalf("2 %% bad: %+v", f)
	}
	fell := at
	at = fill(d, at, 20, 0.40, r)
	f := d.Judge()
	if !f[0].Accused || !f[1].Accused {
		t.Fatalf("40 %% of 400 bad: %+v", f)
	}
	if act := f[1]; act.Since < fell-3 || act.Since > fell+3 || act.Beyond < 0.2 || act.Beyond > 0.4 ||
		math.Abs(float64(act.Bad)/float64(act.N)-0.40) > 0.07 {
		t.Errorf("40 %% bad since %d: %+v", fell, act)
	}
	fill(d, at, 60, 0.02, r)
	if f := d.Judge(); f[0].Accused || f[1].Accused {
		t.Errorf("mended for 1,200 messages: %+v", f)
	}
}

// A single run of failures, and a dozen of them far apart, accuse nobody.
func TestRunsProveLittle(t *testing.T) {
	d := testDrift()
	for i := range int64(400) {
		c := cell{At: i, N: 20}
		if i%30 == 7 {
			c.Bad = 12
		}
		d.Add(c)
		if f := d.Judge(); f[1].Accused {
			t.Fatalf("accused after %d messages of which %d %% failed, in runs", 20*(i+1), 2)
		}
	}
}

// The order in which news comes, and how often the drift looks in between, do not
// matter for where it stands in the end.
func TestDriftDependsOnCellsAlone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cells := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) cell {
			n := rapid.Int64Range(0, 60).Draw(t, "n")
			return cell{N: n, Bad: rapid.Int64Range(0, n).Draw(t, "bad")}
		}), 1, 120).Draw(t, "cells")
		for i := range cells {
			cells[i].At = int64(i)
		}
		whole, parts := testDrift(), testDrift()
		for _, c := range cells {
			whole.Add(c)
		}
		for _, i := range rapid.Permutation(rapid.Permutation(indices(len(cells))).Draw(t, "order")).Draw(t, "order again") {
			c := cells[i]
			first := rapid.Int64Range(0, c.Bad).Draw(t, "known first")
			parts.Add(cell{At: c.At, N: c.N, Bad: first})
			if rapid.Bool().Draw(t, "look") {
				parts.Judge()
			}
			parts.Add(cell{At: c.At, Bad: c.Bad - first})
		}
		a, b := whole.Judge(), parts.Judge()
		for i := range a {
			if a[i].Accused != b[i].Accused || a[i].N != b[i].N || a[i].Bad != b[i].Bad || a[i].Since != b[i].Since ||
				math.Abs(a[i].Evidence-b[i].Evidence) > 1e-6*math.Abs(a[i].Evidence) {
				t.Fatalf("line %d: in order %+v, otherwise %+v", i, a[i], b[i])
			}
		}
	})
}

func indices(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}

// A campaign that never ends takes no more memory than a long one, and old news of
// it does no harm.
func TestDriftIsBounded(t *testing.T) {
	d, r := testDrift(), rand.New(rand.NewPCG(3, 4))
	at := int64(0)
	for range 200 {
		at = fill(d, at, 50, 0.03, r)
		d.Judge()
	}
	if len(d.blocks) > keep || len(d.cells) > 2*keep || len(d.sums) > keep+1 {
		t.Errorf("%d blocks, %d cells, %d sums", len(d.blocks), len(d.cells), len(d.sums))
	}
	d.Add(cell{At: 3, Bad: 20})
	if f := d.Judge(); f[1].Accused || f[1].N > calmBlocks*(blockSize+20) {
		t.Errorf("%+v", f[1])
	}
}

// At exactly the line false accusations are rarer than the bound: in N blocks at
// most N of Accuse campaigns.
func TestLineIsKept(t *testing.T) {
	if testing.Short() {
		t.Skip("plays a hundred campaigns")
	}
	const campaigns, cells = 100, 250
	wrong := 0
	for n := range uint64(campaigns) {
		d, r := testDrift(), rand.New(rand.NewPCG(n, 5))
		fill(d, 0, cells, 0.10, r)
		d.look()
		for _, s := range d.stands {
			if s[1].accused {
				wrong++
				break
			}
		}
	}
	if bound := campaigns * cells / accuse; wrong > bound+5 {
		t.Errorf("%d of %d campaigns at the line were accused; the bound is %v", wrong, campaigns, bound)
	}
}

// A block's likelihoods are those of the beta-binomial distribution: over all counts
// of bad messages they sum to one, whether they are tabled or not.
func TestLikelihood(t *testing.T) {
	m := modelFor([]line{{Share: 0.05}, {Share: 0.10}}, ofFailures)
	for _, n := range []int64{20, 300} {
		for p := range m.points {
			sum := 0.0
			for bad := range n + 1 {
				a, _ := math.Lgamma(float64(n) + 1)
				b, _ := math.Lgamma(float64(bad) + 1)
				c, _ := math.Lgamma(float64(n-bad) + 1)
				sum += math.Exp(a - b - c + m.likelihood(p, n, bad))
			}
			if math.Abs(sum-1) > 1e-6 {
				t.Fatalf("%+v, %d messages: chances sum to %v", m.points[p], n, sum)
			}
		}
	}
}
