package store

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tickwatch/wa"
)

func claim(t *testing.T, s *Store, r wa.ClaimRequest) wa.Claims {
	t.Helper()
	if r.From == "" {
		r.From = sender.NumberID
	}
	got, err := s.Claim(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func settle(t *testing.T, s *Store, outcomes ...wa.Outcome) {
	t.Helper()
	if err := s.Settle(t.Context(), outcomes...); err != nil {
		t.Fatal(err)
	}
}

func countOf(t *testing.T, s *Store, text string) (n int) {
	t.Helper()
	if err := s.readers.QueryRow(text).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// A list is sent in another order than its own, every row of it once, unless it
// is to keep its order; and nobody sees a campaign of it before it is whole.
func TestImport(t *testing.T) {
	for _, inOrder := range []bool{false, true} {
		s := open(t, t.TempDir())
		i, err := s.Import(autumnPlan(wa.CategoryUtility), inOrder)
		if err != nil {
			t.Fatal(err)
		}
		const rows = 3000
		for n := range rows {
			if err := i.Add(Recipient{Phone: fmt.Sprintf("35190%07d", n), Line: int64(n), Values: []string{"ü\"\n"}}); err != nil {
				t.Fatal(err)
			}
		}
		if err := i.Add(Recipient{Phone: "+49151", Line: rows}); err != nil {
			t.Fatal(err)
		}
		i.LeaveOut("+49151")
		i.Reject(RejectedRow{Line: 7, Value: "12", Reason: "too short"})
		p, err := i.Finish(t.Context(), func(int64) {
			if n := len(campaigns(t, s)); n != 0 {
				t.Errorf("%d campaigns while the list is being written", n)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		if c := campaigns(t, s)["autumn-offer"].Counts; c != (Counts{Waiting: rows}) || p.Key != "autumn-offer" {
			t.Errorf("%q: %+v", p.Key, c)
		}
		lines, err := query(t.Context(), s.readers, func(s scanner) (n int, err error) { return n, s.Scan(&n) }, "SELECT line FROM recipient ORDER BY id")
		if err != nil || slices.IsSorted(lines) != inOrder {
			t.Errorf("in order %t: %.20v (%v)", inOrder, lines, err)
		}
		slices.Sort(lines)
		if len(slices.Compact(lines)) != rows {
			t.Errorf("%d lines of %d", len(slices.Compact(lines)), rows)
		}
		if r, err := s.Rejected(t.Context(), p.Campaign, 0, 10); err != nil || len(r) != 1 || r[0].Line != 7 {
			t.Errorf("rejected: %v, %v", r, err)
		}
		p.State = wa.PlanRunning
		if err := s.SavePlan(t.Context(), p); err != nil {
			t.Fatal(err)
		}
		if got := claim(t, s, wa.ClaimRequest{Campaign: p.Campaign, Limit: 64, Upto: 30, Now: at(0)}); len(got.Messages) != 30 || got.Messages[0].Values[0] != "ü\"\n" {
			t.Errorf("a slice of 30 gave %d", len(got.Messages))
		}
		if again, err := s.Import(p, inOrder); err != nil {
			t.Fatal(err)
		} else if _, err := again.Finish(t.Context(), nil); err == nil {
			t.Error("an empty list made a campaign")
		}
		if left, _ := filepath.Glob(filepath.Join(s.dir, "list-*")); len(left) > 0 {
			t.Errorf("left behind: %v", left)
		}
	}
}

// A list that is given up, or whose daemon dies, leaves nothing of itself.
func TestAbandonedImport(t *testing.T) {
	s := open(t, t.TempDir())
	add := func(i *Import) {
		for n := range 1000 {
			if err := i.Add(Recipient{Phone: fmt.Sprintf("35190%07d", n)}); err != nil {
				t.Fatal(err)
			}
		}
	}
	i, err := s.Import(autumnPlan(wa.CategoryUtility), false)
	if err != nil {
		t.Fatal(err)
	}
	add(i)
	ctx, cancel := context.WithCancel(t.Context())
	if _, err := i.Finish(ctx, func(rows int64) {
		if rows > 500 {
			cancel()
		}
	}); !errors.Is(err, context.Canceled) {
		t.Errorf("it ended with %v", err)
	}
	if n := countOf(t, s, "SELECT count(*) FROM recipient"); n != 0 || len(s.mustPlans(t)) != 0 {
		t.Errorf("%d rows are left", n)
	}
	// What a crash leaves behind goes at the next start.
	if i, err = s.Import(autumnPlan(wa.CategoryUtility), false); err != nil {
		t.Fatal(err)
	}
	add(i)
	p, err := i.begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := i.rows.each(100, func(rows [][]byte) error { return i.write(t.Context(), &p, p.first, rows[:1]) }); err == nil {
		t.Error("the same row was written twice")
	}
	_ = s.Close()
	s = open(t, s.dir)
	if err := s.dropList(t.Context(), p.Campaign); err != nil { // waits for the one under way
		t.Fatal(err)
	}
	if n := countOf(t, s, "SELECT (SELECT count(*) FROM recipient) + (SELECT count(*) FROM plan)"); n != 0 {
		t.Errorf("%d rows are left after a start", n)
	}
	p2 := imported(t, s, 10, wa.CategoryUtility)
	if p2.Key != "autumn-offer" {
		t.Errorf("its name is still taken: %q", p2.Key)
	}
}

func (s *Store) mustPlans(t *testing.T) []wa.Plan {
	t.Helper()
	all, err := s.Plans(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// Marketing goes to one person only so often, whoever sent it; failures do not
// count, and utility templates do not ask.
func TestFrequencyCap(t *testing.T) {
	s := open(t, t.TempDir())
	limit := wa.FrequencyCap{Messages: 2, Within: 24 * 3600e9, Apart: 6 * 3600e9}
	now := received
	hours := func(n int64) wa.Instant { return now - wa.Instant(n*3_600_000) }
	sentTo := func(id string, when wa.Instant) wa.StatusUpdate {
		u := status(id, wa.StatusSent, when, "before:1")
		u.Phone = fmt.Sprintf("35190%07d", id[0]-'0')
		return u
	}
	f := failed("5x", hours(1), "before:1", 131053)
	f.Phone = "351900000005"
	ingest(t, s, statuses(
		sentTo("1a", hours(2)),                           // six hours are not over: until in 4 h
		sentTo("2a", hours(20)), sentTo("2b", hours(10)), // two within 24 h: until in 4 h
		sentTo("3a", hours(10)),                         // one, long enough ago
		sentTo("4a", hours(30)), sentTo("4b", hours(7)), // one of two is over
		f,
	))
	p := imported(t, s, 6, wa.CategoryMarketing)
	got := claim(t, s, wa.ClaimRequest{Campaign: p.Campaign, Limit: 64, Now: now, Cap: limit})
	var phones []string
	for _, c := range got.Messages {
		phones = append(phones, c.Phone[len(c.Phone)-1:])
	}
	slices.Sort(phones)
	if !slices.Equal(phones, []string{"0", "3", "4", "5"}) || got.Next != now+4*3_600_000 || got.Left != 2 || got.Why != wa.ReasonCap {
		t.Errorf("went to %v, next %d h, left %d, %q", phones, (got.Next-now)/3_600_000, got.Left, got.Why)
	}
	facts, err := s.ListFacts(t.Context(), now, limit)
	if err != nil || facts.Capped.Len() != 2 || !facts.Capped.Has("+351900000001") || !facts.Capped.Has("351900000002") {
		t.Errorf("the pre-flight says %+v, %v", facts, err)
	}
	q := imported(t, s, 6, wa.CategoryMarketing) // beside one that is going out
	if got := claim(t, s, wa.ClaimRequest{Campaign: q.Campaign, Limit: 64, Now: now, Cap: limit}); len(got.Messages) != 0 {
		t.Errorf("%d people got two at once", len(got.Messages))
	}
	u := imported(t, s, 6, wa.CategoryUtility)
	if got := claim(t, s, wa.ClaimRequest{Campaign: u.Campaign, Limit: 64, Now: now, Cap: limit}); len(got.Messages) != 6 {
		t.Errorf("%d of 6 utility messages", len(got.Messages))
	}
}

// Those who must wait for a moment hold up nobody behind them, however many they
// are: one claim goes on to the next who may be written to.
func TestWhoWaitsHoldsUpNobody(t *testing.T) {
	s := open(t, t.TempDir())
	p := imported(t, s, 30, wa.CategoryUtility)
	asleep := func(phone string) wa.Instant {
		if phone < "+351900000025" { // 25 of the 30
			return at(1 << 20)
		}
		return 0
	}
	got := claim(t, s, wa.ClaimRequest{Campaign: p.Campaign, Limit: 4, Now: at(0), Hold: asleep})
	if len(got.Messages) != 4 {
		t.Errorf("%d messages were claimed, not 4; the next at %v", len(got.Messages), got.Next.Time())
	}
}

// Whoever opts out under the number that WhatsApp knows is not written to under
// the one in the list.
func TestAnotherNumberThanTheListed(t *testing.T) {
	s := open(t, t.TempDir())
	p := imported(t, s, 1, wa.CategoryUtility)
	c := claim(t, s, wa.ClaimRequest{Campaign: p.Campaign, Limit: 1, Now: at(0)}).Messages[0]
	settle(t, s, wa.Outcome{Message: c.Message, Kind: wa.OutcomeAccepted, At: at(1), Accepted: wa.Accepted{
		WAMID: "wamid.1", Person: wa.Person{Phone: "5511900000000", BSUID: "BR.1"}, Paced: true,
	}})
	if n := campaigns(t, s)[p.Key].Counts; n != (Counts{Messages: 1, Paced: 1}) {
		t.Errorf("held by Meta: %+v", n)
	}
	in := wa.InboundMessage{Sender: sender, MessageID: "in.1", At: at(2), Type: "text", Text: "STOP"}
	in.Phone = "5511900000000"
	ingest(t, s, &wa.Post{Inbound: []wa.InboundMessage{in}}, statuses(wa.StatusUpdate{
		Sender: sender, MessageID: "wamid.1", Status: wa.StatusSent, At: at(3), Person: wa.Person{Phone: "5511900000000"},
	}))
	for range 2 {
		if facts, err := s.ListFacts(t.Context(), at(4), wa.FrequencyCap{}); err != nil || facts.Used24h != 1 {
			t.Errorf("%+v, %v", facts, err)
		}
		if why := whyNot(t, s, c.Phone, wa.ChannelWhatsApp, false, at(4)); why != "opted out" {
			t.Errorf("the pre-flight says %q", why)
		}
		q := imported(t, s, 1, wa.CategoryUtility)
		if got := claim(t, s, wa.ClaimRequest{Campaign: q.Campaign, Limit: 1, Now: at(4)}); len(got.Messages) != 0 {
			t.Errorf("written to: %+v", got)
		}
		if n := campaigns(t, s)[q.Key].Counts; n != (Counts{Cancelled: 1}) {
			t.Errorf("%+v", n)
		}
		_ = s.Close()
		s = open(t, s.dir)
	}
	if n := campaigns(t, s)[p.Key].Counts; n != (Counts{Messages: 1, Sent: 1, OptOuts: 1}) {
		t.Errorf("%+v", n)
	}
	checkBooks(t, s)
}

// What Meta refuses at once is failed and not with Meta.
func TestRefused(t *testing.T) {
	s := open(t, t.TempDir())
	p := imported(t, s, 2, wa.CategoryUtility)
	got := claim(t, s, wa.ClaimRequest{Campaign: p.Campaign, Limit: 2, Now: at(0)}).Messages
	settle(t, s, wa.Outcome{Message: got[0].Message, Kind: wa.OutcomeRefused, At: at(1), Code: 131026, Details: "no"},
		wa.Outcome{Message: got[1].Message, Kind: wa.OutcomeUnknown, At: at(1)})
	if n := campaigns(t, s)[p.Key].Counts; n != (Counts{Refused: 1, Failed: 1, Unknown: 1}) {
		t.Errorf("%+v", n)
	}
	page, err := s.Failures(t.Context(), p.Key, 131026, 0, 10)
	if err != nil || len(page) != 1 || page[0].Details != "no" || page[0].Phone != got[0].Phone[1:] {
		t.Errorf("%+v, %v", page, err)
	}
	if n, err := s.Resolve(t.Context(), p.Campaign, true); n != 1 || err != nil {
		t.Errorf("%d resolved, %v", n, err)
	}
	checkBooks(t, s)
}

// What is paused, and why, is known after a restart; so is a plan that changed.
func TestGatesAndPlans(t *testing.T) {
	s := open(t, t.TempDir())
	p := imported(t, s, 3, wa.CategoryUtility)
	g := wa.Gate{Scope: "campaign", ID: p.Key, Closed: true, By: "ann", Reason: "bad list", Since: at(1), OpensAt: at(9)}
	if err := s.SaveGate(t.Context(), g); err != nil {
		t.Fatal(err)
	}
	p.Pace, p.Form.Name = wa.Pace{Messages: 20, Per: time.Second}, "autumn_offer_b"
	if err := s.SavePlan(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	if n, err := s.CancelRest(t.Context(), p.Campaign); n != 3 || err != nil {
		t.Errorf("%d cancelled, %v", n, err)
	}
	if err := s.SavePlan(t.Context(), p); err != nil { // one that is cancelled stays so
		t.Fatal(err)
	}
	_ = s.Close()
	s = open(t, s.dir)
	p.State = wa.PlanCancelled
	if diff := cmp.Diff([]wa.Plan{p}, s.mustPlans(t)); diff != "" {
		t.Error(diff)
	}
	if gates, err := s.Gates(t.Context()); err != nil || !slices.Equal(gates, []wa.Gate{g}) {
		t.Errorf("%+v, %v", gates, err)
	}
	if q, err := s.QueuedTo(t.Context(), "+351 900 000 001", 9); err != nil || len(q) != 1 || q[0].State != "cancelled" {
		t.Errorf("%+v, %v", q, err)
	}
	if n := campaigns(t, s)[p.Key].Counts; n != (Counts{Cancelled: 3}) {
		t.Errorf("%+v", n)
	}
}
