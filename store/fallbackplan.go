package store

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"

	"tickwatch/wa"
)

// FallbackCandidate is a person whose WhatsApp message failed, or is undelivered,
// and who may perhaps be reached another way.
type FallbackCandidate struct {
	Message  int64
	Code     int        // of the failure; 0 = it came without one, or there was none
	Late     bool       // it did not fail: it is undelivered for too long
	At       wa.Instant // of the failure, or of the send
	Phone    string     // E.164 with the plus; "" = not known
	Values   []string   // by the plan's columns; nil = the person is in no list of ours
	OptedOut bool       // and nobody has released them since
	Retried  bool       // WhatsApp tries it again, or did
	Reached  bool       // has had, or is to get, a fallback in this campaign

	person int64
}

// FallbackDraft is the message that a candidate would get.
type FallbackDraft struct {
	Channel, To             string
	Subject, Text, Language string
	Segments                int64
	Cost                    wa.Money
	Due                     wa.Instant // not before; 0 = at once
}

// FallbackRule says what a candidate gets, or why they get nothing. It is called
// outside of the writer.
type FallbackRule func(c *FallbackCandidate) (d FallbackDraft, leftOut string)

// FallbackPlanned counts what a plan came to.
type FallbackPlanned struct {
	Run      wa.FallbackRun
	ByCode   map[int]int64 // of the failures planned for
	Late     int64         // planned for because they are undelivered for too long
	LeftOut  map[string]int64
	Channels map[string]int64
}

// What a campaign's failures, and those of its messages that are undelivered, are
// read by. The first two follow the index message_failed.
var (
	candidateColumns = `m.id, m.code, max(m.failed_at, m.sent_at, m.accepted_at), m.person,
		p.opted_out AND NOT EXISTS (SELECT 1 FROM released WHERE person = p.id AND rule = '` + wa.RuleOptedOut + `' AND at >= p.opted_at),
		coalesce(r.phone, p.phone), coalesce(r.vals, ''), ` + retries("m.id") + `, EXISTS (SELECT 1 FROM fallback f WHERE f.campaign = m.campaign AND f.person = m.person AND NOT ` + freeFallback + `)
		FROM message m CROSS JOIN person p ON p.id = m.person LEFT JOIN attempt a ON a.message = m.id LEFT JOIN recipient r ON r.id = a.recipient`
	failedCandidates = "SELECT " + candidateColumns + ` WHERE m.campaign = ? AND m.state = 2 AND (m.code, m.id) > (?, ?) ORDER BY m.code, m.id LIMIT ?`
	codeCandidates   = "SELECT " + candidateColumns + ` WHERE m.campaign = ? AND m.state = 2 AND m.code = ? AND m.id > ? ORDER BY m.id LIMIT ?`
	openCandidates   = "SELECT " + candidateColumns + ` WHERE m.campaign = ? AND m.state = 0 AND m.id > ? AND max(m.accepted_at, m.sent_at) <= ? AND m.id >= (SELECT first_message FROM campaign WHERE id = m.campaign)
		ORDER BY m.id LIMIT ?`
)

// candidatePage is how many candidates are read at once.
const candidatePage = 1024

func scanCandidate(s scanner) (c FallbackCandidate, err error) {
	var values []byte
	if err := s.Scan(&c.Message, &c.Code, &c.At, &c.person, &c.OptedOut, &c.Phone, &values, &c.Retried, &c.Reached); err != nil {
		return c, err
	}
	if c.Phone != "" {
		c.Phone = "+" + c.Phone
	}
	if len(values) > 0 {
		err = json.Unmarshal(values, &c.Values)
	}
	return c, err
}

