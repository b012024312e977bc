package pane

import (
	"math"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"tickwatch/monitor/link"
	"tickwatch/ui/chart"
)

// The scale of the delivery chart. From zero, 97 % and 90 % would look alike.
const (
	chartLow  = 0.70
	chartHigh = 1.00
)

// looksWell is the share from which on nobody wonders that a verdict is OK. Below it
// the present rate is said, too: the figure remembers the trouble that is over.
const looksWell = 0.95

// Delivered tells whether the campaign's first thirty minutes reach people: the
// verdict, the share that arrived of those decided, its course by minute, and
// what the rest is waiting for.
func Delivered(l Look, c *link.Campaign, focused bool, w, h int) string {
	f := &c.First30
	inner, rows := max(w-4, 0), max(h-2, 0)
	figure, likely := l.badge(f.Verdict)+" "+l.settled(f), projection(f, inner)
	if ansi.StringWidth(figure)+1+ansi.StringWidth(likely) > inner {
		likely = strings.TrimPrefix(likely, "of all ")
	}
	top := []string{
		row(figure, l.Theme.Dim.Render(likely), inner),
		l.Theme.Dim.Render("arrived, of those decided (" + count(f.Delivered+f.Failed) + ")"),
	}
	tail := l.deliveredCounts(c, inner)
	details := []string{l.Theme.Dim.Render(byAge(f.ByAge, inner)), l.Theme.Dim.Render(soFar(&c.Counts, inner))}
	roomy := inner >= 56 && rows >= 9
	if roomy {
		tail = append(tail, details...)
	}
	last := 2 // lines kept for the reason, so that nothing moves when it changes
	if rows < 7 {
		last = 1
	}
	chart := l.deliveredChart(c.Trend, inner, min(rows-len(top)-len(tail)-last, 9))
	lines := append(append(top, chart...), tail...)
	if roomy || f.Verdict != link.VerdictOK || f.Settled != nil && *f.Settled < looksWell {
		lines = append(lines, wrap(briefly(f.Reason, inner*last), inner, last)...)
	} else { // the word and the figure say it; there is room for the second look
		lines = append(lines, details...)
	}
	return l.box("Delivered", "first 30 min", lines, w, h, focused)
}

// briefly leaves out what stands in brackets at the end of a reason that is too long.
func briefly(reason string, w int) string {
	if brief, _, ok := strings.Cut(reason, " ("); ok && ansi.StringWidth(reason) > w {
		return brief
	}
	return reason
}

// settled is the one figure of the screen, in words where there is none yet.
func (l Look) settled(f *link.First30) string {
	if f.Settled == nil {
		return l.Theme.Strong.Render("too early")
	}
	return l.Theme.Strong.Render(percent(*f.Settled, 1))
}

// projection is what the first thirty minutes will probably end with. Unlike
// the figure beside it, it is a share of all messages, and says so.
func projection(f *link.First30, w int) string {
	if f.Provisional {
		return "provisional"
	}
	if f.Closed || f.Low == nil || f.High == nil {
		return ""
	}
	decimals, by := 1, " by minute 30"
	if w < 44 {
		decimals, by = 0, ""
	}
	return "of all likely " + strings.TrimSuffix(percent(*f.Low, decimals), " %") + "–" + percent(*f.High, decimals) + by
}

func (l Look) deliveredCounts(c *link.Campaign, w int) []string {
	f := &c.First30
	pair := func(label string, n int64) string {
		return l.Theme.Dim.Render(label+" ") + l.Theme.Text.Render(count(n))
	}
	line := pair("failed", f.Failed) + "   " + pair("no answer yet", f.InFlight)
	if w >= 50 {
		line = pair("arrived", f.Delivered) + "   " + line
	}
	lines := []string{line}
	part := "failed because Meta chose not to deliver"
	if w < 48 {
		part = "Meta chose not to deliver"
	}
	return append(lines, pair(part, f.Withheld))
}

// deliveredChart draws the share that arrived of each minute's decided
// messages: one labelled row, or columns with a scale and times.
func (l Look) deliveredChart(minutes []link.Minute, w, h int) []string {
	if h <= 0 {
		return nil
	}
	values := settledByMinute(minutes)
	if h < 4 || len(values) == 0 {
		label := "by minute "
		return []string{l.Theme.Dim.Render(label) +
			l.Theme.Chart.Render(chart.Spark(values, chartLow, chartHigh, max(w-len(label), 0)))}
	}
	return l.trend(arrivedTrend(minutes), w, h)
}

const arrivedWhat = "Share that arrived, of each minute's decided messages"

// arrivedTrend is the share that arrived of each minute's decided messages.
func arrivedTrend(minutes []link.Minute) trend {
	t := trend{values: settledByMinute(minutes), lo: chartLow, hi: chartHigh, scale: func(v float64) string { return percent(v, 0) }}
	if len(minutes) > 0 {
		t.first = minutes[0].At
	}
	return t
}

func settledByMinute(trend []link.Minute) []float64 {
	values := make([]float64, len(trend))
	for i, m := range trend {
		values[i] = math.NaN()
		if m.Gap {
			values[i] = chart.Gap
		} else if decided := m.Delivered + m.Failed; decided > 0 {
			values[i] = float64(m.Delivered) / float64(decided)
		}
	}
	return values
}

// worthSaying is how many messages must be of an age before a share of them is shown.
const worthSaying = 50

// byAge says how quickly messages arrive, as far as the width allows.
func byAge(all []link.AgeShare, w int) string {
	shares := make([]link.AgeShare, 0, len(all))
	for _, a := range all {
		if a.Messages >= worthSaying {
			shares = append(shares, a)
		}
	}
	if len(shares) == 0 {
		return clip("arrived within 5 s, 1 min, 30 min: too early", w)
	}
	said := "within"
	for i, a := range shares {
		age := count(a.Seconds) + " s"
		if a.Seconds >= 60 && a.Seconds%60 == 0 {
			age = count(a.Seconds/60) + " min"
		}
		part := " " + age + " " + percent(a.Share, 0)
		if i > 0 {
			part = "," + part
		}
		if ansi.StringWidth(said+part) > w {
			break
		}
		said += part
	}
	if long := "arrived " + said; ansi.StringWidth(long) <= w {
		return long
	}
	return said
}

// soFar is about all of the campaign's messages, not the first thirty minutes' alone.
func soFar(n *link.Counts, w int) string {
	said := "arrived " + count(n.Delivered) + ", read " + count(n.Read)
	if w < 56 {
		return said + " so far"
	}
	return "campaign so far: " + said + ", failed " + count(n.Failed)
}
