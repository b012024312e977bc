package store

import (
	"database/sql"
	"errors"
	"slices"
	"strings"

	"tickwatch/wa"
)

// message is one message as the writer knows it.
type message struct {
	id       int64
	campaign int64
	number   int64
	person   int64
	hasBSUID bool // the person's BSUID is known
	hasPhone bool
	keyed    bool // its campaign comes from its own callback data
	lone     bool // its callback data is known to be no key, so far
	wamid    string
	progress wa.Progress
	details  string // Meta's words on its latest failure, if told
	told     bool   // and no row has them yet
	stored   bool   // has a row
	row      *row   // which holds this; nil = what is here
	since    int64  // id of the first post that its row lacks; 0 = it lacks nothing
}

// message finds the message that a status speaks of: in this group, in memory,
// on disk; else it is a message that we hear of for the first time.
func (g *group) message(u *wa.StatusUpdate, at wa.Instant) (*touched, error) {
	m, err := g.own(u, at)
	if m != nil || err != nil {
		return m, err
	}
	if m, err = g.known(u.MessageID); err != nil {
		return nil, err
	}
	if m == nil {
		if m, err = g.newMessage(u, at); err != nil {
			return nil, err
		}
	}
	switch {
	case g.decided != nil:
		err = g.redecide(m)
	case !m.now.keyed:
		err = g.adopt(m, u.CallbackData)
	}
	return m, err
}

// redecide gives a message that is met again after a crash the campaign that was
// decided on then: what was known then may be known no more.
func (g *group) redecide(m *touched) error {
	d, ok := g.decided[m.now.wamid]
	if !ok || d.campaign == m.now.campaign || g.look(d.campaign) == nil {
		return nil
	}
	return g.join(m, g.campaign(d.campaign), g.numberByRow(d.number))
}

// own finds the message whose id our own callback data carries; nil when the
// status carries none of ours, or speaks of another message under it.
func (g *group) own(u *wa.StatusUpdate, at wa.Instant) (*touched, error) {
	id, ok := wa.OwnMessage(u.CallbackData, g.w.name)
	if !ok {
		return nil, nil
	}
	if id <= maxRecorded {
		id <<= g.w.store.spread.Load()
	}
	t, err := g.byID(id)
	if errors.Is(err, sql.ErrNoRows) {
		return g.ownAttempt(id, u, at)
	}
	if err != nil || (t.now.wamid != "" && t.now.wamid != u.MessageID) {
		return nil, err
	}
	if t.now.wamid == "" {
		if other, err := g.known(u.MessageID); other != nil || err != nil {
			return nil, err
		}
		t.now.wamid = strings.Clone(u.MessageID)
		g.messages[t.now.wamid] = t
	}
	return t, nil
}

// known finds a stored message; nil when there is none.
func (g *group) known(wamid string) (*touched, error) {
	if m := g.messages[wamid]; m != nil {
		return m, nil
	}
	if m := g.w.pending.byWAMID[wamid]; m != nil {
		return g.touch(m), nil
	}
	if m := g.w.recent.get(wamid); m != nil {
		return g.touch(m), nil
	}
	rows, err := g.w.indexes[indexWAMID].find(g.ctx, g.w.stmts.readPage, hashOf(wamid))
	if err != nil {
		return nil, err
	}
	for _, id := range rows {
		m, err := g.read(id)
		switch {
		case errors.Is(err, sql.ErrNoRows):
		case err != nil:
			return nil, err
		case m.wamid == wamid:
			return g.touch(m), nil
		}
	}
	return nil, nil
}

// byID finds a message, of this group, in memory or on disk.
func (g *group) byID(id int64) (*touched, error) {
	if t := g.byRow[id]; t != nil {
		return t, nil
	}
	if m := g.w.pending.byID[id]; m != nil {
		return g.touch(m), nil
	}
	if m := g.w.recent.byRow(id); m != nil {
		return g.touch(m), nil
	}
	m, err := g.read(id)
	if err != nil {
		return nil, err
	}
	return g.touch(m), nil
}

// read reads a message's row.
func (g *group) read(id int64) (*message, error) {
	m, phone, bsuid, err := scanMessage(g.w.stmts.messageByID.QueryRowContext(g.ctx, id))
	if err != nil {
		return nil, err
	}
	m.stored = true
	m.hasPhone, m.hasBSUID = phone != "", bsuid != ""
	m.keyed = g.look(m.campaign).keyed()
	return &m, nil
}

// touch makes a message part of the group.
func (g *group) touch(m *message) *touched {
	t := &touched{was: *m, now: *m, raw: g.raw}
	t.was.person, t.now.person = g.is(m.person), g.is(m.person)
	g.keep(t)
	return t
}

