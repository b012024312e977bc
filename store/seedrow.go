package store

import (
	"context"

	"tickwatch/wa"
)

// seedRow is a seed as its row has it.
type seedRow struct {
	Seed
	campaign             int64
	number, phone, wamid string
}

const seedColumns = `id, campaign, number, phone, after, state, wamid, claimed_at, seen,
	accepted_at, sent_at, delivered_at, read_at, failed_at, code, code_at`

func scanSeed(s scanner) (r seedRow, err error) {
	p := &r.Progress
	err = s.Scan(&r.ID, &r.campaign, &r.number, &r.phone, &r.After, &r.State, &r.wamid, &r.At, &p.Seen,
		&p.AcceptedAt, &p.SentAt, &p.DeliveredAt, &p.ReadAt, &p.FailedAt, &p.Code, &p.CodeAt)
	return r, err
}

// seed reads a seed's row.
func (g *group) seed(id int64) (seedRow, error) {
	return scanSeed(g.conn.QueryRowContext(g.ctx, "SELECT "+seedColumns+" FROM seed WHERE id = ?", id))
}

// saveSeed writes a seed's row after something that our own side did, and notes that.
func (g *group) saveSeed(r *seedRow) error {
	if err := g.writeSeed(r); err != nil {
		return err
	}
	return g.note(r.campaign, &Deed{Kind: DeedSeed, Seed: &DeedOfSeed{
		ID: r.ID, Store: g.w.name, Number: r.number, After: r.After, At: r.At,
		State: r.State, WAMID: r.wamid, AcceptedAt: r.Progress.AcceptedAt, Code: refusedWith(r),
	}})
}

// writeSeed writes a seed's row.
func (g *group) writeSeed(r *seedRow) error {
	p := &r.Progress
	g.seeded[r.campaign] = true
	_, err := g.conn.ExecContext(g.ctx, "INSERT OR REPLACE INTO seed ("+seedColumns+") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		r.ID, r.campaign, r.number, r.phone, r.After, int(r.State), r.wamid, int64(r.At), p.Seen,
		int64(p.AcceptedAt), int64(p.SentAt), int64(p.DeliveredAt), int64(p.ReadAt), int64(p.FailedAt), p.Code, int64(p.CodeAt))
	return err
}

func refusedWith(r *seedRow) int {
	if r.State == SeedRefused {
		return r.Progress.Code
	}
	return 0
}

// DeedOfSeed is what our own side knows of a seed. It names no phone.
type DeedOfSeed struct {
	ID         int64      `json:"id"`
	Store      string     `json:"store"` // as its callback data names it
	Number     string     `json:"number"`
	After      int64      `json:"after"`
	At         wa.Instant `json:"at"` // when it was claimed, milliseconds
	State      SeedState  `json:"state"`
	WAMID      string     `json:"wamid,omitempty"`       // Meta's id, once it is known
	AcceptedAt wa.Instant `json:"accepted_at,omitempty"` // of Meta's answer
	Code       int        `json:"code,omitempty"`        // of a refusal
}

// redoSeed does again what a recording tells of a seed.
func (g *group) redoSeed(c *campaign, d *Deed) error {
	if d.Seed == nil || d.Seed.ID <= 0 || d.Seed.State > SeedNotSent {
		return ErrNoDeed
	}
	row, err := g.seed(d.Seed.ID)
	if err != nil && !missing(err) {
		return err
	}
	g.w.name = d.Seed.Store // its webhooks speak of it by that
	row.ID, row.campaign, row.number, row.After, row.At = d.Seed.ID, c.id, d.Seed.Number, d.Seed.After, d.Seed.At
	row.State, row.Progress.AcceptedAt = d.Seed.State, d.Seed.AcceptedAt
	if row.State == SeedRefused {
		row.Progress = row.Progress.Refuse(d.Seed.AcceptedAt, d.Seed.Code)
	}
	g.knowSeed(&row, d.Seed.WAMID)
	g.next.seed = max(g.next.seed, row.ID)
	return g.saveSeed(&row)
}

// knownSeeds is how many seeds' wamids are read at the start, the newest: news of them
// may come without callback data. As many of other stores' are kept in memory.
const knownSeeds = 10_000

// seedsBroken makes unknown what a crash left claimed: it may have gone out, and nobody
// sends it again.
const seedsBroken = "UPDATE seed SET state = 1 WHERE state = 0"

// loadSeeds reads what tells the webhooks about seeds from others.
func (w *writer) loadSeeds(ctx context.Context) error {
	w.seeds = map[string]int64{}
	if err := lastID(ctx, w.conn, "id", "seed", &w.nextID.seed); err != nil {
		return err
	}
	_, err := query(ctx, w.conn, func(s scanner) (struct{}, error) {
		var id int64
		var wamid string
		err := s.Scan(&id, &wamid)
		w.seeds[wamid] = id
		return struct{}{}, err
	}, "SELECT id, wamid FROM seed WHERE wamid <> '' ORDER BY id DESC LIMIT ?", knownSeeds)
	return err
}
