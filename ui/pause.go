package ui

import (
	"errors"
	"slices"
	"time"

	tea "charm.land/bubbletea/v2"

	"tickwatch/monitor/link"
	"tickwatch/ui/pane"
)

const (
	lateAfter   = 500 * time.Millisecond // a pause takes a few milliseconds
	againAfter  = time.Second            // between tries that the daemon said no to
	pauseTries  = 10
	openWithin  = 12 * time.Second // after which a request has been answered or given up
	fromAShell  = "from a shell: tickwatch stop"
	unconfirmed = "Not confirmed yet: asking again; " + fromAShell
)

// pausing is a pause that the daemon has not confirmed yet.
type pausing struct {
	ticket  int
	args    link.GateArgs
	about   pane.Pausing
	late    bool // it takes longer than it should
	tries   int
	problem string // why the last try failed
}

type (
	lateMsg  int // the pause of this ticket is not confirmed yet
	againMsg int // the pause of this ticket is to be tried again
)

func noCampaign(m *model) string {
	if m.current() < 0 {
		return "There is no campaign on the screen. ! pauses everything."
	}
	return ""
}

// pauseCampaign pauses the campaign on the screen.
func (m *model) pauseCampaign() tea.Cmd {
	c := m.shownCampaign()
	return m.pause(link.GateArgs{Scope: link.ScopeCampaign, ID: m.raw.Campaigns[m.current()].ID},
		pane.Pausing{Name: nameOf(c), External: !pane.Own(c)})
}

// pauseAll pauses everything.
func (m *model) pauseAll() tea.Cmd {
	about := pane.Pausing{}
	if m.shown != nil {
		about.External = slices.ContainsFunc(m.shown.Campaigns, func(c link.Campaign) bool { return !pane.Own(&c) && c.State == "running" })
	}
	return m.pause(link.GateArgs{Scope: link.ScopeAll}, about)
}

// pause asks for a pause until the daemon has confirmed it. One that is being
// asked for already is not asked for twice.
func (m *model) pause(args link.GateArgs, about pane.Pausing) tea.Cmd {
	if slices.ContainsFunc(m.pauses, func(p pausing) bool { return p.args == args }) {
		return nil
	}
	m.ticket++
	ticket := m.ticket
	m.pauses = append(m.pauses, pausing{ticket: ticket, args: args, about: about})
	return tea.Batch(m.askPause(ticket, args), tea.Tick(lateAfter, func(time.Time) tea.Msg { return lateMsg(ticket) }))
}

func (m *model) askPause(ticket int, args link.GateArgs) tea.Cmd {
	return ask(m.insist, link.VerbPause, args, func(m *model, r link.Receipt, err error) tea.Cmd { return m.pauseAnswered(ticket, r, err) })
}

func (m *model) pauseAt(ticket int) int {
	return slices.IndexFunc(m.pauses, func(p pausing) bool { return p.ticket == ticket })
}

// pauseAnswered takes over the daemon's word on a pause. What failed is tried
// again: a pause that is asked for twice is one pause.
func (m *model) pauseAnswered(ticket int, r link.Receipt, err error) tea.Cmd {
	i := m.pauseAt(ticket)
	if i < 0 {
		return nil
	}
	p := &m.pauses[i]
	if fault, ok := errors.AsType[*link.Fault](err); ok && fault.Kind == link.FaultFailed && p.tries < pauseTries {
		p.tries++
		p.problem = problem(err)
		return tea.Tick(againAfter, func(time.Time) tea.Msg { return againMsg(ticket) })
	}
	done := *p
	m.pauses = slices.Delete(m.pauses, i, i+1)
	if err != nil {
		m.stay("NOT PAUSED: " + problem(err) + " Pause it " + fromAShell)
		return nil
	}
	cmd := m.tell(&r, done.args, &done.about)
	if r.OpenRequests > 0 && !r.Already {
		m.followed = &followed{pausing: done, receipt: r, at: m.now, notice: m.noticeNo}
	}
	return cmd
}

