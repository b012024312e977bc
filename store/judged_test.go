package store

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tickwatch/wa"
)

// Of a campaign of another system phone, number and clock are known; a failed
// message is judged at once, another one when it is old enough, and what failed and
// then arrived has not failed.
func TestJudgedOfAnother(t *testing.T) {
	s := open(t, t.TempDir())
	ingest(t, s,
		statuses(status("1", wa.StatusSent, at(1), "x:1"), status("2", wa.StatusSent, at(20), "x:2")),
		statuses(failed("3", at(21), "x:3", 131026), failed("4", at(2), "x:4", 131026)),
		statuses(status("4", wa.StatusDelivered, at(3), "x:4"), status("5", wa.StatusSent, at(1), "y:5")),
	)
	if err := s.Settled(t.Context()); err != nil {
		t.Fatal(err)
	}
	x := campaigns(t, s)["x"]
	got, err := s.Judged(t.Context(), x.ID, at(12), 100)
	if err != nil {
		t.Fatal(err)
	}
	want := []Judged{
		{ID: 1, At: at(1), Phone: "351900000001", Number: sender.NumberID, Values: []byte{}},
		{ID: 3, At: at(21), Phone: "351900000003", Number: sender.NumberID, Values: []byte{}, Failed: true, Code: 131026},
		{ID: 4, At: at(2), Phone: "351900000004", Number: sender.NumberID, Values: []byte{}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got, err = s.Judged(t.Context(), x.ID, at(12), 2); err != nil || len(got) != 2 || got[0].ID != 3 {
		t.Errorf("the newest two: %+v, %v", got, err)
	}
}

// Of our own the list's line and values are known too, and the template; what was
// refused at once has failed, and what Meta holds back is not judged.
func TestJudgedOfOurOwn(t *testing.T) {
	s := open(t, t.TempDir())
	p := imported(t, s, 4, wa.CategoryUtility)
	claims, err := s.Claim(t.Context(), wa.ClaimRequest{Campaign: p.Campaign, From: sender.NumberID, Limit: 4, Now: received})
	if err != nil || len(claims.Messages) != 4 {
		t.Fatalf("%+v, %v", claims, err)
	}
	c := claims.Messages
	if err := s.Settle(t.Context(),
		wa.Outcome{Message: c[0].Message, Kind: wa.OutcomeAccepted, At: received, Accepted: wa.Accepted{WAMID: "wamid.own"}},
		wa.Outcome{Message: c[1].Message, Kind: wa.OutcomeRefused, At: received, Code: 131053},
		wa.Outcome{Message: c[2].Message, Kind: wa.OutcomeAccepted, At: received, Accepted: wa.Accepted{WAMID: "wamid.paced", Paced: true}},
	); err != nil {
		t.Fatal(err)
	}
	if err := s.Settled(t.Context()); err != nil {
		t.Fatal(err)
	}
	got, err := s.Judged(t.Context(), p.Campaign, received+1, 100)
	if err != nil || len(got) != 2 {
		t.Fatalf("%+v, %v", got, err)
	}
	for i, j := range got {
		if j.Failed != (i == 1) || j.Template != p.Form.ID || j.Line < 2 || "+"+j.Phone != c[i].Phone || string(j.Values) != fmt.Sprintf("[%q]", c[i].Values[0]) {
			t.Errorf("%d: %+v", i, j)
		}
	}
	if got, err = s.Judged(t.Context(), p.Campaign, received, 100); err != nil || len(got) != 1 || got[0].Code != 131053 {
		t.Errorf("before any is old enough: %+v, %v", got, err)
	}
}

// It reads by row ids only, and sorts nothing.
func TestJudgedReadsBackwardsByRow(t *testing.T) {
	s := open(t, t.TempDir())
	plan, err := query(t.Context(), s.readers, func(s scanner) (d string, err error) {
		var n int
		return d, s.Scan(&n, &n, &n, &d)
	}, "EXPLAIN QUERY PLAN "+newestJudged, 0, 10, 1, 10, 5)
	if err != nil {
		t.Fatal(err)
	}
	if slices.ContainsFunc(plan, func(step string) bool {
		return !strings.HasPrefix(step, "SEARCH") || !strings.Contains(step, "PRIMARY KEY")
	}) {
		t.Errorf("%s", strings.Join(plan, "\n"))
	}
}

func BenchmarkJudged(b *testing.B) {
	const n = 20_000
	s := open(b, b.TempDir())
	i, err := s.Import(autumnPlan(wa.CategoryUtility), false)
	if err != nil {
		b.Fatal(err)
	}
	for n := range n {
		if err := i.Add(Recipient{Phone: fmt.Sprintf("+35190%07d", n), Line: int64(n + 2), Values: []string{fmt.Sprint("name ", n)}}); err != nil {
			b.Fatal(err)
		}
	}
	p, err := i.Finish(b.Context(), nil)
	if err != nil {
		b.Fatal(err)
	}
	p.State = wa.PlanRunning
	if err := s.SavePlan(b.Context(), p); err != nil {
		b.Fatal(err)
	}
	for {
		claims, err := s.Claim(b.Context(), wa.ClaimRequest{Campaign: p.Campaign, From: sender.NumberID, Limit: 256, Now: received})
		if err != nil {
			b.Fatal(err)
		}
		if len(claims.Messages) == 0 {
			break
		}
		var all []wa.Outcome
		for _, m := range claims.Messages {
			all = append(all, wa.Outcome{Message: m.Message, Kind: wa.OutcomeAccepted, At: received, Accepted: wa.Accepted{WAMID: fmt.Sprint("wamid.", m.Message)}})
		}
		if err := s.Settle(b.Context(), all...); err != nil {
			b.Fatal(err)
		}
	}
	if err := s.Settled(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if got, err := s.Judged(b.Context(), p.Campaign, received+1, n); err != nil || len(got) != n {
			b.Fatal(len(got), err)
		}
	}
}
