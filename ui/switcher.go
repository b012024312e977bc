package ui

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"tickwatch/monitor/link"
	"tickwatch/ui/pane"
)

// switcher is the state of the list of campaigns.
type switcher struct {
	pick    string      // id of the selected one
	cards   []link.Card // what the daemon gave, ids as it knows them
	known   int         // how many it knows that fit what it was asked for
	asked   string      // the filter that it was asked with
	problem string
	ticket  int
}

type cardsMsg struct {
	ticket int
	cards  link.Cards
	err    error
}

func (s *switcher) answer(msg cardsMsg) {
	if msg.ticket != s.ticket {
		return
	}
	s.ticket, s.problem = 0, ""
	if msg.err != nil {
		s.problem = problem(msg.err)
		return
	}
	s.cards, s.known = msg.cards.Campaigns, msg.cards.Known
}

func (m *model) openSwitcher() tea.Cmd {
	if m.current() < 0 {
		return m.say("There is no campaign to choose yet.")
	}
	m.dialog, m.switcher = switchDialog, switcher{pick: m.campaign}
	m.filter.Reset()
	_ = m.filter.Focus() // its cursor does not blink: there is nothing to run
	return m.askCards("")
}

// askCards asks for the campaigns beyond the snapshot's.
func (m *model) askCards(filter string) tea.Cmd {
	m.ticket++
	m.switcher.ticket, m.switcher.asked = m.ticket, filter
	ticket, call := m.ticket, m.call
	return func() tea.Msg {
		var cards link.Cards
		err := call(link.VerbCampaigns, link.CampaignsArgs{Filter: filter}, &cards)
		return cardsMsg{ticket, cards, err}
	}
}

// filterBy gives a key or a paste to the filter. The daemon is asked only where
// its list was cut: what is here is searched here.
func (m *model) filterBy(msg tea.Msg) tea.Cmd {
	typeClean(&m.filter, msg)
	all := m.choices()
	if len(all) > 0 && !slices.ContainsFunc(all, func(k link.Card) bool { return k.ID == m.switcher.pick }) {
		m.switcher.pick = all[0].ID
	}
	if s := &m.switcher; s.known > len(s.cards) || s.asked != "" {
		return m.askCards(m.filter.Value())
	}
	return nil
}

// choices are the campaigns that fit the filter, trouble first: running ones by
// how bad they are, then those that are over; in each the newest first. What the
// snapshot tells is newer than what the daemon was asked for.
func (m *model) choices() []link.Card {
	if m.raw == nil {
		return nil
	}
	filter := strings.ToLower(m.filter.Value())
	var all []link.Card
	seen := map[string]bool{}
	add := func(k link.Card) {
		name := strings.ToLower(screenText(k.Name) + "\n" + screenText(k.ID))
		if !seen[k.ID] && strings.Contains(name, filter) {
			all = append(all, k)
		}
		seen[k.ID] = true
	}
	for i := range m.raw.Campaigns {
		add(link.CardOf(&m.raw.Campaigns[i]))
	}
	for _, k := range m.switcher.cards {
		add(k)
	}
	slices.SortStableFunc(all, func(a, b link.Card) int {
		return cmp.Or(cmp.Compare(urgency(b), urgency(a)), newer(a.StartedAt, b.StartedAt))
	})
	return all
}

// urgency is how much a campaign needs looking at.
func urgency(k link.Card) int {
	switch {
	case k.State == "finished", k.State == "cancelled":
		return 0
	case link.Rank(k.Verdict) <= link.Rank(link.VerdictUnsure):
		return 1
	}
	return link.Rank(k.Verdict)
}

func newer(a, b *time.Time) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return 1
	case b == nil:
		return -1
	}
	return b.Compare(*a)
}

// picked is the index of the selected campaign among all.
func (m *model) picked(all []link.Card) int {
	return max(slices.IndexFunc(all, func(k link.Card) bool { return k.ID == m.switcher.pick }), 0)
}

