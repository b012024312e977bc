package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"tickwatch/wa"
)

// Suppression says of many phones whether they may be written to, as of one moment:
// the same that a claim would say then. It holds up no writer. It is for one
// goroutine; Close it soon, for the database's log cannot be cut back meanwhile.
type Suppression struct {
	ctx     context.Context //nolint:containedctx // of the reading that it is made for
	v       *view
	read    *sql.Stmt
	entry   *sql.Stmt
	index   index // as it was at that moment
	names   listNames
	rules   wa.SuppressRules
	now     wa.Instant
	held    []heldPhone       // by rules; sorted
	aliases map[string]string // phones that people were known by, and are no more
	err     error
}

// heldPhone is a phone of somebody whom rules hold, one bit a rule.
type heldPhone struct {
	phone uint64
	rules uint32
}

// Suppression reads who must not be written to at a moment.
func (s *Store) Suppression(ctx context.Context, now wa.Instant) (_ *Suppression, err error) {
	if err := s.Settled(ctx); err != nil {
		return nil, fmt.Errorf("reading who must not be written to: %w", err)
	}
	x := &Suppression{ctx: ctx, rules: s.rules, now: now, aliases: map[string]string{}}
	defer func() {
		if err != nil {
			x.Close()
			err = fmt.Errorf("reading who must not be written to: %w", err)
		}
	}()
	x.v, err = s.view(ctx, func(w *writer) error {
		x.names = w.list
		of := w.indexes[indexSuppressed]
		x.index = index{kind: of.kind, runs: slices.Clone(of.runs)} // a run never changes
		for _, e := range of.tail.entries {
			x.index.tail.add(e)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if x.read, err = x.v.PrepareContext(ctx, readPage); err != nil {
		return nil, err
	}
	if x.entry, err = x.v.PrepareContext(ctx, listedByID); err != nil {
		return nil, err
	}
	if _, err := query(ctx, x.v, func(s scanner) (struct{}, error) {
		var name, phone string
		err := s.Scan(&name, &phone)
		x.aliases[name] = phone
		return struct{}{}, err
	}, `SELECT f.name, p.phone FROM former_name f JOIN person p ON p.id = f.person WHERE f.until > ? AND p.phone <> '' ORDER BY f.until DESC`, int64(now)); err != nil {
		return nil, err
	}
	if _, err := eachHeld(ctx, x.v, x.rules, now, heldMark{}, x.hold); err != nil {
		return nil, err
	}
	slices.SortFunc(x.held, func(a, b heldPhone) int { return cmp.Compare(a.phone, b.phone) })
	return x, nil
}

// Close ends the reading.
func (x *Suppression) Close() {
	for _, stmt := range [...]*sql.Stmt{x.read, x.entry} {
		if stmt != nil {
			_ = stmt.Close()
		}
	}
	if x.v != nil {
		x.v.end()
	}
}

// Err is why the list could not be read; then nobody was found on it.
func (x *Suppression) Err() error {
	if x.err != nil {
		return fmt.Errorf("reading the suppression list: %w", x.err)
	}
	return nil
}

// hold keeps what holds a person, by rules.
func (x *Suppression) hold(p *heldPerson) (bool, error) {
	n, err := strconv.ParseUint(p.phone, 10, 64)
	if err != nil {
		return true, nil //nolint:nilerr // what is no number is nobody's phone
	}
	h := heldPhone{phone: n}
	for _, by := range p.holds {
		h.rules |= 1 << slices.IndexFunc(x.rules, func(r wa.SuppressRule) bool { return r.Name == by.Rule })
	}
	x.held = append(x.held, h)
	return true, nil
}

// Hold is the first reason why a phone, in E.164 or digits, must not be written to
// by a channel; false = there is none. Of a rule it tells neither since nor until when.
func (x *Suppression) Hold(phone, channel string, marketing bool) (wa.Hold, bool) {
	phone = digits(phone)
	now := cmp.Or(x.aliases[phone], phone)
	for _, h := range x.byRules(now) {
		if h.Closes(channel, marketing, x.now) {
			return h, true
		}
	}
	for _, number := range [...]string{phone, now} {
		entries, err := x.entriesOf(number)
		x.err = cmp.Or(x.err, err)
		for i := range entries {
			if h := entries[i].hold(); h.Closes(channel, marketing, x.now) {
				return h, true
			}
		}
		if number == now {
			break
		}
	}
	return wa.Hold{}, false
}

// HeldBy tells whether a rule holds a phone, in E.164 or digits.
func (x *Suppression) HeldBy(phone, rule string) bool {
	phone = digits(phone)
	return slices.ContainsFunc(x.byRules(cmp.Or(x.aliases[phone], phone)), func(h wa.Hold) bool { return h.Rule == rule })
}

func (x *Suppression) byRules(phone string) (all []wa.Hold) {
	n, err := strconv.ParseUint(phone, 10, 64)
	if err != nil {
		return nil
	}
	i, found := slices.BinarySearchFunc(x.held, n, func(h heldPhone, n uint64) int { return cmp.Compare(h.phone, n) })
	if !found {
		return nil
	}
	for k := range x.rules {
		if r := &x.rules[k]; x.held[i].rules&(1<<k) != 0 {
			all = append(all, wa.Hold{Rule: r.Name, Reason: r.Text, Channels: r.Channels, Marketing: r.Marketing})
		}
	}
	return all
}

func (x *Suppression) entriesOf(phone string) (all []listed, err error) {
	for _, n := range x.names.of(phone) {
		rows, err := x.index.find(x.ctx, x.read, hashOfListed(n.kind, n.name))
		if err != nil {
			return nil, err
		}
		for _, id := range rows {
			l, err := scanListed(x.entry.QueryRowContext(x.ctx, id))
			switch {
			case missing(err):
			case err != nil:
				return nil, err
			case l.kind == n.kind && l.name == n.name:
				all = append(all, l)
			}
		}
	}
	return all, nil
}

// heldPerson is somebody whom rules hold.
type heldPerson struct {
	id           int64
	phone, bsuid string
	holds        []wa.Hold
}

// heldMark is how far a reading of them has come: those with failed messages come
// first, in order of their ids, and then others who opted out.
type heldMark struct {
	Others bool
	Person int64
}

// Who has failed messages that rules count, and who else opted out.
const (
	failingPeople = `SELECT m.person, m.code, m.code_at, p.phone, p.bsuid, p.opted_out, p.opted_at
		FROM message m INDEXED BY message_failing CROSS JOIN person p ON p.id = m.person
		WHERE m.state = 2 AND m.person > ? AND m.code IN (SELECT value FROM json_each(?)) ORDER BY m.person`
	optedOutPeople = `SELECT p.id, p.phone, p.bsuid, p.opted_at FROM person p INDEXED BY person_opted_out
		WHERE p.opted_out AND p.id > ? AND NOT EXISTS (SELECT 1 FROM message m WHERE m.person = p.id AND m.state = 2 AND m.code IN (SELECT value FROM json_each(?)))
		ORDER BY p.id`
)

// errEnough ends a reading.
var errEnough = errors.New("enough")

// eachHeld gives everybody whom rules hold at a moment and who come after a mark,
// until do says false. It gives how far it came, and no mark where that is the end.
func eachHeld(ctx context.Context, q querier, rules wa.SuppressRules, now wa.Instant, after heldMark, do func(*heldPerson) (bool, error)) (*heldMark, error) {
	codes, err := json.Marshal(rules.Codes())
	if err != nil {
		return nil, err
	}
	r := heldReader{ctx: ctx, q: q, rules: rules, now: now, codes: string(codes), do: do}
	if !after.Others {
		if r.last, err = r.failing(after.Person); errors.Is(err, errEnough) {
			return &heldMark{Person: r.last}, nil
		} else if err != nil {
			return nil, err
		}
		after = heldMark{Others: true}
	}
	if r.last, err = r.optedOut(after.Person); errors.Is(err, errEnough) {
		return &heldMark{Others: true, Person: r.last}, nil
	}
	return nil, err
}

// eachHeld reads on one connection: who held one and waited for another would wait
// for ever beside others who do.
func (s *Store) eachHeld(ctx context.Context, now wa.Instant, after heldMark, do func(*heldPerson) (bool, error)) (*heldMark, error) {
	conn, err := s.readers.Conn(ctx)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	return eachHeld(ctx, conn, s.rules, now, after, do)
}

// heldReader reads who is held.
type heldReader struct {
	ctx   context.Context //nolint:containedctx // it lives for one call
	q     querier
	rules wa.SuppressRules
	now   wa.Instant
	codes string
	last  int64
	do    func(*heldPerson) (bool, error)
}

// failing reads people with failed messages.
func (r *heldReader) failing(after int64) (last int64, err error) {
	rows, err := r.q.QueryContext(r.ctx, failingPeople, after, r.codes)
	if err != nil {
		return after, err
	}
	defer rows.Close()
	var p heldPerson
	var record wa.Record
	for rows.Next() {
		var of heldPerson
		var f wa.Failed
		var out bool
		var at wa.Instant
		if err := rows.Scan(&of.id, &f.Code, &f.At, &of.phone, &of.bsuid, &out, &at); err != nil {
			return last, err
		}
		if of.id != p.id {
			if err := r.judge(&p, &record); err != nil {
				return p.id, err
			}
			p, record = of, wa.Record{OptedOut: out, WordAt: at, Failures: record.Failures[:0]}
			if !out {
				record.ResumedAt = at
			}
		}
		record.Failures = append(record.Failures, f)
	}
	if err := rows.Err(); err != nil {
		return last, err
	}
	return p.id, r.judge(&p, &record)
}

// optedOut reads the others who opted out.
func (r *heldReader) optedOut(after int64) (last int64, err error) {
	rows, err := r.q.QueryContext(r.ctx, optedOutPeople, after, r.codes)
	if err != nil {
		return after, err
	}
	defer rows.Close()
	for rows.Next() {
		var p heldPerson
		record := wa.Record{OptedOut: true}
		if err := rows.Scan(&p.id, &p.phone, &p.bsuid, &record.WordAt); err != nil {
			return last, err
		}
		if err := r.judge(&p, &record); err != nil {
			return p.id, err
		}
	}
	return last, rows.Err()
}

// judge hands on whom rules hold. What is seldom needed is read only where a rule
// would hold without it.
func (r *heldReader) judge(p *heldPerson, record *wa.Record) error {
	if p.id == 0 {
		return nil
	}
	if p.holds = r.rules.Holds(record, r.now); len(p.holds) == 0 {
		return nil
	}
	var err error
	if record.Released, err = readReleases(r.ctx, r.q, p.id); err != nil {
		return err
	}
	if len(record.Failures) > 0 {
		if err := r.q.QueryRowContext(r.ctx, wroteAt, p.id).Scan(&record.WroteAt); err != nil {
			return err
		}
	}
	if p.holds = r.rules.Holds(record, r.now); len(p.holds) == 0 {
		return nil
	}
	more, err := r.do(p)
	if err == nil && !more {
		err = errEnough
	}
	return err
}

// readReleases reads from which rules a person was released, and when.
func readReleases(ctx context.Context, q querier, person int64) (map[string]wa.Instant, error) {
	all := map[string]wa.Instant{}
	_, err := query(ctx, q, func(s scanner) (struct{}, error) {
		var rule string
		var at wa.Instant
		err := s.Scan(&rule, &at)
		all[rule] = at
		return struct{}{}, err
	}, "SELECT rule, at FROM released WHERE person = ?", person)
	return all, err
}
