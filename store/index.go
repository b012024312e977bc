package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"slices"
)

// indexKind says what an index finds. The numbers are stored.
type indexKind int

const (
	indexWAMID     indexKind = 1 // messages by wamid
	indexName      indexKind = 2 // people by phone or BSUID
	indexPerson    indexKind = 3 // messages by person
	indexRecipient indexKind = 4 // recipients by phone

	indexSuppressed indexKind = 5 // entries of the suppression list by their name
)

var indexKinds = [...]indexKind{indexWAMID, indexName, indexPerson, indexRecipient, indexSuppressed}

// index finds rows by a 64-bit hash. Keys come in no order, and one SQLite page
// changed for every key is what makes ingest slow. So entries gather in memory,
// in a tail, and go to disk many at once as a sorted run; runs of a size are
// merged, in small steps, into larger ones (a log-structured merge tree). The
// tail is not stored: the rows are, and a start reads it off them.
//
// An index may name rows that are not, or no longer, what the hash stands for:
// whoever asks looks at the row. It never leaves one out.
type index struct {
	kind    indexKind
	tail    tail
	mark    int64  // row up to which all entries are in runs
	marking int64  // what mark will be once the commit is on disk
	loaded  int64  // row up to which a start has read them off the rows
	runs    []*run // oldest first
	grown   bool   // runs have been added since it was looked for some to merge
	merging *merge
	doomed  []doomed // runs whose pages are still to be deleted
}

const (
	tailEntries = 32_768 // entries that make a run
	runsToMerge = 16     // runs of a tier that become one of the next
)

// doomed is a run that is in no use any more.
type doomed struct {
	run   int64
	pages int64 // number after the last one
}

// hashOf is the hash that names are indexed by. It is stored: it cannot change.
func hashOf(name string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(name))
	return mixed(h.Sum64())
}

