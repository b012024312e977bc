package pane

import (
	"strconv"

	"tickwatch/monitor/link"
)

// Retrying is what an operator decides about before failed messages are sent
// again. Its texts are clean.
type Retrying struct {
	By       string   // the channel that people are to be reached by
	Channels []string // that there are
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
	SMS    string // may another channel reach these people: yes, no, maybe
	Advice string // what helps against it
	Ticked bool
}

// Can tells whether messages that failed so may be sent again by a channel at all.
func (r *RetryRow) Can(by string) bool {
	if by != "" && by != "whatsapp" {
		return r.SMS != "no"
	}
	return r.Retry != "never"
}

// Retry lists why messages failed, to tick whom to write to again through
// WhatsApp, and then how many would get a new message and who not.
func Retry(l Look, r *Retrying, w, h int) string {
	inner, rows := max(w-4, 0), max(h-2, 0)
	var head []string
	if len(r.Channels) > 1 && r.Counted == nil && rows > 6 {
		head = []string{l.channelRow(r, inner), ""}
	}
	tail := l.retryTail(r, inner, max(rows-2-len(head), 1))
	from, to := window(len(r.Rows), max(rows-len(tail)-len(head), 1), r.Selected)
	lines := head
	for i := from; i < to; i++ {
		lines = append(lines, l.retryRow(r.By, &r.Rows[i], inner))
	}
	for len(lines)+len(tail) < rows && h < 16 {
		lines = append(lines, "")
	}
	marked := r.Selected - from + len(head)
	if r.Counted != nil {
		marked = -1
	}
	title, note := "Send again", "through WhatsApp"
	if r.By != "" && r.By != "whatsapp" {
		title, note = "Reach the failed", "by "+ChannelName(r.By)
	}
	return l.list(title, note, append(lines, tail...), marked, w, h, true)
}

// channelRow names the channels, the chosen one marked.
func (l Look) channelRow(r *Retrying, w int) string {
	line := l.Theme.Dim.Render("by  ")
	for _, channel := range r.Channels {
		if channel == r.By {
			line += l.Theme.Cursor.Render("‹ ") + l.Theme.Strong.Render(ChannelName(channel)) + l.Theme.Cursor.Render(" ›") + "  "
		} else {
			line += "  " + l.Theme.Text.Render(ChannelName(channel)) + "    "
		}
	}
	return clip(line, w)
}

func (l Look) retryRow(by string, r *RetryRow, w int) string {
	const fixed = 4 + 7 + 9 + 2
	words := retryWords(r.Retry)
	if by != "" && by != "whatsapp" {
		words = map[string]string{"yes": "Yes, it can reach them.", "maybe": "Perhaps, for some.", "no": "No."}[r.SMS]
	}
	says := 0
	if w >= 70 {
		says = 30
	}
	style, box := l.Theme.Text, "[ ] "
	switch {
	case !r.Can(by):
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
		if i := r.Selected; i < len(r.Rows) && !r.Rows[i].Can(r.By) {
			why := " is not sent again: it would fail again. "
			if r.By != "" && r.By != "whatsapp" {
				why = ": another channel does not help these people, or must not be used. "
			}
			add(1, text, strconv.Itoa(r.Rows[i].Code)+why+r.Rows[i].Advice)
		}
		if len(r.Channels) < 2 {
			add(5, dim, "Through WhatsApp. SMS, voice and e-mail are not set up.")
		}
	}
	return texts(lines, most)
}
