package monitor

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"tickwatch/monitor/alarm"
	"tickwatch/wa"
)

// NumberNews is what Meta answers when it is asked about a number.
type NumberNews struct {
	wa.Number
	Throughput float64 // messages a second; 0 = not said
}

// How often Meta is asked how things stand: while something goes out, and else. A
// round costs one call for all numbers, one for each of at most askedTemplates, and
// one for the account where the numbers do not tell of it: at most 84 an hour, within
// the 100 that wa/graph grants to polls.
const (
	pollEvery      = 5 * time.Minute
	pollIdle       = 6 // times pollEvery
	askedTemplates = 5
)

// poll asks Meta how things stand: at the start, every few minutes while a campaign
// runs, and every half hour else, since people block and report for days.
func (m *Monitor) poll(ctx context.Context) {
	if m.o.Sending.Poll == nil {
		return
	}
	failed := false
	tick := time.NewTicker(m.real(pollEvery))
	defer tick.Stop()
	for {
		asked := wa.At(m.o.Now())
		answer, err := m.o.Sending.Poll(ctx, m.templatesToAsk())
		if ctx.Err() != nil {
			return
		}
		if err != nil && !failed {
			m.o.Log.Warn("Meta does not say all of how numbers and templates stand", "error", err)
		}
		failed = err != nil
		m.notePoll(err, len(answer.Numbers) > 0)
		answer.At = asked
		m.polled(ctx, &answer)
		for idle := range pollIdle {
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
			if m.anyRunning() || idle == pollIdle-1 {
				break
			}
		}
	}
}

// silentPolls is after how many polls in a row that told of no number it is an alarm.
const silentPolls = 3

// notePoll keeps how many polls in a row failed to tell how the numbers stand, and why.
func (m *Monitor) notePoll(err error, told bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err == nil || told {
		m.silent, m.silentWhy = 0, ""
		return
	}
	m.silent, m.silentWhy = m.silent+1, wa.Clean(err.Error())
}

// judgePolls says when quality stands as it was told once, while a campaign runs: it
// may have fallen since. m.mu is held.
func (m *Monitor) judgePolls(now wa.Instant) {
	level := alarm.OK
	if m.silent >= silentPolls && m.anyRuns(now, func(*live) bool { return true }) {
		level = alarm.Watch
	}
	m.incidents.fact(now, level, finding{
		kind: "quality", subject: "polls", text: fmt.Sprintf("Meta has not said %d times how the numbers stand: their quality may be worse than it shows. %s", m.silent, m.silentWhy),
		advice: "See whether the access token still holds: tickwatch doctor. Meanwhile look at the quality in WhatsApp Manager.",
	})
}

// real is how long a span of the daemon's clock takes.
func (m *Monitor) real(d time.Duration) time.Duration {
	if m.o.Sending.Speed > 0 {
		d = time.Duration(float64(d) / m.o.Sending.Speed)
	}
	return max(d, 250*time.Millisecond)
}

func (m *Monitor) anyRunning() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := wa.At(m.o.Now())
	for _, l := range m.campaigns {
		if l.running(now) {
			return true
		}
	}
	return false
}

// polled hands Meta's answer to the store, which tells what of it is new.
func (m *Monitor) polled(ctx context.Context, p *wa.Poll) {
	if len(p.Numbers)+len(p.Templates)+len(p.Health)+len(p.Compared) == 0 {
		return
	}
	if err := m.o.Store.Poll(ctx, p); err != nil && ctx.Err() == nil {
		m.o.Log.Error("how numbers and templates stand cannot be stored; Meta is asked again", "error", err)
	}
}

// templatesToAsk are the templates of campaigns that run, then those that Meta told
// of within a day.
func (m *Monitor) templatesToAsk() []int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := wa.At(m.o.Now())
	var ids []int64
	add := func(id int64) {
		if id > 0 && len(ids) < askedTemplates && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	running := slices.Collect(maps.Values(m.campaigns))
	newestFirst(running)
	for _, l := range running {
		if !l.running(now) {
			continue
		}
		add(m.plans[l.ID].Form.ID)
		for _, t := range m.templates {
			if l.sends(&t) {
				add(t.ID)
			}
		}
	}
	for _, t := range m.newestTemplates() {
		if now-t.Since < staleNews {
			add(t.ID)
		}
	}
	return ids
}

// throughput is how many messages a second Meta takes from a number; 0 = not known.
func (m *Monitor) throughput(number string) float64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.numbers[number].Throughput
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
	for _, p := range m.plans {
		if slices.Contains(p.From, name) {
			return name, true
		}
	}
	return "", false
}

// joinedNumbers are the numbers that are known, each once: webhooks name some by
// their digits alone, and others tell whose id goes with them. m.mu is held.
func (m *Monitor) joinedNumbers() []wa.Number {
	ids := map[string]string{} // by digits
	for _, n := range m.numbers {
		if digits := wa.Digits(n.Display); digits != "" && n.ID != "" {
			ids[digits] = n.ID
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
	a.QualityAt, a.Throughput = max(a.QualityAt, b.QualityAt), cmp.Or(a.Throughput, b.Throughput)
	return a
}
