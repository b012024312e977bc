package chart

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

func TestHeat(t *testing.T) {
	for _, c := range []struct {
		share float64
		want  string
	}{
		{0, "   "},
		{-1, "   "},
		{math.NaN(), "   "},
		{1e-9, "░░░"},
		{0.0999, "░░░"},
		{0.1, "▒▒▒"},
		{0.25, "▓▓▓"},
		{0.7499, "▓▓▓"},
		{0.75, "███"},
		{1, "███"},
		{7, "███"},
		{math.Inf(1), "███"},
	} {
		if got := Heat(c.share, 3); got != c.want {
			t.Errorf("Heat(%v) = %q, want %q", c.share, got, c.want)
		}
	}
	if Heat(1, 0) != "" || Heat(1, -1) != "" {
		t.Error("no width, yet something is drawn")
	}
	// More is never lighter.
	depth := map[string]int{" ": 0, "░": 1, "▒": 2, "▓": 3, "█": 4}
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.Float64().Draw(t, "a"), rapid.Float64().Draw(t, "b")
		if a > b {
			a, b = b, a
		}
		if depth[Heat(a, 1)] > depth[Heat(b, 1)] {
			t.Fatalf("%v is darker than %v", a, b)
		}
	})
}
