package ui

import (
	"cmp"
	"strconv"
	"strings"

	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"

	"tickwatch/monitor/link"
	"tickwatch/ui/pane"
	"tickwatch/wa"
)

// retry is the state of the window that sends failed messages again.
type retry struct {
	campaign string // id, as the daemon knows it
	by       string // the channel
	rows     []pane.RetryRow
	selected int
	counted  *link.Retried // of the codes that are ticked; nil = not counted
	input    textinput.Model
	problem  string
	ticket   int  // of the count that is awaited; 0 = none
	under    bool // the daemon has been told to send
}

func (m *model) cannotRetry() string {
	c := m.shownCampaign()
	switch {
	case c == nil:
		return "There is no campaign whose failures could be sent again."
	case c.Fallback.Run != nil && c.Fallback.Run.Looked:
		return ""
	case !pane.Own(c) && len(m.shown.Channels) == 0:
		return "Another system sends " + nameOf(c) + ": send its failures again there; enter shows whom it hit."
	case len(c.Errors) == 0:
		return "No message of " + nameOf(c) + " has failed: there is nothing to send again."
	}
	return ""
}

// openRetry lists the campaign's errors, none of them ticked; the selected one
// of the Errors pane has the mark.
func (m *model) openRetry() tea.Cmd {
	c := m.shownCampaign()
	if c.Fallback.Run != nil && c.Fallback.Run.Looked {
		return m.openLook()
	}
	m.retry = retry{by: m.channels()[0], campaign: m.raw.Campaigns[m.current()].ID, selected: min(m.errorAt(), len(c.Errors)-1)}
	for i := range c.Errors {
		e := &c.Errors[i]
		known := wa.Explain(e.Code, e.Title)
		m.retry.rows = append(m.retry.rows, pane.RetryRow{
			Code: e.Code, Title: e.Title, Count: e.Count, Retry: cmp.Or(e.Retry, known.Retry), SMS: cmp.Or(e.SMS, known.Fallback), Advice: cmp.Or(e.Advice, known.Advice),
		})
	}
	m.dialog = retryDialog
	return nil
}

func (r *retry) choose(by int) {
	r.problem = ""
	r.selected = min(max(r.selected+by, 0), len(r.rows)-1)
}

// toggle ticks or unticks the selected error.
func (m *model) toggle() tea.Cmd {
	r := &m.retry
	r.problem = ""
	if row := &r.rows[r.selected]; row.Can(r.by) {
		row.Ticked = !row.Ticked
	}
	return nil
}

func (r *retry) codes() []int {
	var codes []int
	for i := range r.rows {
		if r.rows[i].Ticked {
			codes = append(codes, r.rows[i].Code)
		}
	}
	return codes
}

// uncount goes back to ticking.
func (r *retry) uncount() { r.counted, r.problem, r.ticket = nil, "", 0 }

// countRetry asks who could get a new message. Nothing is sent.
func (m *model) countRetry() tea.Cmd {
	r := &m.retry
	codes := r.codes()
	if len(codes) == 0 {
		r.problem = "Nothing is ticked: space ticks an error, enter then counts who can get a new message."
		return nil
	}
	if r.by != byWhatsApp {
		m.reach = reach{campaign: r.campaign, channel: r.by, codes: codes}
		return m.countReach()
	}
	m.ticket++
	ticket := m.ticket
	r.ticket, r.problem = ticket, ""
	args := link.RetryArgs{Campaign: r.campaign, Codes: codes, DryRun: true}
	return ask(m.work, link.VerbRetry, args, func(m *model, n link.Retried, err error) tea.Cmd {
		if m.retry.ticket == ticket {
			m.retryCounted(n, err)
		}
		return nil
	})
}

func (m *model) retryCounted(n link.Retried, err error) {
	r := &m.retry
	r.ticket = 0
	switch {
	case err != nil:
		r.problem = problem(err)
		return
	case m.dialog != retryDialog: // it was closed meanwhile
		return
	}
	r.counted = cleaned(&n)
	m.dialog = retryConfirmDialog
	r.input = newInput("Type " + strconv.FormatInt(n.Eligible, 10) + " and press enter: ")
	_ = r.input.Focus() // its cursor does not blink: there is nothing to run
}

// confirmRetry queues the new messages, if the number is right.
func (m *model) confirmRetry() tea.Cmd {
	r := &m.retry
	if r.under || r.counted.Eligible == 0 {
		return nil
	}
	want := strconv.FormatInt(r.counted.Eligible, 10)
	if !confirmed(strings.TrimSpace(r.input.Value()), want) {
		r.problem = "Nothing is sent: type the number of people, " + want + ", or press esc."
		return nil
	}
	r.under, r.problem = true, ""
	args := link.RetryArgs{Campaign: r.campaign, Codes: r.codes()}
	return ask(m.work, link.VerbRetry, args, func(m *model, n link.Retried, err error) tea.Cmd { return m.retried(&n, err) })
}

func (m *model) retried(n *link.Retried, err error) tea.Cmd {
	m.retry.under = false
	open := m.dialog == retryConfirmDialog
	if err != nil {
		if open {
			m.retry.problem = undone("Nothing is sent again", err)
			return nil
		}
		return m.say(undone("Nothing is sent again", err))
	}
	if open {
		m.dialog = noDialog
	}
	return m.say(pane.Retried(n))
}

// shownRetry is the window's state as the pane takes it.
func (m *model) shownRetry(w int) *pane.Retrying {
	r := &m.retry
	out := &pane.Retrying{By: r.by, Channels: m.channels(), Rows: r.rows, Selected: r.selected, Counted: r.counted, Note: r.problem}
	switch {
	case m.reach.ticket != 0:
		out.Note = "Counting…"
	case r.under:
		out.Note = "Queueing…"
	case r.ticket != 0:
		out.Note = "Counting…"
	case r.counted != nil && r.counted.Eligible == 0:
		out.Note = "esc goes back to the errors."
	case r.counted != nil:
		out.Input = inputLine(&r.input, w)
	}
	return out
}
