package ui

import (
	"slices"
	"strconv"
	"strings"

	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"

	"tickwatch/monitor/link"
	"tickwatch/ui/pane"
)

// byWhatsApp is the channel of a new attempt through WhatsApp.
const byWhatsApp = "whatsapp"

// reach is the state of the windows that reach people by another channel.
type reach struct {
	campaign string // id, as the daemon knows it
	channel  string
	codes    []int
	leaveOut bool               // who must not be reached at this hour gets nothing
	plan     *link.FallbackPlan // nil = not counted
	input    textinput.Model
	problem  string
	ticket   int  // of the count that is awaited; 0 = none
	under    bool // the daemon has been told
}

// channels are the ways to reach those whose message failed, WhatsApp first.
func (m *model) channels() []string {
	all := []string{byWhatsApp}
	if c := m.shownCampaign(); c != nil && !pane.Own(c) {
		all = nil // another system sends through WhatsApp
	}
	return append(all, m.shown.Channels...)
}

// chooseChannel goes to another channel in the window of failures.
func (m *model) chooseChannel(by int) tea.Cmd {
	r := &m.retry
	all := m.channels()
	i := slices.Index(all, r.by) + by
	if i < 0 || i >= len(all) {
		return nil
	}
	r.by, r.problem = all[i], ""
	for k := range r.rows {
		if !r.rows[k].Can(r.by) {
			r.rows[k].Ticked = false
		}
	}
	return nil
}

// countReach asks whom a channel would reach. Nothing is sent.
func (m *model) countReach() tea.Cmd {
	m.ticket++
	ticket := m.ticket
	r := &m.reach
	r.ticket, r.problem = ticket, ""
	return ask(m.work, link.VerbFallback, r.args(true, 0), func(m *model, p link.FallbackPlan, err error) tea.Cmd {
		if m.reach.ticket == ticket {
			m.reachCounted(p, err)
		}
		return nil
	})
}

func (r *reach) args(dry bool, expect int64) link.FallbackArgs {
	a := link.FallbackArgs{Campaign: r.campaign, Channels: []string{r.channel}, Codes: r.codes, Hours: link.HoursWait, DryRun: dry, Expect: expect}
	if r.leaveOut {
		a.Hours = link.HoursLeaveOut
	}
	return a
}

func (m *model) reachCounted(p link.FallbackPlan, err error) {
	r := &m.reach
	r.ticket = 0
	switch {
	case err != nil && m.dialog == retryDialog:
		m.retry.problem = problem(err)
		return
	case err != nil:
		r.problem = problem(err)
		return
	case m.dialog != retryDialog && m.dialog != reachDialog: // it was closed meanwhile
		return
	}
	r.plan = cleaned(&p)
	m.dialog = reachDialog
	r.input = newInput("Type " + strconv.FormatInt(p.Eligible, 10) + " and press enter: ")
	_ = r.input.Focus() // its cursor does not blink: there is nothing to run
}

// turnHours changes what becomes of those who must not be reached at this hour.
func (m *model) turnHours() tea.Cmd {
	r := &m.reach
	if r.under || r.ticket != 0 || r.plan == nil || !r.leaveOut && r.plan.Later == 0 {
		return nil
	}
	r.leaveOut = !r.leaveOut
	return m.countReach()
}

// confirmReach orders the fallback, if the number is right.
func (m *model) confirmReach() tea.Cmd {
	r := &m.reach
	if r.under || r.plan == nil || r.plan.Eligible == 0 || r.ticket != 0 {
		return nil
	}
	want := strconv.FormatInt(r.plan.Eligible, 10)
	if !confirmed(strings.TrimSpace(r.input.Value()), want) {
		r.problem = "Nothing is sent: type the number of people, " + want + ", or press esc."
		return nil
	}
	r.under, r.problem = true, ""
	return ask(m.work, link.VerbFallback, r.args(false, r.plan.Eligible), func(m *model, p link.FallbackPlan, err error) tea.Cmd {
		return m.reached(&p, err)
	})
}

