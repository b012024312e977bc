package pane

import (
	"slices"
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
// matters least, and never the verdict.
func Compact(l Look, s *link.Snapshot, c *link.Campaign, w, h int) string {
	f := &c.First30
	dim := l.Theme.Dim.Render
	inner := max(w-2, 0)
	lines := []ranked{{0, row(l.badge(f.Verdict)+" "+l.settled(f), dim(projection(f, inner)), inner)}}
	add := func(rank int, text string) { lines = append(lines, ranked{rank, text}) }
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
	opt := l.badge(c.Reports.Verdict) + " " + l.Theme.Strong.Render(optOutRate(c.Reports.Rate)) + dim(" opt-outs ("+count(c.Reports.OptOuts)+")")
	add(8, opt)
	for i := range s.Alarms {
		if a := &s.Alarms[i]; a.Open() {
			for k, t := range l.alarmLines(s, a, c.ID, inner, 2) {
				add(2+min(i, 1)*9+k*3+i, clip(t, inner))
			}
		}
	}
	return block(foremost(lines, h), w, h)
}

// foremost keeps the n lines of the lowest rank numbers, in their order.
func foremost(lines []ranked, n int) []string {
	ranks := make([]int, len(lines))
	for i, line := range lines {
		ranks[i] = line.rank
	}
	slices.Sort(ranks)
	var out []string
	for _, line := range lines {
		if len(ranks) > n && (n <= 0 || line.rank > ranks[n-1]) || len(out) >= n {
			continue
		}
		out = append(out, " "+line.text)
	}
	return out
}
