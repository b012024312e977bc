package ui

import (
	"encoding/json"

	tea "charm.land/bubbletea/v2"

	"tickwatch/monitor/link"
	"tickwatch/ui/pane"
)

// history is a list of events that the daemon was asked for: the log of
// everything, or what changed of one number, template or the account.
type history struct {
	about   link.EventsArgs
	log     pane.Log
	scroll  int
	ticket  int    // of the call whose answer is awaited; 0 = none
	stamp   string // of the snapshot that it was asked under, see stampOf
	problem string
}

type eventsMsg struct {
	ticket int
	events link.Events
	err    error
}

func (h *history) answer(msg eventsMsg) {
	if msg.ticket != h.ticket {
		return
	}
	h.ticket, h.problem = 0, ""
	if msg.err != nil {
		h.problem = problem(msg.err)
		return
	}
	events := cleaned(&msg.events)
	h.log.Events, h.log.Complete, h.log.Loaded = events.Events, events.Complete, true
}

// shown is the list as the panes take it.
func (h *history) shown() *pane.Log {
	log := h.log
	switch {
	case h.problem != "":
		log.Note = h.problem
	case !log.Loaded:
		log.Note = "loading…"
	}
	return &log
}

// ask loads a list anew; what stands of another one goes.
func (m *model) ask(about link.EventsArgs) tea.Cmd {
	h := &m.history
	if h.about != about {
		*h = history{about: about}
	}
	m.ticket++
	h.ticket, h.stamp = m.ticket, stampOf(m.raw)
	ticket, call := h.ticket, m.call
	return func() tea.Msg {
		var events link.Events
		err := call(link.VerbEvents, about, &events)
		return eventsMsg{ticket, events, err}
	}
}

func (m *model) openEvents() tea.Cmd {
	m.dialog, m.history = eventsDialog, history{}
	return m.ask(link.EventsArgs{})
}

func (m *model) openQuality() tea.Cmd {
	m.dialog, m.history, m.subject = qualityDialog, history{}, ""
	return m.askSubject()
}

// askSubject loads the history of the selected number, template or account.
func (m *model) askSubject() tea.Cmd {
	all := m.subjects()
	if len(all) == 0 {
		return nil
	}
	s := all[m.subjectAt()]
	return m.ask(link.EventsArgs{Of: s.Of, ID: s.ID})
}

// subjects are those of the Quality pane, with their names clean and their ids
// as the daemon knows them.
func (m *model) subjects() []pane.Subject {
	i := m.current()
	if i < 0 {
		return nil
	}
	all := pane.Subjects(m.shown, &m.shown.Campaigns[i])
	for k, exact := range pane.Subjects(m.raw, &m.raw.Campaigns[i]) {
		if k < len(all) {
			all[k].ID = exact.ID
		}
	}
	return all
}

// subjectAt is the index of the selected subject; it stays on it when others come.
func (m *model) subjectAt() int {
	for i, s := range m.subjects() {
		if s.Of+" "+s.ID == m.subject {
			return i
		}
	}
	return 0
}

func (m *model) chooseSubject(by int) tea.Cmd {
	all := m.subjects()
	i := min(max(m.subjectAt()+by, 0), len(all)-1)
	if i < 0 {
		return nil
	}
	m.subject = all[i].Of + " " + all[i].ID
	return m.askSubject()
}

// refresh loads the open list anew when the newest snapshot tells that
// something has happened since.
func (m *model) refresh() tea.Cmd {
	h := &m.history
	if m.dialog != eventsDialog && m.dialog != qualityDialog || h.ticket != 0 || !m.update.Connected || h.stamp == stampOf(m.raw) {
		return nil
	}
	return m.ask(h.about)
}

// stampOf changes whenever a snapshot tells of something that makes an event.
func stampOf(s *link.Snapshot) string {
	if s == nil {
		return ""
	}
	type row [5]any
	var rows []row
	for _, a := range s.Alarms {
		rows = append(rows, row{a.ID, a.Severity, a.ClearedAt, a.AckedBy, a.SnoozedBy})
	}
	for _, a := range s.Actions {
		rows = append(rows, row{a.ID})
	}
	for _, n := range s.Numbers {
		rows = append(rows, row{n.ID, n.Quality, n.Status, n.Limit, [2]any{n.Since, n.Health}})
	}
	for _, t := range s.Templates {
		rows = append(rows, row{t.ID, t.Quality, t.Status, t.Category, [3]any{t.PausedUntil, t.NextCategory, t.Health}})
	}
	for _, c := range s.Campaigns {
		rows = append(rows, row{c.ID, c.State})
	}
	stamp, err := json.Marshal(rows)
	if err != nil { // texts and times always encode
		return err.Error()
	}
	return string(stamp)
}
