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
		return g.savePlan(have, p)
	}})
	if err != nil {
		return fmt.Errorf("storing a campaign's plan: %w", err)
	}
	return nil
}

func (g *group) savePlan(have *plan, p wa.Plan) error {
	if have.State == wa.PlanCancelled || p.State == wa.PlanCancelled { // CancelRest alone cancels: it counts
		p.State = have.State
	}
	c := g.changePlan(have)
	campaign, key, name, rows := have.Campaign, have.Key, have.Name, have.Rows
	c.Plan = p
	c.Campaign, c.Key, c.Name, c.Rows = campaign, key, name, rows
	return g.notePlan(DeedPlanned, c, nil)
}

// CancelRest cancels what waits of a campaign, and says how many messages that
// are. What is claimed is not: it may be on its way.
func (s *Store) CancelRest(ctx context.Context, campaign int64) (cancelled int64, err error) {
	err = s.submit(ctx, &request{weight: 1, group: func(g *group) error {
		p := g.plan(campaign)
		if p == nil {
			return errNoPlan
		}
		var err error
		cancelled, err = g.cancelRest(p)
		return err
	}})
	if err != nil {
		return 0, fmt.Errorf("cancelling the rest of a campaign: %w", err)
	}
	return cancelled, nil
}

func (g *group) cancelRest(p *plan) (cancelled int64, err error) {
	if p.State == wa.PlanCancelled {
		return 0, nil
	}
	n := g.counts(p.Campaign)
	cancelled = n.Waiting + n.SetAside
	g.recount(p.Campaign, rowWaiting, -n.Waiting)
	g.recount(p.Campaign, rowAside, -n.SetAside)
	g.recount(p.Campaign, rowCancelled, cancelled)
	g.changePlan(p).State = wa.PlanCancelled
	return cancelled, g.note(p.Campaign, &Deed{Kind: DeedCancelled})
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
		return g.saveGate(&gate)
	}})
	if err != nil {
		return fmt.Errorf("storing a pause: %w", err)
	}
	return nil
}

func (g *group) saveGate(gate *wa.Gate) error {
	kept := *gate
	kept.By, kept.Reason = bounded(gate.By), bounded(gate.Reason)
	if _, err := g.conn.ExecContext(g.ctx, "INSERT OR REPLACE INTO gate VALUES (?, ?, ?, ?, ?, ?, ?)",
		kept.Scope, kept.ID, kept.Closed, kept.By, kept.Reason, int64(kept.Since), int64(kept.OpensAt)); err != nil {
		return err
	}
	campaign := int64(0)
	if c := g.campaignByKey(gate.ID); c != nil && gate.Scope == scopeCampaign {
		campaign = c.id
	}
	return g.note(campaign, &Deed{Kind: DeedGate, Gate: &kept})
}

// scopeCampaign is the scope of a gate of one campaign.
const scopeCampaign = "campaign"
