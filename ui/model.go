package ui

import (
	"context"
	"time"

	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"

	"tickwatch/monitor/link"
	"tickwatch/ui/pane"
	"tickwatch/ui/theme"
)

const (
	// Between two snapshots on the screen: half of the daemon's own quarter second.
	// At the same beat as the daemon's, a console that is attached at a bad moment
	// would show every snapshot almost a quarter second late, for a minute.
	redrawEvery   = 125 * time.Millisecond
	answerWithin  = 5 * time.Second  // for a call to the daemon
	workWithin    = 30 * time.Second // for one that it has to work for, or to ask Meta
	noticeStays   = 12 * time.Second // a notice that nobody typed away
	clockTicks    = time.Second
	findTextLimit = 300
)

// dialog is what lies over the panes.
type dialog int

const (
	noDialog dialog = iota
	helpDialog
	switchDialog
	errorDialog
	alarmDialog
	deliveredDialog
	reportsDialog
	qualityDialog
	queueDialog
	feedDialog
	eventsDialog
	findDialog
	copyDialog
	resumeDialog
	swapDialog
	swapConfirmDialog
	retryDialog
	retryConfirmDialog
	reachDialog
	reachLookDialog
	noteDialog
	snoozeDialog
	asideDialog
	leaveDialog
)

// focus is the pane that the arrow keys move in and that enter explains, in the
// order of reading.
type focus int

const (
	deliveredFocus focus = iota
	reportsFocus
	qualityFocus
	errorsFocus
	queueFocus
	alarmsFocus
	focusCount
)

var paneNames = [focusCount]string{"Delivered", "Reports", "Quality", "Errors", "Queue", "Alarms"}

// model is the whole state of the console. Only Update changes it.
type model struct {
	opt  Options
	keys []binding
	done <-chan struct{} // closed when the console ends

	// To the daemon; only inside a tea.Cmd. call waits for an answer that is ready,
	// work for one that takes the daemon some work, and insist, which repeats the
	// command under its id over every new link, for as long as the console lives.
	call, work, insist caller

	width, height int
	dark          bool
	profile       colorprofile.Profile
	now           time.Time // moves once a second, and with each snapshot

	update  link.Update    // the newest that is shown
	pending *link.Update   // a newer one that waits for its turn
	paced   bool           // the timer that spaces redraws is running
	base    *link.Snapshot // the newest as it came
	raw     *link.Snapshot // that and the guest: for the ids in commands
	shown   *link.Snapshot // the same, index for index, with clean texts

	campaign string // id of the one on the screen
	chosen   bool   // the operator chose it
	focus    focus
	code     *int   // selected error; nil is the first one
	alarm    string // id of the selected alarm; "" is the first one

	dialog   dialog
	scroll   int // of the help
	filter   textinput.Model
	switcher switcher
	guest    guest
	subject  string // selected in the Quality detail
	history  history
	failures failures

	feedCheck feedCheck
	find      find
	resume    resume
	swap      swap
	aside     aside
	retry     retry
	reach     reach
	undoing   bool // the daemon has been told to cancel a fallback
	note      note
	snooze    snooze
	bell      bell
	copied    string // what the window of y shows
	ticket    int    // numbers the calls, to tell late answers

	pauses   []pausing // that the daemon has not confirmed yet
	followed *followed // the latest confirmed one

	notice   string
	noticeNo int
	resumed  time.Time // when the notice that says so began to stand; zero = it is another notice
	told     *told     // the pause that the notice tells of; nil = it is another notice
}

func newModel(ctx context.Context, o Options) *model {
	m := &model{opt: o, keys: bindings(), done: ctx.Done(), dark: true, now: o.Now(), focus: errorsFocus}
	within := func(d time.Duration) caller {
		return func(verb string, args, result any) error {
			ctx, cancel := context.WithTimeout(ctx, d)
			defer cancel()
			return o.Daemon.Do(ctx, verb, args, result)
		}
	}
	m.call, m.work = within(answerWithin), within(workWithin)
	m.insist = func(verb string, args, result any) error { return o.Daemon.Do(ctx, verb, args, result) }
	m.find.input = newInput("Number or message id: ")
	m.filter = newInput("Name has: ")
	m.note.input = newInput("Note: ")
	m.note.input.CharLimit = noteLimit
	return m
}

