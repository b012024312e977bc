package ui

import (
	"strings"

	tea "charm.land/bubbletea/v2"

	"tickwatch/monitor/link"
	"tickwatch/ui/pane"
)

// swap is the state of the window that gives the rest of a campaign another template.
type swap struct {
	campaign string        // id, as the daemon knows it
	exact    *link.Choices // as they came: for the names in the command; nil = not told yet
	shown    pane.Templates
	problem  string
	ticket   int
	under    bool // the daemon has been told to change it
}

// previewLines bounds the text of one template on the screen; Meta's own bound
// for a body is 1,024 characters.
const previewLines = 60

func (m *model) cannotSwap() string {
	c := m.shownCampaign()
	switch {
	case c == nil:
		return "There is no campaign whose template could be changed."
	case !pane.Own(c):
		return "Another system sends " + nameOf(c) + ": change the template there."
	case c.State == "finished" || c.State == "cancelled":
		return nameOf(c) + " is over: nothing waits that could go out with another template."
	case c.Counts.Waiting+c.Counts.SetAside+c.Counts.Claimed == 0:
		return "Nothing of " + nameOf(c) + " waits any more: all of it went out with the present template."
	}
	return ""
}

// openSwap asks for the templates to choose from.
func (m *model) openSwap() tea.Cmd {
	m.ticket++
	ticket := m.ticket
	m.dialog = swapDialog
	m.swap = swap{campaign: m.raw.Campaigns[m.current()].ID, ticket: ticket}
	return ask(m.work, link.VerbChoices, link.CampaignArgs{Campaign: m.swap.campaign}, func(m *model, c link.Choices, err error) tea.Cmd {
		if m.swap.ticket == ticket {
			m.swap.told(c, err)
		}
		return nil
	})
}

func (s *swap) told(c link.Choices, err error) {
	s.ticket = 0
	if err != nil {
		s.problem = problem(err)
		return
	}
	s.exact = &c
	s.shown.Choices = cleaned(&c)
	s.shown.Previews = make([][]string, len(c.Others))
	for i := range c.Others {
		s.shown.Previews[i] = preview(c.Others[i].Preview)
	}
}

// preview is a template's text by its lines, each fit for the screen.
func preview(text string) []string {
	if text == "" {
		return nil
	}
	lines := strings.SplitN(text, "\n", previewLines+1)
	lines = lines[:min(len(lines), previewLines)]
	for i := range lines {
		lines[i] = screenText(lines[i])
	}
	return lines
}

func (s *swap) choose(by int) {
	if s.exact != nil && len(s.exact.Others) > 0 && !s.under {
		s.problem = ""
		s.shown.Selected = min(max(s.shown.Selected+by, 0), len(s.exact.Others)-1)
	}
}

// chooseTemplate goes on to the last question, or says why the template cannot be used.
func (m *model) chooseTemplate() tea.Cmd {
	s := &m.swap
	if s.exact == nil || len(s.exact.Others) == 0 {
		return nil
	}
	if c := &s.shown.Choices.Others[s.shown.Selected]; !c.Usable {
		s.problem = c.Name + "/" + c.Language + " cannot be used: " + c.Why
		return nil
	}
	s.problem = ""
	m.dialog = swapConfirmDialog
	return nil
}

// confirmSwap gives what waits the selected template.
func (m *model) confirmSwap() tea.Cmd {
	s := &m.swap
	if s.under {
		return nil
	}
	s.under, s.problem = true, ""
	chosen, former := s.exact.Others[s.shown.Selected].TemplateRef, s.exact.Current.TemplateRef
	return ask(m.work, link.VerbSwap, link.SwapArgs{Campaign: s.campaign, Template: chosen}, func(m *model, r link.Receipt, err error) tea.Cmd {
		return m.swapped(&chosen, &former, &r, err)
	})
}

func (m *model) swapped(chosen, former *link.TemplateRef, r *link.Receipt, err error) tea.Cmd {
	m.swap.under = false
	open := m.dialog == swapDialog || m.dialog == swapConfirmDialog
	if err != nil {
		if open {
			m.dialog, m.swap.problem = swapDialog, undone("Not changed", err)
			return nil
		}
		return m.say(undone("The template was not changed", err))
	}
	if open {
		m.dialog = noDialog
	}
	return m.say(pane.Swapped(cleaned(chosen), cleaned(former), r))
}

// shownSwap is the window's state as the pane takes it.
func (m *model) shownSwap() *pane.Templates {
	s := &m.swap
	t := s.shown
	t.Note = s.problem
	t.Asked = m.dialog == swapConfirmDialog
	switch {
	case s.under:
		t.Note = "Changing the template…"
	case s.exact == nil && s.problem == "":
		t.Note = "Asking Meta for the templates…"
	}
	if c := m.shownCampaign(); c != nil && m.campaign == s.campaign {
		t.Running = c.State == "running" && !pane.Paused(m.shown, c)
	}
	return &t
}
