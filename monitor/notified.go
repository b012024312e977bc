package monitor

import (
	"cmp"
	"strings"

	"tickwatch/monitor/alarm"
	"tickwatch/monitor/link"
	"tickwatch/monitor/notify"
	"tickwatch/monitor/queue"
	"tickwatch/wa"
)

// notices are the alarms as those are told of them who see no console: with the
// advice that it shows. m.mu is held.
func (m *Monitor) notices(now wa.Instant, v *queue.View) []notify.Alarm {
	if m.o.Notify == nil {
		return nil
	}
	all := m.incidents.all()
	out := make([]notify.Alarm, 0, len(all))
	for _, i := range all {
		shown := m.advised(now, v, []link.Alarm{m.alarmView(i, v)})[0]
		l := m.byKey[i.Campaign]
		a := notify.Alarm{
			ID: i.ID, Kind: i.Kind, Subject: i.Subject, Severity: i.Severity, Campaign: i.Campaign, Text: i.Text,
			Advice: wa.Advice{Now: shown.WhatNow(), Not: shown.DoNot, After: shown.After}.String(),
			Paused: m.pausedWords(v, l), Pauses: m.pauseHelps(now, v, i, l),
			RaisedAt: i.RaisedAt, ActedAt: i.ActedAt, ClearedAt: i.ClearedAt, Snoozed: i.SnoozedBy != "",
		}
		if i.SnoozedBy == "" {
			a.Woke = max(i.SnoozedUntil, 0)
		}
		if l != nil {
			a.Name, a.External = l.Name, !l.Own
		}
		out = append(out, a)
	}
	return out
}

// pauseHelps tells whether a pause would help with an alarm, and may be named: not
// where there is nothing to keep back, where Meta withholds, and where auto.* is off.
func (m *Monitor) pauseHelps(now wa.Instant, v *queue.View, i *incident, l *live) bool {
	switch {
	case i.Kind == "withheld" || m.mute(i.Kind) || m.pausedWords(v, l) != "":
		return false
	case l != nil:
		return m.goesOut(now, v, l)
	}
	return i.Severity == link.VerdictAct
}

// pausedWords says that a campaign is paused already, or everything where l is nil,
// and by whom and why; "" = it is not. m.mu is held.
func (m *Monitor) pausedWords(v *queue.View, l *live) string {
	if v.StopFile {
		return "Everything is paused already: the stop file is there."
	}
	words := func(what, scope, id string) string {
		for _, g := range v.Gates {
			if g.Scope != scope || g.ID != id || !g.Closed {
				continue
			}
			who, why := " already, by "+g.By, g.Reason
			if g.By == byItself {
				who, why = " already: tickwatch has done it by itself", strings.TrimPrefix(g.Reason, byItselfWord)
			}
			if why != "" {
				who += ": " + strings.TrimSuffix(why, ".")
			}
			return what + who + "."
		}
		return ""
	}
	all := words("Everything is paused", link.ScopeAll, "")
	switch {
	case all != "" || l == nil:
		return all
	case !l.Own:
		return words("It is noted here as paused", link.ScopeCampaign, l.Key)
	}
	text := cmp.Or(words("It is paused", link.ScopeCampaign, l.Key), words("WhatsApp is paused", link.ScopeChannel, channelWhatsApp))
	if plan := m.planOf(l); text == "" && m.heldByGate(v, l, &plan) {
		text = words("Its number is paused", link.ScopeNumber, plan.From[0])
	}
	return text
}

// judgeNotify says when people are not told of alarms.
func (m *Monitor) judgeNotify(now wa.Instant) {
	if m.o.Notify == nil {
		return
	}
	level, text := alarm.OK, strings.TrimSpace(wa.Clean(m.o.Notify.Trouble()))
	if text != "" {
		level = alarm.Watch
	}
	m.incidents.fact(now, level, finding{
		kind: "host", subject: "notify", text: "Alarms do not reach everybody who should be told: " + text,
		advice: "Keep this console open meanwhile. `tickwatch notify test` tries every place; it is tried on by itself, too.",
	})
}
