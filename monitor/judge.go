package monitor

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"tickwatch/monitor/alarm"
	"tickwatch/monitor/queue"
	"tickwatch/wa"
)

// judge puts every figure to its rule. m.mu is held.
func (m *Monitor) judge(now wa.Instant, v *queue.View) {
	m.incidents.wakeUp(now)
	for _, l := range m.campaigns {
		m.noteSending(l)
	}
	for _, id := range slices.Sorted(maps.Keys(m.campaigns)) { // in order: alarms are numbered as they are raised
		if l := m.campaigns[id]; l.course != nil && m.judged(now, l) {
			m.judgeCampaign(now, l)
			m.judgeReported(now, l)
			m.judgeReplies(now, l)
			m.judgeSeeds(now, l)
		}
	}
	runs := func(key string) bool { // nothing can be done about one that is over
		l := m.byKey[key]
		return l != nil && l.running(now)
	}
	sends := func(key string) bool { return runs(key) && now-m.byKey[key].Latest < sendingOver }
	m.incidents.clearOthers(now, "delivery", func(key string) bool { return sends(strings.TrimSuffix(key, seedsSubject)) })
	m.incidents.clearOthers(now, "withheld", sends)
	m.incidents.clearOthers(now, "reports", func(key string) bool {
		return runs(strings.TrimSuffix(strings.TrimSuffix(key, typedSubject), repliesSubject))
	})
	m.judgeFeed(now, v)
	m.judgeCallbacks(now)
	m.judgeHost(now)
	m.judgeStore(now)
	m.judgeSheet(now)
	m.judgeNotify(now)
	m.judgeAccounts(now, v)
	m.judgeNumbers(now)
	m.judgeLimits(now)
	m.judgeHealth(now)
	m.judgePolls(now)
	for _, id := range slices.Sorted(maps.Keys(m.templates)) {
		m.judgeTemplate(now, v, m.templates[id])
	}
}

// sendingOver is the silence after which a campaign's delivery is no longer an
// incident: nothing goes out that could be stopped. Opt-outs still come in.
const sendingOver = wa.Instant(15 * time.Minute / time.Millisecond)

// worstCode is the code of most failures in the last minutes, but for what Meta
// chose not to deliver.
func (c *course) worstCode(now, span int64) (code int, n int64) {
	for k, e := range c.errors {
		if withheld(k) {
			continue
		}
		var sum int64
		for minute := now - span + 1; minute <= now; minute++ {
			sum += e.minutes[minute]
		}
		if sum > n || (sum == n && n > 0 && k < code) {
			code, n = k, sum
		}
	}
	return code, n
}

// judgeSheet says when rows do not reach the operator's sheet.
func (m *Monitor) judgeSheet(now wa.Instant) {
	if m.o.Sheet == nil {
		return
	}
	s, level := m.o.Sheet(), alarm.OK
	switch {
	case s.Trouble != "" && s.Lasting:
		level = alarm.Act
	case s.Trouble != "":
		level = alarm.Watch
	}
	m.incidents.fact(now, level, finding{
		kind: "host", subject: "sheet", text: fmt.Sprintf("%s rows wait for the sheet: %s", count(s.Behind), wa.Clean(s.Trouble)),
		advice: "Nothing is lost: they wait on the disk, and go in once it is mended. tickwatch doctor looks at the sheet.",
	})
}

// count prints a number of messages or people with thousands set apart.
func count(n int64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
