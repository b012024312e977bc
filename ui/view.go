package ui

import (
	"strings"

	"charm.land/bubbles/v2/textinput"
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
	v.WindowTitle = m.title()
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
		parts = append(parts, pane.Status(m.look(true), m.shown, m.shownCampaign(), m.update.Connected, m.width))
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
	case m.notice != "" || len(m.pauses) > 0 || m.fallbackLine() != "":
		return min(len(m.said(theme.Theme{}, 4))+1, 4, max(m.height-2, 1))
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
		return pane.Question(m.look(true), m.leaveQuestion(), "Leave?   y yes   n no", w, h)
	}
	if m.shown == nil {
		return pane.Waiting(m.look(true), m.linkProblem(), w, h)
	}
	switch m.dialog {
	case switchDialog:
		all := m.choices()
		return pane.Switcher(l, m.shown, m.shownChoices(all, w), m.picked(all), w, h)
	case eventsDialog:
		return pane.Events(l, m.history.shown(), m.history.scroll, w, h)
	case feedDialog:
		return pane.Feed(l, m.shown, w, h)
	case errorDialog:
		e := &m.failures.err
		return pane.ErrorDetail(l, e, m.failures.of, wa.Explain(e.Code, e.Title), m.failures.shown(), w, h)
	case alarmDialog:
		if i := m.alarmAt(); i < len(m.shown.Alarms) {
			if a := &m.shown.Alarms[i]; a.Kind == "feed" {
				return pane.FeedAlarmDetail(l, m.shown, a, m.feedCheck.shown(), w, h)
			}
			return pane.AlarmDetail(l, m.shown, &m.shown.Alarms[i], w, h)
		}
	case snoozeDialog:
		return pane.Snooze(l, m.shown, m.shownSnooze(), w, h)
	case resumeDialog:
		return pane.Resume(l, m.shown, m.resumeFor(), m.shownResume(w), w, h)
	case swapDialog, swapConfirmDialog:
		return pane.Swap(l, m.shownSwap(), w, h)
	case retryDialog, retryConfirmDialog:
		return pane.Retry(l, m.shownRetry(w), w, h)
	case reachDialog:
		return pane.Fallback(l, m.shownReach(w), w, h)
	case noteDialog:
		return pane.Notes(l, m.notes(), inputLine(&m.note.input, w), m.note.problem, w, h)
	case copyDialog:
		return pane.Copied(l, m.copied, w, h)
	case findDialog:
		return pane.Find(l, inputLine(&m.find.input, w), m.find.found, m.findNote(), w, h)
	}
	c := m.shownCampaign()
	if c == nil {
		return pane.Empty(l, m.shown, w, h)
	}
	if m.dialog == reachLookDialog && c.Fallback.Run != nil {
		return pane.FallbackLook(l, c, &pane.Looking{Input: inputLine(&m.reach.input, w), Note: m.reach.problem}, w, h)
	}
	if m.dialog == asideDialog {
		return pane.AsideView(l, c, m.shownAside(w), w, h)
	}
	if text := m.detail(c, l, w, h); text != "" {
		return text
	}
	if !m.wide() {
		return pane.Compact(l, m.shown, c, m.unread(), w, h)
	}
	return m.panes(l, m.shown, c, w, h)
}

// panes lays out the six panes: how it goes, why it fails, what to look at. The
// places do not depend on the figures, so nothing jumps.
func (m *model) panes(l pane.Look, s *link.Snapshot, c *link.Campaign, w, h int) string {
	spare := max(h-20, 0)
	top, middle := 8+min(spare*2/5, 9), 5+spare/3
	bottom := h - top - middle
	quality := min(max(21+(w-80)*9/40, 21), 40)
	reports := min(max(20+(w-80)*6/40, 20), 34)
	queue := min(max(w*28/100, 28), 40)
	delivered := w - quality - reports
	return lipgloss.JoinVertical(lipgloss.Left,
		lipgloss.JoinHorizontal(lipgloss.Top,
			pane.Delivered(l, c, m.focus == deliveredFocus, delivered, top),
			pane.Reports(l, c, m.focus == reportsFocus, reports, top),
			pane.Quality(l, s, c, m.focus == qualityFocus, quality, top)),
		pane.Errors(l, c, m.errorAt(), m.focus == errorsFocus, w, middle),
		lipgloss.JoinHorizontal(lipgloss.Top,
			pane.Queue(l, s, c, m.focus == queueFocus, queue, bottom),
			pane.Alarms(l, s, c.ID, m.alarmAt(), m.unread(), m.focus == alarmsFocus, w-queue, bottom)))
}

// detail is the open window of one of the panes about the campaign; "" when
// none is open.
func (m *model) detail(c *link.Campaign, l pane.Look, w, h int) string {
	switch m.dialog {
	case deliveredDialog:
		return pane.DeliveredDetail(l, c, w, h)
	case reportsDialog:
		return pane.ReportsDetail(l, c, w, h)
	case queueDialog:
		return pane.QueueDetail(l, m.shown, c, w, h)
	case qualityDialog:
		return pane.QualityDetail(l, m.subjects(), m.subjectAt(), m.history.shown(), m.history.scroll, w, h)
	}
	return ""
}

// leaveQuestion is what leaving would end besides the console.
func (m *model) leaveQuestion() string {
	if len(m.pauses) > 0 {
		return "The pause is not confirmed yet. Leaving stops asking for it; " + fromAShell + " asks again."
	}
	return "Leaving ends the daemon too: no webhook is taken any more."
}

func (m *model) linkProblem() string {
	if m.update.Err == nil {
		return ""
	}
	return screenText(m.update.Err.Error())
}

// inputLine draws a line to type in, inside a box of a width.
func inputLine(line *textinput.Model, w int) string {
	in := *line
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
	return pane.ErrorDetailRows(m.look(true), e, m.failures.of, wa.Explain(e.Code, e.Title), m.width, m.bodyHeight())
}

func (m *model) helpEnd() int {
	return pane.HelpScroll(m.look(true), helpSections(), m.width, m.bodyHeight())
}