// shownChoices are the choices as the pane takes them.
func (m *model) shownChoices(all []link.Card, w int) *pane.Choices {
	s := &m.switcher
	ch := &pane.Choices{Cards: *cleaned(&all), Filter: screenText(m.filter.Value()), Input: inputLine(&m.filter, w)}
	if s.asked == m.filter.Value() {
		ch.Known = s.known
	}
	switch {
	case s.problem != "":
		ch.Note = s.problem
	case s.ticket != 0 && (len(m.raw.Campaigns) < m.raw.CampaignCount || len(all) == 0):
		ch.Note = "loading…"
	}
	return ch
}

// pickNext moves the selection.
func (m *model) pickNext(by int) {
	if all := m.choices(); len(all) > 0 {
		m.switcher.pick = all[min(max(m.picked(all)+by, 0), len(all)-1)].ID
	}
}

// takePick shows the selected campaign. One that the snapshots have no room for
// is asked for by itself first.
func (m *model) takePick() tea.Cmd {
	all := m.choices()
	if len(all) == 0 {
		return nil
	}
	id := all[m.picked(all)].ID
	i := slices.IndexFunc(m.raw.Campaigns, func(c link.Campaign) bool { return c.ID == id })
	if i < 0 {
		return m.askGuest(id)
	}
	m.dialog = noDialog
	m.choose(i)
	return nil
}

// guest is a campaign on the screen that snapshots have no room for. It is
// asked for again when a snapshot comes, every other second at most.
type guest struct {
	campaign *link.Campaign // as it came; nil = none
	at       time.Time      // when it was asked for last
	ticket   int
}

const guestEvery = 2 * time.Second

type guestMsg struct {
	ticket int
	id     string
	status link.Snapshot
	err    error
}

func (m *model) askGuest(id string) tea.Cmd {
	m.ticket++
	m.guest.ticket, m.guest.at = m.ticket, m.now
	ticket, call := m.ticket, m.call
	return func() tea.Msg {
		var status link.Snapshot
		err := call(link.VerbStatus, link.StatusArgs{Campaign: id}, &status)
		return guestMsg{ticket, id, status, err}
	}
}

// welcome takes over the answer, and shows the campaign if it was just chosen.
func (m *model) welcome(msg guestMsg) tea.Cmd {
	if msg.ticket != m.guest.ticket {
		return nil
	}
	m.guest.ticket = 0
	i := slices.IndexFunc(msg.status.Campaigns, func(c link.Campaign) bool { return c.ID == msg.id })
	if msg.err != nil || i < 0 || m.base == nil {
		if m.dialog != switchDialog {
			return nil // the screen keeps what it has, and asks again
		}
		if msg.err == nil {
			msg.err = fmt.Errorf("the daemon does not know it any more")
		}
		return m.say("Not shown: " + problem(msg.err))
	}
	m.guest.campaign = &msg.status.Campaigns[i]
	m.compose()
	if m.dialog == switchDialog {
		m.dialog = noDialog
		m.choose(slices.IndexFunc(m.raw.Campaigns, func(c link.Campaign) bool { return c.ID == msg.id }))
	}
	m.failures.follow(m.shownCampaign())
	return nil
}

// refreshGuest asks for the guest again when it is time.
func (m *model) refreshGuest() tea.Cmd {
	g := &m.guest
	if g.campaign == nil || g.ticket != 0 || !m.update.Connected || m.now.Sub(g.at) < guestEvery {
		return nil
	}
	return m.askGuest(g.campaign.ID)
}

// compose makes what is shown of the newest snapshot and the guest, who goes
// when the snapshot has it, or the operator another one.
func (m *model) compose() {
	s := *m.base
	if g := m.guest.campaign; g != nil {
		in := slices.ContainsFunc(s.Campaigns, func(c link.Campaign) bool { return c.ID == g.ID })
		if in {
			m.guest.campaign = nil
		} else {
			s.Campaigns = append(slices.Clone(s.Campaigns), *g)
		}
	}
	m.raw, m.shown = &s, cleaned(&s)
}
