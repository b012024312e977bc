package pane

import (
	"tickwatch/monitor/link"
	"tickwatch/ui/chart"
)

// Queue says where the campaign's messages stand: those that are not with Meta
// yet, then what became of the others, as a heat map. A line that counts nothing
// is left out, except for the few that are always asked for; where there are
// more lines than rows the least asked for go.
func Queue(l Look, c *link.Campaign, focused bool, w, h int) string {
	inner, rows := max(w-4, 0), max(h-2, 0)
	lines := l.queueLines(c, inner)
	if c.Origin == "own" {
		return l.box("Queue", "", texts(lines, rows), w, h, focused)
	}
	if len(lines)+2 <= rows {
		if pace := lastMinute(c.Trend); pace != "" {
			lines = append(lines, ranked{9, ""}, ranked{9, l.Theme.Dim.Render(pace)})
		}
	}
	return l.box("Queue", "sent elsewhere", texts(lines, rows), w, h, focused)
}

// texts keeps the n lines of the lowest rank numbers, in their order.
func texts(lines []ranked, n int) []string {
	kept := foremost(lines, n)
	for i := range kept {
		kept[i] = kept[i][1:] // without the margin of the compact screen
	}
	return kept
}

func (l Look) queueLines(c *link.Campaign, w int) []ranked {
	n := &c.Counts
	var lines []ranked
	count := func(rank int, label string, v int64, always bool) {
		if v != 0 || always {
			lines = append(lines, ranked{rank, row(l.Theme.Dim.Render(label), l.Theme.Text.Render(count(v)), w)})
		}
	}
	count(0, "waiting", n.Waiting, c.Origin == "own")
	count(1, "may have gone out", n.Unknown, false)
	count(2, "set aside", n.SetAside, false)
	count(5, "being sent", n.Claimed, false)
	count(3, "waiting for Meta", n.Paced, false)
	for _, b := range branches(c) {
		lines = append(lines, ranked{b.rank, l.heatRow(b, n.HandedOver, w)})
	}
	count(6, "refused at once", n.Refused, false)
	count(7, "cancelled", n.Cancelled, false)
	count(7, "no answer yet", n.InFlight, true)
	return lines
}

// branch is a place on a message's way, with how many have come so far.
type branch struct {
	rank  int // of its row in a small pane
	label string
	count int64
	says  string // what it counts, in the detail
}

// branches are the ways of the messages that Meta has; fallback is among them
// once there is any.
func branches(c *link.Campaign) []branch {
	n, f := &c.Counts, &c.Fallback
	all := []branch{
		{1, "with Meta", n.HandedOver, "Meta has them"},
		{4, "sent", n.Sent, "one tick: on their way, or further"},
		{1, "arrived", n.Delivered, "two ticks: on the phone"},
		{3, "read", n.Read, "two blue ticks, where people show them"},
		{1, "failed", n.Failed, "Meta gave up, see Errors"},
	}
	if sum := f.Accepted + f.Delivered + f.Failed + f.Unknown + f.Waiting; sum > 0 {
		all = append(all, branch{2, "fallback", f.Accepted, "sent again over another channel"})
	}
	return all
}

// heatCells is how wide the heat of a branch is.
const heatCells = 4

// heatRow is a branch: its name, the shade of its share of the messages with
// Meta, and the count.
func (l Look) heatRow(b branch, of int64, w int) string {
	const label = 9
	share := 0.0
	if of > 0 {
		share = float64(b.count) / float64(of)
	}
	number := l.Theme.Text.Render(count(b.count))
	if w < label+heatCells+7 {
		return row(l.Theme.Dim.Render(b.label), number, w)
	}
	left := l.Theme.Dim.Render(fit(b.label, label)) + " " + l.Theme.Chart.Render(chart.Heat(share, heatCells))
	if w >= label+heatCells+16 && of > 0 {
		left += l.Theme.Dim.Render(right(percent(share, 0), 7))
	}
	return row(left, number, w)
}

// lastMinute is how many messages the last whole minute brought.
func lastMinute(trend []link.Minute) string {
	if len(trend) < 2 {
		return ""
	}
	return count(trend[len(trend)-2].Messages) + " in the last minute"
}

// QueueDetail shows every count on a message's way, what it means, and how many
// messages each minute brought.
func QueueDetail(l Look, c *link.Campaign, w, h int) string {
	inner, rows := max(w-4, 0), max(h-2, 0)
	n := &c.Counts
	var lines []string
	add := func(label string, v int64, says string) {
		lines = append(lines, l.Theme.Dim.Render(fit(label, 18))+l.Theme.Text.Render(right(count(v), 9))+l.Theme.Dim.Render("  "+says))
	}
	if c.Origin == "own" || n.Waiting > 0 {
		add("waiting", n.Waiting, "not sent yet")
	}
	for _, other := range []branch{
		{0, "may have gone out", n.Unknown, "sent without an answer; never sent again by itself"},
		{0, "set aside", n.SetAside, "on hold with their group"},
		{0, "being sent", n.Claimed, ""},
		{0, "cancelled", n.Cancelled, ""},
		{0, "refused at once", n.Refused, "Meta did not take them"},
		{0, "waiting for Meta", n.Paced, "Meta watches the template's quality first"},
	} {
		if other.count > 0 {
			add(other.label, other.count, other.says)
		}
	}
	for _, b := range branches(c) {
		share := 0.0
		if n.HandedOver > 0 {
			share = float64(b.count) / float64(n.HandedOver)
		}
		lines = append(lines, l.Theme.Dim.Render(fit(b.label, 10))+l.Theme.Chart.Render(chart.Heat(share, 7))+
			l.Theme.Text.Render(right(count(b.count), 10))+l.Theme.Dim.Render(right(percent(share, 0), 7)+"  "+b.says))
	}
	add("no answer yet", n.InFlight, "no news but sent; most arrive within a minute")
	lines = append(lines, "")
	lines = append(lines, l.charts(inner, rows-len(lines),
		countTrend("Messages a minute, by the minute they were sent in", c.Trend, perMinute(c.Trend, func(m *link.Minute) int64 { return m.Messages })))...)
	note := "sent by another system"
	if c.Origin == "own" {
		note = ""
	}
	return l.box("Queue", note, lines, w, h, true)
}
