package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"tickwatch/wa"
)

// maxLooked bounds the rows that one claim looks at: the writer has others to serve.
const maxLooked = 512

// Claim takes messages of a campaign that may be sent now. Their attempts are on
// disk when it returns. Whoever must not be written to is cancelled on the way;
// whoever must not be written to yet waits for a moment.
func (s *Store) Claim(ctx context.Context, r wa.ClaimRequest) (out wa.Claims, err error) {
	err = s.submit(ctx, &request{weight: int64(r.Limit), group: func(g *group) error {
		var err error
		out, err = g.claim(&r)
		return err
	}})
	if err != nil {
		return wa.Claims{}, fmt.Errorf("taking messages to be sent: %w", err)
	}
	return out, nil
}

func (g *group) claim(r *wa.ClaimRequest) (out wa.Claims, err error) {
	p := g.plan(r.Campaign)
	if p == nil || p.State != wa.PlanRunning {
		return out, nil
	}
	n, err := g.number(wa.Sender{NumberID: r.From})
	if err != nil {
		return out, err
	}
	looked := 0
	var done noted
	for len(out.Messages) < r.Limit && looked < maxLooked {
		p = g.plan(r.Campaign) // candidates moves on in the group's copy of it
		rows, read, err := g.candidates(p, r, r.Limit-len(out.Messages))
		if err != nil {
			return out, err
		}
		if read == 0 {
			break
		}
		looked += read
		for i := range rows {
			if err := g.take(p, n, &rows[i], r, &out, &done); err != nil {
				return out, err
			}
		}
	}
	if err := g.noteAll(&done); err != nil {
		return out, err
	}
	out.Left = g.counts(p.Campaign).Waiting
	switch {
	case len(out.Messages) == r.Limit:
	case looked >= maxLooked:
		out.Next = r.Now // there is more to look at
	default:
		if err = g.w.stmts.nextDue.QueryRowContext(g.ctx, p.Campaign).Scan(&out.Next, &out.Why); missing(err) {
			err = nil
		}
	}
	return out, err
}

// candidates are the next rows of a queue: those that waited for a moment that
// has come, then those further down the list. read is how many rows that took:
// some of the list do not wait any more, or are set aside.
func (g *group) candidates(p *plan, r *wa.ClaimRequest, limit int) (rows []recipient, read int, err error) {
	result, err := g.w.stmts.recipientsAgain.QueryContext(g.ctx, p.Campaign, int64(r.Now), limit)
	if err != nil {
		return nil, 0, err
	}
	rows, err = collect(result, scanRecipient)
	if read = len(rows); err != nil || read == limit {
		return rows, read, err
	}
	end := p.last()
	if r.Upto > 0 {
		end = min(end, p.first+r.Upto-1)
	}
	if p.next > end {
		return rows, read, nil
	}
	if result, err = g.w.stmts.recipientsAhead.QueryContext(g.ctx, p.next, end, limit-len(rows)); err != nil {
		return nil, 0, err
	}
	ahead, err := collect(result, scanRecipient)
	if err != nil || len(ahead) == 0 {
		return rows, read, err
	}
	read += len(ahead)
	g.changePlan(p).next = ahead[len(ahead)-1].id + 1
	return append(rows, slices.DeleteFunc(ahead, func(r recipient) bool { return r.state != rowWaiting || r.again })...), read, nil
}

// take claims a row, or says why it does not go out now.
func (g *group) take(p *plan, n *number, row *recipient, r *wa.ClaimRequest, out *wa.Claims, done *noted) error {
	var values []string
	if err := json.Unmarshal(row.values, &values); err != nil {
		return fmt.Errorf("reading line %d of the list: %w", row.line, err)
	}
	if r.Aside != nil {
		if trait := r.Aside(row.phone, row.line, values); trait != "" {
			return g.setAside(row, trait, done)
		}
	}
	reason, due, err := g.unfit(p, row, r)
	switch {
	case err != nil:
		return err
	case reason != "" && due == 0:
		return g.leaveOut(row, reason, done)
	case due != 0:
		row.due = due
		return g.waitAgain(row, reason)
	}
	message := take(&g.next.message)
	out.Messages = append(out.Messages, wa.Claimed{
		Message: message, Recipient: row.id, Phone: "+" + row.phone, Values: values,
		Data: wa.OwnData(p.Key, g.w.name, message), Tries: row.tries,
	})
	return g.open(p, n, row, message, r.Now, done)
}

