package monitor

import (
	"fmt"
	"time"

	"tickwatch/monitor/link"
	"tickwatch/store"
	"tickwatch/wa"
)

// secondWithin is how long a resume waits for a second operator.
const secondWithin = 10 * time.Minute

// asked is a resume that one operator wants, and that needs another.
type asked struct {
	by string
	at wa.Instant
}

// second lets a resume of much pass when two operators have asked for it within ten
// minutes, and says who asked first; "" where one is enough. The error says what
// the other has to do.
func (m *Monitor) second(operator, scope, id string, l *live) (first string, err error) {
	most := m.o.Auto.SecondPersonOver
	view := m.queue.View()
	if most <= 0 || !gateClosed(&view, scope, id) {
		return "", nil
	}
	r := m.receiptOf("", scope, id, l)
	if !ofOther(scope, id) {
		for _, b := range m.besideOf(scope, id) {
			r.Waiting += b.Waiting
		}
	}
	if r.Waiting <= most {
		return "", nil
	}
	key, now := [2]string{scope, id}, wa.At(m.o.Now())
	m.mu.Lock()
	before, waits := m.asked[key]
	waits = waits && now-before.at <= ms(secondWithin)
	switch {
	case waits && before.by != operator:
		delete(m.asked, key)
		m.mu.Unlock()
		return before.by, nil
	case !waits:
		m.asked[key] = asked{operator, now}
	}
	m.mu.Unlock()
	name := placeName(scope, id, l)
	if !waits {
		m.record(store.Action{Operator: operator, Verb: "ask", Target: gateName(scope, id), Effect: fmt.Sprintf("asked for a resume of %s waiting: another operator must confirm it", count(r.Waiting))})
	}
	return "", refused("%s stays paused: %s wait, and from %s on two people must agree. Now another operator resumes it, too (u, or `%s`), within %d min",
		name, count(r.Waiting), count(most+1), resumeCommand(scope, id), int(secondWithin.Minutes()))
}

// resumeCommand is how a shell resumes a gate.
func resumeCommand(scope, id string) string {
	switch scope {
	case link.ScopeAll:
		return "tickwatch resume"
	case link.ScopeNumber:
		return "tickwatch resume --number " + wa.Clean(id)
	case link.ScopeChannel:
		return "tickwatch resume --channel " + wa.Clean(id)
	}
	return "tickwatch resume " + wa.Clean(id)
}
