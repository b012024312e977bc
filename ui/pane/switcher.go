package pane

import (
	"strings"

	"github.com/charmbracelet/x/ansi"

	"tickwatch/monitor/link"
	"tickwatch/ui/chart"
)

// Switcher lists the campaigns to choose from, each with its verdict and course.
func Switcher(l Look, s *link.Snapshot, selected, w, h int) string {
	inner, rows := max(w-4, 0), max(h-2, 0)
	from, to := window(len(s.Campaigns), rows, selected)
	longest := 0
	for i := range s.Campaigns {
		longest = max(longest, ansi.StringWidth(name(&s.Campaigns[i])))
	}
	longest = min(longest, max(inner-62, 10))
	lines := make([]string, 0, rows)
	for i := from; i < to; i++ {
		lines = append(lines, l.campaignRow(s, &s.Campaigns[i], longest, inner))
	}
	return l.list("Campaigns", "enter shows it", lines, selected-from, w, h, true)
}

func (l Look) campaignRow(s *link.Snapshot, c *link.Campaign, longest, w int) string {
	figure := notKnown
	if c.First30.Settled != nil {
		figure = percent(*c.First30.Settled, 1)
	}
	started := ""
	if c.StartedAt != nil {
		started = l.clock(*c.StartedAt)
	}
	line := strings.Join([]string{
		fit(l.badge(c.First30.Verdict), 8),
		l.Theme.Text.Render(fit(name(c), longest)),
		l.Theme.Strong.Render(right(figure, 7)),
		fit(l.state(s, c), 11),
		l.Theme.Dim.Render(right(started, 12)),
		l.Theme.Dim.Render(right(count(c.Counts.Messages), 7)),
	}, " ")
	left := w - ansi.StringWidth(line) - 1
	return line + " " + l.Theme.Chart.Render(chart.Spark(settledByMinute(c.Trend), chartLow, chartHigh, max(min(left, link.MaxTrend), 0)))
}
