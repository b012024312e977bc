package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"tickwatch/wa"
)

// fallbackRun gives a run to read; nil = there is none of that id.
func (g *group) fallbackRun(id int64) *wa.FallbackRun {
	if r, ok := g.fallbacks.runs[id]; ok {
		return r
	}
	return g.w.fallbacks.runs[id]
}

// changeRun gives the group's copy of a run, which it may change.
func (g *group) changeRun(id int64) *wa.FallbackRun {
	if r := g.fallbacks.runs[id]; r != nil {
		return r
	}
	r := *g.w.fallbacks.runs[id]
	g.fallbacks.runs[id] = &r
	return &r
}

// writeRuns writes the runs that the group changed.
func (g *group) writeRuns() error {
	for id, r := range g.fallbacks.runs {
		body, err := json.Marshal(r)
		if err != nil {
			return err
		}
		if _, err := g.conn.ExecContext(g.ctx, "INSERT OR REPLACE INTO fallback_run VALUES (?, ?, ?, ?)", id, r.Campaign, r.State, string(body)); err != nil {
			return err
		}
	}
	return nil
}

// FallbackRuns reads all runs that were ordered, oldest first.
func (s *Store) FallbackRuns(ctx context.Context) (all []wa.FallbackRun, err error) {
	err = s.look(ctx, func(w *writer) error {
		for _, r := range w.fallbacks.runs {
			if r.State != wa.FallbackRunPlanning {
				all = append(all, *r)
			}
		}
		return nil
	})
	slices.SortFunc(all, func(a, b wa.FallbackRun) int { return int(a.ID - b.ID) })
	if err != nil {
		return nil, fmt.Errorf("reading fallback runs: %w", err)
	}
	return all, nil
}

// FallbackCounts reads the counts of all campaigns that have a fallback, by row id.
func (s *Store) FallbackCounts(ctx context.Context) (all map[int64]wa.FallbackCounts, err error) {
	all = map[int64]wa.FallbackCounts{}
	err = s.look(ctx, func(w *writer) error {
		for campaign, c := range w.fallbacks.counts {
			all[campaign] = c
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("counting fallback messages: %w", err)
	}
	return all, nil
}

// ErrNoRun is what a fallback is refused with that is not there.
var ErrNoRun = errors.New("there is no such fallback")

// SetFallbackRun gives a run another state: a cancelled one stays so. Its look is
// over once it is running.
func (s *Store) SetFallbackRun(ctx context.Context, id int64, state string) (r wa.FallbackRun, err error) {
	err = s.submit(ctx, &request{weight: 1, group: func(g *group) error {
		have := g.fallbackRun(id)
		if have == nil {
			return ErrNoRun
		}
		if have.State != wa.FallbackRunCancelled && have.State != state {
			g.changeRun(id).State = state
		}
		r = *g.fallbackRun(id)
		return nil
	}})
	if err != nil {
		return r, fmt.Errorf("storing a fallback's state: %w", err)
	}
	return r, nil
}

// fallbackStep is how many fallback messages one commit of a longer work changes.
const fallbackStep = 256

// EndFallback ends what waits of a run: of a cancelled one as left out, else (at
// its age limit) as expired. What is on its way is not touched. It says how many.
func (s *Store) EndFallback(ctx context.Context, run int64, reason string, expired bool) (ended int64, err error) {
	state := fallbackLeftOut
	if expired {
		state = fallbackExpired
	}
	for {
		n := 0
		err = s.submit(ctx, &request{weight: fallbackStep, group: func(g *group) error {
			rows, err := query(g.ctx, g.conn, scanFallback, "SELECT "+fallbackColumns+" FROM fallback WHERE run = ? AND state = 0 LIMIT ?", run, fallbackStep)
			if err != nil {
				return err
			}
			for i := range rows {
				if err := g.leaveFallback(&rows[i], state, reason); err != nil {
					return err
				}
			}
			n = len(rows)
			return nil
		}})
		if err != nil {
			return ended, fmt.Errorf("ending a fallback: %w", err)
		}
		ended += int64(n)
		if n < fallbackStep {
			return ended, nil
		}
	}
}
