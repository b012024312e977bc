package monitor

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"tickwatch/monitor/alarm"
	"tickwatch/monitor/link"
	"tickwatch/monitor/queue"
	"tickwatch/store"
	"tickwatch/wa"
)

const (
	liveWithin = wa.Instant(30_000) // an event in the last half minute: the feed is live
	// catchUp is how long after an outage of the feed nothing is projected, nor said
	// to be well: Meta repeats what it could not deliver.
	catchUp = wa.Instant(10 * time.Minute / time.Millisecond)
	// receivedLate is how long after its timestamp a status must come to be one that
	// Meta repeats, and not a slow one.
	receivedLate = 60 // seconds
	// lateProves is how many such statuses of a silent stretch prove an outage.
	lateProves = 20
	maxGaps    = 8
	// silentLately is a silence that may have been an outage.
	silentLately = wa.Instant(60_000)
)

// feedGap is a stretch in which the feed was sick.
type feedGap struct {
	from, to wa.Instant // to 0 = it still is
	late     int64      // statuses of messages of that stretch that came long after their time
	told     bool       // an alarm tells of them
	lateAt   int64      // the second in which the latest of them came
}

// listenTo tells the listener what a commit brought. m.mu is held, and the store's
// writer waits.
func (m *Monitor) listenTo(now wa.Instant, c *store.Change) {
	n := alarm.FeedNews{Any: c.From != 0, Outside: map[int64]alarm.Outside{}}
	if n.Any {
		now = c.Feed.LastEventAt // when it was received: a recording tells that, too
		if m.heard && c.From-m.feed.LastEventAt >= silentLately && m.listener.Blind() == 0 && !m.gapOpen() {
			m.quiet = feedGap{from: m.feed.LastEventAt, to: c.From} // whether it was more than calm, what comes now shows
		}
		m.heard = true
	}
	for _, cc := range c.Campaigns {
		d := &cc.Tally.Counts
		n.Late += max(d.Read, 0)
		if cc.Own {
			// What an operator resolves was with Meta before.
			n.Handed += max(d.Messages-d.Paced+min(d.Unknown, 0), 0)
			n.Own += max(d.Sent, 0) + max(d.Delivered, 0) + max(d.Read, 0) + max(d.Failed-d.Refused, 0) + max(d.OptOuts, 0)
		}
		for second, p := range cc.Pulses {
			m.listenToSecond(now.Second(), second, &p, cc.Own, &n)
		}
	}
	m.listener.Add(now, n)
}

// listenToSecond takes in what came of the messages whose clock is in one second.
func (m *Monitor) listenToSecond(now, second int64, p *store.Pulse, own bool, n *alarm.FeedNews) {
	if !own {
		o := n.Outside[second]
		o.Messages += p.Messages
		o.Answered += p.Delivered + p.Failed
		n.Outside[second] = o
	}
	if now-second <= receivedLate {
		return
	}
	n.Late += max(p.Delivered, 0) + max(p.Failed-p.Refused, 0)
	// An arrival within half a minute is told at once, unless the telling is late.
	late := max(p.Within[1], 0)
	if !own {
		late = max(late, p.Messages)
	}
	if now <= second+store.Ages[1]+receivedLate {
		return
	}
	if m.quiet.holds(second) {
		m.quiet.late += late
		m.quiet.lateAt = now
	}
	for i := range slices.Backward(m.gaps) {
		if g := &m.gaps[i]; g.holds(second) {
			g.late += late
			return
		}
	}
}

// holds tells whether what becomes of a second's messages could have been kept back.
func (g *feedGap) holds(second int64) bool {
	return g.from != 0 && second >= g.from.Second()-store.Ages[1] && (g.to == 0 || second <= g.to.Second())
}

