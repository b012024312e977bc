package pane

import (
	"math"
	"time"

	"github.com/charmbracelet/x/ansi"

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
	typed := l.typed(r)
	if len(typed) > 0 && rows < len(lines)+2*len(typed)+len(said) { // the detail says the rest
		typed, said = typed[:1], nil
	}
	for _, f := range typed {
		lines = append(lines, f.lines(l, inner)...)
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

// typedFigure is a count that a person read off WhatsApp Manager.
type typedFigure struct{ figure, who string }

// typed are those of a campaign, the larger one first.
func (l Look) typed(r *link.Reports) (all []typedFigure) {
	add := func(n *int64, word, by string, at *time.Time) {
		if n == nil {
			return
		}
		who := by
		if at != nil {
			who += " " + ago(l.Now.Sub(*at))
		}
		all = append(all, typedFigure{count(*n) + " " + word, who})
	}
	add(r.Reported, "reported", r.ReportedBy, r.ReportedAt)
	add(r.Blocked, "blocked you", r.BlockedBy, r.BlockedAt)
	if len(all) == 2 && *r.Blocked > *r.Reported {
		all[0], all[1] = all[1], all[0]
	}
	return all
}

// lines are a figure and who typed it when, on two lines where one is too short.
func (f typedFigure) lines(l Look, w int) []string {
	if whole := f.figure + ", typed by " + f.who; ansi.StringWidth(whole) <= w {
		return []string{l.Theme.Text.Render(f.figure) + l.Theme.Dim.Render(", typed by "+f.who)}
	}
	who := "typed by " + f.who
	if ansi.StringWidth(who) > w {
		who = f.who
	}
	return []string{l.Theme.Text.Render(clip(f.figure, w)), l.Theme.Dim.Render(clip(who, w))}
}
