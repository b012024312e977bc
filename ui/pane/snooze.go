package pane

import "tickwatch/monitor/link"

// Snoozing is the window that keeps an alarm quiet, as a console holds it.
type Snoozing struct {
	Alarm    *link.Alarm // nil = it is gone
	Rows     []string    // how long
	Selected int
	Note     string // what went wrong, or is under way
}

// Snooze asks for how long an alarm is to be quiet.
func Snooze(l Look, s *link.Snapshot, z *Snoozing, w, h int) string {
	inner, rows := max(w-4, 0), max(h-2, 0)
	dim, text := l.Theme.Dim.Render, l.Theme.Text.Render
	var lines []string
	if a := z.Alarm; a != nil {
		head := l.alarmWord(a) + " "
		if a.Campaign != "" {
			head += text(campaignName(s, a.Campaign))
		} else {
			head += dim(a.Kind)
		}
		lines = append(lines, head)
		for _, line := range wrap(l.alarmText(a), inner, max(min(rows-len(z.Rows)-6, 3), 1)) {
			lines = append(lines, l.Theme.Strong.Render(line))
		}
	} else {
		lines = append(lines, dim("This alarm is gone."))
	}
	if rows >= len(lines)+len(z.Rows)+4 {
		lines = append(lines, "", dim("Keep it quiet"))
	}
	marked := len(lines) + z.Selected
	for _, r := range z.Rows {
		lines = append(lines, text(r))
	}
	said := "It stays on the screen. Nobody is told of it, no bell rings; if it still stands when the time is over, it is told again."
	if z.Note != "" {
		said = z.Note
	}
	if rows > len(lines)+1 {
		lines = append(lines, "")
	}
	for _, line := range wrap(said, inner, max(rows-len(lines), 1)) {
		lines = append(lines, dim(line))
	}
	return l.list("Keep quiet", "", lines, marked, w, h, true)
}

// Quieted says what came of it.
func (l Look) Quieted(a *link.Alarm) string { return "Kept " + l.quietWords(a) + ": " + a.Text }

// quietWords says until when an alarm is quiet.
func (l Look) quietWords(a *link.Alarm) string {
	switch {
	case a.SnoozedUntil != nil:
		return "quiet until " + l.clock(*a.SnoozedUntil)
	case a.Severity == link.VerdictAct:
		return "quiet until it is over"
	}
	return "quiet until it grows"
}
