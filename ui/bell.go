package ui

import (
	"time"

	tea "charm.land/bubbletea/v2"

	"tickwatch/monitor/link"
	"tickwatch/ui/pane"
)

// bellRests is the least time between two bells, however many alarms come.
const bellRests = 30 * time.Second

// bell is what the console has rung for.
type bell struct {
	known map[string]bool // alarms to act on that it has rung for, or needed not; nil = no snapshot yet
	rung  time.Time       // when it rang last
}

// ring rings the terminal's bell once for what has become an alarm to act on since
// the snapshot before, or whose time of quiet is over, unless somebody has seen it.
// What stands when the console attaches is on the screen: it rings for none of it.
func (m *model) ring() tea.Cmd {
	if m.opt.NoBell || m.opt.Mode == ModeReplay || m.raw == nil {
		return nil
	}
	before, fresh := m.bell.known, false
	m.bell.known = map[string]bool{}
	for i := range m.raw.Alarms {
		a := &m.raw.Alarms[i]
		act := a.Severity == link.VerdictAct
		if !a.Open() || a.SnoozedBy != "" || !act && !before[a.ID] {
			continue
		}
		m.bell.known[a.ID] = true // one that eases and grows again is the same
		fresh = fresh || !before[a.ID] && a.AckedBy == ""
	}
	if before == nil || !fresh || !m.bell.rung.IsZero() && m.now.Sub(m.bell.rung) < bellRests {
		return nil
	}
	m.bell.rung = m.now
	return tea.Raw("\a")
}

// title is what the terminal's window or tab is called; "" = it is left alone. A
// terminal without Unicode may be one that prints what it does not know.
func (m *model) title() string {
	if m.opt.NoBell || m.opt.ASCII {
		return ""
	}
	return pane.Title(m.shown, m.current(), m.update.Connected, m.opt.Mode == ModeReplay)
}
