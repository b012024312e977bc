package store

import (
	"database/sql"
	"errors"
	"hash/fnv"

	"tickwatch/wa"
)

// wamidKey is the hash under which a message is looked up; the wamid itself,
// stored beside it, settles collisions.
func wamidKey(wamid string) int64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(wamid))
	return int64(h.Sum64()) //nolint:gosec // all 64 bits, as SQLite keeps them
}

// message finds the message that a status speaks of: in this group, among the
// recent ones, on disk; else it is a message that we hear of for the first time.
func (g *group) message(u *wa.StatusUpdate, at wa.Instant) (*touched, error) {
	m, err := g.known(u.MessageID)
	if err != nil {
		return nil, err
	}
	if m == nil {
		if m, err = g.newMessage(u, at); err != nil {
			return nil, err
		}
	}
	if !m.now.keyed {
		err = g.adopt(m, u.CallbackData)
	}
	return m, err
}

// known finds a stored message; nil when there is none.
func (g *group) known(wamid string) (*touched, error) {
	if m := g.messages[wamid]; m != nil {
		return m, nil
	}
	if m, ok := g.w.recent.get(wamid); ok {
		return g.touch(m), nil
	}
	m, phone, bsuid, err := scanMessage(g.w.stmts.messageByKey.QueryRowContext(g.ctx, wamidKey(wamid), wamid))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	m.hasPhone, m.hasBSUID = phone != "", bsuid != ""
	m.keyed = g.campaign(m.campaign).kind == kindKey
	return g.touch(m), nil
}

func (g *group) touch(m message) *touched {
	m.person = g.is(m.person)
	t := &touched{was: m, now: m}
	g.keep(t)
	return t
}

func (g *group) newMessage(u *wa.StatusUpdate, at wa.Instant) (*touched, error) {
	n, err := g.number(u.Sender)
	if err != nil {
		return nil, err
	}
	// The decoder's strings may point into a body that is not ours to keep.
	m := message{id: take(&g.next.message), number: n.id, wamid: string([]byte(u.MessageID))}
	if !toGroup(u) {
		if m.person, err = g.person(u.Person, at); err != nil {
			return nil, err
		}
		m.hasPhone, m.hasBSUID = u.Phone != "", u.BSUID != ""
	}
	t := &touched{now: m, fresh: true}
	g.keep(t)
	if err := g.assign(t, u.CallbackData, n, at); err != nil {
		return nil, err
	}
	if _, err = g.w.stmts.senders.ExecContext(g.ctx, t.now.campaign, n.id); err != nil {
		return nil, err
	}
	return t, g.claimOptOut(t, at)
}

// toGroup tells messages to a group: their receipts name members, who are not
// whom the message was sent to.
func toGroup(u *wa.StatusUpdate) bool { return u.GroupID != "" || u.Participant != "" }

// keep makes a message part of the group.
func (g *group) keep(t *touched) {
	g.messages[t.now.wamid] = t
	g.byRow[t.now.id] = t
	if t.now.person != 0 {
		g.byPerson[t.now.person] = append(g.byPerson[t.now.person], t)
	}
}

func (g *group) writeMessage(t *touched) error {
	m := &t.now
	p := &m.progress
	if t.fresh {
		_, err := g.w.stmts.insertMessage.ExecContext(g.ctx, m.id, m.campaign, m.number, m.person, m.wamid, wamidKey(m.wamid),
			p.Seen, int(p.State()), int64(p.SentAt), int64(p.DeliveredAt), int64(p.ReadAt), int64(p.FailedAt), p.Code, int64(p.CodeAt))
		return err
	}
	_, err := g.w.stmts.updateMessage.ExecContext(g.ctx, m.campaign, m.person, p.Seen, int(p.State()),
		int64(p.SentAt), int64(p.DeliveredAt), int64(p.ReadAt), int64(p.FailedAt), p.Code, int64(p.CodeAt), m.id)
	return err
}

type scanner interface{ Scan(dest ...any) error }

func scanMessage(row scanner) (m message, phone, bsuid string, err error) {
	p := &m.progress
	err = row.Scan(&m.id, &m.campaign, &m.number, &m.person, &m.wamid, &p.Seen,
		&p.SentAt, &p.DeliveredAt, &p.ReadAt, &p.FailedAt, &p.Code, &p.CodeAt, &phone, &bsuid)
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
		id, err = g.mergePersons(before, id)
		if err != nil {
			return err
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

// byID finds a stored message, or one of this group.
func (g *group) byID(id int64) (*touched, error) {
	if t := g.byRow[id]; t != nil {
		return t, nil
	}
	const text = "SELECT " + messageColumns + `, coalesce(p.phone, ''), coalesce(p.bsuid, '')
		FROM message m LEFT JOIN person p ON p.id = m.person WHERE m.id = ?`
	m, phone, bsuid, err := scanMessage(g.conn.QueryRowContext(g.ctx, text, id))
	if err != nil {
		return nil, err
	}
	m.hasPhone, m.hasBSUID = phone != "", bsuid != ""
	m.keyed = g.campaign(m.campaign).kind == kindKey
	return g.touch(m), nil
}
