package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
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

// FallbackWaits reads what waits of all runs that have messages, by their id.
func (s *Store) FallbackWaits(ctx context.Context) (all map[int64]wa.FallbackWaits, err error) {
	err = s.look(ctx, func(w *writer) error {
		all = maps.Clone(w.fallbacks.waits)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("counting fallback messages that wait: %w", err)
	}
	return all, nil
}

// ErrNoRun is what a fallback is refused with that is not there.
var ErrNoRun = errors.New("there is no such fallback")

// ErrFallbackOpen is what an order is refused with while an earlier one of its campaign
// is being planned, can still be undone, or waits for its look.
var ErrFallbackOpen = errors.New("an earlier order of this campaign is not through its look")

// leftOfRun tells whether a message of a run waits, or may come to wait again.
const leftOfRun = `SELECT EXISTS (SELECT 1 FROM fallback WHERE run = ?1 AND state = 0)
	OR EXISTS (SELECT 1 FROM fallback WHERE run = ?1 AND state = 1 AND state IN (1, 2))`

// FallbackWaiting counts the messages of a run that wait.
func (s *Store) FallbackWaiting(ctx context.Context, run int64) (n int64, err error) {
	if err := s.readers.QueryRowContext(ctx, "SELECT count(*) FROM fallback WHERE run = ? AND state = 0", run).Scan(&n); err != nil {
		return 0, fmt.Errorf("counting what waits of a fallback: %w", err)
	}
	return n, nil
}

// runOpen tells whether a campaign has a run that has not come through its look, and
// of which something is left.
func (g *group) runOpen(campaign int64) (open bool, err error) {
	runs := maps.Clone(g.w.fallbacks.runs)
	maps.Copy(runs, g.fallbacks.runs)
	for id, r := range runs {
		switch {
		case r.Campaign != campaign:
		case r.State == wa.FallbackRunPlanning:
			return true, nil
		case r.State == wa.FallbackRunPending || r.State == wa.FallbackRunLook:
			if err := g.conn.QueryRowContext(g.ctx, leftOfRun, id).Scan(&open); open || err != nil {
				return open, err
			}
		}
	}
	return false, nil
}

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

// EndFallback ends what waits of a run as left out, and says how many. What is on its
// way is not touched.
func (s *Store) EndFallback(ctx context.Context, run int64, reason string) (ended int64, err error) {
	return s.endFallback(ctx, fallbackLeftOut, reason, "run = ?", run)
}

// ExpireFallback ends what waits of a run for too long, and says how many.
func (s *Store) ExpireFallback(ctx context.Context, run int64, now wa.Instant) (ended int64, err error) {
	return s.endFallback(ctx, fallbackExpired, "waited too long", "run = ? AND expires <> 0 AND expires <= ?", run, int64(now))
}

func (s *Store) endFallback(ctx context.Context, state int, reason, which string, args ...any) (ended int64, err error) {
	args = append(args, fallbackStep)
	for {
		n := 0
		err = s.submit(ctx, &request{weight: fallbackStep, group: func(g *group) error {
			rows, err := query(g.ctx, g.conn, scanFallback, "SELECT "+fallbackColumns+" FROM fallback WHERE state = 0 AND "+which+" LIMIT ?", args...)
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
