package sandbox

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"tickwatch/wa"
)

func TestEverythingThatHappensIsTold(t *testing.T) {
	rc := newReceiver(t, nil)
	b := play(t, Options{Scenario: "optouts", Seed: 7, Speed: fast, Rate: 5, Messages: 2500}, rc)

	repeated := rc.check(b)
	if repeated == 0 || repeated > b.Repeated {
		t.Errorf("%d statuses came again, the books have %d repetitions", repeated, b.Repeated)
	}
	if share := float64(b.Repeated) / float64(b.Updates); share < 0.005 || share > 0.02 {
		t.Errorf("%.4f of the updates were repeated, about 0.01 should be", share)
	}
	if rc.disorder == 0 {
		t.Error("no status overtook another")
	}
	if len(rc.sizes) < 5 || rc.entries < 2 {
		t.Errorf("batches of sizes %v, at most %d entries: too regular", rc.sizes, rc.entries)
	}
	if rc.mostOpen > inFlight || rc.mostOpen < 2 {
		t.Errorf("%d deliveries at once, want several and at most %d", rc.mostOpen, inFlight)
	}
	for _, a := range b.Attempts {
		if a.Try != 1 || a.Answer != http.StatusOK {
			t.Errorf("attempt %+v: a receiver that answers 200 is told once", a)
			break
		}
	}
	checkOptOuts(t, rc, b)
}

// checkOptOuts reads the three kinds of opt-out off the webhooks.
func checkOptOuts(t *testing.T, rc *receiver, b Books) {
	t.Helper()
	people := map[string]map[string]bool{"reply": {}, "button": {}, "preference": {}}
	for _, v := range rc.fields[fieldMessages] {
		messages, _ := v.(map[string]any)["messages"].([]any)
		for _, m := range messages {
			m := m.(map[string]any)
			in := wa.InboundMessage{Type: m["type"].(string)}
			kind := "reply"
			if button, ok := m["button"].(map[string]any); ok {
				kind, in.Payload, in.Text = "button", button["payload"].(string), button["text"].(string)
				if id := m["context"].(map[string]any)["id"].(string); rc.told[id] == nil {
					t.Errorf("a button answers %q, which is no message of ours", id)
				}
			} else {
				in.Text = m["text"].(map[string]any)["body"].(string)
			}
			if in.OptsOut() {
				people[kind][m["from"].(string)] = true
			}
		}
	}
	for _, v := range rc.fields[fieldPreferences] {
		for _, p := range v.(map[string]any)["user_preferences"].([]any) {
			people["preference"][p.(map[string]any)["wa_id"].(string)] = true
		}
	}
	want := map[string]map[string]bool{"reply": {}, "button": {}, "preference": {}}
	for _, o := range b.OptOuts {
		want[o.Kind][o.Recipient] = true
	}
	if diff := gocmp.Diff(want, people); diff != "" {
		t.Errorf("opt-outs in the books (-) and in the webhooks (+):\n%s", diff)
	}
	for kind, who := range want {
		if len(who) == 0 {
			t.Errorf("nobody opted out by %s", kind)
		}
	}
}

func TestNothingIsLostWhileTheReceiverFails(t *testing.T) {
	var down atomic.Bool
	down.Store(true)
	rc := newReceiver(t, func(post int) int {
		switch {
		case !down.Load():
			return 0
		case post%3 == 0:
			return -1
		case post%3 == 1:
			return http.StatusServiceUnavailable
		}
		return http.StatusAccepted // only 200 is a yes
	})
	const messages = 400
	s, stop := start(t, Options{Seed: 3, Speed: fast, Messages: messages}, rc)
	waitFor(t, "retries", func() bool {
		b := s.Books()
		return len(b.Messages) == messages && slices.ContainsFunc(b.Attempts, func(a Attempt) bool { return a.Try > 3 })
	})
	if b := s.Books(); b.Waiting == 0 || rc.taken() != 0 {
		t.Errorf("%d updates wait although none was taken", b.Waiting)
	}
	down.Store(false)
	waitFor(t, "the backlog", func() bool { b := s.Books(); return b.Waiting == 0 && b.Ahead == 0 })
	b := s.Books()
	stop()
	rc.check(b)

	taken := map[int]int{}
	for _, a := range b.Attempts {
		if a.Answer == http.StatusOK {
			taken[a.Post]++
		}
		if a.Answer == 0 && a.Problem == "" {
			t.Errorf("attempt %+v had no answer and no reason", a)
		}
	}
	for post, times := range taken {
		if times != 1 {
			t.Errorf("post %d was delivered %d times after its 200", post, times)
		}
	}
}