func (m *model) reached(p *link.FallbackPlan, err error) tea.Cmd {
	m.reach.under = false
	open := m.dialog == reachDialog
	if err != nil {
		if open {
			m.reach.problem = undone("Nothing is sent", err)
			return nil
		}
		return m.say(undone("Nothing is sent", err))
	}
	if open {
		m.dialog = noDialog
	}
	return m.say("Ordered: " + strconv.FormatInt(p.Eligible, 10) + " people by " + pane.ChannelName(m.reach.channel) + ".") // the next snapshot says the rest
}

// shownReach is the window's state as the pane takes it.
func (m *model) shownReach(w int) *pane.Reaching {
	r := &m.reach
	out := &pane.Reaching{Channel: r.channel, Plan: r.plan, LeaveOut: r.leaveOut, Note: r.problem}
	switch {
	case r.under:
		out.Note = "Ordering…"
	case r.ticket != 0:
		out.Note = "Counting…"
	case r.plan.Eligible == 0:
		out.Note = strings.TrimSpace(r.problem + " esc goes back to the errors.")
	default:
		out.Input = inputLine(&r.input, w)
	}
	return out
}

// openRun is the fallback of the campaign on the screen that is not over; nil = none.
func (m *model) openRun() *link.FallbackRun {
	c := m.shownCampaign()
	if c == nil || c.Fallback.Run == nil {
		return nil
	}
	switch r := c.Fallback.Run; r.State {
	case link.FallbackPending, link.FallbackLooking, link.FallbackSending:
		return r
	}
	return nil
}

func (m *model) cannotUndo() string {
	if m.undoing {
		return "It is being undone."
	}
	if m.openRun() != nil {
		return ""
	}
	return "No SMS, call or e-mail waits to go out: there is nothing to undo."
}

// undoReach takes back what has not gone out of a fallback, at once.
func (m *model) undoReach() tea.Cmd {
	args := link.CampaignArgs{Campaign: m.raw.Campaigns[m.current()].ID}
	if m.dialog == reachLookDialog {
		m.dialog = noDialog
	}
	m.undoing = true
	return ask(m.insist, link.VerbFallbackCancel, args, func(m *model, r link.Receipt, err error) tea.Cmd {
		m.undoing = false
		if err != nil {
			m.stay("NOT UNDONE: " + problem(err) + " From a shell: tickwatch fallback cancel " + args.Campaign)
			return nil
		}
		return m.say(screenText(r.Text))
	})
}

// openLook shows what became of the first messages of a fallback.
func (m *model) openLook() tea.Cmd {
	c := m.shownCampaign()
	m.dialog = reachLookDialog
	m.reach = reach{campaign: m.raw.Campaigns[m.current()].ID}
	m.reach.input = newInput("Type " + strconv.FormatInt(c.Fallback.Waiting, 10) + " and press enter to send the rest: ")
	_ = m.reach.input.Focus()
	return nil
}

// confirmLook lets the rest go out, if the number is right.
func (m *model) confirmLook() tea.Cmd {
	c, r := m.shownCampaign(), &m.reach
	if c == nil || r.under {
		return nil
	}
	want := strconv.FormatInt(c.Fallback.Waiting, 10)
	if !confirmed(strings.TrimSpace(r.input.Value()), want) {
		r.problem = "Nothing is sent: type the number that waits, " + want + ", or press esc."
		return nil
	}
	r.under, r.problem = true, ""
	return ask(m.work, link.VerbFallbackGoOn, link.GoOnArgs{Campaign: r.campaign}, func(m *model, got link.Receipt, err error) tea.Cmd {
		m.reach.under = false
		if err != nil {
			m.reach.problem = undone("Nothing is sent", err)
			return nil
		}
		if m.dialog == reachLookDialog {
			m.dialog = noDialog
		}
		return m.say(screenText(got.Text))
	})
}

// fallbackLine says how it stands with a fallback that can be undone or waits for a
// look; "" = with none.
func (m *model) fallbackLine() string {
	c := m.shownCampaign()
	switch {
	case m.undoing:
		return "Undoing what has not gone out; from a shell: tickwatch fallback cancel"
	case c == nil || m.dialog != noDialog:
		return ""
	}
	return pane.FallbackLine(m.look(true), c)
}
