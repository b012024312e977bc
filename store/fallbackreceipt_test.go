package store

import (
	"testing"

	"tickwatch/wa"
)

// Whoever got a campaign's message by another of its WhatsApp messages gets no SMS
// for the one that failed; where it came after the SMS they got both.
func TestFallbackBesideAnotherMessage(t *testing.T) {
	for _, c := range []struct {
		when               string // that the other message arrives
		planned, claimed   int64
		withdrawn, doubled int64
	}{
		{when: "before the plan"},
		{when: "before the claim", planned: 1, withdrawn: 1},
		{when: "before the receipt", planned: 1, claimed: 1, doubled: 1},
		{when: "after the receipt", planned: 1, claimed: 1, doubled: 1},
	} {
		s := open(t, t.TempDir())
		ingest(t, s, statuses(failed("a1", at(0), "autumn:1", 131026), status("b1", wa.StatusSent, at(0), "autumn:2")))
		arrives := func(when string) {
			if when == c.when {
				ingest(t, s, statuses(status("b1", wa.StatusDelivered, at(1), "autumn:2")))
			}
		}
		arrives("before the plan")
		id := campaigns(t, s)["autumn"].ID
		run := wa.FallbackRun{Campaign: id, Key: "autumn", Channels: []string{wa.ChannelSMS}, OrderedAt: at(2), StartsAt: at(2)}
		got, err := s.PlanFallback(t.Context(), run, 100, func(c *FallbackCandidate) (FallbackDraft, string) {
			return FallbackDraft{Channel: wa.ChannelSMS, To: c.Phone, Text: "Hello", Segments: 1, Cost: 45_000}, ""
		}, false)
		if err != nil || got.Run.Planned != c.planned {
			t.Errorf("%s: planned %+v, %v", c.when, got, err)
		}
		arrives("before the claim")
		if _, err := s.SetFallbackRun(t.Context(), got.Run.ID, wa.FallbackRunRunning); err != nil {
			t.Fatal(err)
		}
		taken, err := s.ClaimFallback(t.Context(), wa.FallbackClaimRequest{Run: got.Run.ID, Channel: wa.ChannelSMS, Limit: 10, Now: at(3)})
		if err != nil || int64(len(taken.Messages)) != c.claimed {
			t.Errorf("%s: taken %+v, %v", c.when, taken, err)
		}
		arrives("before the receipt")
		for _, m := range taken.Messages {
			r := wa.FallbackReceipt{Channel: wa.ChannelSMS, Attempt: m.Attempt, At: at(4), State: wa.FallbackDelivered}
			post := &wa.Post{Source: wa.BesideSource(wa.ChannelSMS), ReceivedAt: at(4), Body: []byte("type=1"), Receipts: []wa.FallbackReceipt{r}}
			if err := s.Ingest(t.Context(), post); err != nil {
				t.Fatal(err)
			}
		}
		arrives("after the receipt")
		counts, err := s.FallbackCounts(t.Context())
		if n := counts[id]; err != nil || n.Withdrawn != c.withdrawn || n.DoubleHits != c.doubled {
			t.Errorf("%s: %+v, %v", c.when, n, err)
		}
	}
}

// A STOP from a national number is that of the only person whose number ends so; who
// cannot be told is counted as not understood, and nobody is made up.
func TestStopFromANationalNumber(t *testing.T) {
	s := open(t, t.TempDir())
	other := status("3", wa.StatusDelivered, at(0), "autumn:1")
	other.Phone = "44900000002" // ends as the second does
	ingest(t, s, statuses(status("1", wa.StatusDelivered, at(0), "autumn:1"), status("2", wa.StatusDelivered, at(0), "autumn:1"), other))
	if err := s.Settled(t.Context()); err != nil {
		t.Fatal(err)
	}
	lost := func() (n int64) {
		if err := s.look(t.Context(), func(w *writer) error { n = w.feed.NotUnderstood; return nil }); err != nil {
			t.Fatal(err)
		}
		return n
	}
	for i, c := range []struct {
		from, who string // who = the phone that opted out; "" = nobody
	}{
		{"0900000001", "351900000001"},
		{"0900000002", ""}, // two end so
		{"000000", ""},
		{"900000", ""},
		{"0912345678", ""},
		{"Shop", ""},
	} {
		before := lost()
		if err := s.Ingest(t.Context(), &wa.Post{
			Source: wa.BesideSource(wa.ChannelSMS), ReceivedAt: at(int64(i + 1)), Replies: []wa.Reply{{Channel: wa.ChannelSMS, From: c.from, Text: "STOP", At: at(int64(i + 1))}},
		}); err != nil {
			t.Fatal(err)
		}
		if now := lost(); (now == before) != (c.who != "") {
			t.Errorf("%s: %d are not understood, before %d", c.from, now, before)
		}
		if c.who != "" && whyNot(t, s, c.who, wa.ChannelSMS, false, at(9)) == "" {
			t.Errorf("%s: %s may be written to", c.from, c.who)
		}
	}
	var people int
	if err := s.readers.QueryRow("SELECT count(*) FROM person").Scan(&people); err != nil || people != 3 {
		t.Errorf("%d people, %v", people, err)
	}
}
