package store

import (
	"context"
	"fmt"

	"tickwatch/wa"
)

// Usage is how many different people got a message outside of open conversations
// within 24 hours: what a messaging limit counts (whatsapp.md §4). It holds for all
// numbers of an account together.
type Usage struct {
	Account string // WhatsApp Business Account; "" = of the numbers whose account is not known
	People  int64
	Numbers []string // phone_number_ids of its numbers
}

// Usage counts, account by account, the people who were written to in the 24 hours
// before a moment. Those who had written within 24 hours before their message do not
// count; a message whose person was not told counts as one; a failed one does not.
// Rows that lag behind the log by seconds are not waited for.
func (s *Store) Usage(ctx context.Context, now wa.Instant) ([]Usage, error) {
	first, err := s.firstSince(ctx, now-day)
	if err != nil {
		return nil, fmt.Errorf("counting who was written to: %w", err)
	}
	numbers, err := query(ctx, s.readers, func(s scanner) (n struct{ account, id string }, err error) {
		return n, s.Scan(&n.account, &n.id)
	}, "SELECT account, number_id FROM number ORDER BY account, number_id")
	if err != nil {
		return nil, fmt.Errorf("counting who was written to: %w", err)
	}
	var all []Usage
	for _, n := range numbers {
		if len(all) == 0 || all[len(all)-1].Account != n.account {
			all = append(all, Usage{Account: n.account})
		}
		if n.id != "" {
			u := &all[len(all)-1]
			u.Numbers = append(u.Numbers, n.id)
		}
	}
	for i := range all {
		if err := s.readers.QueryRowContext(ctx, countUsed, first, int64(now-day), int64(now-2*day), int64(day), all[i].Account).Scan(&all[i].People); err != nil {
			return nil, fmt.Errorf("counting who was written to: %w", err)
		}
	}
	return all, nil
}

// Those who have written lately are few beside those who were written to: they alone
// are looked up one by one.
const countUsed = `WITH wrote AS MATERIALIZED (SELECT DISTINCT person FROM inbound WHERE at > ?3 AND person <> 0)
	SELECT count(DISTINCT nullif(m.person, 0)) + count(*) FILTER (WHERE m.person = 0) FROM message m
	WHERE m.id >= ?1 AND m.state <> 2 AND max(m.accepted_at, m.sent_at, m.delivered_at) > ?2
	AND m.number IN (SELECT id FROM number WHERE account = ?5)
	AND NOT (m.person IN wrote AND EXISTS (SELECT 1 FROM inbound i WHERE i.person = m.person
		AND i.at <= max(m.accepted_at, m.sent_at, m.delivered_at) AND i.at > max(m.accepted_at, m.sent_at, m.delivered_at) - ?4))`

// Reach is what an account has reached over longer stretches.
type Reach struct {
	Delivered30d int64 // messages of 30 days
	People7d     int64 // as Usage.People, of seven days
}

// Reach counts, by account, what a higher limit is measured by (whatsapp.md §4). It
// reads the messages of a month: once in a long while is enough.
func (s *Store) Reach(ctx context.Context, now wa.Instant) (map[string]Reach, error) {
	month, err := s.firstSince(ctx, now-30*day)
	if err != nil {
		return nil, fmt.Errorf("counting who was reached: %w", err)
	}
	week, err := s.firstSince(ctx, now-7*day)
	if err != nil {
		return nil, fmt.Errorf("counting who was reached: %w", err)
	}
	accounts, err := query(ctx, s.readers, func(s scanner) (a string, err error) { return a, s.Scan(&a) }, "SELECT DISTINCT account FROM number")
	if err != nil {
		return nil, fmt.Errorf("counting who was reached: %w", err)
	}
	all := map[string]Reach{}
	for _, a := range accounts {
		var r Reach
		if err := s.readers.QueryRowContext(ctx, countUsed, week, int64(now-7*day), int64(now-8*day), int64(day), a).Scan(&r.People7d); err != nil {
			return nil, fmt.Errorf("counting who was reached: %w", err)
		}
		if err := s.readers.QueryRowContext(ctx, `SELECT count(*) FROM message
			WHERE id >= ? AND delivered_at > ? AND number IN (SELECT id FROM number WHERE account = ?)`,
			month, int64(now-30*day), a).Scan(&r.Delivered30d); err != nil {
			return nil, fmt.Errorf("counting who was reached: %w", err)
		}
		all[a] = r
	}
	return all, nil
}
