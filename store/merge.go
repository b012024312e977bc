package store

import (
	"context"
	"database/sql"
	"slices"
)

const mergeStep = 64 // pages that one commit writes or deletes for an index, at most

// merge makes one run of several, over many commits. Until it is done the
// several are in use.
type merge struct {
	from []*run
	next []cursor
	out  *runWriter
	last entry
}

// cursor is where a merge stands in one of the runs.
type cursor struct {
	page   []byte
	number int // of the next page
	at     int // next entry on the page
}

// nextMerge finds runs that should become one: the oldest of the lowest tier
// that has enough of them; nil when none has.
func (x *index) nextMerge(w *writer) *merge {
	tiers := map[int][]*run{}
	for _, r := range x.runs {
		tiers[r.tier] = append(tiers[r.tier], r)
		if from := tiers[r.tier]; len(from) == w.store.sizes.fan {
			m := &merge{from: from, next: make([]cursor, len(from))}
			entries := 0
			for _, r := range from {
				entries += r.entries
			}
			m.out = newRunWriter(w.nextRun(), r.tier+1, entries, x.kind)
			return m
		}
	}
	return nil
}

// mergeOn writes the next pages of a merge.
func (x *index) mergeOn(ctx context.Context, w *writer) (func(), error) {
	m := x.merging
	if len(m.out.fence) == 0 { // so that a start knows of it
		if _, err := w.conn.ExecContext(ctx, writeRun, m.out.id, int(x.kind), m.out.tier, runBeingWritten, 0, []byte{}, []byte{}); err != nil {
			return nil, err
		}
	}
	for range w.store.sizes.step * pageEntries {
		e, ok, err := m.least(ctx, w.stmts.readPage)
		if err != nil {
			return nil, err
		}
		if !ok {
			return x.endMerge(ctx, w)
		}
		if e == m.last { // which a start after a crash can write again
			continue
		}
		m.last = e
		if err := m.out.add(ctx, w.stmts.writePage, e); err != nil {
			return nil, err
		}
	}
	return func() {}, nil
}

// least takes the least entry that is left; false when none is.
func (m *merge) least(ctx context.Context, read *sql.Stmt) (least entry, ok bool, err error) {
	from := -1
	for i := range m.next {
		c := &m.next[i]
		if c.at*entryBytes == len(c.page) {
			if c.number == len(m.from[i].fence) {
				continue
			}
			if c.page, err = m.from[i].page(ctx, read, c.number); err != nil {
				return least, false, err
			}
			c.number, c.at = c.number+1, 0
		}
		if e := entryAt(c.page, c.at); from < 0 || compareEntries(e, least) < 0 {
			least, from = e, i
		}
	}
	if from < 0 {
		return least, false, nil
	}
	m.next[from].at++
	return least, true, nil
}

// endMerge puts the merged run in the others' place.
func (x *index) endMerge(ctx context.Context, w *writer) (func(), error) {
	m := x.merging
	r, err := m.out.finish(ctx, w.conn, w.stmts.writePage, x.kind)
	if err != nil {
		return nil, err
	}
	for _, old := range m.from {
		if _, err := w.conn.ExecContext(ctx, "UPDATE index_run SET state = ?, fence = x'', filter = x'' WHERE id = ?", runMerged, old.id); err != nil {
			return nil, err
		}
	}
	return func() {
		at := slices.Index(x.runs, m.from[len(m.from)-1])
		x.runs[at] = r
		x.runs = slices.DeleteFunc(x.runs, func(old *run) bool { return slices.Contains(m.from, old) })
		for _, old := range m.from {
			x.doomed = append(x.doomed, doomed{old.id, int64(len(old.fence))})
		}
		x.merging, x.grown = nil, true
	}, nil
}

// abandon forgets a merge whose commit failed: what it had read and written in
// memory is ahead of the disk. Its pages go like a merged run's.
func (x *index) abandon() {
	x.marking = x.mark
	if m := x.merging; m != nil {
		x.doomed = append(x.doomed, doomed{m.out.id, int64(len(m.out.fence))})
		x.merging, x.grown = nil, true
	}
}
