package ui

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"tickwatch/monitor/link"
)

// clustered is a campaign of our own whose failures have something in common.
func clustered() *link.Snapshot {
	s := sending()
	c := &s.Campaigns[0]
	c.ClustersAt = ptr(sampleNow.UTC())
	c.Clusters = []link.Cluster{
		{
			Attribute: "prefix", Value: "22507", Code: 131026, Sent: 720, Failed: 178, Lift: 7.9, PAdjusted: 1e-80, Explains: 0.71, Sends: 0.09, MainCode: 131026,
			Action: "Set those that still wait aside, then have their numbers checked.", Examples: []link.ClusterExample{{Phone: "+225********70", Code: 131026}},
		},
		{
			Attribute: "minute", Value: "2026-11-20T08:03:00Z/2026-11-20T08:06:00Z", Sent: 300, Failed: 60, Lift: 3, PAdjusted: 0.0004, Explains: 0.2, Sends: 0.04,
			Action: "They failed at one time: see whether it goes on, and pause if it does.",
		},
	}
	return s
}

// asides gives a daemon what it has set aside.
func (d *daemon) asides(n int64, all ...link.Aside) {
	d.answers[link.VerbAsides] = func(json.RawMessage) (any, error) { return link.Asides{Aside: all}, nil }
	d.answers[link.VerbAside] = func(json.RawMessage) (any, error) {
		return link.Asides{Changed: n, Aside: all, Text: "1,240 waiting messages with prefix=22507 are set aside."}, nil
	}
	d.answers[link.VerbAsideEnd] = func(json.RawMessage) (any, error) {
		return link.Asides{Changed: n, Text: "1,240 messages with prefix=22507 wait again."}, nil
	}
}

func TestWhatFailuresHaveInCommon(t *testing.T) {
	c := newConsole(t, 80, 24, Options{}).live(clustered())
	c.sees("+22507…: 71 % of the failures, 9 % of the sends", "a sets aside")
	s := clustered()
	s.Campaigns[0].Clusters = nil
	c.live(s).sees("no common trait")
	c.press("a").sees("The failures have no common trait: there is nothing to set aside.")
	if got := c.callsOf(link.VerbAside); len(got) > 0 {
		t.Errorf("it acts: %q", got)
	}
	s = clustered()
	s.Campaigns[0].Origin = "external"
	c.live(s).seesNot("a sets aside")
	c.press("a").sees("Another system sends autumn")
}

// What stands behind it is read without a key that acts, too: of another system's
// campaign, on a read-only console and in plain text.
func TestFiguresBehindWhatFailuresHaveInCommon(t *testing.T) {
	s := clustered()
	own := &s.Campaigns[0]
	own.Origin, own.Errors = "external", trouble().Campaigns[0].Errors
	own.Clusters[0].Code = own.Errors[0].Code
	newConsole(t, 80, 24, Options{ReadOnly: true}).live(s).press("6", "enter").sees("In common", "178 of 720", "7.9 times the usual share")
	plain := strings.Join(strings.Fields(Plain(s, sampleZone, 80)), " ") // it is wrapped
	for _, figure := range []string{"What they have in common", "178 of 720 failed", "7.9 times the usual share", "under 1 in a million", "+225********70"} {
		if !strings.Contains(plain, figure) {
			t.Errorf("plain text lacks %q:\n%s", figure, plain)
		}
	}
}

