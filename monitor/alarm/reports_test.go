package alarm

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// reachAndLose reaches so many people in a minute, of whom some opt out in it.
func reachAndLose(people, optOuts int64) (Verdict, float64) {
	r := newReports(0.001, 0.005)
	for second := range people {
		r.Delivered(6000+second%60, 1)
	}
	r.OptedOut(6000, optOuts)
	v, known, _ := r.Judge(6060)
	return v, known
}

// So few opt-outs that they say nothing accuse nobody, whatever the odds; as many
// more do.
func TestFewOptOuts(t *testing.T) {
	for optOuts := range int64(leastOptOuts) {
		if v, _ := reachAndLose(60, optOuts); v.Level != OK {
			t.Errorf("%d opt-outs: %+v", optOuts, v)
		}
	}
	if v, _ := reachAndLose(60, leastOptOuts); v.Level != Act || v.Bad != leastOptOuts {
		t.Errorf("%d of 60 opt out: %+v", leastOptOuts, v)
	}
}

// A delivery counts for as much as of its opt-outs can be known: about a half of
// those of a minute by the end of it, all of them after hours.
func TestKnownOptOuts(t *testing.T) {
	r := newReports(0.001, 0.005)
	r.Delivered(6000, 1000)
	before := 0.0
	for _, at := range []int64{6010, 6060, 6300, 9600, 6000 + optOutsUntil} {
		v, known, least := r.Judge(at)
		if known <= before || least > known || known > 1 || float64(v.N) > 1000*known+1 {
			t.Errorf("at %d: %v known, %d judged; before %v", at, known, v.N, before)
		}
		before = known
	}
	if before != 1 {
		t.Errorf("after hours %v are known", before)
	}
}

// optOutRun is what is said, every ten seconds, of a campaign of 20 messages a second
// whose people opt out at a rate, so many seconds after they were reached.
func optOutRun(seed uint64, rate float64, after func(*rand.Rand) float64, minutes int64) (all []Verdict) {
	r, draw := newReports(0.001, 0.005), rand.New(rand.NewPCG(seed, 1))
	outs := map[int64]int64{}
	for second := int64(0); second < minutes*60; second += 10 {
		r.Delivered(6000+second, 200)
		for i := range int64(200) {
			if draw.Float64() < rate {
				outs[(second+i/20+int64(after(draw)))/10*10]++
			}
		}
		r.OptedOut(6000+second/60*60, outs[second])
		v, _, _ := r.Judge(6000 + second + 10)
		all = append(all, v)
	}
	return all
}

// quickly draws how late people opt out as is assumed where they do so soon.
func quickly(draw *rand.Rand) float64 {
	u := draw.Float64()
	for i := 1; ; i++ {
		if lo, hi := optOutsSoon[i-1], optOutsSoon[i]; u <= hi.share {
			return lo.seconds + (hi.seconds-lo.seconds)*(u-lo.share)/(hi.share-lo.share)
		}
	}
}

// within draws how late they do when half take so many minutes.
func within(minutes float64) func(*rand.Rand) float64 {
	return func(draw *rand.Rand) float64 { return 60 * minutes * math.Exp(draw.NormFloat64()) }
}

// Twice as many as are to be acted on are not called few because most of them have not
// come yet, even if half take an hour; and few are called few, in the end.
func TestOptOutsAreNotCalledFewTooSoon(t *testing.T) {
	for name, after := range map[string]func(*rand.Rand) float64{"soon": quickly, "20 minutes": within(20), "an hour": within(60)} {
		wrong, late, first := 0, 0, 0
		few := func(v Verdict) bool { return v.Level == OK && !v.Unsure }
		for seed := range uint64(60) {
			if slices.ContainsFunc(optOutRun(seed, 0.01, after, 60), few) {
				wrong++
			}
		}
		for seed := range uint64(20) {
			all := optOutRun(seed, 0.0004, after, 90)
			first += slices.IndexFunc(all, few)
			if !few(all[len(all)-1]) {
				late++
			}
		}
		t.Logf("half opt out within %s: wrong %d, late %d, first %d s", name, wrong, late, first/2)
		if wrong > 1 || late > 2 {
			t.Errorf("half opt out within %s: 1 %% was called few in %d campaigns of 60, and 0.04 %% was not in %d of 20", name, wrong, late)
		}
	}
}

// What is sure, and not only likely, is hardly ever wrong; what is plain is sure soon.
func TestLikelyIsNotSure(t *testing.T) {
	count := func(rate float64, after func(*rand.Rand) float64) (likely, sure int) {
		for seed := range uint64(300) {
			all := optOutRun(seed, rate, after, 9)
			if slices.ContainsFunc(all, func(v Verdict) bool { return v.Level == Act }) {
				likely++
			}
			if slices.ContainsFunc(all, func(v Verdict) bool { return v.Level == Act && v.Sure }) {
				sure++
			}
		}
		return likely, sure
	}
	atOnce := func(*rand.Rand) float64 { return 0 } // sooner than is assumed
	for name, after := range map[string]func(*rand.Rand) float64{"soon": quickly, "at once": atOnce} {
		likely, sure := count(0.003, after)
		t.Logf("opting out %s: %d likely, %d sure", name, likely, sure)
		if likely == 0 || sure > 3 {
			t.Errorf("opting out %s: 0.3 %% is likely over 0.5 %% in %d campaigns of 300, and surely in %d", name, likely, sure)
		}
	}
	if _, sure := count(0.02, quickly); sure < 297 {
		t.Errorf("2 %% is surely over 0.5 %% in %d campaigns of 300", sure)
	}
}
