package chart

import (
	"math"
	"testing"
)

// A gap is no zero, no full column and no blank: it runs through every row.
func TestGap(t *testing.T) {
	values := []float64{1, Gap, 0, math.NaN()}
	if got, want := Spark(values, 0, 1, 5), "▇┊▁  "; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	got := Columns(values, 0, 1, 4, 2)
	if want := [...]string{"█┊  ", "█┊▁ "}; got[0] != want[0] || got[1] != want[1] {
		t.Errorf("%q, want %q", got, want)
	}
}