func (m *model) pauseLate(ticket int) {
	if i := m.pauseAt(ticket); i >= 0 {
		m.pauses[i].late = true
	}
}

func (m *model) pauseAgain(ticket int) tea.Cmd {
	i := m.pauseAt(ticket)
	if i < 0 {
		return nil
	}
	return m.askPause(ticket, m.pauses[i].args)
}

// pauseLine says how it stands with a pause that the daemon has not confirmed;
// "" when there is none.
func (m *model) pauseLine() string {
	if len(m.pauses) == 0 {
		return ""
	}
	what := "everything"
	p := &m.pauses[len(m.pauses)-1]
	if p.about.Name != "" {
		what = p.about.Name
	}
	switch {
	case p.problem != "":
		return "Not paused yet, asking again; " + fromAShell + " (" + p.problem + ")"
	case p.late || !m.update.Connected:
		return unconfirmed
	}
	return "Pausing " + what + "…"
}

// followed is a confirmed pause whose open requests are still to be told of.
type followed struct {
	pausing
	receipt link.Receipt
	at      time.Time
	notice  int // the number of the receipt's notice
}

// follow says what became of the requests that were open at the latest pause,
// once the counts tell.
func (m *model) follow() tea.Cmd {
	f := m.followed
	if f == nil {
		return nil
	}
	waited := m.now.Sub(f.at)
	if !m.stands(f.args) { // the snapshot is older than the pause, or it has ended
		if waited > openWithin {
			m.followed = nil
		}
		return nil
	}
	reached, unknown, waiting := m.counted(f.args)
	reached, unknown = reached-f.receipt.HandedOver, unknown-f.receipt.Unknown
	// What had been answered before the pause, and was not counted in the receipt
	// yet, waits no more either.
	reached -= max(f.receipt.Waiting-waiting, 0)
	open := int64(f.receipt.OpenRequests)
	switch {
	case reached < 0 || unknown < 0 || reached+unknown > open: // other news is among it: rather nothing than something wrong
		m.followed = nil
		return nil
	case reached+unknown < open && waited < openWithin:
		return nil
	case m.notice != "" && m.noticeNo != f.notice: // something else is being read
		return nil
	}
	m.followed = nil
	about := f.about
	about.Later = &pane.Later{Reached: reached, Unknown: unknown, Not: open - reached - unknown}
	f.receipt.Waiting = waiting
	return m.tell(&f.receipt, f.args, &about)
}

// told is a pause that a notice tells of.
type told struct {
	args link.GateArgs
	seen bool // a snapshot has shown it
}

// tell shows a receipt for as long as the pause stands, at most.
func (m *model) tell(r *link.Receipt, args link.GateArgs, about *pane.Pausing) tea.Cmd {
	cmd := m.say(pane.Receipt(r, about))
	m.told = &told{args: args, seen: m.stands(args)}
	return cmd
}

// stands tells whether the snapshot knows of a pause.
func (m *model) stands(a link.GateArgs) bool {
	return m.raw != nil && slices.ContainsFunc(m.raw.Gates, func(g link.Gate) bool {
		return g.State == link.GatePaused && g.Scope == a.Scope && g.ID == a.ID
	})
}

// counted sums up, of a campaign or of all that tickwatch sends, the messages
// with Meta, those that may have gone out, and those that have not begun to.
func (m *model) counted(a link.GateArgs) (reached, unknown, waiting int64) {
	for i := range m.raw.Campaigns {
		c := &m.raw.Campaigns[i]
		if pane.Own(c) && (a.Scope == link.ScopeAll || c.ID == a.ID) {
			reached += c.Counts.HandedOver
			unknown += c.Counts.Unknown
			waiting += pane.Unsent(c) + c.Counts.SetAside
		}
	}
	return reached, unknown, waiting
}

func nameOf(c *link.Campaign) string {
	if c.Name != "" {
		return c.Name
	}
	return c.ID
}
