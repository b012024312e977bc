package monitor

import (
	"strconv"
	"strings"
	"time"

	"tickwatch/monitor/alarm"
	"tickwatch/monitor/link"
	"tickwatch/store"
	"tickwatch/wa"
)

const (
	shortestSnooze = time.Second
	longestSnooze  = 7 * 24 * time.Hour
)

// untilItGrows is how an action and a recording write a snooze without an end.
const untilItGrows = "until it grows"

// snooze keeps an alarm quiet for a while. It stays on the screen; the snooze ends by
// itself, or when the alarm grows from watch to act.
func (m *Monitor) snooze(a link.SnoozeArgs, operator string) (link.Alarm, error) {
	span := time.Duration(a.Seconds) * time.Second
	if a.Seconds < 0 || a.Seconds > int64(longestSnooze/time.Second) {
		return link.Alarm{}, usage("an alarm can be quiet for %s up to %d days, or until it grows", shortestSnooze, longestSnooze/(24*time.Hour))
	}
	m.mu.Lock()
	i, err := m.alarmCalled(a.Alarm)
	if err != nil {
		m.mu.Unlock()
		return link.Alarm{}, err
	}
	if i.ClearedAt != 0 {
		m.mu.Unlock()
		return link.Alarm{}, refused("alarm %s is over: there is nothing to keep quiet", alarmID(i.ID))
	}
	now, before := wa.At(m.o.Now()), i.Alarm
	i.quieten(now, operator, span)
	m.lastID++
	action := store.Action{ID: m.lastID, At: now, Operator: operator, Verb: link.VerbSnooze, Target: alarmID(i.ID), Reason: spanText(span), Effect: i.Text}
	view := i.view()
	m.mu.Unlock()

	if err := m.save(&action); err != nil {
		m.mu.Lock()
		defer m.mu.Unlock()
		i.SnoozedUntil, i.SnoozedBy, i.SnoozedAct = before.SnoozedUntil, before.SnoozedBy, before.SnoozedAct
		return link.Alarm{}, err
	}
	m.mu.Lock()
	m.actions = append(m.actions, action)
	m.actions = m.actions[max(0, len(m.actions)-link.MaxActions):]
	m.mu.Unlock()
	m.wake()
	return view, nil
}

// alarmCalled finds an alarm by its id. m.mu is held.
func (m *Monitor) alarmCalled(name string) (*incident, error) {
	id, err := strconv.ParseInt(strings.TrimPrefix(name, "a"), 10, 64)
	if i := m.incidents.byID(id); err == nil && i != nil {
		return i, nil
	}
	return nil, failed("there is no alarm %q: `tickwatch status` lists them", wa.Clean(name))
}

// quieten begins a snooze; span 0 = until the alarm grows.
func (i *incident) quieten(now wa.Instant, operator string, span time.Duration) {
	i.SnoozedBy, i.SnoozedAct, i.SnoozedUntil, i.dirty = operator, i.state.Level == alarm.Act, store.SnoozedOn, true
	if span > 0 {
		i.SnoozedUntil = now + ms(span)
	}
}

// wakeUp ends the snoozes whose time is over.
func (in *incidents) wakeUp(now wa.Instant) {
	for _, i := range in.open {
		if i.SnoozedBy != "" && i.SnoozedUntil != store.SnoozedOn && i.SnoozedUntil <= now {
			i.SnoozedBy, i.dirty = "", true
		}
	}
}

// spanText and parseSpan write and read how long a snooze is, for actions and
// recordings.
func spanText(span time.Duration) string {
	if span == 0 {
		return untilItGrows
	}
	text := span.String()
	for _, zero := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(text, zero) {
			text = text[:len(text)-2]
		}
	}
	return "for " + text
}

func parseSpan(text string) (time.Duration, bool) {
	if text == untilItGrows {
		return 0, true
	}
	span, err := time.ParseDuration(strings.TrimPrefix(text, "for "))
	return span, err == nil && span >= shortestSnooze && span <= longestSnooze
}
