package monitor

import (
	"cmp"
	"context"
	"maps"
	"slices"
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

// numberCalled is the phone_number_id of the number that an operator names by it
// or by its digits: of one that a webhook, a poll or a plan has told of.
func (m *Monitor) numberCalled(name string) (id string, ok bool) {
	digits := wa.Digits(name)
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, n := range m.joinedNumbers() {
		if n.ID == name && name != "" || digits != "" && wa.Digits(n.Display) == digits {
			return cmp.Or(n.ID, n.Display), true
		}
	}
	for id, n := range m.news {
		if id == name || digits != "" && wa.Digits(n.Display) == digits {
			return id, true
		}
	}
	for _, p := range m.plans {
		if slices.Contains(p.From, name) {
			return name, true
		}
	}
	return "", false
}

// joinedNumbers are the numbers that are known, each once: webhooks name some by
// their digits alone, and a poll tells whose id goes with them. m.mu is held.
func (m *Monitor) joinedNumbers() []wa.Number {
	ids := map[string]string{} // by digits
	for id, n := range m.news {
		if digits := wa.Digits(n.Display); digits != "" {
			ids[digits] = id
		}
	}
	byID := map[string]wa.Number{}
	all := make([]wa.Number, 0, len(m.numbers))
	for _, n := range m.numbers {
		if n.ID == "" {
			n.ID = ids[wa.Digits(n.Display)]
		}
		if n.ID == "" {
			all = append(all, n)
			continue
		}
		if had, ok := byID[n.ID]; ok {
			n = joined(had, n)
		}
		byID[n.ID] = n
	}
	return slices.AppendSeq(all, maps.Values(byID))
}

// joined is what two rows of one number tell, each by its latest word.
func joined(a, b wa.Number) wa.Number {
	if a.Since < b.Since {
		a, b = b, a
	}
	a.Display = cmp.Or(a.Display, b.Display)
	a.Quality, a.Status, a.Limit = cmp.Or(a.Quality, b.Quality), cmp.Or(a.Status, b.Status), cmp.Or(a.Limit, b.Limit)
	return a
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
