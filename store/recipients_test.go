package store

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"tickwatch/wa"
)

// Those that wait are given once each, whether they are ahead on the list or wait
// for a moment, and nobody else's are; so is a sample of them.
func TestEachWaiting(t *testing.T) {
	s := open(t, t.TempDir())
	for range 2 {
		imported(t, s, 9, wa.CategoryUtility)
	}
	p := imported(t, s, 30, wa.CategoryUtility)
	imported(t, s, 9, wa.CategoryUtility)
	waiting := map[string]bool{}
	for n := range 30 {
		waiting[fmt.Sprintf("+35190%07d", n)] = true
	}
	got := claim(t, s, wa.ClaimRequest{Campaign: p.Campaign, Limit: 20, Now: at(0)}).Messages
	for n, c := range got {
		switch {
		case n < 5:
			settle(t, s, wa.Outcome{Message: c.Message, Kind: wa.OutcomeAgain, At: at(1), Due: at(int64(n % 2))})
			continue
		case n < 10:
			settle(t, s, wa.Outcome{Message: c.Message, Kind: wa.OutcomeAccepted, At: at(1), Accepted: wa.Accepted{WAMID: fmt.Sprint("wamid.", n)}})
		}
		delete(waiting, c.Phone)
	}
	seen := map[string]bool{}
	if err := s.EachWaiting(t.Context(), p.Campaign, func(phone string) error {
		if seen[phone] || !waiting[phone] {
			t.Errorf("%s is given again, or does not wait", phone)
		}
		seen[phone] = true
		return nil
	}); err != nil || len(seen) != len(waiting) {
		t.Errorf("%d of %d, %v", len(seen), len(waiting), err)
	}
	sample := func() string {
		values, err := s.Sample(t.Context(), p.Campaign)
		if err != nil || len(values) != 1 {
			t.Fatalf("%q, %v", values, err)
		}
		return values[0]
	}
	if next := sample(); next != claim(t, s, wa.ClaimRequest{Campaign: p.Campaign, Limit: 64, Now: at(-1)}).Messages[0].Values[0] {
		t.Errorf("%q is not the next", next)
	}
	if sample() == "" {
		t.Error("no sample of a list that is done with")
	}
}

// What is asked of a queue reads no other campaign's rows, and a start no row but
// the open ones, whatever the store has in it.
func TestQueueQueriesUseTheirIndexes(t *testing.T) {
	s := open(t, t.TempDir())
	for _, q := range []struct {
		text string
		args []any
	}{
		{countClaimed, nil},
		{claimedAreUnknown, nil},
		{openAttempts, nil},
		{waitingAgain, []any{1, 0, 0, 5}},
		{waitingAhead, []any{1, 0, 0, 5}},
		{failedByCode, []any{1, 0, 0, 5}},
		{failedCandidates, []any{1, 0, 0, 5}},
		{codeCandidates, []any{1, 131026, 0, 5}},
		{retriedRow, []any{1}},
		{retriesRow, []any{1}},
		{latestWords, []any{1, 5}},
	} {
		plan, err := query(t.Context(), s.readers, func(s scanner) (d string, err error) {
			var n int
			return d, s.Scan(&n, &n, &n, &d)
		}, "EXPLAIN QUERY PLAN "+q.text, q.args...)
		if err != nil {
			t.Fatal(err)
		}
		if slices.ContainsFunc(plan, func(step string) bool {
			whole := step == "SCAN recipient" || step == "SCAN r" || step == "SCAN a" || step == "SCAN message"
			return whole || strings.Contains(step, "FOR ORDER BY")
		}) {
			t.Errorf("%s\n%s", q.text, strings.Join(plan, "\n"))
		}
	}
}
