package ui

import (
	tea "charm.land/bubbletea/v2"

	"tickwatch/monitor/link"
	"tickwatch/ui/pane"
)

// feedCheck is what the daemon found of its feed, for the window of an alarm.
type feedCheck struct {
	checks  []link.FeedCheck
	problem string
	ticket  int
}

// checkFeed asks the daemon to look whether webhooks can get to it.
func (m *model) checkFeed() tea.Cmd {
	m.ticket++
	ticket := m.ticket
	m.feedCheck = feedCheck{ticket: ticket}
	return ask(m.work, link.VerbCheckFeed, nil, func(m *model, c link.FeedChecks, err error) tea.Cmd {
		if m.feedCheck.ticket != ticket {
			return nil
		}
		m.feedCheck = feedCheck{checks: cleaned(&c).Checks}
		if err != nil {
			m.feedCheck.problem = problem(err)
		}
		return nil
	})
}

// shown is what was found as the window takes it.
func (f *feedCheck) shown() *pane.Checked {
	c := &pane.Checked{Checks: f.checks, Note: f.problem}
	if f.ticket != 0 {
		c.Note = "looking…"
	}
	return c
}
