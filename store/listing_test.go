package store

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"tickwatch/wa"
)

// listAll reads all that a filter lets through, page by page.
func listAll(t interface{ Fatalf(string, ...any) }, s *Store, f MessageFilter, limit int) (all []ListedMessage) {
	end, err := s.LastMessage(context.Background())
	if err != nil {
		t.Fatalf("%v", err)
	}
	for after := int64(0); after < end; {
		page, upto, err := s.ListMessages(context.Background(), f, after, end, limit)
		if err != nil || upto <= after || len(page) > limit {
			t.Fatalf("after %d: %d messages up to %d, %v", after, len(page), upto, err)
		}
		all, after = append(all, page...), upto
	}
	return all
}

// Whatever the filter and the size of the pages, what is listed is what a look at
// every message finds.
func TestListMessages(t *testing.T) {
	dir := t.TempDir()
	round := 0
	rapid.Check(t, func(t *rapid.T) {
		round++
		s, err := Open(context.Background(), Options{Dir: fmt.Sprintf("%s/%d", dir, round), Now: received.Time, Decode: decode, Throwaway: true})
		if err != nil {
			t.Fatalf("%v", err)
		}
		defer s.Close()
		for i := range rapid.IntRange(1, 40).Draw(t, "updates") {
			u := status(fmt.Sprint(rapid.IntRange(1, 12).Draw(t, "message")), wa.Status(rapid.IntRange(1, 5).Draw(t, "status")), at(rapid.Int64Range(0, 20).Draw(t, "at")), "")
			u.CallbackData = []string{"x:1", "y:1"}[int(u.MessageID[len(u.MessageID)-1])%2]
			if u.MessageID > "wamid.3" {
				u.Sender = wa.Sender{NumberID: "501", Display: "4915550002"}
			}
			if u.Status == wa.StatusFailed {
				u.Code = rapid.SampledFrom([]int{131026, 131049}).Draw(t, "code")
			}
			p := statuses(u)
			p.ReceivedAt, p.Source = received+wa.Instant(i), "meta"
			keepable(t, p)
			if err := s.Ingest(context.Background(), p); err != nil {
				t.Fatalf("%v", err)
			}
		}
		f := MessageFilter{
			Failed: rapid.Bool().Draw(t, "failed"),
			Codes:  rapid.SliceOfNDistinct(rapid.SampledFrom([]int{131026, 131049}), 0, 2, rapid.ID[int]).Draw(t, "codes"),
			Number: rapid.SampledFrom([]string{"", "501", "+49 1555 0001"}).Draw(t, "number"),
			From:   rapid.SampledFrom([]wa.Instant{0, at(5), at(12)}).Draw(t, "from"),
			To:     rapid.SampledFrom([]wa.Instant{0, at(9), at(15)}).Draw(t, "to"),
		}
		every := listAll(t, s, MessageFilter{}, 100)
		if rapid.Bool().Draw(t, "one campaign") {
			f.Campaign = every[0].CampaignID
		}
		want := slices.DeleteFunc(slices.Clone(every), func(l ListedMessage) bool {
			p := &l.Progress
			failed, clock := p.State() == wa.StateFailed, p.Clock()
			return f.Failed && !failed || len(f.Codes) > 0 && !(failed && slices.Contains(f.Codes, p.Code)) ||
				f.Campaign != 0 && f.Campaign != l.CampaignID || f.Number != "" && f.Number != l.FromID && digits(f.Number) != l.From ||
				f.From != 0 && clock < f.From || f.To != 0 && clock >= f.To
		})
		got := listAll(t, s, f, rapid.IntRange(1, 5).Draw(t, "limit"))
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(ListedMessage{}, Message{}), cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("%+v:\n%s", f, diff)
		}
	})
}

// A gap in the ids, as a crash may leave it, hides nothing behind it.
func TestListMessagesBehindAGap(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	ingest(t, s, statuses(failed("1", at(1), "x:1", 131026)), statuses(failed("2", at(2), "x:2", 131026)))
	_ = s.Close()
	exec(t, dir, fmt.Sprintf("UPDATE message SET id = id + %d WHERE wamid = 'wamid.2'", 5*listingWindow))
	exec(t, dir, fmt.Sprintf("UPDATE failure_text SET message = message + %d WHERE message = 2", 5*listingWindow))
	got := listAll(t, open(t, dir), MessageFilter{Failed: true}, 10)
	if len(got) != 2 || got[1].WAMID != "wamid.2" || got[1].Details != "details of 2" || got[1].Title != "title" {
		t.Errorf("%+v", got)
	}
}

