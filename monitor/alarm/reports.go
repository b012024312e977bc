package alarm

import (
	"maps"
	"math"
	"slices"
)

// reports judges opt-outs per delivery at present: a proxy for reports. People opt
// out minutes to hours after they were reached, so a delivery counts for as much as
// of its opt-outs can be known by now. Nobody publishes how late they come, so it is
// reckoned twice: soon, which accuses, for if they come later it only accuses later;
// and late, which alone may call them few. It is for one goroutine.
type reports struct {
	soon, late *optOuts
	sent       []reached // in order
	until      int64     // minutes have what is known by this second; 0 = nothing
}

// optOuts are judged by one assumption of how late they come.
type optOuts struct {
	delays []delay
	drift  *drift
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

// delay is the share of opt-outs that have come by an age.
type delay struct{ seconds, share float64 }

// How late people opt out, of those who do: assumptions, as nobody publishes it.
// Soon, half do within the minute, nearly all within hours. Late, half take over an
// hour and a quarter: later than a log-normal distribution (of deviation 1) of which
// half take an hour, so that what holds for these holds for those, too.
var (
	optOutsSoon = []delay{{0, 0}, {10, 0.15}, {45, 0.50}, {240, 0.80}, {1200, 0.95}, {optOutsUntil, 1}}
	optOutsLate = []delay{{0, 0}, {300, 0.003}, {900, 0.05}, {1800, 0.16}, {3600, 0.39}, {7200, 0.66}, {4 * 3600, 0.86}, {optOutsUntil, 1}}
)

// optedOutBy is the share of opt-outs that have come by an age in seconds.
func optedOutBy(delays []delay, age float64) float64 {
	for i := 1; i < len(delays); i++ {
		if lo, hi := delays[i-1], delays[i]; age < hi.seconds {
			return lo.share + (hi.share-lo.share)*math.Max(age-lo.seconds, 0)/(hi.seconds-lo.seconds)
		}
	}
	return 1
}

// Evidence that accuses of too many opt-outs, and how many there must be: they are
// few, and a handful too many in a campaign's first minute is worth a look long
// before it is certain. It is certain with as much evidence as sureReports.
const (
	accuseReports = 4
	leastOptOuts  = 5
	sureReports   = 100
)

// newReports judges by shares of opt-outs per delivery.
func newReports(ok, act float64) *reports {
	by := func(delays []delay, shares ...float64) *optOuts {
		var lines []line
		for _, s := range shares {
			lines = append(lines, line{s, accuseReports, well})
		}
		o := &optOuts{delays: delays, drift: newDrift(lines, ofOptOuts, blockSize), minute: map[int64]*exposure{}}
		o.drift.least = leastOptOuts
		return o
	}
	return &reports{soon: by(optOutsSoon, ok, act), late: by(optOutsLate, act)}
}

// Delivered adds deliveries of messages whose clocks started in a second.
func (r *reports) Delivered(at, n int64) {
	at -= at % reachedSpan
	i, known := slices.BinarySearchFunc(r.sent, at, func(s reached, at int64) int { return int(s.at - at) })
	if !known {
		r.sent = slices.Insert(r.sent, i, reached{at: at})
	}
	r.sent[i].n += n
	for _, o := range []*optOuts{r.soon, r.late} {
		o.expose(reached{at, n}, at, r.until)
	}
}

// OptedOut adds people who opted out in the minute that begins at a second.
func (r *reports) OptedOut(minute, n int64) {
	r.soon.drift.Add(cell{At: minute, Bad: n})
	r.late.drift.Add(cell{At: minute, Bad: n})
}

// expose gives the minutes from a moment to another what usually comes of
// deliveries in them.
func (o *optOuts) expose(s reached, from, to int64) {
	for to = min(to, s.at+optOutsUntil); from < to; {
		minute := from / 60 * 60
		end := min(minute+60, to)
		e := o.minute[minute]
		if e == nil {
			e = &exposure{}
			o.minute[minute] = e
		}
		e.sum += float64(s.n) * (optedOutBy(o.delays, float64(end-s.at)) - optedOutBy(o.delays, float64(from-s.at)))
		whole := int64(math.Floor(e.sum + 1e-6))
		o.drift.Add(cell{At: minute, N: whole - e.has})
		e.has, from = whole, end
	}
}

// Judge judges at a moment, in Unix seconds; moments do not go back. known is how
// much of the opt-outs of all deliveries so far can have come in by now, if they come
// soon, and least if they come late.
func (r *reports) Judge(now int64) (v Verdict, known, least float64) {
	var all float64
	for _, s := range r.sent {
		for _, o := range []*optOuts{r.soon, r.late} {
			o.expose(s, max(s.at, r.until), now)
		}
		n := float64(s.n)
		all += n
		known += n * optedOutBy(r.soon.delays, float64(now-s.at))
		least += n * optedOutBy(r.late.delays, float64(now-s.at))
	}
	r.until = max(r.until, now)
	if all > 0 {
		known, least = known/all, least/all
	}
	r.forget(now - optOutsUntil - 3600)
	d := r.soon.drift
	v = d.verdict(d.Judge())
	if v.Level != OK {
		share := d.lines[v.Level-Watch].Share
		sum, _ := d.evidence(share, false, max(0, len(d.blocks)-lookBack))
		if v.Sure = sum >= sureReports; v.Sure {
			v.Beyond = d.beyond(&line{Share: share, Accuse: sureReports})
		}
		return v, known, least
	}
	if late := r.late.drift.verdict(r.late.drift.Judge()); !v.Unsure && (late.Unsure || late.Level != OK) {
		v.Unsure = true // and time tells, not more messages
	}
	return v, known, least
}

// forget drops what is older than a moment.
func (r *reports) forget(before int64) {
	if len(r.sent) == 0 || r.sent[0].at >= before {
		return
	}
	r.sent = slices.DeleteFunc(r.sent, func(s reached) bool { return s.at < before })
	for _, o := range []*optOuts{r.soon, r.late} {
		maps.DeleteFunc(o.minute, func(minute int64, _ *exposure) bool { return minute < before })
	}
}
