package pane

import (
	"strconv"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"tickwatch/monitor/link"
)

// Alarms lists what is wrong, of every campaign, open ones first. selected is
// an index into s.Alarms; its row is always in view. Where there is room, long
// texts take several lines, the first alarm's first. A note that another
// operator left, nil for none, stands above them until it is read.
func Alarms(l Look, s *link.Snapshot, campaign string, selected int, note *link.Action, focused bool, w, h int) string {
	inner, rows := max(w-4, 0), max(h-2, 0)
	var notes []string
	if note != nil && rows > 1 {
		notes = l.noteLines(note, inner, min(max(rows-2*len(s.Alarms)-1, 1), 3))
		rows -= len(notes)
	}
	if len(s.Alarms) == 0 {
		return l.box("Alarms", "", append(notes, l.Theme.Dim.Render("No alarm.")), w, h, focused)
	}
	from, to := window(len(s.Alarms), rows, selected)
	if selected == 0 && rows >= 3 && s.Alarms[0].Open() {
		to = min(to, rows-1) // the first one whole rather than one more
	}
	lines, marked := make([]string, 0, rows), -1
	for i := from; i < to; i++ {
		if focused && i == selected {
			marked = len(lines)
		}
		spare := rows - len(lines) - (to - i)
		lines = append(lines, l.alarmLines(s, &s.Alarms[i], campaign, inner, 1+min(max(spare, 0), 2))...)
	}
	open := "none open"
	if n := openAlarms(s.Alarms); n > 0 {
		open = strconv.Itoa(n) + " open"
	}
	if marked >= 0 {
		marked += len(notes)
	}
	return l.list("Alarms", open, append(notes, lines...), marked, w, h, focused)
}

func openAlarms(alarms []link.Alarm) int {
	open := 0
	for i := range alarms {
		if alarms[i].Open() {
			open++
		}
	}
	return open
}

func (l Look) alarmLines(s *link.Snapshot, a *link.Alarm, campaign string, w, n int) []string {
	head := l.Theme.Dim.Render(l.clock(a.RaisedAt)) + " " + l.alarmWord(a) + " "
	text := l.alarmText(a)
	if a.Campaign != "" && a.Campaign != campaign {
		text = campaignName(s, a.Campaign) + ": " + text
	}
	switch {
	case !a.Open():
	case a.SnoozedBy != "":
		text = "(" + l.quietWords(a) + ") " + text
	case a.AckedBy != "":
		text = "(seen by " + a.AckedBy + ") " + text
	}
	style := l.Theme.Text
	if !a.Open() {
		style = l.Theme.Dim
	}
	const indent = 6 // of further lines: under the word
	room := max(w-ansi.StringWidth(head), 8)
	if n <= 1 {
		return []string{head + style.Render(clip(text, room))}
	}
	first, _, _ := strings.Cut(ansi.Wrap(text, room, ""), "\n")
	lines := []string{head + style.Render(first)}
	rest := strings.TrimSpace(strings.TrimPrefix(text, first))
	for _, line := range wrap(rest, max(w-indent, 8), n-1) {
		lines = append(lines, fit("", indent)+style.Render(line))
	}
	return lines
}

// alarmText is what the alarm says, with until when it holds: behind the first
// sentence, which says what that is.
func (l Look) alarmText(a *link.Alarm) string {
	if a.Until == nil || !a.Open() {
		return a.Text
	}
	what, rest, more := strings.Cut(strings.TrimSuffix(a.Text, "."), ". ")
	what += " until " + l.clock(*a.Until)
	if more {
		what += ". " + rest
	}
	return what
}

// alarmWord is the alarm's severity, or that it is over.
func (l Look) alarmWord(a *link.Alarm) string {
	switch {
	case !a.Open():
		return l.Theme.Dim.Render("cleared")
	case a.Severity == link.VerdictAct:
		return l.Theme.Act.Render(" ACT ") + "  "
	}
	return l.Theme.Watch.Render(" WATCH ")
}

func campaignName(s *link.Snapshot, id string) string {
	for i := range s.Campaigns {
		if s.Campaigns[i].ID == id {
			return name(&s.Campaigns[i])
		}
	}
	return id
}

// titleOf is a campaign's name, with its id where another campaign is called so too.
func titleOf(s *link.Snapshot, c *link.Campaign) string {
	for i := range s.Campaigns {
		if o := &s.Campaigns[i]; o.ID != c.ID && name(o) == name(c) {
			return withID(name(c), c.ID)
		}
	}
	return name(c)
}

// withID tells a campaign from others of its name.
func withID(name, id string) string {
	if name == id {
		return name
	}
	return name + " [" + id + "]"
}

// name is what people call a campaign.
func name(c *link.Campaign) string {
	if c.Name != "" {
		return c.Name
	}
	return c.ID
}
