package ui

import (
	"context"
	"errors"

	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"

	"tickwatch/monitor/link"
	"tickwatch/ui/pane"
)

// caller carries a command to the daemon and decodes its answer into result.
type caller func(verb string, args, result any) error

// reply is an answer of the daemon on its way to the model.
type reply func(*model) tea.Cmd

// ask makes the command that calls the daemon; take gets the answer, in Update.
func ask[R any](call caller, verb string, args any, take func(*model, R, error) tea.Cmd) tea.Cmd {
	return func() tea.Msg {
		var result R
		err := call(verb, args, &result)
		return reply(func(m *model) tea.Cmd { return take(m, result, err) })
	}
}

// failures is the state of the error detail: one error code, and one page of
// the messages that it hit.
type failures struct {
	campaign string // id, as the daemon knows it
	err      link.Error
	of       *link.Campaign // as it is shown
	starts   []int64        // where each page up to this one begins
	page     link.Failures
	problem  string
	ticket   int // of the call whose answer is awaited; 0 = none
}

type failuresMsg struct {
	ticket int
	page   link.Failures
	err    error
}

// follow takes over newer figures of the error.
func (f *failures) follow(c *link.Campaign) {
	if c == nil {
		return
	}
	for i := range c.Errors {
		if c.Errors[i].Code == f.err.Code {
			f.err, f.of = c.Errors[i], c
		}
	}
}

func (f *failures) answer(msg failuresMsg) {
	if msg.ticket != f.ticket { // of a page that nobody waits for any more
		return
	}
	f.ticket, f.problem = 0, ""
	if msg.err != nil {
		f.problem = problem(msg.err)
		return
	}
	f.page = *cleaned(&msg.page)
}

// shown is the page as the pane takes it.
func (f *failures) shown() *pane.Page {
	p := &pane.Page{Messages: f.page.Messages, Number: len(f.starts), More: f.page.Next != 0}
	switch {
	case f.problem != "":
		p.Note = f.problem
	case f.ticket != 0:
		p.Note = "loading…"
	}
	return p
}

// openError opens the detail of the selected error.
func (m *model) openError() tea.Cmd {
	i, k := m.current(), m.errorAt()
	if i < 0 || k >= len(m.shown.Campaigns[i].Errors) {
		return nil
	}
	m.dialog = errorDialog
	m.failures = failures{campaign: m.raw.Campaigns[i].ID, err: m.shown.Campaigns[i].Errors[k], of: &m.shown.Campaigns[i]}
	return m.turn(0)
}

// turn loads another page of failed messages: by -1, 1, or 0 for the first.
func (m *model) turn(by int) tea.Cmd {
	f := &m.failures
	switch {
	case by == 0:
		f.starts = []int64{0}
	case by > 0 && f.page.Next != 0 && f.ticket == 0:
		f.starts = append(f.starts, f.page.Next)
	case by < 0 && len(f.starts) > 1 && f.ticket == 0:
		f.starts = f.starts[:len(f.starts)-1]
	default:
		return nil
	}
	m.ticket++
	f.ticket = m.ticket
	args := link.FailuresArgs{
		Campaign: f.campaign, Code: f.err.Code, Before: f.starts[len(f.starts)-1],
		Limit: min(m.failureRows(), link.MaxPage),
	}
	ticket, call := f.ticket, m.call
	return func() tea.Msg {
		var page link.Failures
		err := call(link.VerbFailures, args, &page)
		return failuresMsg{ticket, page, err}
	}
}

// refit loads the page anew when the screen has another size.
func (m *model) refit() tea.Cmd {
	if m.dialog != errorDialog {
		return nil
	}
	return m.turn(0)
}

// find is the state of the look-up box.
type find struct {
	input   textinput.Model
	found   *link.Found
	problem string
	ticket  int
}

type foundMsg struct {
	ticket int
	found  link.Found
	err    error
}

func (f *find) answer(msg foundMsg) {
	if msg.ticket != f.ticket {
		return
	}
	f.ticket, f.found, f.problem = 0, nil, ""
	if msg.err != nil {
		f.problem = problem(msg.err)
		return
	}
	f.found = cleaned(&msg.found)
}

// openFind opens the look-up box, empty.
func (m *model) openFind() tea.Cmd {
	m.dialog = findDialog
	m.find.found, m.find.problem, m.find.ticket = nil, "", 0
	m.find.input.Reset()
	return m.find.input.Focus()
}

