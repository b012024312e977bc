package pane

// HelpSection is a heading of the help screen with its rows: a key or a word,
// and what it does or means.
type HelpSection struct {
	Title string
	Rows  [][2]string
}

// Help lists the sections, scrolled by some lines; scroll past the end shows
// the end.
func Help(l Look, sections []HelpSection, scroll, w, h int) string {
	inner, rows := max(w-4, 0), max(h-2, 0)
	lines := helpLines(l, sections, inner)
	from := max(min(scroll, len(lines)-rows), 0)
	note := "esc closes"
	if len(lines) > rows {
		note = "↑↓ for more, esc closes"
	}
	return l.box("Help", note, lines[min(from, len(lines)):], w, h, true)
}

// HelpScroll is the furthest that Help can be scrolled.
func HelpScroll(l Look, sections []HelpSection, w, h int) int {
	return max(len(helpLines(l, sections, max(w-4, 0)))-(h-2), 0)
}

func helpLines(l Look, sections []HelpSection, w int) []string {
	const indent = 16
	var lines []string
	for i, s := range sections {
		if i > 0 {
			lines = append(lines, "")
		}
		lines = append(lines, l.Theme.Strong.Render(s.Title))
		for _, r := range s.Rows {
			for k, text := range wrap(r[1], max(w-indent, 10), 4) {
				head := ""
				if k == 0 {
					head = r[0]
				}
				lines = append(lines, l.Theme.Key.Render(fit(head, indent))+l.Theme.Text.Render(text))
			}
		}
	}
	return lines
}
