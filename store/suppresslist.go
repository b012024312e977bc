package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"tickwatch/wa"
)

// Listing is an entry that is to stand on the suppression list.
type Listing struct {
	Number string // E.164 or digits; "" of one that is known by its hash only
	Hash   []byte // SHA-256 or HMAC-SHA-256 of the digits
	Plain  bool   // Hash is SHA-256, and no HMAC by this store's key

	Channels wa.Channels // that it closes; 0 = all
	Until    wa.Instant  // 0 = for ever
	By       string
	Reason   string // foreign text
}

// suppressStep is how many entries one commit writes or deletes.
const suppressStep = 2000

// Suppress puts entries on the suppression list. One takes the place of an earlier
// one of the same name, which it renews. A number under which somebody was known
// who has another now stands for both. What waits in queues meets them when its
// turn comes. After an error the first of them may be there.
func (s *Store) Suppress(ctx context.Context, all []Listing) (added, renewed int64, err error) {
	for step := range slices.Chunk(all, suppressStep) {
		var fresh, again int64
		err := s.submit(ctx, &request{weight: int64(len(step)), group: func(g *group) error {
			fresh, again = 0, 0
			for i := range step {
				known, err := g.suppress(&step[i])
				if err != nil {
					return err
				}
				if known {
					again++
				} else {
					fresh++
				}
			}
			return nil
		}})
		if err != nil {
			return added, renewed, fmt.Errorf("writing the suppression list: %w", err)
		}
		added, renewed = added+fresh, renewed+again
	}
	return added, renewed, nil
}

func (g *group) suppress(of *Listing) (renewed bool, err error) {
	now := wa.At(g.w.store.now())
	l := listed{channels: of.Channels, since: now, until: of.Until, by: bounded(of.By), reason: bounded(of.Reason)}
	if l.channels == 0 {
		l.channels = wa.OnAll
	}
	if of.Number == "" {
		if len(of.Hash) != sha256.Size {
			return false, fmt.Errorf("a hash of %d bytes is no SHA-256", len(of.Hash))
		}
		l.kind, l.name = namedHMAC, string(of.Hash)
		if of.Plain {
			l.kind = namedSHA256
		}
		return g.putListed(&l)
	}
	phone := digits(of.Number)
	if phone == "" {
		return false, errors.New("an entry needs a number")
	}
	l.kind, l.name = namedPhone, phone
	if renewed, err = g.putListed(&l); err != nil {
		return false, err
	}
	named, err := g.today(wa.Person{Phone: phone}, now)
	if err != nil || named.Phone == "" || named.Phone == phone {
		return renewed, err
	}
	l.name = named.Phone
	_, err = g.putListed(&l)
	return renewed, err
}

// called finds who goes by a phone or BSUID, and their phone.
func (g *group) called(name string, now wa.Instant) (who person, phone string, err error) {
	if phone = digits(name); strings.Trim(name, "+0123456789 ()-./") != "" {
		who, err = g.personByBSUID(name)
		return who, who.phone, err
	}
	named, err := g.today(wa.Person{Phone: phone}, now)
	if err != nil {
		return who, phone, err
	}
	if who, err = g.personByPhone(named.Phone); err == nil && who.id == 0 {
		who, err = g.personByBSUID(named.BSUID)
	}
	return who, phone, err
}