// PlanFallback plans fallback messages for a campaign's failures (and, with
// run.After, for what is undelivered since longer than that), at most as many as
// most: by its rule, one a person, whatever was planned before. A dry run keeps
// nothing and counts the same. Nothing leaves before run.StartsAt, which the
// caller sets; the run is there, pending, once all are planned.
func (s *Store) PlanFallback(ctx context.Context, run wa.FallbackRun, most int64, rule FallbackRule, dryRun bool) (out FallbackPlanned, err error) {
	out = FallbackPlanned{ByCode: map[int]int64{}, LeftOut: map[string]int64{}, Channels: map[string]int64{}}
	if err := s.Settled(ctx); err != nil {
		return out, fmt.Errorf("looking for people to reach: %w", err)
	}
	run.State = wa.FallbackRunPlanning
	p := &planning{s: s, run: run, most: most, rule: rule, dryRun: dryRun, out: &out}
	if p.mailed, err = s.mailed(ctx, run.Campaign); err != nil {
		return out, fmt.Errorf("planning a fallback: %w", err)
	}
	if !dryRun {
		if p.run.ID, err = s.newRun(ctx, run); err != nil {
			return out, err
		}
		defer func() {
			if err != nil { // nothing is left of it
				ctx := context.WithoutCancel(ctx)
				_, _ = s.SetFallbackRun(ctx, p.run.ID, wa.FallbackRunCancelled)
				_, _ = s.EndFallback(ctx, p.run.ID, "its planning broke off")
			}
		}()
	}
	if err := p.failed(ctx); err != nil {
		return out, fmt.Errorf("planning a fallback: %w", err)
	}
	if err := p.undelivered(ctx); err != nil {
		return out, fmt.Errorf("planning a fallback: %w", err)
	}
	out.Run = p.run
	if dryRun {
		return out, nil
	}
	out.Run.State = wa.FallbackRunPending
	if took := wa.At(s.now()) - out.Run.OrderedAt; took > 0 { // the time to undo it is not spent on planning
		out.Run.StartsAt += took
		if out.Run.ExpiresAt != 0 {
			out.Run.ExpiresAt += took
		}
	}
	if err := s.submit(ctx, &request{weight: 1, group: func(g *group) error {
		if err := g.stillPlanned(out.Run.ID); err != nil {
			return err
		}
		*g.changeRun(out.Run.ID) = out.Run
		return nil
	}}); err != nil {
		return out, fmt.Errorf("planning a fallback: %w", err)
	}
	return out, nil
}

// ErrPlanCancelled is what a plan ends with that was cancelled while it was made.
var ErrPlanCancelled = errors.New("the fallback was cancelled while it was being planned: nothing of it goes out")

// stillPlanned tells whether a plan may go on.
func (g *group) stillPlanned(run int64) error {
	if r := g.fallbackRun(run); r != nil && r.State == wa.FallbackRunCancelled {
		return ErrPlanCancelled
	}
	return nil
}

func (s *Store) newRun(ctx context.Context, run wa.FallbackRun) (int64, error) {
	err := s.submit(ctx, &request{weight: 1, group: func(g *group) error {
		if open, err := g.runOpen(run.Campaign); open || err != nil {
			return cmp.Or(err, ErrFallbackOpen)
		}
		run.ID = take(&g.next.fallbackRun)
		g.fallbacks.runs[run.ID] = &run
		return nil
	}})
	if err != nil {
		return 0, fmt.Errorf("beginning a fallback: %w", err)
	}
	return run.ID, nil
}

// planning is a plan while it is made.
type planning struct {
	s      *Store
	run    wa.FallbackRun
	most   int64
	rule   FallbackRule
	dryRun bool
	out    *FallbackPlanned
	seen   map[int64]bool  // people of a dry run, which nothing else remembers
	mailed map[string]bool // addresses that have the campaign's e-mail, or are to get it
}

// expires is until when a message may wait: what is due later than the others has as
// long from then on.
func (p *planning) expires(due wa.Instant) wa.Instant {
	if p.run.ExpiresAt == 0 {
		return 0
	}
	return p.run.ExpiresAt + max(due-p.run.StartsAt, 0)
}

// failed goes through the failures, by code.
func (p *planning) failed(ctx context.Context) error {
	for _, code := range slices.Compact(slices.Sorted(slices.Values(p.run.Codes))) {
		if err := p.failedWith(ctx, code); err != nil {
			return err
		}
	}
	if len(p.run.Codes) > 0 {
		return nil
	}
	code, id := -1, int64(0)
	return p.each(ctx, func(ctx context.Context) ([]FallbackCandidate, error) {
		page, err := query(ctx, p.s.readers, scanCandidate, failedCandidates, p.run.Campaign, code, id, candidatePage)
		if len(page) > 0 {
			last := &page[len(page)-1]
			code, id = last.Code, last.Message
		}
		return page, err
	})
}

