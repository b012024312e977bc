package store

import (
	"context"
	"database/sql"
	"fmt"

	"tickwatch/wa"
)

// dropAtOnce is how many raw bodies one commit deletes: few enough that no
// webhook waits for it.
const dropAtOnce = 200

// DropRaw deletes raw bodies that were received before a moment, the oldest
// first, a few at a time: more is true when there may be others. Figures and
// events stay.
func (s *Store) DropRaw(ctx context.Context, before wa.Instant) (more bool, err error) {
	var dropped int64
	err = s.submit(ctx, &request{weight: dropAtOnce, do: func(ctx context.Context, c *sql.Conn) error {
		// Ids grow with the moment of receipt, so the oldest stand in front.
		done, err := c.ExecContext(ctx, `DELETE FROM raw WHERE received_at < ?
			AND id IN (SELECT id FROM raw WHERE (SELECT unsettled = 0 OR raw.id + raw.posts <= unsettled FROM feed) ORDER BY id LIMIT ?)`, int64(before), dropAtOnce)
		if err != nil {
			return err
		}
		dropped, err = done.RowsAffected()
		return err
	}})
	if err != nil {
		return false, fmt.Errorf("dropping old raw bodies: %w", err)
	}
	return dropped == dropAtOnce, nil
}