func TestSameSeedSameCampaign(t *testing.T) {
	// A time of each step counted from the acceptance, by recipient.
	lives := func(o Options) []Message {
		b := play(t, o, newReceiver(t, nil))
		for i := range b.Messages {
			m := &b.Messages[i]
			for _, at := range []*wa.Instant{&m.SentAt, &m.DeliveredAt, &m.ReadAt, &m.FailedAt} {
				if *at != 0 {
					*at -= m.AcceptedAt
				}
			}
			m.AcceptedAt = 0
		}
		slices.SortFunc(b.Messages, func(x, y Message) int { return cmp.Compare(x.Recipient, y.Recipient) })
		return b.Messages
	}
	// 2,000 messages reach into the seventh minute, past the cliff.
	o := Options{Scenario: "cliff", Seed: 11, Speed: fast, Rate: 5, Messages: 2000}
	first := lives(o)
	o.Speed *= 2
	second := lives(o)
	for i, m := range first {
		if diff := gocmp.Diff(m, second[i]); diff != "" {
			t.Fatalf("the same seed gave another campaign, first here:\n%s", diff)
		}
	}
	o.Seed++
	if slices.Equal(first, lives(o)) {
		t.Error("another seed gave the same campaign")
	}
}

func TestTheAccountIsTold(t *testing.T) {
	rc := newReceiver(t, nil)
	o := Options{Scenario: "cliff", Speed: fast, Messages: 10}
	b := play(t, o, rc)
	events := func(field, key string) (out []any) {
		for _, v := range rc.fields[field] {
			out = append(out, v.(map[string]any)[key])
		}
		slices.SortFunc(out, func(a, b any) int { return strings.Compare(a.(string), b.(string)) })
		return out
	}
	for _, c := range []struct {
		field, key string
		want       []any
	}{
		{fieldNumber, "current_limit", []any{"TIER_100K", "TIER_100K"}},
		{fieldTemplateStatus, "event", []any{"APPROVED"}},
		{fieldTemplateQuality, "new_quality_score", []any{"GREEN", "RED", "YELLOW"}},
	} {
		if diff := gocmp.Diff(c.want, events(c.field, c.key)); diff != "" {
			t.Errorf("%s:\n%s", c.field, diff)
		}
	}
	if q := b.Templates[0].Quality; q != wa.QualityRed {
		t.Errorf("the template ended as %s, the cliff makes it RED", q)
	}
	if q := b.Numbers[0].Quality; q != wa.QualityYellow {
		t.Errorf("the number ended as %s, the cliff makes it YELLOW", q)
	}
}

func TestStopsInTheMiddle(t *testing.T) {
	release := make(chan struct{})
	rc := newReceiver(t, func(int) int { <-release; return 0 })
	t.Cleanup(func() { close(release) }) // runs before the server closes
	s, stop := start(t, Options{Speed: 60}, rc)
	waitFor(t, "deliveries that hang", func() bool {
		rc.mu.Lock()
		defer rc.mu.Unlock()
		return rc.open == inFlight
	})
	stop()
	if b := s.Books(); b.Waiting == 0 || len(b.Messages) == 36_000 {
		t.Errorf("stopped with %d updates waiting and %d messages: not in the middle", b.Waiting, len(b.Messages))
	}
	if a, err := http.Get(s.URL()); err == nil {
		_ = a.Body.Close()
		t.Error("the Graph API still answers")
	}
	// goleak (TestMain) sees to the goroutines.
}

func TestWhatCannotBePlayedIsRefused(t *testing.T) {
	good := Options{WebhookURL: "http://127.0.0.1:1/", Secret: secret, Messages: 1}
	for name, c := range map[string]struct {
		change func(*Options)
		want   string
	}{
		"scenario": {func(o *Options) { o.Scenario = "cleef" }, "healthy, cliff, one-prefix, optouts"},
		"address":  {func(o *Options) { o.WebhookURL = "http://192.0.2.1/" }, "loopback"},
		"scheme":   {func(o *Options) { o.WebhookURL = "127.0.0.1:80" }, "webhook address"},
		"secret":   {func(o *Options) { o.Secret = wa.Secret{} }, "secret"},
		"speed":    {func(o *Options) { o.Speed = -1 }, "speed"},
		"rate":     {func(o *Options) { o.Rate = -1 }, "rate"},
		"size":     {func(o *Options) { o.Messages = 2_000_000 }, "people"},
	} {
		o := good
		c.change(&o)
		if _, err := New(o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one that speaks of %q", name, err, c.want)
		}
	}
	s, err := New(good)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// BenchmarkCampaign is what one message costs altogether, from its send request
// to the last webhook, with a receiver that only reads.
func BenchmarkCampaign(b *testing.B) {
	rc := http.Server{Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})}
	address := serve(b, &rc)
	s, err := New(Options{WebhookURL: address, Secret: secret, Speed: 1e6, Rate: 1e6, Messages: b.N})
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(b.Context())
	ended := make(chan error, 1)
	b.ResetTimer()
	go func() { ended <- s.Run(ctx) }()
	waitFor(b, "the end of the campaign", func() bool {
		quiet := s.agenda.remaining() == 0
		s.ledger.mu.Lock()
		defer s.ledger.mu.Unlock()
		return quiet && len(s.ledger.messages) == b.N && s.ledger.books.Waiting == 0
	})
	b.StopTimer()
	cancel()
	if err := <-ended; err != nil {
		b.Fatal(err)
	}
}
