package monitor

import (
	"fmt"
	"math"
	"time"

	"tickwatch/monitor/alarm"
	"tickwatch/monitor/link"
	"tickwatch/store"
	"tickwatch/wa"
)

// closedAfter is when the figures of the first 30 minutes are final: every
// message of theirs is half an hour old.
const closedAfter = time.Hour

// first30 makes the figures of a campaign's first 30 minutes.
func (c *course) first30(now wa.Instant, t Thresholds, usual *arrivals) link.First30 {
	out := link.First30{ByAge: []link.AgeShare{}, Verdict: link.VerdictUnsure, Reason: "no message yet"}
	start := c.startSecond()
	if start == 0 {
		return out
	}
	from := time.Unix(start, 0).UTC()
	to := from.Add(30 * time.Minute)
	out.From, out.To = &from, &to
	out.Closed = now.Second() >= start+int64(closedAfter/time.Second)

	var all store.Pulse
	var oldEnough, arrived [len(store.Ages)]int64
	var p projection
	for second := start; second < start+1800; second++ { // in order: the sums of a projection depend on it
		cell, some := c.window[second]
		if !some {
			continue
		}
		all.Add(&cell)
		age := now.Second() - second
		for a, limit := range store.Ages {
			if age >= limit {
				oldEnough[a] += cell.Messages
				arrived[a] += cell.Within[a]
			}
		}
		p.add(cell.Messages, age, usual)
	}
	out.Messages, out.Delivered = all.Messages, all.Within[len(store.Ages)-1]
	out.Failed, out.Withheld = all.Failed30, all.Withheld30
	out.InFlight = out.Messages - out.Delivered - out.Failed
	out.Observed = share(out.Delivered, out.Messages)
	out.Settled = share(out.Delivered, out.Delivered+out.Failed)
	for a, limit := range store.Ages {
		if s := share(arrived[a], oldEnough[a]); s != nil {
			out.ByAge = append(out.ByAge, link.AgeShare{Seconds: limit, Share: *s, Messages: oldEnough[a]})
		}
	}
	if !out.Closed {
		out.Projected, out.Low, out.High = p.interval(out.Delivered, out.Failed)
	}
	out.Verdict, out.Reason = judgeSettled(out.Delivered, out.Failed, t)
	out.Plain = &link.Plain{Verdict: out.Verdict, Reason: out.Reason}
	return out
}

// judgeSettled is the guide's plain rule, which is shown and never acts: of the messages decided, enough must have
// arrived. The reason says what the figure beside it does not.
func judgeSettled(delivered, failed int64, t Thresholds) (verdict, reason string) {
	decided := delivered + failed
	if decided < t.MinMessages {
		return link.VerdictUnsure, fmt.Sprintf("%s decided, %s needed to judge", count(decided), count(t.MinMessages))
	}
	switch level := t.delivery().Plain(float64(delivered) / float64(decided)); level {
	case alarm.Act:
		return verdictOf(level), fmt.Sprintf("below the line of %s: act now", line(t.DeliveryAct))
	case alarm.Watch:
		return verdictOf(level), fmt.Sprintf("below the line of %s: watch it", line(t.DeliveryOK))
	default:
		return verdictOf(level), fmt.Sprintf("above the line of %s", line(t.DeliveryOK))
	}
}

// line prints a threshold.
func line(share float64) string { return fmt.Sprintf("%g %%", math.Round(share*1e6)/1e4) }

func verdictOf(l alarm.Level) string {
	return [...]string{alarm.OK: link.VerdictOK, alarm.Watch: link.VerdictWatch, alarm.Act: link.VerdictAct}[l]
}

func share(part, whole int64) *float64 {
	if whole <= 0 {
		return nil
	}
	s := float64(part) / float64(whole)
	return &s
}

// percent prints a share so that it never rounds across a line or up to 100 %.
func percent(s float64) string {
	return fmt.Sprintf("%.1f %%", math.Floor(s*1000)/10)
}

// projection estimates the delivery rate at 30 minutes of age from messages of
// every age: each counts for as much as usually has arrived by then.
type projection struct {
	messages int64
	exposure float64 // sum of the usual shares
	squares  float64 // sum of its squares
}

func (p *projection) add(n, age int64, usual *arrivals) {
	g := usual.by(max(age, 0))
	p.messages += n
	p.exposure += float64(n) * g
	p.squares += float64(n) * g * g
}

// tooEarly is below how many messages' worth of waiting nothing is projected.
const tooEarly = 200

// interval is the projected rate with a 95 % interval; nil where it is too early.
func (p *projection) interval(delivered, failed int64) (rate, low, high *float64) {
	if p.exposure < tooEarly {
		return nil, nil, nil
	}
	least := float64(delivered) / float64(p.messages)
	most := 1 - float64(failed)/float64(p.messages)
	r := min(max(float64(delivered)/p.exposure, least), max(most, least))
	// Each message arrived with chance r·g: the variance of their sum, over the exposure.
	spread := 1.96 * math.Sqrt(max(r*p.exposure-r*r*p.squares, 0)) / p.exposure
	lo, hi := max(r-spread, least), min(r+spread, max(most, r))
	return &r, &lo, &hi
}
