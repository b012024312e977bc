package pane

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"tickwatch/monitor/link"
)

// Pauses are the pauses that keep a campaign from sending, wholly or from one
// of its numbers, the widest first: of everything, of WhatsApp, of a number, its
// own. Without a campaign only that of everything counts.
func Pauses(s *link.Snapshot, c *link.Campaign) []link.Gate {
	var found []link.Gate
	for _, g := range s.Gates {
		if g.State == link.GatePaused && concerns(&g, c) {
			found = append(found, g)
		}
	}
	slices.SortStableFunc(found, func(a, b link.Gate) int { return cmp.Compare(width(a.Scope), width(b.Scope)) })
	return found
}

func concerns(g *link.Gate, c *link.Campaign) bool {
	switch {
	case g.Scope == link.ScopeAll:
		return true
	case c == nil:
		return false
	case g.Scope == link.ScopeChannel:
		return g.ID == "whatsapp"
	case g.Scope == link.ScopeNumber:
		return slices.Contains(c.Numbers, g.ID)
	}
	return g.Scope == link.ScopeCampaign && g.ID == c.ID
}

// width orders the scopes, the widest first.
func width(scope string) int {
	return slices.Index([]string{link.ScopeAll, link.ScopeChannel, link.ScopeNumber, link.ScopeCampaign}, scope)
}

// wholly gives the widest of a campaign's pauses if they stop it altogether: a
// paused number stops it only when it has no other that sends.
func wholly(c *link.Campaign, pauses []link.Gate) *link.Gate {
	numbers := 0
	for i := range pauses {
		if pauses[i].Scope != link.ScopeNumber {
			return &pauses[i]
		}
		numbers++
	}
	if numbers > 0 && numbers >= len(c.Numbers) {
		return &pauses[0]
	}
	return nil
}

// paused gives the pause that stops a campaign altogether; nil when none does.
func paused(s *link.Snapshot, c *link.Campaign) *link.Gate { return wholly(c, Pauses(s, c)) }

// PausePlace is what a pause pauses, in words.
func PausePlace(s *link.Snapshot, g *link.Gate) string {
	switch g.Scope {
	case link.ScopeAll:
		return "everything"
	case link.ScopeChannel:
		return "all of " + channelName(g.ID)
	case link.ScopeNumber:
		for i := range s.Numbers {
			if n := &s.Numbers[i]; n.ID == g.ID && n.Display != "" {
				return "number " + shortNumber(n.Display)
			}
		}
		return "number " + g.ID
	}
	return "campaign " + campaignName(s, g.ID)
}

func channelName(id string) string {
	switch id {
	case "whatsapp":
		return "WhatsApp"
	case "sms":
		return "SMS"
	}
	return id
}

// pausedBy says who paused, since when, until when if it ends by itself, and why.
func (l Look) pausedBy(g *link.Gate) string {
	var said []string
	if g.By != "" {
		said = append(said, "by "+g.By)
	}
	if !g.Since.IsZero() {
		said = append(said, "since "+l.clock(g.Since))
	}
	if g.OpensAt != nil {
		said = append(said, "until "+l.clock(*g.OpensAt))
	}
	text := strings.Join(said, " ")
	if g.Reason == "" {
		return text
	}
	return strings.TrimPrefix(text+": "+g.Reason, ": ")
}

// PausedWhere says what is paused, by whom, since when and why.
func (l Look) PausedWhere(s *link.Snapshot, g *link.Gate) string {
	return strings.TrimSpace(PausePlace(s, g) + " is paused " + l.pausedBy(g))
}

// headPause says of a pause what the first line has room for. The word before
// it names everything, and the line the campaign: they are not repeated.
func (l Look) headPause(s *link.Snapshot, g *link.Gate, w int) string {
	place := ""
	if g.Scope == link.ScopeNumber || g.Scope == link.ScopeChannel {
		place = PausePlace(s, g) + " "
	}
	if long := place + l.pausedBy(g); ansi.StringWidth(long) <= w || w >= 24 {
		return clip(long, w)
	}
	at := ""
	if !g.Since.IsZero() {
		at = l.clock(g.Since)
	}
	return clip(strings.TrimSpace(place+g.By+" "+at), w)
}

// over tells whether nothing of the campaign will be sent any more.
func over(c *link.Campaign) bool { return c.State == "finished" || c.State == "cancelled" }

// Own tells whether tickwatch itself sends the campaign.
func Own(c *link.Campaign) bool { return c.Origin == "own" }

// goingOut is how many requests of the campaign are on their way, and
// unsent how many messages are not: what is prepared and has not begun is
// as safe as what waits.
func goingOut(c *link.Campaign) (out, unsent int64) {
	out = c.Counts.Claimed
	if c.Sending != nil {
		out = min(out, int64(max(c.Sending.OpenRequests, 0)))
	}
	return out, c.Counts.Waiting + c.Counts.Claimed - out
}

