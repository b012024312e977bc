package alarm

import (
	"math"
	"slices"
)

// Reports judges opt-outs per delivery at present: a proxy for reports. People opt
// out minutes to hours after they were reached, so a delivery counts for as much as
// of its opt-outs can be known by now. It is for one goroutine.
type Reports struct {
	drift *Drift
	lines []Line
	sent  []reached // in order
	until int64     // the drift has what was known by this second; 0 = nothing
	rest  float64   // of a delivery, that no cell has yet
}

// reached are the deliveries to messages of some seconds.
type reached struct {
	at    int64
	n     int64
	known float64 // as many of them the drift has
}

const (
	reachedSpan  = 10       // seconds that are kept together
	optOutsUntil = 6 * 3600 // seconds after which nobody opts out any more
)

// optOutDelays are how late people opt out, of those who do: an assumption, as
// nobody publishes it; half within the minute, nearly all within hours.
var optOutDelays = [...]struct{ seconds, share float64 }{
	{0, 0}, {10, 0.15}, {45, 0.50}, {240, 0.80}, {1200, 0.95}, {6 * 3600, 1},
}

// optedOutBy is the share of opt-outs that have come by an age in seconds.
func optedOutBy(age float64) float64 {
	for i := 1; i < len(optOutDelays); i++ {
		if lo, hi := optOutDelays[i-1], optOutDelays[i]; age < hi.seconds {
			return lo.share + (hi.share-lo.share)*math.Max(age-lo.seconds, 0)/(hi.seconds-lo.seconds)
		}
	}
	return 1
}

// Evidence that accuses of too many opt-outs: they are few, and one of ten thousand
// campaigns' messages too many is worth a look long before it is certain.
const accuseReports = 7

// NewReports judges by shares of opt-outs per delivery.
func NewReports(ok, act float64) *Reports {
	lines := []Line{{ok, accuseReports, well}, {act, accuseReports, well}}
	return &Reports{lines: lines, drift: newDrift(lines, ofOptOuts)}
}

// Delivered adds deliveries of messages whose clocks started in a second.
func (r *Reports) Delivered(at, n int64) {
	at -= at % reachedSpan
	i, known := slices.BinarySearchFunc(r.sent, at, func(s reached, at int64) int { return int(s.at - at) })
	if !known {
		r.sent = slices.Insert(r.sent, i, reached{at: at})
	}
	r.sent[i].n += n
}

// OptedOut adds people who opted out in the minute that begins at a second.
func (r *Reports) OptedOut(minute, n int64) {
	r.drift.Add(Cell{At: minute, Bad: n})
}

// Judge judges at a moment, in Unix seconds; moments do not go back. known is how
// much of the opt-outs of all deliveries so far can have come in by now.
func (r *Reports) Judge(now int64) (v Verdict, known float64) {
	if r.until == 0 && len(r.sent) > 0 {
		r.until = r.sent[0].at
	}
	for r.until != 0 && r.until < now { // what was reached before is exposed minute by minute
		r.until = min(r.until-r.until%60+60, now)
		r.expose(r.until)
	}
	var all, come float64
	for _, s := range r.sent {
		all, come = all+float64(s.n), come+float64(s.n)*optedOutBy(float64(now-s.at))
	}
	if all > 0 {
		known = come / all
	}
	r.sent = slices.DeleteFunc(r.sent, func(s reached) bool { return now-s.at > optOutsUntil+3600 })
	return r.drift.verdict(r.lines[0].Share), known
}

// expose gives the drift what has become known by a moment.
func (r *Reports) expose(now int64) {
	for i := range r.sent {
		s := &r.sent[i]
		if s.at >= now {
			break
		}
		come := float64(s.n) * optedOutBy(float64(now-s.at))
		r.rest += come - s.known
		s.known = come
	}
	n := math.Floor(r.rest)
	r.rest -= n
	minute := (now - 1) / 60 * 60
	r.drift.Add(Cell{At: minute, N: int64(n)})
}
