package ui

import (
	tea "charm.land/bubbletea/v2"

	"tickwatch/monitor/link"
	"tickwatch/ui/pane"
)

// snooze is the state of the window that keeps an alarm quiet.
type snooze struct {
	alarm   string // its id, as the daemon knows it
	row     int
	problem string
	under   bool // the daemon has been told
}

// quiet are the choices; 0 is until the alarm grows.
var quiet = []struct {
	label   string
	seconds int64
}{{"for 10 min", 600}, {"for 1 h", 3600}, {"until it grows", 0}}

// openSnooze asks for how long the selected alarm is to be quiet.
func (m *model) openSnooze() tea.Cmd {
	a := m.rawAlarm(m.alarm)
	if a == nil || !a.Open() {
		return m.say("This alarm is over: there is nothing to keep quiet.")
	}
	m.snooze, m.dialog = snooze{alarm: a.ID}, snoozeDialog
	return nil
}

// rawAlarm is an alarm as it came; nil when there is none of this id.
func (m *model) rawAlarm(id string) *link.Alarm {
	if m.raw == nil {
		return nil
	}
	for i := range m.raw.Alarms {
		if m.raw.Alarms[i].ID == id {
			return &m.raw.Alarms[i]
		}
	}
	return nil
}

func (s *snooze) choose(by int) { s.row = min(max(s.row+by, 0), len(quiet)-1) }

// snoozeRows are the choices as they are shown. What is to act on cannot grow.
func (m *model) snoozeRows() []string {
	a := m.rawAlarm(m.snooze.alarm)
	rows := make([]string, len(quiet))
	for i := range quiet {
		rows[i] = quiet[i].label
		if quiet[i].seconds == 0 && a != nil && a.Severity == link.VerdictAct {
			rows[i] = "until it is over"
		}
	}
	return rows
}

// confirmSnooze tells the daemon.
func (m *model) confirmSnooze() tea.Cmd {
	if m.snooze.under {
		return nil
	}
	m.snooze.under, m.snooze.problem = true, ""
	args := link.SnoozeArgs{Alarm: m.snooze.alarm, Seconds: quiet[m.snooze.row].seconds}
	return ask(m.call, link.VerbSnooze, args, func(m *model, a link.Alarm, err error) tea.Cmd {
		m.snooze.under = false
		if err != nil {
			m.snooze.problem = undone("Not kept quiet", err)
			if m.dialog == snoozeDialog {
				return nil
			}
			return m.say(m.snooze.problem)
		}
		if m.dialog == snoozeDialog && m.snooze.alarm == args.Alarm {
			m.dialog = alarmDialog
		}
		return m.say(m.look(true).Quieted(cleaned(&a)))
	})
}

// shownSnooze is the window as it is drawn.
func (m *model) shownSnooze() *pane.Snoozing {
	s := &pane.Snoozing{Rows: m.snoozeRows(), Selected: m.snooze.row, Note: m.snooze.problem}
	for i := range m.shown.Alarms {
		if m.raw.Alarms[i].ID == m.snooze.alarm {
			s.Alarm = &m.shown.Alarms[i]
		}
	}
	if m.snooze.under {
		s.Note = "telling the daemon…"
	}
	return s
}
