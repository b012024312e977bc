package store

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"tickwatch/wa"
)

// ListFacts is what the store knows of people that a list is judged by, besides who
// must not be written to (see Suppression). Phones are digits as numbers: a list may
// have a million rows.
type ListFacts struct {
	Capped  Phones // have had as many marketing messages lately as they may
	Used24h int64  // people written to within 24 hours, of all campaigns
}

// Phones is a set of phone numbers.
type Phones struct{ sorted []uint64 }

// Has tells whether a phone, in E.164 or digits, is in the set.
func (p Phones) Has(phone string) bool {
	n, err := strconv.ParseUint(digits(phone), 10, 64)
	if err != nil {
		return false
	}
	_, found := slices.BinarySearch(p.sorted, n)
	return found
}

// Len is how many phones are in it.
func (p Phones) Len() int { return len(p.sorted) }

func (s *Store) phones(ctx context.Context, text string, args ...any) (Phones, error) {
	all, err := query(ctx, s.readers, func(s scanner) (n uint64, err error) {
		var phone string
		if err := s.Scan(&phone); err != nil {
			return 0, err
		}
		n, err = strconv.ParseUint(phone, 10, 64)
		if err != nil {
			return 0, nil //nolint:nilerr // what is no number is nobody's phone
		}
		return n, nil
	}, text, args...)
	slices.Sort(all)
	return Phones{slices.Compact(all)}, err
}

const day = wa.Instant(24 * 60 * 60 * 1000)

// ListFacts reads what a list is judged by. The cap is of marketing; messages of
// other systems count as such.
func (s *Store) ListFacts(ctx context.Context, now wa.Instant, limit wa.FrequencyCap) (f ListFacts, err error) {
	if err := s.Settled(ctx); err != nil {
		return f, fmt.Errorf("reading what is known of people: %w", err)
	}
	first, err := s.firstSince(ctx, now-day)
	if err != nil {
		return f, fmt.Errorf("reading who was written to: %w", err)
	}
	if err := s.readers.QueryRowContext(ctx, "SELECT count(DISTINCT person) FROM message WHERE id >= ? AND state <> 2", first).Scan(&f.Used24h); err != nil {
		return f, fmt.Errorf("counting who was written to: %w", err)
	}
	if limit.Messages <= 0 {
		return f, nil
	}
	f.Capped, err = s.phones(ctx, `WITH lately AS (
			SELECT m.person, max(m.accepted_at, m.sent_at) AS at FROM message m LEFT JOIN plan p ON p.campaign = m.campaign
			WHERE m.id >= ? AND m.state <> 2 AND m.person <> 0 AND coalesce(json_extract(p.body, '$.Form.Category'), 'MARKETING') = 'MARKETING'
			AND max(m.accepted_at, m.sent_at) > ?)
		SELECT phone FROM person WHERE phone <> '' AND id IN (SELECT person FROM lately GROUP BY person HAVING count(*) >= ? OR max(at) > ?)`,
		first, int64(now)-limit.Within.Milliseconds(), limit.Messages, int64(now)-limit.Apart.Milliseconds())
	if err != nil {
		return f, fmt.Errorf("reading who has had messages lately: %w", err)
	}
	return f, nil
}

// firstSince is the first message whose clock is not much before a moment: ids
// rise with the time at which a message was first heard of, nearly.
func (s *Store) firstSince(ctx context.Context, since wa.Instant) (int64, error) {
	var last int64
	if err := s.readers.QueryRowContext(ctx, "SELECT coalesce(max(id), 0) FROM message").Scan(&last); err != nil {
		return 0, err
	}
	since -= day / 24 // what overtook it on its way here
	low, high := int64(1), last+1
	for low < high {
		mid := low + (high-low)/2
		var at wa.Instant
		err := s.readers.QueryRowContext(ctx, "SELECT max(accepted_at, sent_at, failed_at, delivered_at) FROM message WHERE id >= ? ORDER BY id LIMIT 1", mid).Scan(&at)
		if err != nil && !missing(err) {
			return 0, err
		}
		if at < since {
			low = mid + 1
		} else {
			high = mid
		}
	}
	return low, nil
}
