package store

import (
	"context"
	"fmt"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"tickwatch/wa"
)

func wrote(id, person, kind, text string, when wa.Instant, replyTo string) wa.InboundMessage {
	m := wa.InboundMessage{Sender: sender, MessageID: "wamid.IN" + id, Type: kind, Text: text, At: when}
	m.Phone = status(person, 0, 0, "").Phone
	if replyTo != "" {
		m.ReplyTo = "wamid." + replyTo
	}
	return m
}

// answer is a status of a message from the help desk to a person.
func answer(id, person string, s wa.Status, when wa.Instant) wa.StatusUpdate {
	u := status(person, s, when, "")
	u.MessageID = "wamid.A" + id
	u.Pricing.Category = "service"
	return u
}

func echoTo(person string, when wa.Instant) wa.Echo {
	e := wa.Echo{Sender: sender, MessageID: fmt.Sprint("wamid.E", when), Type: "text", At: when}
	e.Phone = status(person, 0, 0, "").Phone
	return e
}

func inboundPosts(all ...wa.InboundMessage) *wa.Post { return &wa.Post{Inbound: all} }

func engagementOf(t interface {
	Helper()
	Fatalf(string, ...any)
}, s *Store, key string,
) *Engagement {
	t.Helper()
	var id int64
	if err := s.readers.QueryRow("SELECT id FROM campaign WHERE key = ?", key).Scan(&id); err != nil {
		t.Fatalf("%v", err)
	}
	e, err := s.Engagement(context.Background(), id)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return e
}

// People who write are answered by messages of the help desk, which are in no
// campaign: the first one counts, by whichever way it shows.
func TestAnswers(t *testing.T) {
	s := open(t, t.TempDir())
	marketing := status("3", wa.StatusSent, at(130), "")
	marketing.MessageID, marketing.Pricing.Category = "wamid.M3", "marketing"
	undelivered := answer("4", "4", wa.StatusFailed, at(140))
	undelivered.Code = 131026
	ingest(t, s,
		statuses(status("1", wa.StatusRead, at(0), "autumn:1"), status("2", wa.StatusDelivered, at(0), "autumn:2"), status("3", wa.StatusDelivered, at(0), "autumn:3"),
			status("4", wa.StatusDelivered, at(0), "autumn:4"), status("5", wa.StatusDelivered, at(0), "autumn:5")),
		inboundPosts(
			wrote("1", "1", "button", "Tell me more", at(100), "1"), wrote("1b", "1", "text", "hello?", at(110), ""), // one wait
			wrote("2", "2", "text", "how much?", at(100), ""),
			wrote("3", "3", "text", "thanks", at(120), ""),
			wrote("4", "4", "button", "Tell me more", at(125), "4"),
			wrote("5", "5", "text", "STOP", at(100), ""), wrote("5b", "5", "reaction", "👎", at(101), "5"), // wait for nothing
		),
		statuses(answer("1", "1", wa.StatusSent, at(160)), answer("1", "1", wa.StatusDelivered, at(162))),
		&wa.Post{Echoes: []wa.Echo{echoTo("2", at(120))}},
		statuses(marketing, undelivered),
		inboundPosts(wrote("1c", "1", "text", "and the price?", at(200), "A1")), // goes on with the same conversation
		statuses(answer("1c", "1", wa.StatusSent, at(300))),
	)
	want := &Engagement{
		Inbound: 8, People: 5, Asked: 4, Answered: 2, Waiting: 2, Oldest: at(120),
		FirstP50: 20_000, FirstP95: 60_000, Mean: (60_000 + 20_000 + 100_000) / 3,
		Steps: []Step{{wa.StepReply, "", 4}, {wa.StepButton, "Tell me more", 2}, {wa.StepReaction, "", 1}},
	}
	for range 2 {
		if diff := cmp.Diff(want, engagementOf(t, s, "autumn")); diff != "" {
			t.Error(diff)
		}
		if got := campaigns(t, s)["autumn"].Counts.Messages; got != 5 {
			t.Errorf("%d messages of the campaign: what the help desk writes is none of it", got)
		}
		checkBooks(t, s)
		_ = s.Close()
		s = open(t, s.dir)
	}
	// It is known after a restart who wrote; and what is deleted counts no more.
	ingest(t, s, statuses(answer("4b", "4", wa.StatusRead, at(400))), &wa.Post{Deletions: []wa.Deletion{{Sender: sender, MessageID: "wamid.IN3", At: at(500)}}})
	if e := engagementOf(t, s, "autumn"); e.Answered != 3 || e.Waiting != 0 || e.People != 4 || e.Inbound != 7 {
		t.Errorf("%+v", e)
	}
	checkBooks(t, s)
}

