package monitor

import (
	"fmt"

	"tickwatch/monitor/cluster"
	"tickwatch/monitor/link"
	"tickwatch/wa"
)

// warn gathers what an operator must know before they order. m.mu is held.
func (p *fallbackPlanner) warn(m *Monitor) {
	for _, channel := range p.channels {
		if why := m.queue.Crossing(channel, p.live.Key).Barred(); why != "" {
			p.warnings = append(p.warnings, fmt.Sprintf("%s: nothing goes out by %s until it is resumed. To hold WhatsApp alone, pause that channel.", why, channelNames[channel]))
			break
		}
	}
	if r := m.runOf(p.live.ID); r != nil && m.fallbackCounts[p.live.ID].Waiting > 0 && (r.State == wa.FallbackRunPending || r.State == wa.FallbackRunLook) {
		p.warnings = append(p.warnings, "an earlier order of this campaign is not through its look: send the rest of that one or cancel it, then this one can be ordered")
	}
	if p.o.Budget == 0 {
		p.warnings = append(p.warnings, "the budget is 0: set fallback.budget before anything can be sent")
	}
	var bad, all int64
	if p.live.course != nil {
		for code, e := range p.live.course.errors {
			if all += e.total; wa.Explain(code, p.titles[code]).Category == wa.CategoryRecipient {
				bad += e.total
			}
		}
	}
	if k := p.wrongNumbers(); k != nil {
		p.warnings = append([]string{fmt.Sprintf("%s=%s has %.0f %% of the failures, most of them for numbers that cannot be reached: these numbers look wrong, and an SMS to them is paid for nothing. Have them checked first",
			wa.Clean(k.Attribute), wa.Clean(k.Value), 100*k.Explains)}, p.warnings...)
	} else if bad*2 > all && all >= 20 {
		p.warnings = append(p.warnings, fmt.Sprintf("%d %% of the failures say that the number itself cannot be reached: many of these numbers may be wrong, and an SMS to them is paid for nothing", bad*100/all))
	}
	if p.stalled {
		p.warnings = append(p.warnings, "the webhooks are stalled, or were until just now: some who are counted as failed may have got the message")
	}
}

// wrongNumbers is what the failures have in common where that makes the numbers
// themselves suspect: a part of the list of which they cannot be reached; nil = nothing.
func (p *fallbackPlanner) wrongNumbers() *link.Cluster {
	for i := range p.live.traits.found {
		k := &p.live.traits.found[i]
		switch k.Attribute {
		case cluster.AttributeMinute, traitTemplate, traitLanguage, traitNumber, traitCarrier:
			continue // not of the people
		}
		if wa.Explain(k.MainCode, p.titles[k.MainCode]).Category == wa.CategoryRecipient {
			return k
		}
	}
	return nil
}
