package ui

import (
	"slices"

	tea "charm.land/bubbletea/v2"
)

// Where keys work.
var (
	onMain = []dialog{noDialog}

	// looking are the windows that only show something.
	looking = []dialog{
		helpDialog, errorDialog, alarmDialog, deliveredDialog, reportsDialog, qualityDialog, queueDialog, feedDialog, eventsDialog, copyDialog,
	}
	// typing are the windows in which letters are text.
	typing  = []dialog{switchDialog, findDialog, resumeDialog, retryConfirmDialog, reachDialog, reachLookDialog, noteDialog, asideDialog}
	windows = slices.Concat(looking, typing, []dialog{swapDialog, swapConfirmDialog, retryDialog, snoozeDialog, leaveDialog})

	everywhere  = append([]dialog{noDialog}, windows...)
	onQueue     = []dialog{noDialog, queueDialog}
	inLists     = []dialog{noDialog, switchDialog, helpDialog, eventsDialog, qualityDialog, resumeDialog, swapDialog, retryDialog, snoozeDialog, asideDialog}
	paged       = []dialog{errorDialog, helpDialog, eventsDialog, qualityDialog}
	lettersFree = without(everywhere, typing...)
)

func without(all []dialog, some ...dialog) []dialog {
	return slices.DeleteFunc(slices.Clone(all), func(d dialog) bool { return slices.Contains(some, d) })
}

// bindings is the table of all keys.
func bindings() []binding { return slices.Concat(actKeys(), lookKeys(), listKeys()) }

// actKeys are the keys that do something to what is sent, or tell others.
func actKeys() []binding {
	return []binding{
		{
			keys: []string{"p", "P"}, shown: "p", name: "pause", section: sectionAct, in: lettersFree,
			help:   "Pause this campaign, at once and from every window; where letters are text, ctrl+p. Twice is harmless.",
			footer: true, essential: true, acts: true, urgent: true,
			cannot: noCampaign, do: (*model).pauseCampaign,
		},
		{
			keys: []string{"ctrl+p"}, shown: "ctrl+p", name: "pause", section: sectionAct, in: typing, acts: true, urgent: true,
			cannot: noCampaign, do: (*model).pauseCampaign,
		},
		{
			keys: []string{"!"}, shown: "!", name: "pause all", section: sectionAct, in: without(everywhere, noteDialog),
			help:   "Pause everything, at once and from every window but that of notes: all campaigns, all channels.",
			footer: true, essential: true, acts: true, urgent: true,
			do: (*model).pauseAll,
		},
		{
			keys: []string{"u"}, shown: "u", name: "resume", section: sectionAct, in: onQueue,
			help:   "Resume what was paused. It shows how many messages go out and to whom not, and takes a typed word.",
			footer: true, acts: true, dangerous: true,
			cannot: (*model).cannotResume, do: (*model).openResume,
		},
		{
			keys: []string{"t"}, shown: "t", name: "template", section: sectionAct, in: onQueue,
			help:   "Send the rest with another approved template. What is paused stays paused.",
			footer: true, acts: true, dangerous: true,
			cannot: (*model).cannotSwap, do: (*model).openSwap,
		},
		{
			keys: []string{"a"}, shown: "a", name: "set aside", section: sectionAct, in: []dialog{noDialog, queueDialog, errorDialog},
			help: "What the failures have in common: set those that wait and have it aside, or release or cancel what is set aside.",
			acts: true, dangerous: true,
			cannot: (*model).cannotAside, do: (*model).openAside,
		},
		{
			keys: []string{"r"}, shown: "r", name: "retry", section: sectionAct, in: []dialog{noDialog, queueDialog, errorDialog},
			help:   "Reach those whose message failed: again by WhatsApp, or by SMS, a call or e-mail. Nobody who opted out.",
			footer: true, acts: true, dangerous: true,
			cannot: (*model).cannotRetry, do: (*model).openRetry,
		},
		{
			keys: []string{"U"}, shown: "U", name: "undo", section: sectionAct, in: []dialog{noDialog, queueDialog, reachLookDialog},
			help:   "Undo what was ordered by SMS, call or e-mail: what has not left does not. In its first minute that is all of it.",
			acts:   true,
			cannot: (*model).cannotUndo, do: (*model).undoReach,
		},
		{
			keys: []string{"+"}, shown: "+ -", name: "pace", section: sectionAct, in: onQueue,
			help:   "Send this campaign a step faster, or slower.",
			footer: true, acts: true,
			cannot: (*model).cannotPace, do: func(m *model) tea.Cmd { return m.changePace(1) },
		},
		{
			keys: []string{"-"}, section: sectionAct, in: onQueue, acts: true,
			cannot: (*model).cannotPace, do: func(m *model) tea.Cmd { return m.changePace(-1) },
		},
		{
			keys: []string{"n"}, shown: "n", name: "note", section: sectionAct, in: onMain,
			help:   "Read the notes, and leave one for the next operator.",
			footer: true, acts: true, do: (*model).openNotes,
		},
		{
			keys: []string{"k"}, shown: "k", name: "seen", section: sectionAct, in: []dialog{noDialog, alarmDialog},
			help:   "Acknowledge: say that you have seen the alarm, the selected one, else the newest.",
			footer: true, acts: true, do: (*model).acknowledge,
		},
		{
			keys: []string{"z"}, shown: "z", name: "quiet", section: sectionAct, in: []dialog{alarmDialog},
			help: "In an alarm's window: keep it quiet for 10 min, for 1 h, or until it grows. It stays on the screen.",
			acts: true, do: (*model).openSnooze,
		},
	}
}

