package pane

import (
	"strconv"

	"github.com/charmbracelet/x/ansi"

	"tickwatch/monitor/link"
)

// Log is a list of events as a console holds it.
type Log struct {
	Events   []link.Event // newest first
	Complete bool
	Loaded   bool
	Note     string // "loading…", or why there are none
}

// Events is the log of what happened, newest first, scrolled by some lines; its
// end says whether it is the beginning.
func Events(l Look, log *Log, scroll, w, h int) string {
	inner, rows := max(w-4, 0), max(h-2, 0)
	lines := l.logLines(log, inner)
	from := max(min(scroll, len(lines)-rows), 0)
	note := "newest first"
	if len(lines) > rows {
		note = "newest first, ↑↓ for more"
	}
	if log.Note != "" {
		note = log.Note
	}
	return l.box("Events", note, lines[min(from, len(lines)):], w, h, true)
}

// EventsScroll is the furthest that Events can be scrolled.
func EventsScroll(l Look, log *Log, w, h int) int {
	return max(len(l.logLines(log, max(w-4, 0)))-(h-2), 0)
}

// logLines writes each event with the time of day, under its day, and at the
// end where the log starts.
func (l Look) logLines(log *Log, w int) []string {
	dim := l.Theme.Dim.Render
	if !log.Loaded {
		var lines []string
		for _, s := range wrap(firstOf(log.Note, "loading…"), w, 4) {
			lines = append(lines, dim(s))
		}
		return lines
	}
	var lines []string
	today := l.local(l.Now).Format("2006-01-02")
	day := today
	for i := range log.Events {
		e := &log.Events[i]
		at := l.local(e.At)
		if d := at.Format("2006-01-02"); d != day {
			day = d
			lines = append(lines, l.Theme.Strong.Render(at.Format("Monday, 2 January")))
		}
		lines = append(lines, l.eventLines(e, at.Format("15:04:05"), w)...)
	}
	switch n := len(log.Events); {
	case n == 0:
		lines = append(lines, dim("Nothing has happened yet."))
	case log.Complete:
		lines = append(lines, dim(clip("This is the beginning: nothing before it is stored.", w)))
	default:
		lines = append(lines, dim(clip("Starts here: only the latest "+strconv.Itoa(n)+" are shown, older ones are stored.", w)))
	}
	return lines
}

func (l Look) eventLines(e *link.Event, at string, w int) []string {
	head := l.Theme.Dim.Render(at) + " " + l.eventWord(e) + " "
	indent := ansi.StringWidth(head)
	if w < 50 {
		indent = 2
	}
	text := e.Text
	if e.Until != nil {
		text += " until " + l.clock(*e.Until)
	}
	if e.Times > 1 {
		text += " (" + strconv.Itoa(e.Times) + " times)"
	}
	room := max(w-ansi.StringWidth(head), 8)
	first := wrap(text, room, 1<<10)
	if len(first) == 0 {
		return []string{head}
	}
	lines := []string{head + l.Theme.Text.Render(first[0])}
	rest := ""
	if len(first) > 1 {
		rest = trimLead(text, first[0])
	}
	for _, s := range wrap(rest, max(w-indent, 8), 3) {
		lines = append(lines, fit("", indent)+l.Theme.Text.Render(s))
	}
	return lines
}

// eventWord is the kind of an event in seven cells; an alarm's is its severity.
func (l Look) eventWord(e *link.Event) string {
	switch e.Severity {
	case link.VerdictWatch:
		return l.Theme.Watch.Render(" WATCH ") + " "
	case link.VerdictAct:
		return l.Theme.Act.Render(" ACT ") + "   "
	case link.EventCleared:
		return l.Theme.OK.Render("cleared") + " "
	}
	return l.Theme.Dim.Render(fit(e.Kind, 8))
}
