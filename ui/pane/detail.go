package pane

import (
	"strconv"

	"github.com/charmbracelet/x/ansi"

	"tickwatch/monitor/link"
	"tickwatch/ui/chart"
	"tickwatch/wa"
)

// Page is one page of failed messages under an error's explanation.
type Page struct {
	Messages []link.Message
	Number   int    // from 1
	More     bool   // there are older ones
	Note     string // "loading…", or why there are none
}

// ErrorDetail explains one error code: what it means, why it happens, what
// helps, what the failures have in common, how it went over the campaign's minutes,
// and which messages it hit.
func ErrorDetail(l Look, e *link.Error, c *link.Campaign, known wa.ErrorCode, p *Page, w, h int) string {
	inner := max(w-4, 0)
	lines := l.errorHead(e, c, known, inner, h)
	switch {
	case p.Note != "" && len(p.Messages) == 0:
		lines = append(lines, l.Theme.Dim.Render(clip(p.Note, inner)))
	case len(p.Messages) == 0:
		lines = append(lines, l.Theme.Dim.Render("No messages to show."))
	}
	phone := 0
	for i := range p.Messages {
		phone = max(phone, ansi.StringWidth(p.Messages[i].Phone))
	}
	phone = min(phone, inner/3)
	for i := range p.Messages {
		m := &p.Messages[i]
		at := notKnown
		if m.FailedAt != nil {
			at = l.local(*m.FailedAt).Format("15:04:05")
		}
		lines = append(lines, l.Theme.Dim.Render(fit(at, 8))+"  "+fit(m.Phone, phone)+"  "+l.Theme.Text.Render(m.Details))
	}
	note := "page " + strconv.Itoa(max(p.Number, 1))
	if p.Note != "" && len(p.Messages) > 0 {
		note = p.Note
	}
	if p.More && w >= 50 {
		note += ", more with pgdn"
	}
	return l.box("Error "+strconv.Itoa(e.Code), note, lines, w, h, true)
}

// ErrorDetailRows is how many messages fit below the explanation.
func ErrorDetailRows(l Look, e *link.Error, c *link.Campaign, known wa.ErrorCode, w, h int) int {
	return max(h-2-len(l.errorHead(e, c, known, max(w-4, 0), h)), 1)
}

func (l Look) errorHead(e *link.Error, c *link.Campaign, known wa.ErrorCode, w, h int) []string {
	minutes := c.Trend
	dim, text := l.Theme.Dim.Render, l.Theme.Text.Render
	lines := []string{
		l.Theme.Strong.Render(clip(e.Title, w)),
		text(things(e.Count, "message", "messages")) + dim(", "+percent(e.Share, 0)+" of the failures"),
	}
	course := trend{what: "Failed a minute, with this code", values: floats(e.Trend), scale: plainCount}
	if n := len(e.Trend); n > 0 && len(minutes) > 0 {
		course.first = minutes[max(len(minutes)-n, 0)].At
	}
	switch {
	case h >= 26:
		lines = append(append(lines, ""), l.trend(course, w, 6)...)
	case w >= 60 && len(e.Trend) > 0:
		most := top(course.values)
		lines[1] += dim("   a minute, up to "+plainCount(most)+" ") + l.Theme.Chart.Render(chart.Spark(course.values, 0, most, max(min(w-60, link.MaxTrend), 0)))
	}
	para := func(label, s string, depth int) {
		lines = append(lines, l.labelled(label, s, l.Theme.Text, w, depth)...)
	}
	if h >= 18 {
		lines = append(lines, "")
	}
	// What the daemon says wins, for its catalogue may be another.
	known.Advice, known.Retry, known.Fallback = firstOf(e.Advice, known.Advice), firstOf(e.Retry, known.Retry), firstOf(e.SMS, known.Fallback)
	steps := known.Steps()
	if h < 14 {
		para("Now", firstOf(steps.Now, steps.Not), 2)
	} else {
		para("Why", known.Cause, 3)
		para("In common", l.inCommon(c, e.Code), 4)
		para("Now", steps.Now, 4) // is read whole; the messages take what is left
		para("Not", steps.Not, 3)
		para("After", steps.After, 2)
	}
	if h >= 18 {
		lines = append(lines, "")
	}
	return append(lines, dim("Failed messages, newest first"))
}

func firstOf(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func retryWords(retry string) string {
	switch retry {
	case "never":
		return "No, it would fail again."
	case "later":
		return "Later, not now."
	case "backoff":
		return "Yes, slowly and with pauses."
	case "after_fix":
		return "Yes, once the cause is mended."
	}
	return retry
}
