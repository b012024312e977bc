package store

import (
	"context"
	"encoding/json"
	"fmt"

	"tickwatch/wa"
)

// waitingStep is how many recipients are read at once.
const waitingStep = 5000

// EachWaiting gives the phones of a campaign's waiting recipients, E.164 with
// the plus, in the order of sending.
func (s *Store) EachWaiting(ctx context.Context, campaign int64, do func(phone string) error) error {
	for after := int64(0); ; {
		page, err := query(ctx, s.readers, func(s scanner) (r recipient, err error) { return r, s.Scan(&r.id, &r.phone) },
			"SELECT id, phone FROM recipient WHERE campaign = ? AND state = 0 AND id > ? ORDER BY id LIMIT ?", campaign, after, waitingStep)
		if err != nil {
			return fmt.Errorf("reading who waits: %w", err)
		}
		for _, r := range page {
			if err := do("+" + r.phone); err != nil {
				return err
			}
			after = r.id
		}
		if len(page) < waitingStep {
			return nil
		}
	}
}

// Sample gives the values of one recipient of a campaign, by Plan.Columns: of one
// that waits, if there is one. Nil when the campaign has no list.
func (s *Store) Sample(ctx context.Context, campaign int64) (values []string, err error) {
	var text []byte
	err = s.readers.QueryRowContext(ctx, `SELECT vals FROM (SELECT * FROM (SELECT vals, 0 AS late FROM recipient WHERE campaign = ?1 AND state = 0 AND id >= (SELECT next FROM plan WHERE campaign = ?1) LIMIT 1)
		UNION ALL SELECT * FROM (SELECT vals, 1 FROM recipient WHERE id = (SELECT first FROM plan WHERE campaign = ?1))) ORDER BY late LIMIT 1`, campaign).Scan(&text)
	if missing(err) {
		return nil, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &values)
	}
	if err != nil {
		return nil, fmt.Errorf("reading a row of the list: %w", err)
	}
	return values, nil
}

// QueuedMessage is a recipient of a campaign of ours, and where it stands.
type QueuedMessage struct {
	Campaign string // key
	State    string // waiting, set aside, going out, may have gone out, cancelled, refused, handed over
	Reason   string
	Due      wa.Instant // of a waiting one: not before; 0 = as soon as it is its turn
}

var rowNames = [...]string{"waiting", "set aside", "going out", "may have gone out", "cancelled", "refused", "handed over"}

// QueuedTo finds what our own campaigns hold for a phone, newest first, at most
// limit: those that are with Meta are messages, and left out.
func (s *Store) QueuedTo(ctx context.Context, phone string, limit int) ([]QueuedMessage, error) {
	phone = digits(phone)
	rows, err := s.rows(ctx, indexRecipient, hashOf(phone))
	if err != nil {
		return nil, fmt.Errorf("looking up who waits: %w", err)
	}
	var all []QueuedMessage
	for _, id := range rows {
		var q QueuedMessage
		var state int
		var cancelled bool
		err := s.readers.QueryRowContext(ctx, `SELECT c.key, r.state, r.reason, r.due, p.state = 'cancelled' FROM recipient r
			JOIN campaign c ON c.id = r.campaign JOIN plan p ON p.campaign = r.campaign WHERE r.id = ? AND r.phone = ?`, id, phone).
			Scan(&q.Campaign, &state, &q.Reason, &q.Due, &cancelled)
		if missing(err) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("looking up who waits: %w", err)
		}
		if cancelled && (state == rowWaiting || state == rowAside) {
			state, q.Reason = rowCancelled, reasonCancelled
		}
		if state == rowHandedOver || state == rowRefused {
			continue
		}
		q.State = rowNames[state]
		if all = append(all, q); len(all) == limit {
			break
		}
	}
	return all, nil
}
