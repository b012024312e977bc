package pane

import (
	"strings"

	"charm.land/lipgloss/v2"

	"tickwatch/monitor/link"
)

// AlarmDetail shows one alarm whole: what, what to do now, what not, what after, what
// the failures have in common, and since when.
func AlarmDetail(l Look, s *link.Snapshot, a *link.Alarm, w, h int) string {
	return l.alarmDetail(s, a, nil, w, h)
}

// Checked is what the daemon found of its feed.
type Checked struct {
	Checks []link.FeedCheck
	Note   string // "looking…", or why there are none
}

// FeedAlarmDetail is AlarmDetail of an alarm of the feed, with what was found of the
// ways that webhooks come in by.
func FeedAlarmDetail(l Look, s *link.Snapshot, a *link.Alarm, c *Checked, w, h int) string {
	inner := max(w-4, 0)
	lines := []string{l.Theme.Dim.Render("The ways in")}
	if h >= 26 {
		lines = append([]string{""}, lines...)
	}
	if c.Note != "" {
		lines = append(lines, l.Theme.Dim.Render(clip(c.Note, inner)))
	}
	const state, name = 6, 16
	for i := range c.Checks {
		x := &c.Checks[i]
		word, texts, depth := l.Theme.OK.Render("OK"), []string{x.Text}, 1
		if !x.OK {
			word, depth = l.Theme.Act.Render("FAIL"), 3
			texts = append(texts, "Do: "+x.Mend)
		}
		head := fit(word, state) + l.Theme.Text.Render(fit(x.Name, name))
		for _, text := range texts {
			for _, line := range wrap(text, max(inner-state-name, 10), depth) {
				lines = append(lines, head+l.Theme.Text.Render(line))
				head = fit("", state+name)
			}
		}
	}
	return l.alarmDetail(s, a, lines, w, h)
}

func (l Look) alarmDetail(s *link.Snapshot, a *link.Alarm, more []string, w, h int) string {
	inner := max(w-4, 0)
	dim, text := l.Theme.Dim.Render, l.Theme.Text.Render
	lines := []string{l.alarmWord(a) + " " + dim(a.Kind)}
	if a.Campaign != "" {
		lines[0] += dim(" · ") + text(campaignName(s, a.Campaign))
	}
	var gap []string
	if h >= 14 {
		gap = []string{""}
	}
	lines = append(lines, gap...)
	for _, line := range wrap(l.alarmText(a), inner, 4) {
		lines = append(lines, l.Theme.Strong.Render(line))
	}
	lines = append(lines, gap...)
	lines = append(lines, l.alarmAdvice(a, inner)...)
	lines = append(lines, l.alarmCommon(s, a, inner)...)
	lines = append(lines, gap...)
	lines = append(lines, sayEach(l.alarmLife(a), inner)...)
	lines = append(lines, more...)
	if t := alarmTrend(s, a); len(t.values) > 0 && h-2-len(lines) >= 5 {
		lines = append(append(lines, ""), l.trend(t, inner, min(h-3-len(lines), 10))...)
	}
	return l.box("Alarm", "", lines, w, h, true)
}

// alarmAdvice is what to do now, what not and what after, each under its word.
func (l Look) alarmAdvice(a *link.Alarm, w int) (lines []string) {
	for _, part := range [...]struct {
		label, text string
		style       lipgloss.Style
	}{{"Now", a.WhatNow(), l.Theme.Strong}, {"Not", a.DoNot, l.Theme.Text}, {"After", a.After, l.Theme.Text}} {
		lines = append(lines, l.labelled(part.label, part.text, part.style, w, 4)...)
	}
	return lines
}

// labelled is a text beside its label, or after it where there is little room.
func (l Look) labelled(label, s string, style lipgloss.Style, w, depth int) (lines []string) {
	if s == "" {
		return nil
	}
	const indent = 11
	if w < 50 {
		for _, line := range wrap(label+": "+s, w, depth) {
			lines = append(lines, style.Render(line))
		}
		return lines
	}
	for i, line := range wrap(s, w-indent, depth) {
		if i > 0 {
			label = ""
		}
		lines = append(lines, l.Theme.Dim.Render(fit(label, indent))+style.Render(line))
	}
	return lines
}

// alarmCommon is what the failures have in common, for an alarm about them.
func (l Look) alarmCommon(s *link.Snapshot, a *link.Alarm, w int) []string {
	if !a.Open() || a.Kind != "delivery" && a.Kind != "withheld" && a.Kind != "list" {
		return nil
	}
	for i := range s.Campaigns {
		c := &s.Campaigns[i]
		if c.ID != a.Campaign {
			continue
		}
		says := l.commonest(c)
		if len(c.Clusters) > 0 && strings.Contains(a.Advice, "(a)") { // the advice says what to do about it
			says = l.clusterFacts(&c.Clusters[0])
		}
		return l.labelled("In common", says, l.Theme.Text, w, 3)
	}
	return nil
}

// alarmLife is since when the alarm stands, and who knows of it.
func (l Look) alarmLife(a *link.Alarm) (all []string) {
	dim, text := l.Theme.Dim.Render, l.Theme.Text.Render
	all = append(all, dim("raised ")+text(l.clock(a.RaisedAt)))
	if a.ActedAt != nil {
		all = append(all, dim("ACT at ")+text(l.clock(*a.ActedAt)))
	}
	if a.ClearedAt != nil {
		all = append(all, dim("cleared ")+text(l.clock(*a.ClearedAt)))
	}
	if a.AckedBy != "" {
		all = append(all, dim("seen by ")+text(a.AckedBy))
	} else if a.Open() {
		all = append(all, dim("seen by nobody yet: k says that you have seen it"))
	}
	if a.SnoozedBy != "" && a.Open() {
		all = append(all, dim("quiet ")+text(strings.TrimPrefix(l.quietWords(a), "quiet ")+", by "+a.SnoozedBy))
	}
	return all
}

// alarmTrend is the course of the figure that an alarm is about; without values
// where there is none.
func alarmTrend(s *link.Snapshot, a *link.Alarm) trend {
	if a.Kind == "feed" {
		return updatesTrend(&s.Feed)
	}
	for i := range s.Campaigns {
		c := &s.Campaigns[i]
		switch {
		case c.ID != a.Campaign:
		case a.Kind == "reports":
			return countTrend("Opt-outs a minute", c.Trend, floats(c.Reports.Trend))
		case a.Kind == "delivery", a.Kind == "withheld":
			t := arrivedTrend(c.Trend)
			t.what = arrivedWhat
			return t
		}
	}
	return trend{}
}
