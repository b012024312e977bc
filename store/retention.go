package store

import (
	"context"
	"database/sql"
	"fmt"

	"tickwatch/wa"
)

// What one commit deletes of the raw bodies, at most, or one row of them: little
// enough that no webhook waits for it.
const (
	dropRows  = 200
	dropBytes = 1 << 20
)

// DropRaw deletes raw bodies that were received before a moment, the oldest
// first, a few at a time: more is true when there are others. Figures stay, and
// so does what rows still lag behind.
func (s *Store) DropRaw(ctx context.Context, before wa.Instant) (more bool, err error) {
	err = s.submit(ctx, &request{weight: dropRows, do: func(ctx context.Context, c *sql.Conn) error {
		type row struct {
			id, size int64
			old      bool
		}
		rows, err := query(ctx, c, func(s scanner) (r row, err error) { return r, s.Scan(&r.id, &r.size, &r.old) },
			`SELECT id, length(body), received_at < ? AND (SELECT unsettled = 0 OR raw.id + max(raw.posts, 1) <= unsettled FROM feed)
			FROM raw ORDER BY id LIMIT ?`, int64(before), dropRows+1)
		if err != nil {
			return err
		}
		n, size := 0, int64(0) // ids grow with the moment of receipt, so the oldest stand in front
		for n < min(len(rows), dropRows) && rows[n].old && (n == 0 || size+rows[n].size <= dropBytes) {
			size += rows[n].size
			n++
		}
		if n == 0 {
			return nil
		}
		more = n < len(rows) && rows[n].old
		_, err = c.ExecContext(ctx, "DELETE FROM raw WHERE id <= ?", rows[n-1].id)
		return err
	}})
	if err != nil {
		return false, fmt.Errorf("dropping old raw bodies: %w", err)
	}
	return more, nil
}
