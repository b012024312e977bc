package pane

import (
	"slices"
	"time"

	"github.com/charmbracelet/x/ansi"

	"tickwatch/monitor/link"
	"tickwatch/ui/chart"
	"tickwatch/wa"
)

// Quality shows Meta's own judgement: of the numbers that the campaign is sent
// from, how much of their limit is used, and of the template.
func Quality(l Look, s *link.Snapshot, c *link.Campaign, focused bool, w, h int) string {
	inner, rows := max(w-4, 0), max(h-2, 0)
	template := l.templateLines(s, c, inner, max(rows-2, 2), false)
	numbers := worstNumbers(numbersOf(s, c))
	lines, all := l.numbersLines(s, numbers, inner, max(rows-len(template), 2))
	if !all {
		template = l.templateLines(s, c, inner, max(rows-2, 2), true)
		lines, _ = l.numbersLines(s, numbers, inner, max(rows-len(template), 2))
	}
	if len(lines) == 0 {
		lines = []string{l.Theme.Dim.Render("no number known")}
	}
	if asked := l.askedWords(numbers); asked != "" && rows > len(lines)+len(template) {
		lines = append(lines, l.Theme.Dim.Render(clip(asked, inner)))
	}
	if rows > len(lines)+len(template) {
		lines = append(lines, "")
	}
	return l.box("Quality", "", append(lines, template...), w, h, focused)
}

// askedWords says when Meta last told of the quality of these numbers, of the one that
// was asked about the longest ago; "" = it is not known.
func (l Look) askedWords(numbers []link.Number) string {
	var oldest *time.Time
	for i := range numbers {
		if at := numbers[i].AskedAt; at != nil && (oldest == nil || at.Before(*oldest)) {
			oldest = at
		}
	}
	if oldest == nil {
		return ""
	}
	return "asked " + l.clock(*oldest)
}

// numbersOf gives the campaign's numbers; all of them when it names none.
func numbersOf(s *link.Snapshot, c *link.Campaign) []link.Number {
	var own []link.Number
	for _, n := range s.Numbers {
		if slices.Contains(c.Numbers, n.ID) {
			own = append(own, n)
		}
	}
	if len(own) == 0 && len(c.Numbers) == 0 {
		return s.Numbers
	}
	return own
}

// numbersLines shows the numbers, the worst first, in at most so many rows; false when
// something was left out. Numbers of an account share a limit: its use stands once,
// below the last of them, and has its place before more numbers have.
func (l Look) numbersLines(s *link.Snapshot, numbers []link.Number, w, rows int) (lines []string, all bool) {
	all = true
	for i := 0; i < len(numbers); {
		n := &numbers[i]
		limit := l.limitLines(s, n, w)
		first := true
		for ; i < len(numbers) && (first || sharesLimit(n, &numbers[i])); i++ {
			more := l.numberLines(&numbers[i], w)
			if len(lines)+len(more)+min(len(limit), 2) > rows && (!first || len(lines) > 0) {
				all = false
			} else {
				lines = append(lines, more...)
			}
			first = false
		}
		if room := max(rows-len(lines), 0); len(limit) > room {
			limit, all = limit[len(limit)-room:], false
		}
		lines = append(lines, limit...)
	}
	return lines, all
}

// worstNumbers puts the numbers first that need looking at.
func worstNumbers(numbers []link.Number) []link.Number {
	numbers = slices.Clone(numbers)
	slices.SortStableFunc(numbers, func(a, b link.Number) int { return ill(&b) - ill(&a) })
	return numbers
}

// ill orders numbers by how badly they stand.
func ill(n *link.Number) int {
	bad := max(slices.Index([]string{"GREEN", "YELLOW", "RED"}, n.Quality), 0)
	if n.Status != "" && n.Status != "CONNECTED" {
		bad += 10
	}
	switch n.Health {
	case wa.CannotSend:
		bad += 10
	case wa.CanSendSome:
		bad++
	}
	return bad
}

func sharesLimit(a, b *link.Number) bool {
	return a.Limit == b.Limit && a.Used24h != nil && b.Used24h != nil && *a.Used24h == *b.Used24h
}

func (l Look) numberLines(n *link.Number, w int) []string {
	name := n.Display
	if name == "" {
		name = n.ID
	}
	quality := l.rating(n.Quality)
	if n.Quality == "" && ansi.StringWidth(name)+9 <= w {
		quality = l.Theme.Dim.Render("not told")
	}
	if ansi.StringWidth(name)+1+ansi.StringWidth(quality) > w {
		name = shortNumber(name)
	}
	if room := w - 1 - ansi.StringWidth(quality); ansi.StringWidth(name) > room && room > 4 {
		// The last digits tell numbers of one country apart.
		name = ansi.Truncate(name, 2, "") + "…" + ansi.TruncateLeft(name, ansi.StringWidth(name)-2, "")
	}
	lines := []string{row(l.Theme.Text.Render(name), quality, w)}
	if n.Status != "" && n.Status != "CONNECTED" {
		lines = append(lines, l.rating(n.Status))
	} else if n.Health == wa.CannotSend {
		lines = append(lines, l.Theme.Act.Render(" CANNOT SEND "))
	}
	return lines
}

