package monitor

import (
	"context"
	"strconv"

	"tickwatch/monitor/link"
	"tickwatch/store"
	"tickwatch/wa"
)

var fallbackColumns = []link.RowsColumn{
	{Name: "campaign"},
	{Name: "run"},
	{Name: "channel"},
	{Name: "to"},
	{Name: "state"},
	{Name: "code"},
	{Name: "reason"},
	{Name: "segments", Number: true},
	{Name: "cost"},
	{Name: "currency"},
	{Name: "not_before"},
	{Name: "tried_at"},
	{Name: "told_at"},
	{Name: "provider_id"},
	{Name: "message_id"},
}

// fallbacks lists messages by other channels, and what became of them.
func (p *rowsPage) fallbacks(ctx context.Context) (err error) {
	p.columns = fallbackColumns
	if !p.mark.Began {
		if p.mark.LastFallback, err = p.m.o.Store.LastFallback(ctx); err != nil {
			return err
		}
	}
	for i := 0; i < readsAtOnce && p.mark.Fallback < p.mark.LastFallback && !p.full(); i++ {
		page, upto, err := p.m.o.Store.ListFallbacks(ctx, p.campaign, p.mark.Fallback, p.mark.LastFallback, rowsAtOnce)
		if err != nil {
			return err
		}
		full := false
		for k := 0; k < len(page) && !full; k++ {
			p.mark.Fallback = page[k].ID
			full = p.add(p.fallback(&page[k]))
		}
		if !full {
			p.mark.Fallback = upto
		}
	}
	p.over = p.mark.Fallback >= p.mark.LastFallback
	p.share = float64(p.mark.Fallback) / float64(max(p.mark.LastFallback, 1))
	return nil
}

func (p *rowsPage) fallback(l *store.ListedFallback) []string {
	to, wamid := wa.Clean(l.To), wa.Clean(l.WAMID)
	if p.args.Masked {
		to, wamid = maskTo(l.Channel, l.To), "" // the id has the number in it, in base64
	}
	segments, cost, currency := "", "", ""
	if l.Accepted {
		segments, cost, currency = strconv.FormatInt(l.Segments, 10), l.Cost.String(), wa.Clean(l.Currency)
	}
	return []string{
		wa.Clean(l.Campaign), "f" + strconv.FormatInt(l.Run, 10), l.Channel, to, l.State, wa.Clean(l.Code), wa.Clean(l.Reason),
		segments, cost, currency, l.Due.Text(), l.Tried.Text(), l.Told.Text(), wa.Clean(l.ProviderID), wamid,
	}
}

// maskTo is as much of where a channel reaches a person as may be seen.
func maskTo(channel, to string) string {
	if channel == wa.ChannelEmail {
		return wa.Clean(maskAddress(to))
	}
	return wa.MaskPhone(to)
}

// besideTo is what a person was sent, or is to be, by other channels.
func (m *Monitor) besideTo(ctx context.Context, person int64) ([]link.Reached, error) {
	all, err := m.o.Store.FallbacksTo(ctx, person, link.MaxFound)
	if err != nil {
		return nil, err
	}
	out := make([]link.Reached, len(all))
	for i := range all {
		l := &all[i]
		out[i] = link.Reached{
			Campaign: l.Campaign, Channel: l.Channel, State: l.State, Code: l.Code, Reason: l.Reason,
			Due: moment(l.Due), TriedAt: moment(l.Tried), ToldAt: moment(l.Told),
		}
	}
	return out, nil
}
