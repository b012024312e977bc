package store

import (
	"context"
	"fmt"

	"tickwatch/wa"
)

// SaveReported keeps a figure that somebody typed, in the place of the one before,
// and notes it in the journal. It is ErrNoDeed for a campaign that is not known.
func (s *Store) SaveReported(ctx context.Context, campaign string, r *wa.Reported) error {
	err := s.submit(ctx, &request{weight: 1, group: func(g *group) error {
		c := g.campaignByKey(campaign)
		if c == nil {
			return ErrNoDeed
		}
		return g.saveReported(c, r)
	}})
	if err != nil {
		return fmt.Errorf("storing a figure: %w", err)
	}
	return nil
}

func (g *group) saveReported(c *campaign, r *wa.Reported) error {
	if r == nil || r.People < 0 || (r.What != wa.ReportedReports && r.What != wa.ReportedBlocks) {
		return ErrNoDeed
	}
	kept := *r
	kept.By, kept.Source = bounded(r.By), bounded(r.Source)
	if _, err := g.conn.ExecContext(g.ctx, "INSERT OR REPLACE INTO reported VALUES (?, ?, ?, ?, ?, ?)",
		c.id, kept.What, kept.People, kept.Source, kept.By, int64(kept.At)); err != nil {
		return err
	}
	return g.note(c.id, &Deed{Kind: DeedReported, Reported: &kept})
}

// Reported reads the figures that people typed, by the key of the campaign.
func (s *Store) Reported(ctx context.Context) (map[string][]wa.Reported, error) {
	all := map[string][]wa.Reported{}
	_, err := query(ctx, s.readers, func(s scanner) (struct{}, error) {
		var key string
		var r wa.Reported
		err := s.Scan(&key, &r.What, &r.People, &r.Source, &r.By, &r.At)
		all[key] = append(all[key], r)
		return struct{}{}, err
	}, "SELECT c.key, r.what, r.people, r.source, r.by, r.at FROM reported r JOIN campaign c ON c.id = r.campaign ORDER BY c.key, r.what")
	if err != nil {
		return nil, fmt.Errorf("reading figures that were typed: %w", err)
	}
	return all, nil
}
