package alarm

import "slices"

// Sent is what is known of the messages whose clocks started in one second, or what
// has been added to it.
type Sent struct {
	Messages  int64
	Paced     int64 // held back by Meta for now
	Delivered int64
	Soon      int64 // delivered within a minute of their own clock
	Failed    int64 // and not delivered
	Withheld  int64 // part of Failed: Meta chose not to deliver them
}

func (s *Sent) add(d *Sent) {
	s.Messages += d.Messages
	s.Paced += d.Paced
	s.Delivered += d.Delivered
	s.Soon += d.Soon
	s.Failed += d.Failed
	s.Withheld += d.Withheld
}

// Verdict is a judgement of a rate at present.
type Verdict struct {
	Level  Level
	Unsure bool    // neither trouble nor its absence is shown
	N, Bad int64   // judged messages that the rate is of
	Since  int64   // the Unix second of the first of them
	Beyond float64 // while Level is not OK: surely more than this share is bad
	Sure   bool    // of opt-outs, while Level is not OK: the line is surely crossed, and not only likely
	More   int64   // while Unsure: about so many messages more are needed; 0 or less = cannot be said
}

// Good is the share of those that are not bad; 1 when nothing was judged.
func (v *Verdict) Good() float64 {
	if v.N == 0 {
		return 1
	}
	return 1 - float64(v.Bad)/float64(v.N)
}

// Evidence that accuses a delivery of falling short, the same by blocks twice as
// large, evidence that takes it back, and evidence that calls it well. They were
// chosen so that of campaigns of 10,000 messages of which 95 % arrive about one in a
// hundred is accused of less than 90 % when failures come in runs of twelve (the
// scoreboard measures it), and as good as none when each fails for itself.
const (
	accuse       = 1400
	accuseDouble = 90
	acquit       = 40
	well         = 20
)

// rate judges how messages fare at present, second by second. Only those of an age
// are judged, whatever became of them sooner, so that what is told soon does not
// weigh more than what is told late. A second look, in blocks twice as large, must
// agree: a run of failures that lies across two blocks looks like two that do not
// depend on each other. It is for one goroutine.
type rate struct {
	after  int64 // seconds until a message is judged
	count  func(*Sent) (n, bad int64)
	drift  *drift
	double *drift
	young  []second // not judged yet, in order
	until  int64    // seconds up to here are judged
	judged bool     // latest holds for all that was added
	latest Verdict
}

type second struct {
	at int64
	Sent
}

// newDelivery judges whether messages arrive, by those that fail within the age of
// being judged; the withheld are left out. ok and act are shares of arrived
// messages, after is in seconds.
func newDelivery(ok, act float64, after int64) *rate {
	return newRate(after, func(s *Sent) (int64, int64) { return s.Messages - s.Paced - s.Withheld, s.Failed - s.Withheld },
		1-ok, 1-act)
}

// newWithheld judges how many messages Meta chooses not to deliver: watch and act
// are shares of them.
func newWithheld(watch, act float64, after int64) *rate {
	return newRate(after, func(s *Sent) (int64, int64) { return s.Messages - s.Paced, s.Withheld },
		watch, act)
}

// newLateness judges how many of the messages that have not failed are still
// undelivered after a minute; usual is the share of arrivals that come within it.
// Nobody is told to act by a curve that is not the account's own.
func newLateness(ok, act, usual float64, own bool) *rate {
	lines := []float64{1 - act*usual}
	if own {
		lines = []float64{1 - ok*usual, 1 - act*usual}
	}
	return newRate(60, func(s *Sent) (int64, int64) {
		return s.Messages - s.Paced - s.Failed, s.Messages - s.Paced - s.Failed - s.Soon
	}, lines...)
}

func newRate(after int64, count func(*Sent) (n, bad int64), shares ...float64) *rate {
	lines := func(accuse float64) []line {
		var all []line
		for _, s := range shares {
			all = append(all, line{Share: s, Accuse: accuse, Acquit: acquit})
		}
		return all
	}
	return &rate{
		after: after, count: count,
		drift: newDrift(lines(accuse), ofFailures, blockSize), double: newDrift(lines(accuseDouble), ofFailures, 2*blockSize),
	}
}

// Add adds to what is known of a second's messages.
func (r *rate) Add(at int64, d Sent) {
	if at <= r.until {
		r.add(at, &d)
		return
	}
	i, known := slices.BinarySearchFunc(r.young, at, func(s second, at int64) int { return int(s.at - at) })
	if !known {
		r.young = slices.Insert(r.young, i, second{at: at})
	}
	r.young[i].add(&d)
}

func (r *rate) add(at int64, s *Sent) {
	n, bad := r.count(s)
	if n == 0 && bad == 0 {
		return
	}
	r.judged = false
	r.drift.Add(cell{At: at, N: n, Bad: bad})
	r.double.Add(cell{At: at, N: n, Bad: bad})
}

// Judge judges at a moment, in Unix seconds. Moments do not go back.
func (r *rate) Judge(now int64) Verdict {
	r.until = max(r.until, now-r.after)
	old := 0
	for ; old < len(r.young) && r.young[old].at <= r.until; old++ {
		r.add(r.young[old].at, &r.young[old].Sent)
	}
	r.young = slices.Delete(r.young, 0, old)
	if r.judged {
		return r.latest
	}
	findings := r.drift.Judge()
	for i, f := range r.double.Judge() {
		findings[i].Accused = findings[i].Accused && f.Accused
	}
	r.latest, r.judged = r.drift.verdict(findings), true
	return r.latest
}

// verdict is about the last line, then those before it, and calls a share well that
// is within the first line and surely within the last.
func (d *drift) verdict(findings []finding) Verdict {
	last := len(findings) - 1
	for i := last; i >= 0; i-- {
		if f := &findings[i]; f.Accused {
			level := Watch
			if i > 0 {
				level = Act
			}
			return Verdict{Level: level, N: f.N, Bad: f.Bad, Since: f.Since, Beyond: f.Beyond}
		}
	}
	f := &findings[last]
	v := Verdict{N: f.N, Bad: f.Bad, Since: f.Since}
	if v.Unsure = f.N == 0 || float64(f.Bad) > d.lines[0].Share*float64(f.N) || !d.within(last, f.Since); v.Unsure {
		v.More = d.more(last, f)
	}
	return v
}
