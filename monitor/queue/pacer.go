package queue

import "time"

// pacer spaces starts evenly. Time in which nothing started is lost: it is not
// made up for by a burst.
type pacer struct {
	last time.Time // the moment that belonged to the latest start
}

// due is when the next may start, at a rate a second; 0 = no limit. A rate that
// has changed counts from the latest start.
func (p *pacer) due(rate float64) time.Time {
	if rate <= 0 || p.last.IsZero() {
		return time.Time{}
	}
	return p.last.Add(interval(rate))
}

// take notes a start, at a moment when it is due. One that is late by less than
// slack makes the next no later: timers are never exact. Only a fast rate makes
// up for more, and for no more than slack.
func (p *pacer) take(now time.Time, rate float64, slack time.Duration) {
	due := p.due(rate)
	switch {
	case !due.IsZero() && now.Sub(due) < slack:
		p.last = due
	case rate > 0 && interval(rate)*5 <= slack:
		p.last = now.Add(-slack)
	default:
		p.last = now
	}
}

// interval is the time between two starts at a rate a second, which is above 0.
func interval(rate float64) time.Duration {
	const longest = 1000 * time.Hour
	return time.Duration(min(float64(time.Second)/rate, float64(longest)))
}

// meterSpan is what a meter looks back over, in seconds.
const meterSpan = 10

// meter counts starts over the last ten seconds.
type meter struct {
	first  int64 // the second of the first start after a silence
	newest int64 // the second of the latest start
	counts [meterSpan + 1]int32
}

func (m *meter) add(now time.Time) {
	second := now.Unix()
	switch {
	case m.newest == 0 || second < m.newest || second-m.newest > meterSpan:
		*m = meter{first: second, newest: second}
	default:
		for m.newest < second {
			m.newest++
			m.counts[m.newest%int64(len(m.counts))] = 0
		}
	}
	m.counts[second%int64(len(m.counts))]++
}

// sum is how many started in the last ten seconds, that of now besides.
func (m *meter) sum(now time.Time) (n int64) {
	second := now.Unix()
	for s := max(m.first, second-meterSpan); s <= min(m.newest, second); s++ {
		n += int64(m.counts[s%int64(len(m.counts))])
	}
	return n
}

// perSecond is the rate of starts over the last ten seconds, or since the first
// of them after a silence, but over a second at least.
func (m *meter) perSecond(now time.Time) float64 {
	if m.newest == 0 {
		return 0
	}
	from := max(m.first, now.Unix()-meterSpan)
	span := now.Sub(time.Unix(from, 0)).Seconds()
	return float64(m.sum(now)) / max(1, span)
}
