package pane

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
	"pgregory.net/rapid"

	"tickwatch/monitor/link"
)

// A chart names its figure, its scale and its times, and has a hole where the
// figure is not known.
func TestTrend(t *testing.T) {
	first := now.Add(-2 * time.Minute).Truncate(time.Minute)
	course := trend{what: "Opt-outs a minute", values: []float64{0, math.NaN(), 120}, first: first, scale: plainCount}
	got := look().trend(course, 40, 6)
	want := []string{
		"Opt-outs a minute",
		"  120   █",
		"        █",
		"        █",
		"    0 ▁ █",
		"      09:09 09:11",
	}
	if len(got) != len(want) {
		t.Fatalf("%d lines: %q", len(got), got)
	}
	for i := range want {
		if line := strings.TrimRight(ansi.Strip(got[i]), " "); line != want[i] {
			t.Errorf("%d: %q, want %q", i, line, want[i])
		}
	}
	says(t, strings.Join(look().trend(trend{what: "Errors"}, 40, 6), "\n"), "Errors", "nothing yet")
}

// Whatever the figures and the room, a chart keeps to its room, and charts that
// share it name each of themselves.
func TestTrendsKeepToTheirRoom(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, h := rapid.IntRange(0, 130).Draw(t, "w"), rapid.IntRange(0, 40).Draw(t, "h")
		draw := func(name string) trend {
			return trend{
				what: name, first: now, scale: plainCount,
				values: rapid.SliceOfN(rapid.OneOf(rapid.Float64Range(0, 1e12), rapid.Just(math.NaN()), rapid.Just(math.Inf(1))), 0, link.MaxTrend).Draw(t, name),
			}
		}
		lines := look().charts(w, h, draw("one"), draw("two"))
		if len(lines) > h {
			t.Fatalf("%d lines in %d", len(lines), h)
		}
		for _, line := range lines {
			if ansi.StringWidth(line) > max(w, 40) { // the box cuts what a narrow one cannot hold
				t.Fatalf("%d wide in %d: %q", ansi.StringWidth(line), w, line)
			}
		}
		text := ansi.Strip(strings.Join(lines, "\n"))
		if w >= 10 && (h >= 2) != strings.Contains(text, "one") || w >= 10 && (h >= 4) != strings.Contains(text, "two") {
			t.Fatalf("at %dx%d:\n%s", w, h, text)
		}
	})
}
