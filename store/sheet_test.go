package store

import (
	"context"
	"fmt"
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"tickwatch/wa"
)

// Whatever Meta tells and whenever the store is killed, a message that failed is
// queued for the sheet, once, and what is read of the queue is caught up with.
func TestEveryFailureIsQueuedOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dir, err := os.MkdirTemp("", "tickwatch-test-")
		if err != nil {
			t.Fatalf("%v", err)
		}
		defer func() { _ = os.RemoveAll(dir) }()
		options := Options{Dir: dir, Decode: decode, Sheet: true, sizes: sizes{lagMost: 5, lagStep: 3, tail: 8, fan: 2, step: 1}}
		s, err := Open(context.Background(), options)
		if err != nil {
			t.Fatalf("%v", err)
		}
		defer func() { _ = s.Close() }()
		var sent []int64
		take := func(limit int) int64 {
			rows, last, err := s.SheetRows(context.Background(), limit)
			if err != nil {
				t.Fatalf("%v", err)
			}
			type place struct{ message, state int64 }
			ids, err := query(context.Background(), s.readers, func(s scanner) (p place, err error) { return p, s.Scan(&p.message, &p.state) },
				"SELECT message, coalesce(m.state, -1) FROM sheet_row s LEFT JOIN message m ON m.id = s.message WHERE s.id <= ? ORDER BY s.id", last)
			if err != nil {
				t.Fatalf("%v", err)
			}
			for _, r := range rows {
				if r.At == 0 || r.To == "" && r.BSUID == "" && r.Code == 0 {
					t.Fatalf("%+v of messages %+v", r, ids)
				}
			}
			given := 0
			for _, p := range ids {
				sent = append(sent, p.message)
				if p.state == int64(wa.StateFailed) {
					given++
				} else if p.state != int64(wa.StateDelivered) {
					t.Fatalf("%d rows were read of %v, one of which is in state %d", len(rows), ids, p.state)
				}
			}
			if given != len(rows) {
				t.Fatalf("%d rows were read, %d messages failed: %v", len(rows), given, ids)
			}
			if err := s.SaveSheet(context.Background(), wa.SheetMark{Target: "x", Row: int64(len(sent))}, last); err != nil {
				t.Fatalf("%v", err)
			}
			return last
		}
		now := received
		for range rapid.IntRange(1, 15).Draw(t, "steps") {
			now += 1000
			switch rapid.IntRange(0, 5).Draw(t, "what") {
			case 0:
				take(rapid.IntRange(1, 4).Draw(t, "limit"))
			case 1:
				if rapid.Bool().Draw(t, "killed") {
					options.Dir = leaveBehind(t, s)
					defer func(dir string) { _ = os.RemoveAll(dir) }(options.Dir)
				}
				_ = s.Close()
				if s, err = Open(context.Background(), options); err != nil {
					t.Fatalf("%v", err)
				}
			default:
				p := &wa.Post{Source: "meta", ReceivedAt: now}
				for range rapid.IntRange(1, 6).Draw(t, "statuses") {
					u := status(fmt.Sprint(rapid.IntRange(1, 9).Draw(t, "message")), wa.StatusFailed, at(rapid.Int64Range(0, 9).Draw(t, "at")), "x:1")
					if u.Code = 131026; rapid.IntRange(0, 3).Draw(t, "arrives") == 0 {
						u.Status, u.Code = wa.Status(rapid.IntRange(1, 3).Draw(t, "status")), 0
					}
					p.Statuses = append(p.Statuses, u)
				}
				keepable(t, p)
				if err := s.Ingest(context.Background(), p); err != nil {
					t.Fatalf("%v", err)
				}
			}
		}
		if err := s.Settled(context.Background()); err != nil {
			t.Fatalf("%v", err)
		}
		for take(2) != 0 {
		}
		failed, err := query(context.Background(), s.readers, func(s scanner) (id int64, err error) { return id, s.Scan(&id) }, "SELECT id FROM message WHERE state = 2")
		if err != nil {
			t.Fatalf("%v", err)
		}
		for _, id := range failed {
			if !slices.Contains(sent, id) {
				t.Fatalf("message %d failed and was not queued: %v", id, sent)
			}
		}
		slices.Sort(sent)
		if once := slices.Compact(slices.Clone(sent)); len(once) != len(sent) {
			t.Fatalf("queued twice: %v", sent)
		}
		if behind, since, err := s.SheetBehind(context.Background()); behind != 0 || since != 0 || err != nil {
			t.Fatalf("%d behind, %v", behind, err)
		}
	})
}

// What is caught up with later holds up what is behind it, and nothing is said of
// a message before its row is right.
func TestTheSheetWaitsForRowsThatLag(t *testing.T) {
	s, err := Open(t.Context(), Options{Dir: t.TempDir(), Now: received.Time, Decode: decode, Sheet: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	ingest(t, s, statuses(failed("1", at(1), "x:1", 131026)))
	p := imported(t, s, 1, wa.CategoryUtility)
	claims, err := s.Claim(t.Context(), wa.ClaimRequest{Campaign: p.Campaign, From: sender.NumberID, Limit: 1, Now: received})
	if err != nil || len(claims.Messages) != 1 {
		t.Fatal(claims, err)
	}
	if err := s.Settle(t.Context(), wa.Outcome{Message: claims.Messages[0].Message, Kind: wa.OutcomeRefused, At: received, Code: 132000, Details: "no"}); err != nil {
		t.Fatal(err)
	}
	if behind, since, err := s.SheetBehind(t.Context()); behind != 2 || since != received || err != nil {
		t.Errorf("%d behind since %d, %v", behind, since, err)
	}
	if err := s.Settled(t.Context()); err != nil {
		t.Fatal(err)
	}
	rows, last, err := s.SheetRows(t.Context(), 10)
	want := []wa.Rejected{
		{At: at(1), From: sender.Display, FromID: sender.NumberID, To: "351900000001", Code: 131026, Title: "title", Details: "details of 1"},
		{At: received, From: sender.Display, FromID: sender.NumberID, To: "351900000000", Refused: true, Code: 132000, Details: "no"},
	}
	if diff := cmp.Diff(want, rows); diff != "" || err != nil || last == 0 {
		t.Errorf("%v %s", err, diff)
	}
}

// A store without a sheet queues nothing for one.
func TestNoSheet(t *testing.T) {
	s := open(t, t.TempDir())
	ingest(t, s, statuses(failed("1", at(1), "x:1", 131026)))
	if behind, _, err := s.SheetBehind(t.Context()); behind != 0 || err != nil {
		t.Errorf("%d behind, %v", behind, err)
	}
}

// BenchmarkSheetNote ingests posts of ten failures, with a sheet and without.
func BenchmarkSheetNote(b *testing.B) {
	for _, sheet := range []bool{false, true} {
		b.Run(map[bool]string{false: "without", true: "with"}[sheet], func(b *testing.B) {
			s, err := Open(b.Context(), Options{Dir: b.TempDir(), Now: received.Time, Decode: decode, Sheet: sheet})
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close()
			for i := 0; b.Loop(); i++ {
				p := &wa.Post{}
				for k := range 10 {
					p.Statuses = append(p.Statuses, failed(fmt.Sprint(10*i+k), at(1), "x:1", 131026))
				}
				ingest(b, s, p)
			}
		})
	}
}
