package pane

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"tickwatch/monitor/link"
)

// firstSpan is the time in which a campaign is judged.
const firstSpan = 30 * time.Minute

// Header is the first line: which campaign, its state, the minute it is in, and
// whether what is shown is live. The state and LIVE or STALE are kept whole
// whatever the width; the names give way first.
func Header(l Look, s *link.Snapshot, selected int, connected bool, w int) string {
	live, age := l.live(s, connected)
	if w >= 50 {
		live += age // a narrow screen keeps the word alone
	}
	if selected < 0 || selected >= len(s.Campaigns) {
		return row(" "+l.Theme.Strong.Render("tickwatch"), live+" ", w)
	}
	c := &s.Campaigns[selected]
	state := l.state(s, c)
	title := " " + l.Theme.Strong.Render(name(c))
	if c.Template != nil && w >= 60 {
		title += l.Theme.Dim.Render(" ▸ " + c.Template.Name + "/" + c.Template.Language)
	}
	extra := ""
	if t := l.elapsed(c); t != "" && w >= 50 {
		extra = "  " + t
	}
	if all := max(len(s.Campaigns), s.CampaignCount); all > 1 && w >= 70 {
		extra += l.Theme.Dim.Render("  " + strconv.Itoa(selected+1) + " of " + strconv.Itoa(all))
	}
	fixed := ansi.StringWidth(state) + ansi.StringWidth(extra) + ansi.StringWidth(live) + 5
	title = clip(title, max(w-fixed, 0))
	return row(title+"  "+state+extra, live+" ", w)
}

// Connecting is the first line before anything is known.
func Connecting(l Look, w int) string {
	return row(" "+l.Theme.Strong.Render("tickwatch"), l.Theme.Dim.Render("connecting… "), w)
}

// live says whether the figures are, and how old.
func (l Look) live(s *link.Snapshot, connected bool) (word, age string) {
	since := l.Now.Sub(s.At)
	if connected && l.Replay {
		return l.Theme.Watch.Render("REPLAY"), l.Theme.Dim.Render(" " + l.local(s.At).Format("Jan _2"))
	}
	if connected {
		return l.Theme.OK.Render("LIVE"), l.Theme.Dim.Render(" " + ago(since))
	}
	return l.Theme.Paused.Render(" STALE "), l.Theme.Text.Render(" " + span(since) + " old")
}

// state is the campaign's state as one word, PAUSED reversed.
func (l Look) state(s *link.Snapshot, c *link.Campaign) string {
	gate := closedGate(s, c)
	switch {
	case c.State == "paused", gate != nil && c.Origin == "own" && c.State != "finished" && c.State != "cancelled":
		word := " PAUSED "
		if gate != nil && gate.Scope == "all" {
			word = " ALL PAUSED "
		}
		return l.Theme.Paused.Render(word)
	case gate != nil && c.State == "running":
		return l.Theme.Watch.Render(" PAUSE ASKED ") // the other system has not confirmed it
	case c.State == "":
		return l.Theme.Dim.Render(notKnown)
	}
	return l.Theme.Strong.Render(strings.ToUpper(c.State))
}

// closedGate gives the gate that keeps the campaign from sending, the widest
// one first; nil when all of its gates are open.
func closedGate(s *link.Snapshot, c *link.Campaign) *link.Gate {
	var found *link.Gate
	for i := range s.Gates {
		g := &s.Gates[i]
		if g.State != "paused" {
			continue
		}
		switch g.Scope {
		case "all":
			return g
		case "channel":
			if g.ID == "whatsapp" {
				found = g
			}
		case "number":
			// One closed number stops the campaign only when it has no other.
			if len(c.Numbers) == 1 && slices.Contains(c.Numbers, g.ID) {
				found = g
			}
		case "campaign":
			if g.ID == c.ID {
				found = g
			}
		}
	}
	return found
}

// elapsed is how far the first thirty minutes are.
func (l Look) elapsed(c *link.Campaign) string {
	from := c.First30.From
	if from == nil {
		from = c.StartedAt
	}
	switch {
	case c.First30.Closed:
		return l.Theme.Dim.Render("first 30 min final")
	case from == nil:
		return ""
	}
	past := l.Now.Sub(*from)
	if past >= firstSpan {
		return l.Theme.Dim.Render("first 30 min over")
	}
	return l.Theme.Text.Render(minutes(past)) + l.Theme.Dim.Render(" of 30:00")
}