// mixed spreads a number over all 64 bits (the finalizer of splitmix64).
func mixed(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

func hashOfRow(id int64) uint64 { return mixed(uint64(id)) } //nolint:gosec // ids are positive

// find gives the rows that may be what a hash stands for, each once, the newest first.
func (x *index) find(ctx context.Context, read *sql.Stmt, hash uint64) (rows []int64, err error) {
	rows = x.tail.find(hash, nil)
	for _, r := range slices.Backward(x.runs) {
		if rows, err = r.find(ctx, read, hash, rows); err != nil {
			return nil, fmt.Errorf("reading an index: %w", err)
		}
	}
	if len(rows) > 1 {
		slices.SortFunc(rows, newestFirst)
		rows = slices.Compact(rows)
	}
	return rows, nil
}

func newestFirst(a, b int64) int { return cmp.Compare(b, a) }

// tail are the entries that no run holds yet.
type tail struct {
	entries []entry
	latest  map[uint64]int32 // by hash: its newest entry's place, from 1
	before  []int32          // by place: where the same hash's one before it is; 0 = nowhere
}

func (t *tail) add(e entry) {
	if t.latest == nil {
		t.latest = make(map[uint64]int32)
	}
	t.before = append(t.before, t.latest[e.hash])
	t.entries = append(t.entries, e)
	t.latest[e.hash] = int32(len(t.entries)) //nolint:gosec // some ten thousands
}

func (t *tail) find(hash uint64, rows []int64) []int64 {
	for at := t.latest[hash]; at != 0; at = t.before[at-1] {
		rows = append(rows, t.entries[at-1].row)
	}
	return rows
}

// clear forgets all entries and keeps their memory.
func (t *tail) clear() {
	t.entries, t.before = t.entries[:0], t.before[:0]
	clear(t.latest)
}

// tend does a small piece of the work that an index leaves behind, inside a
// commit: of writing its tail as a run, merging, or deleting merged runs. What it
// gives is to be called once the commit is on disk; nil = there was nothing to do.
func (x *index) tend(ctx context.Context, w *writer) (done func(), err error) {
	switch {
	case len(x.tail.entries) >= w.store.sizes.tail:
		return x.writeTail(ctx, w)
	case x.merging != nil:
		return x.mergeOn(ctx, w)
	case len(x.doomed) > 0:
		return x.deletePages(ctx, w)
	case x.grown:
		x.merging, x.grown = x.nextMerge(w), false
	}
	return nil, nil
}

// busy tells whether there is something to tend.
func (x *index) busy(w *writer) bool {
	return x.grown || x.merging != nil || len(x.doomed) > 0 || len(x.tail.entries) >= w.store.sizes.tail
}

// writeTail makes a run of the tail, and notes up to where the rows need not be
// read at a start.
func (x *index) writeTail(ctx context.Context, w *writer) (func(), error) {
	sorted := slices.Clone(x.tail.entries)
	slices.SortFunc(sorted, compareEntries)
	out := newRunWriter(w.nextRun(), 0, len(sorted), x.kind)
	for _, e := range sorted {
		if err := out.add(ctx, w.stmts.writePage, e); err != nil {
			return nil, err
		}
	}
	r, err := out.finish(ctx, w.conn, w.stmts.writePage, x.kind)
	if err != nil {
		return nil, err
	}
	if _, err := w.conn.ExecContext(ctx, "DELETE FROM index_late WHERE kind = ?", int(x.kind)); err != nil {
		return nil, err
	}
	mark := w.lastWritten(x)
	if _, err := w.conn.ExecContext(ctx, "INSERT OR REPLACE INTO index_mark VALUES (?, ?)", int(x.kind), mark); err != nil {
		return nil, err
	}
	x.marking = mark
	return func() {
		x.mark = mark
		x.runs, x.grown = append(x.runs, r), true
		x.tail.clear()
	}, nil
}

// deletePages deletes some pages of a run that is in no use any more, and the run with its last.
func (x *index) deletePages(ctx context.Context, w *writer) (func(), error) {
	d := x.doomed[0]
	from := max(0, d.pages-int64(w.store.sizes.step))
	if _, err := w.conn.ExecContext(ctx, "DELETE FROM index_page WHERE id >= ? AND id < ?", d.run<<pageShift|from, d.run<<pageShift+d.pages); err != nil {
		return nil, err
	}
	if from > 0 {
		return func() { x.doomed[0].pages = from }, nil
	}
	if _, err := w.conn.ExecContext(ctx, "DELETE FROM index_run WHERE id = ?", d.run); err != nil {
		return nil, err
	}
	return func() { x.doomed = x.doomed[1:] }, nil
}

// loadRuns reads what the indexes hold in memory of their runs.
func (w *writer) loadRuns(ctx context.Context) error {
	type none struct{}
	_, err := query(ctx, w.conn, func(s scanner) (none, error) {
		var r run
		var kind indexKind
		var state int
		var fence, filter []byte
		if err := s.Scan(&r.id, &kind, &r.tier, &state, &r.entries, &fence, &filter); err != nil {
			return none{}, err
		}
		w.lastRun = max(w.lastRun, r.id)
		x := w.indexes[kind]
		if state != runInUse { // how many pages it has come to is in nobody's memory
			x.doomed = append(x.doomed, doomed{r.id, 0})
			return none{}, nil
		}
		r.fence, r.filter = make([]uint64, len(fence)/8), filter
		for i := range r.fence {
			r.fence[i] = binary.BigEndian.Uint64(fence[8*i:])
		}
		x.runs = append(x.runs, &r)
		return none{}, nil
	}, "SELECT id, kind, tier, state, entries, fence, filter FROM index_run ORDER BY id")
	if err != nil {
		return err
	}
	for _, x := range w.indexes {
		x.grown = true
		for i := range x.doomed {
			d := &x.doomed[i]
			if err := w.conn.QueryRowContext(ctx, "SELECT coalesce(max(id), 0) FROM index_page WHERE id >= ? AND id < ?",
				d.run<<pageShift, (d.run+1)<<pageShift).Scan(&d.pages); err != nil {
				return err
			}
			if d.pages != 0 {
				d.pages = d.pages&(1<<pageShift-1) + 1
			}
		}
	}
	return nil
}

func (w *writer) nextRun() int64 {
	w.lastRun++
	return w.lastRun
}

// lastWritten is the row up to which all that an index finds has been written:
// rows of higher ids may have been, too.
func (w *writer) lastWritten(x *index) int64 {
	if w.starting { // rows of higher ids are still to be read, or of lower ones to be written again
		return max(x.mark, x.loaded)
	}
	if x.kind == indexRecipient {
		if w.importing != 0 {
			return w.importing - 1
		}
		return w.nextID.recipient
	}
	if x.kind == indexSuppressed {
		return w.nextID.suppressed
	}
	if x.kind == indexName {
		last := w.nextID.person
		for id := range w.people.byID {
			last = min(last, id-1)
		}
		return last
	}
	last := w.nextID.message
	for id, m := range w.pending.byID {
		if !m.stored {
			last = min(last, id-1)
		}
	}
	return last
}

// loadTails reads the entries that no run holds off the rows.
func (w *writer) loadTails(ctx context.Context) error {
	type none struct{}
	wamids, names, persons, recipients := w.indexes[indexWAMID], w.indexes[indexName], w.indexes[indexPerson], w.indexes[indexRecipient]
	suppressed := w.indexes[indexSuppressed]
	if _, err := query(ctx, w.conn, func(s scanner) (none, error) {
		var kind indexKind
		var row int64
		err := s.Scan(&kind, &row)
		w.indexes[kind].mark = row
		return none{}, err
	}, "SELECT kind, row FROM index_mark"); err != nil {
		return err
	}
	// The newest rows may be gone since: no id is given twice that an index takes for known.
	w.nextID.person = max(w.nextID.person, names.mark)
	w.nextID.message = max(w.nextID.message, wamids.mark, persons.mark)
	w.nextID.recipient = max(w.nextID.recipient, recipients.mark)
	w.nextID.suppressed = max(w.nextID.suppressed, suppressed.mark)
	if _, err := query(ctx, w.conn, func(s scanner) (none, error) {
		var kind indexKind
		var hash, row int64
		err := s.Scan(&kind, &hash, &row)
		w.indexes[kind].tail.add(entry{uint64(hash), row}) //nolint:gosec // all 64 bits, as they were written
		return none{}, err
	}, "SELECT kind, hash, row FROM index_late"); err != nil {
		return err
	}
	if err := w.loadTail(ctx, []*index{names}, "SELECT id, phone, bsuid, 0 FROM person WHERE id > ? ORDER BY id LIMIT ?", names.mark, func(id int64, phone, bsuid string, _ int64) {
		for _, name := range [...]string{phone, bsuid} {
			if name != "" {
				names.tail.add(entry{hashOf(name), id})
			}
		}
	}); err != nil {
		return err
	}
	if err := w.loadTail(ctx, []*index{recipients}, "SELECT id, phone, '', 0 FROM recipient WHERE id > ? ORDER BY id LIMIT ?", recipients.mark, func(id int64, phone, _ string, _ int64) {
		recipients.tail.add(entry{hashOf(phone), id})
	}); err != nil {
		return err
	}
	if err := w.loadTail(ctx, []*index{suppressed}, "SELECT id, name, '', kind FROM suppressed WHERE id > ? ORDER BY id LIMIT ?", suppressed.mark, func(id int64, name, _ string, kind int64) {
		suppressed.tail.add(entry{hashOfListed(int(kind), name), id})
	}); err != nil {
		return err
	}
	from := min(wamids.mark, persons.mark)
	return w.loadTail(ctx, []*index{wamids, persons}, "SELECT id, wamid, '', person FROM message WHERE id > ? ORDER BY id LIMIT ?", from, func(id int64, wamid, _ string, person int64) {
		if wamid != "" && id > wamids.mark {
			wamids.tail.add(entry{hashOf(wamid), id})
		}
		if person != 0 && id > persons.mark {
			persons.tail.add(entry{hashOfRow(person), id})
		}
	})
}

// loadTail reads rows from one on, some at a time, and writes the tails as runs
// when they have grown long: after a change of the schema none of the rows is in a run.
func (w *writer) loadTail(ctx context.Context, of []*index, text string, from int64, add func(id int64, a, b string, n int64)) error {
	for {
		last, err := query(ctx, w.conn, func(s scanner) (int64, error) {
			var id, n int64
			var a, b string
			err := s.Scan(&id, &a, &b, &n)
			add(id, a, b, n)
			return id, err
		}, text, from, w.store.sizes.tail)
		if err != nil || len(last) == 0 {
			return err
		}
		from = last[len(last)-1]
		for _, x := range of {
			if w.replaying == 0 { // else rows below are still to be written
				x.loaded = from
			}
		}
		if len(last) < w.store.sizes.tail {
			return nil
		}
		if _, err := w.applyOnly(nothing); err != nil {
			return err
		}
	}
}
