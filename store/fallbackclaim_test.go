package store

import (
	"slices"
	"testing"
	"time"

	"tickwatch/wa"
)

// What waits expires so long after it was due, and not after the order: what is due
// when the hours come waits for them, and so does what they hold when it is taken. A
// provider that puts a message off does not make it younger.
func TestFallbackExpires(t *testing.T) {
	const hour = 3600
	s := open(t, t.TempDir())
	p, claimed := refused(t, s, 5, 131026)
	run := wa.FallbackRun{Campaign: p.Campaign, Key: p.Key, Channels: []string{wa.ChannelSMS}, OrderedAt: at(0), StartsAt: at(60), ExpiresAt: at(60 + 24*hour)}
	got := goesOut(t, s, run, 100, func(c *FallbackCandidate) (FallbackDraft, string) {
		d, _ := textTo(c)
		if c.Message == claimed[3].Message {
			d.Due = at(36 * hour) // after a holiday
		}
		return d, ""
	})
	if got.Run.Planned != 5 {
		t.Fatalf("%+v", got)
	}
	hold := func(to string) wa.Instant {
		switch to {
		case claimed[2].Phone: // its hours are over when it is taken
			return at(12 * hour)
		case claimed[4].Phone: // it has none any more
			return wa.Never
		}
		return 0
	}
	taken, err := s.ClaimFallback(t.Context(), wa.FallbackClaimRequest{Run: got.Run.ID, Channel: wa.ChannelSMS, Limit: 2, Now: at(2 * hour), Hold: hold})
	if err != nil || len(taken.Messages) != 2 {
		t.Fatalf("%+v, %v", taken, err)
	}
	for _, m := range taken.Messages { // put off for a day
		if err := s.SettleFallback(t.Context(), wa.FallbackOutcome{Attempt: m.Attempt, At: at(3 * hour), Due: at(27 * hour), Answer: wa.FallbackAnswer{Kind: wa.FallbackThrottled}}); err != nil {
			t.Fatal(err)
		}
	}
	if taken, err = s.ClaimFallback(t.Context(), wa.FallbackClaimRequest{Run: got.Run.ID, Channel: wa.ChannelSMS, Limit: 2, Now: at(3 * hour), Hold: hold}); err != nil || len(taken.Messages) != 0 {
		t.Fatalf("%+v, %v", taken, err)
	}
	all, _, err := s.ListFallbacks(t.Context(), p.Campaign, 0, 100, 100)
	if i := slices.IndexFunc(all, func(l ListedFallback) bool { return l.Reason == wa.ReasonNoHour }); err != nil || i < 0 || all[i].To != claimed[4].Phone || all[i].State != "left out" {
		t.Errorf("who has no hour: %+v, %v", all, err)
	}
	for _, want := range []struct{ hour, ended int64 }{{24, 0}, {25, 2}, {33, 0}, {34, 1}, {59, 0}, {60, 1}} {
		if n, err := s.ExpireFallback(t.Context(), got.Run.ID, at(want.hour*hour)); n != want.ended || err != nil {
			t.Errorf("after %d hours %d expired, %v; want %d", want.hour, n, err, want.ended)
		}
	}
}

// While nobody hears what arrives, who only looks undelivered waits; who failed does not.
func TestFallbackWhileStalled(t *testing.T) {
	s := open(t, t.TempDir())
	ingest(t, s, statuses(failed("1", at(0), "autumn:1", 131026), status("2", wa.StatusSent, at(0), "autumn:2")))
	run := wa.FallbackRun{
		Campaign: campaigns(t, s)["autumn"].ID, Key: "autumn", Channels: []string{wa.ChannelSMS}, After: time.Minute, OrderedAt: at(100), StartsAt: at(100),
	}
	got := goesOut(t, s, run, 100, func(c *FallbackCandidate) (FallbackDraft, string) {
		return FallbackDraft{Channel: wa.ChannelSMS, To: c.Phone, Text: "Hello", Segments: 1, Cost: 45_000}, ""
	})
	if got.Run.Planned != 2 || got.Late != 1 {
		t.Fatalf("%+v", got)
	}
	for _, c := range []struct {
		second  int64
		stalled bool
		want    string
	}{{200, true, "+351900000001"}, {201, false, ""}, {261, true, ""}, {322, false, "+351900000002"}} {
		taken, err := s.ClaimFallback(t.Context(), wa.FallbackClaimRequest{Run: got.Run.ID, Channel: wa.ChannelSMS, Limit: 5, Now: at(c.second), Stalled: c.stalled})
		to := ""
		for _, m := range taken.Messages {
			to += m.To
		}
		if err != nil || to != c.want {
			t.Errorf("after %d s: %+v, %v; want %q", c.second, taken, err, c.want)
		}
	}
}

