package pane

import (
	"strings"

	"github.com/charmbracelet/x/ansi"

	"tickwatch/monitor/link"
)

// NoteText is what a note says.
func NoteText(a *link.Action) string { return firstOf(a.Reason, a.Effect) }

// Notes lists what operators have left for each other, newest first, above the
// line to type another one. input is that line as drawn; problem stands over it.
func Notes(l Look, notes []link.Action, input, problem string, w, h int) string {
	inner, rows := max(w-4, 0), max(h-2, 0)
	var tail []string
	for _, line := range wrap(problem, inner, 3) {
		tail = append(tail, l.Theme.Text.Render(line))
	}
	tail = append(tail, input)
	var lines []string
	for i := range notes {
		a := &notes[i]
		head := l.clock(a.At) + " " + a.Operator
		for k, line := range wrap(strings.TrimSpace(NoteText(a)), max(inner-2, 1), 3) {
			if k == 0 {
				lines = append(lines, l.Theme.Dim.Render(clip(head, inner)))
			}
			lines = append(lines, "  "+l.Theme.Text.Render(line))
		}
	}
	if len(notes) == 0 {
		lines = append(lines, l.Theme.Dim.Render(clip("No note yet. What you write here, the next operator sees.", inner)))
	}
	room := max(rows-len(tail), 0)
	if len(lines) > room {
		lines = lines[:room]
	}
	for len(lines) < room {
		lines = append(lines, "")
	}
	return l.box("Notes", "newest first", append(lines, tail...), w, h, true)
}

// noteLines are an unread note among the alarms, in at most n lines.
func (l Look) noteLines(a *link.Action, w, n int) []string {
	const indent = 6 // of further lines: under the word
	head := l.Theme.Dim.Render(l.clock(a.At)) + " " + l.Theme.Unsure.Render("NOTE") + "    "
	text, read := strings.TrimPrefix(a.Operator+": ", ": ")+NoteText(a), " (n)"
	room := max(w-ansi.StringWidth(head), 8)
	if n <= 1 || ansi.StringWidth(text+read) <= room {
		return []string{row(head+l.Theme.Text.Render(text), l.Theme.Dim.Render(read), w)}
	}
	first := wrap(text, room, 1<<10)[0]
	lines := []string{head + l.Theme.Text.Render(first)}
	for _, line := range wrap(trimLead(text, first)+read, max(w-indent, 8), n-1) {
		lines = append(lines, fit("", indent)+l.Theme.Text.Render(line))
	}
	return lines
}

// Copied shows a text that was put on the clipboard, without a frame, so that it
// can be marked by hand.
func Copied(l Look, text string, w, h int) string {
	var lines []string
	head := "Copied, if the terminal lets programs copy. If not, mark it here:"
	if w < 70 {
		head = "Copied. If not, mark it here:"
	}
	lines = append(lines, " "+l.Theme.Dim.Render(clip(head, w-2)), "")
	for _, line := range wrap(text, w-2, max(h-len(lines), 1)) {
		lines = append(lines, " "+l.Theme.Text.Render(line))
	}
	return block(lines, w, h)
}
