package store

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"tickwatch/wa"
)

// Plans reads the plans of our own campaigns, oldest first.
func (s *Store) Plans(ctx context.Context) (all []wa.Plan, err error) {
	err = s.look(ctx, func(w *writer) error {
		for _, id := range slices.Sorted(maps.Keys(w.plans)) {
			if p := w.plans[id]; p.State != planImporting {
				all = append(all, p.Plan)
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading our own campaigns: %w", err)
	}
	return all, nil
}

// SavePlan keeps what an operator or the clock changed of a campaign's plan: its
// state, template, pace, start, expiry and ramp. One that is cancelled stays so.
func (s *Store) SavePlan(ctx context.Context, p wa.Plan) error {
	err := s.submit(ctx, &request{weight: 1, group: func(g *group) error {
		have := g.plan(p.Campaign)
		if have == nil || have.State == planImporting {
			return errNoPlan
		}
		if have.State == wa.PlanCancelled || p.State == wa.PlanCancelled { // CancelRest alone cancels: it counts
			p.State = have.State
		}
		c := g.changePlan(have)
		campaign, key, name, rows := have.Campaign, have.Key, have.Name, have.Rows
		c.Plan = p
		c.Campaign, c.Key, c.Name, c.Rows = campaign, key, name, rows
		return nil
	}})
	if err != nil {
		return fmt.Errorf("storing a campaign's plan: %w", err)
	}
	return nil
}

// CancelRest cancels what waits of a campaign, and says how many messages that
// are. What is claimed is not: it may be on its way.
func (s *Store) CancelRest(ctx context.Context, campaign int64) (cancelled int64, err error) {
	err = s.submit(ctx, &request{weight: 1, group: func(g *group) error {
		p := g.plan(campaign)
		if p == nil {
			return errNoPlan
		}
		if p.State == wa.PlanCancelled {
			cancelled = 0
			return nil
		}
		n := g.counts(campaign)
		cancelled = n.Waiting + n.SetAside
		g.recount(campaign, rowWaiting, -n.Waiting)
		g.recount(campaign, rowAside, -n.SetAside)
		g.recount(campaign, rowCancelled, cancelled)
		g.changePlan(p).State = wa.PlanCancelled
		return nil
	}})
	if err != nil {
		return 0, fmt.Errorf("cancelling the rest of a campaign: %w", err)
	}
	return cancelled, nil
}

// counts are a campaign's totals as this group knows them.
func (g *group) counts(campaign int64) Counts {
	n := g.campaign(campaign).counts
	n.add(&g.tally(campaign).Counts, 1)
	return n
}

// Gates reads the gates that were ever closed.
func (s *Store) Gates(ctx context.Context) ([]wa.Gate, error) {
	all, err := query(ctx, s.readers, func(s scanner) (g wa.Gate, err error) {
		return g, s.Scan(&g.Scope, &g.ID, &g.Closed, &g.By, &g.Reason, &g.Since, &g.OpensAt)
	}, "SELECT scope, id, closed, by, reason, since, opens_at FROM gate ORDER BY scope, id")
	if err != nil {
		return nil, fmt.Errorf("reading what is paused: %w", err)
	}
	return all, nil
}

// SaveGate keeps the state of a gate.
func (s *Store) SaveGate(ctx context.Context, gate wa.Gate) error {
	err := s.submit(ctx, &request{weight: 1, group: func(g *group) error {
		_, err := g.conn.ExecContext(g.ctx, "INSERT OR REPLACE INTO gate VALUES (?, ?, ?, ?, ?, ?, ?)",
			gate.Scope, gate.ID, gate.Closed, bounded(gate.By), bounded(gate.Reason), int64(gate.Since), int64(gate.OpensAt))
		return err
	}})
	if err != nil {
		return fmt.Errorf("storing a pause: %w", err)
	}
	return nil
}
