package monitor

import (
	"context"
	"strings"

	"tickwatch/monitor/link"
	"tickwatch/wa"
)

// cards gives the campaigns to choose from, those with the latest messages. A
// campaign that is over is drawn up once; its card serves until it changes.
func (m *Monitor) cards(ctx context.Context, a link.CampaignsArgs) (link.Cards, error) {
	var chosen []*live
	m.mu.Lock()
	for _, l := range m.campaigns {
		if l.seen() && fitsFilter(l, a.Filter) {
			chosen = append(chosen, l)
		}
	}
	newestFirst(chosen)
	out := link.Cards{Campaigns: []link.Card{}, Known: len(chosen)}
	chosen = chosen[:min(len(chosen), link.MaxCards)]
	m.mu.Unlock()
	for _, l := range chosen {
		if err := ctx.Err(); err != nil {
			return out, err
		}
		if card := m.card(ctx, l); card != nil {
			out.Campaigns = append(out.Campaigns, *card)
		}
	}
	return out, nil
}

// fitsFilter tells whether a campaign's name or id holds the text, in either case.
func fitsFilter(l *live, filter string) bool {
	filter = strings.ToLower(filter)
	return strings.Contains(strings.ToLower(l.Name), filter) || strings.Contains(strings.ToLower(l.Key), filter)
}

// card gives a campaign's card; nil when its course could not be read. It holds
// m.reading for this one campaign only, so that snapshots go on in between.
func (m *Monitor) card(ctx context.Context, l *live) *link.Card {
	view := m.queue.View()
	m.mu.Lock()
	now := wa.At(m.o.Now())
	card := l.card
	if card != nil && (l.Own || (card.State == "running") != l.running(now)) { // one of ours changes without news, too
		card = nil
	}
	m.mu.Unlock()
	if card != nil {
		return card
	}
	m.reading.Lock()
	defer m.reading.Unlock()
	m.read(ctx, func() []*live { return []*live{l} })
	m.mu.Lock()
	defer m.mu.Unlock()
	if l.course == nil {
		return nil
	}
	c := m.campaign(now, l)
	m.showQueue(now, l, &view, &c)
	fresh := link.CardOf(&c)
	l.card = &fresh
	return &fresh
}
