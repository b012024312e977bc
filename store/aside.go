package store

import (
	"context"
	"encoding/json"
	"fmt"

	"tickwatch/wa"
)

// A row that is set aside keeps the trait that it is set aside for as its reason.
// It is not claimed: release lets it wait again, in its turn.

// RowMatcher tells whether a row of the queue has a trait; see wa.ClaimRequest.Aside.
type RowMatcher func(phone string, line int64, values []string) bool

const (
	rowAgain = `SELECT id, due, phone, line, vals FROM recipient WHERE campaign = ?1 AND again = 1 AND state = 0 AND (due, id) > (?2, ?3) ORDER BY due, id LIMIT ?4`
	rowAhead = `SELECT r.id, 0, r.phone, r.line, r.vals FROM plan p CROSS JOIN recipient r ON r.id >= max(p.next, ?3 + 1) AND r.id < p.first + p.rows
		WHERE p.campaign = ?1 AND r.state = 0 AND r.again = 0 AND ?2 = 0 ORDER BY r.id LIMIT ?4`
	rowsAside   = `SELECT id, due, phone, line, vals FROM recipient WHERE id > ? AND id <= ? AND campaign = ? AND state = 1 AND reason = ? ORDER BY id`
	countsAside = `SELECT reason, count(*) FROM recipient WHERE id > ? AND id <= ? AND campaign = ? AND state = 1 GROUP BY 1`
)

// asideStep is how many rows one commit sets aside or releases.
const asideStep = 512

func scanWaiting(s scanner) (r recipient, err error) {
	return r, s.Scan(&r.id, &r.due, &r.phone, &r.line, &r.values)
}

// SetAside sets the waiting messages of a campaign aside that have a trait, and
// counts them; a dry run only counts. It goes on where an earlier call broke off.
// What is claimed later is the claim's to set aside.
func (s *Store) SetAside(ctx context.Context, campaign int64, t wa.Trait, has RowMatcher, dryRun bool) (n int64, err error) {
	for _, text := range [...]string{rowAgain, rowAhead} {
		var last recipient
		for more := true; more; {
			page, err := query(ctx, s.readers, scanWaiting, text, campaign, int64(last.due), last.id, waitingStep)
			if err != nil {
				return n, fmt.Errorf("reading who waits: %w", err)
			}
			var ids []int64
			for _, last = range page {
				ok, err := last.matches(has)
				if err != nil {
					return n, err
				}
				if ok {
					ids = append(ids, last.id)
				}
			}
			if dryRun {
				n += int64(len(ids))
			} else {
				done, err := s.asideRows(ctx, ids, func(g *group, row *recipient, done *noted) (bool, error) {
					if row.state != rowWaiting {
						return false, nil
					}
					return true, g.setAside(row, t.String(), done)
				})
				if n += done; err != nil {
					return n, fmt.Errorf("setting messages aside: %w", err)
				}
			}
			more = len(page) == waitingStep
		}
	}
	return n, nil
}

func (r *recipient) matches(has RowMatcher) (bool, error) {
	var values []string
	if err := json.Unmarshal(r.values, &values); err != nil {
		return false, fmt.Errorf("reading line %d of the list: %w", r.line, err)
	}
	return has(r.phone, r.line, values), nil
}

// asideRows does something to rows, some in a commit, and counts to how many.
func (s *Store) asideRows(ctx context.Context, ids []int64, do func(*group, *recipient, *noted) (bool, error)) (n int64, err error) {
	for len(ids) > 0 {
		step := ids[:min(len(ids), asideStep)]
		ids = ids[len(step):]
		var changed int64
		if err := s.submit(ctx, &request{weight: int64(len(step)), group: func(g *group) error {
			changed = 0
			var done noted
			for _, id := range step {
				row, err := g.recipientByRow(id)
				if err != nil {
					return err
				}
				if p := g.plan(row.campaign); p == nil || p.State == wa.PlanCancelled {
					continue
				}
				ok, err := do(g, &row, &done)
				if err != nil {
					return err
				}
				if ok {
					changed++
				}
			}
			return g.noteAll(&done)
		}}); err != nil {
			return n, err
		}
		n += changed
	}
	return n, nil
}

// setAside sets one row aside, for a trait.
func (g *group) setAside(row *recipient, trait string, done *noted) error {
	done.add(row.campaign, DeedAside, trait, DeedMessage{Recipient: row.id})
	return g.setState(row, rowAside, trait)
}

// released lets a row that was set aside wait again: in its place of the list, if
// that was not reached yet.
func (g *group) released(row *recipient, done *noted) error {
	done.add(row.campaign, DeedReleased, "", DeedMessage{Recipient: row.id})
	if p := g.plan(row.campaign); p != nil && row.id >= p.next && row.id <= p.last() {
		return g.setState(row, rowWaiting, "")
	}
	return g.waitAgain(row, "")
}

// reasonAside is why a row is cancelled that was set aside.
const reasonAside = "cancelled while it was set aside for "

// EndAside releases what a campaign has set aside for a trait, or cancels it, and
// counts it. It goes on where an earlier call broke off.
func (s *Store) EndAside(ctx context.Context, campaign int64, t wa.Trait, cancel bool) (n int64, err error) {
	err = s.eachStretch(ctx, campaign, func(after, upto int64) error {
		page, err := query(ctx, s.readers, scanWaiting, rowsAside, after, upto, campaign, t.String())
		if err != nil {
			return err
		}
		ids := make([]int64, len(page))
		for i := range page {
			ids[i] = page[i].id
		}
		done, err := s.asideRows(ctx, ids, func(g *group, row *recipient, done *noted) (bool, error) {
			switch {
			case row.state != rowAside || row.reason != t.String():
				return false, nil
			case cancel:
				return true, g.leaveOut(row, reasonAside+t.String(), done)
			}
			return true, g.released(row, done)
		})
		n += done
		return err
	})
	if err != nil {
		return n, fmt.Errorf("ending what is set aside: %w", err)
	}
	return n, nil
}

// Aside counts what a campaign has set aside, by trait.
func (s *Store) Aside(ctx context.Context, campaign int64) (map[wa.Trait]int64, error) {
	out := map[wa.Trait]int64{}
	err := s.eachStretch(ctx, campaign, func(after, upto int64) error {
		_, err := query(ctx, s.readers, func(s scanner) (struct{}, error) {
			var reason string
			var n int64
			err := s.Scan(&reason, &n)
			if t, bad := wa.ParseTrait(reason); bad == nil {
				out[t] += n
			}
			return struct{}{}, err
		}, countsAside, after, upto, campaign)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("counting what is set aside: %w", err)
	}
	return out, nil
}

// eachStretch goes through a campaign's rows of the queue, and what lies between them,
// in stretches, so that no read is open for long.
func (s *Store) eachStretch(ctx context.Context, campaign int64, do func(after, upto int64) error) error {
	var first int64
	if err := s.readers.QueryRowContext(ctx, "SELECT first FROM plan WHERE campaign = ?", campaign).Scan(&first); err != nil {
		return err
	}
	last, err := s.LastRecipient(ctx)
	for after := first - 1; err == nil && after < last; after += listingWindow {
		err = do(after, after+listingWindow)
	}
	return err
}
