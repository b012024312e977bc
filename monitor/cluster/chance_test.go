package cluster

import (
	"math"
	"math/big"
	"testing"
)

// exactly is the tail of atLeast in whole numbers.
func exactly(k, inside, failed, all int) float64 {
	ways := new(big.Int)
	for x := k; x <= min(inside, failed); x++ {
		if inside-x > all-failed {
			continue
		}
		a := new(big.Int).Binomial(int64(failed), int64(x))
		ways.Add(ways, a.Mul(a, new(big.Int).Binomial(int64(all-failed), int64(inside-x))))
	}
	p, _ := new(big.Rat).SetFrac(ways, new(big.Int).Binomial(int64(all), int64(inside))).Float64()
	return p
}

func TestTailIsExact(t *testing.T) {
	c := newChance(400)
	for _, all := range []int{1, 7, 40, 400} {
		for failed := 0; failed <= all; failed += 1 + all/9 {
			for inside := 0; inside <= all; inside += 1 + all/7 {
				for k := 0; k <= min(inside, failed)+1; k++ {
					got, want := c.atLeast(k, inside, failed, all), exactly(k, inside, failed, all)
					if math.Abs(got-want) > 1e-9*want+1e-300 {
						t.Fatalf("at least %d of %d, %d of %d failed: %g, exactly %g", k, inside, failed, all, got, want)
					}
				}
			}
		}
	}
}

// The figures of R's phyper(k-1, failed, all-failed, inside, lower.tail=FALSE) and
// SciPy's hypergeom.sf for the tea tasting: all four cups right is 1 in 70.
func TestTailKnowsTheLadyTastingTea(t *testing.T) {
	if got := newChance(8).atLeast(4, 4, 4, 8); math.Abs(got-1.0/70) > 1e-15 {
		t.Errorf("got %g", got)
	}
}

func TestClumpedFailuresProveLess(t *testing.T) {
	c := newChance(2000)
	if alone, clumped := c.weighed(60, 200, 100, 2000, 1), c.weighed(60, 200, 100, 2000, 12); clumped < 1e6*alone {
		t.Errorf("60 failures by themselves: %g, in dozens: %g", alone, clumped)
	}
}
