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
		recountQueue(t, s, c.ID, &want.Counts)
		outs, err := query(ctx, s.readers, func(s scanner) (at wa.Instant, err error) { return at, s.Scan(&at) },
			"SELECT at FROM opt_out WHERE campaign = ?", c.ID)
		if err != nil {
			t.Fatalf("%v", err)
		}
		for _, at := range outs {
			want.Counts.OptOuts++
			want.OptOuts[at.Second()/60]++
		}
		wrote, err := query(ctx, s.readers, func(s scanner) (at wa.Instant, err error) { return at, s.Scan(&at) },
			"SELECT at FROM inbound WHERE campaign = ? AND step <> ''", c.ID)
		if err != nil {
			t.Fatalf("%v", err)
		}
		for _, at := range wrote {
			want.Inbound[at.Second()/60]++
		}
		stored, err := s.Course(ctx, c.ID, everySecond)
		if err != nil {
			t.Fatalf("%v", err)
		}
		course := &Tally{Counts: c.Counts, Pulses: stored.Seconds, Errors: stored.Errors, OptOuts: stored.OptOuts, Inbound: stored.Inbound}
		minutes := map[int64]Pulse{}
		for second, p := range want.Pulses {
			m := minutes[second/60]
			m.Add(&p)
			minutes[second/60] = m
		}
		if diff := cmp.Diff(minutes, stored.Minutes, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("campaign %s: minutes differ from a recount:\n%s", c.Key, diff)
		}
		maps.DeleteFunc(want.Errors, func(_ CodeMinute, n int64) bool { return n == 0 })
		if diff := cmp.Diff(want, course, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("campaign %s: totals differ from a recount of its messages (-recount +stored):\n%s", c.Key, diff)
		}
	}
}

// recountQueue counts a campaign's recipients by their rows.
func recountQueue(t interface{ Fatalf(string, ...any) }, s *Store, campaign int64, to *Counts) {
	cancelled := false
	if err := s.readers.QueryRow("SELECT EXISTS (SELECT 1 FROM plan WHERE campaign = ? AND state = 'cancelled')", campaign).Scan(&cancelled); err != nil {
		t.Fatalf("%v", err)
	}
	if _, err := query(context.Background(), s.readers, func(s scanner) (struct{}, error) {
		var state int
		var n int64
		err := s.Scan(&state, &n)
		if cancelled && (state == rowWaiting || state == rowAside) {
			state = rowCancelled
		}
		if count := queueCount(to, state); count != nil {
			*count += n
		}
		return struct{}{}, err
	}, "SELECT state, count(*) FROM recipient WHERE campaign = ? GROUP BY 1", campaign); err != nil {
		t.Fatalf("%v", err)
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

// everySecond is the window of all that there is.
func everySecond(map[int64]Pulse) (from, to int64) { return 0, 1 << 40 }
