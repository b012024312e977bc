package store

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"slices"
	"strconv"
	"strings"

	"tickwatch/wa"
)

// suppressed says why a person must not be written to by a channel at a moment, in
// a few words; "" = they may be. phone is the number that would be written to,
// digits; who is the person that it belongs to now, the zero person where nobody is
// known by it. Marketing meets rules that other messages do not. It costs next to
// nothing for people of whom nothing is known.
func (g *group) suppressed(who person, phone, channel string, marketing bool, now wa.Instant) (reason string, err error) {
	holds, err := g.holds(who, phone, now)
	for i := range holds {
		if holds[i].Closes(channel, marketing, now) {
			return holds[i].Why(), err
		}
	}
	return "", err
}

// holds are all reasons why a person is not written to: of rules, and entries of
// the suppression list.
func (g *group) holds(who person, phone string, now wa.Instant) (all []wa.Hold, err error) {
	if who.id != 0 {
		record, err := g.recordOf(who)
		if err != nil {
			return nil, err
		}
		if record != nil {
			all = g.w.store.rules.Holds(record, now)
		}
	}
	entries, err := g.entriesOf(phone)
	if err != nil {
		return nil, err
	}
	if who.phone != phone { // they are known by another number than the one that a list has
		more, err := g.entriesOf(who.phone)
		if err != nil {
			return nil, err
		}
		entries = append(entries, more...)
	}
	for i := range entries {
		if h := entries[i].hold(); h.Until == 0 || h.Until > now {
			all = append(all, h)
		}
	}
	return all, nil
}

// recordOf is what the rules look at of a person; nil = there is nothing in it.
func (g *group) recordOf(who person) (*wa.Record, error) {
	var p wa.Record
	failing, released := false, false
	if who.stored {
		err := g.w.stmts.standing.QueryRowContext(g.ctx, who.id).Scan(&p.OptedOut, &p.WordAt, &failing, &released)
		if err != nil && !missing(err) {
			return nil, err
		}
	}
	if err := g.failuresOf(who.id, failing, &p); err != nil {
		return nil, err
	}
	if !p.OptedOut && len(p.Failures) == 0 {
		return nil, nil
	}
	if !p.OptedOut {
		p.ResumedAt = p.WordAt
	}
	if released {
		var err error
		if p.Released, err = readReleases(g.ctx, g.conn, who.id); err != nil {
			return nil, err
		}
	}
	if who.stored && len(p.Failures) > 0 {
		if err := g.w.stmts.wroteAt.QueryRowContext(g.ctx, who.id).Scan(&p.WroteAt); err != nil {
			return nil, err
		}
	}
	return &p, nil
}

// failuresOf adds a person's failed messages: of those that are in memory what is
// known, of the others what their rows say.
func (g *group) failuresOf(who int64, stored bool, p *wa.Record) error {
	add := func(m *message) {
		if m.progress.State() == wa.StateFailed {
			p.Failures = append(p.Failures, wa.Failed{Code: m.progress.Code, At: m.progress.CodeAt})
		}
	}
	for _, t := range g.byPerson[who] {
		if g.is(t.now.person) == who {
			add(&t.now)
		}
	}
	for _, id := range g.w.pending.byPerson[who] {
		if g.byRow[id] == nil {
			add(g.w.pending.byID[id])
		}
	}
	if !stored {
		return nil
	}
	rows, err := g.w.stmts.failing.QueryContext(g.ctx, who)
	if err != nil {
		return err
	}
	type row struct {
		id int64
		wa.Failed
	}
	all, err := collect(rows, func(s scanner) (r row, err error) { return r, s.Scan(&r.id, &r.Code, &r.At) })
	for _, r := range all {
		if g.byRow[r.id] == nil && g.w.pending.byID[r.id] == nil {
			p.Failures = append(p.Failures, r.Failed)
		}
	}
	return err
}

// What the names of the suppression list's entries are. Their numbers are stored.
const (
	namedPhone  = iota // digits
	namedHMAC          // HMAC-SHA-256 of the digits, by the store's key
	namedSHA256        // SHA-256 of the digits, or of + and the digits: anybody can try out all numbers
	nameKinds
)

// listed is an entry of the suppression list.
type listed struct {
	id           int64
	kind         int
	name         string // digits, or 32 bytes
	channels     wa.Channels
	since, until wa.Instant
	by, reason   string
}

const listedColumns = "id, kind, name, channels, since, until, by, reason"

func scanListed(s scanner) (l listed, err error) {
	return l, s.Scan(&l.id, &l.kind, &l.name, &l.channels, &l.since, &l.until, &l.by, &l.reason)
}

func (l *listed) hold() wa.Hold {
	return wa.Hold{Reason: l.reason, Since: l.since, Until: l.until, By: l.by, Channels: l.channels}
}

func hashOfListed(kind int, name string) uint64 { return hashOf(strconv.Itoa(kind) + name) }

// listNames are the names under which a phone may be on the suppression list.
type listNames struct {
	key    []byte
	counts [nameKinds]int64 // entries of each kind
}

