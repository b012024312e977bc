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
	acts      bool // it changes what is sent
	dangerous bool // it sends, pays, or opens what was closed: it will ask first

	cannot func(*model) string  // why it cannot act now; nil or "" when it can
	do     func(*model) tea.Cmd // nil for a key that cannot act yet
}

// Sections of the help, in order.
const (
	sectionAct   = "Act"
	sectionLook  = "Look"
	sectionLists = "Inside lists and windows"
)

var (
	onMain  = []dialog{noDialog}
	inLists = []dialog{noDialog, switchDialog, helpDialog, eventsDialog, qualityDialog}
	paged   = []dialog{errorDialog, helpDialog, eventsDialog, qualityDialog}
	windows = []dialog{
		helpDialog, switchDialog, errorDialog, alarmDialog, findDialog, leaveDialog,
		deliveredDialog, reportsDialog, qualityDialog, queueDialog, feedDialog, eventsDialog,
	}
	// typing are the windows in which letters are text.
	typing = []dialog{switchDialog, findDialog}
)

// bindings is the table of all keys.
func bindings() []binding {
	return []binding{
		{
			keys: []string{"p"}, shown: "p", name: "pause", section: sectionAct, in: onMain,
			help:   "Pause this campaign. It asks nothing, and twice is harmless.",
			footer: true, essential: true, acts: true,
			cannot: notYet("p pauses this campaign; this version cannot yet: stop it where it is sent."),
		},
		{
			keys: []string{"!"}, shown: "!", name: "pause all", section: sectionAct, in: onMain,
			help:   "Pause everything: all campaigns, all channels.",
			footer: true, essential: true, acts: true,
			cannot: notYet("! pauses everything; this version cannot yet: stop it where it is sent."),
		},
		{
			keys: []string{"u"}, shown: "u", name: "resume", section: sectionAct, in: onMain,
			help:   "Resume what was paused.",
			footer: true, acts: true, dangerous: true,
			cannot: notYet("u resumes what was paused; this version cannot pause yet."),
		},
		{
			keys: []string{"t"}, shown: "t", name: "template", section: sectionAct, in: onMain,
			help:   "Send the rest with another approved template.",
			footer: true, acts: true, dangerous: true,
			cannot: notYet("t sends the rest with another template; this version cannot yet."),
		},
		{
			keys: []string{"r"}, shown: "r", name: "SMS the failures", section: sectionAct, in: onMain,
			help:   "Reach the people whose message failed by SMS. It shows what that costs.",
			footer: true, acts: true, dangerous: true,
			cannot: notYet("r reaches the failed by SMS; this version cannot yet: enter shows whom it hit."),
		},
		{
			keys: []string{"k"}, shown: "k", name: "seen", section: sectionAct, in: []dialog{noDialog, alarmDialog},
			help:   "Acknowledge: say that you have seen the alarm, the selected one, else the newest.",
			footer: true, do: (*model).acknowledge,
			cannot: func(m *model) string {
				if m.opt.ReadOnly {
					return "k acknowledges an alarm. This console is read-only: start it without --read-only."
				}
				return ""
			},
		},
		{
			keys: []string{"enter"}, shown: "enter", name: "why", section: sectionLook, in: onMain,
			help: "Explain the pane that tab chose, over time; of Errors and Alarms the selected row.", footer: true,
			do: (*model).open,
		},
		{
			keys: []string{"e"}, shown: "e", name: "events", section: sectionLook, in: onMain,
			help: "What happened: alarms, actions, news from Meta, campaigns.", footer: true,
			do: (*model).openEvents,
		},
		{
			keys: []string{"f"}, shown: "f", name: "feed", section: sectionLook, in: onMain,
			help: "How the webhooks come in: counts, repeats, answer times.", footer: true, roomy: true,
			do: func(m *model) tea.Cmd { m.dialog = feedDialog; return nil },
		},
		{
			keys: []string{"/"}, shown: "/", name: "find", section: sectionLook, in: onMain,
			help: "Find a person by phone number, or a message by its id.", footer: true,
			do: (*model).openFind,
		},
		{
			keys: []string{"c"}, shown: "c", name: "campaigns", section: sectionLook, in: onMain,
			help: "Choose another campaign; typing filters them by name.", footer: true,
			do: func(m *model) tea.Cmd { return m.openSwitcher() },
		},
		{
			keys: []string{"]"}, shown: "]", section: sectionLook, in: onMain, help: "Next campaign.",
			do: func(m *model) tea.Cmd { m.step(1); return nil },
		},
		{
			keys: []string{"["}, shown: "[", section: sectionLook, in: onMain, help: "Previous campaign.",
			do: func(m *model) tea.Cmd { m.step(-1); return nil },
		},
		{
			keys: []string{"tab"}, shown: "tab", name: "pane", section: sectionLook, in: onMain, footer: true,
			help: "Go to the next pane; shift+tab goes back.",
			do:   func(m *model) tea.Cmd { return m.turnFocus(1) },
		},
		{
			keys: []string{"shift+tab"}, section: sectionLook, in: onMain,
			do: func(m *model) tea.Cmd { return m.turnFocus(-1) },
		},
		{
			keys: []string{"?"}, shown: "?", name: "help", section: sectionLook, in: onMain, footer: true, essential: true,
			help: "This help.", do: func(m *model) tea.Cmd { m.dialog, m.scroll = helpDialog, 0; return nil },
		},
		{
			keys: []string{"q"}, shown: "q", name: "leave", section: sectionLook, in: onMain, footer: true, essential: true,
			help: "Leave the console; ctrl+c does so from anywhere. The daemon goes on, except under run and demo, which ask first.",
			do:   (*model).leave,
		},
		{
			keys: []string{"up"}, shown: "↑", section: sectionLists, in: inLists, help: "One row up.",
			do: func(m *model) tea.Cmd { return m.scrollOrMove(-1) },
		},
		{
			keys: []string{"down"}, shown: "↓", section: sectionLists, in: inLists, help: "One row down.",
			do: func(m *model) tea.Cmd { return m.scrollOrMove(1) },
		},
		{
			keys: []string{"pgdown", "space"}, shown: "pgdn", section: sectionLists, in: paged, help: "Next page.",
			do: func(m *model) tea.Cmd { return m.page(1) },
		},
		{
			keys: []string{"pgup"}, shown: "pgup", section: sectionLists, in: paged, help: "Previous page.",
			do: func(m *model) tea.Cmd { return m.page(-1) },
		},
		{
			keys: []string{"home"}, shown: "home", section: sectionLists, in: paged, help: "First page, loaded anew.",
			do: func(m *model) tea.Cmd { return m.page(0) },
		},
		{
			keys: []string{"enter"}, shown: "enter", section: sectionLists, in: []dialog{switchDialog}, help: "Show the selected campaign.",
			do: (*model).takePick,
		},
		{
			keys: []string{"enter"}, section: sectionLists, in: []dialog{findDialog}, // said in the box itself
			do: (*model).lookUp,
		},
		{
			keys: []string{"esc"}, shown: "esc", section: sectionLists, help: "Close the window.",
			in: windows,
			do: func(m *model) tea.Cmd { m.dialog = noDialog; return nil },
		},
		{
			keys: []string{"q", "n"}, section: sectionLists,
			in: slices.DeleteFunc(slices.Clone(windows), func(d dialog) bool { return slices.Contains(typing, d) }),
			do: func(m *model) tea.Cmd { m.dialog = noDialog; return nil },
		},
		{
			keys: []string{"y"}, section: sectionLists, in: []dialog{leaveDialog},
			do: func(*model) tea.Cmd { return tea.Quit },
		},
		{
			keys: []string{"ctrl+c"}, section: sectionLists,
			in: slices.DeleteFunc(append(slices.Clone(windows), noDialog), func(d dialog) bool { return d == leaveDialog }),
			do: (*model).leave,
		},
		{
			keys: []string{"ctrl+c"}, section: sectionLists, in: []dialog{leaveDialog},
			do: func(*model) tea.Cmd { return tea.Quit },
		},
	}
}

