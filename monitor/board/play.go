package board

import (
	"math/rand/v2"
	"slices"

	"tickwatch/monitor/alarm"
	"tickwatch/wa"
)

// rung is when alarms first told to act, in one campaign.
type rung struct {
	judged    map[string]int64 // by alarm: messages judged since the trouble began; negative = before it
	seconds   map[string]int64 // since then
	delivered map[string]int64 // of opt-outs: messages delivered by then
}

// day is an arbitrary start, a whole minute.
const day = 1_800_000_000

// lines are the defaults of the design.
var lines = alarm.Lines{DeliveryOK: 0.95, DeliveryAct: 0.90, ReportsOK: 0.001, ReportsAct: 0.005, JudgeAfter: 10, Soon: 0.88 / 0.99}

// play plays one campaign, second by second, to the alarms and to the plain rule.
func play(in *Incident, seed uint64, number int) rung {
	fates := draw(rand.New(rand.NewPCG(seed, uint64(number))), in) //nolint:gosec // a count
	news := newsOf(fates)
	campaign, out := alarm.NewCampaign(lines), rung{map[string]int64{}, map[string]int64{}, map[string]int64{}}
	var plain plainRule
	var feed alarm.Feed
	sick := int64(0) // the second until which the feed was sick
	last := int64(in.messages/perSecond) + 60
	for now := int64(0); now <= last; now++ {
		var heard alarm.FeedNews
		if int(now) < len(news) {
			for _, n := range news[now] {
				heard.Handed += n.sent.Messages
				heard.Own += n.statuses
				campaign.Add(day+n.second, n.sent)
				plain.add(&n.sent)
				if n.optOuts > 0 {
					campaign.OptedOut((day+now)/60*60, n.optOuts)
				}
			}
		}
		heard.Any = heard.Own > 0
		feed.Add(wa.Instant(day+now+1)*1000, heard)
		levels := map[string]alarm.Level{"plain": plain.level()}
		j := campaign.Judge(day + now + 1)
		levels["reports"] = j.Reports.Level
		switch s, _ := feed.Look(wa.Instant(day+now+1)*1000, now <= int64(in.messages/perSecond)); {
		case s != alarm.FeedWell: // then nothing is said of the campaign
			sick, levels["feed"] = now, alarm.Act
		default:
			levels["delivery"], levels["withheld"] = j.Delivery.Level, j.Withheld.Level
			if sick == 0 || now-sick > 600 { // what looks late may have been told late
				levels["delivery"] = max(j.Delivery.Level, j.Late.Level)
			}
		}
		for name, level := range levels {
			if _, known := out.seconds[name]; known || level != alarm.Act {
				continue
			}
			begun := int64(in.From / perSecond)
			out.seconds[name] = now + 1 - begun
			out.judged[name] = (now+1-lines.JudgeAfter)*perSecond - int64(in.From)
			if name == "reports" {
				out.judged[name], out.delivered[name] = int64(j.Known*float64(plain.delivered)), plain.delivered
			}
		}
		_, rang := out.seconds[in.Expected]
		if _, plain := out.seconds["plain"]; rang && (plain || in.Expected != "delivery") {
			break
		}
	}
	return out
}

// tidings are what is told in one second of the messages of another.
type tidings struct {
	second   int64
	sent     alarm.Sent
	statuses int64
	optOuts  int64
}

// newsOf sorts what happens by the second in which it is told.
func newsOf(fates []fate) [][]tidings {
	var all [][]tidings
	tell := func(at float64, second int64, s alarm.Sent, statuses, optOuts int64) {
		for len(all) <= int(at) {
			all = append(all, nil)
		}
		of := &all[int(at)]
		i := slices.IndexFunc(*of, func(t tidings) bool { return t.second == second })
		if i < 0 {
			i = len(*of)
			*of = append(*of, tidings{second: second})
		}
		t := &(*of)[i]
		t.sent.Messages += s.Messages
		t.sent.Delivered += s.Delivered
		t.sent.Soon += s.Soon
		t.sent.Failed += s.Failed
		t.sent.Withheld += s.Withheld
		t.statuses += statuses
		t.optOuts += optOuts
	}
	for _, f := range fates {
		second := int64(f.sent)
		tell(f.sent, second, alarm.Sent{Messages: 1}, 0, 0)
		tell(f.told, second, alarm.Sent{}, 1, 0)
		if f.failed > 0 {
			s := alarm.Sent{Failed: 1}
			if f.withheld {
				s.Withheld = 1
			}
			tell(f.failed, second, s, 1, 0)
		}
		if f.delivered > 0 && f.delivered < 24*3600 {
			s := alarm.Sent{Delivered: 1}
			if f.delivered-f.sent <= 60 {
				s.Soon = 1
			}
			tell(f.delivered, second, s, 1, 0)
		}
		if f.optOut > 0 {
			tell(f.optOut, second, alarm.Sent{}, 0, 1)
		}
	}
	return all
}

// plainRule is what the guide says: suspend when under 90 % of those decided have
// arrived, from a least number on.
type plainRule struct{ delivered, failed int64 }

func (p *plainRule) add(s *alarm.Sent) {
	p.delivered += s.Delivered
	p.failed += s.Failed
}

const plainLeast = 200

func (p *plainRule) level() alarm.Level {
	if n := p.delivered + p.failed; n >= plainLeast && float64(p.delivered) < 0.90*float64(n) {
		return alarm.Act
	}
	return alarm.OK
}
