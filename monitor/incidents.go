package monitor

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"tickwatch/monitor/alarm"
	"tickwatch/monitor/link"
	"tickwatch/store"
	"tickwatch/wa"
)

// incidents are the alarms: at most one open one a kind and subject, however
// often its figure crosses a line.
type incidents struct {
	open    map[subject]*incident
	cleared []*incident // oldest first, at most as many as a snapshot carries
	last    int64       // ID given last
}

type subject struct{ kind, name string }

type incident struct {
	store.Alarm
	state alarm.State
	worst [2]string // text and advice of when it last was as bad as it ever got
	peak  alarm.Level
	until wa.Instant // when it ends by itself; 0 = not told. Not stored: its rule tells it anew
	about situation  // as it was judged last. Not stored either
	dirty bool       // not stored as it is
}

func (in *incidents) load(all []store.Alarm, last int64) {
	in.open, in.last = map[subject]*incident{}, last
	for _, a := range all {
		i := &incident{Alarm: a}
		if a.ClearedAt != 0 {
			in.cleared = append(in.cleared, i)
			continue
		}
		i.state.Level = levelOf(a.Severity)
		i.worst, i.peak = [2]string{a.Text, a.Advice}, i.state.Level
		in.open[subject{a.Kind, a.Subject}] = i
	}
	slices.SortFunc(in.cleared, func(a, b *incident) int { return cmp.Compare(a.ClearedAt, b.ClearedAt) })
}

// finding is what a rule says of its subject now.
type finding struct {
	kind, subject, campaign string
	text, advice            string     // advice is of lines (wa.Advice)
	about                   situation  // what the advice is about, if it is to follow it
	easing                  bool       // the figure is better than what the alarm was raised for, and it is not sure to last
	until                   wa.Instant // see incident
}

// judge puts a figure to its rule, and raises, grows, eases or clears its
// alarm. describe is called only while the alarm stands.
func (in *incidents) judge(now wa.Instant, f finding, t alarm.Threshold, figure float64, describe func() (text, advice string)) {
	key := subject{f.kind, f.subject}
	i := in.open[key]
	if i == nil {
		i = &incident{Alarm: store.Alarm{Kind: f.kind, Subject: f.subject, Campaign: f.campaign}}
		in.open[key] = i
	}
	i.state.Judge(t, now, figure)
	if i.state.Level != alarm.OK {
		f.text, f.advice = describe()
		switch {
		case f.easing:
			f.text = "Easing: " + f.text
		case t.Plain(figure) >= i.state.Level && i.state.Level >= i.peak:
			i.worst, i.peak = [2]string{f.text, f.advice}, i.state.Level
		case t.Plain(figure) < i.state.Level:
			f.text = "Easing: " + f.text
		}
	}
	in.settle(now, i, f)
}

// settle brings an alarm in line with its level.
func (in *incidents) settle(now wa.Instant, i *incident, f finding) {
	severity := severityOf(i.state.Level)
	switch {
	case severity == "":
		if i.RaisedAt != 0 {
			in.clear(now, subject{i.Kind, i.Subject})
		}
		return
	case i.RaisedAt == 0:
		in.last++
		i.ID, i.RaisedAt, i.dirty = in.last, now, true
	case severity != i.Severity:
		i.dirty = true
		if severity == link.VerdictAct {
			i.AckedBy = "" // it has grown since someone saw it
			if !i.SnoozedAct {
				i.SnoozedBy, i.SnoozedUntil = "", 0 // … or wanted it quiet
			}
		}
	}
	if severity == link.VerdictAct && i.ActedAt == 0 {
		i.ActedAt, i.dirty = now, true
	}
	i.Severity, i.Text, i.Advice, i.until, i.about = severity, f.text, f.advice, f.until, f.about
}

// fact raises or clears an alarm that follows a fact and not a figure.
func (in *incidents) fact(now wa.Instant, level alarm.Level, f finding) {
	in.judge(now, f, alarm.Threshold{Watch: 0.5, Act: 1.5}, float64(level), func() (string, string) { return f.text, f.advice })
}

// clear ends an alarm; its text says again what it was about.
func (in *incidents) clear(now wa.Instant, key subject) {
	i := in.open[key]
	if i == nil {
		return
	}
	delete(in.open, key)
	if i.RaisedAt == 0 {
		return
	}
	i.ClearedAt, i.dirty = now, true
	i.SnoozedBy = ""
	if i.worst[0] != "" {
		i.Text, i.Advice = i.worst[0], i.worst[1]
	}
	in.cleared = append(in.cleared, i)
	for len(in.cleared) > link.MaxAlarms && !in.cleared[0].dirty {
		in.cleared = in.cleared[1:]
	}
}

