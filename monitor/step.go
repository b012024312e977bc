package monitor

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"

	"tickwatch/monitor/link"
	"tickwatch/monitor/queue"
	"tickwatch/store"
	"tickwatch/wa"
)

// The doors for whoever owns the clock, such as a replay, and therefore does not
// call Run. One goroutine uses them, between changes of the store and with a
// clock that never goes back; what is judged then depends on those changes and
// on the moments of the calls, and on nothing else.

// Rest says what time alone can still change.
type Rest struct {
	Running bool // a campaign runs: its figures change by themselves
	Alarms  bool // an alarm is open, and may clear by itself
}

// Judge judges the state of this moment and stores what alarms have changed,
// as Run does before it publishes.
func (m *Monitor) Judge(ctx context.Context) Rest {
	m.reading.Lock()
	m.read(ctx, m.needed)
	m.readPast(ctx)
	m.reading.Unlock()
	m.recountUsage(ctx)
	m.mu.Lock()
	now := wa.At(m.o.Now())
	m.told = nil // there is no queue at work that should hear it
	view := m.view()
	m.judge(now, &view)
	m.judgeQueue(now, &view)
	var r Rest
	for _, l := range m.campaigns {
		r.Running = r.Running || l.running(now)
	}
	for _, i := range m.incidents.open {
		r.Alarms = r.Alarms || i.RaisedAt != 0
	}
	m.mu.Unlock()
	_ = m.save(nil) // it has said so in the log
	return r
}

// Ended tells that the recording is over. From here on time can clear alarms, and
// that nothing comes in is not the feed's fault.
func (m *Monitor) Ended() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.ended = true
}

// Show publishes a snapshot of this moment. It judges nothing.
func (m *Monitor) Show(ctx context.Context) {
	m.reading.Lock()
	m.read(ctx, m.needed)
	m.reading.Unlock()
	m.showClusters(ctx)
	m.readEngagement(ctx)
	m.mu.Lock()
	now := wa.At(m.o.Now())
	m.rev++
	view := m.view()
	snap := m.snapshot(now, m.newest(now), &view)
	m.mu.Unlock()
	m.o.Publish(snap)
}

// Repeat does again at this moment what an operator did at another, by the words
// of a recording. False when there is nothing to do it to: the alarm that was
// acknowledged is not open.
func (m *Monitor) Repeat(at wa.Instant, own *Own) (bool, error) {
	action := store.Action{At: at, Operator: own.Operator, Verb: own.Verb, Target: own.Target, Reason: own.Reason, Effect: own.Effect}
	m.mu.Lock()
	if own.Verb == link.VerbAck || own.Verb == link.VerbSnooze {
		i := m.acknowledged(own)
		span, ok := parseSpan(own.Reason)
		if i == nil || own.Verb == link.VerbSnooze && !ok {
			m.mu.Unlock()
			return false, nil
		}
		if own.Verb == link.VerbAck {
			i.AckedBy, i.dirty = own.Operator, true
		} else {
			i.quieten(at, own.Operator, span)
		}
		action.Target = alarmID(i.ID)
	}
	m.lastID++
	action.ID = m.lastID
	m.actions = append(m.actions, action)
	m.actions = m.actions[max(0, len(m.actions)-link.MaxActions):]
	m.mu.Unlock()
	return true, m.save(&action)
}

// Redo does again what our own side did, by the words of a recording: the body
// of a line. Nothing is sent. False when it is of a kind that is not known here,
// or of a campaign that was never told of.
func (m *Monitor) Redo(ctx context.Context, at wa.Instant, body []byte) (bool, error) {
	var d store.Deed
	if json.Unmarshal(body, &d) != nil {
		return false, nil
	}
	if err := m.o.Store.Redo(ctx, at, &d); errors.Is(err, store.ErrNoDeed) {
		return false, nil
	} else if err != nil {
		return false, err
	}
	switch d.Kind {
	case store.DeedImported, store.DeedPlanned, store.DeedCancelled:
		plans, err := m.o.Store.Plans(ctx)
		if err != nil {
			return false, err
		}
		m.mu.Lock()
		defer m.mu.Unlock()
		for _, p := range plans {
			m.plans[p.Campaign] = p
		}
	case store.DeedReported:
		m.keepReported(d.Campaign, d.Reported)
	case store.DeedGate:
		gates, err := m.o.Store.Gates(ctx)
		if err != nil {
			return false, err
		}
		m.mu.Lock()
		defer m.mu.Unlock()
		m.gates = gates
	}
	return true, nil
}

// view is the state of the queue: of the one that sends, or of a recording's.
// m.mu is held.
func (m *Monitor) view() queue.View {
	v := m.queue.View()
	if m.gates != nil {
		v.Gates = m.gates
	}
	return v
}

// acknowledged is the open alarm that an acknowledgement is of; nil when there is none.
func (m *Monitor) acknowledged(own *Own) *incident {
	if own.Alarm == nil {
		return nil
	}
	if i := m.incidents.open[subject{own.Alarm.Kind, own.Alarm.Subject}]; i != nil && i.RaisedAt != 0 {
		return i
	}
	return nil
}

// AllAlarms are the alarms that were ever raised, in the order in which they
// were, as they stand now.
func (m *Monitor) AllAlarms(ctx context.Context) ([]link.Alarm, error) {
	stored, err := m.o.Store.Alarms(ctx)
	if err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	fresh := map[int64]*incident{} // the texts of open ones change without being stored
	for _, i := range m.incidents.all() {
		fresh[i.ID] = i
	}
	out, view := make([]link.Alarm, 0, len(stored)), m.view()
	for _, a := range stored {
		out = append(out, m.alarmView(cmp.Or(fresh[a.ID], &incident{Alarm: a}), &view))
	}
	return out, nil
}
