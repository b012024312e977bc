package monitor

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"tickwatch/monitor/link"
	"tickwatch/monitor/queue"
	"tickwatch/wa"
)

// What an alarm about a campaign may lead to without an operator.
const (
	AutoOff    = "off"    // nothing, and nothing is said of it
	AutoAdvise = "advise" // the alarm says which key helps
	AutoAct    = "act"    // the campaign is paused
)

// Auto says what tickwatch may do by itself. It only ever pauses: it never
// resumes, swaps a template or sends again. The zero value does nothing.
type Auto struct {
	Delivery, Reports string // AutoOff, AutoAdvise or AutoAct; "" = AutoOff

	// BlindAfter is for how long our own campaigns may go out while nothing is heard of
	// what becomes of them; then they are paused. 0 = for ever.
	BlindAfter time.Duration
	Template   bool // a campaign is paused whose template Meta does not take
	Account    bool // everything is, where Meta refuses all that we send
	Disk       bool // everything is, while webhooks cannot be stored

	// SecondPersonOver is how many messages may wait behind a pause that one operator
	// ends alone. 0 = any number.
	SecondPersonOver int64
}

// DefaultAuto is what happens unless the operator says otherwise.
func DefaultAuto() Auto {
	return Auto{Delivery: AutoAdvise, Reports: AutoAdvise, BlindAfter: DefaultBlindAfter, Template: true, Account: true, Disk: true}
}

const (
	// DefaultBlindAfter is how long sending goes on unheard unless the operator says
	// otherwise: opt-outs cannot be seen either.
	DefaultBlindAfter = 3 * time.Minute
	// diskPatience is how long webhooks must have been turned away before all is paused.
	diskPatience = wa.Instant(10_000)
)

// byItself is who pauses when no operator does, and byItselfWord how such a pause's
// reason begins; its cause has an alarm of its own.
const (
	byItself     = "tickwatch"
	byItselfWord = "Paused by itself: "
)

// order is a pause that nobody gave.
type order struct{ scope, id, reason string }

// orders are the pauses that the alarms call for now. A gate that somebody has
// closed or opened since the cause began is left to them. m.mu is held.
func (m *Monitor) orders(now wa.Instant, v *queue.View) []order {
	var out []order
	pause := func(scope, id string, since wa.Instant, reason string) {
		if left(v, scope, id, since) {
			out = append(out, order{scope, id, byItselfWord + reason})
		}
	}
	for _, i := range m.incidents.all() {
		l := m.byKey[i.Campaign]
		if i.ClearedAt != 0 || i.Severity != link.VerdictAct || l == nil || m.mode(i.Kind) != AutoAct || !m.goesOut(now, v, l) {
			continue
		}
		pause(link.ScopeCampaign, l.Key, i.ActedAt, i.Text)
	}
	if blind := m.listener.Blind(); m.o.Auto.BlindAfter > 0 && blind != 0 && now-blind >= ms(m.o.Auto.BlindAfter) {
		for _, key := range slices.Sorted(maps.Keys(m.byKey)) {
			if l := m.byKey[key]; l.Own && m.goesOut(now, v, l) {
				pause(link.ScopeCampaign, key, blind, fmt.Sprintf("no webhook for %s while it goes out, so that nobody sees who opts out", lasted(now.Sub(blind))))
			}
		}
	}
	if i := m.incidents.open[subject{"host", "store"}]; m.o.Auto.Disk && i != nil && i.RaisedAt != 0 && now-i.RaisedAt >= diskPatience {
		pause(link.ScopeAll, "", i.RaisedAt, "webhooks cannot be stored, so that nobody sees who opts out")
	}
	return out
}

// mode is what the operator lets an alarm of a kind lead to.
func (m *Monitor) mode(kind string) string {
	switch kind {
	case "delivery":
		return m.o.Auto.Delivery
	case "reports":
		return m.o.Auto.Reports
	}
	return AutoOff
}

// goesOut tells whether a campaign has something that a pause would keep back.
func (m *Monitor) goesOut(now wa.Instant, v *queue.View, l *live) bool {
	if !l.Own {
		return now-l.Latest < sendingOver
	}
	p := m.planOf(l)
	return l.sending && !v.StopFile && !m.heldByGate(v, l, &p)
}

// left tells whether a gate is open, and nobody has touched it since a moment.
func left(v *queue.View, scope, id string, since wa.Instant) bool {
	for _, g := range v.Gates {
		if g.Scope == scope && g.ID == id {
			return !g.Closed && g.Since < since
		}
	}
	return true
}

// carryOut gives the pauses, as an operator would. m.mu is free.
func (m *Monitor) carryOut(ctx context.Context, all []order) {
	for _, o := range all {
		_, err := m.pause(ctx, "", byItself, time.Now(), link.GateArgs{Scope: o.scope, ID: o.id, Reason: o.reason})
		if err != nil {
			m.o.Log.Error("what should be paused by itself is not; it is tried again", "gate", gateName(o.scope, o.id), "error", err)
		}
	}
}

// advised adds to the open alarms of campaigns what was paused because of them, or
// which key does. m.mu is held.
func (m *Monitor) advised(now wa.Instant, v *queue.View, all []link.Alarm) []link.Alarm {
	for k := range all {
		a := &all[k]
		if a.Kind == "feed" && a.Open() {
			a.Pause = m.blindAdvice(now, v)
		}
		l := m.byKey[a.Campaign]
		mode := m.mode(a.Kind)
		if !a.Open() || l == nil || a.Severity != link.VerdictAct || mode != AutoAdvise && mode != AutoAct {
			continue
		}
		switch {
		case pausedByItself(v, l.Key) && l.Own:
			a.Pause = "tickwatch has paused it by itself: u resumes it."
		case pausedByItself(v, l.Key):
			a.Pause = "tickwatch has noted it as paused: pause it where it is sent from, too."
		case l.Own && m.goesOut(now, v, l):
			a.Pause = fmt.Sprintf("p pauses it: %s wait.", count(l.Counts.Waiting+l.Counts.Claimed))
		}
	}
	return all
}

// blindAdvice says what is done, and can be, while our own sends go on unheard. Only
// what was paused since, with nothing left that goes out, was paused for it.
func (m *Monitor) blindAdvice(now wa.Instant, v *queue.View) string {
	blind, paused := m.listener.Blind(), false
	for _, g := range v.Gates {
		paused = paused || g.Since >= blind && pausedByItself(v, g.ID)
	}
	for _, l := range m.campaigns {
		paused = paused && !(l.Own && m.goesOut(now, v, l))
	}
	switch {
	case blind == 0:
		return ""
	case paused:
		return "tickwatch has paused it by itself: mend the feed, then u resumes it."
	case m.o.Auto.BlindAfter > 0:
		return fmt.Sprintf("After %s of this tickwatch pauses it by itself; p pauses it now.", lasted(m.o.Auto.BlindAfter))
	}
	return "p pauses it until the feed is mended."
}

// pausedByItself tells whether a campaign stands paused, and nobody but tickwatch did it.
func pausedByItself(v *queue.View, key string) bool {
	return slices.ContainsFunc(v.Gates, func(g wa.Gate) bool {
		return g.Scope == link.ScopeCampaign && g.ID == key && g.Closed && g.By == byItself && strings.HasPrefix(g.Reason, byItselfWord)
	})
}