// of gives them, without those of kinds that the list has none of.
func (n *listNames) of(phone string) (all []listed) {
	if n.counts[namedPhone] > 0 {
		all = append(all, listed{kind: namedPhone, name: phone})
	}
	if n.counts[namedHMAC] > 0 {
		all = append(all, listed{kind: namedHMAC, name: n.hmac(phone)})
	}
	if n.counts[namedSHA256] > 0 {
		for _, spelt := range [...]string{phone, "+" + phone} {
			sum := sha256.Sum256([]byte(spelt))
			all = append(all, listed{kind: namedSHA256, name: string(sum[:])})
		}
	}
	return all
}

func (n *listNames) hmac(phone string) string {
	h := hmac.New(sha256.New, n.key)
	_, _ = h.Write([]byte(phone)) // never fails
	return string(h.Sum(nil))
}

// listNames are those that this group knows of.
func (g *group) listNames() listNames {
	n := g.w.list
	for kind, more := range g.listed {
		n.counts[kind] += more
	}
	return n
}

// entriesOf are the entries of the suppression list about a phone.
func (g *group) entriesOf(phone string) (all []listed, err error) {
	if phone == "" {
		return nil, nil
	}
	names := g.listNames()
	for _, n := range names.of(phone) {
		same, err := g.entriesNamed(n.kind, n.name)
		if err != nil {
			return nil, err
		}
		all = append(all, same...)
	}
	return all, nil
}

// entriesNamed are those of one name.
func (g *group) entriesNamed(kind int, name string) (all []listed, err error) {
	hash := hashOfListed(kind, name)
	rows, err := g.w.indexes[indexSuppressed].find(g.ctx, g.w.stmts.readPage, hash)
	if err != nil {
		return nil, err
	}
	for _, id := range slices.Concat(rows, g.listing[hash]) { // no index has the latter before the commit
		l, err := scanListed(g.w.stmts.listedByID.QueryRowContext(g.ctx, id))
		switch {
		case missing(err):
		case err != nil:
			return nil, err
		case l.kind == kind && l.name == name:
			all = append(all, l)
		}
	}
	return all, nil
}

// putListed puts an entry on the suppression list, in the place of those of its name.
func (g *group) putListed(l *listed) (renewed bool, err error) {
	had, err := g.entriesNamed(l.kind, l.name)
	if err != nil {
		return false, err
	}
	for i := range had {
		if err := g.dropListed(&had[i]); err != nil {
			return false, err
		}
	}
	l.id = take(&g.next.suppressed)
	if _, err := g.w.stmts.insertListed.ExecContext(g.ctx, l.id, l.kind, []byte(l.name), int(l.channels), int64(l.since), int64(l.until), l.by, l.reason); err != nil {
		return false, err
	}
	hash := hashOfListed(l.kind, l.name)
	g.index(indexSuppressed, hash, l.id)
	g.listing[hash] = append(g.listing[hash], l.id)
	g.listed[l.kind]++
	return len(had) > 0, nil
}

func (g *group) dropListed(l *listed) error {
	g.listed[l.kind]--
	_, err := g.conn.ExecContext(g.ctx, "DELETE FROM suppressed WHERE id = ?", l.id)
	return err
}

// writeListed writes how many entries of the suppression list there are.
func (g *group) writeListed() error {
	if g.listed == [nameKinds]int64{} {
		return nil
	}
	_, err := g.conn.ExecContext(g.ctx, "UPDATE suppression SET phones = phones + ?, hmacs = hmacs + ?, hashes = hashes + ?",
		g.listed[namedPhone], g.listed[namedHMAC], g.listed[namedSHA256])
	return err
}

// followListed lets the suppression list go on to hold a person who had other
// numbers and has this one now.
func (g *group) followListed(had []string, phone string) error {
	if phone == "" {
		return nil
	}
	for _, name := range had {
		if name == "" || name == phone || strings.Trim(name, "0123456789") != "" {
			continue
		}
		entries, err := g.entriesOf(name)
		if err != nil {
			return err
		}
		for _, l := range entries {
			if err := g.copyListed(l, phone); err != nil {
				return err
			}
		}
	}
	return nil
}

// copyListed makes an entry for another number of the same person, unless one that
// holds as long is there. A hash by no key of ours becomes one by ours.
func (g *group) copyListed(l listed, phone string) error {
	l.name = phone
	if l.kind != namedPhone {
		names := g.listNames()
		l.kind, l.name = namedHMAC, names.hmac(phone)
	}
	had, err := g.entriesNamed(l.kind, l.name)
	if err != nil {
		return err
	}
	for _, h := range had {
		l.channels |= h.channels
		if l.until != 0 && (h.until == 0 || h.until > l.until) {
			l.until = h.until
		}
		l.since = min(l.since, h.since)
		l.reason = cmp.Or(h.reason, l.reason)
	}
	if len(had) == 1 && had[0].channels == l.channels && had[0].until == l.until {
		return nil
	}
	_, err = g.putListed(&l)
	return err
}
