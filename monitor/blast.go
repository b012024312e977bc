package monitor

import (
	"math"

	"tickwatch/monitor/link"
	"tickwatch/monitor/queue"
	"tickwatch/wa"
)

const (
	// clustered is by how much failures vary more than chance lets them: they come in
	// blocks of a list, so that so many messages tell as much as one drawn at random.
	clustered = 2
	quantile  = 1.96 // of 95 in 100
)

// blastOf is what each minute of waiting costs while a campaign goes out: at the
// pace and with the failures of the last minutes. nil where nothing goes out, or too
// little has been decided to say. m.mu is held.
func (m *Monitor) blastOf(now wa.Instant, l *live, v *queue.View) *link.Blast {
	if l.course == nil || !m.goesOut(now, v, l) {
		return nil
	}
	perMinute := l.course.minutes[now.Second()/60-1].Messages
	if s, ok := v.Campaigns[l.ID]; ok && l.Own {
		if perMinute == 0 { // its first one is not over
			perMinute = int64(math.Round(60 * s.PerSecond))
		}
		perMinute = min(perMinute, l.Counts.Waiting+l.Counts.Claimed)
	}
	p, enough := l.course.recent((now-ms(m.o.Thresholds.JudgeAfter)).Second()/60, m.o.Thresholds.MinMessages)
	if perMinute <= 0 || !enough {
		return nil
	}
	b := &link.Blast{SentPerMinute: perMinute}
	b.FailuresLow, b.FailuresHigh = failuresAhead(perMinute, p.Failed, p.Delivered+p.Failed)
	if people := m.peopleAllowed(l); people > 0 {
		s := float64(perMinute) / float64(people)
		b.LimitShare = &s
	}
	return b
}

// failuresAhead is between how many of the next messages will fail, in nine of ten
// cases, when failed of decided messages did: Wilson's interval of the rate, and the
// chance of the messages themselves, both widened for failures that come in blocks.
func failuresAhead(messages, failed, decided int64) (low, high int64) {
	n := float64(decided) / clustered
	p := float64(failed) / float64(decided)
	middle := (p + quantile*quantile/(2*n)) / (1 + quantile*quantile/n)
	half := quantile / (1 + quantile*quantile/n) * math.Sqrt(p*(1-p)/n+quantile*quantile/(4*n*n))
	ahead := float64(messages)
	// Two spreads that know nothing of each other add up as squares do.
	spread := math.Hypot(half*ahead, quantile*math.Sqrt(clustered*ahead*middle*(1-middle)))
	low = int64(math.Floor(max(middle*ahead-spread, 0)))
	high = int64(math.Ceil(min(middle*ahead+spread, ahead)))
	return low, high
}

// peopleAllowed is how many people the numbers of a campaign may reach in 24 hours
// outside of conversations; 0 = without a limit, or not known. The limit is the
// portfolio's (whatsapp.md §4), so the numbers' are one.
func (m *Monitor) peopleAllowed(l *live) int64 {
	numbers := l.Numbers
	if l.Own {
		numbers = m.planOf(l).From
	}
	people, _ := m.limitOf(numbers)
	return int64(people)
}