// lookKeys are the keys that choose what is shown.
func lookKeys() []binding {
	return []binding{
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
			keys: []string{"y"}, shown: "y", name: "copy", section: sectionLook, in: onMain,
			help: "Copy this campaign's state as one line, to hand on; it is shown too, to be marked by hand.", footer: true,
			cannot: noCampaign, do: (*model).copyStatus,
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
	}
}

// listKeys are the keys that work inside lists and windows.
func listKeys() []binding {
	return []binding{
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
			keys: []string{"enter"}, section: sectionLists, in: []dialog{resumeDialog, swapDialog, swapConfirmDialog, retryDialog, retryConfirmDialog, reachDialog, reachLookDialog, noteDialog, snoozeDialog, asideDialog},
			do: (*model).confirm,
		},
		{
			keys: []string{"left"}, shown: "← →", section: sectionLists, in: []dialog{retryDialog}, help: "Choose by what the failed are reached.",
			do: func(m *model) tea.Cmd { return m.chooseChannel(-1) },
		},
		{
			keys: []string{"right"}, section: sectionLists, in: []dialog{retryDialog},
			do: func(m *model) tea.Cmd { return m.chooseChannel(1) },
		},
		{
			keys: []string{"tab"}, section: sectionLists, in: []dialog{reachDialog},
			do: (*model).turnHours,
		},
		{
			keys: []string{"space"}, shown: "space", section: sectionLists, in: []dialog{retryDialog}, help: "Tick or untick the selected row.",
			do: (*model).toggle,
		},
		{
			keys: []string{"esc"}, shown: "esc", section: sectionLists, help: "Close the window.",
			in: windows, do: (*model).closeWindow,
		},
		{
			keys: []string{"q", "n"}, section: sectionLists, in: without(windows, typing...),
			do: (*model).closeWindow,
		},
		{
			keys: []string{"y"}, section: sectionLists, in: []dialog{leaveDialog},
			do: func(*model) tea.Cmd { return tea.Quit },
		},
		{
			keys: []string{"ctrl+c"}, section: sectionLists,
			in: without(everywhere, leaveDialog), do: (*model).leave,
		},
		{
			keys: []string{"ctrl+c"}, section: sectionLists, in: []dialog{leaveDialog},
			do: func(*model) tea.Cmd { return tea.Quit },
		},
	}
}
