package alarm

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"tickwatch/wa"
)

// play is a simulated campaign: what is sent, what is heard of it, and when.
type play struct {
	name   string
	own    bool
	length int64                   // seconds in which it sends
	send   func(second int64) bool // whether it sends in a second, at rate
	rate   float64                 // messages a second while it does
	reads  float64                 // share that is read
	quick  float64                 // share of arrivals within five seconds
	dark   float64                 // share that no answer ever comes of: phones that are off
	hasty  bool                    // who reads does so within 40 seconds
	cut    int64                   // the outage begins; 0 = there is none
}

const begin = int64(1_800_000_000)

type statusAt struct {
	second, clock int64
	kind          byte // s, d, r, f
}

// course draws when each status of a campaign comes.
func (p *play) course(r *rand.Rand) (handed []int64, all []statusAt) {
	debt := 0.0
	for s := range p.length {
		if !p.send(s) {
			continue
		}
		debt += p.rate * (0.5 + r.Float64())
		for ; debt >= 1; debt-- {
			handed = append(handed, s)
			at := s + 1 + int64(r.ExpFloat64())
			all = append(all, statusAt{at, s, 's'})
			switch u := r.Float64(); {
			case u < 0.03:
				all = append(all, statusAt{at + int64(r.ExpFloat64()*4), s, 'f'})
				continue
			case u < 0.03+p.dark:
				continue
			}
			delay := r.Float64() * 5
			if r.Float64() > p.quick {
				delay = 5 * math.Exp(r.Float64()*math.Log(360)) // up to half an hour, evenly in its logarithm
			}
			all = append(all, statusAt{at + int64(delay), s, 'd'})
			if r.Float64() < p.reads {
				read := math.Exp(5.5 + 1.2*r.NormFloat64())
				if p.hasty {
					read = 40 * r.Float64()
				}
				all = append(all, statusAt{at + int64(delay+read), s, 'r'})
			}
		}
	}
	slices.SortFunc(all, func(a, b statusAt) int { return int(a.second - b.second) })
	return handed, all
}

// run plays a campaign to a Feed and gives the second in which it was first sick;
// -1 when it never was.
func (p *play) run(r *rand.Rand) (sick int64, what Sickness) {
	handed, all := p.course(r)
	var f Feed
	end := p.length + 900
	if p.cut > 0 {
		end = p.cut + 600
	}
	h, i := 0, 0
	for s := range end {
		n := FeedNews{Outside: map[int64]Outside{}}
		for ; h < len(handed) && handed[h] == s; h++ {
			if p.own {
				n.Handed++
			}
		}
		for ; i < len(all) && all[i].second <= s; i++ {
			x := all[i]
			if p.cut > 0 && x.second >= p.cut {
				continue
			}
			n.Any = true
			if x.second-x.clock > 60 || x.kind == 'r' {
				n.Late++
			}
			if p.own {
				n.Own++
				continue
			}
			o := n.Outside[begin+x.clock]
			switch x.kind {
			case 's':
				o.Messages++
			case 'd', 'f':
				o.Answered++
			}
			n.Outside[begin+x.clock] = o
		}
		now := wa.Instant(begin+s) * 1000
		f.Add(now, n)
		if what, _ := f.Look(now, true); what != FeedWell {
			return s, what
		}
	}
	return -1, FeedWell
}

// plays draws campaigns of every shape.
func plays(r *rand.Rand, n int, sick bool) []play {
	always := func(int64) bool { return true }
	all := make([]play, n)
	for i := range all {
		p := play{
			own: i%2 == 0, rate: math.Exp(math.Log(0.28) + r.Float64()*math.Log(20/0.28)), length: 600 + r.Int64N(1200),
			reads: 0.2 + 0.4*r.Float64(), quick: 0.7 + 0.25*r.Float64(), dark: 0.03, send: always, name: "even",
		}
		if !p.own { // one of a few messages says too little of another system's feed
			p.rate = 2 + r.Float64()*18
		}
		switch i % 8 {
		case 2, 5:
			if !sick {
				p.name, p.rate = "bursts", 100
				p.send = func(s int64) bool { return s%300 < 6 }
			}
		case 3, 6:
			if !sick {
				p.name, p.length = "short", 60+r.Int64N(120)
			}
		}
		if i%5 == 0 {
			p.dark = 0.15
		}
		if sick {
			p.cut = 240 + r.Int64N(300)
		}
		all[i] = p
	}
	return all
}

