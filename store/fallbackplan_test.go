package store

import (
	"errors"
	"maps"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"tickwatch/wa"
)

// Who was left out of a fallback that was undone before it left can be reached by
// the next one; who had one on its way cannot.
func TestFallbackAfterAnUndo(t *testing.T) {
	s := open(t, t.TempDir())
	p, _ := refused(t, s, 10, 131026)
	run := bySMS(p)
	plan := func(dry bool) FallbackPlanned {
		t.Helper()
		got, err := s.PlanFallback(t.Context(), run, 100, textTo, dry)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	set := func(id int64, state string) {
		t.Helper()
		if _, err := s.SetFallbackRun(t.Context(), id, state); err != nil {
			t.Fatal(err)
		}
	}
	take := func(id int64, limit int) (all []string) {
		t.Helper()
		got, err := s.ClaimFallback(t.Context(), wa.FallbackClaimRequest{Run: id, Channel: wa.ChannelSMS, Limit: limit, Now: at(3)})
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range got.Messages {
			all = append(all, m.To)
		}
		return all
	}
	end := func(id int64) {
		t.Helper()
		set(id, wa.FallbackRunCancelled)
		if _, err := s.EndFallback(t.Context(), id, "cancelled by anna"); err != nil {
			t.Fatal(err)
		}
	}
	first := plan(false).Run
	if first.Planned != 10 {
		t.Fatalf("planned: %+v", first)
	}
	end(first.ID)
	if dry := plan(true); dry.Run.Planned != 10 {
		t.Errorf("after an undo: %+v", dry)
	}
	second := plan(false).Run
	set(second.ID, wa.FallbackRunRunning)
	gone := take(second.ID, 4)
	end(second.ID)
	if len(gone) != 4 || len(take(first.ID, 10)) != 0 {
		t.Errorf("taken: %v", gone)
	}
	for range 2 { // also after a restart
		if dry := plan(true); dry.Run.Planned != 6 || dry.LeftOut[reasonReached] != 4 {
			t.Errorf("after 4 were on their way: %+v", dry)
		}
		dir := s.dir
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = open(t, dir)
	}
	third := plan(false).Run
	set(third.ID, wa.FallbackRunRunning)
	rest := take(third.ID, 10)
	if len(rest) != 6 || slices.ContainsFunc(rest, func(to string) bool { return slices.Contains(gone, to) }) {
		t.Errorf("the rest: %v, before %v", rest, gone)
	}
	counts, err := s.FallbackCounts(t.Context())
	if err != nil || counts[p.Campaign].Waiting != 6 || counts[p.Campaign].Unknown != 4 || counts[p.Campaign].LeftOut != 0 {
		t.Errorf("counts: %+v, %v", counts, err)
	}
}

// A retry that was cancelled bars nobody from an SMS, and a word that an operator has
// released somebody from does not either; without a release, or spoken again, it does.
func TestFallbackAfterARetryAndARelease(t *testing.T) {
	s := open(t, t.TempDir())
	p, failures := refused(t, s, 3, 131053)
	stop := func(phone, id string, when wa.Instant) {
		in := wa.InboundMessage{Sender: sender, MessageID: id, At: when, Type: "text", Text: "STOP"}
		in.Phone = phone[1:]
		ingest(t, s, &wa.Post{Inbound: []wa.InboundMessage{in}, ReceivedAt: when})
	}
	stop(failures[0].Phone, "in.0", at(2))
	stop(failures[1].Phone, "in.1", at(2))
	if lifted, err := s.Release(t.Context(), failures[0].Phone, false, []string{wa.RuleOptedOut}); err != nil || len(lifted) != 1 {
		t.Fatalf("%+v, %v", lifted, err)
	}
	run := wa.FallbackRun{Campaign: p.Campaign, Key: p.Key, Channels: []string{wa.ChannelSMS}, OrderedAt: at(3), StartsAt: at(3)}
	plan := func(dry bool, planned int64, leftOut map[string]int64) wa.FallbackRun {
		t.Helper()
		got, err := s.PlanFallback(t.Context(), run, 100, textTo, dry)
		if err != nil || got.Run.Planned != planned || !maps.Equal(got.LeftOut, leftOut) {
			t.Errorf("planned %+v, %v; want %d, and left out %v", got, err, planned, leftOut)
		}
		return got.Run
	}
	if again, err := s.Retry(t.Context(), p.Campaign, nil, func(Failed) string { return "" }, false); err != nil || again.Queued != 2 {
		t.Fatalf("%+v, %v", again, err)
	}
	plan(true, 0, map[string]int64{reasonTriedAgain: 2, "opted out": 1})
	if n, err := s.CancelRest(t.Context(), p.Campaign); n != 2 || err != nil {
		t.Fatalf("%d cancelled, %v", n, err)
	}
	r := plan(false, 2, map[string]int64{"opted out": 1})
	if _, err := s.SetFallbackRun(t.Context(), r.ID, wa.FallbackRunRunning); err != nil {
		t.Fatal(err)
	}
	stop(failures[0].Phone, "in.2", received+1000)
	got, err := s.ClaimFallback(t.Context(), wa.FallbackClaimRequest{Run: r.ID, Channel: wa.ChannelSMS, Limit: 3, Now: received + 2000})
	if err != nil || len(got.Messages) != 1 || got.Messages[0].To != failures[2].Phone {
		t.Errorf("taken: %+v, %v", got, err)
	}
}

// While an order of a campaign is being planned, can be undone or is in its look, there
// is no second one; once it goes out there may be.
func TestOneFallbackAtATime(t *testing.T) {
	s := open(t, t.TempDir())
	p, _ := refused(t, s, 4, 131026)
	run := wa.FallbackRun{Campaign: p.Campaign, Key: p.Key, Channels: []string{wa.ChannelSMS}, OrderedAt: at(2), StartsAt: at(2), LookAfter: 1}
	second := func(when string, want error) {
		t.Helper()
		if _, err := s.PlanFallback(t.Context(), run, 1, textTo, false); !errors.Is(err, want) {
			t.Errorf("%s: %v", when, err)
		}
	}
	first, err := s.PlanFallback(t.Context(), run, 2, func(c *FallbackCandidate) (FallbackDraft, string) {
		second("while it is being planned", ErrFallbackOpen)
		return textTo(c)
	}, false)
	if err != nil || first.Run.Planned != 2 {
		t.Fatalf("%+v, %v", first, err)
	}
	second("while it can be undone", ErrFallbackOpen)
	if _, err := s.SetFallbackRun(t.Context(), first.Run.ID, wa.FallbackRunLook); err != nil {
		t.Fatal(err)
	}
	second("while it is looked at", ErrFallbackOpen)
	if n, err := s.FallbackWaiting(t.Context(), first.Run.ID); n != 2 || err != nil {
		t.Errorf("%d wait, %v", n, err)
	}
	if _, err := s.SetFallbackRun(t.Context(), first.Run.ID, wa.FallbackRunRunning); err != nil {
		t.Fatal(err)
	}
	second("when it goes out", nil)
}

// However long an order takes to be planned, the time in which it can be undone is whole.
func TestUndoAfterALongPlan(t *testing.T) {
	var clock atomic.Int64
	clock.Store(int64(received))
	s, err := Open(t.Context(), Options{Dir: t.TempDir(), Now: func() time.Time { return wa.Instant(clock.Load()).Time() }, Decode: decode})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	p := imported(t, s, 1, wa.CategoryUtility)
	settle(t, s, wa.Outcome{Message: claim(t, s, wa.ClaimRequest{Campaign: p.Campaign, Limit: 1, Now: received}).Messages[0].Message, Kind: wa.OutcomeRefused, At: received, Code: 131026})
	run := wa.FallbackRun{Campaign: p.Campaign, Key: p.Key, Channels: []string{wa.ChannelSMS}, OrderedAt: received, StartsAt: received + 60_000, ExpiresAt: received + 3_660_000}
	got, err := s.PlanFallback(t.Context(), run, 1, func(c *FallbackCandidate) (FallbackDraft, string) {
		clock.Add(50_000)
		return textTo(c)
	}, false)
	runs, _ := s.FallbackRuns(t.Context())
	if err != nil || len(runs) != 1 || runs[0].StartsAt != received+110_000 || runs[0].ExpiresAt != received+3_710_000 || got.Run.StartsAt != runs[0].StartsAt {
		t.Errorf("%+v, %v; stored %+v", got, err, runs)
	}
}

// What is cancelled while it is being planned stays so, however far the plan had come,
// and nothing of it waits.
func TestFallbackCancelledWhilePlanned(t *testing.T) {
	for _, when := range []int{131026, 131049} { // the second comes when the others have been planned
		s := open(t, t.TempDir())
		p := imported(t, s, 10, wa.CategoryUtility)
		for i, c := range claim(t, s, wa.ClaimRequest{Campaign: p.Campaign, Limit: 10, Now: at(0)}).Messages {
			code := 131026
			if i == 9 {
				code = 131049
			}
			settle(t, s, wa.Outcome{Message: c.Message, Kind: wa.OutcomeRefused, At: at(1), Code: code})
		}
		run := wa.FallbackRun{Campaign: p.Campaign, Key: p.Key, Channels: []string{wa.ChannelSMS}, Codes: []int{131026, 131049}, OrderedAt: at(2), StartsAt: at(2)}
		_, err := s.PlanFallback(t.Context(), run, 100, func(c *FallbackCandidate) (FallbackDraft, string) {
			if c.Code == when {
				if _, err := s.SetFallbackRun(t.Context(), 1, wa.FallbackRunCancelled); err != nil {
					t.Error(err)
				}
			}
			if c.Code == 131049 {
				return FallbackDraft{}, "not this one"
			}
			return textTo(c)
		}, false)
		if !errors.Is(err, ErrPlanCancelled) {
			t.Errorf("cancelled at %d, the plan says: %v", when, err)
		}
		runs, err := s.FallbackRuns(t.Context())
		if err != nil || len(runs) != 1 || runs[0].State != wa.FallbackRunCancelled {
			t.Errorf("%+v, %v", runs, err)
		}
		if counts, err := s.FallbackCounts(t.Context()); err != nil || counts[p.Campaign].Waiting != 0 {
			t.Errorf("%+v, %v", counts, err)
		}
		if again, err := s.PlanFallback(t.Context(), run, 100, textTo, false); err != nil || again.Run.Planned != 10 {
			t.Errorf("ordered again: %+v, %v", again, err)
		}
	}
}

// Whom another channel reaches, or may have reached, WhatsApp does not try again;
// who failed there, too, it does.
func TestNoRetryBesideAFallback(t *testing.T) {
	s := open(t, t.TempDir())
	p, _ := refused(t, s, 4, 131053)
	got := goesOut(t, s, bySMS(p), 3, textTo)
	taken, err := s.ClaimFallback(t.Context(), wa.FallbackClaimRequest{Run: got.Run.ID, Channel: wa.ChannelSMS, Limit: 2, Now: at(3)})
	if err != nil || len(taken.Messages) != 2 {
		t.Fatalf("%+v, %v", taken, err)
	}
	if err := s.SettleFallback(t.Context(), wa.FallbackOutcome{Attempt: taken.Messages[0].Attempt, At: at(4), Answer: wa.FallbackAnswer{Kind: wa.FallbackRejected}}); err != nil {
		t.Fatal(err)
	}
	again, err := s.Retry(t.Context(), p.Campaign, nil, func(Failed) string { return "" }, false)
	if err != nil || again.Queued != 2 || again.LeftOut["is reached by another channel"] != 2 {
		t.Errorf("one failed there, one may have gone out, one waits, one has none: %+v, %v", again, err)
	}
}
