package monitor

import (
	"sync"
	"time"

	"tickwatch/monitor/link"
	"tickwatch/wa"
)

// pace is what the feed brought in each of the latest minutes, by the daemon's
// clock. It begins with the daemon: nothing stored tells it again.
type pace struct {
	mu      sync.Mutex
	minutes [link.MaxTrend]paceMinute // minute m at m % MaxTrend
	first   int64                     // no minute before it is known
	newest  int64
}

type paceMinute struct {
	posts, updates, duplicates int64
	answers                    [answerBuckets]uint32
}

func (p *pace) start(now wa.Instant) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.first, p.newest = now.Second()/60, now.Second()/60
}

func (p *pace) add(now wa.Instant, posts, updates, duplicates int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	m := p.minute(now)
	m.posts, m.updates, m.duplicates = m.posts+posts, m.updates+updates, m.duplicates+duplicates
}

func (p *pace) answered(now wa.Instant, took time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.minute(now).answers[bucketOf(took)]++
}

// minute is the one under way. A clock that was set back starts anew.
func (p *pace) minute(now wa.Instant) *paceMinute {
	n := now.Second() / 60
	if n < p.newest || n-p.newest >= link.MaxTrend {
		p.minutes = [link.MaxTrend]paceMinute{}
		if n < p.newest {
			p.first = n
		}
		p.newest = n
	}
	for p.newest < n {
		p.newest++
		p.minutes[p.newest%link.MaxTrend] = paceMinute{}
	}
	return &p.minutes[n%link.MaxTrend]
}

// view is the course up to now.
func (p *pace) view(now wa.Instant) []link.FeedMinute {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.minute(now)
	first := max(p.first, p.newest-link.MaxTrend+1)
	out := make([]link.FeedMinute, 0, p.newest-first+1)
	for n := first; n <= p.newest; n++ {
		m := &p.minutes[n%link.MaxTrend]
		v := link.FeedMinute{At: time.Unix(n*60, 0).UTC(), Posts: m.posts, Updates: m.updates, Duplicates: m.duplicates}
		if q := quantiles(&m.answers); q != nil {
			v.AnswerP99MS = &q.P99
		}
		out = append(out, v)
	}
	return out
}
