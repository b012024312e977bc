package ui

import (
	"slices"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"tickwatch/ui/theme"
)

// footer is the last lines: the keys, or what must be said in their place. What
// leaves a line free leaves it to the keys.
func (m *model) footer(height int) string {
	t := m.look(true).Theme
	lines := m.said(t, height)
	said := len(lines) > 0
	switch {
	case len(lines) == height:
	case m.dialog != noDialog && height-len(lines) > 1:
		lines = append(lines, m.stopLine(t), m.dialogLine(t))
	case m.dialog != noDialog:
		lines = append(lines, m.narrowLine(t))
	case !m.wide():
		lines = append(lines, m.keyLine(t, func(b *binding) bool { return b.essential }))
	case said: // the keys that act are wanted most
		lines = append(lines, m.keyLine(t, func(b *binding) bool { return b.footer && b.acts }))
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

// narrowLine are the keys of the open window, and behind them, never cut, one
// that pauses.
func (m *model) narrowLine(t theme.Theme) string {
	line, stop := m.dialogLine(t), m.stopLine(t)
	if ansi.StringWidth(line+stop)+1 > m.width {
		stop = m.keyLine(t, func(b *binding) bool {
			return b.urgent && slices.Contains(b.in, m.dialog) && (b.keys[0] == "!" || m.dialog == noteDialog)
		})
	}
	return fill(line, max(m.width-ansi.StringWidth(stop)-1, 0)) + " " + stop
}

// stopLine are the keys that pause from the open window.
func (m *model) stopLine(t theme.Theme) string {
	return m.keyLine(t, func(b *binding) bool { return b.urgent && slices.Contains(b.in, m.dialog) })
}

// said are the lines that a pause on its way and the notice take, at most n.
func (m *model) said(t theme.Theme, n int) []string {
	var lines []string
	for i, text := range []string{m.pauseLine(), m.fallbackLine(), m.notice} {
		if text == "" {
			continue
		}
		style := t.Strong
		if i < 2 {
			style = t.Watch
		}
		for _, line := range strings.Split(ansi.Wrap(text, max(m.width-2, 1), ""), "\n") {
			lines = append(lines, " "+style.Render(line))
		}
	}
	if len(lines) > n { // the last line is cut, not lost
		rest := ansi.Strip(strings.Join(lines[n-1:], ""))
		lines = append(lines[:n-1], t.Strong.Render(rest))
	}
	return lines
}

// keyLine lists keys: first those that work now, then, named as such, those
// that do not.
func (m *model) keyLine(t theme.Theme, want func(*binding) bool) string {
	var can, cannot, short []string
	for i := range m.keys {
		b := &m.keys[i]
		switch {
		case !want(b):
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
	line += t.Dim.Render("not now: ")
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
	case resumeDialog:
		keys = []string{key("enter", "resume"), key("esc", "leave it paused")}
		if len(m.resume.closed) > 1 {
			keys = append([]string{key("↑↓", "choose")}, keys...)
		}
	case swapDialog:
		keys = []string{key("↑↓", "choose"), key("enter", "take it"), key("esc", "close")}
	case swapConfirmDialog:
		keys = []string{key("enter", "yes"), key("esc", "no")}
	case retryDialog:
		keys = []string{key("↑↓", "choose"), key("space", "tick"), key("enter", "count"), key("esc", "close")}
		if len(m.channels()) > 1 {
			keys = append([]string{key("←→", "by what")}, keys...)
		}
	case retryConfirmDialog:
		keys = []string{key("enter", "send again"), key("esc", "back")}
	case reachDialog:
		keys = []string{key("enter", "order it"), key("tab", "hours"), key("esc", "back")}
	case reachLookDialog:
		keys = []string{key("enter", "send the rest"), key("esc", "let it wait")}
	case asideDialog:
		keys = []string{key("↑↓", "choose"), key("enter", "set aside"), key("esc", "close")}
		if m.aside.cluster() == nil {
			keys[1] = key("enter", "do what you typed")
		}
	case noteDialog:
		keys = []string{key("enter", "leave the note"), key("esc", "close")}
	case deliveredDialog, reportsDialog, queueDialog, feedDialog, copyDialog:
		keys = []string{key("esc", "close")}
	case alarmDialog:
		keys = []string{key("k", "seen"), key("z", "quiet"), key("esc", "close")}
	case snoozeDialog:
		keys = []string{key("↑↓", "choose"), key("enter", "keep it quiet"), key("esc", "back")}
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
