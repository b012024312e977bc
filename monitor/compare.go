package monitor

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"tickwatch/monitor/link"
	"tickwatch/wa"
)

// compareEvery is how often Meta is asked to compare the template of a campaign that
// runs with the one before: it compares days, so an hour changes little. At most
// compareMost campaigns, which keeps below the ten an hour of wa/graph.
const (
	compareEvery = time.Hour
	compareLook  = 5 * time.Minute // so that a campaign that begins need not wait for long
	compareMost  = 5
)

// compareTemplates asks until ctx ends.
func (m *Monitor) compareTemplates(ctx context.Context) {
	if m.o.Sending.Compare == nil {
		return
	}
	tick := time.NewTicker(m.real(compareLook))
	defer tick.Stop()
	for {
		for _, pair := range m.toCompare() {
			c, err := m.o.Sending.Compare(ctx, pair[0], pair[1], m.o.Now())
			if ctx.Err() != nil {
				return
			}
			if err == nil {
				m.polled(ctx, &wa.Poll{At: wa.At(m.o.Now()), Compared: []wa.Comparison{c}})
			} else if _, refused := errors.AsType[*wa.Refusal](err); !refused { // one of too few messages is asked about again in an hour
				m.o.Log.Warn("Meta does not compare templates", "error", err)
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// toCompare are the templates of campaigns that run, each with the one of the campaign
// before, of which Meta was not asked within an hour. They count as asked.
func (m *Monitor) toCompare() (pairs [][2]int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := wa.At(m.o.Now())
	all := slices.Collect(maps.Values(m.campaigns))
	newestFirst(all)
	for i, l := range all {
		if template := m.templateOf(l); template != 0 && l.running(now) && len(pairs) < compareMost {
			pair := [2]int64{template, m.templateBefore(template, all[i+1:])}
			if at, asked := m.comparedAt[pair]; pair[1] != 0 && (!asked || now-at >= ms(compareEvery)) {
				m.comparedAt[pair] = now
				pairs = append(pairs, pair)
			}
		}
	}
	return pairs
}

// templateBefore is the first other template of some campaigns; 0 = there is none.
func (m *Monitor) templateBefore(template int64, earlier []*live) int64 {
	for _, l := range earlier {
		if other := m.templateOf(l); other != 0 && other != template {
			return other
		}
	}
	return 0
}

// templateOf is the id of a campaign's template; 0 = not known. m.mu is held.
func (m *Monitor) templateOf(l *live) int64 {
	if l.Own {
		return m.plans[l.ID].Form.ID
	}
	id := int64(0)
	for _, t := range m.templates {
		if l.sends(&t) {
			if id != 0 { // it may be one or the other
				return 0
			}
			id = t.ID
		}
	}
	return id
}

// sends tells whether a watched campaign was said to go out with a template.
func (l *live) sends(t *wa.Template) bool {
	return l.Template != "" && (l.Template == t.Name || l.Template == t.Name+"/"+t.Language)
}

// comparison is Meta's newest word on a campaign's template and another one. m.mu is held.
func (m *Monitor) comparison(l *live) *link.Comparison {
	id := m.templateOf(l)
	c, ok := m.past.compared[id]
	if !ok || id == 0 {
		return nil
	}
	out := &link.Comparison{Other: m.templates[c.Other].Name, Days: c.Days, Reason: c.Its.Reason, OtherReason: c.Others.Reason, At: c.at.Time()}
	for _, p := range m.plans {
		if out.Other == "" && p.Form.ID == c.Other {
			out.Other = p.Form.Name
		}
	}
	if out.Other == "" {
		out.Other = templateName("", "", c.Other)
	}
	if c.BlockedLess != 0 {
		more := c.BlockedLess != id
		out.BlockedMore = &more
	}
	return out
}
