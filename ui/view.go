package ui

import (
	"strings"

	tea "charm.land/bubbletea/v2"
	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"

	"tickwatch/monitor/link"
	"tickwatch/ui/pane"
	"tickwatch/ui/theme"
	"tickwatch/wa"
)

// From this size on the panes have room; below it the screen is one column.
const (
	panesWidth  = 76
	panesHeight = 22
)

// View implements tea.Model.
func (m *model) View() tea.View {
	v := tea.NewView(m.frame())
	v.AltScreen = true
	return v
}

// frame is the whole screen: exactly the terminal's lines, none of them wider.
func (m *model) frame() string {
	if m.width <= 0 || m.height <= 0 {
		return ""
	}
	parts := []string{m.header()}
	if h := m.bodyHeight(); h > 0 {
		parts = append(parts, m.body(m.width, h))
	}
	if m.hasStatus() {
		parts = append(parts, pane.Status(m.look(true), m.shown, m.update.Connected, m.opt.ReadOnly, m.width))
	}
	if n := m.footerHeight(); n > 0 {
		parts = append(parts, m.footer(n))
	}
	frame := strings.Join(parts, "\n")
	if m.opt.ASCII {
		frame = theme.ASCII(frame)
	}
	return frame
}

func (m *model) wide() bool { return m.width >= panesWidth && m.height >= panesHeight }

// footerHeight is how many lines the keys, or a notice, take.
func (m *model) footerHeight() int {
	switch {
	case m.height < 2:
		return 0
	case m.wide():
		return 2
	case m.notice != "":
		return min(4, max(m.height-2, 1))
	}
	return 1
}

func (m *model) hasStatus() bool { return m.shown != nil && m.height >= 8 }

func (m *model) bodyHeight() int {
	h := m.height - 1 - m.footerHeight()
	if m.hasStatus() {
		h--
	}
	return h
}

func (m *model) header() string {
	if m.shown == nil {
		return pane.Connecting(m.look(true), m.width)
	}
	return pane.Header(m.look(true), m.shown, m.current(), m.update.Connected, m.width)
}

// body is what lies between the first line and the status line.
func (m *model) body(w, h int) string {
	l := m.look(m.update.Connected)
	switch m.dialog {
	case helpDialog:
		return pane.Help(l, helpSections(), m.scroll, w, h)
	case leaveDialog:
		return pane.Question(m.look(true), "Leaving ends the daemon too: no webhook is taken any more.", "Leave?   y yes   n no", w, h)
	}
	if m.shown == nil {
		return pane.Waiting(m.look(true), m.linkProblem(), w, h)
	}
	switch m.dialog {
	case switchDialog:
		return pane.Switcher(l, m.shown, m.pick, w, h)
	case errorDialog:
		e := &m.failures.err
		return pane.ErrorDetail(l, e, wa.Explain(e.Code, e.Title), m.failures.shown(), w, h)
	case alarmDialog:
		if i := m.alarmAt(); i < len(m.shown.Alarms) {
			return pane.AlarmDetail(l, m.shown, &m.shown.Alarms[i], w, h)
		}
	case findDialog:
		return pane.Find(l, m.findInput(w), m.find.found, m.findNote(), w, h)
	}
	c := m.shownCampaign()
	switch {
	case c == nil:
		return pane.Empty(l, m.shown, w, h)
	case !m.wide():
		return pane.Compact(l, m.shown, c, w, h)
	}
	return m.panes(l, m.shown, c, w, h)
}

// panes lays out the six panes: how it goes, why it fails, what to look at. The
// places do not depend on the figures, so nothing jumps.
func (m *model) panes(l pane.Look, s *link.Snapshot, c *link.Campaign, w, h int) string {
	spare := h - 20
	top, middle := 9+min(spare*2/5, 9), 6+spare/3
	if spare < 0 {
		top, middle = 8, 5
	}
	bottom := h - top - middle
	quality := min(max(21+(w-80)*9/40, 21), 40)
	reports := min(max(20+(w-80)*6/40, 20), 34)
	queue := min(max(w*28/100, 28), 40)
	delivered := w - quality - reports
	return lipgloss.JoinVertical(lipgloss.Left,
		lipgloss.JoinHorizontal(lipgloss.Top,
			pane.Delivered(l, c, delivered, top),
			pane.Reports(l, c, reports, top),
			pane.Quality(l, s, c, quality, top)),
		pane.Errors(l, c, m.errorAt(), m.focus == errorsFocus, w, middle),
		lipgloss.JoinHorizontal(lipgloss.Top,
			pane.Queue(l, c, queue, bottom),
			pane.Alarms(l, s, c.ID, m.alarmAt(), m.focus == alarmsFocus, w-queue, bottom)))
}

func (m *model) linkProblem() string {
	if m.update.Err == nil {
		return ""
	}
	return screenText(m.update.Err.Error())
}

func (m *model) findInput(w int) string {
	in := m.find.input
	in.SetWidth(max(w-6-ansi.StringWidth(in.Prompt), 1))
	return in.View()
}

func (m *model) findNote() string {
	switch {
	case m.find.ticket != 0:
		return "looking…"
	case m.find.problem != "":
		return m.find.problem
	}
	return ""
}

// failureRows is how many failed messages a page of the error detail holds.
func (m *model) failureRows() int {
	e := &m.failures.err
	return pane.ErrorDetailRows(m.look(true), e, wa.Explain(e.Code, e.Title), m.width, m.bodyHeight())
}

func (m *model) helpEnd() int {
	return pane.HelpScroll(m.look(true), helpSections(), m.width, m.bodyHeight())
}
