package ui

import (
	"slices"
	"strings"
	"time"

	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"

	"tickwatch/monitor/link"
	"tickwatch/ui/pane"
)

const (
	noteLimit = 280
	noteStays = 24 * time.Hour // an unread note is shown so long
)

// note is the state of the window of notes, and of what was read of them.
type note struct {
	input   textinput.Model
	read    time.Time // of the newest note that the operator has seen
	problem string
	under   bool // one is on its way
}

// notes are what operators left, newest first, as far as the snapshot has them.
func (m *model) notes() []link.Action {
	if m.shown == nil {
		return nil
	}
	all := slices.DeleteFunc(slices.Clone(m.shown.Actions), func(a link.Action) bool { return a.Verb != link.VerbNote })
	slices.SortStableFunc(all, func(a, b link.Action) int { return b.At.Compare(a.At) })
	return all
}

// unread is the newest note of the last day that this console has not shown
// in full; nil when there is none.
func (m *model) unread() *link.Action {
	all := m.notes()
	if len(all) == 0 || m.note.under || !all[0].At.After(m.note.read) || m.now.Sub(all[0].At) > noteStays {
		return nil
	}
	return &all[0]
}

// openNotes shows the notes and takes another one.
func (m *model) openNotes() tea.Cmd {
	m.dialog, m.note.problem = noteDialog, ""
	m.note.input.Reset()
	_ = m.note.input.Focus() // its cursor does not blink: there is nothing to run
	m.readNotes()
	return nil
}

// readNotes marks what the window shows as read.
func (m *model) readNotes() {
	if all := m.notes(); len(all) > 0 && all[0].At.After(m.note.read) {
		m.note.read = all[0].At
	}
}

// leaveNote hands what was typed to the daemon, for the next operator.
func (m *model) leaveNote() tea.Cmd {
	text := strings.TrimSpace(m.note.input.Value())
	if text == "" || m.note.under {
		return nil
	}
	args := link.NoteArgs{Text: text}
	if i := m.current(); i >= 0 {
		args.Campaign = m.raw.Campaigns[i].ID
	}
	m.note.under, m.note.problem = true, ""
	return ask(m.call, link.VerbNote, args, func(m *model, a link.Action, err error) tea.Cmd { return m.noted(&a, err) })
}

func (m *model) noted(a *link.Action, err error) tea.Cmd {
	m.note.under = false
	if err != nil {
		m.note.problem = undone("Not left", err)
		if m.dialog == noteDialog {
			return nil
		}
		return m.say(m.note.problem)
	}
	if a.At.After(m.note.read) {
		m.note.read = a.At
	}
	if m.dialog == noteDialog {
		m.dialog = noDialog
	}
	return m.say("The note is left: the next operator sees it until it is read.")
}

// copyStatus puts the campaign's state on the clipboard, as far as the terminal
// lets programs do that, and shows it.
func (m *model) copyStatus() tea.Cmd {
	m.copied = pane.OneLine(m.look(true), m.shown, m.shownCampaign(), m.update.Connected)
	m.dialog = copyDialog
	return tea.SetClipboard(m.copied)
}

func (m *model) cannotPace() string {
	c := m.shownCampaign()
	switch {
	case c == nil:
		return "There is no campaign whose pace could be changed."
	case !pane.Own(c):
		return "Another system sends " + nameOf(c) + ": change the pace there."
	case c.State == "finished" || c.State == "cancelled":
		return nameOf(c) + " is over: nothing waits that could go faster or slower."
	}
	return ""
}

// changePace makes the campaign a step faster or slower.
func (m *model) changePace(step int) tea.Cmd {
	c := *m.shownCampaign()
	args := link.PaceArgs{Campaign: m.raw.Campaigns[m.current()].ID, Step: step}
	return ask(m.call, link.VerbPace, args, func(m *model, s link.Sending, err error) tea.Cmd {
		if err != nil {
			return m.say(undone("The pace is not changed", err))
		}
		return m.say(m.look(true).Paced(&c, cleaned(&s)))
	})
}
