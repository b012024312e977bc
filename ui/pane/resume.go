package pane

import (
	"strings"

	"tickwatch/monitor/link"
)

// Resuming is what an operator decides about before sending goes on. Its texts
// are clean.
type Resuming struct {
	Pauses   []link.Gate // that hold what is to be resumed; one of them ends
	Selected int
	Forecast *link.Forecast // nil = not told yet
	Input    string         // the drawn line to type in; "" = nothing can be typed yet
	Note     string         // "asking…", or what went wrong
}

// Resume shows what ending a pause would do: how many messages go out, to whom
// not and why, what stays paused, how fast it goes and when it ends, and what
// the pre-flight found; below it the line where the operator types the word. c is
// the campaign that it was opened for; nil is none.
func Resume(l Look, s *link.Snapshot, c *link.Campaign, r *Resuming, w, h int) string {
	inner, rows := max(w-4, 0), max(h-2, 0)
	var lines []ranked
	add := func(rank int, style func(...string) string, text string, depth int) {
		for _, line := range wrap(text, inner, depth) {
			lines = append(lines, ranked{rank, style(line)})
		}
	}
	text, dim, strong := l.Theme.Text.Render, l.Theme.Dim.Render, l.Theme.Strong.Render
	for i := range r.Pauses {
		g := &r.Pauses[i]
		if i != r.Selected {
			lines = append(lines, ranked{3, dim("  " + clip(l.PausedWhere(s, g), inner-2))})
			continue
		}
		lines = append(lines, ranked{1, l.Theme.Cursor.Render("▸ ") + strong(clip(l.PausedWhere(s, g), inner-2))})
	}
	if f := r.Forecast; f != nil {
		lines = append(lines, ranked{9, ""})
		lines = append(lines, l.forecastLines(s, c, r, inner)...)
	}
	lines = append(lines, ranked{8, ""})
	add(0, text, r.Note, 3)
	if r.Input != "" {
		lines = append(lines, ranked{0, r.Input})
	}
	note := "esc leaves it paused"
	if len(r.Pauses) > 1 {
		note = "↑↓ chooses which, " + note
		if w < 60 {
			note = "↑↓ chooses which"
		}
	}
	return l.box("Resume", note, texts(lines, rows), w, h, true)
}

func (l Look) forecastLines(s *link.Snapshot, c *link.Campaign, r *Resuming, w int) []ranked {
	f := r.Forecast
	var lines []ranked
	add := func(rank int, style func(...string) string, text string) {
		for _, line := range wrap(text, w, 2) {
			lines = append(lines, ranked{rank, style(line)})
		}
	}
	text, dim, strong := l.Theme.Text.Render, l.Theme.Dim.Render, l.Theme.Strong.Render
	pace := ""
	if f.Pace != "" {
		pace = ", pace " + paceWords(f.Pace)
	}
	if f.EndsAt != nil {
		pace += ", the last at about " + l.clock(*f.EndsAt)
	}
	closed, all := staysPaused(c, r)
	going := things(f.Going, "message", "messages")
	beside := link.GoingBeside(f.Beside, f.Going > 0 && !all, count)
	switch {
	case f.Going == 0 && beside != "":
		add(0, strong, beside)
		if len(closed) > 0 {
			add(1, text, "Still paused then:")
		}
	case len(closed) == 0:
		add(0, strong, going+" will go out"+pace+".")
	case all:
		add(0, strong, going+" could go out, but not yet. It stays paused:")
	default:
		add(0, strong, going+" will go out"+pace+". Still paused then:")
	}
	for i := range closed {
		g := &closed[i]
		for _, line := range wrap(strings.TrimSpace(PausePlace(s, g)+" "+l.pausedBy(g)), w-2, 2) {
			lines = append(lines, ranked{1, "  " + text(line)})
		}
	}
	if f.Going > 0 && beside != "" {
		add(0, strong, beside)
	}
	if f.Held != "" {
		add(2, text, "It will still wait: "+strings.TrimSuffix(f.Held, ".")+".")
	}
	if left := leftOut(f.LeftOut); left > 0 {
		add(2, text, "Nothing goes to "+things(left, "person", "people")+":")
		lines = append(lines, l.leftOutLines(f.LeftOut, 4, w)...)
	}
	for i := range f.Findings {
		found := &f.Findings[i]
		rank, style := 6, dim
		if found.Severity == link.VerdictAct || found.Severity == link.VerdictWatch {
			rank, style = 2+link.Rank(link.VerdictAct)-link.Rank(found.Severity), text
		}
		for k, line := range wrap(found.Text, max(w-8, 8), 2) {
			head := fit("", 8)
			if k == 0 {
				head = fit(l.badge(found.Severity), 8)
			}
			lines = append(lines, ranked{rank, head + style(line)})
		}
	}
	return lines
}

// staysPaused are the other pauses that matter to what is to be resumed, and
// whether they keep all of it back.
func staysPaused(c *link.Campaign, r *Resuming) (closed []link.Gate, all bool) {
	target := ""
	if r.Selected < len(r.Pauses) {
		target = r.Pauses[r.Selected].Scope
	}
	if c == nil || target == link.ScopeAll {
		return r.Forecast.Closed, false
	}
	for _, g := range r.Forecast.Closed {
		if concerns(&g, c) {
			closed = append(closed, g)
		}
	}
	all = wholly(c, closed) != nil
	for _, g := range r.Forecast.Closed {
		if len(r.Forecast.Beside) > 0 && g.Scope == link.ScopeChannel && !concerns(&g, c) { // holds what waits by that channel
			closed = append(closed, g)
		}
	}
	return closed, all
}

func leftOut(all []link.LeftOut) int64 {
	var sum int64
	for _, o := range all {
		sum += o.Count
	}
	return sum
}

// leftOutLines are the reasons why people get nothing, with how many.
func (l Look) leftOutLines(all []link.LeftOut, rank, w int) []ranked {
	lines := make([]ranked, 0, len(all))
	for i, o := range all {
		if o.Example != "" {
			o.Reason += ", such as " + o.Example
		}
		if o.Count > 0 {
			lines = append(lines, ranked{rank + i, l.Theme.Text.Render(right(count(o.Count), 9)) + "  " + l.Theme.Dim.Render(clip(o.Reason, max(w-11, 0)))})
		}
	}
	return lines
}
