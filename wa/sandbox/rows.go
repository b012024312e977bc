package sandbox

import (
	"math/rand/v2"
	"slices"
)

// rows picks people by where they stand in the list, counted from 0.
type rows struct {
	from, to int     // those from here to before there
	run      int     // of them, so many in a row at a time; 0: all
	share    float64 // of them that are in such a run
}

// knowing is the scenario for the list of a seed.
func (s Scenario) knowing(seed uint64) Scenario {
	s.phases = slices.Clone(s.phases)
	for i := range s.phases {
		if p := &s.phases[i]; p.rows != nil {
			p.phones = p.rows.phones(seed)
		}
	}
	return s
}

func (r *rows) phones(seed uint64) map[string]bool {
	out := map[string]bool{}
	chance, left := stream(seed, "runs", r.run), 0
	for row := r.from; row < r.to; row++ {
		if r.run > 0 {
			if left == 0 && begins(chance, r.run, r.share) {
				left = r.run
			}
			if left == 0 {
				continue
			}
			left--
		}
		out[phoneOf(seed, row)] = true
	}
	return out
}

// begins draws whether a run begins after a row that is in none, so that in the end
// a share of all rows are in one.
func begins(chance *rand.Rand, run int, share float64) bool {
	return chance.Float64() < 1/(1+float64(run)*(1-share)/share)
}

// arriving is how long messages take from sent to delivered.
func (p *phase) arriving() curve {
	if p.arrival != nil {
		return p.arrival
	}
	return deliveryDelays
}
