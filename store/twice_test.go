package store

import (
	"maps"
	"sync"
	"testing"

	"tickwatch/wa"
)

// A number that was refused once is known as a person. When Meta later says that it
// is someone known under another number, the two are one: who opts out under the
// other is not written to under this one.
func TestRefusedThenKnownUnderAnotherNumber(t *testing.T) {
	s := open(t, t.TempDir())
	p := imported(t, s, 1, wa.CategoryUtility)
	c := claim(t, s, wa.ClaimRequest{Campaign: p.Campaign, Limit: 1, Now: at(0)}).Messages[0]
	settle(t, s, wa.Outcome{Message: c.Message, Kind: wa.OutcomeRefused, At: at(1), Code: 131053})
	p = imported(t, s, 1, wa.CategoryUtility)
	c = claim(t, s, wa.ClaimRequest{Campaign: p.Campaign, Limit: 1, Now: at(2)}).Messages[0]
	settle(t, s, wa.Outcome{Message: c.Message, Kind: wa.OutcomeAccepted, At: at(3), Accepted: wa.Accepted{
		WAMID: "wamid.1", Person: wa.Person{Phone: "5511900000000", BSUID: "BR.1"},
	}})
	in := wa.InboundMessage{Sender: sender, MessageID: "in.1", At: at(4), Type: "text", Text: "STOP"}
	in.Phone = "5511900000000"
	ingest(t, s, &wa.Post{Inbound: []wa.InboundMessage{in}})
	q := imported(t, s, 1, wa.CategoryUtility)
	if got := claim(t, s, wa.ClaimRequest{Campaign: q.Campaign, Limit: 1, Now: at(5)}); len(got.Messages) != 0 {
		t.Errorf("written to: %+v", got)
	}
	checkBooks(t, s)
}

