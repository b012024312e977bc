package pane

import (
	"tickwatch/monitor/link"
)

// Asiding is the window in which a part of a campaign is set aside, released or
// cancelled. Its texts are clean.
type Asiding struct {
	Clusters []link.Cluster // what failures have in common: can be set aside
	Aside    []link.Aside   // what is set aside
	Selected int            // of both, the clusters first
	Count    *int64         // waiting messages that the selected cluster would hold back; nil = not known
	Input    string         // the line to type in, of a selected one of Aside
	Note     string         // "asking…", or what went wrong
}

// Settable tells whether messages that wait can be told by a cluster's trait.
func Settable(k *link.Cluster) bool {
	switch k.Attribute {
	case "template", "language", "number", "carrier", "minute":
		return false
	}
	return true
}

// AsideView lists what the failures have in common and what is set aside, and says of the
// selected one what stands behind it and what enter does.
func AsideView(l Look, c *link.Campaign, a *Asiding, w, h int) string {
	inner, rows := max(w-4, 0), max(h-2, 0)
	var list []string
	for i := range a.Clusters {
		k := &a.Clusters[i]
		list = append(list, l.Theme.Text.Render(fit(l.trait(k), inner/2))+" "+l.Theme.Dim.Render(clip(wholePercent(k.Explains)+" of the failures", max(inner/2-2, 0))))
	}
	for i := range a.Aside {
		r := &a.Aside[i]
		list = append(list, l.Theme.Text.Render(fit(l.asideName(r), inner/2))+" "+l.Theme.Strong.Render(clip("set aside: "+things(r.Messages, "message", "messages"), max(inner/2-2, 0))))
	}
	foot := l.asideFoot(a, inner)
	foot = foot[max(0, len(foot)-max(rows-2, 1)):] // what enter does stands at its end
	from, to := window(len(list), max(rows-len(foot)-1, 1), a.Selected)
	lines := append([]string{}, list[from:to]...)
	if len(list) == 0 {
		lines = append(lines, l.Theme.Dim.Render("The failures have no common trait, and nothing is set aside."))
	}
	lines = append(append(lines, ""), foot...)
	marked := a.Selected - from
	if len(list) == 0 {
		marked = -1
	}
	note := "nothing is set aside yet"
	if n := c.Counts.SetAside; n > 0 {
		note = things(n, "message waits", "messages wait") + " for your word"
	}
	return l.list("Set aside", note, lines[:min(len(lines), rows)], marked, w, h, true)
}

func (l Look) asideName(r *link.Aside) string {
	return l.trait(&link.Cluster{Attribute: r.Attribute, Value: r.Value})
}

func (l Look) asideFoot(a *Asiding, w int) (lines []string) {
	dim, text := l.Theme.Dim.Render, l.Theme.Text.Render
	say := func(style func(...string) string, s string) {
		for _, line := range wrap(s, w, 3) {
			lines = append(lines, style(line))
		}
	}
	switch i := a.Selected - len(a.Clusters); {
	case i < 0 && a.Selected < len(a.Clusters):
		k := &a.Clusters[a.Selected]
		say(text, wholePercent(k.Explains)+" of the failures, "+wholePercent(k.Sends)+" of the sends: "+clusterFigures(k)+".")
		say(dim, clusterExamples(k))
		say(text, k.Action)
		lines = append(lines, "")
		switch {
		case !Settable(k):
			say(dim, "What waits cannot be told by it, so it cannot be set aside.")
		case a.Count != nil:
			say(l.Theme.Strong.Render, "enter sets "+things(*a.Count, "waiting message", "waiting messages")+" aside. The rest goes on.")
			say(dim, "Nothing is lost: they can be released here, or given up.")
		}
	case i >= 0 && i < len(a.Aside):
		say(text, things(a.Aside[i].Messages, "message waits", "messages wait")+" for your word. Released, they go out in their turn; cancelled, they are never sent.")
		lines = append(lines, "", a.Input)
	}
	if a.Note != "" {
		say(l.Theme.Strong.Render, a.Note)
	}
	return lines
}
