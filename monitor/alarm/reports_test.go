package alarm

import "testing"

// reachAndLose reaches so many people in a minute, of whom some opt out in it.
func reachAndLose(people, optOuts int64) (Verdict, float64) {
	r := newReports(0.001, 0.005)
	for second := range people {
		r.Delivered(6000+second%60, 1)
	}
	r.OptedOut(6000, optOuts)
	return r.Judge(6060)
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
		v, known := r.Judge(at)
		if known <= before || known > 1 || float64(v.N) > 1000*known+1 {
			t.Errorf("at %d: %v known, %d judged; before %v", at, known, v.N, before)
		}
		before = known
	}
	if before != 1 {
		t.Errorf("after hours %v are known", before)
	}
}
