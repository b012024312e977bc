package monitor

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"tickwatch/store"
	"tickwatch/wa"
)

const (
	callbackAge    = 60  // seconds; a message that is younger may still be unheard
	callbackWindow = 600 // seconds of handing over that are looked at
)

// callbacks is what is heard of the messages of one campaign of ours, by the second
// in which Meta took them. It begins with the daemon: nothing stored tells it.
type callbacks struct {
	seconds map[int64]store.Heard
}

// add takes over what a commit changed.
func (c *callbacks) add(now int64, change map[int64]store.Heard) {
	if c.seconds == nil {
		c.seconds = map[int64]store.Heard{}
	}
	for at, d := range change {
		h := c.seconds[at]
		h.Taken += d.Taken
		h.Heard += d.Heard
		c.seconds[at] = h
	}
	if oldest := now - callbackWindow - callbackAge; len(c.seconds) > 2*callbackWindow {
		maps.DeleteFunc(c.seconds, func(at int64, _ store.Heard) bool { return at < oldest })
	}
}

// recent sums the messages that are a minute old and no older than the window.
func (c *callbacks) recent(now int64) (sum store.Heard) {
	for at, h := range c.seconds {
		// Of what was taken before the start only the later news is here.
		if age := now - at; age >= callbackAge && age < callbackWindow+callbackAge && h.Taken > 0 {
			sum.Taken += h.Taken
			sum.Heard += min(h.Heard, h.Taken)
		}
	}
	return sum
}

// unheard counts the messages of the latest minutes of which nothing is heard, however
// young.
func (c *callbacks) unheard() (n int64) {
	for _, h := range c.seconds {
		n += max(h.Taken-h.Heard, 0)
	}
	return n
}

// callbackRate is the share of all that we handed over in the latest minutes of
// which something is heard; nil when there is nothing a minute old. m.mu is held.
func (m *Monitor) callbackRate(now wa.Instant) *float64 {
	var all store.Heard
	for _, l := range m.campaigns {
		h := l.callbacks.recent(now.Second())
		all.Taken += h.Taken
		all.Heard += h.Heard
	}
	return share(all.Heard, all.Taken)
}

// judgeCallbacks raises an alarm where Meta takes messages and too many of them are
// never heard of. While the feed has an alarm of its own, and until it has caught
// up, that one says enough. m.mu is held.
func (m *Monitor) judgeCallbacks(now wa.Instant) {
	since := m.incidents.clearedAt("feed", "feed")
	if m.incidents.stands("feed", "feed") || since != 0 && now-since < catchUp {
		return
	}
	judged := map[string]bool{}
	for _, key := range slices.Sorted(maps.Keys(m.byKey)) {
		l := m.byKey[key]
		h := l.callbacks.recent(now.Second())
		if h.Taken < m.o.Thresholds.MinMessages {
			continue
		}
		judged[key] = true
		rate := float64(h.Heard) / float64(h.Taken)
		m.incidents.judge(now, finding{kind: "callbacks", subject: key, campaign: key}, m.o.Thresholds.callbacks(), rate, func() (string, string) {
			return fmt.Sprintf("Of %s messages that Meta took in the last minutes %s have no webhook after a minute: %s are heard of", count(h.Taken), count(h.Taken-h.Heard), percent(rate)),
				"The delivery figures miss them. See that nothing before the listener turns webhooks away, and that no other program takes part of them: tickwatch doctor."
		})
	}
	m.incidents.clearOthers(now, "callbacks", func(key string) bool { return judged[key] })
}

// Answer times that Meta must not see (design.md): one over two seconds, or more
// than 800 ms in the middle of many.
const (
	slowAnswer  = 2 * time.Second
	slowMean    = 800 * time.Millisecond
	meanAnswers = 10
)

// judgeAnswers raises an alarm when this machine answers webhooks late.
func (m *Monitor) judgeAnswers(now wa.Instant) {
	a := m.answers.lately(time.Now())
	f := finding{
		kind: "host", subject: "answers",
		advice: "Meta repeats what is answered late, and slows down. Look what keeps this machine or its disk busy.",
	}
	var level float64
	switch {
	case a.n >= meanAnswers && a.mean() > slowMean:
		level = 2
		f.text = fmt.Sprintf("Webhooks are answered after %s on average, of %s in the last minute; it should be under %s", brief(a.mean()), count(a.n), brief(slowMean))
	case a.slowest > slowAnswer:
		level = 1
		f.text = fmt.Sprintf("A webhook was answered after %s; each should be within %s", brief(a.slowest), brief(slowAnswer))
	}
	m.incidents.judge(now, f, answersRule, level, func() (string, string) { return f.text, f.advice })
}

func brief(d time.Duration) string { return d.Round(10 * time.Millisecond).String() }