// limitLines are how much of a number's limit is used, and when it is reached.
func (l Look) limitLines(s *link.Snapshot, n *link.Number, w int) (lines []string) {
	limit, known := wa.Limit(n.Limit).People()
	period := " in 24 h"
	if w < 19 {
		period = "/24 h"
	}
	switch {
	case known && n.Used24h != nil:
		used := short(*n.Used24h) + " of " + short(int64(limit)) + period
		if ansi.StringWidth(used) > w {
			used = count(*n.Used24h/1000) + "K of " + short(int64(limit)) + period
		}
		lines = append(lines, l.Theme.Dim.Render(used))
		if w >= 22 {
			lines = append(lines, l.Theme.Chart.Render(chart.Bar(float64(*n.Used24h)/float64(limit), w)))
		}
	case known:
		lines = append(lines, l.Theme.Dim.Render("limit "+short(int64(limit))+period))
	case n.Limit == "TIER_UNLIMITED":
		lines = append(lines, l.Theme.Dim.Render("no limit in 24 h"))
	case n.Limit != "":
		lines = append(lines, l.Theme.Dim.Render(n.Limit))
	}
	switch {
	case n.LimitReachedAt != nil && known:
		lines = append(lines, l.Theme.Act.Render(clip(" "+reached(n.LimitReachedAt.Sub(s.At), w)+" ", w)))
	case n.Since != nil && w >= 22:
		lines = append(lines, l.Theme.Dim.Render("last changed "+l.clock(*n.Since)))
	}
	return lines
}

// reached says in few words when a limit is used up.
func reached(in time.Duration, w int) string {
	when := span(in)
	switch {
	case in <= 0:
		return "limit reached"
	case in < time.Minute:
		when = "<1 min"
	}
	if w < 22 {
		return "full in " + when
	}
	return "limit hit in " + when
}

// templateLines shows the campaign's template. Another system's webhooks do not
// say which template a campaign uses; then it shows those that Meta told of,
// the worst first, in as many rows as there are, or in as few as may be.
func (l Look) templateLines(s *link.Snapshot, c *link.Campaign, w, rows int, brief bool) []string {
	templates := templatesOf(s, c)
	if len(templates) == 0 {
		return []string{l.Theme.Dim.Render("no template known")}
	}
	var lines []string
	for _, t := range templates {
		more := []string{l.Theme.Text.Render(t.Name), row(l.Theme.Dim.Render(t.Language), l.rating(t.Quality), w)}
		if brief {
			more = []string{row(l.Theme.Text.Render(t.Name), l.rating(t.Quality), w)}
		}
		if t.Status != "" && t.Status != "APPROVED" {
			word, until := l.rating(t.Status), ""
			if t.PausedUntil != nil {
				until = l.Theme.Text.Render("until " + l.clock(*t.PausedUntil))
				if brief {
					until = l.Theme.Text.Render("to " + l.clock(*t.PausedUntil))
				}
			}
			if until != "" && ansi.StringWidth(word+" "+until) <= w {
				word, until = word+" "+until, ""
			}
			if more = append(more, word); until != "" {
				more = append(more, until)
			}
		}
		if t.NextCategory != "" && !brief {
			more = append(more, l.Theme.Unsure.Render(clip("soon "+t.NextCategory, w)))
		}
		if len(lines) > 0 && len(lines)+len(more) > rows/2 {
			break
		}
		lines = append(lines, more...)
	}
	return lines
}

// templatesOf gives the campaign's template; all of them, the worst first, when
// it names none.
func templatesOf(s *link.Snapshot, c *link.Campaign) []link.Template {
	if c.Template != nil {
		for _, t := range s.Templates {
			if t.Name == c.Template.Name && t.Language == c.Template.Language {
				return []link.Template{t}
			}
		}
		return []link.Template{{Name: c.Template.Name, Language: c.Template.Language}}
	}
	all := slices.Clone(s.Templates)
	slices.SortStableFunc(all, func(a, b link.Template) int { return badness(b) - badness(a) })
	return all
}

// badness orders templates by how much they need looking at.
func badness(t link.Template) int {
	n := slices.Index([]string{"GREEN", "YELLOW", "RED"}, t.Quality)
	if t.Status != "" && t.Status != "APPROVED" {
		n += 10
	}
	return n
}

// short prints a count of people in thousands, as limits are written: 8.1K.
func short(n int64) string {
	if n < 1000 || n >= 1_000_000 {
		return count(n)
	}
	if n%1000 == 0 || n >= 100_000 {
		return count(n/1000) + "K"
	}
	return count(n/1000) + "." + count(n%1000/100) + "K"
}
