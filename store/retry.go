package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"tickwatch/wa"
)

// RetryRule says of a failed message whether it may be tried again now: "" when
// it may, else why not. It is called by the store's writer: it must be quick.
type RetryRule func(f Failed) string

// Failed is a failed message that may be tried again.
type Failed struct {
	Code    int
	At      wa.Instant // of the failure
	WroteAt wa.Instant // when the person last wrote to us; 0 = never, as far as is known
	Retried bool       // a new attempt for it is queued, or was made
	Held    string     // why the suppression rules or list hold the person; "" = they do not
}

// Retried counts what a retry queued, and what it left out and why.
type Retried struct {
	Queued  int64
	LeftOut map[string]int64
}

// retriedRow tells whether a message has another attempt. It follows the index
// recipient_retry, which has no row without a message.
const retriedRow = "SELECT EXISTS (SELECT 1 FROM recipient WHERE retry_of = ? AND retry_of <> 0)"

// failedByCode reads failed messages in the order of the index message_failed.
const failedByCode = "SELECT id, code FROM message WHERE campaign = ? AND state = 2 AND (code, id) > (?, ?) ORDER BY code, id LIMIT ?"

// retryStep is how many failed messages one commit of a retry looks at.
const retryStep = 256

// Retry queues new attempts for a campaign's failed messages of some codes (none
// = all). Each is a message of its own, with the values of the one that failed,
// which stays as it is. A dry run queues nothing and counts the same.
func (s *Store) Retry(ctx context.Context, campaign int64, codes []int, may RetryRule, dryRun bool) (Retried, error) {
	out := Retried{LeftOut: map[string]int64{}}
	if err := s.Settled(ctx); err != nil {
		return out, fmt.Errorf("looking for failed messages: %w", err)
	}
	for after := [2]int64{}; ; {
		ids, err := query(ctx, s.readers, func(s scanner) (f [2]int64, err error) { return f, s.Scan(&f[0], &f[1]) },
			failedByCode, campaign, after[1], after[0], retryStep)
		if err != nil {
			return out, fmt.Errorf("looking for failed messages: %w", err)
		}
		if len(ids) == 0 {
			return out, nil
		}
		after = ids[len(ids)-1]
		ids = slices.DeleteFunc(ids, func(f [2]int64) bool { return len(codes) > 0 && !slices.Contains(codes, int(f[1])) })
		var step Retried
		if err := s.submit(ctx, &request{weight: int64(len(ids)), group: func(g *group) error {
			step = Retried{LeftOut: map[string]int64{}}
			var done noted
			for _, f := range ids {
				if err := g.retry(campaign, f[0], may, dryRun, &step, &done); err != nil {
					return err
				}
			}
			return g.noteAll(&done)
		}}); err != nil {
			return out, fmt.Errorf("queueing new attempts: %w", err)
		}
		out.Queued += step.Queued
		for why, n := range step.LeftOut {
			out.LeftOut[why] += n
		}
	}
}

// retry queues a new attempt for one message, if there may be one.
func (g *group) retry(campaign, id int64, may RetryRule, dryRun bool, out *Retried, done *noted) error {
	p := g.plan(campaign)
	if p == nil {
		return errNoPlan
	}
	m, err := g.byID(id)
	if missing(err) {
		return nil
	}
	if err != nil || m.now.progress.State() != wa.StateFailed {
		return err
	}
	var phone string
	err = g.conn.QueryRowContext(g.ctx, "SELECT r.phone FROM attempt a JOIN recipient r ON r.id = a.recipient WHERE a.message = ?", id).Scan(&phone)
	if missing(err) {
		out.LeftOut["not sent by tickwatch"]++
		return nil
	}
	if err != nil {
		return err
	}
	f := Failed{Code: m.now.progress.Code, At: m.now.progress.CodeAt}
	if err := g.conn.QueryRowContext(g.ctx, retriedRow, id).Scan(&f.Retried); err != nil {
		return err
	}
	who, err := g.personByRow(m.now.person)
	if err != nil {
		return err
	}
	if err := g.w.stmts.wroteAt.QueryRowContext(g.ctx, who.id).Scan(&f.WroteAt); err != nil {
		return err
	}
	if f.Held, err = g.suppressed(who, phone, wa.ChannelWhatsApp, p.Form.Category == wa.CategoryMarketing, wa.At(g.w.store.now())); err != nil {
		return err
	}
	beside, err := g.reachedBeside(campaign, who.id)
	if err != nil {
		return err
	}
	if why := cmp.Or(may(f), f.Held, beside); why != "" { // whom the rules hold would not be claimed
		out.LeftOut[why]++
		return nil
	}
	out.Queued++
	if dryRun {
		return nil
	}
	return g.tryAgain(p, id, take(&g.next.recipient), done)
}

// tryAgain queues a row of its own for a message that failed.
func (g *group) tryAgain(p *plan, failed, next int64, done *noted) error {
	var from int64
	if err := g.conn.QueryRowContext(g.ctx, "SELECT recipient FROM attempt WHERE message = ?", failed).Scan(&from); err != nil {
		return err
	}
	row, err := g.recipientByRow(from)
	if err != nil {
		return err
	}
	if _, err := g.w.stmts.insertRecipient.ExecContext(g.ctx, next, p.Campaign, row.phone, 1, failed, row.line, string(row.values)); err != nil {
		return err
	}
	if err := g.indexRow(indexRecipient, hashOf(row.phone), next); err != nil {
		return err
	}
	g.recount(p.Campaign, g.counted(p.Campaign, rowWaiting), 1)
	done.add(p.Campaign, DeedRetried, "", DeedMessage{Message: failed, Recipient: next})
	return nil
}
