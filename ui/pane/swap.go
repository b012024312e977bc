package pane

import (
	"strings"

	"github.com/charmbracelet/x/ansi"

	"tickwatch/monitor/link"
)

// Templates are the templates that the rest of a campaign could go out with, as
// a console holds them. Its texts are clean.
type Templates struct {
	Choices  *link.Choices // nil = not told yet
	Previews [][]string    // of Choices.Others, by line, as a recipient sees them
	Selected int           // of Choices.Others
	Asked    bool          // the selected one waits for a last word
	Running  bool          // the campaign is sending just now
	Note     string        // "asking…", or what went wrong
}

// Swap lists the templates to choose from, those that can be used first and the
// others with why not, and shows the selected one as a recipient will see it.
func Swap(l Look, t *Templates, w, h int) string {
	const beside, low = 100, 14
	if w >= beside {
		left := w * 11 / 20
		return sideBySide(l.templateList(t, left, h), l.preview(t, w-left, h))
	}
	if t.Choices != nil && t.Asked { // the list has been read: the text has the room
		foot := l.swapFoot(t, max(w-4, 0), 4)
		if h < low {
			return l.box("Template", "", append(foot, l.previewLines(t, max(w-4, 0), h-2-len(foot))...), w, h, true)
		}
		return joined(l.box("Template", "", foot, w, len(foot)+2, true), l.preview(t, w, h-len(foot)-2))
	}
	if h < low {
		return l.templateList(t, w, h)
	}
	listed := 0
	if t.Choices != nil {
		listed = len(t.Choices.Others)
	}
	top := min(listed+6, h/2)
	return joined(l.templateList(t, w, top), l.preview(t, w, h-top))
}

// joined puts one block below another; either may have no height.
func joined(above, below string) string {
	return strings.Trim(above+"\n"+below, "\n")
}

// sideBySide joins two blocks of the same height.
func sideBySide(left, right string) string {
	a, b := strings.Split(left, "\n"), strings.Split(right, "\n")
	for i := range a {
		if i < len(b) {
			a[i] += b[i]
		}
	}
	return strings.Join(a, "\n")
}

func (l Look) templateList(t *Templates, w, h int) string {
	inner, rows := max(w-4, 0), max(h-2, 0)
	foot := l.swapFoot(t, inner, max(rows/3, 1))
	if t.Choices == nil {
		return l.box("Template", "", foot, w, h, true)
	}
	now := &t.Choices.Current
	lines := []string{l.Theme.Dim.Render("now  ") + l.Theme.Text.Render(templateName(&now.TemplateRef)) + "  " + l.templateStanding(now)}
	nameWidth := 0
	for i := range t.Choices.Others {
		nameWidth = max(nameWidth, ansi.StringWidth(templateName(&t.Choices.Others[i].TemplateRef)))
	}
	nameWidth = min(nameWidth, max(inner*2/5, 12))
	from, to := window(len(t.Choices.Others), rows-len(lines)-len(foot), t.Selected)
	for i := from; i < to; i++ {
		lines = append(lines, l.templateRow(&t.Choices.Others[i], nameWidth, inner))
	}
	marked := 1 + t.Selected - from
	if len(t.Choices.Others) == 0 {
		marked = -1
		lines = append(lines, l.Theme.Dim.Render(clip("There is no other template in this account.", inner)))
	}
	if len(lines)+len(foot) < rows {
		lines = append(lines, "")
	}
	lines = append(lines[:max(min(len(lines), rows-len(foot)), 0)], foot...)
	note := things(t.Choices.Waiting, "message waits", "messages wait")
	return l.list("Template", note, lines, marked, w, h, true)
}

func templateName(t *link.TemplateRef) string {
	if t.Language == "" {
		return t.Name
	}
	return t.Name + "/" + t.Language
}

func (l Look) templateStanding(c *link.Choice) string {
	text := l.rating(c.Status)
	if c.Quality != "" {
		text += " " + l.rating(c.Quality)
	}
	if c.Category != "" {
		text += " " + l.Theme.Dim.Render(strings.ToLower(c.Category))
	}
	return text
}

// templateRow is one template: its name, and how it stands or why it cannot be used.
func (l Look) templateRow(c *link.Choice, nameWidth, w int) string {
	name := fit(templateName(&c.TemplateRef), nameWidth)
	if !c.Usable {
		return l.Theme.Dim.Render(clip(name+"  no: "+firstOf(c.Why, "it cannot take the place of the present one"), w))
	}
	line := l.Theme.Strong.Render(name) + "  " + l.templateStanding(c)
	if c.Why != "" {
		line += "  " + l.Theme.Text.Render(c.Why)
	}
	return clip(line, w)
}

// swapFoot is what stands below the list, in so many lines: what happens next,
// or the last question and its keys.
func (l Look) swapFoot(t *Templates, w, most int) []string {
	var lines []string
	add := func(style func(...string) string, text string) {
		for _, line := range wrap(text, w, most) {
			lines = append(lines, style(line))
		}
	}
	switch {
	case t.Note != "":
		add(l.Theme.Text.Render, t.Note)
	case t.Asked && t.Selected < len(t.Choices.Others):
		goes := "What is paused stays paused."
		if t.Running {
			goes = "It is sending: they go out with it at once."
		}
		add(l.Theme.Strong.Render, "Send the "+things(t.Choices.Waiting, "message that waits", "messages that wait")+" with "+
			templateName(&t.Choices.Others[t.Selected].TemplateRef)+"? "+goes)
		lines = append(lines, l.Theme.Key.Render("enter")+l.Theme.Text.Render(" yes   ")+l.Theme.Key.Render("esc")+l.Theme.Text.Render(" no"))
	case t.Choices != nil && len(t.Choices.Others) > 0:
		add(l.Theme.Dim.Render, "enter asks once more before it changes. What is with Meta stays as it went.")
	}
	return lines
}

// preview is the selected template as a recipient sees it.
func (l Look) preview(t *Templates, w, h int) string {
	return l.box("As a recipient sees it", "", l.previewLines(t, max(w-4, 0), h-2), w, h, false)
}

func (l Look) previewLines(t *Templates, w, rows int) []string {
	if t.Choices == nil || t.Selected >= len(t.Previews) || rows <= 0 {
		return nil
	}
	var lines []string
	for _, text := range t.Previews[t.Selected] {
		if text == "" {
			lines = append(lines, "")
		}
		for _, line := range wrap(text, w, rows+1) {
			lines = append(lines, l.Theme.Text.Render(line))
		}
	}
	if len(lines) == 0 {
		return []string{l.Theme.Dim.Render("No preview.")}
	}
	if len(lines) > rows {
		lines = append(lines[:rows-1], l.Theme.Dim.Render("…"))
	}
	return lines
}
