package ui

import (
	"strings"

	"github.com/charmbracelet/x/ansi"

	"tickwatch/ui/theme"
)

// footer is the last lines: the keys, or a notice in their place.
func (m *model) footer(height int) string {
	t := m.look(true).Theme
	lines := make([]string, 0, height)
	switch {
	case m.notice != "":
		text := ansi.Wrap(m.notice, max(m.width-2, 1), "")
		for _, line := range strings.Split(text, "\n") {
			lines = append(lines, " "+t.Strong.Render(line))
		}
		if len(lines) > height { // the last line is cut, not lost
			rest := ansi.Strip(strings.Join(lines[height-1:], ""))
			lines = append(lines[:height-1], t.Strong.Render(rest))
		}
	case m.dialog != noDialog:
		lines = append(lines, make([]string, height-1)...)
		lines = append(lines, m.dialogLine(t))
	case height == 1:
		lines = append(lines, m.keyLine(t, func(b *binding) bool { return b.essential }))
	default:
		lines = append(lines,
			m.keyLine(t, func(b *binding) bool { return b.footer && b.acts }),
			m.keyLine(t, func(b *binding) bool { return b.footer && !b.acts && (!b.roomy || m.width >= 100) }))
	}
	for len(lines) < height {
		lines = append(lines, "")
	}
	for i := range lines {
		lines[i] = fill(lines[i], m.width)
	}
	return strings.Join(lines, "\n")
}

// keyLine lists keys: first those that work now, then, named as such, those
// that do not.
func (m *model) keyLine(t theme.Theme, want func(*binding) bool) string {
	var can, cannot, short []string
	for _, b := range bindings() {
		switch {
		case !want(&b):
		case b.why(m) == "":
			can = append(can, t.Key.Render(b.shown)+" "+t.Text.Render(b.name))
		default:
			cannot = append(cannot, t.Dim.Render(b.shown+" "+b.name))
			short = append(short, b.shown)
		}
	}
	line := " " + strings.Join(can, "  ")
	if len(cannot) == 0 {
		return line
	}
	if len(can) > 0 {
		line += "  "
	}
	line += t.Dim.Render("not yet: ")
	if whole := line + strings.Join(cannot, "  "); ansi.StringWidth(whole) <= m.width {
		return whole
	}
	return line + t.Dim.Render(strings.Join(short, " "))
}

// dialogLine lists the keys that work in the open window.
func (m *model) dialogLine(t theme.Theme) string {
	key := func(k, name string) string { return t.Key.Render(k) + " " + t.Text.Render(name) }
	var keys []string
	switch m.dialog {
	case helpDialog:
		keys = []string{key("↑↓", "scroll"), key("esc", "close")}
	case switchDialog:
		keys = []string{key("↑↓", "choose"), key("enter", "show"), key("a…z", "filter"), key("esc", "close")}
	case errorDialog:
		keys = []string{key("pgdn", "older"), key("pgup", "newer"), key("home", "first page"), key("esc", "close")}
	case eventsDialog:
		keys = []string{key("↑↓", "scroll"), key("pgdn", "older"), key("pgup", "newer"), key("home", "newest"), key("esc", "close")}
	case qualityDialog:
		keys = []string{key("↑↓", "choose"), key("pgdn", "older"), key("pgup", "newer"), key("esc", "close")}
	case deliveredDialog, reportsDialog, queueDialog, feedDialog:
		keys = []string{key("esc", "close")}
	case alarmDialog:
		keys = []string{key("k", "seen"), key("esc", "close")}
	case findDialog:
		keys = []string{key("enter", "look up"), key("esc", "close")}
	case leaveDialog:
		keys = []string{key("y", "leave"), key("n", "stay")}
	}
	return " " + strings.Join(keys, "  ")
}

// fill cuts or pads a line to the screen's width.
func fill(s string, w int) string {
	if ansi.StringWidth(s) > w {
		s = ansi.Truncate(s, w, "…")
	}
	return s + strings.Repeat(" ", max(w-ansi.StringWidth(s), 0))
}