// 200 outages and 200 healthy campaigns, of our own and of another system, even,
// in bursts, short, and over: 99 in 100 of each are told apart.
func TestFeedTellsOutagesApart(t *testing.T) {
	const each = 200
	r := rand.New(rand.NewPCG(7, 11))
	missed, falsely, early := 0, 0, 0
	var late []int64
	for _, p := range plays(r, each, true) {
		at, what := p.run(r)
		switch {
		case at < 0:
			missed++
			t.Logf("missed: %+v", p)
		case at < p.cut:
			early++
			t.Logf("before the outage: %+v", p)
		case p.own != (what == FeedBlind):
			t.Errorf("own %v is said to be %d", p.own, what)
		default:
			late = append(late, at-p.cut)
		}
	}
	for _, p := range plays(r, each, false) {
		if at, _ := p.run(r); at >= 0 {
			falsely++
			t.Logf("sick at %d: %+v", at, p)
		}
	}
	slices.Sort(late)
	t.Logf("missed %d, before it %d, false %d of %d; told %d s after the outage in the middle, %d s at the latest", missed, early, falsely, each, late[len(late)/2], late[len(late)-1])
	if missed+early > each/100 || falsely > each/100 {
		t.Errorf("of %d outages %d are missed and %d told before they are; of %d healthy campaigns %d are called sick", each, missed, early, each, falsely)
	}
}

// What nothing was ever heard of is blind, too.
func TestFeedNeverHeardOf(t *testing.T) {
	var f Feed
	now := wa.Instant(begin * 1000)
	for range 60 {
		f.Add(now, FeedNews{Handed: 1})
		now += 1000
	}
	if got, since := f.Look(now, true); got != FeedBlind || since != wa.Instant(begin*1000) {
		t.Errorf("%d since %v", got, since)
	}
	f.Add(now, FeedNews{Any: true}) // some other news: of what we send nothing is heard
	if got, _ := f.Look(now, true); got != FeedBlind {
		t.Errorf("after other news: %d", got)
	}
	f.Add(now, FeedNews{Any: true, Own: 1})
	if got, _ := f.Look(now, true); got != FeedWell || f.Blind() != 0 {
		t.Errorf("after a status: %d", got)
	}
}

// 600 messages at once, their answers, and silence are no outage, whoever sends.
func TestFeedAfterABurst(t *testing.T) {
	for i := range 4 {
		own := i%2 == 0
		p := play{own: own, length: 2, rate: 400, reads: 0.3, quick: 0.85, dark: 0.03, hasty: i >= 2, send: func(int64) bool { return true }}
		if p.hasty {
			p.quick = 1
		}
		for seed := range uint64(50) {
			if at, what := p.run(rand.New(rand.NewPCG(seed, 1))); at >= 0 {
				t.Errorf("own %v, seed %d: %d at second %d", own, seed, what, at)
			}
		}
	}
}

// A small send that is over, with many phones that are off and few late answers, is
// silent for long; that its last answers came after its last message tells it from one
// that was cut off.
func TestFeedAfterASmallSend(t *testing.T) {
	falsely := 0
	for seed := range uint64(100) {
		p := play{length: 75, rate: 2, reads: 0.15, quick: 0.98, dark: 0.15, send: func(int64) bool { return true }}
		if at, _ := p.run(rand.New(rand.NewPCG(seed, 2))); at >= 0 {
			falsely++
		}
	}
	if falsely > 6 {
		t.Errorf("%d of 100 are called sick", falsely)
	}
}