// merge ends an alarm of which another one speaks from now on. It was not put right, so
// its last words say where it goes on.
func (in *incidents) merge(now wa.Instant, key subject, text string) {
	if i := in.open[key]; i != nil {
		i.worst[0] = text
	}
	in.clear(now, key)
}

// unsaved gives the alarms that the store does not have as they are, and takes
// them for saved.
func (in *incidents) unsaved() []store.Alarm {
	var all []store.Alarm
	for _, i := range in.all() {
		if i.dirty {
			i.dirty = false
			all = append(all, i.Alarm)
		}
	}
	return all
}

// markUnsaved takes back what unsaved gave: it could not be stored.
func (in *incidents) markUnsaved(alarms []store.Alarm) {
	for _, a := range alarms {
		if i := in.byID(a.ID); i != nil {
			i.dirty = true
		}
	}
}

// stands tells whether an alarm is open.
func (in *incidents) stands(kind, name string) bool {
	i := in.open[subject{kind, name}]
	return i != nil && i.RaisedAt != 0
}

// clearedAt is when the latest alarm of a subject ended; 0 when none is known.
func (in *incidents) clearedAt(kind, name string) wa.Instant {
	for _, i := range slices.Backward(in.cleared) {
		if i.Kind == kind && i.Subject == name {
			return i.ClearedAt
		}
	}
	return 0
}

// clearOthers ends the open alarms of a kind whose subject is over or gone.
func (in *incidents) clearOthers(now wa.Instant, kind string, still func(name string) bool) {
	var over []string
	for key := range in.open {
		if key.kind == kind && !still(key.name) {
			over = append(over, key.name)
		}
	}
	slices.Sort(over) // which was cleared last shows
	for _, name := range over {
		in.clear(now, subject{kind, name})
	}
}

func (in *incidents) byID(id int64) *incident {
	for _, i := range in.all() {
		if i.ID == id {
			return i
		}
	}
	return nil
}

// all are the alarms that were raised: open ones, the worst and newest first and
// of the same severity those about the machine last, then cleared ones, the
// latest first.
func (in *incidents) all() []*incident {
	var all []*incident
	for _, i := range in.open {
		if i.RaisedAt != 0 {
			all = append(all, i)
		}
	}
	slices.SortFunc(all, func(a, b *incident) int {
		return cmp.Or(cmp.Compare(b.state.Level, a.state.Level), cmp.Compare(a.background(), b.background()), cmp.Compare(b.RaisedAt, a.RaisedAt), cmp.Compare(b.ID, a.ID))
	})
	for _, i := range slices.Backward(in.cleared) {
		all = append(all, i)
	}
	return all
}

// background is 1 for an alarm that people feel only through others.
func (i *incident) background() int {
	if i.Kind == "host" && i.Subject == "cpu" {
		return 1
	}
	return 0
}

// standing is the severity and text of an open alarm; "" when there is none.
func (in *incidents) standing(kind, name string) (severity, text string) {
	if i := in.open[subject{kind, name}]; i != nil && i.RaisedAt != 0 {
		return i.Severity, i.Text
	}
	return "", ""
}

func (i *incident) view() link.Alarm {
	about, a := "", wa.AdviceOf(i.Advice)
	if i.Kind == "host" {
		about = i.Subject
	}
	return link.Alarm{
		Subject: about,
		ID:      alarmID(i.ID), Kind: i.Kind, Severity: i.Severity, Campaign: i.Campaign, Text: i.Text, Advice: a.Now, DoNot: a.Not, After: a.After,
		RaisedAt: i.RaisedAt.Time(), ActedAt: moment(i.ActedAt), ClearedAt: moment(i.ClearedAt), AckedBy: i.AckedBy,
		Until: moment(i.until), SnoozedBy: i.SnoozedBy, SnoozedUntil: i.quietUntil(),
	}
}

// quietUntil is when the alarm's snooze ends by itself; nil when it is not quiet, or
// is until it grows.
func (i *incident) quietUntil() *time.Time {
	if i.SnoozedBy == "" || i.SnoozedUntil == store.SnoozedOn {
		return nil
	}
	return moment(i.SnoozedUntil)
}

func alarmID(id int64) string { return "a" + strconv.FormatInt(id, 10) }

func severityOf(l alarm.Level) string {
	return [...]string{alarm.OK: "", alarm.Watch: link.VerdictWatch, alarm.Act: link.VerdictAct}[l]
}

func levelOf(severity string) alarm.Level {
	switch severity {
	case link.VerdictAct:
		return alarm.Act
	case link.VerdictWatch:
		return alarm.Watch
	}
	return alarm.OK
}
