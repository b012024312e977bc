package ui

import (
	"slices"

	"tickwatch/monitor/link"
)

// settle keeps the choice of campaign valid after a new snapshot. The screen
// stays on its campaign, so that no key ever hits another one than a moment
// ago; only one that is over, and that nobody chose, gives way to a running one.
func (m *model) settle() {
	list := m.raw.Campaigns
	if len(list) == 0 {
		m.campaign, m.chosen = "", false
		switch m.dialog {
		case noDialog, helpDialog, eventsDialog, feedDialog, alarmDialog, findDialog, leaveDialog, copyDialog, resumeDialog, noteDialog, snoozeDialog: // need none
		default:
			m.dialog = noDialog
		}
		return
	}
	i := m.current()
	over := i >= 0 && (list[i].State == "finished" || list[i].State == "cancelled")
	if i < 0 || over && !m.chosen && m.dialog == noDialog && list[0].State == "running" {
		m.choose(0)
		m.chosen = false
	}
	m.failures.follow(m.shownCampaign())
}

// current is the index of the campaign on the screen; -1 when there is none.
func (m *model) current() int {
	if m.raw == nil {
		return -1
	}
	return slices.IndexFunc(m.raw.Campaigns, func(c link.Campaign) bool { return c.ID == m.campaign })
}

// shownCampaign is the campaign on the screen, with clean texts; nil when there is none.
func (m *model) shownCampaign() *link.Campaign {
	if i := m.current(); i >= 0 {
		return &m.shown.Campaigns[i]
	}
	return nil
}

// choose puts campaign i on the screen.
func (m *model) choose(i int) {
	if n := len(m.raw.Campaigns); i < 0 || i >= n {
		return
	}
	if id := m.raw.Campaigns[i].ID; id != m.campaign {
		m.campaign, m.code, m.alarm = id, nil, ""
		if g := m.guest.campaign; g != nil && g.ID != id {
			m.guest.campaign = nil
			m.compose()
		}
		if m.dialog == errorDialog {
			m.dialog = noDialog
		}
	}
	m.chosen = true
}

// step goes to the next or previous campaign, around the end.
func (m *model) step(by int) {
	if m.raw == nil || len(m.raw.Campaigns) == 0 {
		return
	}
	n := len(m.raw.Campaigns)
	m.choose(((m.current()+by)%n + n) % n)
}

// errorAt is the index of the selected error of the campaign on the screen. The
// selection stays on its code when the order changes.
func (m *model) errorAt() int {
	c := m.shownCampaign()
	if c == nil || m.code == nil {
		return 0
	}
	return max(slices.IndexFunc(c.Errors, func(e link.Error) bool { return e.Code == *m.code }), 0)
}

// alarmAt is the index of the selected alarm.
func (m *model) alarmAt() int {
	if m.raw == nil || m.alarm == "" {
		return 0
	}
	return max(slices.IndexFunc(m.raw.Alarms, func(a link.Alarm) bool { return a.ID == m.alarm }), 0)
}

// move selects the row above or below in the list that has the keys.
func (m *model) move(by int) {
	switch {
	case m.raw == nil:
	case m.dialog == switchDialog:
		m.pickNext(by)
	case m.focus == errorsFocus:
		if c := m.shownCampaign(); c != nil && len(c.Errors) > 0 {
			code := c.Errors[min(max(m.errorAt()+by, 0), len(c.Errors)-1)].Code
			m.code = &code
		}
	case m.focus == alarmsFocus && len(m.raw.Alarms) > 0:
		m.alarm = m.raw.Alarms[min(max(m.alarmAt()+by, 0), len(m.raw.Alarms)-1)].ID
	}
}
