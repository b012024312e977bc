package pane

import (
	"strconv"
	"time"

	"tickwatch/monitor/link"
	"tickwatch/wa"
)

// Subject is what has a history of its own: the account, a number or a template.
type Subject struct {
	Of, ID string // as link.EventsArgs takes them, not for the screen
	Name   string
	says   func(l Look) string
	more   func(l Look) []string // what else is known of it, a line each; nil = nothing
}

// Subjects are those of the Quality pane's detail: the account, then the
// campaign's numbers and templates, then the others.
func Subjects(s *link.Snapshot, c *link.Campaign) []Subject {
	all := []Subject{{Of: link.OfAccount, Name: "account", says: func(l Look) string { return l.accountSays(s) }, more: func(l Look) []string { return l.accountMore(s) }}}
	seen := map[string]bool{}
	for _, numbers := range [][]link.Number{worstNumbers(numbersOf(s, c)), worstNumbers(s.Numbers)} {
		for _, n := range numbers {
			id := firstOf(n.ID, n.Display)
			if !seen[id] {
				seen[id] = true
				all = append(all, Subject{Of: link.OfNumber, ID: id, Name: firstOf(n.Display, n.ID), says: func(l Look) string { return l.numberSays(&n) }, more: func(l Look) []string { return l.numberMore(s, &n) }})
			}
		}
	}
	for _, templates := range [][]link.Template{templatesOf(s, c), s.Templates} {
		for _, t := range templates {
			if t.ID != "" && !seen[link.OfTemplate+t.ID] {
				seen[link.OfTemplate+t.ID] = true
				all = append(all, Subject{Of: link.OfTemplate, ID: t.ID, Name: t.Name + "/" + t.Language, says: func(l Look) string { return l.templateSays(&t) }, more: func(l Look) []string { return l.templateMore(s, &t) }})
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

// accountMore says how much of its limits is used, and what the next one takes.
func (l Look) accountMore(s *link.Snapshot) (lines []string) {
	dim, text := l.Theme.Dim.Render, l.Theme.Text.Render
	for i := range s.Limits {
		v := &s.Limits[i]
		line := text(count(v.Used24h)+" of "+limitName(v.Limit)) + dim(" people used in 24 h")
		if v.Limit == "TIER_UNLIMITED" {
			line = text(count(v.Used24h)) + dim(" people written to in 24 h, no limit")
		}
		if v.ReachedAt != nil {
			line += "  " + l.Theme.Act.Render(" "+reached(v.ReachedAt.Sub(s.At), 80)+" ")
		}
		if lines = append(lines, line); v.Next == "" {
			continue
		}
		lines = append(lines, dim("for the next limit, ")+text(limitName(v.Next))+dim(", Meta wants"))
		for _, n := range v.Needs {
			mark := "?"
			if n.Met != nil && *n.Met {
				mark = "+"
			} else if n.Met != nil {
				mark = "-"
			}
			lines = append(lines, dim("  "+mark+" "+n.Text))
		}
	}
	return lines
}

// limitName is a limit as people say it.
func limitName(limit string) string {
	if people, ok := wa.Limit(limit).People(); ok {
		return count(int64(people))
	}
	if limit == "TIER_UNLIMITED" {
		return "no limit"
	}
	return limit
}

func (l Look) numberMore(s *link.Snapshot, n *link.Number) (lines []string) {
	dim, text := l.Theme.Dim.Render, l.Theme.Text.Render
	lines = append(lines, l.sinceLine(n.Quality, n.QualityWas, n.QualitySince)...)
	if n.Used24h != nil {
		line := text(count(*n.Used24h)) + dim(" people used in 24 h, with all other numbers")
		if n.LimitReachedAt != nil {
			line += "  " + l.Theme.Act.Render(" "+reached(n.LimitReachedAt.Sub(s.At), 80)+" ")
		}
		lines = append(lines, line)
	}
	if n.ThroughputMPS != nil {
		lines = append(lines, dim("up to ")+text(count(int64(*n.ThroughputMPS)))+dim(" messages a second, answers included"))
	}
	return append(lines, l.healthLine(n.Health, n.HealthReason)...)
}

func (l Look) sinceLine(quality, was string, since *time.Time) []string {
	if since == nil || quality == "" {
		return nil
	}
	text := "quality " + quality + " since " + l.clock(*since)
	if was != "" {
		text += ", was " + was
	}
	return []string{l.Theme.Dim.Render(text)}
}

// healthLine says what stands in the way of sending, in Meta's words.
func (l Look) healthLine(health, why string) []string {
	var word string
	switch health {
	case "", wa.CanSend:
		return nil
	case wa.CannotSend:
		word = l.Theme.Act.Render(" CANNOT SEND ")
	case wa.CanSendSome:
		word = l.Theme.Watch.Render(" LIMITED ")
	default:
		word = l.Theme.Text.Render(health)
	}
	return []string{word + " " + l.Theme.Text.Render(why)}
}

func (l Look) templateMore(s *link.Snapshot, t *link.Template) (lines []string) {
	dim, text := l.Theme.Dim.Render, l.Theme.Text.Render
	lines = append(lines, l.sinceLine(t.Quality, t.QualityWas, t.QualitySince)...)
	if t.Status == "PAUSED" {
		lines = append(lines, text(pauseLine(t)))
	}
	var paced int64
	for i := range s.Campaigns {
		if c := &s.Campaigns[i]; c.Template != nil && c.Template.Name == t.Name && c.Template.Language == t.Language {
			paced += c.Counts.Paced
		}
	}
	if paced > 0 {
		lines = append(lines, text(things(paced, "message", "messages"))+dim(" waiting for Meta, which looks first how people take the others"))
	}
	switch {
	case t.NextCategory != "" && t.NextCategoryAt != nil:
		lines = append(lines, dim("category becomes ")+text(t.NextCategory)+dim(" on "+l.local(*t.NextCategoryAt).Format("2 January")))
	case t.NextCategory != "":
		lines = append(lines, dim("category becomes ")+text(t.NextCategory)+dim(", Meta has not told when"))
	case t.CategoryWas != "":
		lines = append(lines, dim("category was "+t.CategoryWas+" before"))
	}
	return append(lines, l.healthLine(t.Health, t.HealthReason)...)
}

// pauseLine says which pause of a template it is, and what comes next: three hours,
// then six, then Meta disables it.
func pauseLine(t *link.Template) string {
	switch {
	case t.Reason == "RATE_LIMITING_PAUSE":
		return "paused until somebody lifts it: people did not want what Meta let through first"
	case t.Pauses == 1:
		return "first pause, for 3 hours; the next one lasts 6, and then Meta disables it"
	case t.Pauses >= 2:
		return "second pause, for 6 hours; the next time Meta disables it"
	}
	return "the first pause lasts 3 hours, the second 6, and then Meta disables it"
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
	if more := l.subjectMore(subjects, selected, h); len(more) > 0 {
		lines = append(append(lines, more...), "")
	}
	if len(subjects) > 0 {
		head := "What changed: " + subjects[selected].Name
		if log.Note != "" && log.Loaded {
			head += ", " + log.Note
		}
		lines = append(lines, l.Theme.Strong.Render(clip(head, inner)))
	}
	history := l.logLines(log, inner)
	start := max(min(scroll, len(history)-l.historyRows(subjects, selected, h)), 0)
	lines = append(lines, history[min(start, len(history)):]...)
	return l.list("Quality", note, lines, selected-from, w, h, true)
}

// subjectMore are the lines about the selected subject, as many as there is room for.
func (l Look) subjectMore(subjects []Subject, selected, h int) []string {
	if selected < 0 || selected >= len(subjects) || subjects[selected].more == nil || h < 16 {
		return nil
	}
	more := subjects[selected].more(l)
	return more[:min(len(more), h/4)]
}

func (l Look) historyRows(subjects []Subject, selected, h int) int {
	rows := h - 2 - subjectRows(len(subjects), h) - 2
	if more := len(l.subjectMore(subjects, selected, h)); more > 0 {
		rows -= more + 1
	}
	return max(rows, 1)
}

// QualityScroll is the furthest that the history of QualityDetail can be scrolled.
func QualityScroll(l Look, subjects []Subject, selected int, log *Log, w, h int) int {
	return max(len(l.logLines(log, max(w-4, 0)))-l.historyRows(subjects, selected, h), 0)
}
