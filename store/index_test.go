package store

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"tickwatch/wa"
)

// small are sizes with which every part of an index is met soon.
var small = sizes{lagMost: 5, lagStep: 3, tail: 8, fan: 2, step: 1}

func openSmall(t testing.TB, dir string) *Store {
	t.Helper()
	s, err := Open(context.Background(), Options{Dir: dir, Now: received.Time, Decode: decode, sizes: small})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// entriesOf are the entries that the runs of each kind of index hold on disk.
func entriesOf(t testing.TB, s *Store) map[int]int {
	t.Helper()
	type pair struct{ kind, entries int }
	all, err := query(context.Background(), s.readers, func(s scanner) (p pair, err error) { return p, s.Scan(&p.kind, &p.entries) },
		"SELECT kind, sum(entries) FROM index_run WHERE state = 1 GROUP BY kind")
	if err != nil {
		t.Fatal(err)
	}
	sums := map[int]int{}
	for _, p := range all {
		sums[p.kind] = p.entries
	}
	return sums
}

// A start reads what no run holds off the rows, and does not write again what
// runs hold: not after a change of the schema, which leaves no runs, either.
func TestStartsDoNotCopyTheIndex(t *testing.T) {
	s := openSmall(t, t.TempDir())
	const messages = 100
	for i := range messages {
		ingest(t, s, statuses(status(fmt.Sprint(i), wa.StatusSent, at(int64(i)), "x:1")))
	}
	_ = s.Close()
	for _, text := range []string{"DELETE FROM index_run", "DELETE FROM index_page", "DELETE FROM index_mark", "DELETE FROM index_late"} {
		exec(t, s.dir, text)
	}
	for i := range 4 {
		s = openSmall(t, s.dir)
		ingest(t, s, statuses(status(fmt.Sprint(messages+i), wa.StatusSent, at(int64(i)), "x:1")))
		if p := find(t, s, "wamid.17"); len(p.Messages) != 1 {
			t.Fatalf("start %d: %+v", i, p)
		}
		for kind, n := range entriesOf(t, s) {
			if n > messages+4 {
				t.Errorf("start %d: %d entries of kind %d in runs, of %d messages", i, n, kind, messages)
			}
		}
		_ = s.Close()
	}
}

// The newest rows can go. Their ids are in runs, and are given to nobody else.
func TestNoIDTwice(t *testing.T) {
	s := openSmall(t, t.TempDir())
	for i := range 16 {
		ingest(t, s, statuses(status(fmt.Sprint(i), wa.StatusSent, at(0), "x:1")))
	}
	if err := s.Settled(t.Context()); err != nil {
		t.Fatal(err)
	}
	ingest(t, s, statuses(status("0", wa.StatusDelivered, at(0), "x:1"))) // writes the tails
	_ = s.Close()
	exec(t, s.dir, "DELETE FROM person WHERE id = (SELECT max(id) FROM person)")
	s = openSmall(t, s.dir)
	ingest(t, s, statuses(status("77", wa.StatusSent, at(0), "x:1")))
	_ = s.Close()
	s = openSmall(t, s.dir)
	ingest(t, s, statuses(status("78", wa.StatusSent, at(0), "x:1"), as(wa.Person{Phone: "351900000077"}, status("79", wa.StatusSent, at(0), "x:1"))))
	if p := find(t, s, "351900000077"); len(p.Messages) != 2 {
		t.Errorf("a person met again after two starts: %+v", p)
	}
}

// Where nothing lags there is nothing to wait for, not even a database that
// somebody else has locked.
func TestSettledWaitsForNothing(t *testing.T) {
	s := open(t, t.TempDir())
	ingest(t, s, statuses(status("1", wa.StatusSent, at(0), "x:1")))
	if err := s.Settled(t.Context()); err != nil {
		t.Fatal(err)
	}
	other, err := sql.Open("sqlite", "file:"+escapePath(s.dir)+"/"+fileName)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	other.SetMaxOpenConns(1)
	if _, err := other.ExecContext(t.Context(), "BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	if p := find(t, s, "wamid.1"); len(p.Messages) != 1 {
		t.Errorf("%+v", p)
	}
}

// An index names every row of a hash, whatever was merged, abandoned or written
// again in between.
func TestIndexLeavesNothingOut(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := openSmall(t, t.TempDir())
		defer func() { _ = s.Close() }()
		want := map[uint64]map[int64]bool{}
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 1))
		row := int64(0)
		x := &index{kind: indexPerson}
		steps := rapid.SliceOfN(rapid.IntRange(0, 9), 1, 60).Draw(rt, "steps")
		for _, step := range steps {
			err := s.look(context.Background(), func(w *writer) error {
				for range random.IntN(9) {
					row++
					e := entry{mixed(random.Uint64N(20)), row}
					if want[e.hash] == nil {
						want[e.hash] = map[int64]bool{}
					}
					want[e.hash][e.row] = true
					x.tail.add(e)
				}
				if step == 0 {
					x.abandon()
				}
				done, err := x.tend(context.Background(), w)
				if done != nil {
					done()
				}
				if err != nil {
					return err
				}
				for hash, rows := range want {
					got, err := x.find(context.Background(), w.stmts.readPage, hash)
					if err != nil || !slices.Equal(got, slices.SortedFunc(maps.Keys(rows), newestFirst)) {
						rt.Fatalf("hash %x: %v, %v; want %v", hash, got, err, rows)
					}
				}
				return nil
			})
			if err != nil {
				rt.Fatalf("%v", err)
			}
		}
	})
}