// open opens an attempt to send a message to a row.
func (g *group) open(p *plan, n *number, row *recipient, message int64, at wa.Instant, done *noted) error {
	row.message = message
	a := attempt{
		message: message, recipient: row.id, campaign: p.Campaign, number: n.id,
		phone: row.phone, state: rowClaimed, at: at,
	}
	if _, err := g.w.stmts.insertAttempt.ExecContext(g.ctx, a.message, a.recipient, a.number, p.Form.ID, int64(a.at)); err != nil {
		return err
	}
	g.attempts[a.message] = &a
	done.add(p.Campaign, DeedClaimed, n.ID, DeedMessage{Message: message, Recipient: row.id}).Since = at
	return g.setState(row, rowClaimed, "")
}

// leaveOut cancels one row, for a reason.
func (g *group) leaveOut(row *recipient, reason string, done *noted) error {
	done.add(row.campaign, DeedLeftOut, reason, DeedMessage{Recipient: row.id})
	return g.setState(row, rowCancelled, reason)
}

// Reasons why a row is cancelled, or waits. People read them.
const (
	reasonArrived   = "the first attempt arrived after all"
	reasonTwice     = "has this campaign's message under another number"
	reasonWindow    = "outside the sending window"
	reasonCancelled = "the campaign was cancelled"
)

// unfit says why a row must not be sent to: for good, or until due.
func (g *group) unfit(p *plan, row *recipient, r *wa.ClaimRequest) (reason string, due wa.Instant, err error) {
	named, err := g.today(wa.Person{Phone: row.phone}, r.Now)
	if err != nil {
		return "", 0, err
	}
	who, err := g.personByPhone(named.Phone)
	if err != nil {
		return "", 0, err
	}
	if who.id == 0 && named.BSUID != "" {
		if who, err = g.personByBSUID(named.BSUID); err != nil {
			return "", 0, err
		}
	}
	reason, err = g.suppressed(who, row.phone, wa.ChannelWhatsApp, p.Form.Category == wa.CategoryMarketing, r.Now)
	if err != nil || reason != "" {
		return reason, 0, err
	}
	if row.retryOf != 0 {
		if m, err := g.byID(row.retryOf); err == nil && m.now.progress.State() == wa.StateDelivered {
			return reasonArrived, 0, nil
		} else if err != nil && !missing(err) {
			return "", 0, err
		}
	}
	if r.Hold != nil {
		if until := r.Hold("+" + row.phone); until > r.Now {
			return reasonWindow, until, nil
		}
	}
	var had []*touched
	if who.id != 0 {
		if had, err = g.messagesOf(who.id, capMessages); err != nil {
			return "", 0, err
		}
	}
	if slices.ContainsFunc(had, func(t *touched) bool {
		return t.now.campaign == p.Campaign && t.now.progress.State() != wa.StateFailed
	}) {
		return reasonTwice, 0, nil // a row whose own attempt went out does not wait
	}
	if r.Cap.Messages > 0 && p.Form.Category == wa.CategoryMarketing {
		if until := g.capped(had, row.phone, r); until > r.Now {
			return wa.ReasonCap, until, nil
		}
	}
	return "", 0, nil
}

// capMessages is how many of a person's latest messages a claim looks at.
const capMessages = 32

// capped is until when a person who had some messages must get no further marketing; 0 = they may.
// Messages of other systems count as marketing: nothing tells that they are not.
// One that may have gone out counts, too.
func (g *group) capped(had []*touched, phone string, r *wa.ClaimRequest) wa.Instant {
	var sent []wa.Instant
	for _, t := range had {
		clock := t.now.progress.Clock()
		if t.now.progress.State() != wa.StateFailed && r.Now.Sub(clock) < r.Cap.Within && g.marketing(t.now.campaign) {
			sent = append(sent, clock)
		}
	}
	for range g.openTo(phone) {
		sent = append(sent, r.Now)
	}
	if len(sent) == 0 {
		return 0
	}
	slices.Sort(sent)
	until := sent[len(sent)-1] + wa.Instant(r.Cap.Apart.Milliseconds())
	if n := len(sent) - r.Cap.Messages; n >= 0 {
		until = max(until, sent[n]+wa.Instant(r.Cap.Within.Milliseconds()))
	}
	return until
}

// marketing tells whether a campaign's messages count for the frequency cap.
func (g *group) marketing(campaign int64) bool {
	p := g.plan(campaign)
	return p == nil || p.Form.Category == wa.CategoryMarketing
}

// openTo is how many attempts to a phone are open.
func (g *group) openTo(phone string) int {
	n := g.w.attempts.byPhone[phone]
	for id, a := range g.attempts {
		_, before := g.w.attempts.byMessage[id]
		switch {
		case a == nil && before && g.w.attempts.byMessage[id].phone == phone:
			n--
		case a != nil && !before && a.phone == phone:
			n++
		}
	}
	return n
}
