package store

import (
	"cmp"
	"maps"
	"slices"

	"tickwatch/wa"
)

// writeTally adds a difference to a campaign's stored totals.
func (g *group) writeTally(id int64, t *Tally) (*CampaignChange, error) {
	c := g.campaign(id)
	c.counts.add(&t.Counts, 1)
	for second, p := range t.Pulses {
		if p.Messages > 0 {
			c.latest = max(c.latest, wa.Instant(second*1000))
		}
	}
	n := &c.counts
	if _, err := g.w.stmts.campaign.ExecContext(g.ctx, int64(c.runFrom), int64(c.runTo), int64(c.latest), n.Messages, n.Sent, n.Delivered, n.Read,
		n.Failed, n.Withheld, n.Refusers, n.OptOuts, c.id); err != nil {
		return nil, err
	}
	for _, second := range slices.Sorted(maps.Keys(t.Pulses)) {
		p := t.Pulses[second]
		if p == (Pulse{}) {
			continue
		}
		if _, err := g.w.stmts.pulse.ExecContext(g.ctx, c.id, second, p.Messages, p.Delivered, p.Failed, p.Withheld,
			p.Within[0], p.Within[1], p.Within[2], p.Within[3], p.Within[4], p.Failed30, p.Withheld30); err != nil {
			return nil, err
		}
	}
	byCode := slices.SortedFunc(maps.Keys(t.Errors), func(a, b CodeMinute) int {
		return cmp.Or(cmp.Compare(a.Code, b.Code), cmp.Compare(a.Minute, b.Minute))
	})
	for _, k := range byCode {
		if t.Errors[k] == 0 {
			continue
		}
		if _, err := g.w.stmts.errorMinute.ExecContext(g.ctx, c.id, k.Code, k.Minute, t.Errors[k]); err != nil {
			return nil, err
		}
	}
	return &CampaignChange{Campaign: c.view(), Tally: *t}, nil
}

// view is the campaign as others see it.
func (c *campaign) view() Campaign {
	return Campaign{ID: c.id, Key: c.key, Name: c.name, Numbers: slices.Clone(c.senders), Latest: c.latest, Counts: c.counts}
}
