package store

import (
	"context"
	"fmt"

	"tickwatch/wa"
)

// ListedFallback is a message by another channel, and what became of it.
type ListedFallback struct {
	ID         int64
	Run        int64
	Campaign   string // key
	Channel    string
	To         string // E.164 with the plus, or an e-mail address
	State      string // waiting, going out, may have gone out, accepted, sent, delivered, failed, withdrawn, left out, expired
	Code       string // the provider's; foreign
	Reason     string // the provider's words, foreign, or ours
	Accepted   bool   // the provider took it: it costs
	Segments   int64
	Cost       wa.Money
	Currency   string
	Due        wa.Instant // of a waiting one: not before; 0 = as soon as it is its turn
	Tried      wa.Instant // the latest attempt; 0 = there was none
	Told       wa.Instant // the provider's latest news; 0 = there was none
	ProviderID string     // the provider's id of it; foreign
	WAMID      string     // of the WhatsApp message that failed; "" = it has none
}

var fallbackStates = [...]string{"waiting", "going out", "may have gone out", "accepted", "sent", "delivered", "failed", "withdrawn", "left out", "expired"}

const listFallbacks = `SELECT f.id, f.run, coalesce(c.key, ''), f.channel, f.address, f.state, f.code, f.reason, f.accepted, f.segments, f.cost,
	coalesce(r.body ->> '$.Currency', ''), f.due, f.at, f.told_at, f.provider_id, coalesce(m.wamid, '')
	FROM fallback f LEFT JOIN campaign c ON c.id = f.campaign LEFT JOIN fallback_run r ON r.id = f.run LEFT JOIN message m ON m.id = f.message `

func scanListedFallback(s scanner) (l ListedFallback, err error) {
	state := 0
	if err = s.Scan(&l.ID, &l.Run, &l.Campaign, &l.Channel, &l.To, &state, &l.Code, &l.Reason, &l.Accepted, &l.Segments, &l.Cost,
		&l.Currency, &l.Due, &l.Tried, &l.Told, &l.ProviderID, &l.WAMID); err != nil {
		return l, err
	}
	l.State = fallbackStates[state]
	if state != fallbackWaiting {
		l.Due = 0
	}
	return l, nil
}

// LastFallback is the highest id of a fallback message; 0 = there is none.
func (s *Store) LastFallback(ctx context.Context) (last int64, err error) {
	if err := s.readers.QueryRowContext(ctx, "SELECT coalesce(max(id), 0) FROM fallback").Scan(&last); err != nil {
		return 0, fmt.Errorf("reading fallback messages: %w", err)
	}
	return last, nil
}

// ListFallbacks reads the next fallback messages of a campaign (0 = of all), in the
// order in which they were first planned: at most limit, with an id above after and
// up to end. Like ListMessages it says how far it came.
func (s *Store) ListFallbacks(ctx context.Context, campaign, after, end int64, limit int) (page []ListedFallback, upto int64, err error) {
	upto = min(end, after+listingWindow)
	page, err = query(ctx, s.readers, scanListedFallback, listFallbacks+"WHERE f.id > ? AND f.id <= ? AND ? IN (0, f.campaign) ORDER BY f.id LIMIT ?",
		after, upto, campaign, limit)
	if err != nil {
		return nil, 0, fmt.Errorf("listing fallback messages: %w", err)
	}
	if len(page) == limit {
		upto = page[limit-1].ID
	}
	return page, upto, nil
}

// FallbacksTo reads the fallback messages of a person, newest first, at most limit.
func (s *Store) FallbacksTo(ctx context.Context, person int64, limit int) ([]ListedFallback, error) {
	all, err := query(ctx, s.readers, scanListedFallback, listFallbacks+"WHERE f.person = ? ORDER BY f.id DESC LIMIT ?", person, limit)
	if err != nil {
		return nil, fmt.Errorf("looking up fallback messages: %w", err)
	}
	return all, nil
}
