package store

import (
	"slices"
	"strings"
	"testing"

	"tickwatch/wa"
)

var evens = wa.Trait{Attribute: "line", Value: "even"}

func even(_ string, line int64, _ []string) bool { return line%2 == 0 }

func claimAll(t *testing.T, s *Store, p wa.Plan, has RowMatcher) (phones []string) {
	t.Helper()
	r := wa.ClaimRequest{Campaign: p.Campaign, From: sender.NumberID, Limit: 100, Now: received}
	if has != nil {
		r.Aside = func(phone string, line int64, values []string) string {
			if has(phone, line, values) {
				return evens.String()
			}
			return ""
		}
	}
	claims, err := s.Claim(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range claims.Messages {
		phones = append(phones, m.Phone)
	}
	return phones
}

func countsOf(t *testing.T, s *Store, p wa.Plan) Counts {
	t.Helper()
	return campaigns(t, s)[p.Key].Counts
}

// What is set aside is counted apart and not claimed, also after a restart, and twice
// is as good as once; released it goes out, and everything is counted once.
func TestSetAsideAndRelease(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	p := imported(t, s, 10, wa.CategoryUtility)
	if n, err := s.SetAside(t.Context(), p.Campaign, evens, even, true); err != nil || n != 5 {
		t.Fatalf("a dry run: %d, %v", n, err)
	}
	for _, want := range []int64{5, 0} {
		if n, err := s.SetAside(t.Context(), p.Campaign, evens, even, false); err != nil || n != want {
			t.Fatalf("%d, %v, not %d", n, err, want)
		}
	}
	if n := countsOf(t, s, p); n.Waiting != 5 || n.SetAside != 5 {
		t.Errorf("%+v", n)
	}
	_ = s.Close()
	s = open(t, dir)
	// One at a time: that the next of the list are set aside does not end the search.
	for i := range 5 {
		claims, err := s.Claim(t.Context(), wa.ClaimRequest{Campaign: p.Campaign, From: sender.NumberID, Limit: 1, Now: received})
		if err != nil || len(claims.Messages) != 1 {
			t.Fatalf("claim %d: %+v, %v", i, claims, err)
		}
	}
	if by, err := s.Aside(t.Context(), p.Campaign); err != nil || len(by) != 1 || by[evens] != 5 {
		t.Errorf("%v, %v", by, err)
	}
	for _, want := range []int64{5, 0} {
		if n, err := s.EndAside(t.Context(), p.Campaign, evens, false); err != nil || n != want {
			t.Fatalf("released %d, %v, not %d", n, err, want)
		}
	}
	if got := claimAll(t, s, p, nil); len(got) != 5 {
		t.Errorf("claimed after the release %v", got)
	}
	if n := countsOf(t, s, p); n.Waiting != 0 || n.SetAside != 0 || n.Claimed != 10 {
		t.Errorf("%+v", n)
	}
}

// A claim sets aside what has the trait and was not reached, or came back; cancelled it never goes out.
func TestClaimSetsAsideAndCancel(t *testing.T) {
	s := open(t, t.TempDir())
	p := imported(t, s, 10, wa.CategoryUtility)
	if got := claimAll(t, s, p, even); len(got) != 5 {
		t.Fatalf("claimed %v", got)
	}
	if n := countsOf(t, s, p); n.SetAside != 5 || n.Claimed != 5 || n.Waiting != 0 {
		t.Errorf("%+v", n)
	}
	if n, err := s.EndAside(t.Context(), p.Campaign, evens, true); err != nil || n != 5 {
		t.Fatalf("%d, %v", n, err)
	}
	if n := countsOf(t, s, p); n.SetAside != 0 || n.Cancelled != 5 {
		t.Errorf("%+v", n)
	}
	if got := claimAll(t, s, p, nil); len(got) != 0 {
		t.Errorf("cancelled ones are claimed: %v", got)
	}
}

// Done again in another store, deeds of setting aside give the same counts.
func TestSetAsideIsInTheJournal(t *testing.T) {
	s := open(t, t.TempDir())
	p := imported(t, s, 10, wa.CategoryUtility)
	if _, err := s.SetAside(t.Context(), p.Campaign, evens, even, false); err != nil {
		t.Fatal(err)
	}
	claimAll(t, s, p, nil)
	if _, err := s.EndAside(t.Context(), p.Campaign, evens, true); err != nil {
		t.Fatal(err)
	}
	last, err := s.LastDeed(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	deeds, err := s.Deeds(t.Context(), 0, 0, last, 100)
	if err != nil {
		t.Fatal(err)
	}
	again := open(t, t.TempDir())
	for _, d := range deeds {
		if err := again.Redo(t.Context(), d.At, &d.Deed); err != nil {
			t.Fatalf("%+v: %v", d.Deed, err)
		}
	}
	want, got := countsOf(t, s, p), campaigns(t, again)[p.Key].Counts
	if got != want || want.Cancelled != 5 {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if !slices.ContainsFunc(deeds, func(d JournalEntry) bool { return d.Kind == DeedAside && d.Reason == evens.String() }) {
		t.Error("no deed tells that something was set aside")
	}
	if !slices.ContainsFunc(deeds, func(d JournalEntry) bool { return strings.HasPrefix(d.Reason, reasonAside) }) {
		t.Error("no deed tells why it was cancelled")
	}
}

// What is released goes out in its turn: what the list has not reached yet waits for
// the ramp as all else does, and what it has is claimed at once.
func TestReleasedWaitForTheirTurn(t *testing.T) {
	s := open(t, t.TempDir())
	p := imported(t, s, 100, wa.CategoryUtility)
	claim := func(upto int64) (n int) {
		t.Helper()
		claims, err := s.Claim(t.Context(), wa.ClaimRequest{Campaign: p.Campaign, From: sender.NumberID, Limit: 100, Upto: upto, Now: received})
		if err != nil {
			t.Fatal(err)
		}
		return len(claims.Messages)
	}
	if n, err := s.SetAside(t.Context(), p.Campaign, evens, even, false); err != nil || n != 50 {
		t.Fatalf("%d, %v", n, err)
	}
	first := claim(20)
	if n, err := s.EndAside(t.Context(), p.Campaign, evens, false); err != nil || n != 50 {
		t.Fatalf("%d, %v", n, err)
	}
	if more := claim(20); first+more != 20 {
		t.Errorf("the first 20 of the list may go out, and %d and %d did", first, more)
	}
	if rest := claim(0); rest != 80 {
		t.Errorf("%d of 80 go out afterwards", rest)
	}
}

// A message that was set aside and went out after all, as a late webhook tells of a
// cancelled campaign, is counted once.
func TestAsideOfACancelledCampaignWentOut(t *testing.T) {
	s := open(t, t.TempDir())
	p := imported(t, s, 3, wa.CategoryUtility)
	claims, err := s.Claim(t.Context(), wa.ClaimRequest{Campaign: p.Campaign, From: sender.NumberID, Limit: 1, Now: received})
	if err != nil || len(claims.Messages) != 1 {
		t.Fatalf("%+v, %v", claims, err)
	}
	sent := claims.Messages[0]
	if err := s.Settle(t.Context(), wa.Outcome{Message: sent.Message, Kind: wa.OutcomeAgain, At: received}); err != nil {
		t.Fatal(err)
	}
	if n, err := s.SetAside(t.Context(), p.Campaign, evens, func(string, int64, []string) bool { return true }, false); err != nil || n != 3 {
		t.Fatalf("%d, %v", n, err)
	}
	if _, err := s.CancelRest(t.Context(), p.Campaign); err != nil {
		t.Fatal(err)
	}
	ingest(t, s, statuses(status("late", wa.StatusDelivered, at(60), sent.Data)))
	if n := countsOf(t, s, p); n.SetAside != 0 || n.Cancelled != 2 || n.Messages != 1 || n.Delivered != 1 {
		t.Errorf("%+v", n)
	}
}
