package store

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"tickwatch/wa"
)

// ErrNoDeed is what Redo answers to a deed that cannot be done again here: one
// of a kind that is not known, or about something that was never told of.
var ErrNoDeed = errors.New("there is nothing here that this could be done to")

// Redo does again what the journal of another store tells, as of a moment. It is
// for a store that takes in a recording from its beginning, and sends nothing: a
// claim opens the attempts that were opened then, an answer closes them. A
// list's rows are made as they are spoken of. From the first list on, messages
// have ids of their own here (see spread).
func (s *Store) Redo(ctx context.Context, at wa.Instant, d *Deed) error {
	err := s.submit(ctx, &request{weight: int64(len(d.Messages)) + 1, group: func(g *group) error {
		g.redoing = at
		defer func() { g.redoing = 0 }()
		own := *d
		own.Messages = slices.Clone(d.Messages)
		for i := range own.Messages {
			m := &own.Messages[i]
			if m.Message < 0 || m.Message > maxRecorded {
				return ErrNoDeed
			}
			m.Message <<= g.w.store.spread.Load()
		}
		return g.redo(&own)
	}})
	if err != nil {
		return fmt.Errorf("doing again what a recording tells: %w", err)
	}
	return nil
}

// spread is by how many bits the ids of a recording's messages are shifted in the
// store that takes it in. A recording may lack posts, of other campaigns or of
// long ago: messages then are met later than they were, and take the ids between
// two recorded ones, in whose order it still shows which came first.
const (
	spread      = 24
	maxRecorded = 1 << (62 - spread)
)

func (g *group) redo(d *Deed) error {
	switch d.Kind {
	case DeedImported:
		return g.redoImport(d)
	case DeedGate:
		if d.Gate == nil {
			return ErrNoDeed
		}
		return g.saveGate(d.Gate)
	case DeedBroken:
		return g.breakOff()
	case DeedPolled:
		return g.redoPoll(d)
	}
	c := g.campaignByKey(d.Campaign)
	if c == nil {
		return ErrNoDeed
	}
	if d.Kind == DeedReported {
		return g.saveReported(c, d.Reported)
	}
	if d.Kind == DeedSeed {
		return g.redoSeed(c, d)
	}
	p := g.plan(c.id)
	if p == nil {
		return ErrNoDeed
	}
	switch d.Kind {
	case DeedPlanned:
		if d.Plan == nil {
			return ErrNoDeed
		}
		return g.savePlan(p, *d.Plan)
	case DeedCancelled:
		_, err := g.cancelRest(p)
		return err
	case DeedClaimed:
		return g.redoClaim(p, d)
	case DeedLeftOut, DeedAside, DeedReleased:
		return g.redoLeftOut(p, d)
	case DeedAccepted, DeedRefused, DeedAgain, DeedUnknown:
		return g.redoOutcomes(d)
	case DeedRetried:
		return g.redoRetry(p, d)
	case DeedResolved:
		return g.redoResolve(d)
	}
	return ErrNoDeed
}

func (g *group) redoImport(d *Deed) error {
	if d.Plan == nil || d.List == nil || len(d.Plan.From) == 0 || d.List.First <= 0 || d.List.Rows <= 0 || g.keyTaken(d.Campaign) {
		return ErrNoDeed
	}
	p := plan{Plan: *d.Plan, first: d.List.First, next: d.List.First}
	p.Campaign, p.Key, p.Rows = take(&g.next.campaign), d.Campaign, d.List.Rows
	g.next.recipient = max(g.next.recipient, p.last())
	g.w.name = d.List.Store // its webhooks speak of messages by it
	g.w.store.spread.Store(spread)
	return g.makeCampaign(&p)
}

// redoRow is a row of the queue, made if it was not spoken of before.
func (g *group) redoRow(p *plan, id int64) (recipient, error) {
	row, err := g.recipientByRow(id)
	if missing(err) && id >= p.first && id <= p.last() {
		if _, err := g.w.stmts.insertRecipient.ExecContext(g.ctx, id, p.Campaign, "", 0, 0, 0, "[]"); err != nil {
			return row, err
		}
		row, err = g.recipientByRow(id)
	}
	if missing(err) || err == nil && row.campaign != p.Campaign {
		return row, ErrNoDeed
	}
	return row, err
}

