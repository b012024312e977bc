package pane

import "tickwatch/monitor/link"

// mostTitle bounds a window's title, in cells.
const mostTitle = 60

// Title names the terminal's window: the worst that there is to know in one word,
// and whom it is about. It is read in a row of tabs.
func Title(s *link.Snapshot, selected int, connected, replay bool) string {
	if s == nil {
		return "tickwatch"
	}
	var c *link.Campaign
	name := "tickwatch"
	if selected >= 0 && selected < len(s.Campaigns) {
		c = &s.Campaigns[selected]
		name = titleOf(s, c)
	}
	act := worstAct(s, c)
	switch {
	case replay:
		name = "REPLAY " + name
	case !connected:
		name = "NO LINK " + name
	case paused(s, c) != nil:
		name = "PAUSED " + name
	case act == nil:
	case act.Campaign == "" && c == nil:
		name = "ACT " + titleWord(act.Kind)
	case act.Campaign == "":
		name = "ACT " + titleWord(act.Kind) + ", " + name
	default:
		name = "ACT " + campaignName(s, act.Campaign)
	}
	return clip(name, mostTitle)
}

// titleWord is what an alarm of no campaign is about.
func titleWord(kind string) string {
	switch kind {
	case "host":
		return "this machine"
	case "feed", "callbacks":
		return "webhooks"
	}
	return kind
}

// worstAct is the open alarm to act on that a title speaks of: of this campaign, else
// the first; nil when there is none, or all are kept quiet.
func worstAct(s *link.Snapshot, c *link.Campaign) (act *link.Alarm) {
	for i := range s.Alarms {
		a := &s.Alarms[i]
		if !a.Open() || a.Severity != link.VerdictAct || a.SnoozedBy != "" {
			continue
		}
		if c != nil && a.Campaign == c.ID {
			return a
		}
		if act == nil {
			act = a
		}
	}
	return act
}