// Who asks to be left alone after the help desk has answered them leaves the campaign
// that they got, not the conversation.
func TestOptOutAfterAnAnswer(t *testing.T) {
	s := open(t, t.TempDir())
	ingest(t, s, statuses(status("1", wa.StatusRead, at(0), "autumn:1")), inboundPosts(wrote("1", "1", "text", "who is this?", at(100), "")),
		statuses(answer("1", "1", wa.StatusDelivered, at(160))), inboundPosts(wrote("1b", "1", "text", "STOP", at(200), "A1")),
		statuses(status("2", wa.StatusRead, at(0), "autumn:2")), inboundPosts(wrote("2", "2", "text", "who is this?", at(100), "")),
		statuses(answer("2", "2", wa.StatusDelivered, at(160))), inboundPosts(wrote("2b", "2", "text", "STOP", at(200), "")))
	if got := campaigns(t, s)["autumn"].Counts.OptOuts; got != 2 {
		t.Errorf("%d opt-outs of the campaign, want 2", got)
	}
	checkBooks(t, s)
}

// An answer that comes a day late answers nothing, nor does one from another number.
func TestNoAnswers(t *testing.T) {
	s := open(t, t.TempDir())
	other := answer("2", "1", wa.StatusSent, at(50))
	other.NumberID, other.Display = "500100200300409", "4915550009"
	ingest(t, s,
		statuses(status("1", wa.StatusDelivered, at(-100_000), "autumn:1"), status("2", wa.StatusDelivered, at(-100_000), "autumn:2")),
		inboundPosts(wrote("1", "1", "text", "hello", at(-90_000), "")),
		statuses(answer("1", "1", wa.StatusSent, at(-90_000+24*3600+1)), other))
	if e := engagementOf(t, s, "autumn"); e.Answered != 0 || e.Waiting != 1 || e.Oldest != at(-90_000) {
		t.Errorf("%+v", e)
	}
}

// Two names that prove to be one person's bring together what was asked and what
// was answered.
func TestAnswerToAnotherName(t *testing.T) {
	s := open(t, t.TempDir())
	campaign := status("1", wa.StatusDelivered, at(0), "autumn:1")
	in := wrote("1", "1", "text", "hello", at(10), "")
	reply := answer("1", "1", wa.StatusSent, at(30))
	reply.Phone, reply.BSUID = "", "PT.1"
	ingest(t, s, statuses(campaign), inboundPosts(in), statuses(reply))
	if e := engagementOf(t, s, "autumn"); e.Answered != 0 {
		t.Fatalf("nobody knows yet who PT.1 is: %+v", e)
	}
	both := status("1", wa.StatusRead, at(40), "autumn:1")
	both.BSUID = "PT.1"
	ingest(t, s, statuses(both))
	if e := engagementOf(t, s, "autumn"); e.Answered != 1 || e.FirstP50 != 20_000 {
		t.Errorf("%+v", e)
	}
	checkBooks(t, s)
}

// In whatever order statuses, messages and echoes come, repeated or not, with a
// restart among them or not, the same is known in the end.
func TestAnswersInAnyOrder(t *testing.T) {
	utility := status("2", wa.StatusDelivered, at(41), "")
	utility.MessageID = "wamid.U2"
	priced := utility
	priced.Status, priced.At, priced.Pricing.Category = wa.StatusSent, at(40), "utility"
	late := answer("late", "3", wa.StatusSent, at(35))
	late.Pricing.Category = ""
	keyed := late
	keyed.Status, keyed.At, keyed.CallbackData = wa.StatusDelivered, at(36), "winter:1"
	events := []*wa.Post{
		statuses(status("1", wa.StatusSent, at(0), "autumn:1")), statuses(status("1", wa.StatusRead, at(3), "autumn:1")),
		statuses(status("2", wa.StatusDelivered, at(2), "autumn:2")), statuses(status("3", wa.StatusDelivered, at(2), "autumn:3")),
		inboundPosts(wrote("1", "1", "button", "More", at(10), "1")), inboundPosts(wrote("2", "1", "text", "hi", at(12), "")),
		inboundPosts(wrote("3", "2", "text", "hi", at(20), "")), inboundPosts(wrote("4", "3", "reaction", "👍", at(25), "3")),
		inboundPosts(wrote("5", "3", "text", "hi", at(30), "")), inboundPosts(wrote("6", "1", "text", "oh", at(60), "A1")),
		inboundPosts(wrote("7", "2", "text", "gone", at(70), "")),
		statuses(answer("1", "1", wa.StatusDelivered, at(17))), statuses(answer("1", "1", wa.StatusSent, at(15))),
		statuses(answer("2", "1", wa.StatusRead, at(90))),
		statuses(utility), statuses(priced), // a template that answers nothing
		statuses(late), statuses(keyed), // nor does a message that proves to be a campaign's
		statuses(status("4", wa.StatusSent, at(34), "winter:2")),
		{Echoes: []wa.Echo{echoTo("3", at(55))}},
		{Echoes: []wa.Echo{echoTo("3", at(28))}},
		{Deletions: []wa.Deletion{{Sender: sender, MessageID: "wamid.IN7", At: at(80)}}},
	}
	reference := open(t, t.TempDir())
	ingest(t, reference, events...)
	want, wantRows := engagementOf(t, reference, "autumn"), writtenRows(t, reference)
	if want.Answered != 2 || want.Waiting != 1 || want.People != 3 {
		t.Fatalf("in order: %+v", want)
	}
	rapid.Check(t, func(rt *rapid.T) {
		order := rapid.Permutation(events).Draw(rt, "order")
		order = append(order, rapid.SliceOfN(rapid.SampledFrom(events), 0, 4).Draw(rt, "again")...)
		restart := rapid.IntRange(0, len(order)).Draw(rt, "restart")
		dir, err := os.MkdirTemp("", "tickwatch-test-")
		if err != nil {
			rt.Fatalf("%v", err)
		}
		defer func() { _ = os.RemoveAll(dir) }()
		o := Options{Dir: dir, Now: received.Time, Decode: decode}
		s, err := Open(context.Background(), o)
		if err != nil {
			rt.Fatalf("%v", err)
		}
		defer func() { _ = s.Close() }()
		for i, p := range order {
			if i == restart {
				_ = s.Close()
				if s, err = Open(context.Background(), o); err != nil {
					rt.Fatalf("%v", err)
				}
			}
			if err := s.Ingest(context.Background(), p); err != nil {
				rt.Fatalf("%v", err)
			}
		}
		if diff := cmp.Diff(want, engagementOf(rt, s, "autumn")); diff != "" {
			rt.Fatalf("%s", diff)
		}
		if diff := cmp.Diff(wantRows, writtenRows(rt, s)); diff != "" {
			rt.Fatalf("%s", diff)
		}
		checkBooks(rt, s)
	})
}