func (g *group) redoClaim(p *plan, d *Deed) error {
	n, err := g.number(wa.Sender{NumberID: d.Number})
	if err != nil {
		return err
	}
	var done noted
	for _, m := range d.Messages {
		row, err := g.redoRow(p, m.Recipient)
		if err != nil {
			return err
		}
		if _, err := g.byID(m.Message); err == nil || row.state != rowWaiting {
			return ErrNoDeed
		} else if !missing(err) {
			return err
		}
		if row.phone = digits(m.Phone); row.phone != "" {
			if _, err := g.conn.ExecContext(g.ctx, "UPDATE recipient SET phone = ? WHERE id = ?", row.phone, row.id); err != nil {
				return err
			}
		}
		g.next.message = max(g.next.message, m.Message)
		if err := g.open(p, n, &row, m.Message, d.Since, &done); err != nil {
			return err
		}
	}
	return g.noteAll(&done)
}

// redoLeftOut does again what kept rows from being sent, or ended that.
func (g *group) redoLeftOut(p *plan, d *Deed) error {
	var done noted
	for _, m := range d.Messages {
		row, err := g.redoRow(p, m.Recipient)
		if err != nil {
			return err
		}
		switch d.Kind {
		case DeedAside:
			err = g.setAside(&row, d.Reason, &done)
		case DeedReleased:
			err = g.released(&row, &done)
		default:
			err = g.leaveOut(&row, d.Reason, &done)
		}
		if err != nil {
			return err
		}
	}
	return g.noteAll(&done)
}

func (g *group) redoOutcomes(d *Deed) error {
	kind := map[string]wa.OutcomeKind{
		DeedAccepted: wa.OutcomeAccepted, DeedRefused: wa.OutcomeRefused, DeedAgain: wa.OutcomeAgain, DeedUnknown: wa.OutcomeUnknown,
	}[d.Kind]
	var done noted
	for _, m := range d.Messages {
		if err := g.settleAttempt(&wa.Outcome{
			Message: m.Message, Kind: kind, At: m.At, Code: m.Code, Details: m.Details,
			Accepted: wa.Accepted{WAMID: m.WAMID, Person: wa.Person{BSUID: m.BSUID}, Paced: m.Paced},
		}, &done); err != nil {
			return err
		}
	}
	return g.noteAll(&done)
}

func (g *group) redoRetry(p *plan, d *Deed) error {
	var done noted
	for _, m := range d.Messages {
		if _, err := g.recipientByRow(m.Recipient); !missing(err) {
			return errors.Join(ErrNoDeed, err)
		}
		g.next.recipient = max(g.next.recipient, m.Recipient)
		if err := g.tryAgain(p, m.Message, m.Recipient, &done); missing(err) {
			return ErrNoDeed
		} else if err != nil {
			return err
		}
	}
	return g.noteAll(&done)
}

func (g *group) redoResolve(d *Deed) error {
	var done noted
	for _, m := range d.Messages {
		if a, open := g.attempt(m.Message); open {
			if err := g.resolve(a, d.As == resolvedSent, &done); err != nil {
				return err
			}
		}
	}
	return g.noteAll(&done)
}

// breakOff makes unknown what was claimed, as a start after a crash does.
func (g *group) breakOff() error {
	for _, before := range g.w.attempts.byMessage {
		a, open := g.attempt(before.message)
		if !open || a.state != rowClaimed {
			continue
		}
		row, err := g.recipientByRow(a.recipient)
		if err != nil {
			return err
		}
		a.state = rowUnknown
		g.attempts[a.message] = &a
		if err := g.setState(&row, rowUnknown, ""); err != nil {
			return err
		}
	}
	type none struct{}
	if _, err := query(g.ctx, g.conn, func(s scanner) (none, error) {
		var campaign int64
		err := s.Scan(&campaign)
		g.seeded[campaign] = true
		return none{}, err
	}, "SELECT DISTINCT campaign FROM seed WHERE state = 0"); err != nil {
		return err
	}
	if _, err := g.conn.ExecContext(g.ctx, seedsBroken); err != nil {
		return err
	}
	return g.note(0, &Deed{Kind: DeedBroken})
}
