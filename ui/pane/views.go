package pane

import (
	"math"
	"strconv"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"tickwatch/monitor/link"
)

// DeliveredDetail shows how the campaign reaches people over time, and all
// figures of its first thirty minutes.
func DeliveredDetail(l Look, c *link.Campaign, w, h int) string {
	f := &c.First30
	inner, rows := max(w-4, 0), max(h-2, 0)
	dim := l.Theme.Dim.Render
	lines := []string{
		row(l.badge(f.Verdict)+" "+l.settled(f), dim(projection(f, inner)), inner),
		dim(clip("arrived, of those decided ("+count(f.Delivered+f.Failed)+" of "+count(f.Messages)+")", inner)),
	}
	for _, s := range wrap(f.Reason, inner, 2) {
		lines = append(lines, l.Theme.Text.Render(s))
	}
	for _, s := range wrap(plainRule(f), inner, 2) {
		lines = append(lines, dim(s))
	}
	tail := []string{""}
	pair := func(label string, n int64) string { return dim(label+" ") + l.Theme.Text.Render(count(n)) }
	tail = append(tail, sayEach([]string{
		pair("arrived", f.Delivered), pair("failed", f.Failed), pair("Meta chose not to deliver", f.Withheld), pair("no answer yet", f.InFlight),
	}, inner)...)
	tail = append(tail, dim(byAge(f.ByAge, inner)), dim(soFar(&c.Counts, inner)))
	arrived := arrivedTrend(c.Trend)
	arrived.what = arrivedWhat
	charts := []trend{arrived, countTrend("Arrived a minute, by the minute they were sent in", c.Trend, arrivedPerMinute(c.Trend))}
	people := l.whatPeopleDo(c, inner)
	if free := rows - len(lines) - len(tail); len(people) > 0 && free > len(people) {
		if free-len(people) < 16 { // what people do says more than a second chart, and the sum below
			charts, tail = charts[:1], tail[1:len(tail)-1]
		}
		tail = append(append([]string{""}, people...), tail...)
	}
	lines = append(lines, l.charts(inner, rows-len(lines)-len(tail), charts...)...)
	return l.box("Delivered", "first 30 min", append(lines, tail...), w, h, true)
}

// plainRule is what the plain rule says, which looks at all that were decided and not
// at how it goes now; "" where the verdict is its own, for nothing is sent any more.
func plainRule(f *link.First30) string {
	if f.Plain == nil || f.Plain.Reason == "" || f.Plain.Reason == f.Reason {
		return ""
	}
	says, _, _ := strings.Cut(f.Plain.Reason, ": ") // what to do is for the alarm to say
	if f.Plain.Verdict == link.VerdictUnsure || f.Settled == nil {
		return "The plain rule says nothing yet: " + says + "."
	}
	return "The plain rule says " + strings.ToUpper(f.Plain.Verdict) + ": " + percent(*f.Settled, 1) + " of all so far, " + says + ". It only looks back and raises no alarm."
}

// ReportsDetail shows the opt-outs over time, and what they stand for.
func ReportsDetail(l Look, c *link.Campaign, w, h int) string {
	r := &c.Reports
	inner, rows := max(w-4, 0), max(h-2, 0)
	dim, text := l.Theme.Dim.Render, l.Theme.Text.Render
	lines := []string{
		l.badge(r.Verdict) + " " + l.Theme.Strong.Render(optOutRate(r.Rate)) + dim("  ") + text(things(r.OptOuts, "opt-out", "opt-outs")) + dim(" of "+count(c.Counts.Delivered)+" arrived"),
	}
	para := func(s string) {
		for _, line := range wrap(s, inner, 3) {
			lines = append(lines, dim(line))
		}
	}
	for _, line := range wrap(r.Reason, inner, 2) {
		lines = append(lines, text(line))
	}
	para("Meta publishes no count of reports or blocks. People who said stop, by a reply, a button or in WhatsApp's settings, stand in for them.")
	if r.Comparison != nil {
		for _, line := range wrap(l.compared(r.Comparison, c.Template), inner, 3) {
			lines = append(lines, text(line))
		}
	}
	if len(l.typed(r)) == 0 {
		para("Who can see one in WhatsApp Manager gives it here: tickwatch reported NAME --count N")
	}
	for _, f := range l.typed(r) {
		lines = append(lines, text(f.figure)+dim(clip(", typed by "+f.who+", read off "+r.Source, max(inner-ansi.StringWidth(f.figure), 0))))
	}
	lines = append(lines, text(things(r.Refusers, "past refuser", "past refusers"))+dim(": had opted out before, a fault of the list"), "")
	optOuts := countTrend("Opt-outs a minute", c.Trend, floats(r.Trend))
	arrived := countTrend("Arrived a minute, by the minute they were sent in", c.Trend, arrivedPerMinute(c.Trend))
	return l.box("Reports", "proxy", append(lines, l.charts(inner, rows-len(lines), optOuts, arrived)...), w, h, true)
}