// Messages of the model's own.
type (
	updateMsg struct {
		link.Update
		over bool // no more will come
	}
	paceMsg   struct{}
	secondMsg struct{}
	noticeMsg int // the notice of this number has stood long enough
)

// Init implements tea.Model.
func (m *model) Init() tea.Cmd {
	if m.opt.ASCII { // such a terminal may print the question instead of answering it
		return tea.Batch(m.nextUpdate(), tick())
	}
	return tea.Batch(m.nextUpdate(), tick(), tea.RequestBackgroundColor)
}

func (m *model) nextUpdate() tea.Cmd {
	updates, done := m.opt.Daemon.Updates(), m.done
	return func() tea.Msg {
		select {
		case u, ok := <-updates:
			return updateMsg{u, !ok}
		case <-done:
			return nil
		}
	}
}

func tick() tea.Cmd {
	return tea.Tick(clockTicks, func(time.Time) tea.Msg { return secondMsg{} })
}

// Update implements tea.Model.
func (m *model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.width, m.height = msg.Width, msg.Height
		return m, m.refit()
	case tea.BackgroundColorMsg:
		m.dark = msg.IsDark()
	case tea.ColorProfileMsg:
		m.profile = msg.Profile
	case tea.KeyPressMsg:
		return m, m.press(msg)
	case tea.PasteMsg:
		return m, m.typed(msg)
	case updateMsg:
		return m, m.take(msg)
	case paceMsg:
		m.paced = false
		return m, m.show()
	case secondMsg:
		m.now = m.opt.Now()
		return m, tick()
	case noticeMsg:
		if int(msg) == m.noticeNo {
			m.notice = ""
		}
	case failuresMsg:
		m.failures.answer(msg)
	case foundMsg:
		m.find.answer(msg)
	case eventsMsg:
		m.history.answer(msg)
	case cardsMsg:
		m.switcher.answer(msg)
	case guestMsg:
		return m, m.welcome(msg)
	case ackedMsg:
		return m, m.say(msg.text())
	case reply:
		return m, msg(m)
	case lateMsg:
		m.pauseLate(int(msg))
	case againMsg:
		return m, m.pauseAgain(int(msg))
	}
	return m, nil
}

// take keeps the newest update and shows it when its turn comes.
func (m *model) take(msg updateMsg) tea.Cmd {
	if msg.over {
		msg.Snapshot = m.base
		m.pending = &msg.Update
		return m.show()
	}
	m.pending = &msg.Update
	return tea.Batch(m.show(), m.nextUpdate())
}

// show applies the pending update, unless one was applied a moment ago: the
// first of a burst at once, then the newest of each eighth of a second.
func (m *model) show() tea.Cmd {
	if m.pending == nil || m.paced {
		return nil
	}
	fresh := m.pending.Snapshot != nil && m.pending.Snapshot != m.base
	m.update, m.pending, m.paced = *m.pending, nil, true
	m.now = m.opt.Now()
	if fresh {
		m.base = m.update.Snapshot
		m.compose()
		m.settle()
		m.outdate()
	}
	cmds := []tea.Cmd{tea.Tick(redrawEvery, func(time.Time) tea.Msg { return paceMsg{} }), m.refresh(), m.refreshGuest()}
	if fresh {
		cmds = append(cmds, m.follow(), m.refreshResume(), m.ring())
	}
	return tea.Batch(cmds...)
}

// stay shows one line, or a few, over the footer until the next key.
func (m *model) stay(text string) {
	m.notice, m.resumed, m.told = text, time.Time{}, nil
	m.noticeNo++
}

// say shows them until the next key or for a while.
func (m *model) say(text string) tea.Cmd {
	m.stay(text)
	n := noticeMsg(m.noticeNo)
	return tea.Tick(noticeStays, func(time.Time) tea.Msg { return n })
}

// look is what the panes draw with; live is false for figures that are not.
func (m *model) look(live bool) pane.Look {
	l := pane.Look{Zone: m.opt.Zone, Now: m.now, Replay: m.opt.Mode == ModeReplay, ReadOnly: m.opt.ReadOnly}
	if live {
		l.Theme = theme.New(m.dark, m.profile)
	} else {
		l.Theme = theme.Stale()
	}
	return l
}
