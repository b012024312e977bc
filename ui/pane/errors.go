package pane

import (
	"strconv"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"tickwatch/monitor/link"
	"tickwatch/ui/chart"
)

// Errors lists why messages fail, the most frequent cause first: code, title,
// messages, share of the failures, course, and what helps; above them what most
// failures have in common. selected is an index into c.Errors; its row is always in view.
func Errors(l Look, c *link.Campaign, selected int, focused bool, w, h int) string {
	inner, rows := max(w-4, 0), max(h-2, 0)
	if len(c.Errors) == 0 {
		lines := []string{l.Theme.Dim.Render("No message has failed.")}
		return l.box("Errors", "why it fails", lines, w, h, focused)
	}
	note := things(c.Counts.Failed, "message", "messages") + " failed"
	var common []string
	if line := l.commonLine(c, inner); line != "" && rows >= 3 {
		common = append(common, line)
		rows--
	} else if c.ClustersAt != nil {
		note += ", " + noTrait
	}
	from, to := window(len(c.Errors), rows, selected)
	if to-from < len(c.Errors) {
		note = strconv.Itoa(from+1) + "–" + strconv.Itoa(to) + " of " + strconv.Itoa(len(c.Errors)) + " causes, " + note
	}
	shape := errorShape(inner)
	lines := append(make([]string, 0, rows+1), common...)
	top := 1.0 // one scale for all, so that the cause that grows stands out
	for i := range c.Errors {
		top = max(top, highest(latest(c.Errors[i].Trend, shape.trend)))
	}
	for i := from; i < to; i++ {
		lines = append(lines, l.errorRow(&c.Errors[i], shape, top))
	}
	if spare := rows + len(common) - len(lines); selected < len(c.Errors) && spare >= 4 {
		lines = append(append(lines, ""), l.selectedAdvice(&c.Errors[selected], inner, spare-1)...)
	}
	marked := -1
	if focused {
		marked = selected - from + len(common)
	}
	return l.list("Errors", note, lines, marked, w, h, focused)
}

// window picks the rows from…to of n that are shown, with the selected one in view.
func window(n, rows, selected int) (from, to int) {
	rows = max(rows, 1)
	if selected >= rows {
		from = min(selected-rows+1, n-rows)
	}
	from = max(from, 0)
	return from, min(from+rows, n)
}

// selectedAdvice says what helps against one error, where there is room below the list.
func (l Look) selectedAdvice(e *link.Error, w, n int) []string {
	lines := []string{l.Theme.Dim.Render("What to do about " + strconv.Itoa(e.Code))}
	for _, line := range wrap(e.Advice, min(w, 110), n-1) {
		lines = append(lines, l.Theme.Text.Render(line))
	}
	return lines
}

// errorColumns are the widths that all rows share. They depend on the pane's
// width alone, so that no column moves when figures or titles change.
type errorColumns struct{ title, count, trend, hint int }

func errorShape(w int) errorColumns {
	const fixed = 7 + 1 + 6 + 2 // code, gap, share, gap
	s := errorColumns{count: 6, trend: 7, hint: maxHint}
	if w >= 110 {
		s.count, s.trend = 8, link.MaxTrend
	}
	if w < 70 {
		s.hint = 0
	}
	s.title = min(w-fixed-s.count-s.trend-s.hint-2, 60)
	return s
}

// maxHint is the longest hint of the catalogue (wa.ErrorCode).
const maxHint = 20

// latest is the end of a trend that is in view.
func latest(trend []int64, n int) []int64 { return trend[max(0, len(trend)-max(n, 0)):] }

func (l Look) errorRow(e *link.Error, s errorColumns, top float64) string {
	code := strconv.Itoa(e.Code)
	if e.Code == 0 {
		code = notKnown
	}
	var b strings.Builder
	b.WriteString(l.Theme.Dim.Render(fit(code, 6)) + " ")
	b.WriteString(l.Theme.Text.Render(fit(e.Title, s.title)) + " ")
	b.WriteString(l.Theme.Strong.Render(right(count(e.Count), s.count)))
	b.WriteString(l.Theme.Dim.Render(right(percent(e.Share, 0), 6)))
	b.WriteString("  " + l.Theme.Chart.Render(chart.Spark(floats(e.Trend), 0, top, s.trend)))
	if s.hint > 0 && e.Hint != "" {
		b.WriteString("  " + l.Theme.Text.Render(clip(e.Hint, s.hint)))
	}
	return b.String()
}

// right sets a text at the right end of a column.
func right(s string, w int) string {
	return strings.Repeat(" ", max(w-ansi.StringWidth(s), 0)) + s
}
