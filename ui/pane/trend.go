package pane

import (
	"math"
	"slices"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"tickwatch/monitor/link"
	"tickwatch/ui/chart"
)

// trend is a figure by minute.
type trend struct {
	what   string    // what it counts, and its unit; "" where the pane says it
	values []float64 // oldest first; NaN = not known
	first  time.Time // the minute of the first one
	lo, hi float64   // the scale; hi 0 = as high as the highest
	scale  func(float64) string
}

// trend draws a figure over time with its name, its scale and its times: w
// wide, at most h rows. Where columns have no room it is one row.
func (l Look) trend(t trend, w, h int) []string {
	if h <= 0 || w <= 0 {
		return nil
	}
	var lines []string
	if t.what != "" && slices.ContainsFunc(t.values, chart.IsGap) {
		t.what += " (" + string(chart.Dash) + " no webhook came)"
	}
	if t.what != "" && h > 1 {
		lines = append(lines, l.Theme.Dim.Render(clip(t.what, w)))
		h--
	}
	if len(t.values) == 0 {
		return append(lines, l.Theme.Dim.Render(clip("nothing yet", w)))
	}
	if t.hi == 0 {
		t.hi = top(t.values)
	}
	high, low := t.scale(t.hi), t.scale(t.lo)
	axis := max(ansi.StringWidth(high), ansi.StringWidth(low), 5) + 1 // charts one below the other line up
	if h < 3 {
		return append(lines, l.Theme.Dim.Render(right(high, axis-1)+" ")+l.Theme.Chart.Render(chart.Spark(t.values, t.lo, t.hi, max(w-axis, 0))))
	}
	each := max((w-axis)/link.MaxTrend, 1)
	columns := chart.Columns(repeated(t.values, each), t.lo, t.hi, max(w-axis, 1), h-1)
	for i, c := range columns {
		scale := ""
		switch i {
		case 0:
			scale = high
		case len(columns) - 1:
			scale = low
		case (len(columns) - 1) / 2:
			if len(columns)%2 == 1 && len(columns) >= 5 {
				scale = t.scale((t.lo + t.hi) / 2)
			}
		}
		lines = append(lines, l.Theme.Dim.Render(right(clip(scale, axis-1), axis-1)+" ")+l.Theme.Chart.Render(c))
	}
	shown := min(len(t.values), (w-axis)/each)
	last := t.first.Add(time.Duration(len(t.values)-1) * time.Minute)
	from, to := l.clock(last.Add(-time.Duration(max(shown-1, 0))*time.Minute)), l.clock(last)
	times := from
	if shown > 1 {
		times = row(from, to, max(min(shown*each, w-axis), ansi.StringWidth(from)+ansi.StringWidth(to)+1))
	}
	return append(lines, l.Theme.Dim.Render(fit("", axis)+times))
}

// repeated makes each value as many cells wide.
func repeated(values []float64, each int) []float64 {
	wide := make([]float64, 0, len(values)*each)
	for _, v := range values {
		for range each {
			wide = append(wide, v)
		}
	}
	return wide
}

// top is the highest value, at least 1, rounded up to two digits so that the
// scale does not move with every message.
func top(values []float64) float64 {
	highest := 1.0
	for _, v := range values {
		if v > highest { // not NaN
			highest = v
		}
	}
	step := math.Pow(10, max(math.Floor(math.Log10(highest))-1, 0))
	return math.Ceil(highest/step) * step
}

// plainCount is the scale of counts.
func plainCount(v float64) string { return count(int64(math.Round(v))) }

// perMinute are the messages of each minute.
func perMinute(minutes []link.Minute, of func(*link.Minute) int64) []float64 {
	out := make([]float64, len(minutes))
	for i := range minutes {
		out[i] = float64(of(&minutes[i]))
	}
	return out
}

// arrivedPerMinute are the messages of each minute that arrived.
func arrivedPerMinute(minutes []link.Minute) []float64 {
	out := perMinute(minutes, func(m *link.Minute) int64 { return m.Delivered })
	for i := range minutes {
		if minutes[i].Gap {
			out[i] = chart.Gap
		}
	}
	return out
}

// countTrend is a count by minute, beside the campaign's course.
func countTrend(what string, minutes []link.Minute, values []float64) trend {
	t := trend{what: what, values: values, scale: plainCount}
	if n := len(values); n > 0 && len(minutes) > 0 {
		t.first = minutes[max(len(minutes)-n, 0)].At
	}
	return t
}

// charts shares a height among charts and puts a blank line between them. Each
// needs its name and a row; where that is too much the first ones stay.
func (l Look) charts(w, h int, all ...trend) []string {
	var lines []string
	all = all[:max(min(len(all), h/2), 0)]
	for i, t := range all {
		each := (h - len(lines)) / (len(all) - i)
		lines = append(lines, l.trend(t, w, min(each, 12))...)
		if i < len(all)-1 && each >= 7 {
			lines = append(lines, "")
		}
	}
	return lines
}

// sayEach joins parts that fit one line, and starts another where they do not.
func sayEach(parts []string, w int) []string {
	var lines []string
	line := ""
	for _, p := range parts {
		if line != "" && ansi.StringWidth(line+"   "+p) > w {
			lines, line = append(lines, line), ""
		}
		if line != "" {
			line += "   "
		}
		line += p
	}
	if strings.TrimSpace(line) != "" {
		lines = append(lines, line)
	}
	return lines
}