// Setting aside shows first what it does; it takes one key more.
func TestSetAside(t *testing.T) {
	c := newConsole(t, 80, 24, Options{})
	c.d.asides(1240)
	c.live(clustered()).press("a")
	c.sees("▸+22507…", "178 of 720 failed with 131026, 7.9", "under 1 in a million", "+225********70", "have their numbers checked.", "enter sets 1,240 waiting messages aside.")
	dry := []string{`{"campaign":"autumn","attribute":"prefix","value":"22507","dry_run":true}`}
	if got := c.callsOf(link.VerbAside); !slices.Equal(got, dry) {
		t.Fatalf("calls: %q", got)
	}
	c.press("down").sees("▸sent 09:03–09:06", "1 in 2,500", "cannot be set aside")
	c.press("enter") // does nothing
	c.press("up", "enter").sees("1,240 waiting messages with prefix=22507 are set aside.")
	got := c.callsOf(link.VerbAside)
	if got = got[len(dry):]; !slices.Contains(got, `{"campaign":"autumn","attribute":"prefix","value":"22507"}`) || slices.ContainsFunc(got, func(s string) bool {
		return s != dry[0] && s != `{"campaign":"autumn","attribute":"prefix","value":"22507"}`
	}) {
		t.Errorf("calls: %q", got)
	}
}

// What is set aside goes out, or is given up, only by the typed word.
func TestReleaseWhatIsSetAside(t *testing.T) {
	c := newConsole(t, 80, 24, Options{})
	c.d.asides(1240, link.Aside{AsideTrait: link.AsideTrait{Attribute: "prefix", Value: "22507"}, Messages: 1240})
	s := clustered()
	s.Campaigns[0].Clusters = s.Campaigns[0].Clusters[:1]
	s.Campaigns[0].Counts.SetAside = 1240
	s.Campaigns[0].Sending.Aside = []link.AsideTrait{{Attribute: "prefix", Value: "22507"}}
	c.live(s).sees("set aside")
	c.press("a", "down").sees("set aside: 1,240 messages", "wait for your word")
	c.press("enter").sees("Nothing was changed: type release")
	c.types("yes").press("enter").sees("Nothing was changed: type release")
	if got := c.callsOf(link.VerbAsideEnd); len(got) > 0 {
		t.Fatalf("released without the word: %q", got)
	}
	c.press("esc", "a", "down").types("cancel").press("enter").sees("wait again.")
	if got := c.callsOf(link.VerbAsideEnd); !slices.Equal(got, []string{`{"campaign":"autumn","attribute":"prefix","value":"22507","cancel":true}`}) {
		t.Errorf("calls: %q", got)
	}
}

// What is set aside does not change its place under a word that is being typed: an
// answer that comes late, to what was selected before, is dropped.
func TestALateCountMovesNothing(t *testing.T) {
	c := newConsole(t, 80, 24, Options{})
	city := link.Aside{AsideTrait: link.AsideTrait{Attribute: "city", Value: "Faro"}, Messages: 10}
	prefix := link.Aside{AsideTrait: link.AsideTrait{Attribute: "prefix", Value: "22507"}, Messages: 9}
	c.d.asides(1240, city, prefix)
	s := clustered()
	s.Campaigns[0].Clusters = s.Campaigns[0].Clusters[:1]
	c.live(s).press("a", "down")
	_, slow := c.m.Update(keyPress("up")) // counts again
	c.m.Update(keyPress("down"))
	c.types("cancel")
	c.d.asides(1240, prefix, city)
	c.m.Update(slow())
	c.press("enter")
	if got := c.callsOf(link.VerbAsideEnd); !slices.Equal(got, []string{`{"campaign":"autumn","attribute":"city","value":"Faro","cancel":true}`}) {
		t.Errorf("calls: %q", got)
	}
}

// On the smallest screen, too, one reads what enter does before one presses it; and
// where nothing can be set aside no key is offered.
func TestAsideIsSaidWhereItWorks(t *testing.T) {
	c := newConsole(t, 40, 12, Options{})
	c.d.asides(1240)
	c.live(clustered()).press("a").sees("enter sets 1,240 waiting messages")
	c = newConsole(t, 80, 24, Options{Mode: ModeReplay})
	c.live(clustered()).seesNot("a sets aside")
	s := clustered()
	s.Campaigns[0].State = "cancelled"
	newConsole(t, 80, 24, Options{}).live(s).seesNot("a sets aside")
	newConsole(t, 80, 24, Options{ReadOnly: true}).live(clustered()).seesNot("a sets aside")
}
