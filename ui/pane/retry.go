package pane

import (
	"strconv"

	"tickwatch/monitor/link"
)

// Retrying is what an operator decides about before failed messages are sent
// again. Its texts are clean.
type Retrying struct {
	Rows     []RetryRow
	Selected int
	Counted  *link.Retried // who could get a new message; nil = not counted yet
	Input    string        // the drawn line to type in; "" = nothing can be typed yet
	Note     string        // "counting…", or what went wrong
}

// RetryRow is one error code that messages failed with.
type RetryRow struct {
	Code   int
	Title  string
	Count  int64
	Retry  string // wa.RetryNever, …
	Advice string // what helps against it
	Ticked bool
}

// Can tells whether messages that failed so may be sent again at all.
func (r *RetryRow) Can() bool { return r.Retry != "never" }

// Retry lists why messages failed, to tick whom to write to again through
// WhatsApp, and then how many would get a new message and who not.
func Retry(l Look, r *Retrying, w, h int) string {
	inner, rows := max(w-4, 0), max(h-2, 0)
	tail := l.retryTail(r, inner, max(rows-2, 1))
	from, to := window(len(r.Rows), max(rows-len(tail), 1), r.Selected)
	lines := make([]string, 0, rows)
	for i := from; i < to; i++ {
		lines = append(lines, l.retryRow(&r.Rows[i], inner))
	}
	for len(lines)+len(tail) < rows && h < 16 {
		lines = append(lines, "")
	}
	marked := r.Selected - from
	if r.Counted != nil {
		marked = -1
	}
	return l.list("Send again", "through WhatsApp", append(lines, tail...), marked, w, h, true)
}

func (l Look) retryRow(r *RetryRow, w int) string {
	const fixed = 4 + 7 + 9 + 2
	words := retryWords(r.Retry)
	says := 0
	if w >= 70 {
		says = 30
	}
	style, box := l.Theme.Text, "[ ] "
	switch {
	case !r.Can():
		style, box = l.Theme.Dim, " –  "
	case r.Ticked:
		style, box = l.Theme.Strong, "[x] "
	}
	line := box + fit(strconv.Itoa(r.Code), 7) + fit(r.Title, max(w-fixed-says, 4)) + right(count(r.Count), 9)
	if says > 0 {
		line += "  " + fit(words, says)
	}
	return style.Render(clip(line, w))
}

// retryTail is what stands below the list: what the keys do, or who would get a
// new message and the line to confirm it in.
func (l Look) retryTail(r *Retrying, w, most int) []string {
	lines := []ranked{{9, ""}}
	add := func(rank int, style func(...string) string, text string) {
		for _, line := range wrap(text, w, 3) {
			lines = append(lines, ranked{rank, style(line)})
		}
	}
	text, dim, strong := l.Theme.Text.Render, l.Theme.Dim.Render, l.Theme.Strong.Render
	if n := r.Counted; n != nil {
		add(0, strong, things(n.Eligible, "person", "people")+" can get a new message, in a new attempt. The failed ones stay as they are.")
		if left := leftOut(n.LeftOut); left > 0 {
			add(2, text, "Nothing goes to "+things(left, "person", "people")+":")
			lines = append(lines, l.leftOutLines(n.LeftOut, 3, w)...)
		}
		lines = append(lines, ranked{8, ""})
	}
	add(0, text, r.Note)
	switch {
	case r.Input != "":
		lines = append(lines, ranked{0, r.Input})
	case r.Counted == nil && r.Note == "":
		add(1, text, "space ticks, enter counts who can get a new message. Nothing is sent yet.")
		if i := r.Selected; i < len(r.Rows) && !r.Rows[i].Can() {
			add(1, text, strconv.Itoa(r.Rows[i].Code)+" is not sent again: it would fail again. "+r.Rows[i].Advice)
		}
		add(5, dim, "Through WhatsApp. SMS, voice and e-mail are not set up.")
	}
	return texts(lines, most)
}
