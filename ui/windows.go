package ui

import (
	tea "charm.land/bubbletea/v2"

	"tickwatch/ui/pane"
)

// open explains the pane that has the focus.
func (m *model) open() tea.Cmd {
	if m.shownCampaign() == nil && m.focus != alarmsFocus {
		return nil
	}
	switch m.focus {
	case deliveredFocus:
		m.dialog = deliveredDialog
	case reportsFocus:
		m.dialog = reportsDialog
	case qualityFocus:
		return m.openQuality()
	case errorsFocus:
		return m.openError()
	case queueFocus:
		m.dialog = queueDialog
	case alarmsFocus:
		if m.raw != nil && len(m.raw.Alarms) > 0 {
			a := &m.raw.Alarms[m.alarmAt()]
			m.alarm, m.dialog = a.ID, alarmDialog
			if a.Kind == "feed" {
				return m.checkFeed()
			}
		}
	}
	return nil
}

// turnFocus goes to another pane; where no panes are drawn it says to which.
func (m *model) turnFocus(by int) tea.Cmd {
	m.focus = (m.focus + focus(by) + focusCount) % focusCount
	if m.wide() {
		return nil
	}
	return m.say("enter shows " + paneNames[m.focus] + ".")
}

// leave ends the console. It asks first where that ends the daemon too, or a
// pause that the console is still asking for.
func (m *model) leave() tea.Cmd {
	if (m.opt.Mode == ModeWatch || m.opt.Mode == ModeReplay) && len(m.pauses) == 0 {
		return tea.Quit
	}
	m.dialog = leaveDialog
	return nil
}

// closeWindow closes the open window; a question goes back to what it is about.
func (m *model) closeWindow() tea.Cmd {
	switch m.dialog {
	case swapConfirmDialog:
		m.dialog, m.swap.problem = swapDialog, ""
	case retryConfirmDialog:
		m.dialog = retryDialog
		m.retry.uncount()
	case snoozeDialog:
		m.dialog = alarmDialog
	case reachDialog:
		m.dialog, m.reach.ticket = retryDialog, 0
	default:
		m.dialog = noDialog
	}
	return nil
}

// confirm is enter in a window that changes something.
func (m *model) confirm() tea.Cmd {
	switch m.dialog {
	case resumeDialog:
		return m.confirmResume()
	case swapDialog:
		return m.chooseTemplate()
	case swapConfirmDialog:
		return m.confirmSwap()
	case retryDialog:
		return m.countRetry()
	case retryConfirmDialog:
		return m.confirmRetry()
	case reachDialog:
		return m.confirmReach()
	case reachLookDialog:
		return m.confirmLook()
	case noteDialog:
		return m.leaveNote()
	case snoozeDialog:
		return m.confirmSnooze()
	case asideDialog:
		return m.confirmAside()
	}
	return nil
}

// scrollOrMove goes a row up or down in what has the keys.
func (m *model) scrollOrMove(by int) tea.Cmd {
	switch m.dialog {
	case helpDialog, eventsDialog:
		m.scrollBy(by)
	case qualityDialog:
		return m.chooseSubject(by)
	case resumeDialog:
		return m.chooseResume(by)
	case asideDialog:
		return m.chooseAside(by)
	case swapDialog:
		m.swap.choose(by)
	case retryDialog:
		m.retry.choose(by)
	case snoozeDialog:
		m.snooze.choose(by)
	default:
		m.move(by)
	}
	return nil
}

// scrollBy scrolls the open window by some lines.
func (m *model) scrollBy(by int) {
	w, h, l := m.width, m.bodyHeight(), m.look(true)
	at, end := &m.history.scroll, 0
	switch m.dialog {
	case helpDialog:
		at, end = &m.scroll, m.helpEnd()
	case eventsDialog:
		end = pane.EventsScroll(l, m.history.shown(), w, h)
	case qualityDialog:
		end = pane.QualityScroll(l, m.subjects(), m.subjectAt(), m.history.shown(), w, h)
	}
	*at = min(max(*at+by, 0), end)
}

func (m *model) page(by int) tea.Cmd {
	switch {
	case m.dialog == errorDialog:
		return m.turn(by)
	case by != 0:
		m.scrollBy(by * max(m.bodyHeight()-3, 1))
	case m.dialog == helpDialog:
		m.scroll = 0
	default:
		m.history.scroll = 0
		return m.ask(m.history.about)
	}
	return nil
}
