package notify

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"tickwatch/wa"
)

// Severities of an Alarm, and what may be set as the least that is told.
const (
	Watch = "watch"
	Act   = "act"
)

// Alarm is an incident as it stands. Its texts may be foreign; they are cleaned
// before anybody is told.
type Alarm struct {
	ID       int64
	Kind     string
	Subject  string // what it is about: alarms of one kind and subject follow each other
	Severity string // Watch or Act
	Campaign string // its id; "" = none
	Name     string // of the campaign
	Text     string
	Advice   string
	Paused   string // that and why it is paused already, one sentence; "" = it is not
	Pauses   bool   // a pause would help with it, and may be named
	External bool   // another system sends its campaign: a pause here only asks for one

	RaisedAt  wa.Instant
	ActedAt   wa.Instant // when it became act; 0 = it never did
	ClearedAt wa.Instant // 0 = it stands

	Snoozed bool       // an operator wants it quiet
	Woke    wa.Instant // when the latest snooze of it ended by itself; 0 = none did
}

// Change is why people are told of an alarm.
type Change string

// The changes, as the webhook and the command name them.
const (
	Raised  Change = "raised"
	Grown   Change = "grown"   // from watch to act
	Still   Change = "still"   // it stands after its snooze
	Cleared Change = "cleared" // said only where it was said to be raised
)

const (
	// flapWithin is how soon after its end an alarm that comes back is taken for the
	// same one, and flapQuiet how long it must then stand before it is told again.
	flapWithin = wa.Instant(15 * time.Minute / time.Millisecond)
	flapQuiet  = wa.Instant(5 * time.Minute / time.Millisecond)
)

func (a *Alarm) stage() wa.ToldStage {
	switch {
	case a.ClearedAt != 0:
		return wa.ToldCleared
	case a.Severity == Act:
		return wa.ToldAct
	}
	return wa.ToldWatch
}

// ref is the alarm's id as people and scripts write it.
func (a *Alarm) ref() string { return "a" + strconv.FormatInt(a.ID, 10) }

// worst is how bad it ever was.
func (a *Alarm) worst() wa.ToldStage {
	if a.ActedAt != 0 {
		return wa.ToldAct
	}
	return wa.ToldWatch
}

// ledger is what one place was told, by alarm.
type ledger map[int64]wa.Told

// of is what was told of an alarm.
func (l ledger) of(a *Alarm) wa.Told {
	if t := l[a.ID]; t.Raised == a.RaisedAt {
		return t
	}
	return wa.Told{Alarm: a.ID, Raised: a.RaisedAt} // the id was another alarm's, which was never stored
}

// due is what the place is to be told of an alarm at a moment, of which all are
// the others; "" = nothing.
func (l ledger) due(now wa.Instant, a *Alarm, all []Alarm, least wa.ToldStage) Change {
	told := l.of(a)
	switch stage := a.stage(); {
	case told.Stage == wa.ToldCleared:
	case stage == wa.ToldCleared:
		if told.Stage != wa.ToldNothing {
			return Cleared
		}
	case a.Snoozed, stage < least:
	case told.Stage == wa.ToldNothing:
		if !l.flaps(a, all) || now-a.RaisedAt >= flapQuiet {
			return Raised
		}
	case stage > told.Stage:
		return Grown
	case a.Woke > told.At && a.Woke <= now:
		return Still
	}
	return ""
}

// flaps tells whether an alarm is one that was told of, ended, and came back within
// a short while no worse than before.
func (l ledger) flaps(a *Alarm, all []Alarm) bool {
	return slices.ContainsFunc(all, func(b Alarm) bool {
		return b.Kind == a.Kind && b.Subject == a.Subject && b.ID != a.ID && b.ClearedAt != 0 &&
			a.RaisedAt >= b.ClearedAt && a.RaisedAt-b.ClearedAt < flapWithin &&
			l.of(&b).Stage != wa.ToldNothing && b.worst() >= a.stage()
	})
}

// dues is everything that a place is to be told now, the worst first and of those
// the oldest.
func (l ledger) dues(now wa.Instant, all []Alarm, least wa.ToldStage) []Item {
	var items []Item
	for i := range all {
		if c := l.due(now, &all[i], all, least); c != "" {
			items = append(items, Item{all[i], c})
		}
	}
	rank := func(i *Item) int {
		if i.Change == Cleared {
			return 0
		}
		return int(i.stage())
	}
	slices.SortFunc(items, func(a, b Item) int {
		return cmp.Or(cmp.Compare(rank(&b), rank(&a)), cmp.Compare(a.ID, b.ID))
	})
	return items
}
