package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/binary"
	"slices"
	"sort"
)

// entry says that a row may be what a hash stands for; the row itself tells.
type entry struct {
	hash uint64
	row  int64
}

func compareEntries(a, b entry) int {
	return cmp.Or(cmp.Compare(a.hash, b.hash), cmp.Compare(a.row, b.row))
}

const (
	entryBytes  = 16
	pageEntries = 250 // a page's row then fits into one page of SQLite's
	pageShift   = 20  // a page's id is its run's, shifted, and its number
)

// run is a sorted set of entries on disk. Its fence and filter are in memory.
type run struct {
	id      int64
	tier    int
	entries int
	fence   []uint64 // first hash of each page
	filter  filter
}

// page reads a page; an entry is entryBytes of what it returns.
func (r *run) page(ctx context.Context, read *sql.Stmt, number int) (page []byte, err error) {
	return page, read.QueryRowContext(ctx, r.id<<pageShift|int64(number)).Scan(&page)
}

func entryAt(page []byte, i int) entry {
	b := page[i*entryBytes:][:entryBytes]
	return entry{binary.BigEndian.Uint64(b), int64(binary.BigEndian.Uint64(b[8:]))} //nolint:gosec // written as such below
}

// find appends the rows of a hash.
func (r *run) find(ctx context.Context, read *sql.Stmt, hash uint64, rows []int64) ([]int64, error) {
	if !r.filter.has(hash) {
		return rows, nil
	}
	// Equal hashes may begin on the page before the first that starts with them.
	first, _ := slices.BinarySearch(r.fence, hash)
	for number := max(first-1, 0); number < len(r.fence) && r.fence[number] <= hash; number++ {
		page, err := r.page(ctx, read, number)
		if err != nil {
			return rows, err
		}
		n := len(page) / entryBytes
		at := sort.Search(n, func(i int) bool { return entryAt(page, i).hash >= hash })
		for ; at < n; at++ {
			e := entryAt(page, at)
			if e.hash != hash {
				return rows, nil
			}
			rows = append(rows, e.row)
		}
	}
	return rows, nil
}

// runWriter writes a run, entry after entry in their order.
type runWriter struct {
	run
	page []byte
}

func newRunWriter(id int64, tier, entries int, kind indexKind) *runWriter {
	return &runWriter{run: run{id: id, tier: tier, filter: newFilter(entries, kind.filterBits())}}
}

func (w *runWriter) add(ctx context.Context, write *sql.Stmt, e entry) error {
	if len(w.page) == 0 {
		w.fence = append(w.fence, e.hash)
	}
	w.page = binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(w.page, e.hash), uint64(e.row)) //nolint:gosec // ids are positive
	w.filter.add(e.hash)
	w.entries++
	if len(w.page) == pageEntries*entryBytes {
		return w.writePage(ctx, write)
	}
	return nil
}

func (w *runWriter) writePage(ctx context.Context, write *sql.Stmt) error {
	if len(w.page) == 0 {
		return nil
	}
	_, err := write.ExecContext(ctx, w.id<<pageShift|int64(len(w.fence)-1), w.page)
	w.page = w.page[:0]
	return err
}

// States of a run, as they are stored.
const (
	runBeingWritten = iota
	runInUse
	runMerged
)

const writeRun = "INSERT OR REPLACE INTO index_run (id, kind, tier, state, entries, fence, filter) VALUES (?, ?, ?, ?, ?, ?, ?)"

// finish writes what is left and makes the run one in use.
func (w *runWriter) finish(ctx context.Context, conn *sql.Conn, write *sql.Stmt, kind indexKind) (*run, error) {
	if err := w.writePage(ctx, write); err != nil {
		return nil, err
	}
	fence := make([]byte, 0, 8*len(w.fence))
	for _, hash := range w.fence {
		fence = binary.BigEndian.AppendUint64(fence, hash)
	}
	_, err := conn.ExecContext(ctx, writeRun, w.id, int(kind), w.tier, runInUse, w.entries, fence, []byte(w.filter))
	return &w.run, err
}