// Unsent is how many messages of the campaign wait, or are prepared and have not
// begun to go out.
func Unsent(c *link.Campaign) int64 {
	_, unsent := goingOut(c)
	return unsent
}

// sendingWord is the state of a campaign that tickwatch sends and that is not paused.
func (l Look) sendingWord(c *link.Campaign) string {
	n, how := &c.Counts, c.Sending
	switch {
	case c.State == "draft":
		return "NOT STARTED"
	case c.State == "ready" && how != nil && how.StartsAt != nil:
		return "STARTS " + l.clock(*how.StartsAt)
	case c.State == "finished":
		return "DONE"
	case c.State != "running" || how == nil:
		return strings.ToUpper(c.State)
	case n.Messages > 0 && n.Waiting+n.SetAside+n.Claimed == 0:
		return "ALL SENT"
	case how.PerSecond > 0:
		return "SENDING " + perSecond(how.PerSecond)
	case how.Held != "":
		return "WAITING"
	}
	return "SENDING"
}

// waitsFor is why nothing of a running campaign goes out, where it is not paused; "" when it does.
func waitsFor(s *link.Snapshot, c *link.Campaign) string {
	if !Own(c) || c.State != "running" || c.Sending == nil || c.Sending.PerSecond > 0 || paused(s, c) != nil {
		return ""
	}
	if out, unsent := goingOut(c); out+unsent+c.Counts.SetAside == 0 {
		return "" // the state says already that all is sent
	}
	return c.Sending.Held
}

// perSecond prints a rate.
func perSecond(rate float64) string {
	if rate < 1 {
		return "<1/s"
	}
	return count(int64(min(rate, 1e9))) + "/s"
}

// paceWords is a pace for people.
func paceWords(pace string) string {
	if pace == "none" {
		return "no limit"
	}
	return pace
}

// paceNote is the pace and the forecast end, short.
func (l Look) paceNote(c *link.Campaign) string {
	how := c.Sending
	if how == nil || how.Pace == "" || over(c) {
		return ""
	}
	if how.EndsAt == nil {
		return paceWords(how.Pace)
	}
	return paceWords(how.Pace) + " to " + l.clock(*how.EndsAt)
}

// sendingLines say how an own campaign goes out: what pauses it or makes it
// wait, how fast it goes, and when it ends.
func (l Look) sendingLines(s *link.Snapshot, c *link.Campaign, w int) []string {
	var lines []string
	add := func(style func(...string) string, text string, depth int) {
		for _, line := range wrap(text, w, depth) {
			lines = append(lines, style(line))
		}
	}
	text, dim := l.Theme.Text.Render, l.Theme.Dim.Render
	for _, g := range Pauses(s, c) {
		add(l.Theme.Strong.Render, upperFirst(l.PausedWhere(s, &g))+".", 2)
	}
	how := c.Sending
	if how == nil || over(c) {
		return lines
	}
	if how.Held != "" && how.PerSecond <= 0 && c.State != "ready" {
		add(l.Theme.Strong.Render, "Nothing goes out just now: "+strings.TrimSuffix(how.Held, ".")+".", 2)
	}
	if how.StartsAt != nil && c.State == "ready" {
		add(text, "It starts at "+l.clock(*how.StartsAt)+".", 1)
	}
	said := ""
	if how.Pace == "none" {
		said = "No pace is set: as fast as the numbers may. "
	} else if how.Pace != "" {
		said = "Pace " + how.Pace + "; + and - change it. "
	}
	if how.EndsAt != nil {
		said += "The last goes out at about " + l.clock(*how.EndsAt) + ". "
	}
	if how.ExpiresAt != nil {
		said += "What still waits at " + l.clock(*how.ExpiresAt) + " is cancelled."
	}
	add(text, strings.TrimSpace(said), 2)
	add(dim, rampWords(how.Ramp), 2)
	return lines
}

// rampWords is how far a start in steps is; "" without one.
func rampWords(r *link.Ramp) string {
	if r == nil || len(r.Shares) == 0 {
		return ""
	}
	steps := make([]string, len(r.Shares))
	for i, share := range r.Shares {
		steps[i] = percent(share, 0)
		if i == r.Step {
			steps[i] += " now"
		}
	}
	return "In steps: " + strings.Join(steps, ", ") + ". It pauses after each for a look; u goes on."
}

// rampNote is the step that is being sent, short.
func rampNote(c *link.Campaign) string {
	if c.Sending == nil || c.Sending.Ramp == nil || over(c) {
		return ""
	}
	r := c.Sending.Ramp
	if r.Step < 0 || r.Step >= len(r.Shares) {
		return ""
	}
	return percent(r.Shares[r.Step], 0) + ", step " + strconv.Itoa(r.Step+1) + " of " + strconv.Itoa(len(r.Shares))
}

func upperFirst(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// Paused tells whether a pause stops a campaign altogether.
func Paused(s *link.Snapshot, c *link.Campaign) bool { return paused(s, c) != nil }
