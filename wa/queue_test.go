package wa

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestParsePace(t *testing.T) {
	for s, want := range map[string]Pace{
		"20/s": {20, time.Second}, "600/m": {600, time.Minute}, "1000/h": {1000, time.Hour}, "1/h": {1, time.Hour}, "none": {}, "0": {},
	} {
		if got, err := ParsePace(s); err != nil || got != want {
			t.Errorf("%q: %v, %v", s, got, err)
		}
	}
	for _, s := range []string{"", "20", "20/", "/s", "20/d", "0/s", "-5/s", "1.5/s", "20 /s", "20/s/m", "NaN/s", "99999999999999999999/s", "\x1b[2J/s"} {
		got, err := ParsePace(s)
		if err == nil || got != (Pace{}) || err.Error() != Clean(err.Error()) {
			t.Errorf("%q: %v, %v", s, got, err)
		}
	}
}

func TestPace(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := Pace{rapid.Int64Range(1, 1e12).Draw(t, "messages"), rapid.SampledFrom([]time.Duration{time.Second, time.Minute, time.Hour}).Draw(t, "per")}
		if back, err := ParsePace(p.String()); err != nil || back != p {
			t.Fatalf("%s reads as %v, %v", p, back, err)
		}
	})
	for p, want := range map[Pace]float64{{20, time.Second}: 20, {600, time.Minute}: 10, {3600, time.Hour}: 1, {}: 0, {5, 0}: 0, {-5, time.Second}: 0} {
		if p.PerSecond() != want {
			t.Errorf("%s is %g a second, want %g", p, p.PerSecond(), want)
		}
	}
	if s := (Pace{}).String(); s != "none" {
		t.Errorf("no limit reads %q", s)
	}
}

func TestPlanValue(t *testing.T) {
	p := Plan{Columns: []string{"first_name", "code"}, Bind: map[string]int{"1": 0, "button2": 1, "2": 7}}
	row := []string{"Ana"}
	for variable, want := range map[string]string{"1": "Ana", "button2": "", "2": "", "3": ""} {
		if got := p.Value(row, variable); got != want {
			t.Errorf("%s is %q, want %q", variable, got, want)
		}
	}
}