// A message that is put off again and again is tried less and less often, and
// holds up no other.
func TestFallbackPutOff(t *testing.T) {
	s := open(t, t.TempDir())
	p, _ := refused(t, s, 10, 131026)
	got := goesOut(t, s, bySMS(p), 100, textTo)
	tries := map[int64]int{}
	for second := range 600 {
		now := at(2) + wa.Instant(1000*second)
		got, err := s.ClaimFallback(t.Context(), wa.FallbackClaimRequest{Run: got.Run.ID, Channel: wa.ChannelSMS, Limit: 1, Now: now})
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range got.Messages {
			tries[m.Attempt.ID]++
			o := wa.FallbackOutcome{Attempt: m.Attempt, At: now, Due: now + 1000, Answer: wa.FallbackAnswer{Kind: wa.FallbackAccepted}}
			if m.Attempt.ID == 1 {
				o.Answer.Kind = wa.FallbackThrottled
			}
			if err := s.SettleFallback(t.Context(), o); err != nil {
				t.Fatal(err)
			}
		}
	}
	if n := tries[1]; len(tries) != 10 || n < 5 || n > 15 {
		t.Errorf("in ten minutes one that is put off was tried %d times; tries of all: %v", n, tries)
	}

	// Cancelled while it is on its way, it waits no more.
	late := at(2) + wa.Instant(3_600_000)
	last, err := s.ClaimFallback(t.Context(), wa.FallbackClaimRequest{Run: got.Run.ID, Channel: wa.ChannelSMS, Limit: 1, Now: late})
	if err != nil || len(last.Messages) != 1 {
		t.Fatalf("claimed: %+v, %v", last, err)
	}
	if _, err := s.SetFallbackRun(t.Context(), got.Run.ID, wa.FallbackRunCancelled); err != nil {
		t.Fatal(err)
	}
	if err := s.SettleFallback(t.Context(), wa.FallbackOutcome{Attempt: last.Messages[0].Attempt, At: late, Answer: wa.FallbackAnswer{Kind: wa.FallbackNotSent}}); err != nil {
		t.Fatal(err)
	}
	counts, err := s.FallbackCounts(t.Context())
	if n := counts[p.Campaign]; err != nil || n.Waiting != 0 || n.LeftOut != 1 || n.Pending != 0 {
		t.Errorf("of a cancelled run: %+v, %v", n, err)
	}
}

// A price is taken as it was billed in the run's currency only, and what would go over
// the budget by it does not go out.
func TestFallbackBudget(t *testing.T) {
	s := open(t, t.TempDir())
	p, _ := refused(t, s, 4, 131053)
	run := bySMS(p)
	run.Currency, run.Budget = "EUR", 4*45_000
	got := goesOut(t, s, run, 100, textTo)
	take := func() wa.FallbackMessage {
		t.Helper()
		got, err := s.ClaimFallback(t.Context(), wa.FallbackClaimRequest{Run: got.Run.ID, Channel: wa.ChannelSMS, Limit: 1, Now: at(3)})
		if err != nil || len(got.Messages) != 1 {
			t.Fatalf("%+v, %v", got, err)
		}
		return got.Messages[0]
	}
	counts := func() wa.FallbackCounts {
		t.Helper()
		all, err := s.FallbackCounts(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return all[p.Campaign]
	}
	first, second := take(), take()
	if err := s.SettleFallback(t.Context(), wa.FallbackOutcome{
		Attempt: first.Attempt, At: at(4), Answer: wa.FallbackAnswer{Kind: wa.FallbackAccepted, Price: 7.5, Currency: "JPY"},
	}); err != nil {
		t.Fatal(err)
	}
	if n := counts(); n.Cost != 45_000 || n.Begun != 45_000 {
		t.Errorf("billed in another currency: %+v", n)
	}
	if err := s.Ingest(t.Context(), &wa.Post{Source: wa.BesideSource(wa.ChannelSMS), ReceivedAt: at(5), Receipts: []wa.FallbackReceipt{
		{Channel: wa.ChannelSMS, Attempt: first.Attempt, State: wa.FallbackSent, Price: 0.05, Currency: "EUR"},
		{Channel: wa.ChannelSMS, Attempt: second.Attempt, State: wa.FallbackSent, Price: 0.05},
	}}); err != nil {
		t.Fatal(err)
	}
	if n := counts(); n.Cost != 95_000 {
		t.Errorf("billed in the run's: %+v", n)
	}
	take()
	if last, err := s.ClaimFallback(t.Context(), wa.FallbackClaimRequest{Run: got.Run.ID, Channel: wa.ChannelSMS, Limit: 1, Now: at(6)}); err != nil || len(last.Messages) != 0 {
		t.Errorf("over the budget: %+v, %v", last, err)
	}
	if n := counts(); n.LeftOut != 1 || n.Waiting != 1 {
		t.Errorf("%+v", n)
	}
}
