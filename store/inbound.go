package store

import (
	"cmp"
	"database/sql"
	"errors"
	"time"

	"tickwatch/wa"
)

// attributable is how long after a message an opt-out is still taken as an
// answer to it, where the opt-out does not say what it answers.
const attributable = wa.Instant(7 * 24 * time.Hour / time.Millisecond)

func missing(err error) bool { return errors.Is(err, sql.ErrNoRows) }

// inbound applies what a customer wrote. Of its text nothing is kept but the
// raw body, whether it opts out, and what stands on the button that was pressed.
func (g *group) inbound(raw int64, received wa.Instant, m *wa.InboundMessage) error {
	at := wa.Believe(m.At, received)
	named := at
	if m.Became != (wa.Person{}) {
		named-- // the message names its person as they were just before
	}
	who, err := g.person(m.Person, named)
	if err != nil {
		return err
	}
	if err := g.storePerson(who); err != nil {
		return err
	}
	n, err := g.number(m.Sender)
	if err != nil {
		return err
	}
	campaign, err := g.answered(m.ReplyTo, who, n.id, at)
	if err != nil {
		return err
	}
	optsOut := m.OptsOut(g.w.store.stops...)
	step, label := m.Step()
	answered := 0
	if optsOut || step == "" || step == wa.StepReaction {
		answered = noAnswer
	}
	done, err := g.conn.ExecContext(g.ctx, `INSERT OR IGNORE INTO inbound (wamid, at, person, number, campaign, type, notice, step, label, reply_to, answered_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		m.MessageID, int64(at), who, n.id, campaign, bounded(m.Type), g.next.notice+1, step, boundedLabel(label), bounded(m.ReplyTo), answered)
	if err != nil {
		return err
	}
	if rows, _ := done.RowsAffected(); rows == 0 {
		g.feed.Duplicates++
		wish, err := g.deletedBefore(raw, m, optsOut)
		if err != nil || !wish || who == 0 {
			return err
		}
		return g.optOut(campaign, who, at, viaOf(m))
	}
	if step != "" {
		g.countInbound(campaign, at, 1)
	}
	if who != 0 {
		g.wrote[who] = max(g.wrote[who], at)
		g.rejudge(who)
	}
	if err := g.notice(raw, "inbound", at, struct {
		MessageID, Type string
		Subtype         string `json:",omitempty"`
		Person          int64
		Campaign        int64 `json:",omitempty"`
		OptsOut         bool  `json:",omitempty"`
		Code            int   `json:",omitempty"` // of an unsupported message
	}{m.MessageID, bounded(m.Type), bounded(m.Subtype), who, campaign, optsOut, m.Code}); err != nil {
		return err
	}
	switch {
	case who == 0:
		return nil
	case m.Became != (wa.Person{}):
		return g.move(who, m.Person, m.Became, at)
	case optsOut:
		return g.optOut(campaign, who, at, viaOf(m))
	}
	return nil
}

// viaOf is how an inbound message opts out.
func viaOf(m *wa.InboundMessage) string {
	if m.Type == "text" {
		return "reply"
	}
	return "button"
}

// preference applies a customer's choice in WhatsApp's own settings.
func (g *group) preference(raw int64, received wa.Instant, p *wa.Preference) error {
	at := wa.Believe(p.At, received)
	who, err := g.person(p.Person, at)
	if err != nil || who == 0 {
		return err
	}
	if err := g.storePerson(who); err != nil {
		return err
	}
	n, err := g.number(p.Sender)
	if err != nil {
		return err
	}
	stop := p.Value == "stop"
	campaign := int64(0)
	if stop {
		if campaign, err = g.answered("", who, n.id, at); err != nil {
			return err
		}
	}
	known, err := g.knownPreference(campaign, who, at, stop)
	if err != nil {
		return err
	}
	if known {
		g.feed.Duplicates++
		return nil
	}
	if err := g.notice(raw, "preference", at, struct {
		Person          int64
		Category, Value string
	}{who, bounded(p.Category), bounded(p.Value)}); err != nil {
		return err
	}
	switch p.Value {
	case "stop":
		return g.optOut(campaign, who, at, "preference")
	case "resume":
		return g.setOptedOut(who, false, at)
	}
	return nil
}

// knownPreference tells whether a preference of that moment was applied before.
func (g *group) knownPreference(campaign, who int64, at wa.Instant, stop bool) (bool, error) {
	var before wa.Instant
	var err error
	if stop {
		err = g.conn.QueryRowContext(g.ctx, "SELECT at FROM opt_out WHERE campaign = ? AND person = ?", campaign, who).Scan(&before)
	} else {
		err = g.conn.QueryRowContext(g.ctx, "SELECT opted_at FROM person WHERE id = ? AND NOT opted_out", who).Scan(&before)
	}
	if missing(err) {
		err = nil
	}
	return before == at, err
}

// answered is the campaign that a customer reacts to; see writtenTo.
func (g *group) answered(replyTo string, who, number int64, at wa.Instant) (campaign int64, err error) {
	c := &conversation{}
	if who != 0 {
		if c, err = g.conversation(who); err != nil {
			return 0, err
		}
	}
	campaign, _, err = g.writtenTo(&written{replyTo: replyTo, number: number, at: at}, c)
	return campaign, err
}

// claimOptOut gives a new message the opt-out of its person that came before any
// word of it: webhooks overtake each other.
func (g *group) claimOptOut(t *touched, clock wa.Instant) error {
	who := t.now.person
	at, ok := g.homeless[who]
	if !ok {
		at, ok = g.w.homeless[who]
	}
	if !ok || at < clock || at-clock > attributable {
		return nil
	}
	var via string
	if err := g.conn.QueryRowContext(g.ctx, "DELETE FROM opt_out WHERE campaign = 0 AND person = ? RETURNING via", who).Scan(&via); err != nil {
		if missing(err) {
			return nil
		}
		return err
	}
	g.homeless[who] = 0
	return g.optOut(t.now.campaign, who, at, via)
}

// optOut notes that a person asked to be left alone, once a campaign, at the
// earliest moment known.
func (g *group) optOut(campaign, who int64, at wa.Instant, via string) error {
	if err := g.setOptedOut(who, true, at); err != nil {
		return err
	}
	var before wa.Instant
	err := g.conn.QueryRowContext(g.ctx, "SELECT at FROM opt_out WHERE campaign = ? AND person = ?", campaign, who).Scan(&before)
	if err != nil && !missing(err) {
		return err
	}
	if err == nil && before <= at {
		return nil
	}
	if _, err := g.conn.ExecContext(g.ctx, "INSERT OR REPLACE INTO opt_out VALUES (?, ?, ?, ?)", campaign, who, int64(at), via); err != nil {
		return err
	}
	if campaign == 0 {
		g.homeless[who] = at
		return nil
	}
	if before != 0 {
		g.countOptOut(campaign, before, -1)
	}
	g.countOptOut(campaign, at, 1)
	return nil
}

func (g *group) countOptOut(campaign int64, at wa.Instant, sign int64) {
	if campaign == 0 {
		return
	}
	for _, t := range [...]*Tally{g.tally(campaign), g.total(campaign)} {
		t.Counts.OptOuts += sign
		t.OptOuts[at.Second()/60] += sign
	}
}

// setOptedOut keeps a person's latest word.
func (g *group) setOptedOut(who int64, out bool, at wa.Instant) error {
	_, err := g.conn.ExecContext(g.ctx, "UPDATE person SET opted_out = ?, opted_at = ? WHERE id = ? AND opted_at <= ?", out, int64(at), who, int64(at))
	return err
}

// mergeOptOuts gives the opt-outs of one person to another who is the same; a
// campaign that both opted out of lost one person, not two.
func (g *group) mergeOptOuts(keep, drop int64) error {
	rows, err := g.conn.QueryContext(g.ctx, "SELECT campaign, at, via FROM opt_out WHERE person = ?", drop)
	if err != nil {
		return err
	}
	type row struct {
		campaign int64
		at       wa.Instant
		via      string
	}
	all, err := collect(rows, func(s scanner) (r row, err error) { return r, s.Scan(&r.campaign, &r.at, &r.via) })
	if err != nil {
		return err
	}
	for _, r := range all {
		if _, err := g.conn.ExecContext(g.ctx, "DELETE FROM opt_out WHERE campaign = ? AND person = ?", r.campaign, drop); err != nil {
			return err
		}
		g.countOptOut(r.campaign, r.at, -1)
		if err := g.optOut(r.campaign, keep, r.at, cmp.Or(r.via, "reply")); err != nil {
			return err
		}
	}
	return nil
}

// collect reads all rows of a query.
func collect[T any](rows *sql.Rows, read func(scanner) (T, error)) (all []T, err error) {
	defer rows.Close()
	for rows.Next() {
		v, err := read(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, rows.Err()
}
