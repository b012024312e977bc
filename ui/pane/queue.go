package pane

import (
	"tickwatch/monitor/link"
)

// Queue says where the campaign's messages stand on their way to Meta. A line
// that counts nothing is left out, except for the few that are always asked for.
func Queue(l Look, c *link.Campaign, w, h int) string {
	n := &c.Counts
	inner := w - 4
	var lines []string
	add := func(label string, v int64, always bool) {
		if v != 0 || always {
			lines = append(lines, row(l.Theme.Dim.Render(label), l.Theme.Text.Render(count(v)), inner))
		}
	}
	own := c.Origin == "own"
	add("waiting", n.Waiting, own)
	add("may have gone out", n.Unknown, false)
	add("set aside", n.SetAside, false)
	add("being sent", n.Claimed, false)
	add("already with Meta", n.HandedOver, true)
	add("no answer yet", n.InFlight, true)
	add("waiting for Meta", n.Paced, false)
	add("refused at once", n.Refused, false)
	add("cancelled", n.Cancelled, false)
	if !own {
		lines = append(lines, l.Theme.Dim.Render("sent by another system"))
	}
	if h-2 > len(lines)+1 {
		if pace := lastMinute(c.Trend); pace != "" {
			lines = append(lines, "", l.Theme.Dim.Render(pace))
		}
	}
	return l.box("Queue", "", lines, w, h, false)
}

// lastMinute is how many messages the last whole minute brought.
func lastMinute(trend []link.Minute) string {
	if len(trend) < 2 {
		return ""
	}
	return count(trend[len(trend)-2].Messages) + " in the last minute"
}
