package pane

import (
	"math"
	"slices"
	"sort"
	"strconv"

	"tickwatch/monitor/link"
	"tickwatch/ui/chart"
)

// ranked is a line of the compact screen; when there are more lines than rows,
// the highest ranks go first.
type ranked struct {
	rank int
	text string
}

// Compact is the campaign in one column, for a screen that is too small for
// panes: verdict, figure, the first cause, the newest alarm. It drops what
// matters least, and never the verdict. note is one that nobody has read; nil is none.
func Compact(l Look, s *link.Snapshot, c *link.Campaign, note *link.Action, w, h int) string {
	f := &c.First30
	dim := l.Theme.Dim.Render
	inner := max(w-2, 0)
	lines := []ranked{{0, row(l.badge(f.Verdict)+" "+l.settled(f), dim(projection(f, inner)), inner)}}
	add := func(rank int, text string) { lines = append(lines, ranked{rank, text}) }
	if g := paused(s, c); g != nil && Own(c) && g.Reason != "" {
		for i, t := range wrap(l.PausedWhere(s, g), inner, 2) {
			add(1+i, l.Theme.Strong.Render(t))
		}
	}
	if note != nil {
		add(2, l.noteLines(note, inner, 1)[0])
	}
	add(3, dim("arrived, of those decided ("+count(f.Delivered+f.Failed)+")"))
	for i, t := range l.deliveredCounts(c, inner) {
		add(7+3*i, t)
	}
	add(9, l.Theme.Chart.Render(chart.Spark(settledByMinute(c.Trend), chartLow, chartHigh, min(inner, link.MaxTrend))))
	for i := range c.Errors {
		e := &c.Errors[i]
		add(1+min(i, 1)*10+i, row(dim(strconv.Itoa(e.Code)+" ")+l.Theme.Text.Render(e.Title), l.Theme.Strong.Render(count(e.Count)), inner))
		if i == 0 && e.Hint != "" {
			add(4, dim("  what helps: ")+l.Theme.Text.Render(e.Hint))
		}
	}
	for i, t := range l.queueShort(s, c, inner) {
		add(1+5*i, t)
	}
	opt := l.badge(c.Reports.Verdict) + " " + l.Theme.Strong.Render(optOutRate(c.Reports.Rate)) + dim(" opt-outs ("+count(c.Reports.OptOuts)+")")
	add(8, opt)
	for i, f := range l.typed(&c.Reports) {
		add(12+i, f.lines(l, inner)[0])
	}
	for i := range s.Alarms {
		if a := &s.Alarms[i]; a.Open() {
			for k, t := range l.alarmLines(s, a, c.ID, inner, 2) {
				add(2+min(i, 1)*9+k*3+i, clip(t, inner))
			}
		}
	}
	return block(foremost(lines, h), w, h)
}

// queueShort says in a line or two where the messages of a campaign that
// tickwatch sends stand.
func (l Look) queueShort(s *link.Snapshot, c *link.Campaign, w int) []string {
	if !Own(c) {
		return nil
	}
	pair := func(label string, n int64) string {
		return l.Theme.Dim.Render(label+" ") + l.Theme.Text.Render(count(n))
	}
	out, unsent := goingOut(c)
	parts := []string{pair("waiting", unsent), pair("with Meta", c.Counts.HandedOver)}
	if c.Counts.Unknown > 0 {
		parts = append(parts, pair("may have gone out", c.Counts.Unknown))
	}
	if out > 0 {
		parts = append(parts, pair("going out now", out))
	}
	if why := waitsFor(s, c); why != "" {
		parts = append(parts, l.Theme.Text.Render(why))
	}
	return sayEach(parts, w)
}

// foremost keeps the n lines of the lowest rank numbers, in their order; of
// the last rank that has room the first ones.
func foremost(lines []ranked, n int) []string {
	if n <= 0 {
		return nil
	}
	ranks := make([]int, len(lines))
	for i, line := range lines {
		ranks[i] = line.rank
	}
	slices.Sort(ranks)
	last, spare := math.MaxInt, 0
	if len(ranks) > n {
		last = ranks[n-1]
		spare = n - sort.SearchInts(ranks, last)
	}
	var out []string
	for _, line := range lines {
		switch {
		case line.rank > last, line.rank == last && spare == 0:
			continue
		case line.rank == last:
			spare--
		}
		out = append(out, " "+line.text)
	}
	return out
}