// feedState tells live, idle and stalled apart. m.mu is held.
func (m *Monitor) feedState(now wa.Instant) string {
	sick, _ := m.sickness(now)
	silent := now - m.feed.LastEventAt
	switch {
	case sick != alarm.FeedWell:
		return link.FeedStalled
	case m.feed.LastEventAt != 0 && silent < liveWithin:
		return link.FeedLive
	}
	return link.FeedIdle
}

func (m *Monitor) sickness(now wa.Instant) (alarm.Sickness, wa.Instant) {
	running := false
	for _, l := range m.campaigns {
		running = running || l.running(now)
	}
	return m.listener.Look(now, running && !m.ended)
}

// deaf tells whether nothing is heard of what becomes of a campaign's messages, so
// that its delivery cannot be judged. m.mu is held.
func (m *Monitor) deaf(l *live) bool {
	return m.incidents.stands("feed", "feed") && (l.Own || m.listener.Blind() == 0)
}

// judgeFeed raises the feed's own alarm, so that what it does not bring is not
// taken for a fault of the campaign. m.mu is held.
func (m *Monitor) judgeFeed(now wa.Instant, v *queue.View) {
	sick, since := m.sickness(now)
	m.keepGap(now, sick, since)
	f := finding{kind: "feed", subject: "feed"}
	level := alarm.OK
	switch sick {
	case alarm.FeedBlind:
		level = alarm.Watch
		if b := m.listener.Blind(); b != 0 && now-b >= ms(DefaultBlindAfter) {
			level = alarm.Act
		}
		while, out := "", "; nothing of ours goes out now"
		if m.sendersOf(now, v, func(l *live) bool { return l.Own }).open {
			while, out = " while they go out", ""
		}
		f.text = fmt.Sprintf("No webhook about our own messages for %s%s: the feed is cut off, not the campaign. Opt-outs are not seen either%s", lasted(now.Sub(since)), while, out)
		f.advice = checkFeedWords
	case alarm.FeedSilent:
		level = alarm.Watch
		f.text = fmt.Sprintf("No webhook for %s while answers are due: the feed seems cut off, and the figures are old", lasted(now.Sub(since)))
		f.advice = "Do not judge delivery by these figures. " + checkFeedWords
	case alarm.FeedWell:
	}
	m.incidents.fact(now, level, f)
	m.tellCaughtUp(now)
	m.judgeQuiet(now)
}

// judgeQuiet tells of a silence that looked calm, and was none: what was kept back
// comes, long after its time.
func (m *Monitor) judgeQuiet(now wa.Instant) {
	q := &m.quiet
	level := alarm.OK
	if q.late >= lateProves && now.Second()-q.lateAt < receivedLate {
		level = alarm.Watch
		if !q.told {
			q.told = true
			m.gaps = append(m.gaps, *q)
			m.gaps = m.gaps[max(0, len(m.gaps)-maxGaps):]
		}
	}
	m.incidents.fact(now, level, finding{
		kind: "feed", subject: "late", text: q.text(),
		advice: "Nothing is lost, and what comes is counted where it belongs. Look why webhooks did not get through. " + checkFeedWords,
	})
}

// text says what an outage was that is over.
func (g *feedGap) text() string {
	return fmt.Sprintf("No webhook for %s, from %s to %s UTC. What was missing came late since, with its old times: it was the feed, not the campaign",
		lasted(g.to.Sub(g.from)), g.from.Time().Format("15:04"), g.to.Time().Format("15:04"))
}

const checkFeedWords = "Enter on it checks the listener, the public address and the subscription; so does `tickwatch doctor`."

// keepGap begins and ends the stretch in which the feed is sick.
func (m *Monitor) keepGap(now wa.Instant, sick alarm.Sickness, since wa.Instant) {
	n := len(m.gaps)
	open := m.gapOpen()
	switch {
	case sick != alarm.FeedWell && !open:
		m.gaps = append(m.gaps, feedGap{from: since})
		m.gaps = m.gaps[max(0, len(m.gaps)-maxGaps):]
	case sick == alarm.FeedWell && open:
		m.gaps[n-1].to = now
	}
}

