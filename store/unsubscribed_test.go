package store

import (
	"fmt"
	"strings"
	"testing"

	"tickwatch/wa"
)

// An address that unsubscribed gets no mail again, whoever's row has it, now or in
// another list, until its person is released; and nobody's address gets two.
func TestAnAddressIsMailedOnceAndNotAgainstItsWish(t *testing.T) {
	s := open(t, t.TempDir())
	address := map[string]string{"name 0": "ana@example.com", "name 1": "Ana@Example.com", "name 2": "bea@example.com", "name 3": "cleo@example.com"}
	mailTo := func(c *FallbackCandidate) (FallbackDraft, string) {
		return FallbackDraft{Channel: wa.ChannelEmail, To: address[c.Values[0]], Text: "Hello", Segments: 1, Cost: 1_000}, ""
	}
	failing := func() wa.Plan {
		p, _ := refused(t, s, 4, 131053)
		return p
	}
	order := func(p wa.Plan, most int64, dry bool) FallbackPlanned {
		t.Helper()
		run := bySMS(p)
		run.Channels = []string{wa.ChannelEmail}
		if !dry {
			return goesOut(t, s, run, most, mailTo)
		}
		got, err := s.PlanFallback(t.Context(), run, most, mailTo, true)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	take := func(run int64) (all []wa.FallbackMessage) {
		t.Helper()
		got, err := s.ClaimFallback(t.Context(), wa.FallbackClaimRequest{
			Run: run, Channel: wa.ChannelEmail, Limit: 10, Now: at(3), Hold: func(phone string) wa.Instant {
				if !strings.HasPrefix(phone, "+35190") {
					t.Errorf("the hours of a mail are asked for %q", phone)
				}
				return 0
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		return got.Messages
	}
	unsubscribe := func(a wa.FallbackAttempt) {
		t.Helper()
		if err := s.Ingest(t.Context(), &wa.Post{
			Source: wa.BesideSource(wa.ChannelEmail), ReceivedAt: at(4), Replies: []wa.Reply{{Channel: wa.ChannelEmail, Attempt: a, At: at(4), OptedOut: true}},
		}); err != nil {
			t.Fatal(err)
		}
	}

	first := failing()
	if dry := order(first, 10, true); dry.Run.Planned != 3 || dry.LeftOut[reasonSameAddress] != 1 {
		t.Errorf("two of four have one address: %+v", dry)
	}
	gone := take(order(first, 10, false).Run.ID)
	if len(gone) != 3 {
		t.Fatalf("taken: %+v", gone)
	}
	if rest := order(first, 10, true); rest.Run.Planned != 0 || rest.LeftOut[reasonSameAddress] != 1 {
		t.Errorf("the fourth has none, but their address has: %+v", rest)
	}

	second := order(failing(), 10, false) // before the word, so that it waits
	if second.Run.Planned != 3 {
		t.Fatalf("%+v", second)
	}
	for _, m := range gone {
		if mailbox(m.To) == "ana@example.com" {
			unsubscribe(m.Attempt)
		}
	}
	address["name 3"] = "ANA@example.com" // who has another number in the next list
	third := failing()
	for range 2 { // also after a restart
		if dry := order(third, 10, true); dry.Run.Planned != 1 || dry.LeftOut[reasonUnsubscribed] == 0 {
			t.Errorf("of four, three have an address that unsubscribed: %+v", dry)
		}
		dir := s.dir
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = open(t, dir)
	}
	for _, m := range take(second.Run.ID) {
		if mailbox(m.To) == "ana@example.com" {
			t.Errorf("%s unsubscribed and is mailed", m.To)
		}
	}
	for phone := range 2 {
		if _, err := s.Release(t.Context(), fmt.Sprintf("+35190%07d", phone), false, []string{wa.RuleOptedOut}); err != nil {
			t.Fatal(err)
		}
	}
	if dry := order(third, 10, true); dry.Run.Planned != 2 {
		t.Errorf("after the release: %+v", dry)
	}
}
