package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"tickwatch/wa"
)

// States of a recipient, as they are stored.
const (
	rowWaiting = iota
	rowAside
	rowClaimed
	rowUnknown
	rowCancelled
	rowRefused
	rowHandedOver
)

// planImporting is the state of a plan whose list is still being written.
const planImporting = "importing"

// plan is one of our own campaigns as the writer knows it.
type plan struct {
	wa.Plan
	first, next int64 // recipients of the list: its first, and the first that was never looked at
}

// last is the last recipient of the list.
func (p *plan) last() int64 { return p.first + p.Rows - 1 }

// recipient is one row of a queue.
type recipient struct {
	id, campaign int64
	phone        string
	state        int
	again        bool
	due          wa.Instant
	tries        int
	message      int64
	retryOf      int64
	line         int64
	reason       string
	values       []byte
}

const recipientColumns = `id, campaign, phone, state, again, due, tries, message, retry_of, line, reason, vals`

func scanRecipient(s scanner) (r recipient, err error) {
	return r, s.Scan(&r.id, &r.campaign, &r.phone, &r.state, &r.again, &r.due, &r.tries, &r.message, &r.retryOf, &r.line, &r.reason, &r.values)
}

// attempt is a message on its way to the API: claimed, or one that may have gone out.
type attempt struct {
	message, recipient int64
	campaign, number   int64
	phone              string
	state              int
	at                 wa.Instant
}

// attempts are those that are open.
type attempts struct {
	byMessage map[int64]attempt
	byPhone   map[string]int // how many
}

func newAttempts() attempts { return attempts{map[int64]attempt{}, map[string]int{}} }

func (all *attempts) put(a attempt) {
	if _, had := all.byMessage[a.message]; !had {
		all.byPhone[a.phone]++
	}
	all.byMessage[a.message] = a
}

func (all *attempts) drop(message int64) {
	a, had := all.byMessage[message]
	if !had {
		return
	}
	delete(all.byMessage, message)
	if all.byPhone[a.phone]--; all.byPhone[a.phone] == 0 {
		delete(all.byPhone, a.phone)
	}
}

// plan gives a campaign's plan to read; nil when it is none of ours.
func (g *group) plan(campaign int64) *plan {
	if p, ok := g.plans[campaign]; ok {
		return p
	}
	return g.w.plans[campaign]
}

// changePlan gives the group's copy of a plan, which it may change.
func (g *group) changePlan(p *plan) *plan {
	if c := g.plans[p.Campaign]; c != nil {
		return c
	}
	c := *p
	g.plans[p.Campaign] = &c
	return &c
}

// attempt finds an open attempt.
func (g *group) attempt(message int64) (attempt, bool) {
	if a, ok := g.attempts[message]; ok {
		if a == nil {
			return attempt{}, false
		}
		return *a, true
	}
	a, ok := g.w.attempts.byMessage[message]
	return a, ok
}

// queueCount is the figure that a recipient's state counts in; nil for those
// that are counted by their message.
func queueCount(c *Counts, state int) *int64 {
	switch state {
	case rowWaiting:
		return &c.Waiting
	case rowAside:
		return &c.SetAside
	case rowClaimed:
		return &c.Claimed
	case rowUnknown:
		return &c.Unknown
	case rowCancelled:
		return &c.Cancelled
	}
	return nil
}

// setState gives a recipient another state. What waits in a cancelled campaign, or is
// set aside, is cancelled, and stored as it was: to cancel a million rows writes none of them.
func (g *group) setState(row *recipient, state int, reason string) error {
	g.recount(row.campaign, g.counted(row.campaign, row.state), -1)
	row.state, row.again, row.reason = state, false, reason
	g.recount(row.campaign, g.counted(row.campaign, state), 1)
	return g.writeRecipient(row)
}

func (g *group) counted(campaign int64, state int) int {
	if p := g.plan(campaign); (state == rowWaiting || state == rowAside) && p != nil && p.State == wa.PlanCancelled {
		return rowCancelled
	}
	return state
}

// waitAgain lets a recipient wait until its moment.
func (g *group) waitAgain(row *recipient, reason string) error {
	g.recount(row.campaign, g.counted(row.campaign, row.state), -1)
	row.state, row.again, row.reason = rowWaiting, true, reason
	g.recount(row.campaign, g.counted(row.campaign, rowWaiting), 1)
	return g.writeRecipient(row)
}

func (g *group) writeRecipient(row *recipient) error {
	_, err := g.w.stmts.updateRecipient.ExecContext(g.ctx, row.state, row.again, int64(row.due), row.tries, row.message, row.reason, row.id)
	return err
}

// recount adds to what is known and to what is stored of a queue.
func (g *group) recount(campaign int64, state int, by int64) {
	for _, t := range [...]*Tally{g.tally(campaign), g.total(campaign)} {
		if n := queueCount(&t.Counts, state); n != nil {
			*n += by
		}
	}
}

