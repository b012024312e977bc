package pane

import (
	"strconv"
	"strings"
	"time"

	"tickwatch/monitor/link"
)

// Plain says in lines of text, without any styling, what the panes show: the
// pauses of more than one campaign and the open alarms first, then each campaign, then feed and host. Campaigns that are
// over take one line.
func Plain(s *link.Snapshot, zone *time.Location) []string {
	l := Look{Zone: zone, Now: s.At}
	lines := []string{"tickwatch status at " + l.local(s.At).Format("2006-01-02 15:04:05 MST"), ""}
	for i := range s.Gates {
		if g := &s.Gates[i]; g.State == link.GatePaused && g.Scope != link.ScopeCampaign {
			lines = append(lines, upperFirst(l.PausedWhere(s, g))+".")
		}
	}
	for i := range s.Alarms {
		if a := &s.Alarms[i]; a.Open() {
			where := ""
			if a.Campaign != "" {
				where = campaignName(s, a.Campaign) + ": "
			}
			known := a.ID
			if a.SnoozedBy != "" {
				known += ", " + l.quietWords(a)
			}
			lines = append(lines, plainVerdict(a.Severity)+" since "+l.clock(a.RaisedAt)+" ("+known+"): "+where+l.alarmText(a))
			if now := a.WhatNow(); now != "" {
				lines = append(lines, "  "+now)
			}
		}
	}
	if openAlarms(s.Alarms) == 0 {
		lines = append(lines, "No open alarm.")
	}
	for i := range s.Campaigns {
		c := &s.Campaigns[i]
		lines = append(lines, "", l.plainHead(s, c))
		if i == 0 || c.State == "running" || c.State == "paused" || c.State == "ready" {
			lines = append(lines, l.plainQueue(s, c)...)
			lines = append(lines, l.plainCampaign(c)...)
		} else {
			lines[len(lines)-1] += ": " + plainVerdict(c.First30.Verdict) + ", " + plainSettled(&c.First30)
		}
	}
	if len(s.Campaigns) == 0 {
		lines = append(lines, "", "No campaign yet: it appears with the first message status that Meta reports.")
	}
	return append(lines, "", l.plainFeed(s))
}

func (l Look) plainHead(s *link.Snapshot, c *link.Campaign) string {
	head := titleOf(s, c)
	if c.Template != nil {
		head += " (" + c.Template.Name + "/" + c.Template.Language + ")"
	}
	state, started := ", "+l.plainState(s, c), ""
	if c.StartedAt != nil {
		started = ", started " + l.clock(*c.StartedAt)
	}
	if paused(s, c) != nil { // why comes last: its text is free
		return head + started + state
	}
	return head + state + started
}

// plainQueue says where the messages of a campaign that tickwatch sends stand.
func (l Look) plainQueue(s *link.Snapshot, c *link.Campaign) []string {
	if !Own(c) {
		return nil
	}
	n := &c.Counts
	out, unsent := goingOut(c)
	parts := []string{"waiting " + count(unsent)}
	for _, p := range []branch{
		{label: "going out now", count: out},
		{label: "may have gone out", count: n.Unknown},
		{label: "set aside", count: n.SetAside},
		{label: "refused at once", count: n.Refused},
		{label: "cancelled", count: n.Cancelled},
	} {
		if p.count > 0 {
			parts = append(parts, p.label+" "+count(p.count))
		}
	}
	parts = append(parts, "with Meta "+count(n.HandedOver))
	lines := []string{"  Queue: " + strings.Join(parts, ", ")}
	if pace := l.paceNote(c); pace != "" {
		lines = append(lines, "    pace "+pace)
	}
	if why := waitsFor(s, c); why != "" {
		lines = append(lines, "    nothing goes out just now: "+why)
	}
	if own := l.seeds(c); own != "" {
		lines = append(lines, "    "+own)
	}
	if n.Unknown > 0 {
		lines = append(lines, "    "+doubtful(c), "    "+resolveCommand(c))
	}
	return lines
}

