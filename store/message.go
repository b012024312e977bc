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
	if to, ok := g.renamed[m.person]; ok {
		m.person = to
	}
	t := &touched{was: m, now: m}
	g.messages[m.wamid] = t
	return t
}

func (g *group) newMessage(u *wa.StatusUpdate, at wa.Instant) (*touched, error) {
	n, err := g.number(u.Sender)
	if err != nil {
		return nil, err
	}
	// The decoder's strings may point into a body that is not ours to keep.
	m := message{id: take(&g.next.message), number: n.id, wamid: string([]byte(u.MessageID))}
	if u.GroupID == "" { // a group's receipts name its members
		if m.person, err = g.person(u.Person); err != nil {
			return nil, err
		}
		m.hasPhone, m.hasBSUID = u.Phone != "", u.BSUID != ""
	}
	t := &touched{now: m, fresh: true}
	g.messages[m.wamid] = t
	if err := g.assign(t, u.CallbackData, n, at); err != nil {
		return nil, err
	}
	_, err = g.w.stmts.senders.ExecContext(g.ctx, t.now.campaign, n.id)
	return t, err
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
func (g *group) identify(t *touched, p wa.Person) error {
	if (p.Phone == "" || t.now.hasPhone) && (p.BSUID == "" || t.now.hasBSUID) {
		return nil
	}
	id, err := g.person(p)
	if err != nil {
		return err
	}
	if t.now.person != 0 && id != t.now.person {
		id, err = g.mergePersons(t.now.person, id)
		if err != nil {
			return err
		}
	}
	t.now.person = id
	t.now.hasPhone = t.now.hasPhone || p.Phone != ""
	t.now.hasBSUID = t.now.hasBSUID || p.BSUID != ""
	return nil
}

// byID finds a stored message, or one of this group.
func (g *group) byID(id int64) (*touched, error) {
	for _, t := range g.messages {
		if t.now.id == id {
			return t, nil
		}
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
