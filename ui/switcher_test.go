package ui

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"tickwatch/monitor/link"
)

// crowded is a daemon that knows so many campaigns; its snapshot carries the
// first twenty.
func crowded(t *testing.T, n int) (*console, []link.Card) {
	s := trouble()
	s.CampaignCount = n
	all := many(n)
	s.Campaigns = nil
	for i := range all[:min(n, link.MaxCampaigns)] {
		s.Campaigns = append(s.Campaigns, campaignOf(&all[i]))
	}
	c := newConsole(t, 80, 24, Options{})
	c.d.answers[link.VerbCampaigns] = func(args json.RawMessage) (any, error) {
		var a link.CampaignsArgs
		if err := json.Unmarshal(args, &a); err != nil {
			return nil, err
		}
		fit := slices.DeleteFunc(slices.Clone(all), func(k link.Card) bool { return !strings.Contains(k.Name, a.Filter) })
		return link.Cards{Campaigns: fit[:min(len(fit), link.MaxCards)], Known: len(fit)}, nil
	}
	c.d.answers[link.VerbStatus] = func(args json.RawMessage) (any, error) {
		var a link.StatusArgs
		if err := json.Unmarshal(args, &a); err != nil {
			return nil, err
		}
		i := slices.IndexFunc(all, func(k link.Card) bool { return k.ID == a.Campaign })
		if i < 0 {
			return nil, &link.Fault{Kind: link.FaultFailed, Text: "no campaign has the id"}
		}
		only := *s
		only.Campaigns = []link.Campaign{campaignOf(&all[i])}
		return only, nil
	}
	return c.live(s), all
}

func campaignOf(k *link.Card) link.Campaign {
	return link.Campaign{
		ID: k.ID, Name: k.Name, Origin: k.Origin, State: k.State, StartedAt: k.StartedAt, Trend: k.Trend,
		Counts: link.Counts{Messages: k.Messages, HandedOver: k.Messages}, First30: link.First30{Verdict: k.Verdict, Settled: k.Settled},
	}
}

// Trouble comes first, whatever the number of campaigns, and each can be reached.
func TestSwitcherOrder(t *testing.T) {
	for _, n := range []int{1, 3, 20, 200} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			c, all := crowded(t, n)
			c.press("c")
			got := c.m.choices()
			if len(got) != len(all) {
				t.Fatalf("%d of %d can be chosen", len(got), len(all))
			}
			if !slices.IsSortedFunc(got, func(a, b link.Card) int { return urgency(b) - urgency(a) }) {
				t.Error("not sorted by how much they need looking at")
			}
			if n == 200 && (got[0].Verdict != link.VerdictAct || got[0].State != "running") {
				t.Errorf("the first one is %+v", got[0])
			}
			// The way down ends at the last one, and enter shows it.
			for range n {
				c.press("down")
			}
			last := got[len(got)-1]
			c.sees(last.Name)
			c.press("enter")
			c.sees(" "+last.Name, "Queue")
		})
	}
}

// A campaign that snapshots have no room for stays on the screen, is asked for
// again, and gives way when another one is chosen.
func TestACampaignBeyondTheSnapshot(t *testing.T) {
	c, _ := crowded(t, 200)
	now := sampleNow
	c.m.opt.Now = func() time.Time { return now }
	c.press("c")
	for _, k := range "y_150" {
		c.press(string(k))
	}
	c.sees("Name has: y_150", "▸OK       weekly_150")
	c.press("enter").sees(" weekly_150", "FINISHED", "21 of 200")
	next := *c.m.base
	next.Rev++
	now = now.Add(time.Second)
	c.live(&next).sees(" weekly_150")
	now = now.Add(2 * time.Second)
	again := next
	again.Rev++
	c.live(&again).sees(" weekly_150")
	if got := c.callsOf(link.VerbStatus); len(got) != 2 || got[0] != `{"campaign":"c150"}` {
		t.Errorf("asked for it by %q, want twice: not with every snapshot", got)
	}
	// What the keys act on is this campaign.
	if id := c.m.raw.Campaigns[c.m.current()].ID; id != "c150" {
		t.Errorf("the campaign of the keys is %s", id)
	}
	c.press("]").seesNot(" weekly_150")
	last := again
	last.Rev++
	c.live(&last)
	if len(c.m.raw.Campaigns) != link.MaxCampaigns || c.m.guest.campaign != nil {
		t.Error("the guest has not gone")
	}
	// One that the daemon does not know any more is said so.
	c.d.answers[link.VerbStatus] = func(json.RawMessage) (any, error) {
		return nil, &link.Fault{Kind: link.FaultFailed, Text: "no campaign has the id"}
	}
	c.press("c")
	c.m.Update(tea.PasteMsg{Content: "weekly_150"})
	_, cmd := c.m.Update(keyPress("enter"))
	c.m.Update(cmd())
	c.sees("Not shown: no campaign has the id")
}

// The filter searches what is here, and asks the daemon only for what is not.
func TestSwitcherFilter(t *testing.T) {
	c, _ := crowded(t, 30)
	c.press("c", "W", "_", "0", "1").sees("No campaign has that")
	c.press("esc", "c")
	for _, k := range "KLY_01" { // in either case
		c.press(string(k))
	}
	if got := c.m.choices(); len(got) != 10 {
		t.Errorf("%d fit, want 10", len(got))
	}
	if n := len(c.callsOf(link.VerbCampaigns)); n != 2 {
		t.Errorf("the daemon was asked %d times, once for each opening is enough", n)
	}
	c.press("q", "n").sees("KLY_01qn") // letters are text here
	c.press("esc").sees("Queue")

	c, _ = crowded(t, 400)
	c.press("c").sees("the latest 200 of 400, type to find others")
	for _, k := range "_33" {
		c.press(string(k))
	}
	if got := c.m.choices(); len(got) != 10 {
		t.Errorf("%d of those that were beyond the list fit, want 10", len(got))
	}
	c.sees("weekly_339", "trouble first")
}