func (l Look) plainCampaign(c *link.Campaign) []string {
	f := &c.First30
	lines := []string{
		"  Delivered, first 30 min: " + plainVerdict(f.Verdict) + ", " + plainSettled(f),
		"    failed " + count(f.Failed) + ", Meta chose not to deliver " + count(f.Withheld) + ", no answer yet " + count(f.InFlight),
	}
	if f.Reason != "" && f.Verdict != link.VerdictOK {
		lines = append(lines, "    "+f.Reason)
	}
	rate := "too early to say"
	if c.Reports.Rate != nil {
		rate = optOutRate(c.Reports.Rate) + " opted out"
	}
	lines = append(lines, "  Reports, a proxy: "+plainVerdict(c.Reports.Verdict)+", "+rate+" ("+count(c.Reports.OptOuts)+"), past refusers "+count(c.Reports.Refusers))
	for _, f := range l.typed(&c.Reports) {
		lines = append(lines, "    "+f.figure+", typed by "+f.who)
	}
	lines = append(lines, l.plainPeople(c.Engagement)...)
	if len(c.Errors) > 0 {
		lines = append(lines, "  Errors")
	}
	const causes = 5
	for i := range c.Errors[:min(len(c.Errors), causes)] {
		e := &c.Errors[i]
		helps := ""
		if e.Hint != "" {
			helps = ": " + e.Hint
		}
		lines = append(lines, "    "+strconv.Itoa(e.Code)+" "+e.Title+", "+count(e.Count)+" ("+percent(e.Share, 0)+")"+helps)
	}
	return append(lines, l.plainInCommon(c)...)
}

// plainInCommon says what the failures have in common, and what helps.
func (l Look) plainInCommon(c *link.Campaign) (lines []string) {
	for i := range c.Clusters {
		k := &c.Clusters[i]
		lines = append(lines, "    "+l.clusterFacts(k), "      "+clusterFigures(k))
		if people := clusterExamples(k); people != "" {
			lines = append(lines, "      "+people)
		}
		lines = append(lines, "      "+k.Action)
	}
	if says := nothingInCommon(c); says != "" && len(c.Clusters) == 0 {
		lines = append(lines, "    "+says)
	}
	if len(lines) > 0 {
		lines = append([]string{"  What they have in common"}, lines...)
	}
	return lines
}

func plainSettled(f *link.First30) string {
	if f.Settled == nil {
		return "too early to say"
	}
	return percent(*f.Settled, 1) + " arrived, of those decided (" + count(f.Delivered+f.Failed) + ")"
}

func plainVerdict(verdict string) string {
	if verdict == "" {
		verdict = link.VerdictUnsure
	}
	return strings.ToUpper(verdict)
}

func (l Look) plainState(s *link.Snapshot, c *link.Campaign) string {
	g := paused(s, c)
	switch {
	case c.State == "paused", g != nil && Own(c) && !over(c):
		if g == nil {
			return "PAUSED"
		}
		return strings.TrimSpace("PAUSED " + l.headPause(s, g, 1<<10))
	case g != nil && c.State == "running":
		return "pause asked, not confirmed"
	case c.State == "":
		return notKnown
	case Own(c):
		return l.sendingWord(c)
	}
	return strings.ToUpper(c.State)
}

func (l Look) plainFeed(s *link.Snapshot) string {
	f := &s.Feed
	state := f.State
	if state == "" {
		state = notKnown
	}
	text := "Feed " + state
	if f.LastEventAt != nil {
		text += ", last news " + ago(l.Now.Sub(*f.LastEventAt))
	}
	text += "; " + things(f.Posts, "webhook", "webhooks") + ", " + things(f.Updates, "update", "updates") + ", " + count(f.NotUnderstood) + " not understood, " + count(f.Refused) + " refused."
	if s.Host.DiskFreeBytes != nil {
		text += " Disk " + bytesFree(*s.Host.DiskFreeBytes) + " free."
	}
	return text
}

// OneLine is a campaign's state in one line of plain text, to hand on to others.
func OneLine(l Look, s *link.Snapshot, c *link.Campaign, connected bool) string {
	f, n := &c.First30, &c.Counts
	failed := "failed " + count(n.Failed)
	if len(c.Errors) > 0 {
		failed += ", most " + strconv.Itoa(c.Errors[0].Code) + " " + c.Errors[0].Title
	}
	stand := "with Meta " + count(n.HandedOver)
	if n.Unknown > 0 {
		stand = "may have gone out " + count(n.Unknown) + ", " + stand
	}
	if Own(c) {
		_, unsent := goingOut(c)
		stand = "waiting " + count(unsent) + ", " + stand
	}
	at := l.local(s.At).Format("2 Jan 15:04 MST")
	if !connected {
		at += ", not live"
	}
	return strings.Join([]string{titleOf(s, c) + " " + l.plainState(s, c), plainVerdict(f.Verdict) + " " + plainSettled(f), failed, stand, at}, " | ")
}
