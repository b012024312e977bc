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

// resume is the state of the window that ends a pause.
type resume struct {
	campaign string // id of the campaign that it was opened for; "" is none
	gate     link.GateArgs
	closed   []link.Gate // what the latest snapshot says is paused here
	forecast *link.Forecast
	word     string
	input    textinput.Model
	problem  string
	ticket   int  // of the forecast that is awaited; 0 = none
	under    bool // the daemon has been told to resume
}

// pausesHere are the pauses that hold the campaign on the screen, with their ids
// as the daemon knows them. One that is paused without a word of where is taken
// to be paused itself.
func (m *model) pausesHere() []link.Gate {
	i := m.current()
	switch {
	case m.raw == nil:
		return nil
	case i < 0:
		return pane.Pauses(m.raw, nil)
	}
	c := &m.raw.Campaigns[i]
	all := pane.Pauses(m.raw, c)
	if len(all) == 0 && c.State == "paused" {
		all = []link.Gate{{Scope: link.ScopeCampaign, ID: c.ID, State: link.GatePaused}}
	}
	return all
}

func (m *model) cannotResume() string {
	if len(m.pausesHere()) > 0 {
		return ""
	}
	c := m.shownCampaign()
	switch {
	case c == nil:
		return "Nothing is paused."
	case pane.Own(c) && c.State == "draft":
		return nameOf(c) + " was never started; from a shell: tickwatch campaign start " + c.ID
	}
	return nameOf(c) + " is not paused: u resumes what was."
}

// openResume shows what ending a pause would do: the campaign's own, if it has
// one, else the widest.
func (m *model) openResume() tea.Cmd {
	all := m.pausesHere()
	g := all[0]
	if last := all[len(all)-1]; last.Scope == link.ScopeCampaign {
		g = last
	}
	m.dialog = resumeDialog
	m.resume = resume{campaign: m.campaign, closed: all}
	return m.forecast(link.GateArgs{Scope: g.Scope, ID: g.ID})
}

// forecast asks what would go out if a pause ended.
func (m *model) forecast(gate link.GateArgs) tea.Cmd {
	r := &m.resume
	m.ticket++
	ticket := m.ticket
	r.gate, r.forecast, r.problem, r.ticket = gate, nil, "", ticket
	return ask(m.work, link.VerbForecast, link.ForecastArgs{GateArgs: gate}, func(m *model, f link.Forecast, err error) tea.Cmd {
		if m.resume.ticket == ticket {
			m.resume.told(f, err)
		}
		return nil
	})
}

func (r *resume) told(f link.Forecast, err error) {
	r.ticket = 0
	if err != nil {
		r.problem = problem(err)
		return
	}
	r.forecast = cleaned(&f)
	if r.word = strings.TrimSpace(r.forecast.Word); r.word == "" {
		r.word = "resume"
	}
	typed := r.input.Value()
	r.input = newInput("Type " + r.word + " and press enter: ")
	r.input.SetValue(typed)
	_ = r.input.Focus() // its cursor does not blink: there is nothing to run
}

// chosen is the index of the pause that is to end.
func (r *resume) chosen() int {
	return max(slices.IndexFunc(r.closed, func(g link.Gate) bool { return g.Scope == r.gate.Scope && g.ID == r.gate.ID }), 0)
}

func (m *model) chooseResume(by int) tea.Cmd {
	r := &m.resume
	i := min(max(r.chosen()+by, 0), len(r.closed)-1)
	if r.under || i < 0 || i == r.chosen() {
		return nil
	}
	return m.forecast(link.GateArgs{Scope: r.closed[i].Scope, ID: r.closed[i].ID})
}

// refreshResume keeps the open window true when something was paused or resumed
// meanwhile.
func (m *model) refreshResume() tea.Cmd {
	r := &m.resume
	if m.dialog != resumeDialog || r.under || r.campaign != m.campaign {
		return nil
	}
	now := m.pausesHere()
	same := slices.EqualFunc(now, r.closed, func(a, b link.Gate) bool { return a.Scope == b.Scope && a.ID == b.ID && a.Since.Equal(b.Since) })
	switch {
	case same:
		return nil
	case !slices.ContainsFunc(now, func(g link.Gate) bool { return g.Scope == r.gate.Scope && g.ID == r.gate.ID }):
		m.dialog = noDialog
		return m.say("It has been resumed meanwhile.")
	}
	r.closed = now
	return m.forecast(r.gate)
}

// confirmResume ends the pause, if the word is right.
func (m *model) confirmResume() tea.Cmd {
	r := &m.resume
	if r.forecast == nil || r.under {
		return nil
	}
	if typed := strings.TrimSpace(r.input.Value()); !confirmed(typed, r.word) {
		r.problem = "Nothing is resumed: type " + r.word + " to resume, or press esc."
		if typed != "" {
			r.problem = "That was " + typed + ". " + r.problem
		}
		return nil
	}
	r.problem, r.under = "", true
	closed := r.forecast.Closed
	return ask(m.work, link.VerbResume, link.ResumeArgs{GateArgs: r.gate}, func(m *model, got link.Receipt, err error) tea.Cmd {
		return m.resumeAnswered(got, closed, err)
	})
}

// confirmed tells whether what was typed is the word; the commas in a number
// may be left out.
func confirmed(typed, word string) bool {
	plain := strings.NewReplacer(",", "", " ", "")
	return typed != "" && strings.EqualFold(plain.Replace(typed), plain.Replace(word))
}

func (m *model) resumeAnswered(got link.Receipt, closed []link.Gate, err error) tea.Cmd {
	m.resume.under = false
	if err != nil {
		if m.dialog != resumeDialog {
			return m.say(undone("Not resumed", err))
		}
		m.resume.problem = undone("Not resumed", err)
		return nil
	}
	m.followed = nil
	if m.dialog == resumeDialog {
		m.dialog = noDialog
	}
	cmd := m.say(pane.Resumed(m.shown, cleaned(&got), closed))
	m.resumed = m.opt.Now()
	return cmd
}

// outdate takes away the notice of a resume when something was paused after it,
// and that of a pause when somebody has ended it.
func (m *model) outdate() {
	if t := m.told; t != nil {
		switch stands := m.stands(t.args); {
		case stands:
			t.seen = true
		case t.seen:
			m.notice, m.told = "", nil
		}
	}
	if !m.resumed.IsZero() && slices.ContainsFunc(m.pausesHere(), func(g link.Gate) bool { return g.Since.After(m.resumed) }) {
		m.notice, m.resumed = "", time.Time{}
	}
}

// resumeFor is the campaign that the window was opened for, with clean texts;
// nil when there was none, or another is on the screen by now.
func (m *model) resumeFor() *link.Campaign {
	if m.resume.campaign != m.campaign {
		return nil
	}
	return m.shownCampaign()
}

// shownResume is the window's state as the pane takes it.
func (m *model) shownResume(w int) *pane.Resuming {
	r := &m.resume
	out := &pane.Resuming{Pauses: *cleaned(&r.closed), Selected: r.chosen(), Forecast: r.forecast, Note: r.problem}
	switch {
	case r.under:
		out.Note = "Resuming…"
	case r.forecast != nil:
		out.Input = inputLine(&r.input, w)
	case r.problem == "":
		out.Note = "Asking what would go out…"
	}
	return out
}
