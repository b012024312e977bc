package board

import (
	"math"
	"math/rand/v2"
)

// perSecond is the pace of the campaigns.
const perSecond = 20

// fate is what becomes of a message, in seconds since the campaign's start.
type fate struct {
	sent      float64
	told      float64 // that it was sent
	failed    float64 // 0 = it does not fail
	withheld  bool    // by Meta's choice
	delivered float64 // 0 = it is not
	optOut    float64 // 0 = they do not
}

// curve is a distribution of delays: points of its cumulative share, even on a
// logarithmic scale between them.
type curve []struct{ share, seconds float64 }

// Delays of what is told of a message: those of the design, and of the stand-in for
// Meta (wa/sandbox).
var (
	arrival     = curve{{0, 0.4}, {0.81, 5}, {0.85, 30}, {0.88, 60}, {0.95, 300}, {0.99, 1800}, {1, 6 * 3600}}
	slowArrival = curve{{0, 0.4}, {0.60, 5}, {0.72, 30}, {0.80, 60}, {0.91, 300}, {0.98, 1800}, {1, 6 * 3600}}
	failing     = curve{{0, 0.3}, {0.9, 4}, {0.98, 12}, {1, 60}}
	optingOut   = curve{{0, 6}, {0.6, 45}, {0.9, 240}, {1, 1200}}
)

func (c curve) draw(r *rand.Rand) float64 {
	u := r.Float64()
	for i := 1; i < len(c); i++ {
		if lo, hi := c[i-1], c[i]; u <= hi.share {
			return lo.seconds * math.Pow(hi.seconds/lo.seconds, (u-lo.share)/(hi.share-lo.share))
		}
	}
	return c[len(c)-1].seconds
}

// draw draws the fates of an incident's messages.
func draw(r *rand.Rand, in *Incident) []fate {
	out := make([]fate, in.messages)
	left, arrives := 0, in.arrival
	if arrives == nil {
		arrives = arrival
	}
	for i := range out {
		f := &out[i]
		f.sent = float64(i) / perSecond
		sent := f.sent + 0.3 + 1.7*r.Float64()
		f.told = sent
		switch {
		case left > 0:
			left--
			f.failed = sent + failing.draw(r)
		case r.Float64() < starts(in.fails(i), in.run):
			left = in.run - 1
			f.failed = sent + failing.draw(r)
		case r.Float64() < in.withheld(i):
			f.failed, f.withheld = sent+failing.draw(r), true
		default:
			f.delivered = sent + arrives.draw(r)
			if r.Float64() < in.optOuts(i) {
				f.optOut = f.delivered + optingOut.draw(r)
			}
		}
		in.tell(f)
	}
	return out
}

// starts is the chance with which a run of failures begins after a message that is
// in none, so that a share p of all messages are in one: runs come at random, as
// independent of each other as failures are when a run has one message.
func starts(p float64, run int) float64 {
	if run <= 1 || p >= 1 {
		return p
	}
	return 1 / (1 + float64(run)*(1-p)/p)
}

// tell moves what happens while no webhook gets through to after that.
func (in *Incident) tell(f *fate) {
	for _, at := range [...]*float64{&f.told, &f.failed, &f.delivered, &f.optOut} {
		if *at >= in.outage[0] && *at < in.outage[1] {
			*at = in.outage[1] + 30*(*at-in.outage[0])/(in.outage[1]-in.outage[0])
		}
	}
}
