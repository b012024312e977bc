package pane

import (
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
// whatever the width; the names give way first. Of a pause it says who paused,
// since when and why, and of a campaign that waits what for.
func Header(l Look, s *link.Snapshot, selected int, connected bool, w int) string {
	live, age := l.live(s, connected)
	if w >= 50 {
		live += age // a narrow screen keeps the word alone
	}
	if selected < 0 || selected >= len(s.Campaigns) {
		return l.headWithout(s, live, w)
	}
	c := &s.Campaigns[selected]
	title, state := " "+l.Theme.Strong.Render(titleOf(s, c)), l.state(s, c)
	if g := paused(s, c); g != nil && g.Scope == link.ScopeAll && over(c) {
		state += "  " + l.Theme.Paused.Render(" ALL PAUSED ")
	}
	var extras []string
	if t := l.elapsed(c); t != "" && w >= 50 {
		extras = append(extras, t)
	}
	if all := max(len(s.Campaigns), s.CampaignCount); all > 1 && w >= 70 {
		extras = append(extras, l.Theme.Dim.Render(strconv.Itoa(selected+1)+" of "+strconv.Itoa(all)))
	}
	room := w - ansi.StringWidth(state) - ansi.StringWidth(live) - 5
	if why := l.headWhy(s, c, room-min(ansi.StringWidth(title), max(room/3, 8))-2); why != "" {
		gap := "  "
		if paused(s, c) != nil || c.State == "paused" { // the block brings a blank of its own
			gap = " "
		}
		state += gap + why
		room -= ansi.StringWidth(gap + why)
		title = clip(title, room)
		for _, extra := range extras { // as far as there is room left
			if need := ansi.StringWidth(extra) + 2; ansi.StringWidth(title)+need <= room {
				state += "  " + extra
				room -= need
			}
		}
		return row(title+"  "+state, live+" ", w)
	}
	if c.Template != nil && w >= 60 {
		title += l.Theme.Dim.Render(" ▸ " + c.Template.Name + "/" + c.Template.Language)
	}
	for _, extra := range extras {
		state += "  " + extra
		room -= ansi.StringWidth(extra) + 2
	}
	return row(clip(title, max(room, 0))+"  "+state, live+" ", w)
}

// headWithout is the first line where no campaign is.
func (l Look) headWithout(s *link.Snapshot, live string, w int) string {
	title := " " + l.Theme.Strong.Render("tickwatch")
	if all := Pauses(s, nil); len(all) > 0 {
		title += "  " + l.Theme.Paused.Render(" ALL PAUSED ")
		title += " " + l.headPause(s, &all[0], max(w-ansi.StringWidth(title+live)-3, 0))
	}
	return row(title, live+" ", w)
}

// headWhy is why the campaign does not send, as far as there is room.
func (l Look) headWhy(s *link.Snapshot, c *link.Campaign, w int) string {
	if w < 5 {
		return ""
	}
	if g := paused(s, c); g != nil && (c.State == "paused" || !over(c) && (Own(c) || c.State == "running")) {
		return l.Theme.Text.Render(l.headPause(s, g, w))
	}
	if c.State == "paused" && c.Sending != nil { // by no pause that the snapshot tells of
		return l.Theme.Text.Render(clip(c.Sending.Held, w))
	}
	return l.Theme.Text.Render(clip(waitsFor(s, c), w))
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

// state is the campaign's state as a word or two, PAUSED reversed.
func (l Look) state(s *link.Snapshot, c *link.Campaign) string {
	g := paused(s, c)
	switch {
	case c.State == "paused", g != nil && Own(c) && !over(c):
		word := " PAUSED "
		if g != nil && g.Scope == link.ScopeAll {
			word = " ALL PAUSED "
		}
		return l.Theme.Paused.Render(word)
	case g != nil && c.State == "running":
		return l.Theme.Watch.Render(" PAUSE UNCONFIRMED ") // another system sends, and has not said that it stopped
	case c.State == "":
		return l.Theme.Dim.Render(notKnown)
	case Own(c):
		return l.Theme.Strong.Render(l.sendingWord(c))
	}
	return l.Theme.Strong.Render(strings.ToUpper(c.State))
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
