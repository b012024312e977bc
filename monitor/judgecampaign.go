package monitor

import (
	"fmt"
	"math"

	"tickwatch/monitor/alarm"
	"tickwatch/monitor/link"
	"tickwatch/wa"
)

// judgeCampaign raises and clears the alarms about how a campaign's messages fare at
// present. While the feed says too little, what was known of arrivals stands.
func (m *Monitor) judgeCampaign(now wa.Instant, l *live) {
	j := l.course.present.judge(now)
	if now-l.Latest < sendingOver && !m.deaf(l) {
		m.judgeDelivery(now, l, j)
		m.judgeWithheld(now, l, &j.Withheld)
	}
	m.judgeReports(now, l, j)
}

func (m *Monitor) judgeDelivery(now wa.Instant, l *live, j *alarm.Judgement) {
	f := finding{kind: "delivery", subject: l.Key, campaign: l.Key}
	if v := &j.Delivery; v.Level != alarm.OK {
		f.text, f.easing = arrives(v, j.Withheld.Level != alarm.OK), eases(v)
		f.about = situation{kind: f.kind, level: v.Level, own: l.Own, mute: m.mute(f.kind)}
		if code, n := l.course.worstCode(now.Second()/60, max((now.Second()-v.Since)/60+1, 3)); n > 0 {
			known := wa.Explain(code, m.titles[code])
			f.text = fmt.Sprintf("%s; most failures: %d %s", f.text, code, wa.Clean(known.Title))
			f.about.code, f.about.coded, f.about.title = code, true, m.titles[code]
		}
		f.advice = advise(&f.about).Lines()
		m.incidents.fact(now, v.Level, f)
		return
	}
	if v := &j.Late; v.Level != alarm.OK && !m.catchingUp(now) {
		f.text = fmt.Sprintf("Late: of %s messages that did not fail only %s arrived within a minute (usual: %s)",
			count(v.N), percent(v.Good()), percent(m.arrivals.by(60)))
		f.about = situation{kind: f.kind, level: v.Level, own: l.Own, mute: m.mute(f.kind), late: true}
		f.advice = advise(&f.about).Lines()
		m.incidents.fact(now, v.Level, f)
		return
	}
	m.incidents.fact(now, alarm.OK, f)
}

// eases tells whether the newest figure is better than what it was surely worse than:
// the trouble may be over, and it is too early to say so.
func eases(v *alarm.Verdict) bool { return v.Level != alarm.OK && v.Good() >= 1-v.Beyond }

// arrives says how many messages arrive at present, and how sure that is; where Meta
// withholds many, that these are not counted.
func arrives(v *alarm.Verdict, withheld bool) string {
	if eases(v) {
		return fmt.Sprintf("%s of the newest %s arrive, too early to say that it is over", percent(v.Good()), count(v.N))
	}
	judged := "judged"
	if withheld {
		judged = "judged, the withheld left out"
	}
	return fmt.Sprintf("%s arrive now (%s %s), surely under %s", percent(v.Good()), count(v.N), judged, underLine(v))
}

// catchingUp tells whether Meta may still be repeating what was missed: what looks
// late then was told late.
func (m *Monitor) catchingUp(now wa.Instant) bool {
	since := m.incidents.clearedAt("feed", "feed")
	return m.incidents.stands("feed", "feed") || since != 0 && now-since <= catchUp
}

// underLine is what the share that arrives is surely under, in whole per cent.
func underLine(v *alarm.Verdict) string { return line(math.Ceil(100*(1-v.Beyond)-1e-9) / 100) }

func (m *Monitor) judgeWithheld(now wa.Instant, l *live, v *alarm.Verdict) {
	f := finding{kind: "withheld", subject: l.Key, campaign: l.Key}
	if v.Level != alarm.OK {
		f.easing = eases(v)
		f.text = fmt.Sprintf("Meta chose not to deliver %s of the last %s, surely over %s", percent(1-v.Good()), count(v.N), line(math.Floor(100*v.Beyond+1e-9)/100))
		if f.easing {
			f.text = fmt.Sprintf("Meta chose not to deliver %s of the newest %s, too early to say that it is over", percent(1-v.Good()), count(v.N))
		}
		f.about = situation{kind: f.kind, level: v.Level, own: l.Own}
		f.advice = advise(&f.about).Lines()
	}
	m.incidents.fact(now, v.Level, f)
}

func (m *Monitor) judgeReports(now wa.Instant, l *live, j *alarm.Judgement) {
	f, v := finding{kind: "reports", subject: l.Key, campaign: l.Key}, &j.Reports
	if v.Level != alarm.OK {
		f.text = optOutsNow(v, " (a proxy: Meta gives no report count)") + "; " + knownSoFar(j)
		f.about = situation{kind: f.kind, level: v.Level, own: l.Own, mute: m.mute(f.kind)}
		f.advice = advise(&f.about).Lines()
	}
	m.incidents.fact(now, v.Level, f)
}

// optOutPercent prints a rate of opt-outs, rounded up.
func optOutPercent(rate float64) string {
	return fmt.Sprintf("%.2f %%", math.Max(math.Ceil(rate*1e4-1e-6), 0)/100)
}

// optOutsNow says how many opt out at present, and how sure it is that they are too many.
func optOutsNow(v *alarm.Verdict, note string) string {
	sure := "likely"
	if v.Sure {
		sure = "surely"
	}
	return fmt.Sprintf("%s opt out now%s, %s more than %s", optOutPercent(1-v.Good()), note, sure, line(v.Beyond))
}

// knownSoFar says how much of the opt-outs can have come in: nobody publishes how late
// people opt out.
func knownSoFar(j *alarm.Judgement) string {
	least, known := math.Floor(100*j.Least), math.Floor(100*j.Known)
	if least == known {
		return fmt.Sprintf("%.0f %% of the opt-outs can be known yet (assumed)", known)
	}
	return fmt.Sprintf("%.0f to %.0f %% of the opt-outs can be known yet (assumed)", least, known)
}

// verdictNow is what the sequential test says of a campaign that sends, for its
// first 30 minutes' figures.
func (m *Monitor) verdictNow(now wa.Instant, l *live) (verdict, reason string) {
	j := l.course.present.judge(now)
	v := &j.Delivery
	switch {
	case eases(v):
		return verdictOf(v.Level), fmt.Sprintf("easing: %s of the newest %s, too early to say", percent(v.Good()), count(v.N))
	case v.Level != alarm.OK:
		return verdictOf(v.Level), fmt.Sprintf("%s now, surely under %s (%s judged)", percent(v.Good()), underLine(v), count(v.N))
	case j.Late.Level != alarm.OK && !m.catchingUp(now):
		return verdictOf(j.Late.Level), fmt.Sprintf("%s in a minute, usual: %s (%s judged)", percent(j.Late.Good()), percent(m.arrivals.by(60)), count(j.Late.N))
	case v.N == 0:
		return link.VerdictUnsure, "no message is old enough to be judged"
	case v.Unsure && v.More > 0:
		return link.VerdictUnsure, fmt.Sprintf("%s now; about %s more messages needed (%s judged)", percent(v.Good()), count(v.More), count(v.N))
	case v.Unsure:
		return link.VerdictUnsure, fmt.Sprintf("%s now, too near the line to say (%s judged)", percent(v.Good()), count(v.N))
	}
	return link.VerdictOK, fmt.Sprintf("%s now, surely over %s (%s judged)", percent(v.Good()), line(m.o.Thresholds.DeliveryAct), count(v.N))
}
