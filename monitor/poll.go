package monitor

import (
	"cmp"
	"context"
	"time"

	"tickwatch/monitor/link"
	"tickwatch/wa"
)

// NumberNews is what Meta answers when it is asked about a number.
type NumberNews struct {
	wa.Number
	Throughput float64 // messages a second; 0 = not said
}

// pollEvery is how often Meta is asked about numbers while something goes out:
// far below its 200 questions an hour (whatsapp.md §3).
const pollEvery = 5 * time.Minute

// poll asks about numbers: at the start, and now and then while a campaign of
// ours goes out.
func (m *Monitor) poll(ctx context.Context) {
	if m.o.Sending.Numbers == nil {
		return
	}
	failed := false
	for {
		news, err := m.o.Sending.Numbers(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil && !failed:
			failed = true
			m.o.Log.Warn("Meta does not say how the numbers stand", "error", err)
		case err == nil:
			failed = false
			m.polled(news)
		}
		tick := time.NewTimer(pollEvery)
		for waiting := true; waiting; {
			select {
			case <-tick.C:
				tick.Reset(pollEvery)
				waiting = !m.anySending()
			case <-ctx.Done():
				tick.Stop()
				return
			}
		}
		tick.Stop()
	}
}

func (m *Monitor) anySending() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, l := range m.campaigns {
		if l.sending {
			return true
		}
	}
	return false
}

func (m *Monitor) polled(news []NumberNews) {
	now := wa.At(m.o.Now())
	m.mu.Lock()
	for _, n := range news {
		n.Since = now
		m.news[n.ID] = n
	}
	m.mu.Unlock()
	m.wake()
}

// throughput is how many messages a second Meta takes from a number; 0 = not known.
func (m *Monitor) throughput(number string) float64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.news[number].Throughput
}

// numberView is a number with what a poll said of it, where that is newer than what
// webhooks did. m.mu is held.
func (m *Monitor) numberView(n wa.Number) link.Number {
	news, asked := m.news[n.ID]
	if asked && n.ID != "" {
		n.Display = cmp.Or(n.Display, news.Display)
		if news.Since > n.Since {
			n.Quality = cmp.Or(news.Quality, n.Quality)
			n.Status = cmp.Or(news.Status, n.Status)
			n.Limit = cmp.Or(news.Limit, n.Limit)
			n.Since = news.Since
		}
	}
	out := link.Number{
		ID: n.ID, Display: display(n.Display), Quality: string(n.Quality), Status: n.Status,
		Limit: string(n.Limit), Since: moment(n.Since),
	}
	if asked && news.Throughput > 0 {
		out.ThroughputMPS = &news.Throughput
	}
	return out
}
