package alarm

import (
	"maps"
	"math"
	"slices"
)

// reports judges opt-outs per delivery at present: a proxy for reports. People opt
// out minutes to hours after they were reached, so a delivery counts for as much as
// of its opt-outs can be known by now. It is for one goroutine.
type reports struct {
	drift  *drift
	sent   []reached           // in order
	until  int64               // minutes have what is known by this second; 0 = nothing
	minute map[int64]*exposure // by its first second
}

// reached are the deliveries to messages of some seconds.
type reached struct{ at, n int64 }

// exposure is for how many deliveries a minute counts: for the part of their opt-outs
// that usually comes in it.
type exposure struct {
	sum float64
	has int64 // of it, in whole deliveries, the drift has
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

// Evidence that accuses of too many opt-outs, and how many there must be: they are
// few, and a handful too many in a campaign's first minute is worth a look long
// before it is certain.
const (
	accuseReports = 4
	leastOptOuts  = 5
)

// newReports judges by shares of opt-outs per delivery.
func newReports(ok, act float64) *reports {
	lines := []line{{ok, accuseReports, well}, {act, accuseReports, well}}
	r := &reports{drift: newDrift(lines, ofOptOuts, blockSize), minute: map[int64]*exposure{}}
	r.drift.least = leastOptOuts
	return r
}

// Delivered adds deliveries of messages whose clocks started in a second.
func (r *reports) Delivered(at, n int64) {
	at -= at % reachedSpan
	i, known := slices.BinarySearchFunc(r.sent, at, func(s reached, at int64) int { return int(s.at - at) })
	if !known {
		r.sent = slices.Insert(r.sent, i, reached{at: at})
	}
	r.sent[i].n += n
	r.expose(reached{at, n}, at, r.until)
}

// OptedOut adds people who opted out in the minute that begins at a second.
func (r *reports) OptedOut(minute, n int64) {
	r.drift.Add(cell{At: minute, Bad: n})
}

// expose gives the minutes from a moment to another what usually comes of
// deliveries in them.
func (r *reports) expose(s reached, from, to int64) {
	for to = min(to, s.at+optOutsUntil); from < to; {
		minute := from / 60 * 60
		end := min(minute+60, to)
		e := r.minute[minute]
		if e == nil {
			e = &exposure{}
			r.minute[minute] = e
		}
		e.sum += float64(s.n) * (optedOutBy(float64(end-s.at)) - optedOutBy(float64(from-s.at)))
		whole := int64(math.Floor(e.sum + 1e-6))
		r.drift.Add(cell{At: minute, N: whole - e.has})
		e.has, from = whole, end
	}
}

// Judge judges at a moment, in Unix seconds; moments do not go back. known is how
// much of the opt-outs of all deliveries so far can have come in by now.
func (r *reports) Judge(now int64) (v Verdict, known float64) {
	var all, come float64
	for _, s := range r.sent {
		r.expose(s, max(s.at, r.until), now)
		all, come = all+float64(s.n), come+float64(s.n)*optedOutBy(float64(now-s.at))
	}
	r.until = max(r.until, now)
	if all > 0 {
		known = come / all
	}
	r.forget(now - optOutsUntil - 3600)
	return r.drift.verdict(r.drift.Judge()), known
}

// forget drops what is older than a moment.
func (r *reports) forget(before int64) {
	if len(r.sent) == 0 || r.sent[0].at >= before {
		return
	}
	r.sent = slices.DeleteFunc(r.sent, func(s reached) bool { return s.at < before })
	maps.DeleteFunc(r.minute, func(minute int64, _ *exposure) bool { return minute < before })
}
