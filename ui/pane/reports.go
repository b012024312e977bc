package pane

import (
	"math"

	"tickwatch/monitor/link"
	"tickwatch/ui/chart"
)

// Reports stands in for the reports that Meta does not count: people who opted
// out, of those whom the campaign reached, and apart from them those who had
// opted out before.
func Reports(l Look, c *link.Campaign, focused bool, w, h int) string {
	r := &c.Reports
	inner, rows := max(w-4, 0), max(h-2, 0)
	dim := l.Theme.Dim.Render
	lines := []string{l.badge(r.Verdict) + " " + l.Theme.Strong.Render(optOutRate(r.Rate))}
	outs, of := l.Theme.Text.Render(things(r.OptOuts, "opt-out", "opt-outs"))+dim(" of"), dim(count(c.Counts.Delivered)+" arrived")
	if inner >= 30 {
		lines = append(lines, outs+" "+of)
	} else {
		lines = append(lines, outs, of)
	}
	past := wrap("past refusers "+count(r.Refusers), inner, 2)
	for _, s := range past {
		lines = append(lines, dim(s))
	}
	said := []string{"Meta gives no", "report count"}
	if inner >= 26 {
		said = []string{"Meta gives no report count"}
	}
	if r.Reported != nil {
		said = wrap("reported "+count(*r.Reported)+" "+r.Source, inner, 2)
	}
	for _, s := range said {
		lines = append(lines, dim(s))
	}
	if rows >= len(lines)+3 && len(r.Trend) > 0 {
		lines = append(lines, "", dim("opt-outs by minute"),
			l.Theme.Chart.Render(chart.Spark(floats(r.Trend), 0, highest(r.Trend), min(inner, link.MaxTrend))))
	}
	return l.box("Reports", "proxy", lines, w, h, focused)
}

// optOutRate prints the rate of opt-outs. It is rounded up: a rate must not
// look lower than it is.
func optOutRate(rate *float64) string {
	if rate == nil {
		return notKnown
	}
	return percent(math.Ceil(*rate*1e4-1e-6)/1e4, 2)
}
