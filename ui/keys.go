package ui

import (
	"fmt"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"tickwatch/ui/pane"
)

// binding is one key of the console. The footer, the help, the table in the
// README and what happens on a press all come from the same binding.
type binding struct {
	keys    []string // as Bubble Tea names them
	shown   string   // as people read them
	name    string   // in the footer: a word or three
	help    string   // in the help and the README: one sentence
	section string   // of the help
	in      []dialog // where it works

	footer    bool // it stands in the footer of a wide screen
	roomy     bool // … if it is wider than most
	essential bool // … and of a narrow one
	acts      bool // it does something through the daemon, which a console that only looks must not
	urgent    bool // it works whatever lies over the panes and however the link is
	dangerous bool // it sends, pays, or opens what was closed: it asks first

	cannot func(*model) string // why it cannot act now; nil or "" when it can
	do     func(*model) tea.Cmd
}

// Sections of the help, in order.
const (
	sectionAct   = "Act"
	sectionLook  = "Look"
	sectionLists = "Inside lists and windows"
)

// press carries out a key. A key that cannot act says why.
func (m *model) press(msg tea.KeyPressMsg) tea.Cmd {
	m.notice = ""
	for i := range m.keys {
		b := &m.keys[i]
		if !slices.Contains(b.keys, msg.String()) || !slices.Contains(b.in, m.dialog) {
			continue
		}
		if why := b.why(m); why != "" {
			return m.say(why)
		}
		return b.do(m)
	}
	return m.typed(msg)
}

// why says why the key cannot act now; "" when it can.
func (b *binding) why(m *model) string {
	switch {
	case !b.acts:
	case m.opt.ReadOnly:
		return "This console is read-only: " + b.keys[0] + " does nothing here. Start it without --read-only."
	case m.opt.Mode == ModeReplay:
		return "This is a replay of what happened: " + b.keys[0] + " has nothing to act on."
	case !b.urgent && !m.update.Connected:
		return "There is no link to the daemon: " + b.keys[0] + " works again when there is. p and ! keep asking until it is back."
	}
	if b.cannot == nil {
		return ""
	}
	return b.cannot(m)
}

// says is the binding's help, with what its flags mean for the operator.
func (b *binding) says() string {
	if b.dangerous {
		return b.help + " It asks first."
	}
	return b.help
}

// helpSections is the help: the keys from the table, then the screen's words.
func helpSections() []pane.HelpSection {
	var sections []pane.HelpSection
	for _, title := range []string{sectionAct, sectionLook, sectionLists} {
		s := pane.HelpSection{Title: title}
		for _, b := range bindings() {
			if b.section == title && b.help != "" {
				s.Rows = append(s.Rows, [2]string{b.shown, b.says()})
			}
		}
		sections = append(sections, s)
	}
	return append(sections, words)
}

// KeyTable is the table of keys as Markdown, for the README.
func KeyTable() string {
	var b strings.Builder
	b.WriteString("| key | does |\n|---|---|\n")
	for _, k := range bindings() {
		if k.help != "" {
			fmt.Fprintf(&b, "| `%s` | %s |\n", k.shown, k.says())
		}
	}
	return b.String()
}
