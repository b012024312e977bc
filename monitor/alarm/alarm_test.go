package alarm

import (
	"testing"

	"pgregory.net/rapid"

	"tickwatch/wa"
)

// delivery is a rule of the product: below 95 % watch, below 90 % act.
var delivery = Threshold{Watch: 0.95, Act: 0.90, Below: true, Margin: 0.01, Hold: 5000, Calm: 60_000}

func TestRaiseGrowClear(t *testing.T) {
	var s State
	for _, step := range []struct {
		second int64
		figure float64
		want   Level
	}{
		{0, 0.97, OK},
		{1, 0.94, OK}, // not for long enough yet
		{3, 0.96, OK}, // an odd moment
		{4, 0.94, OK},
		{9, 0.94, Watch},
		{10, 0.80, Watch},
		{12, 0.94, Watch},
		{13, 0.80, Watch}, // one odd moment in between: the hold begins anew
		{18, 0.80, Act},
		{20, 0.905, Act}, // hardly better: the line's margin is not passed
		{100, 0.955, Act},
		{159, 0.955, Act},
		{160, 0.955, Watch}, // a minute beyond the act line; not beyond the watch line's margin
		{161, 0.97, Watch},
		{221, 0.97, OK},
	} {
		if got := s.Judge(delivery, wa.Instant(step.second*1000), step.figure); got != step.want {
			t.Fatalf("at %d s, %v: level %d, want %d", step.second, step.figure, got, step.want)
		}
	}
}

// One odd moment at the end of a hold raises no higher than all of it asked for.
func TestOneOddMoment(t *testing.T) {
	var s State
	for second := range int64(5) {
		s.Judge(delivery, wa.Instant(1000*(second+1)), 0.94)
	}
	if got := s.Judge(delivery, 6000, 0.5); got != Watch {
		t.Errorf("level %d", got)
	}
}

func TestAboveLines(t *testing.T) {
	cpu := Threshold{Watch: 0.7, Act: 0.9}
	for figure, want := range map[float64]Level{0.5: OK, 0.7: OK, 0.71: Watch, 0.95: Act} {
		var s State
		if got := s.Judge(cpu, 1, figure); got != want {
			t.Errorf("%v: level %d, want %d", figure, got, want)
		}
	}
}

// A figure that stays on one side of all lines for long enough ends at that
// side's level, whatever came before; and no level is reached that the figure
// never asked for.
func TestSettles(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s State
		now := wa.Instant(0)
		worst := OK
		for range rapid.IntRange(0, 50).Draw(t, "steps") {
			now += wa.Instant(rapid.Int64Range(1, 30_000).Draw(t, "wait"))
			f := rapid.Float64Range(0.8, 1).Draw(t, "figure")
			worst = max(worst, delivery.Plain(f))
			if got := s.Judge(delivery, now, f); got > worst {
				t.Fatalf("level %d, but the figure was never worse than %d", got, worst)
			}
		}
		final := rapid.SampledFrom([]float64{0.999, 0.93, 0.85}).Draw(t, "final")
		for range 200 {
			now += 1000
			s.Judge(delivery, now, final)
		}
		if s.Level != delivery.Plain(final) {
			t.Fatalf("level %d after %v for long, want %d", s.Level, final, delivery.Plain(final))
		}
	})
}
