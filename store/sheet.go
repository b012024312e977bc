package store

import (
	"context"
	"fmt"

	"tickwatch/wa"
)

// The queue of the operator's sheet. A commit that learns that a message failed or
// was refused notes its id, and nothing else; what the row says is read when it is
// the row's turn. Failures are told in any order, weeks late perhaps, so the queue
// is in the order in which they were told, which is that of its ids. A message comes
// once, however often it fails. One that is delivered while it waits is left out;
// one that is delivered later stays in the sheet.

// noteForSheet notes that a message failed that had not failed before. What is read
// again after a crash was noted when it came.
func (g *group) noteForSheet(t *touched) error {
	if !g.w.store.sheet || g.decided != nil || t.now.progress.State() != wa.StateFailed || t.was.progress.State() == wa.StateFailed {
		return nil
	}
	_, err := g.w.stmts.sheetRow.ExecContext(g.ctx, t.now.id, t.raw, int64(wa.At(g.w.store.now())))
	return err
}

// SheetMark is what is known of the operator's sheet.
func (s *Store) SheetMark(ctx context.Context) (m wa.SheetMark, err error) {
	err = s.readers.QueryRowContext(ctx, "SELECT target, row, upto, rows, digest FROM sheet").Scan(&m.Target, &m.Row, &m.Upto, &m.Rows, &m.Digest)
	if err != nil {
		return m, fmt.Errorf("reading what is known of the sheet: %w", err)
	}
	return m, nil
}

const sheetRows = `SELECT s.id, coalesce(m.seen, 0), coalesce(m.state, 0), coalesce(m.code, 0), coalesce(m.code_at, s.at),
	coalesce(p.phone, ''), coalesce(p.bsuid, ''), coalesce(n.display, ''), coalesce(n.number_id, ''), coalesce(t.title, ''), coalesce(f.details, ''),
	(SELECT unsettled = 0 OR s.post < unsettled FROM feed)
	FROM sheet_row s LEFT JOIN message m ON m.id = s.message LEFT JOIN person p ON p.id = m.person LEFT JOIN number n ON n.id = m.number
	LEFT JOIN code_title t ON t.code = m.code LEFT JOIN failure_text f ON f.message = m.id
	ORDER BY s.id LIMIT ?`

// SheetRows reads the rows that wait longest for the sheet, at most limit, and the
// place of the last that it looked at; 0 = none waits. What is still being caught
// up with (see pending.go) waits for that, and all behind it.
func (s *Store) SheetRows(ctx context.Context, limit int) (rows []wa.Rejected, last int64, err error) {
	type place struct {
		wa.Rejected
		id      int64
		failed  bool
		settled bool
	}
	all, err := query(ctx, s.readers, func(s scanner) (r place, err error) {
		var p wa.Progress
		var state int
		err = s.Scan(&r.id, &p.Seen, &state, &r.Code, &r.At, &r.To, &r.BSUID, &r.From, &r.FromID, &r.Title, &r.Details, &r.settled)
		r.Refused, r.failed = p.Refused(), wa.State(state) == wa.StateFailed //nolint:gosec // as it was stored
		return r, err
	}, sheetRows, limit)
	if err != nil {
		return nil, 0, fmt.Errorf("reading what waits for the sheet: %w", err)
	}
	for _, r := range all {
		if !r.settled {
			break
		}
		if last = r.id; r.failed {
			rows = append(rows, r.Rejected)
		}
	}
	return rows, last, nil
}

// SaveSheet keeps what is known of the sheet, and takes rows out of the queue that
// are in it: those up to the place done; 0 = none.
func (s *Store) SaveSheet(ctx context.Context, m wa.SheetMark, done int64) error {
	if m.Digest == nil {
		m.Digest = []byte{}
	}
	err := s.submit(ctx, &request{weight: 1, group: func(g *group) error {
		if _, err := g.conn.ExecContext(g.ctx, "DELETE FROM sheet_row WHERE id <= ?", done); err != nil {
			return err
		}
		_, err := g.conn.ExecContext(g.ctx, "UPDATE sheet SET target = ?, row = ?, upto = ?, rows = ?, digest = ?", m.Target, m.Row, m.Upto, m.Rows, m.Digest)
		return err
	}})
	if err != nil {
		return fmt.Errorf("keeping what is known of the sheet: %w", err)
	}
	return nil
}

// SheetBehind is how many rows wait for the sheet, and since when the oldest does.
func (s *Store) SheetBehind(ctx context.Context) (rows int64, since wa.Instant, err error) {
	err = s.readers.QueryRowContext(ctx, "SELECT count(*), coalesce(min(at), 0) FROM sheet_row").Scan(&rows, &since)
	if err != nil {
		return 0, 0, fmt.Errorf("reading what waits for the sheet: %w", err)
	}
	return rows, since, nil
}