// recipientByRow reads a row of a queue.
func (g *group) recipientByRow(id int64) (recipient, error) {
	return scanRecipient(g.w.stmts.recipientByID.QueryRowContext(g.ctx, id))
}

// writePlans writes the plans that the group changed.
func (g *group) writePlans() error {
	for id, p := range g.plans {
		if p == nil {
			if _, err := g.conn.ExecContext(g.ctx, "DELETE FROM plan WHERE campaign = ?", id); err != nil {
				return err
			}
			continue
		}
		body, err := json.Marshal(p.Plan)
		if err != nil {
			return err
		}
		if _, err := g.conn.ExecContext(g.ctx, "INSERT OR REPLACE INTO plan VALUES (?, ?, ?, ?, ?, ?)",
			p.Campaign, p.State, p.first, p.Rows, p.next, string(body)); err != nil {
			return err
		}
	}
	return nil
}

// What a start does with open attempts. "state IN (2, 3)" names the terms of the
// index recipient_open: no other recipient is read.
const (
	countClaimed = `UPDATE campaign SET unknown = unknown + n, claimed = claimed - n
		FROM (SELECT campaign AS c, count(*) AS n FROM recipient WHERE state = 2 AND state IN (2, 3) GROUP BY 1) WHERE id = c`
	claimedAreUnknown = `UPDATE recipient SET state = 3 WHERE state = 2 AND state IN (2, 3)`
	openAttempts      = `SELECT r.message, r.id, r.campaign, a.number, r.phone, a.at FROM recipient r CROSS JOIN attempt a ON a.message = r.message
		WHERE r.state = 3 AND r.state IN (2, 3)`
)

// loadQueue reads the plans and the open attempts. Those that a crash left
// claimed may have gone out.
func (w *writer) loadQueue(ctx context.Context) error {
	w.plans, w.attempts = map[int64]*plan{}, newAttempts()
	all, err := query(ctx, w.conn, scanPlan, "SELECT campaign, state, first, rows, next, body FROM plan ORDER BY campaign")
	if err != nil {
		return err
	}
	for _, p := range all {
		w.plans[p.Campaign] = p
		w.nextID.campaign = max(w.nextID.campaign, p.Campaign)
		w.nextID.recipient = max(w.nextID.recipient, p.last())
	}
	var last int64
	if err := lastID(ctx, w.conn, "message", "attempt", &last); err != nil {
		return err
	}
	w.nextID.message = max(w.nextID.message, last)
	if err := lastID(ctx, w.conn, "id", "recipient", &last); err != nil {
		return err
	}
	w.nextID.recipient = max(w.nextID.recipient, last)
	if err := w.breakOff(ctx); err != nil {
		return err
	}
	open, err := query(ctx, w.conn, func(s scanner) (a attempt, err error) {
		a.state = rowUnknown
		return a, s.Scan(&a.message, &a.recipient, &a.campaign, &a.number, &a.phone, &a.at)
	}, openAttempts)
	for _, a := range open {
		w.attempts.put(a)
	}
	return err
}

// breakOff makes unknown what a crash left claimed, and notes that.
func (w *writer) breakOff(ctx context.Context) error {
	body, err := json.Marshal(Deed{Kind: DeedBroken})
	if err != nil {
		return err
	}
	if _, err := w.conn.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	for _, step := range []struct {
		text string
		args []any
	}{
		{
			`INSERT INTO journal SELECT ?, last_raw, ?, 0, ? FROM feed WHERE EXISTS (SELECT 1 FROM recipient WHERE state = 2 AND state IN (2, 3))
				OR EXISTS (SELECT 1 FROM seed WHERE state = 0)`,
			[]any{w.nextID.deed + 1, int64(wa.At(w.store.now())), string(body)},
		},
		{countClaimed, nil},
		{claimedAreUnknown, nil},
		{seedsBroken, nil},
		{"COMMIT", nil},
	} {
		if _, err := w.conn.ExecContext(ctx, step.text, step.args...); err != nil {
			_, _ = w.conn.ExecContext(ctx, "ROLLBACK")
			return err
		}
	}
	return lastID(ctx, w.conn, "id", "journal", &w.nextID.deed)
}

func scanPlan(s scanner) (*plan, error) {
	p := &plan{}
	var campaign, rows int64
	var state string
	var body []byte
	if err := s.Scan(&campaign, &state, &p.first, &rows, &p.next, &body); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(body, &p.Plan); err != nil {
		return nil, fmt.Errorf("reading the plan of campaign %d: %w", campaign, err)
	}
	p.Campaign, p.State, p.Rows = campaign, state, rows
	return p, nil
}

// errNoPlan is what a campaign is refused with that tickwatch does not send.
var errNoPlan = errors.New("tickwatch does not send this campaign")