// newInput is a line to type in.
func newInput(prompt string) textinput.Model {
	in := textinput.New()
	in.Prompt = prompt
	in.CharLimit = findTextLimit
	in.KeyMap.Paste.SetEnabled(false) // the terminal's own paste works; this one would run programs
	in.SetStyles(textinput.Styles{})  // plain, and a cursor that does not blink
	return in
}

// typeClean gives a key or a paste to a line, and keeps the line fit for the screen.
func typeClean(in *textinput.Model, msg tea.Msg) {
	*in, _ = in.Update(msg) // a cursor that does not blink has nothing to run
	if v := in.Value(); v != screenText(v) {
		in.SetValue(screenText(v))
	}
}

// typed gives a key or a paste to the line that takes text now, if there is one.
func (m *model) typed(msg tea.Msg) tea.Cmd {
	switch m.dialog {
	case findDialog:
		typeClean(&m.find.input, msg)
	case switchDialog:
		return m.filterBy(msg)
	case resumeDialog:
		typeClean(&m.resume.input, msg)
	case retryConfirmDialog:
		typeClean(&m.retry.input, msg)
	case reachDialog, reachLookDialog:
		typeClean(&m.reach.input, msg)
	case noteDialog:
		typeClean(&m.note.input, msg)
	case asideDialog:
		typeClean(&m.aside.input, msg)
	}
	return nil
}

// lookUp asks the daemon for what was typed.
func (m *model) lookUp() tea.Cmd {
	query := m.find.input.Value()
	if query == "" {
		return nil
	}
	m.ticket++
	m.find.ticket, m.find.found, m.find.problem = m.ticket, nil, ""
	ticket, call := m.ticket, m.call
	return func() tea.Msg {
		var found link.Found
		err := call(link.VerbFind, link.FindArgs{Query: query}, &found)
		return foundMsg{ticket, found, err}
	}
}

type ackedMsg struct {
	alarm link.Alarm
	err   error
}

func (a ackedMsg) text() string {
	if a.err != nil {
		return "Not acknowledged: " + problem(a.err)
	}
	return "Acknowledged: " + screenText(a.alarm.Text) + " The alarm stays until its cause is gone."
}

// acknowledge tells the daemon that the operator has seen an alarm: the
// selected one, else the newest that is open and that nobody has seen.
func (m *model) acknowledge() tea.Cmd {
	a := m.toAcknowledge()
	if a == nil {
		return m.say("There is no open alarm to acknowledge.")
	}
	if a.AckedBy != "" {
		return m.say("Already acknowledged by " + screenText(a.AckedBy) + ".")
	}
	args, call := link.AckArgs{Alarm: a.ID}, m.call
	return func() tea.Msg {
		var alarm link.Alarm
		err := call(link.VerbAck, args, &alarm)
		return ackedMsg{alarm, err}
	}
}

func (m *model) toAcknowledge() *link.Alarm {
	if m.raw == nil {
		return nil
	}
	if m.focus == alarmsFocus || m.dialog == alarmDialog {
		if i := m.alarmAt(); i < len(m.raw.Alarms) && m.raw.Alarms[i].Open() {
			return &m.raw.Alarms[i]
		}
		return nil
	}
	var newest *link.Alarm
	for i := range m.raw.Alarms {
		a := &m.raw.Alarms[i]
		if a.Open() && a.AckedBy == "" && (newest == nil || a.RaisedAt.After(newest.RaisedAt)) {
			newest = a
		}
	}
	return newest
}

// problem turns an error into what the operator should read.
func problem(err error) string {
	if _, ok := errors.AsType[*link.Fault](err); !ok && errors.Is(err, context.DeadlineExceeded) {
		return "the daemon did not answer in time. Try again; if it stays so, run tickwatch doctor."
	}
	return screenText(err.Error())
}

// undone says of a command that did not succeed what has not happened, and why; of
// one that nobody answered, that this is not known.
func undone(what string, err error) string {
	if _, ok := errors.AsType[*link.Fault](err); !ok && errors.Is(err, context.DeadlineExceeded) {
		return "The daemon did not answer in time: it may have been done. Look before you try again."
	}
	return what + ": " + problem(err)
}
