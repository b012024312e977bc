package store

import (
	"context"
	"database/sql"
	"maps"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"tickwatch/wa"
)

// checkBooks recounts every campaign from its messages and holds the running
// totals against it.
func checkBooks(t interface {
	Helper()
	Fatalf(string, ...any)
}, s *Store,
) {
	t.Helper()
	ctx := context.Background()
	st, err := s.Load(ctx)
	if err != nil {
		t.Fatalf("%v", err)
	}
	for _, c := range st.Campaigns {
		want := &Tally{}
		want.init()
		messages, err := query(ctx, s.readers, readMessage, messageSelect+"WHERE m.campaign = ?", c.ID)
		if err != nil {
			t.Fatalf("%v", err)
		}
		for _, m := range messages {
			want.count(m.Progress, 1)
		}
		outs, err := query(ctx, s.readers, func(s scanner) (at wa.Instant, err error) { return at, s.Scan(&at) },
			"SELECT at FROM opt_out WHERE campaign = ?", c.ID)
		if err != nil {
			t.Fatalf("%v", err)
		}
		for _, at := range outs {
			want.Counts.OptOuts++
			want.OptOuts[at.Second()/60]++
		}
		course, _, err := s.Course(ctx, c.ID)
		if err != nil {
			t.Fatalf("%v", err)
		}
		maps.DeleteFunc(want.Errors, func(_ CodeMinute, n int64) bool { return n == 0 })
		if diff := cmp.Diff(want, course, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("campaign %s: totals differ from a recount of its messages (-recount +stored):\n%s", c.Key, diff)
		}
		if diff := cmp.Diff(course.Counts, c.Counts); diff != "" {
			t.Fatalf("campaign %s: two readings differ:\n%s", c.Key, diff)
		}
	}
}

// exec runs one statement on a store that is closed.
func exec(t *testing.T, dir, text string) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+escapePath(filepath.Join(dir, fileName)))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(text); err != nil {
		t.Fatal(err)
	}
}