func (m *Monitor) gapOpen() bool { return len(m.gaps) > 0 && m.gaps[len(m.gaps)-1].to == 0 }

// loadGaps finds the gaps from before a start in the alarms that tell of them.
func (m *Monitor) loadGaps(last wa.Instant) {
	for _, i := range m.incidents.cleared {
		if i.Kind == "feed" && i.Subject == "feed" { // and none that tells of late news alone
			m.gaps = append(m.gaps, feedGap{from: i.RaisedAt - ms(time.Minute), to: i.ClearedAt})
		}
	}
	if m.incidents.stands("feed", "feed") {
		m.gaps = append(m.gaps, feedGap{from: last})
	}
	m.gaps = m.gaps[max(0, len(m.gaps)-maxGaps):]
}

// tellCaughtUp adds to the alarm of an outage that what it kept back has come: that
// proves it was the feed.
func (m *Monitor) tellCaughtUp(now wa.Instant) {
	for k := range m.gaps {
		g := &m.gaps[k]
		if g.to == 0 || g.late < lateProves || g.told || now-g.to > catchUp {
			continue
		}
		for _, i := range m.incidents.cleared { // the first that ended with it or after it
			if i.Kind != "feed" || i.Subject != "feed" || i.ClearedAt < g.to {
				continue
			}
			g.told = true
			i.Text = g.text()
			i.dirty = true
			break
		}
	}
}

// ageFigures takes back what a campaign's figures cannot say while the feed is
// sick, and until Meta has had the time to repeat what was missed: silence would
// read as messages that do not arrive.
func (m *Monitor) ageFigures(now wa.Instant, c *link.Campaign) {
	stalled, since := m.incidents.stands("feed", "feed"), m.incidents.clearedAt("feed", "feed")
	f := &c.First30
	if c.State != "running" || !stalled && (since == 0 || now-since > catchUp) {
		return
	}
	f.Projected, f.Low, f.High = nil, nil, nil
	if r := &c.Reports; stalled {
		if r.Verdict == link.VerdictOK {
			r.Verdict = link.VerdictUnsure
		}
		r.Reason = strings.TrimSuffix("as it stood when the feed stalled, no opt-out is heard since; "+r.Reason, "; ")
	}
	if !m.gapWithin(now, f) {
		return
	}
	f.Provisional = true
	switch {
	case stalled && f.Verdict == link.VerdictOK:
		f.Verdict, f.Reason = link.VerdictUnsure, "as it stood when the feed stalled"
	case stalled:
		f.Reason = "as it stood when the feed stalled; " + f.Reason
	default:
		f.Reason = fmt.Sprintf("provisional, the feed was cut off until %s ago; %s", lasted(now.Sub(since)), f.Reason)
	}
}

// gapWithin tells whether the feed was sick while the messages of a campaign's
// first half hour were being answered.
func (m *Monitor) gapWithin(now wa.Instant, f *link.First30) bool {
	return f.From != nil && slices.ContainsFunc(m.gaps, func(g feedGap) bool {
		return cmp.Or(g.to, now) >= wa.At(*f.From) && g.from <= wa.At(f.From.Add(closedAfter))
	})
}

// inGap tells whether a minute's messages were not heard of because the feed was
// sick: what Meta has repeated since is no gap any more.
func (m *Monitor) inGap(now wa.Instant, minute int64, p *store.Pulse) bool {
	from, to := wa.Instant(minute*60_000), wa.Instant((minute+1)*60_000)
	for _, g := range m.gaps {
		if min(cmp.Or(g.to, now), to)-max(g.from, from) < (min(to, now)-from)/2 || g.from >= to {
			continue
		}
		if missing := p.Messages - p.Delivered - p.Failed - p.Paced; p.Messages == 0 || 3*missing >= p.Messages {
			return true
		}
	}
	return false
}
