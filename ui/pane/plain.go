package pane

import (
	"strconv"
	"strings"
	"time"

	"tickwatch/monitor/link"
)

// Plain says in lines of text, without any styling, what the panes show: the
// open alarms first, then each campaign, then feed and host. Campaigns that are
// over take one line.
func Plain(s *link.Snapshot, zone *time.Location) []string {
	l := Look{Zone: zone, Now: s.At}
	lines := []string{"tickwatch status at " + l.local(s.At).Format("2006-01-02 15:04:05 MST"), ""}
	for i := range s.Alarms {
		if a := &s.Alarms[i]; a.Open() {
			where := ""
			if a.Campaign != "" {
				where = campaignName(s, a.Campaign) + ": "
			}
			lines = append(lines, plainVerdict(a.Severity)+" since "+l.clock(a.RaisedAt)+" ("+a.ID+"): "+where+l.alarmText(a))
		}
	}
	if openAlarms(s.Alarms) == 0 {
		lines = append(lines, "No open alarm.")
	}
	for i := range s.Campaigns {
		c := &s.Campaigns[i]
		lines = append(lines, "", l.plainHead(s, c))
		if i == 0 || c.State == "running" || c.State == "paused" {
			lines = append(lines, plainCampaign(c)...)
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
	head := name(c)
	if c.Template != nil {
		head += " (" + c.Template.Name + "/" + c.Template.Language + ")"
	}
	head += ", " + plainState(s, c)
	if c.StartedAt != nil {
		head += ", started " + l.clock(*c.StartedAt)
	}
	return head
}

func plainCampaign(c *link.Campaign) []string {
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

func plainState(s *link.Snapshot, c *link.Campaign) string {
	if g := closedGate(s, c); g != nil && c.State == "running" {
		if c.Origin == "own" {
			return "PAUSED"
		}
		return "pause asked, not confirmed"
	}
	if c.State == "" {
		return notKnown
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
	text += "; " + count(f.Posts) + " webhooks, " + count(f.Updates) + " updates, " + count(f.NotUnderstood) + " not understood, " + count(f.Refused) + " refused."
	if s.Host.DiskFreeBytes != nil {
		text += " Disk " + bytesFree(*s.Host.DiskFreeBytes) + " free."
	}
	return text
}
