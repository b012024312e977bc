package monitor

import (
	"maps"
	"slices"

	"tickwatch/monitor/alarm"
	"tickwatch/store"
	"tickwatch/wa"
)

// present is how a campaign's newest messages fare, by the sequential tests. It is
// made anew from what is stored, and follows the same changes as the course.
type present struct {
	campaign *alarm.Campaign
	since    int64 // seconds before this one are not looked at
	at       int64 // the second of the judgement
	stale    bool  // more is known than it knew
	alarm.Judgement
}

// start takes over what is stored.
func (p *present) start(c *store.Course, lines alarm.Lines) {
	p.campaign = alarm.NewCampaign(lines)
	seconds := slices.Sorted(maps.Keys(c.Latest))
	if len(seconds) == 0 {
		return
	}
	if len(seconds) >= store.LatestSeconds {
		p.since = seconds[0]
	}
	for _, second := range seconds {
		cell := c.Latest[second]
		p.campaign.Add(second, sentOf(&cell))
	}
	for _, minute := range slices.Sorted(maps.Keys(c.OptOuts)) {
		if minute >= seconds[0]/60 {
			p.campaign.OptedOut(minute*60, c.OptOuts[minute])
		}
	}
}

// add takes over the difference that a later commit makes.
func (p *present) add(d *store.Tally) {
	p.stale = true
	for second, cell := range d.Pulses { // in whatever order: they come to the same
		if second >= p.since {
			p.campaign.Add(second, sentOf(&cell))
		}
	}
	for minute, n := range d.OptOuts {
		p.campaign.OptedOut(minute*60, n)
	}
}

// judge judges whenever a second has passed or something is new.
func (p *present) judge(now wa.Instant) *alarm.Judgement {
	if second := max(now.Second(), p.at); second > p.at || p.stale {
		p.at, p.stale, p.Judgement = second, false, p.campaign.Judge(second)
	}
	return &p.Judgement
}

const withinAMinute = 2 // in store.Ages

func sentOf(p *store.Pulse) alarm.Sent {
	return alarm.Sent{
		Messages: p.Messages, Paced: p.Paced, Delivered: p.Delivered, Soon: p.Within[withinAMinute], Failed: p.Failed, Withheld: p.Withheld,
	}
}

// lines are where campaigns are judged.
func (m *Monitor) lines() alarm.Lines {
	t := &m.o.Thresholds
	inside := func(share float64) float64 { return min(max(share, 0.001), 0.999) }
	return alarm.Lines{
		DeliveryOK: inside(t.DeliveryOK), DeliveryAct: inside(t.DeliveryAct),
		ReportsOK: inside(t.ReportsOK), ReportsAct: inside(t.ReportsAct),
		JudgeAfter: int64(t.JudgeAfter.Seconds()), Soon: m.arrivals.by(60), Own: m.arrivals.own,
	}
}