// Of our own campaigns a listing has list, line and attempt; what is not with Meta
// is listed from the queue, and nothing twice.
func TestListOwn(t *testing.T) {
	s := open(t, t.TempDir())
	p := imported(t, s, 6, wa.CategoryUtility)
	claims, err := s.Claim(t.Context(), wa.ClaimRequest{Campaign: p.Campaign, From: sender.NumberID, Limit: 4, Now: received})
	if err != nil || len(claims.Messages) != 4 {
		t.Fatalf("%+v, %v", claims, err)
	}
	c := claims.Messages
	if err := s.Settle(t.Context(),
		wa.Outcome{Message: c[0].Message, Kind: wa.OutcomeAccepted, At: received, Accepted: wa.Accepted{WAMID: "wamid.own"}},
		wa.Outcome{Message: c[1].Message, Kind: wa.OutcomeRefused, At: received, Code: 131053, Details: "refused at once"},
		wa.Outcome{Message: c[2].Message, Kind: wa.OutcomeUnknown},
	); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Retry(t.Context(), p.Campaign, nil, func(Failed) string { return "" }, false); err != nil {
		t.Fatal(err)
	}
	messages := listAll(t, s, MessageFilter{Campaign: p.Campaign}, 1)
	if len(messages) != 2 {
		t.Fatalf("%+v", messages)
	}
	for i, l := range messages {
		if l.Listed != c[i].Phone && "+"+l.Listed != c[i].Phone || l.Attempt != 1 || l.Line == 0 || string(l.Values) != fmt.Sprintf("[%q]", c[i].Values[0]) {
			t.Errorf("%+v, want %+v", l, c[i])
		}
	}
	if r := messages[1].Rejected(); !r.Refused || r.Code != 131053 || r.Details != "refused at once" || r.At != received || r.FromID != sender.NumberID {
		t.Errorf("%+v", r)
	}
	queue := func() (states []string) {
		t.Helper()
		last, err := s.LastRecipient(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for after := int64(0); after < last; {
			page, upto, err := s.ListRecipients(t.Context(), p.Campaign, after, last, 2)
			if err != nil || upto <= after {
				t.Fatal(upto, err)
			}
			for _, l := range page {
				states = append(states, fmt.Sprint(l.State, " ", l.Attempt))
			}
			after = upto
		}
		slices.Sort(states)
		return states
	}
	if diff := cmp.Diff([]string{"going out 1", "may have gone out 1", "waiting 1", "waiting 1", "waiting 2"}, queue()); diff != "" {
		t.Error(diff)
	}
	again, err := s.Claim(t.Context(), wa.ClaimRequest{Campaign: p.Campaign, From: sender.NumberID, Limit: 1, Now: received})
	if err != nil || len(again.Messages) != 1 {
		t.Fatal(again, err)
	}
	if err := s.Settle(t.Context(), wa.Outcome{Message: again.Messages[0].Message, Kind: wa.OutcomeRefused, At: received, Code: 131053}); err != nil {
		t.Fatal(err)
	}
	if all := listAll(t, s, MessageFilter{Failed: true}, 10); len(all) != 2 || all[1].Attempt != 2 || all[1].Listed != all[0].Listed {
		t.Errorf("the second attempt: %+v", all)
	}
	if _, err := s.CancelRest(t.Context(), p.Campaign); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"cancelled 1", "cancelled 1", "going out 1", "may have gone out 1"}, queue()); diff != "" {
		t.Error(diff)
	}
}

// What is gathered of people is what a look at all of their messages finds,
// whatever the ranges.
func TestContacts(t *testing.T) {
	s := open(t, t.TempDir())
	codes := []int{131026, 131049, 132000, 999999}
	for i := range 400 {
		id := fmt.Sprint(i)
		u := status(id, wa.StatusSent, at(int64(i)), "x:1")
		u.Phone = fmt.Sprintf("351900000%03d", i%37)
		ingest(t, s, statuses(u))
		switch {
		case i%37 < 12:
			u.Status, u.At, u.Code = wa.StatusFailed, at(int64(i+1)), codes[i%37%4]
		case i%3 == 0:
			u.Status, u.At = wa.StatusDelivered, at(int64(i+2))
		default:
			continue
		}
		ingest(t, s, statuses(u))
	}
	stop := inboundStop("in.1", "351900000005", at(900))
	ingest(t, s, &wa.Post{Inbound: []wa.InboundMessage{stop}})

	want := map[string]*Contact{}
	for _, l := range listAll(t, s, MessageFilter{}, 50) {
		c := want[l.Phone]
		if c == nil {
			c = &Contact{Person: l.person, Phone: l.Phone, First: l.Progress.Clock()}
			want[l.Phone] = c
		}
		c.Tries++
		c.First, c.Wrote = min(c.First, l.Progress.Clock()), max(c.Wrote, l.Progress.Clock())
		c.Arrived = max(c.Arrived, l.Progress.ArrivedAt())
		if l.Progress.State() == wa.StateFailed {
			c.Failed, c.Code = c.Failed+1, l.Progress.Code
			c.OfNumber, c.Withheld, c.OfNeither = c.Code == 131026 || c.Code == 999999, c.Code == 131049, c.Code == 132000
		}
	}
	want["351900000005"].Replied, want["351900000005"].OptedOut = at(900), true

	last, err := s.LastPerson(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	end, _ := s.LastMessage(t.Context())
	got := map[string]*Contact{}
	for after := int64(0); after < last; {
		c := s.Contacts(after, after+min(last-after, 10), end) // ranges of ten
		for done := false; !done; {
			if done, err = c.Read(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		for after < c.Last() {
			page, upto, err := c.Next(t.Context(), after, 3, func(*Contact) bool { return true })
			if err != nil || len(page) > 3 {
				t.Fatal(page, err)
			}
			for i := range page {
				if got[page[i].Phone] != nil {
					t.Errorf("%s twice", page[i].Phone)
				}
				got[page[i].Phone] = &page[i]
			}
			after = upto
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
