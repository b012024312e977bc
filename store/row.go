package store

import "tickwatch/wa"

// row is what the row of a message holds that may change.
type row struct {
	campaign, person int64
	named            bool // with its wamid
	progress         wa.Progress
}

// holds is what the row of a message holds, if that has one.
func (m *message) holds() row {
	if m.row != nil {
		return *m.row
	}
	return row{campaign: m.campaign, person: m.person, named: m.wamid != "", progress: m.progress}
}

// lags tells whether a message's row has to be written, was being what was known
// of it before.
func (m *message) lags(was *message) bool {
	if !m.stored {
		return true
	}
	now := row{campaign: m.campaign, person: m.person, named: m.wamid != "", progress: m.progress}
	if holds := was.holds(); now != holds {
		if m.row == nil {
			m.row = &holds
		}
		return true
	}
	m.row = nil
	return m.told
}

// put writes a message's row, and adds to the stored totals what it changes in them.
func (g *group) put(t *touched) error {
	m := &t.now
	p := &m.progress
	if err := g.storePerson(m.person); err != nil {
		return err
	}
	if !m.stored {
		_, err := g.w.stmts.insertMessage.ExecContext(g.ctx, m.id, m.campaign, m.number, m.person, m.wamid,
			p.Seen, int(p.State()), int64(p.SentAt), int64(p.DeliveredAt), int64(p.ReadAt), int64(p.FailedAt), p.Code, int64(p.CodeAt), int64(p.AcceptedAt))
		if err != nil {
			return err
		}
		if m.wamid != "" {
			if err := g.indexRow(indexWAMID, hashOf(m.wamid), m.id); err != nil {
				return err
			}
		}
		if m.person != 0 {
			if err := g.indexRow(indexPerson, hashOfRow(m.person), m.id); err != nil {
				return err
			}
		}
	} else {
		before := m.holds()
		_, err := g.w.stmts.updateMessage.ExecContext(g.ctx, m.campaign, m.person, m.wamid, p.Seen, int(p.State()),
			int64(p.SentAt), int64(p.DeliveredAt), int64(p.ReadAt), int64(p.FailedAt), p.Code, int64(p.CodeAt), int64(p.AcceptedAt), m.id)
		if err != nil {
			return err
		}
		if m.wamid != "" && !before.named {
			if err := g.indexLate(indexWAMID, hashOf(m.wamid), m.id); err != nil {
				return err
			}
		}
		if m.person != before.person && m.person != 0 {
			if err := g.indexLate(indexPerson, hashOfRow(m.person), m.id); err != nil {
				return err
			}
		}
		g.total(before.campaign).count(before.progress, -1)
	}
	if m.told {
		if _, err := g.w.stmts.failureText.ExecContext(g.ctx, m.id, m.details); err != nil {
			return err
		}
	}
	g.total(m.campaign).count(m.progress, 1)
	m.stored, m.row = true, nil
	m.details, m.told, m.since = "", false, 0
	return nil
}