// A list that has one person under two numbers sends them one message.
func TestOnePersonUnderTwoNumbers(t *testing.T) {
	for _, first := range []string{"listed", "known"} {
		t.Run(first, func(t *testing.T) {
			s := open(t, t.TempDir())
			p := imported(t, s, 1, wa.CategoryUtility)
			c := claim(t, s, wa.ClaimRequest{Campaign: p.Campaign, Limit: 1, Now: at(0)}).Messages[0]
			known := "+5511900000000"
			accept := func(c wa.Claimed, wamid string) {
				settle(t, s, wa.Outcome{Message: c.Message, Kind: wa.OutcomeAccepted, At: at(1), Accepted: wa.Accepted{
					WAMID: wamid, Person: wa.Person{Phone: known},
				}})
			}
			accept(c, "wamid.1")
			i, err := s.Import(autumnPlan(wa.CategoryUtility), true)
			if err != nil {
				t.Fatal(err)
			}
			phones := []string{c.Phone, known}
			if first == "known" {
				phones = []string{known, c.Phone}
			}
			for _, phone := range phones {
				if err := i.Add(Recipient{Phone: phone, Values: []string{"Ana"}}); err != nil {
					t.Fatal(err)
				}
			}
			q, err := i.Finish(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			q.State = wa.PlanRunning
			if err := s.SavePlan(t.Context(), q); err != nil {
				t.Fatal(err)
			}
			got := claim(t, s, wa.ClaimRequest{Campaign: q.Campaign, Limit: 1, Now: at(2)}).Messages
			if len(got) != 1 || got[0].Phone != phones[0] {
				t.Fatalf("%+v", got)
			}
			accept(got[0], "wamid.2")
			if again := claim(t, s, wa.ClaimRequest{Campaign: q.Campaign, Limit: 1, Now: at(3)}).Messages; len(again) != 0 {
				t.Errorf("a second message to one person: %+v", again)
			}
			if n := campaigns(t, s)[q.Key].Counts; n != (Counts{Messages: 1, Cancelled: 1}) {
				t.Errorf("%+v", n)
			}
			checkBooks(t, s)
		})
	}
}

// The operator takes a send for not sent, wrongly, and its message goes out once
// more. What the webhook tells of the first holds whatever comes of the second: it
// does not go out a third time.
func TestWrongWordOfTheOperator(t *testing.T) {
	for _, meanwhile := range []string{"comes back", "unknown too", "opts out"} {
		t.Run(meanwhile, func(t *testing.T) {
			s := open(t, t.TempDir())
			p := imported(t, s, 1, wa.CategoryUtility)
			next := func(now wa.Instant) []wa.Claimed {
				return claim(t, s, wa.ClaimRequest{Campaign: p.Campaign, Limit: 1, Now: now}).Messages
			}
			mayHaveGone := func(c wa.Claimed) {
				settle(t, s, wa.Outcome{Message: c.Message, Kind: wa.OutcomeUnknown, At: at(1)})
			}
			notSent := func() {
				if n, err := s.Resolve(t.Context(), p.Campaign, false); n != 1 || err != nil {
					t.Fatalf("%d resolved, %v", n, err)
				}
			}
			first := next(at(0))[0]
			mayHaveGone(first)
			notSent()
			told := func() {
				u := wa.StatusUpdate{Sender: sender, MessageID: "wamid.1", At: at(1), CallbackData: first.Data, Status: wa.StatusSent}
				u.Phone = digits(first.Phone)
				ingest(t, s, statuses(u))
			}
			switch meanwhile {
			case "comes back":
				second := next(at(2))[0]
				told()
				settle(t, s, wa.Outcome{Message: second.Message, Kind: wa.OutcomeAgain, At: at(3)})
			case "unknown too":
				second := next(at(2))[0]
				mayHaveGone(second)
				told()
				_ = s.Close()
				s = open(t, s.dir)
				notSent()
			case "opts out":
				in := wa.InboundMessage{Sender: sender, MessageID: "in.1", At: at(2), Type: "text", Text: "STOP"}
				in.Phone = digits(first.Phone)
				ingest(t, s, &wa.Post{Inbound: []wa.InboundMessage{in}})
				if got := next(at(2)); len(got) != 0 {
					t.Fatalf("written to: %+v", got)
				}
				told()
			}
			if got := next(at(4)); len(got) != 0 {
				t.Errorf("it goes out again: %+v", got)
			}
			if n := campaigns(t, s)[p.Key].Counts; n.Waiting+n.Claimed+n.Cancelled+n.Unknown != 0 || n.Messages != 1 {
				t.Errorf("%+v", n)
			}
			checkBooks(t, s)
		})
	}
}

// The monitor is told of messages that failed after Meta had taken them, once each,
// and not of those that Meta refused at once: the queue has judged these.
func TestWhatFailedLater(t *testing.T) {
	s := open(t, t.TempDir())
	p := imported(t, s, 2, wa.CategoryUtility)
	var mu sync.Mutex
	told := map[int]int64{}
	s.OnCommit(func(c *Change) {
		mu.Lock()
		defer mu.Unlock()
		for _, cc := range c.Campaigns {
			for code, n := range cc.Failed {
				told[code] += n
			}
		}
	})
	got := claim(t, s, wa.ClaimRequest{Campaign: p.Campaign, Limit: 2, Now: at(0)}).Messages
	settle(t, s, wa.Outcome{Message: got[0].Message, Kind: wa.OutcomeRefused, At: at(1), Code: 132000},
		wa.Outcome{Message: got[1].Message, Kind: wa.OutcomeAccepted, At: at(1), Accepted: wa.Accepted{WAMID: "wamid.1"}})
	for range 2 {
		u := failed("1", at(3), got[1].Data, 132015)
		u.MessageID = "wamid.1"
		ingest(t, s, statuses(u))
	}
	mu.Lock()
	defer mu.Unlock()
	if want := map[int]int64{132015: 1}; !maps.Equal(told, want) {
		t.Errorf("%v", told)
	}
}
