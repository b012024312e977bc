package pane

import (
	"strings"

	"tickwatch/monitor/link"
	"tickwatch/ui/chart"
)

// Queue says where the campaign's messages stand: those that are not with Meta
// yet, then what became of the others, as a heat map. A line that counts nothing
// is left out, except for the few that are always asked for; where there are
// more lines than rows the least asked for go. Of a campaign that tickwatch
// sends it gives pace and forecast end, and what it waits for.
func Queue(l Look, s *link.Snapshot, c *link.Campaign, focused bool, w, h int) string {
	inner, rows := max(w-4, 0), max(h-2, 0)
	lines := l.queueLines(s, c, inner)
	if Own(c) {
		return l.box("Queue", l.paceNote(c), texts(lines, rows), w, h, focused)
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

func (l Look) queueLines(s *link.Snapshot, c *link.Campaign, w int) []ranked {
	n := &c.Counts
	var lines []ranked
	count := func(rank int, label string, v int64, always bool) {
		if v != 0 || always {
			lines = append(lines, ranked{rank, row(l.Theme.Dim.Render(label), l.Theme.Text.Render(count(v)), w)})
		}
	}
	for _, why := range wrap(waitsFor(s, c), w, 2) {
		lines = append(lines, ranked{0, l.Theme.Strong.Render(why)})
	}
	out, unsent := goingOut(c)
	count(0, "waiting", unsent, Own(c))
	count(2, "going out now", out, false)
	count(1, "may have gone out", n.Unknown, false)
	count(2, "set aside", n.SetAside, false)
	count(3, "waiting for Meta", n.Paced, false)
	for _, b := range branches(c) {
		if Own(c) && b.label == "failed" {
			b.rank = 2 // what is going out is less known than what Delivered says too
		}
		lines = append(lines, ranked{b.rank, l.heatRow(b, n.HandedOver, w)})
	}
	count(6, "refused at once", n.Refused, false)
	count(6, "cancelled", n.Cancelled, false)
	count(7, "no answer yet", n.InFlight, true)
	if step := rampNote(c); step != "" {
		lines = append(lines, ranked{8, row(l.Theme.Dim.Render("ramp"), l.Theme.Text.Render(step), w)})
	}
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
		all = append(all, branch{1, "fallback", f.Accepted, "sent again over another channel"})
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
// messages each minute brought; of a campaign that tickwatch sends also how it
// goes out, and what to do about messages that may have gone out.
func QueueDetail(l Look, s *link.Snapshot, c *link.Campaign, w, h int) string {
	inner, rows := max(w-4, 0), max(h-2, 0)
	n := &c.Counts
	var lines []string
	note := "sent by another system"
	if Own(c) {
		note = l.paceNote(c)
		if lines = l.sendingLines(s, c, inner); len(lines) > 0 && h >= 18 {
			lines = append(lines, "")
		}
	}
	add := func(label string, v int64, says string) {
		lines = append(lines, l.Theme.Dim.Render(fit(label, 18))+l.Theme.Text.Render(right(count(v), 9))+l.Theme.Dim.Render("  "+says))
	}
	out, unsent := goingOut(c)
	if Own(c) || unsent > 0 {
		add("waiting", unsent, "not sent yet")
	}
	for _, other := range []branch{
		{0, "going out now", out, "on their way to Meta"},
		{0, "may have gone out", n.Unknown, "no answer came; never sent again by itself"},
		{0, "set aside", n.SetAside, "wait for your word, see a"},
		{0, "cancelled", n.Cancelled, "will not be sent"},
		{0, "refused at once", n.Refused, "Meta did not take them, see Errors"},
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
	for _, line := range wrap(l.seeds(c), inner, 2) {
		lines = append(lines, l.Theme.Text.Render(line))
	}
	if c.Sending != nil && len(c.Sending.Aside) > 0 {
		var names []string
		for _, t := range c.Sending.Aside {
			names = append(names, l.trait(&link.Cluster{Attribute: t.Attribute, Value: t.Value}))
		}
		for _, line := range wrap("Set aside: "+strings.Join(names, ", ")+". a releases or cancels them.", inner, 2) {
			lines = append(lines, l.Theme.Text.Render(line))
		}
	}
	if n.Unknown > 0 {
		if h >= 26 {
			lines = append(lines, "")
		}
		for _, line := range wrap(doubtful(c), inner, 3) {
			lines = append(lines, l.Theme.Text.Render(line))
		}
		lines = append(lines, l.Theme.Strong.Render(clip("  "+resolveCommand(c), inner)))
	}
	lines = append(lines, "")
	lines = append(lines, l.charts(inner, rows-len(lines),
		countTrend("Messages a minute, by the minute they were sent in", c.Trend, perMinute(c.Trend, func(m *link.Minute) int64 { return m.Messages })))...)
	return l.box("Queue", note, lines, w, h, true)
}

// doubtful says what to do about messages that may have gone out.
func doubtful(c *link.Campaign) string {
	return things(c.Counts.Unknown, "message", "messages") + " may have gone out: the request left, and Meta's answer never came. " +
		"A webhook about one settles it by itself. The others you settle once you know, from a shell:"
}

func resolveCommand(c *link.Campaign) string {
	return "tickwatch resolve " + shellWord(c.ID) + " --as sent|not-sent"
}

// shellWord quotes a word as far as a shell needs it.
func shellWord(s string) string {
	safe := func(r rune) bool {
		return r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' || strings.ContainsRune("_-.,:/@+", r)
	}
	if s != "" && strings.IndexFunc(s, func(r rune) bool { return !safe(r) }) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
