package ui

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"tickwatch/monitor/link"
)

// rings shows a snapshot and tells whether the bell rang for it.
func rings(c *console, s *link.Snapshot) bool {
	c.m.base, c.m.now = s, s.At
	c.m.compose()
	cmd := c.m.ring()
	if cmd == nil {
		return false
	}
	raw, ok := cmd().(tea.RawMsg)
	return ok && fmt.Sprint(raw.Msg) == "\a"
}

func acting(at time.Duration, change func([]link.Alarm)) *link.Snapshot {
	s := healthy()
	s.At = sampleNow.Add(at)
	s.Alarms = []link.Alarm{
		{ID: "a7", Kind: "delivery", Severity: link.VerdictWatch, Campaign: "autumn", Text: "x", RaisedAt: sampleNow},
		{ID: "a8", Kind: "account", Severity: link.VerdictWatch, Text: "y", RaisedAt: sampleNow},
	}
	change(s.Alarms)
	return s
}

// TestBell: it rings when something has become an alarm to act on, once, and not
// again and again.
func TestBell(t *testing.T) {
	act := func(a *link.Alarm) { a.Severity = link.VerdictAct }
	nothing := func([]link.Alarm) {}
	first := func(all []link.Alarm) { act(&all[0]) }
	both := func(all []link.Alarm) { act(&all[0]); act(&all[1]) }
	quiet := func(all []link.Alarm) { act(&all[0]); all[0].SnoozedBy = "ines" }
	seen := func(all []link.Alarm) { act(&all[0]); all[0].AckedBy = "ines" }
	type step struct {
		at     time.Duration
		change func([]link.Alarm)
		want   bool
	}
	for name, steps := range map[string][]step{
		"what stood before":         {{0, both, false}, {time.Minute, both, false}},
		"once":                      {{0, nothing, false}, {time.Second, first, true}, {time.Hour, first, false}},
		"it eases and grows again":  {{0, nothing, false}, {time.Second, first, true}, {time.Minute, nothing, false}, {2 * time.Minute, first, false}},
		"two close together":        {{0, nothing, false}, {time.Second, first, true}, {2 * time.Second, both, false}, {time.Hour, both, false}},
		"two far apart":             {{0, nothing, false}, {time.Second, first, true}, {time.Minute, both, true}},
		"quiet, and its time over":  {{0, nothing, false}, {time.Second, quiet, false}, {time.Minute, first, true}},
		"rung for, quiet, and over": {{0, nothing, false}, {time.Second, first, true}, {time.Minute, quiet, false}, {time.Hour, first, true}},
		"seen elsewhere":            {{0, nothing, false}, {time.Second, seen, false}, {time.Minute, first, false}},
	} {
		c := newConsole(t, 80, 24, Options{})
		for i, s := range steps {
			if got := rings(c, acting(s.at, s.change)); got != s.want {
				t.Errorf("%s, step %d: %v", name, i, got)
			}
		}
	}
	for _, o := range []Options{{NoBell: true}, {Mode: ModeReplay}} {
		c := newConsole(t, 80, 24, o)
		if rings(c, acting(0, nothing)) || rings(c, acting(time.Second, first)) {
			t.Errorf("%+v: it rings", o)
		}
	}
}

// TestTitle: the window's title says the worst in a word, and holds nothing that a
// terminal obeys.
func TestTitle(t *testing.T) {
	c := newConsole(t, 80, 24, Options{})
	if got := c.m.View().WindowTitle; got != "tickwatch" {
		t.Errorf("connecting: %q", got)
	}
	for want, s := range map[string]*link.Snapshot{
		"autumn": healthy(), "ACT autumn": trouble(), "PAUSED autumn": halted(), "tickwatch": nothingYet(),
		"ACT account, autumn": acting(0, func(all []link.Alarm) { all[1].Severity = link.VerdictAct }),
	} {
		c := newConsole(t, 80, 24, Options{}).live(s)
		if got := c.m.View().WindowTitle; got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	c.show(link.Update{Snapshot: trouble(), Err: fmt.Errorf("gone")})
	if got := c.m.View().WindowTitle; got != "NO LINK autumn" {
		t.Errorf("%q", got)
	}
	s := healthy()
	s.Campaigns[0].Name = "x\a\x1b]0;root\u009c"
	if got := newConsole(t, 80, 24, Options{}).live(s).m.View().WindowTitle; got != "x]0;root" {
		t.Errorf("%q", got)
	}
	for _, o := range []Options{{NoBell: true}, {ASCII: true}} {
		if got := newConsole(t, 80, 24, o).live(trouble()).m.View().WindowTitle; got != "" {
			t.Errorf("%+v: %q", o, got)
		}
	}
}

// TestSnoozeWindow: z in an alarm's window keeps it quiet for as long as was chosen.
func TestSnoozeWindow(t *testing.T) {
	c := newConsole(t, 80, 24, Options{}).live(trouble())
	until := sampleNow.Add(time.Hour)
	c.d.answers[link.VerbSnooze] = func(json.RawMessage) (any, error) {
		a := trouble().Alarms[0]
		a.SnoozedBy, a.SnoozedUntil = "ines", &until
		return a, nil
	}
	id := trouble().Alarms[0].ID
	c.press("tab", "tab", "enter", "z").sees("Keep quiet", "for 10 min", "for 1 h", "It stays on the screen")
	c.press("down", "enter")
	if got := c.d.calls; len(got) != 1 || got[0] != `snooze {"alarm":"`+id+`","seconds":3600}` {
		t.Errorf("%q", got)
	}
	c.sees("Kept quiet until")
	if c.m.dialog != alarmDialog {
		t.Errorf("the window is %v", c.m.dialog)
	}
	s := trouble()
	s.Alarms[0].SnoozedBy, s.Alarms[0].SnoozedUntil = "ines", &until
	c.live(s).sees("quiet until", "by ines")
	c.press("z", "down", "down").sees("until it is over")
	c.press("esc").sees("raised")
	c.press("esc").sees("(quiet until")

	c.d.answers[link.VerbSnooze] = func(json.RawMessage) (any, error) {
		return nil, &link.Fault{Kind: link.FaultRefused, Text: "alarm a3 is over"}
	}
	c.press("enter", "z", "enter").sees("Not kept quiet: alarm a3 is over", "Keep quiet")
	c = newConsole(t, 80, 24, Options{ReadOnly: true}).live(trouble()).press("tab", "tab", "enter", "z")
	c.sees("read-only")
}

// typed is trouble with what an operator read off WhatsApp Manager, and an alarm that
// is kept quiet.
func typed() *link.Snapshot {
	s := trouble()
	reported, blocked := int64(12), int64(31)
	at, until := s.At.Add(-14*time.Minute), s.At.Add(23*time.Minute)
	r := &s.Campaigns[0].Reports
	r.Reported, r.ReportedBy, r.ReportedAt, r.Source = &reported, "ana", &at, "WhatsApp Manager"
	r.Blocked, r.BlockedBy, r.BlockedAt = &blocked, "ana", &at
	s.Alarms[1].SnoozedBy, s.Alarms[1].SnoozedUntil = "ines", &until
	return s
}