// Feed shows how the providers' webhooks come in: what came, what of it was
// usable, and how quickly it was answered.
func Feed(l Look, s *link.Snapshot, w, h int) string {
	f := &s.Feed
	inner, rows := max(w-4, 0), max(h-2, 0)
	dim, text := l.Theme.Dim.Render, l.Theme.Text.Render
	lines := []string{l.feed(f)}
	if f.LastEventAt != nil && f.State == link.FeedLive {
		lines[0] += dim(", last news")
	}
	if f.LastEventAt != nil {
		lines[0] += dim(" at " + l.local(*f.LastEventAt).Format("15:04:05"))
	}
	add := func(label, figure, says string) {
		lines = append(lines, dim(fit(label, 16))+text(right(figure, 11))+dim("  "+says))
	}
	add("webhooks", count(f.Posts), "taken and stored since the store was made")
	add("updates", count(f.Updates), "single pieces of news in them")
	add("duplicates", count(f.Duplicates), "Meta repeated them; they count once")
	add("not understood", count(f.NotUnderstood), "kept as they came, nothing is lost")
	add("refused", count(f.Refused), "signature missing or wrong; they count nowhere")
	add("turned away", count(f.TurnedAway), "could not be stored; Meta sends them again")
	if q := f.AnswerMS; q != nil {
		add("answered in", milliseconds(q.P50), "half of them, in the last minute")
		add("", milliseconds(q.P99), "99 in 100 of them; Meta wants less than 2 s")
	} else {
		add("answered in", notKnown, "nothing came in the last minute")
	}
	if f.CallbackRate != nil {
		add("callbacks", percent(*f.CallbackRate, 1), "messages older than a minute with any status")
	}
	lines = append(lines, "")
	answers := trend{what: "Answer time of 99 in 100 webhooks, milliseconds, by minute", scale: plainCount}
	for i := range f.Trend {
		m := &f.Trend[i]
		if i == 0 {
			answers.first = m.At
		}
		answers.values = append(answers.values, orNaN(m.AnswerP99MS))
	}
	note := ""
	if n := len(f.Trend); n > 0 {
		note = "charts since " + l.clock(f.Trend[0].At)
	}
	return l.box("Feed", note, append(lines, l.charts(inner, rows-len(lines), updatesTrend(f), answers)...), w, h, true)
}

// updatesTrend is what came in, by the minute of its receipt.
func updatesTrend(f *link.Feed) trend {
	t := trend{what: "Updates a minute, by the minute they came in", scale: plainCount}
	for i := range f.Trend {
		if i == 0 {
			t.first = f.Trend[i].At
		}
		t.values = append(t.values, float64(f.Trend[i].Updates))
	}
	return t
}

// milliseconds prints an answer time.
func milliseconds(ms float64) string {
	switch {
	case ms >= 1000:
		return strings.Replace(strconv.FormatFloat(ms/1000, 'f', 1, 64), ".0", "", 1) + " s"
	case ms < 10:
		return strconv.FormatFloat(ms, 'f', 1, 64) + " ms"
	}
	return strconv.FormatFloat(math.Ceil(ms), 'f', 0, 64) + " ms"
}