// failedWith goes through the failures with one code.
func (p *planning) failedWith(ctx context.Context, code int) error {
	id := int64(0)
	return p.each(ctx, func(ctx context.Context) ([]FallbackCandidate, error) {
		page, err := query(ctx, p.s.readers, scanCandidate, codeCandidates, p.run.Campaign, code, id, candidatePage)
		if len(page) > 0 {
			id = page[len(page)-1].Message
		}
		return page, err
	})
}

// each takes page after page until there is none; the next one is read meanwhile.
// What it does not show yet of the one before, the writer knows.
func (p *planning) each(ctx context.Context, read func(context.Context) ([]FallbackCandidate, error)) error {
	type page struct {
		all []FallbackCandidate
		err error
	}
	ctx, cancel := context.WithCancel(ctx)
	pages := make(chan page)
	var reader sync.WaitGroup
	reader.Go(func() {
		defer close(pages)
		for more := true; more; {
			all, err := read(ctx)
			select {
			case pages <- page{all, err}:
				more = err == nil && len(all) > 0
			case <-ctx.Done():
				return
			}
		}
	})
	defer reader.Wait()
	defer cancel()
	for next := range pages {
		if next.err != nil || len(next.all) == 0 {
			return next.err
		}
		if err := p.take(ctx, next.all); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// undelivered goes through what is undelivered for too long.
func (p *planning) undelivered(ctx context.Context) error {
	if p.run.After <= 0 {
		return nil
	}
	before := p.run.OrderedAt - wa.Instant(p.run.After.Milliseconds())
	id := int64(0)
	return p.each(ctx, func(ctx context.Context) ([]FallbackCandidate, error) {
		page, err := query(ctx, p.s.readers, scanCandidate, openCandidates, p.run.Campaign, id, int64(before), candidatePage)
		if len(page) > 0 {
			id = page[len(page)-1].Message
		}
		for i := range page {
			page[i].Code, page[i].Late = 0, true
		}
		return page, err
	})
}

// planned is a candidate with what they get.
type planned struct {
	*FallbackCandidate
	FallbackDraft
}

// take judges a page of candidates, and plans for those who may be reached.
func (p *planning) take(ctx context.Context, page []FallbackCandidate) error {
	var step []planned
	for i := range page {
		c := &page[i]
		draft, leftOut := p.rule(c)
		if leftOut != "" {
			p.out.LeftOut[leftOut]++
			continue
		}
		step = append(step, planned{c, draft})
		if len(step) == fallbackStep {
			if err := p.keep(ctx, step); err != nil {
				return err
			}
			step = nil
		}
	}
	return p.keep(ctx, step)
}

func (p *planning) keep(ctx context.Context, step []planned) error {
	if len(step) == 0 {
		return nil
	}
	var why []string
	err := p.s.submit(ctx, &request{weight: int64(len(step)), group: func(g *group) error {
		if err := g.stillPlanned(p.run.ID); err != nil {
			return err
		}
		why = make([]string, len(step))
		mailed := map[string]bool{} // of this step, which may be done anew
		n := p.run.Planned
		for i := range step {
			if n >= p.most {
				why[i] = "beyond the number that was confirmed"
				continue
			}
			var err error
			if why[i], err = g.planFallback(p, &step[i], mailed); err != nil {
				return err
			}
			if why[i] == "" {
				n++
			}
		}
		return nil
	}})
	if err != nil {
		return err
	}
	for i := range step {
		if why[i] != "" {
			p.out.LeftOut[why[i]]++
			continue
		}
		d := &step[i]
		if d.Channel == wa.ChannelEmail {
			p.mailed[mailbox(d.To)] = true
		}
		p.run.Planned++
		p.run.Segments += d.Segments
		p.run.Cost += d.Cost
		if d.Late {
			p.out.Late++
		} else {
			p.out.ByCode[d.Code]++
		}
		p.out.Channels[d.Channel]++
	}
	return nil
}

const reasonReached = "has had another attempt in this campaign"

// planFallback plans one message, or says why not. mailed are addresses that were
// planned for in the same step.
func (g *group) planFallback(p *planning, d *planned, mailed map[string]bool) (leftOut string, err error) {
	who := g.is(d.person)
	have := fallback{}
	if id := g.fallbackTo(p.run.Campaign, who); id != 0 {
		if have, err = g.fallbackByRow(id); err != nil {
			return "", err
		}
	}
	if have.id != 0 && !have.free() || p.seen[who] {
		return reasonReached, nil
	}
	// Most have the one message that failed; a claim looks at that again.
	if rows, err := g.messageRows(who); err != nil {
		return "", err
	} else if len(rows) != 1 {
		if arrived, err := g.arrived(p.run.Campaign, who, d.Message); arrived || err != nil {
			return reasonWithdrawn, err
		}
	}
	if reason, err := g.mustNotReach(p.run.Campaign, who, d.To, d.Channel, p.run.OrderedAt); reason != "" || err != nil {
		return reason, err
	}
	if d.Channel == wa.ChannelEmail {
		address := mailbox(d.To)
		if p.mailed[address] || mailed[address] {
			return reasonSameAddress, nil
		}
		mailed[address] = true
	}
	if p.dryRun {
		if p.seen == nil {
			p.seen = map[int64]bool{}
		}
		p.seen[who] = true
		return "", nil
	}
	if have.id != 0 {
		return "", g.planAgain(p, d, &have)
	}
	f := fallback{
		id: take(&g.next.fallback), run: p.run.ID, campaign: p.run.Campaign, person: who, message: d.Message,
		channel: d.Channel, address: d.To, language: d.Language, subject: d.Subject, text: d.Text,
		due: d.Due, expires: p.expires(d.Due), segments: d.Segments, cost: d.Cost,
	}
	if _, err := g.w.stmts.insertFallback.ExecContext(g.ctx, f.id, f.run, f.campaign, f.person, f.message, f.channel, f.address,
		f.language, f.subject, f.text, int64(f.due), f.segments, int64(f.cost), int64(f.expires)); err != nil {
		return "", err
	}
	g.fallbacks.byPerson[personIn{f.campaign, who}] = f.id
	g.fallbacks.byMessage[f.message] = f.id
	g.fallbacks.count(&f, 1)
	return "", nil
}

// planAgain gives somebody whose message was undone, and never left, another one in
// its place.
func (g *group) planAgain(p *planning, d *planned, f *fallback) error {
	if _, err := g.conn.ExecContext(g.ctx, "UPDATE fallback SET run = ?, message = ?, channel = ?, address = ?, language = ?, subject = ?, body = ? WHERE id = ?",
		p.run.ID, d.Message, d.Channel, d.To, d.Language, d.Subject, d.Text, f.id); err != nil {
		return err
	}
	if f.message != d.Message {
		g.fallbacks.byMessage[f.message] = 0
	}
	g.fallbacks.byMessage[d.Message] = f.id
	f.run, f.channel = p.run.ID, d.Channel // which it did not count in: it did not wait
	return g.changeFallback(f, func(f *fallback) {
		f.state, f.due, f.expires, f.segments, f.cost = fallbackWaiting, d.Due, p.expires(d.Due), d.Segments, d.Cost
		f.code, f.reason, f.tries, f.at, f.toldAt = "", "", 0, 0, 0
	})
}

// mustNotReach says why a person must not be reached by a channel; "" = they may
// be. to is where: a phone, or an e-mail address.
func (g *group) mustNotReach(campaign, id int64, to, channel string, now wa.Instant) (reason string, err error) {
	who, err := g.personByRow(id)
	if err != nil {
		return "", err
	}
	phone := who.phone
	if channel != wa.ChannelEmail {
		phone = digits(to)
	} else if gone, err := g.unsubscribed(to); gone || err != nil {
		return reasonUnsubscribed, err
	}
	return g.suppressed(who, phone, channel, g.marketing(campaign), now)
}