func notYet(why string) func(*model) string { return func(*model) string { return why } }

// press carries out a key. A key that cannot act says why.
func (m *model) press(msg tea.KeyPressMsg) tea.Cmd {
	m.notice = ""
	for _, b := range bindings() {
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
	if b.cannot == nil {
		return ""
	}
	return b.cannot(m)
}

// says is the binding's help, with what its flags mean for the operator.
func (b *binding) says() string {
	text := b.help
	if b.dangerous {
		text += " It asks first."
	}
	if b.do == nil {
		text += " Not in this version yet."
	}
	return text
}

// open explains the pane that has the focus.
func (m *model) open() tea.Cmd {
	if m.shownCampaign() == nil && m.focus != alarmsFocus {
		return nil
	}
	switch m.focus {
	case deliveredFocus:
		m.dialog = deliveredDialog
	case reportsFocus:
		m.dialog = reportsDialog
	case qualityFocus:
		return m.openQuality()
	case errorsFocus:
		return m.openError()
	case queueFocus:
		m.dialog = queueDialog
	case alarmsFocus:
		if m.raw != nil && len(m.raw.Alarms) > 0 {
			m.alarm = m.raw.Alarms[m.alarmAt()].ID
			m.dialog = alarmDialog
		}
	}
	return nil
}

// turnFocus goes to another pane; where no panes are drawn it says to which.
func (m *model) turnFocus(by int) tea.Cmd {
	m.focus = (m.focus + focus(by) + focusCount) % focusCount
	if m.wide() {
		return nil
	}
	return m.say("enter shows " + paneNames[m.focus] + ".")
}

func (m *model) leave() tea.Cmd {
	if m.opt.Mode == ModeWatch || m.opt.Mode == ModeReplay {
		return tea.Quit
	}
	m.dialog = leaveDialog
	return nil
}

// scrollOrMove goes a row up or down in what has the keys.
func (m *model) scrollOrMove(by int) tea.Cmd {
	switch m.dialog {
	case helpDialog, eventsDialog:
		m.scrollBy(by)
	case qualityDialog:
		return m.chooseSubject(by)
	default:
		m.move(by)
	}
	return nil
}

// scrollBy scrolls the open window by some lines.
func (m *model) scrollBy(by int) {
	w, h, l := m.width, m.bodyHeight(), m.look(true)
	at, end := &m.history.scroll, 0
	switch m.dialog {
	case helpDialog:
		at, end = &m.scroll, m.helpEnd()
	case eventsDialog:
		end = pane.EventsScroll(l, m.history.shown(), w, h)
	case qualityDialog:
		end = pane.QualityScroll(l, len(m.subjects()), m.history.shown(), w, h)
	}
	*at = min(max(*at+by, 0), end)
}

func (m *model) page(by int) tea.Cmd {
	switch {
	case m.dialog == errorDialog:
		return m.turn(by)
	case by != 0:
		m.scrollBy(by * max(m.bodyHeight()-3, 1))
	case m.dialog == helpDialog:
		m.scroll = 0
	default:
		m.history.scroll = 0
		return m.ask(m.history.about)
	}
	return nil
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
