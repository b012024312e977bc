package pane

import (
	"strings"

	"github.com/charmbracelet/x/ansi"

	"tickwatch/monitor/link"
)

// Empty is the screen while there is no campaign: what tickwatch waits for, and
// what to do when it does not come.
func Empty(l Look, s *link.Snapshot, w, h int) string {
	text, dim, strong := l.Theme.Text.Render, l.Theme.Dim.Render, l.Theme.Strong.Render
	lines := []string{
		strong("No campaign yet."),
		"",
	}
	para := func(s string, style func(...string) string) {
		for _, line := range wrap(s, min(w-4, 72), 9) {
			lines = append(lines, style(line))
		}
	}
	para("tickwatch is listening. The first message status that Meta reports opens a campaign here by itself.", text)
	lines = append(lines, "")
	switch {
	case s.Feed.Refused > 0 && s.Feed.Posts <= s.Feed.Refused:
		para(things(s.Feed.Refused, "webhook came and was refused: its signature is", "webhooks came and were refused: their signatures are")+
			" missing or wrong. Compare webhook.app_secret with the app's secret in Meta's dashboard.", text)
	case s.Feed.Updates > 0 || s.Feed.NotUnderstood > 0:
		para("Webhooks do come in ("+count(s.Feed.Posts)+" so far), but none of them speaks of a campaign's messages yet.", text)
	default:
		para("Nothing has come in so far. To connect Meta:", text)
		for _, step := range []string{
			"1  In the app's dashboard open WhatsApp, Configuration.",
			"2  Callback URL: https://your-host/webhooks/meta, and your verify token.",
			"3  Subscribe to the fields for messages, templates and numbers.",
			"4  Send one message to a phone of your own: it shows here at once.",
		} {
			para(step, dim)
		}
	}
	lines = append(lines, "")
	para("Still nothing? Leave with q and run  tickwatch doctor : it says what is wrong.", dim)
	if openAlarms(s.Alarms) > 0 && h >= len(lines)+6 {
		const alarms = 5
		return l.middle(lines, w, h-alarms) + "\n" + Alarms(l, s, "", 0, nil, false, w, alarms)
	}
	return l.middle(lines, w, h)
}

// Waiting is the screen before the first snapshot: that the console is trying,
// and what to do when no daemon answers. problem is the link's last error.
func Waiting(l Look, problem string, w, h int) string {
	lines := []string{l.Theme.Strong.Render("Connecting to the tickwatch daemon…")}
	if problem != "" {
		lines = append(lines, "")
		for _, line := range wrap("No answer yet: "+problem, min(w-4, 72), 4) {
			lines = append(lines, l.Theme.Text.Render(line))
		}
		lines = append(lines, "",
			l.Theme.Dim.Render("The console keeps trying by itself. If no daemon runs, start one:"),
			l.Theme.Dim.Render("  tickwatch serve   the daemon, as a service"),
			l.Theme.Dim.Render("  tickwatch run     daemon and console in one"),
			l.Theme.Dim.Render("  tickwatch demo    a look at it, without Meta"))
	}
	return l.middle(lines, w, h)
}

// Question is a yes-or-no question in the middle of the screen.
func Question(l Look, question, answers string, w, h int) string {
	lines := make([]string, 0, 6)
	for _, line := range wrap(question, min(w-4, 60), 5) {
		lines = append(lines, l.Theme.Strong.Render(line))
	}
	return l.middle(append(lines, "", l.Theme.Text.Render(answers)), w, h)
}

// middle puts lines, left-aligned among themselves, a little above the middle.
func (l Look) middle(lines []string, w, h int) string {
	widest := 0
	for _, line := range lines {
		widest = max(widest, ansi.StringWidth(line))
	}
	indent := strings.Repeat(" ", max((w-widest)/2, 0))
	out := make([]string, max((h-len(lines))*2/5, 0), h+len(lines))
	for _, line := range lines {
		out = append(out, indent+line)
	}
	return block(out, w, h)
}