func (g *group) newMessage(u *wa.StatusUpdate, at wa.Instant) (*touched, error) {
	if b, ok := g.decided[u.MessageID]; ok && g.look(b.campaign) != nil {
		return g.bornAgain(u, at, b)
	}
	n, err := g.number(u.Sender)
	if err != nil {
		return nil, err
	}
	// The decoder's strings may point into a body that is not ours to keep.
	m := message{id: take(&g.next.message), number: n.id, wamid: strings.Clone(u.MessageID)}
	if !toGroup(u) {
		if m.person, err = g.person(u.Person, at); err != nil {
			return nil, err
		}
		m.hasPhone, m.hasBSUID = u.Phone != "", u.BSUID != ""
	}
	t := &touched{now: m, fresh: true, raw: g.raw}
	g.keep(t)
	if err := g.assign(t, u.CallbackData, n, at); err != nil {
		return nil, err
	}
	return t, g.claimOptOut(t, at)
}

// bornAgain makes a message as it was made before a crash: what was decided of
// it then could come out otherwise now.
func (g *group) bornAgain(u *wa.StatusUpdate, at wa.Instant, b decision) (_ *touched, err error) {
	m := message{id: b.id, number: b.number, wamid: b.wamid}
	g.next.message = max(g.next.message, b.id)
	if !toGroup(u) {
		if m.person, err = g.person(u.Person, at); err != nil {
			return nil, err
		}
		m.hasPhone, m.hasBSUID = u.Phone != "", u.BSUID != ""
	}
	t := &touched{now: m, fresh: true, raw: g.raw}
	g.keep(t)
	c := g.campaign(b.campaign)
	if c.kind == kindRun {
		c.runFrom, c.runTo = min(c.runFrom, at), max(c.runTo, at)
	}
	return t, g.join(t, c, g.numberByRow(b.number))
}

// toGroup tells messages to a group: their receipts name members, who are not
// whom the message was sent to.
func toGroup(u *wa.StatusUpdate) bool { return u.GroupID != "" || u.Participant != "" }

// keep makes a message part of the group.
func (g *group) keep(t *touched) {
	if t.now.wamid != "" {
		g.messages[t.now.wamid] = t
	}
	g.byRow[t.now.id] = t
	g.order = append(g.order, t)
	if t.now.person != 0 {
		g.byPerson[t.now.person] = append(g.byPerson[t.now.person], t)
	}
}

type scanner interface{ Scan(dest ...any) error }

func scanMessage(row scanner) (m message, phone, bsuid string, err error) {
	p := &m.progress
	err = row.Scan(&m.id, &m.campaign, &m.number, &m.person, &m.wamid, &p.Seen,
		&p.SentAt, &p.DeliveredAt, &p.ReadAt, &p.FailedAt, &p.Code, &p.CodeAt, &p.AcceptedAt, &phone, &bsuid)
	return m, phone, bsuid, err
}

// identify adds to a message's person what a later status tells of them.
func (g *group) identify(t *touched, p wa.Person, at wa.Instant) error {
	if (p.Phone == "" || t.now.hasPhone) && (p.BSUID == "" || t.now.hasBSUID) {
		return nil
	}
	id, err := g.person(p, at)
	if err != nil {
		return err
	}
	if before := g.is(t.now.person); before != 0 && id != before {
		other := id
		if id, err = g.mergePersons(before, other); err != nil {
			return err
		}
		if id != other && !g.vanished[other] { // no message's row brings along who stays apart
			if err := g.storePerson(other); err != nil {
				return err
			}
		}
	}
	if t.now.person == 0 {
		g.byPerson[id] = append(g.byPerson[id], t)
	}
	t.now.person = id
	t.now.hasPhone = t.now.hasPhone || p.Phone != ""
	t.now.hasBSUID = t.now.hasBSUID || p.BSUID != ""
	return nil
}

// messagesOf are the latest messages of a person, at most limit that are in no
// memory, and all that are.
func (g *group) messagesOf(who int64, limit int) ([]*touched, error) {
	for _, id := range slices.Clone(g.w.pending.byPerson[who]) {
		if _, err := g.byID(id); err != nil {
			return nil, err
		}
	}
	all := slices.Clone(g.byPerson[who])
	rows, err := g.messageRows(who)
	if err != nil {
		return nil, err
	}
	for _, id := range rows[:min(len(rows), limit)] {
		if g.byRow[id] != nil {
			continue
		}
		t, err := g.byID(id)
		if errors.Is(err, sql.ErrNoRows) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if g.is(t.now.person) == who {
			all = append(all, t)
		}
	}
	return all, nil
}

// messageRows are the ids of messages whose rows may name a person, the newest first.
func (g *group) messageRows(who int64) ([]int64, error) {
	hash := hashOfRow(who)
	rows, err := g.w.indexes[indexPerson].find(g.ctx, g.w.stmts.readPage, hash)
	for _, e := range g.entries[indexPerson] { // no index has them before the commit
		if e.hash == hash {
			rows = append(rows, e.row)
		}
	}
	slices.SortFunc(rows, newestFirst)
	return slices.Compact(rows), err
}
