package ui

import (
	"strings"

	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"

	"tickwatch/monitor/link"
	"tickwatch/ui/pane"
)

// aside is the state of the window in which a part of a campaign is set aside.
type aside struct {
	campaign string         // id, as the daemon knows it
	clusters []link.Cluster // as they came when it was opened
	aside    []link.Aside   // as they came: for the names in the command
	chosen   int            // of both, the clusters first
	count    *int64
	input    textinput.Model
	problem  string
	ticket   int
	under    bool // the daemon has been told
}

func (m *model) cannotAside() string {
	c := m.shownCampaign()
	switch {
	case c == nil:
		return "There is no campaign of which a part could be set aside."
	case !pane.Own(c):
		return "Another system sends " + nameOf(c) + ": leave people out there. enter on Errors says what the failures have in common."
	case c.State == "cancelled":
		return nameOf(c) + " is cancelled: nothing of it waits."
	case len(c.Clusters) > 0 || c.Counts.SetAside > 0:
		return ""
	case c.ClustersAt != nil:
		return "The failures have no common trait: there is nothing to set aside."
	}
	return "Too few messages have failed to say what they have in common."
}

// openAside lists what the failures have in common, and asks what is set aside: the
// answer to how many the first would hold back says that too.
func (m *model) openAside() tea.Cmd {
	c := &m.raw.Campaigns[m.current()]
	m.dialog = asideDialog
	m.aside = aside{campaign: c.ID, clusters: c.Clusters, input: newInput("Type release or cancel and press enter: ")}
	_ = m.aside.input.Focus()
	if cmd := m.countAside(); cmd != nil {
		return cmd
	}
	return m.askAside()
}

// askAside asks for what is set aside alone.
func (m *model) askAside() tea.Cmd {
	campaign := m.aside.campaign
	return ask(m.work, link.VerbAsides, link.CampaignArgs{Campaign: campaign}, func(m *model, all link.Asides, err error) tea.Cmd {
		switch a := &m.aside; {
		case a.campaign != campaign:
		case err != nil:
			a.problem = problem(err)
		default:
			a.aside = all.Aside
		}
		return nil
	})
}

// countAside asks how many messages the selected cluster would hold back.
func (m *model) countAside() tea.Cmd {
	a := &m.aside
	a.count, a.problem, a.ticket = nil, "", 0 // a late answer must not move what is selected now
	k := a.cluster()
	if k == nil || !pane.Settable(k) {
		return nil
	}
	m.ticket++
	ticket := m.ticket
	a.ticket = ticket
	args := link.AsideArgs{Campaign: a.campaign, Attribute: k.Attribute, Value: k.Value, DryRun: true}
	return ask(m.work, link.VerbAside, args, func(m *model, n link.Asides, err error) tea.Cmd {
		a := &m.aside
		if a.ticket != ticket {
			return nil
		}
		if a.ticket = 0; err != nil {
			a.problem = problem(err)
			return nil
		}
		a.count, a.aside = &n.Changed, n.Aside
		return nil
	})
}

// cluster is the selected cluster; nil when something that is set aside is selected.
func (a *aside) cluster() *link.Cluster {
	if a.chosen < len(a.clusters) {
		return &a.clusters[a.chosen]
	}
	return nil
}

func (m *model) chooseAside(by int) tea.Cmd {
	a := &m.aside
	next := min(max(a.chosen+by, 0), max(len(a.clusters)+len(a.aside)-1, 0))
	if a.under || next == a.chosen {
		return nil
	}
	a.chosen = next
	a.input.SetValue("")
	return m.countAside()
}

// confirmAside sets the selected cluster aside, or ends what is set aside if the word is right.
func (m *model) confirmAside() tea.Cmd {
	a := &m.aside
	if a.under {
		return nil
	}
	if k := a.cluster(); k != nil {
		if !pane.Settable(k) || a.count == nil {
			return nil
		}
		a.under = true
		args := link.AsideArgs{Campaign: a.campaign, Attribute: k.Attribute, Value: k.Value}
		return ask(m.work, link.VerbAside, args, func(m *model, done link.Asides, err error) tea.Cmd {
			return m.asideAnswered(args.Campaign, &done, "Nothing was set aside", err)
		})
	}
	i := a.chosen - len(a.clusters)
	if i < 0 || i >= len(a.aside) {
		return nil
	}
	word := strings.ToLower(strings.TrimSpace(a.input.Value()))
	if word != "release" && word != "cancel" {
		a.problem = "Nothing was changed: type release to let them go out, or cancel to give them up."
		return nil
	}
	a.under = true
	args := link.AsideEndArgs{Campaign: a.campaign, Attribute: a.aside[i].Attribute, Value: a.aside[i].Value, Cancel: word == "cancel"}
	return ask(m.work, link.VerbAsideEnd, args, func(m *model, done link.Asides, err error) tea.Cmd {
		return m.asideAnswered(args.Campaign, &done, "Nothing was changed", err)
	})
}

// asideAnswered takes the daemon's word; the window may be closed by then, or another
// campaign's.
func (m *model) asideAnswered(campaign string, done *link.Asides, not string, err error) tea.Cmd {
	its := m.dialog == asideDialog && m.aside.campaign == campaign
	if m.aside.campaign == campaign {
		m.aside.under = false
	}
	switch {
	case err != nil && its:
		m.aside.problem = undone(not, err)
		return nil
	case err != nil:
		return m.say(undone(not, err))
	case its:
		m.dialog = noDialog
	}
	return m.say(cleaned(done).Text)
}

// shownAside is the window's state as the pane takes it.
func (m *model) shownAside(w int) *pane.Asiding {
	a := &m.aside
	out := &pane.Asiding{
		Clusters: *cleaned(&a.clusters), Aside: *cleaned(&a.aside), Selected: a.chosen, Count: a.count,
		Input: inputLine(&a.input, w), Note: a.problem,
	}
	switch {
	case a.under:
		out.Note = "Telling the daemon…"
	case a.ticket != 0:
		out.Note = "Counting who waits…"
	}
	return out
}
