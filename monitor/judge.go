package monitor

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"tickwatch/monitor/alarm"
	"tickwatch/wa"
)

// judge puts every figure to its rule. m.mu is held.
func (m *Monitor) judge(now wa.Instant) {
	for _, id := range slices.Sorted(maps.Keys(m.campaigns)) { // in order: alarms are numbered as they are raised
		if l := m.campaigns[id]; l.course != nil && m.judged(now, l) {
			if now-l.Latest < sendingOver && !m.deaf(l) {
				m.judgeDelivery(now, l)
			}
			m.judgeReports(now, l)
		}
	}
	runs := func(key string) bool { // nothing can be done about one that is over
		l := m.byKey[key]
		return l != nil && l.running(now)
	}
	m.incidents.clearOthers(now, "delivery", func(key string) bool { return runs(key) && now-m.byKey[key].Latest < sendingOver })
	m.incidents.clearOthers(now, "reports", runs)
	m.judgeFeed(now)
	m.judgeCallbacks(now)
	m.judgeHost(now)
	m.judgeStore(now)
	m.judgeSheet(now)
	m.judgeAccounts(now)
	for _, id := range slices.Sorted(maps.Keys(m.templates)) {
		m.judgeTemplate(now, m.templates[id])
	}
}

// sendingOver is the silence after which a campaign's delivery is no longer an
// incident: nothing goes out that could be stopped. Opt-outs still come in.
const sendingOver = wa.Instant(15 * time.Minute / time.Millisecond)

// judgeDelivery looks at the messages of the last minutes, as many as the rule
// needs, so that a fall shows soon and a mended campaign clears. With too few of
// them the alarm stays as it is.
func (m *Monitor) judgeDelivery(now wa.Instant, l *live) {
	// The minute under way counts once its first messages are old enough: before
	// that, the quick deliveries and the slow failures of it would mislead.
	latest := (now - ms(m.o.Thresholds.JudgeAfter)).Second() / 60
	p, span, enough := l.course.recent(latest, m.o.Thresholds.MinMessages)
	if !enough {
		return
	}
	decided := p.Delivered + p.Failed
	settled := float64(p.Delivered) / float64(decided)
	m.incidents.judge(now, finding{kind: "delivery", subject: l.Key, campaign: l.Key}, m.o.Thresholds.delivery(), settled,
		func() (string, string) {
			text := fmt.Sprintf("%s arrived, of %s decided in the last %d min", percent(settled), count(decided), span)
			code, n := l.course.worstCode(latest, span)
			if n == 0 {
				return text, "Look at the errors, and stop the send where it is sent from if it goes on."
			}
			known := wa.Explain(code, m.titles[code])
			return fmt.Sprintf("%s; most failures: %d %s", text, code, wa.Clean(known.Title)), known.Advice
		})
}

// worstCode is the code of most failures in the last minutes.
func (c *course) worstCode(now, span int64) (code int, n int64) {
	for k, e := range c.errors {
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

func (m *Monitor) judgeReports(now wa.Instant, l *live) {
	outs, delivered := l.Counts.OptOuts, l.Counts.Delivered
	if delivered < m.o.Thresholds.MinMessages {
		return
	}
	rate := float64(outs) / float64(delivered)
	if outs < minOptOuts {
		rate = 0
	}
	m.incidents.judge(now, finding{kind: "reports", subject: l.Key, campaign: l.Key}, m.o.Thresholds.reports(), rate,
		func() (string, string) {
			return fmt.Sprintf("%.2f %% opted out: %s of %s who got it (a proxy: Meta gives no report count)", math.Ceil(1e4*rate)/100, count(outs), count(delivered)),
				"People do not want this message. Stop the send where it is sent from before Meta lowers the quality; look at the list's consent and at the text."
		})
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
