package store

import (
	"context"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"tickwatch/wa"
)

func poll(t *testing.T, s *Store, p wa.Poll) {
	t.Helper()
	p.Account = sender.AccountID
	if err := s.Poll(context.Background(), &p); err != nil {
		t.Fatal(err)
	}
}

// changesOf is the history that polls made, the oldest first.
func changesOf(t *testing.T, s *Store) (out []string) {
	t.Helper()
	all, err := s.Notices(t.Context(), 100, nil, NoticePolled)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range all {
		c := n.News.(wa.Changed)
		out = append([]string{fmt.Sprintf("%s%s%s %s: %q, was %q", c.Display, c.Name, c.Entity, c.What, c.Is, c.Was)}, out...)
	}
	return out
}

// A poll and webhooks tell of the same things: the newest word wins, each change is
// one entry of the history, and the next daemon and a recording know it all.
func TestPolls(t *testing.T) {
	const id = 1<<53 + 1
	dir := t.TempDir()
	s := open(t, dir)
	green := wa.PolledNumber{ID: sender.NumberID, Display: sender.Display, Quality: "GREEN", Status: "CONNECTED", Limit: "TIER_10K", Throughput: 80}
	red := green
	red.Quality, red.Limit = "RED", "" // that it may not be asked for says nothing
	ingest(t, s, &wa.Post{Templates: []wa.TemplateUpdate{{ID: id, Name: "autumn", Language: "pt-PT", Event: "APPROVED", At: at(0)}}})
	poll(t, s, wa.Poll{At: at(100), Numbers: []wa.PolledNumber{green}, Health: []wa.HealthEntity{{Type: wa.HealthOfAccount, ID: "4", CanSend: wa.CanSend}}})
	poll(t, s, wa.Poll{At: at(200), Numbers: []wa.PolledNumber{green}})
	poll(t, s, wa.Poll{
		At: at(300), Numbers: []wa.PolledNumber{red}, Templates: []wa.PolledTemplate{{ID: id, Status: "PAUSED", Quality: "RED", Category: "MARKETING"}},
		Health: []wa.HealthEntity{{Type: wa.HealthOfAccount, ID: "4", CanSend: wa.CannotSend, Errors: []wa.HealthError{{Code: 141006, Description: "Payment", Solution: "Pay"}}}},
	})
	ingest(t, s,
		// Late: the poll of 300 has confirmed that the number is connected and the limit of 200.
		&wa.Post{Numbers: []wa.NumberUpdate{{Display: sender.Display, Event: "FLAGGED", Limit: "TIER_2K", At: at(150)}}},
		// So close to a poll that it is believed, and with the pause's name.
		&wa.Post{Templates: []wa.TemplateUpdate{{ID: id, Event: "PAUSED", InfoTitle: "FIRST_PAUSE", At: at(299)}}})
	poll(t, s, wa.Poll{At: at(600), Templates: []wa.PolledTemplate{{ID: id, Status: "PAUSED", Quality: "RED", Category: "MARKETING"}}})

	check := func(s *Store) {
		t.Helper()
		st, err := s.Load(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		number := wa.Number{ID: sender.NumberID, Display: sender.Display, Quality: "RED", Status: "CONNECTED", Limit: "TIER_10K", Throughput: 80, Since: at(295), StatusAt: at(295), QualityAt: at(295), LimitAt: at(195)}
		if diff := cmp.Diff([]wa.Number{number}, st.Numbers); diff != "" {
			t.Errorf("number (-want +got)\n%s", diff)
		}
		template := wa.Template{ID: id, Name: "autumn", Language: "pt_PT", Category: "MARKETING", Status: "PAUSED", Reason: "FIRST_PAUSE", Quality: "RED", PausedUntil: at(299 + 3*3600)}
		if diff := cmp.Diff([]wa.Template{template}, st.Templates, cmpopts.IgnoreFields(wa.Template{}, "Since", "StatusAt", "QualityAt", "CategoryAt")); diff != "" {
			t.Errorf("template (-want +got)\n%s", diff)
		}
		if len(st.Health) != 1 || st.Health[0].CanSend != wa.CannotSend || st.Health[0].Errors[0].Solution != "Pay" || st.Health[0].Since != at(295) {
			t.Errorf("health %+v", st.Health)
		}
		want := []string{
			`4915550001 quality: "GREEN", was ""`, `4915550001 status: "CONNECTED", was ""`, `4915550001 limit: "TIER_10K", was ""`, `4915550001 throughput: "80", was ""`,
			`4915550001 quality: "RED", was "GREEN"`,
			`autumn quality: "RED", was ""`, `autumn status: "PAUSED", was "APPROVED"`, `autumn category: "MARKETING", was ""`,
			`WABA health: "BLOCKED", was "AVAILABLE"`,
		}
		if diff := cmp.Diff(want, changesOf(t, s)); diff != "" {
			t.Errorf("history (-want +got)\n%s", diff)
		}
	}
	check(s)
	_ = s.Close()
	s = open(t, dir)
	check(s)
}

// A recording's polls do the same again, those of an older tickwatch too.
func TestRedoPolls(t *testing.T) {
	s := open(t, t.TempDir())
	for _, d := range []*Deed{
		{Kind: DeedPolled, Numbers: []DeedNumber{{ID: sender.NumberID, Display: sender.Display, Quality: "GREEN", Since: at(100)}}},
		{Kind: DeedPolled, Poll: &wa.Poll{At: at(200), Numbers: []wa.PolledNumber{{ID: sender.NumberID, Quality: "YELLOW"}}}},
	} {
		if err := s.Redo(t.Context(), at(200), d); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{`4915550001 quality: "GREEN", was ""`, `4915550001 quality: "YELLOW", was "GREEN"`}
	if diff := cmp.Diff(want, changesOf(t, s)); diff != "" {
		t.Error(diff)
	}
	if last, err := s.LastDeed(t.Context()); err != nil || last != 2 {
		t.Errorf("%d deeds, %v", last, err)
	}
}

// Of the limit counts who was written to within a day, each person once, and not
// those who wrote first, nor those whom nothing reached.
func TestUsage(t *testing.T) {
	s := open(t, t.TempDir())
	hour := func(h int64) wa.Instant { return received - 3_600_000*wa.Instant(h) }
	wrote := func(id, phone string, when wa.Instant) *wa.Post {
		m := wa.InboundMessage{Sender: sender, MessageID: id, Type: "text", Text: "ola", At: when}
		m.Phone = phone
		return &wa.Post{Inbound: []wa.InboundMessage{m}}
	}
	ingest(t, s,
		statuses(status("1", wa.StatusSent, hour(30), "old:1")), // yesterday
		wrote("in2", "351900000002", hour(20)),
		wrote("in3", "351900000003", hour(40)),
		statuses(
			status("2", wa.StatusDelivered, hour(3), "autumn:2"), // their conversation was open
			status("3", wa.StatusDelivered, hour(3), "autumn:3"), // it was not any more
			status("4", wa.StatusSent, hour(2), "autumn:4"),
			status("a4", wa.StatusSent, hour(1), "winter:4"), // the same person again
			failed("5", hour(2), "autumn:5", 131026),
		),
		wrote("in4", "351900000004", hour(1)/1000*1000+1000), // afterwards
	)
	if err := s.Settled(t.Context()); err != nil {
		t.Fatal(err)
	}
	got, err := s.Usage(t.Context(), received)
	if err != nil || len(got) != 1 || got[0].People != 2 || got[0].Account != sender.AccountID || len(got[0].Numbers) != 1 {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err = s.Usage(t.Context(), received+day); err != nil || got[0].People != 0 {
		t.Errorf("a day later %+v, %v", got, err)
	}
}
