package monitor

import (
	"fmt"
	"slices"
	"time"

	"tickwatch/monitor/alarm"
	"tickwatch/monitor/link"
	"tickwatch/store"
	"tickwatch/wa"
)

// seedsSubject tells the alarm about messages to own phones from the one about the
// campaign's own.
const seedsSubject = " / seeds"

const (
	seedPatience = wa.Instant(5 * time.Minute / time.Millisecond)  // by then one should have arrived
	seedNews     = wa.Instant(30 * time.Minute / time.Millisecond) // for so long the last one says something of now
	seedsMissed  = 2                                               // in a row; one phone may be off
)

// judgeSeeds says when messages to own phones do not arrive while others do. m.mu is
// held.
func (m *Monitor) judgeSeeds(now wa.Instant, l *live) {
	if !l.Own || len(l.seeds.all) == 0 || m.deaf(l) {
		return
	}
	f := finding{kind: "delivery", subject: l.Key + seedsSubject, campaign: l.Key}
	level := alarm.OK
	if missed, since := l.seeds.missed(now); missed >= seedsMissed && l.othersArrive(since) {
		level = alarm.Watch
		f.text = fmt.Sprintf("The last %d messages to your own phones did not arrive, though messages to others do", missed)
		f.advice = "Look at those phones first: are they on, online, and is the sending number not blocked there? " +
			"If they are well, what Meta reports as arrived may not be seen by people: look at the message on another phone, and pause (p) if you are in doubt."
	}
	m.incidents.fact(now, level, f)
}

// missed is how many of the latest seeds, in a row, did not arrive in time, and when
// the first of these went out. One that is young, or may not have gone out, says nothing.
func (s *seeding) missed(now wa.Instant) (n int, since wa.Instant) {
	for _, x := range slices.Backward(s.all) {
		sent := x.Progress.Clock()
		switch {
		case x.State != store.SeedHandedOver && x.State != store.SeedRefused:
			continue
		case x.Progress.State() == wa.StateDelivered:
			return n, since
		case x.Progress.State() == wa.StateFailed, now-sent > seedPatience:
			if n == 0 && now-sent > seedNews {
				return 0, 0
			}
			n, since = n+1, sent
		}
	}
	return n, since
}

// othersArrive tells whether at least half of the campaign's own messages since a
// moment have arrived. Its course is known.
func (l *live) othersArrive(since wa.Instant) bool {
	var messages, arrived int64
	for minute := since.Second() / 60; minute <= l.course.lastMinute(); minute++ {
		p := l.course.minutes[minute]
		messages, arrived = messages+p.Messages, arrived+p.Delivered
	}
	return arrived > 0 && 2*arrived >= messages
}

// view is what people see of them; nil when there is nothing.
func (s *seeding) view(template string) *link.Seeds {
	problem := s.problem
	if s.unfit != template { // it was of another one
		problem = ""
	}
	if len(s.all) == 0 && problem == "" {
		return nil
	}
	v := &link.Seeds{Problem: wa.Clean(problem)}
	var took []float64
	var sentAt, arrivedAt wa.Instant
	for _, x := range s.all {
		switch x.State {
		case store.SeedUnknown:
			v.Unknown++
			continue
		case store.SeedHandedOver, store.SeedRefused:
			v.Sent++
		default:
			continue
		}
		sent := x.Progress.Clock()
		sentAt = max(sentAt, sent)
		switch x.Progress.State() {
		case wa.StateDelivered:
			v.Delivered++
			if at := x.Progress.ArrivedAt(); at != 0 && sent != 0 {
				arrivedAt = max(arrivedAt, at)
				took = append(took, float64(max(at-sent, 0))/1000)
			}
		case wa.StateFailed:
			v.Failed++
		}
	}
	if n := len(took); n > 0 {
		slices.Sort(took)
		median := (took[(n-1)/2] + took[n/2]) / 2
		v.MedianSeconds = &median
	}
	v.LastSentAt, v.LastDeliveredAt = moment(sentAt), moment(arrivedAt)
	return v
}