// writtenRows are all inbound messages: whose campaign, and when answered.
func writtenRows(t interface{ Fatalf(string, ...any) }, s *Store) []string {
	rows, err := query(context.Background(), s.readers, func(s scanner) (string, error) {
		var wamid, campaign, step string
		var at wa.Instant
		err := s.Scan(&wamid, &campaign, &step, &at)
		return fmt.Sprint(wamid, " ", campaign, " ", step, " ", at), err
	}, `SELECT wamid, coalesce((SELECT iif(kind = 'run', 'run', key) FROM campaign WHERE id = inbound.campaign), ''), step, answered_at FROM inbound ORDER BY wamid`)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return rows
}

// What tickwatch sends itself is told apart by template: what the rest went out with
// after a swap is answered for itself.
func TestEngagementByTemplate(t *testing.T) {
	s := open(t, t.TempDir())
	p := imported(t, s, 4, wa.CategoryUtility)
	var phones []string
	send := func(id string) {
		claims, err := s.Claim(t.Context(), wa.ClaimRequest{Campaign: p.Campaign, From: sender.NumberID, Limit: 2, Now: at(0)})
		if err != nil || len(claims.Messages) != 2 {
			t.Fatalf("%+v, %v", claims, err)
		}
		for i, c := range claims.Messages {
			phones = append(phones, c.Phone[1:])
			accepted := wa.Accepted{WAMID: fmt.Sprint("wamid.", id, i), Person: wa.Person{Phone: c.Phone[1:]}}
			if err := s.Settle(t.Context(), wa.Outcome{Message: c.Message, Kind: wa.OutcomeAccepted, At: at(0), Accepted: accepted}); err != nil {
				t.Fatal(err)
			}
		}
	}
	send("first")
	p.Form.ID, p.Form.Name = 8, "winter_offer"
	if err := s.SavePlan(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	send("second")
	in := []wa.InboundMessage{wrote("1", "1", "button", "More", at(10), "first0"), wrote("2", "1", "text", "hi", at(10), ""), wrote("3", "1", "button", "Less", at(10), "second0")}
	in[0].Phone, in[1].Phone, in[2].Phone = phones[0], phones[1], phones[2]
	reply := answer("1", "1", wa.StatusSent, at(40))
	reply.Phone = phones[2]
	ingest(t, s, inboundPosts(in...), statuses(reply))
	e, err := s.Engagement(t.Context(), p.Campaign)
	if err != nil {
		t.Fatal(err)
	}
	want := map[int64]*Engagement{
		7: {Inbound: 2, People: 2, Asked: 2, Waiting: 2, Oldest: at(10), Steps: []Step{{wa.StepButton, "More", 1}, {wa.StepReply, "", 1}}},
		8: {Inbound: 1, People: 1, Asked: 1, Answered: 1, FirstP50: 30_000, FirstP95: 30_000, Mean: 30_000, Steps: []Step{{wa.StepButton, "Less", 1}}},
	}
	if diff := cmp.Diff(want, e.Templates); diff != "" || e.People != 3 || e.Waiting != 2 {
		t.Errorf("%+v\n%s", e, diff)
	}
}
