package pane

import (
	"strconv"

	"tickwatch/monitor/link"
	"tickwatch/wa"
)

// Subject is what has a history of its own: the account, a number or a template.
type Subject struct {
	Of, ID string // as link.EventsArgs takes them, not for the screen
	Name   string
	says   func(l Look) string
}

// Subjects are those of the Quality pane's detail: the account, then the
// campaign's numbers and templates, then the others.
func Subjects(s *link.Snapshot, c *link.Campaign) []Subject {
	all := []Subject{{Of: link.OfAccount, Name: "account", says: func(l Look) string { return l.accountSays(s) }}}
	seen := map[string]bool{}
	for _, numbers := range [][]link.Number{numbersOf(s, c), s.Numbers} {
		for _, n := range numbers {
			id := firstOf(n.ID, n.Display)
			if !seen[id] {
				seen[id] = true
				all = append(all, Subject{Of: link.OfNumber, ID: id, Name: firstOf(n.Display, n.ID), says: func(l Look) string { return l.numberSays(&n) }})
			}
		}
	}
	for _, templates := range [][]link.Template{templatesOf(s, c), s.Templates} {
		for _, t := range templates {
			if t.ID != "" && !seen[link.OfTemplate+t.ID] {
				seen[link.OfTemplate+t.ID] = true
				all = append(all, Subject{Of: link.OfTemplate, ID: t.ID, Name: t.Name + "/" + t.Language, says: func(l Look) string { return l.templateSays(&t) }})
			}
		}
	}
	return all
}

func (l Look) accountSays(s *link.Snapshot) string {
	for i := range s.Alarms {
		if a := &s.Alarms[i]; a.Kind == "account" && a.Open() {
			return l.alarmWord(a) + " " + l.Theme.Text.Render(l.alarmText(a))
		}
	}
	return l.Theme.Dim.Render("nothing is held against it, as far as Meta told")
}

func (l Look) numberSays(n *link.Number) string {
	text := l.Theme.Dim.Render("quality ") + l.rating(n.Quality)
	if n.Quality == "" {
		text = l.Theme.Dim.Render("quality not told")
	}
	if n.Status != "" {
		text += "  " + l.rating(n.Status)
	}
	if people, ok := wa.Limit(n.Limit).People(); ok {
		text += l.Theme.Dim.Render("  " + short(int64(people)) + " in 24 h")
	} else if n.Limit != "" {
		text += l.Theme.Dim.Render("  " + n.Limit)
	}
	return text
}

func (l Look) templateSays(t *link.Template) string {
	text := l.Theme.Dim.Render("quality ") + l.rating(t.Quality)
	if t.Status != "" {
		text += "  " + l.rating(t.Status)
	}
	if t.PausedUntil != nil {
		text += l.Theme.Text.Render(" until " + l.clock(*t.PausedUntil))
	}
	if t.Category != "" {
		text += l.Theme.Dim.Render("  " + t.Category)
	}
	return text
}

// subjectRows is how many subjects QualityDetail lists at once.
func subjectRows(n, h int) int { return min(n, max((h-4)/3, 1)) }

// QualityDetail lists the account, the numbers and the templates with how they
// stand, and below them the history of the selected one, scrolled by some lines.
func QualityDetail(l Look, subjects []Subject, selected int, log *Log, scroll, w, h int) string {
	inner := max(w-4, 0)
	selected = max(min(selected, len(subjects)-1), 0)
	from, to := window(len(subjects), subjectRows(len(subjects), h), selected)
	name := min(max(inner/3, 12), 32)
	lines := make([]string, 0, h)
	for i := from; i < to; i++ {
		lines = append(lines, l.Theme.Text.Render(fit(subjects[i].Name, name))+" "+subjects[i].says(l))
	}
	note := "↑↓ chooses"
	if to-from < len(subjects) {
		note = strconv.Itoa(selected+1) + " of " + strconv.Itoa(len(subjects)) + ", ↑↓ chooses"
	}
	lines = append(lines, "")
	if len(subjects) > 0 {
		head := "What changed: " + subjects[selected].Name
		if log.Note != "" && log.Loaded {
			head += ", " + log.Note
		}
		lines = append(lines, l.Theme.Strong.Render(clip(head, inner)))
	}
	history := l.logLines(log, inner)
	start := max(min(scroll, len(history)-historyRows(len(subjects), h)), 0)
	lines = append(lines, history[min(start, len(history)):]...)
	return l.list("Quality", note, lines, selected-from, w, h, true)
}

func historyRows(subjects, h int) int { return max(h-2-subjectRows(subjects, h)-2, 1) }

// QualityScroll is the furthest that the history of QualityDetail can be scrolled.
func QualityScroll(l Look, subjects int, log *Log, w, h int) int {
	return max(len(l.logLines(log, max(w-4, 0)))-historyRows(subjects, h), 0)
}
