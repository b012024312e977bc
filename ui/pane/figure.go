package pane

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// notKnown stands where a figure is missing; never a zero.
const notKnown = "–"

// count prints a number of messages or people: 6,812, and 1.2M from a million on.
func count(n int64) string {
	f := float64(n)
	switch {
	case n >= 1_000_000_000:
		return strconv.FormatFloat(math.Floor(f/1e8)/10, 'f', 1, 64) + "G"
	case n >= 1_000_000:
		return strconv.FormatFloat(math.Floor(f/1e5)/10, 'f', 1, 64) + "M"
	}
	s := strconv.FormatInt(n, 10)
	if n >= 1000 {
		s = s[:len(s)-3] + "," + s[len(s)-3:]
	}
	return s
}

// things prints a count with its noun.
func things(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return count(n) + " " + many
}

// percent prints a share of one with the given decimals. It cuts and never
// rounds up: 94.96 % must not look like the 95 % that would be well.
func percent(share float64, decimals int) string {
	if math.IsNaN(share) || math.IsInf(share, 0) {
		return notKnown
	}
	scale := math.Pow10(decimals)
	v := math.Floor(min(max(share, 0), 9.99)*100*scale+1e-6) / scale
	if v == 0 && share > 0 {
		return "<" + strconv.FormatFloat(1/scale, 'f', decimals, 64) + " %"
	}
	return strconv.FormatFloat(v, 'f', decimals, 64) + " %"
}

// fresh is how old figures may be and still be called of just now. A calm
// daemon publishes every few seconds.
const fresh = 8 * time.Second

// ago says how old something is, coarsely, so that a calm screen stays still.
func ago(d time.Duration) string {
	switch {
	case d < fresh:
		return "just now"
	case d < time.Minute:
		return strconv.Itoa(max(int(d/(10*time.Second)), 1)*10) + " s ago"
	}
	return span(d) + " ago"
}

// span prints a duration in its largest unit, cut.
func span(d time.Duration) string {
	switch {
	case d < time.Minute:
		return strconv.Itoa(int(max(d, 0)/time.Second)) + " s"
	case d < time.Hour:
		return strconv.Itoa(int(d/time.Minute)) + " min"
	case d < 48*time.Hour:
		return strconv.Itoa(int(d/time.Hour)) + " h"
	}
	return strconv.Itoa(int(min(d/(24*time.Hour), 9999))) + " days"
}

// minutes prints a duration as MM:SS.
func minutes(d time.Duration) string {
	s := int(max(d, 0) / time.Second)
	two := func(n int) string {
		if n < 10 {
			return "0" + strconv.Itoa(n)
		}
		return strconv.Itoa(n)
	}
	return two(s/60) + ":" + two(s%60)
}

// bytesFree prints a size in whole units.
func bytesFree(n uint64) string {
	switch {
	case n >= 1<<40:
		return strconv.FormatUint(n>>40, 10) + " TB"
	case n >= 1<<30:
		return strconv.FormatUint(n>>30, 10) + " GB"
	}
	return strconv.FormatUint(n>>20, 10) + " MB"
}

// floats turns counts into chart values.
func floats(counts []int64) []float64 {
	out := make([]float64, len(counts))
	for i, n := range counts {
		out[i] = float64(n)
	}
	return out
}

// highest is the largest count, at least 1, as the top of a chart.
func highest(counts []int64) float64 {
	top := int64(1)
	for _, n := range counts {
		top = max(top, n)
	}
	return float64(top)
}

// shortNumber shortens a phone number to what is needed to tell it from others.
func shortNumber(display string) string {
	digits := strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, display)
	if len(digits) < 9 {
		return display
	}
	return "+" + digits[:5] + "…" + digits[len(digits)-2:]
}

// orNaN is a figure as charts take it: NaN where it is not known.
func orNaN(f *float64) float64 {
	if f == nil {
		return math.NaN()
	}
	return *f
}
