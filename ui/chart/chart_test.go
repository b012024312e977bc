package chart

import (
	"math"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestSpark(t *testing.T) {
	nan := math.NaN()
	for _, c := range []struct {
		name   string
		values []float64
		lo, hi float64
		width  int
		want   string
	}{
		{"rising", []float64{0, 1, 2, 3, 4, 5, 6}, 0, 6, 7, "▁▂▃▄▅▆▇"},
		{"the latest are kept", []float64{9, 9, 0, 6}, 0, 6, 2, "▁▇"},
		{"short is filled up", []float64{6}, 0, 6, 3, "▇  "},
		{"unknown is empty, not zero", []float64{nan, 0}, 0, 6, 2, " ▁"},
		{"clamped", []float64{-5, 50, math.Inf(1), math.Inf(-1)}, 0, 6, 4, "▁▇▇▁"},
		{"no room", []float64{1}, 0, 6, 0, ""},
		{"no range", []float64{3, 3}, 3, 3, 2, "▇▇"},
	} {
		if got := Spark(c.values, c.lo, c.hi, c.width); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestColumns(t *testing.T) {
	got := Columns([]float64{0, 0.5, 1}, 0, 1, 4, 3)
	want := []string{"  █ ", " ▅█ ", "▁██ "}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestBar(t *testing.T) {
	for _, c := range []struct {
		share float64
		want  string
	}{
		{0, "········"},
		{0.0001, "█·······"},
		{0.5, "████····"},
		{0.9999, "███████·"},
		{1, "████████"},
		{7, "████████"},
		{-1, "········"},
		{math.NaN(), "········"},
		{math.Inf(1), "████████"},
	} {
		if got := Bar(c.share, 8); got != c.want {
			t.Errorf("Bar(%v) = %q, want %q", c.share, got, c.want)
		}
	}
}

// Every row is as wide as asked, whatever the values.
func TestSizes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.OneOf(rapid.Float64(), rapid.SampledFrom([]float64{math.NaN(), math.Inf(1), math.Inf(-1)}))
		values := rapid.SliceOfN(value, 0, 40).Draw(t, "values")
		lo, hi := value.Draw(t, "lo"), value.Draw(t, "hi")
		w, h := rapid.IntRange(1, 60).Draw(t, "w"), rapid.IntRange(1, 10).Draw(t, "h")
		rows := append(Columns(values, lo, hi, w, h), Spark(values, lo, hi, w), Bar(lo, w))
		if len(rows) != h+2 {
			t.Fatalf("%d rows, want %d", len(rows), h+2)
		}
		for _, r := range rows {
			if n := utf8.RuneCountInString(r); n != w {
				t.Fatalf("%q is %d wide, want %d", r, n, w)
			}
		}
	})
}
