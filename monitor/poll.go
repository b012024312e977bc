package monitor

import (
	"cmp"
	"context"
	"time"

	"tickwatch/monitor/link"
	"tickwatch/store"
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
			m.polled(ctx, news)
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

// polled takes over Meta's answer. What it says anew is noted in the journal, for a
// recording.
func (m *Monitor) polled(ctx context.Context, news []NumberNews) {
	now := wa.At(m.o.Now())
	var fresh []store.DeedNumber
	m.mu.Lock()
	for _, n := range news {
		had, asked := m.news[n.ID]
		n.Since = had.Since
		if asked && n == had && had.Since >= m.numbers[n.ID].Since {
			continue
		}
		n.Since = now
		m.news[n.ID] = n
		fresh = append(fresh, store.DeedNumber{
			ID: n.ID, Display: n.Display, Quality: n.Quality, Status: n.Status, Limit: n.Limit, Throughput: n.Throughput, Since: now,
		})
	}
	m.mu.Unlock()
	m.wake()
	if len(fresh) == 0 {
		return
	}
	if err := m.o.Store.Note(ctx, &store.Deed{Kind: store.DeedPolled, Numbers: fresh}); err != nil && ctx.Err() == nil {
		m.o.Log.Error("how the numbers stand is shown, but no recording will have it", "error", err)
	}
}

// polledThen takes over an answer that a recording tells of.
func (m *Monitor) polledThen(numbers []store.DeedNumber) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, n := range numbers {
		m.news[n.ID] = NumberNews{
			Number:     wa.Number{ID: n.ID, Display: n.Display, Quality: n.Quality, Status: n.Status, Limit: n.Limit, Since: n.Since},
			Throughput: n.Throughput,
		}
	}
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