// Holds are all reasons why somebody is not written to at a moment: by a phone in
// any spelling, or a BSUID.
func (s *Store) Holds(ctx context.Context, name string, now wa.Instant) (all []wa.Hold, err error) {
	err = s.look(ctx, func(w *writer) error {
		g := newGroup(ctx, w)
		who, phone, err := g.called(name, now)
		if err == nil {
			all, err = g.holds(who, phone, now)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("looking up whether somebody is suppressed: %w", err)
	}
	return all, nil
}

// Release lets somebody be written to again, by phone or BSUID: it takes what names
// them off the suppression list if entries is set, and releases them from rules:
// what happened to them until now counts for these no more. It gives what held them
// of these, which may be nothing.
func (s *Store) Release(ctx context.Context, name string, entries bool, rules []string) (lifted []wa.Hold, err error) {
	err = s.submit(ctx, &request{weight: 1, group: func(g *group) error {
		lifted = nil
		now := wa.At(g.w.store.now())
		who, phone, err := g.called(name, now)
		if err != nil {
			return err
		}
		holds, err := g.holds(who, phone, now)
		if err != nil {
			return err
		}
		for _, h := range holds {
			if h.Rule == "" && !entries || h.Rule != "" && !slices.Contains(rules, h.Rule) {
				continue
			}
			lifted = append(lifted, h)
			if h.Rule != "" {
				if err := g.storePerson(who.id); err != nil {
					return err
				}
				if err := g.release(who.id, h.Rule, now); err != nil {
					return err
				}
			}
			if h.Rule == wa.RuleOptedOut {
				if err := g.resubscribe(who.id); err != nil {
					return err
				}
			}
		}
		if !entries {
			return nil
		}
		return g.dropEntries(phone, who.phone)
	}})
	if err != nil {
		return nil, fmt.Errorf("releasing somebody from suppression: %w", err)
	}
	return lifted, nil
}

func (g *group) release(person int64, rule string, now wa.Instant) error {
	_, err := g.conn.ExecContext(g.ctx, "INSERT INTO released VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET at = max(at, excluded.at)", person, rule, int64(now))
	return err
}

// dropEntries takes phones off the list.
func (g *group) dropEntries(phones ...string) error {
	for _, phone := range phones {
		all, err := g.entriesOf(phone)
		if err != nil {
			return err
		}
		for i := range all {
			if err := g.dropListed(&all[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

// ClearSuppressed takes every entry off the suppression list, and says how many
// those were. Rules hold on.
func (s *Store) ClearSuppressed(ctx context.Context) (removed int64, err error) {
	for more := true; more; {
		var n int64
		err := s.submit(ctx, &request{weight: suppressStep, group: func(g *group) error {
			n = 0
			rows, err := g.conn.QueryContext(g.ctx, "SELECT "+listedColumns+" FROM suppressed ORDER BY id LIMIT ?", suppressStep)
			if err != nil {
				return err
			}
			all, err := collect(rows, scanListed)
			if err != nil {
				return err
			}
			for i := range all {
				if err := g.dropListed(&all[i]); err != nil {
					return err
				}
				n++
			}
			return nil
		}})
		if err != nil {
			return removed, fmt.Errorf("clearing the suppression list: %w", err)
		}
		removed, more = removed+n, n == suppressStep
	}
	return removed, nil
}

// ReleaseAll releases everybody whom a rule holds, and says how many those were.
// People who asked not to be written to are released one by one only.
func (s *Store) ReleaseAll(ctx context.Context, rule string) (released int64, err error) {
	if r := s.rules.Named(rule); r == nil || r.Wish {
		return 0, fmt.Errorf("nobody is released from %q all at once", wa.Clean(rule))
	}
	if err := s.Settled(ctx); err != nil {
		return 0, fmt.Errorf("reading whom %s holds: %w", rule, err)
	}
	now := wa.At(s.now())
	for from := &(heldMark{}); from != nil; {
		var step []int64
		if from, err = s.eachHeld(ctx, now, *from, func(p *heldPerson) (bool, error) {
			if slices.ContainsFunc(p.holds, func(h wa.Hold) bool { return h.Rule == rule }) {
				step = append(step, p.id)
			}
			return len(step) < suppressStep, nil
		}); err != nil {
			return released, fmt.Errorf("reading whom %s holds: %w", rule, err)
		}
		if err := s.submit(ctx, &request{weight: int64(len(step)), group: func(g *group) error {
			for _, id := range step {
				if err := g.release(g.is(id), rule, now); err != nil {
					return err
				}
			}
			return nil
		}}); err != nil {
			return released, fmt.Errorf("releasing people from %s: %w", rule, err)
		}
		released += int64(len(step))
	}
	return released, nil
}

// Held is one reason why somebody is not written to, as it is listed.
type Held struct {
	Number string // digits; "" = not known
	BSUID  string // of a person without a number
	Hash   string // of an entry without a number: hmac: or sha256:, and hexadecimal digits
	wa.Hold
}

// HeldMark is a place in the listing of who is not written to; zero is its start.
type HeldMark struct {
	Rules bool     `json:"rules"` // the entries of the list are done with
	Entry int64    `json:"entry"` // the last that is
	Mark  heldMark `json:"mark"`  // and who is, of those whom rules hold
}

// heldLooked bounds the rows that one page of the listing looks at.
const heldLooked = 20_000

// HeldPage lists who is not written to at a moment, and why: entries of the
// suppression list first, in the order in which they were made, then whom rules
// hold, a line for each rule. only keeps some of them; nil = all. It gives up to
// about limit lines, which can be none, and where to go on; nil = that was the end.
func (s *Store) HeldPage(ctx context.Context, now wa.Instant, from HeldMark, limit int, only func(*Held) bool) (page []Held, next *HeldMark, err error) {
	if only == nil {
		only = func(*Held) bool { return true }
	}
	if !from.Rules {
		if page, next, err = s.listedPage(ctx, now, from, limit, only); next != nil || err != nil {
			return page, next, err
		}
		from = HeldMark{Rules: true}
	}
	if err := s.Settled(ctx); err != nil {
		return nil, nil, fmt.Errorf("reading who is suppressed: %w", err)
	}
	looked := 0
	mark, err := s.eachHeld(ctx, now, from.Mark, func(p *heldPerson) (bool, error) {
		looked++
		for _, h := range p.holds {
			held := Held{Number: p.phone, Hold: h}
			if held.Number == "" {
				held.BSUID = p.bsuid
			}
			if only(&held) {
				page = append(page, held)
			}
		}
		return len(page) < limit && looked < heldLooked, nil
	})
	if err != nil {
		return nil, nil, fmt.Errorf("reading who is suppressed: %w", err)
	}
	if mark != nil {
		next = &HeldMark{Rules: true, Mark: *mark}
	}
	return page, next, nil
}

// listedPage is a page of the entries.
func (s *Store) listedPage(ctx context.Context, now wa.Instant, from HeldMark, limit int, only func(*Held) bool) (page []Held, next *HeldMark, err error) {
	rows, err := s.readers.QueryContext(ctx, "SELECT "+listedColumns+" FROM suppressed WHERE id > ? ORDER BY id LIMIT ?", from.Entry, heldLooked)
	if err != nil {
		return nil, nil, fmt.Errorf("reading the suppression list: %w", err)
	}
	defer rows.Close()
	looked := 0
	for rows.Next() {
		l, err := scanListed(rows)
		if err != nil {
			return nil, nil, fmt.Errorf("reading the suppression list: %w", err)
		}
		looked++
		from.Entry = l.id
		if held := l.held(); (l.until == 0 || l.until > now) && only(&held) {
			page = append(page, held)
		}
		if len(page) == limit || looked == heldLooked {
			return page, &from, nil
		}
	}
	if err := rows.Err(); err != nil {
		return nil, nil, fmt.Errorf("reading the suppression list: %w", err)
	}
	return page, &HeldMark{Rules: true}, nil
}

func (l *listed) held() Held {
	held := Held{Hold: l.hold()}
	switch l.kind {
	case namedPhone:
		held.Number = l.name
	case namedHMAC:
		held.Hash = "hmac:" + hex.EncodeToString([]byte(l.name))
	default:
		held.Hash = "sha256:" + hex.EncodeToString([]byte(l.name))
	}
	return held
}

// HashNumbers gives the hash of each number, E.164 or digits, by which this store's
// suppression list knows it: HMAC-SHA-256 of the digits, by a key that is its own,
// in hexadecimal digits.
func (s *Store) HashNumbers(ctx context.Context, numbers []string) (hashes []string, err error) {
	err = s.look(ctx, func(w *writer) error {
		for _, n := range numbers {
			hashes = append(hashes, hex.EncodeToString([]byte(w.list.hmac(digits(n)))))
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("hashing numbers: %w", err)
	}
	return hashes, nil
}

// HeldCounts says how many people each rule holds, and how long the list is.
type HeldCounts struct {
	Entries int64            // of the suppression list, those that are over included
	Hashed  int64            // of these, those known by a hash only
	Plain   int64            // and of these, those by a plain SHA-256, which anybody can find the numbers of
	ByRule  map[string]int64 // people; one can be held by several
}

// HeldCounts counts who is not written to at a moment.
func (s *Store) HeldCounts(ctx context.Context, now wa.Instant) (n HeldCounts, err error) {
	n.ByRule = map[string]int64{}
	if err := s.Settled(ctx); err != nil {
		return n, fmt.Errorf("counting who is suppressed: %w", err)
	}
	if err := s.readers.QueryRowContext(ctx, "SELECT phones + hmacs + hashes, hmacs + hashes, hashes FROM suppression").
		Scan(&n.Entries, &n.Hashed, &n.Plain); err != nil {
		return n, fmt.Errorf("counting the suppression list: %w", err)
	}
	if _, err := s.eachHeld(ctx, now, heldMark{}, func(p *heldPerson) (bool, error) {
		for _, h := range p.holds {
			n.ByRule[h.Rule]++
		}
		return true, nil
	}); err != nil {
		return n, fmt.Errorf("counting who is suppressed: %w", err)
	}
	return n, nil
}

// Rules are the rules that say who is not written to; they never change.
func (s *Store) Rules() wa.SuppressRules { return slices.Clone(s.rules) }
