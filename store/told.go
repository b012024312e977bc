package store

import (
	"context"
	"database/sql"
	"fmt"

	"tickwatch/wa"
)

// Told is what people were told about the alarms that Load gives.
func (s *Store) Told(ctx context.Context) ([]wa.Told, error) {
	all, err := query(ctx, s.readers, func(s scanner) (t wa.Told, err error) {
		return t, s.Scan(&t.Target, &t.Alarm, &t.Raised, &t.Stage, &t.At)
	}, "SELECT target, alarm, raised, stage, at FROM told WHERE alarm IN (SELECT id FROM alarm WHERE cleared_at = 0 UNION ALL SELECT id FROM (SELECT id"+
		" FROM alarm WHERE cleared_at <> 0 ORDER BY cleared_at DESC, id DESC LIMIT 50)) ORDER BY target, alarm")
	if err != nil {
		return nil, fmt.Errorf("reading what people were told: %w", err)
	}
	return all, nil
}

// SaveTold keeps what people were told, in one commit.
func (s *Store) SaveTold(_ context.Context, all []wa.Told) error {
	err := s.write(func(ctx context.Context, c *sql.Conn) error {
		for _, t := range all {
			if _, err := c.ExecContext(ctx, "INSERT OR REPLACE INTO told VALUES (?, ?, ?, ?, ?)",
				t.Target, t.Alarm, int64(t.Raised), int(t.Stage), int64(t.At)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("storing what people were told: %w", err)
	}
	return nil
}
