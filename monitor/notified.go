package monitor

import (
	"strings"

	"tickwatch/monitor/alarm"
	"tickwatch/monitor/notify"
	"tickwatch/wa"
)

// notices are the alarms as those see them who are told of them. m.mu is held.
func (m *Monitor) notices() []notify.Alarm {
	if m.o.Notify == nil {
		return nil
	}
	all := m.incidents.all()
	out := make([]notify.Alarm, 0, len(all))
	for _, i := range all {
		a := notify.Alarm{
			ID: i.ID, Kind: i.Kind, Subject: i.Subject, Severity: i.Severity, Campaign: i.Campaign, Text: i.Text, Advice: wa.AdviceOf(i.Advice).String(),
			RaisedAt: i.RaisedAt, ActedAt: i.ActedAt, ClearedAt: i.ClearedAt, Snoozed: i.SnoozedBy != "",
		}
		if i.SnoozedBy == "" {
			a.Woke = max(i.SnoozedUntil, 0)
		}
		if l := m.byKey[i.Campaign]; l != nil {
			a.Name = l.Name
		}
		out = append(out, a)
	}
	return out
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
