package store

import (
	"context"
	"encoding/json"
	"fmt"

	"tickwatch/wa"
)

// waitingStep is how many recipients are read at once.
const waitingStep = 5000

// Where a campaign's waiting recipients are: those that wait for a moment, and
// those further down its list. Recipients of other campaigns are not read.
const (
	waitingAgain = `SELECT id, due, phone FROM recipient WHERE campaign = ?1 AND again = 1 AND state = 0 AND (due, id) > (?2, ?3) ORDER BY due, id LIMIT ?4`
	waitingAhead = `SELECT r.id, 0, r.phone FROM plan p CROSS JOIN recipient r ON r.id >= max(p.next, ?3 + 1) AND r.id < p.first + p.rows
		WHERE p.campaign = ?1 AND r.state = 0 AND r.again = 0 AND ?2 = 0 ORDER BY r.id LIMIT ?4`
)

// EachWaiting gives the phones of a campaign's waiting recipients, E.164 with
// the plus, in the order of sending.
func (s *Store) EachWaiting(ctx context.Context, campaign int64, do func(phone string) error) error {
	for _, text := range [...]string{waitingAgain, waitingAhead} {
		var last recipient
		for more := true; more; {
			page, err := query(ctx, s.readers, func(s scanner) (r recipient, err error) { return r, s.Scan(&r.id, &r.due, &r.phone) },
				text, campaign, int64(last.due), last.id, waitingStep)
			if err != nil {
				return fmt.Errorf("reading who waits: %w", err)
			}
			for _, last = range page {
				if err := do("+" + last.phone); err != nil {
					return err
				}
			}
			more = len(page) == waitingStep
		}
	}
	return nil
}

// Sample gives the values of one recipient of a campaign, by Plan.Columns: of the
// next on its list, else of the last. Nil when the campaign has no list.
func (s *Store) Sample(ctx context.Context, campaign int64) (values []string, err error) {
	var text []byte
	err = s.readers.QueryRowContext(ctx, `SELECT vals FROM recipient WHERE id = (SELECT min(next, first + rows - 1) FROM plan WHERE campaign = ?)`, campaign).Scan(&text)
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
