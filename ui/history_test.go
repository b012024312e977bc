package ui

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"tickwatch/monitor/link"
)

// callsOf are the calls of one verb, with their arguments.
func (c *console) callsOf(verb string) []string {
	var out []string
	for _, call := range c.d.calls {
		if args, ok := strings.CutPrefix(call, verb+" "); ok {
			out = append(out, args)
		}
	}
	return out
}

// The log is asked for when it is opened, again when something has happened, and
// not with every snapshot.
func TestTheLogFollows(t *testing.T) {
	c := newConsole(t, 80, 24, Options{}).live(trouble()).press("e")
	c.sees("Grew worse: autumn: Too few messages arrive", "Starts here: only the latest 10")
	for range 5 {
		s := trouble()
		s.Campaigns[0].Counts.Delivered++
		c.live(s)
	}
	if n := len(c.callsOf(link.VerbEvents)); n != 1 {
		t.Errorf("asked %d times though nothing happened", n)
	}
	s := trouble()
	s.Alarms[0].AckedBy = "ines"
	c.live(s)
	if n := len(c.callsOf(link.VerbEvents)); n != 2 {
		t.Errorf("asked %d times, want once more after an alarm was seen", n)
	}
	c.press("home")
	if n := len(c.callsOf(link.VerbEvents)); n != 3 {
		t.Error("home did not load the log anew")
	}
	c.press("q").sees("Queue")
	c.live(healthy())
	if n := len(c.callsOf(link.VerbEvents)); n != 3 {
		t.Error("a closed log is asked for")
	}
}

func TestTheLogScrollsAndSaysWhereItStarts(t *testing.T) {
	c := newConsole(t, 80, 24, Options{}).live(trouble())
	c.d.answers[link.VerbEvents] = func(json.RawMessage) (any, error) {
		var e link.Events
		for i := range 60 {
			e.Events = append(e.Events, link.Event{At: sampleNow, Kind: link.EventTemplate, Text: "event number " + string(rune('A'+i%26)) + string(rune('a'+i/26))})
		}
		e.Complete = true
		return e, nil
	}
	c.press("e").sees("event number Aa")
	c.seesNot("This is the beginning")
	c.press("down").seesNot("event number Aa")
	c.press("pgdown", "pgdown", "pgdown", "pgdown", "down").sees("This is the beginning: nothing before it is stored.", "event number Hc")
	c.press("pgup", "pgup", "pgup", "pgup").sees("event number Aa")

	c.d.answers[link.VerbEvents] = func(json.RawMessage) (any, error) {
		return nil, &link.Fault{Kind: link.FaultFailed, Text: "the disk cannot be read"}
	}
	c.press("esc", "e").sees("the disk cannot be read")
}

// The Quality detail asks for the history of what is selected, by the id that
// the daemon knows, and drops the answer that comes too late.
func TestHistoryOfTheSelected(t *testing.T) {
	s := trouble()
	s.Templates[0].ID = "9900000000000001"
	s.Numbers[0].ID = "500\u200b1" // hidden on the screen, exact in the call
	s.Campaigns[0].Numbers = []string{"500\u200b1"}
	c := newConsole(t, 80, 24, Options{}).live(s).press("tab", "tab", "tab", "tab", "tab", "enter")
	c.sees("▸account", "nothing is held against it", "What changed: account")
	_, slow := c.m.Update(keyPress("down"))
	c.press("down").sees("▸autumn_offer/pt_PT", "quality YELLOW, was GREEN")
	before := c.m.frame()
	c.d.answers[link.VerbEvents] = func(json.RawMessage) (any, error) {
		return link.Events{Events: []link.Event{{Text: "of the number"}}}, nil
	}
	c.m.Update(slow())
	if c.m.frame() != before {
		t.Error("a late answer replaced the history of the template")
	}
	want := []string{`{"of":"account"}`, `{"of":"template","id":"9900000000000001"}`, "{\"of\":\"number\",\"id\":\"500\u200b1\"}"}
	if got := c.callsOf(link.VerbEvents); !slices.Equal(got, want) {
		t.Errorf("calls: %q, want %q", got, want)
	}
	c.press("esc").sees("Queue")
}

// tab goes round all panes, and enter explains each of them.
func TestEveryPaneHasADetail(t *testing.T) {
	says := []string{"Error 131053", "Messages a minute", "seen by nobody yet", "Arrived a minute", "Opt-outs a minute", "What changed: account"}
	c := newConsole(t, 80, 24, Options{}).live(trouble())
	for i, want := range says {
		c.press("enter").sees(want)
		c.press("esc", "tab")
		if i < len(says)-1 {
			c.seesNot("▸131053")
		}
	}
	c.sees("▸131053") // round
	if _, cmd := newConsole(t, 40, 12, Options{}).live(trouble()).m.Update(keyPress("tab")); cmd == nil {
		t.Error("tab is mute where no panes are drawn")
	}
	// With nothing to explain, enter does nothing.
	c = newConsole(t, 80, 24, Options{}).live(nothingYet())
	for range says {
		c.press("enter", "tab")
	}
	c.sees("No campaign yet")
}
