package monitor_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"tickwatch/monitor"
	"tickwatch/monitor/fallback"
	"tickwatch/monitor/link"
	"tickwatch/store"
	"tickwatch/wa"
)

// texting is a provider that takes every SMS, each at its price.
type texting struct {
	mu   sync.Mutex
	sent int
	hold chan struct{} // requests wait until it is closed; nil = they do not
}

func (p *texting) Quote(*wa.FallbackMessage) fallback.Quote {
	return fallback.Quote{Segments: 1, Price: wa.MoneyOf(0.05), Currency: "EUR"}
}

func (p *texting) Send(_ context.Context, m *wa.FallbackMessage, begin func() error) (wa.FallbackAnswer, error) {
	if err := begin(); err != nil {
		return wa.FallbackAnswer{Kind: wa.FallbackNotSent}, fmt.Errorf("not sent: %w", err)
	}
	p.mu.Lock()
	p.sent++
	hold := p.hold
	p.mu.Unlock()
	if hold != nil {
		<-hold
	}
	return wa.FallbackAnswer{Kind: wa.FallbackAccepted, ProviderID: "sms." + m.To}, nil
}

func (p *texting) Receive(*http.Request, []byte) (fallback.Received, error) {
	return fallback.Received{}, fallback.ErrSignature
}

// textingOf is a running house whose campaign has so many failures, which may be
// reached by SMS: the first three go out before a look.
func textingOf(t *testing.T, failures int) (*running, *texting) {
	t.Helper()
	hello, err := fallback.ParseText("Hello")
	if err != nil {
		t.Fatal(err)
	}
	p := &texting{}
	r := start(t, t.TempDir(), newHand(), func(o *monitor.Options) {
		o.Sending.Speed = 100
		o.Fallback = monitor.Fallback{
			Channels: fallback.Channels{wa.ChannelSMS: p}, Texts: map[string]monitor.Texts{wa.ChannelSMS: {"": {Body: hello}}},
			Rate: map[string]float64{wa.ChannelSMS: 1000}, Budget: wa.MoneyOf(50), Currency: "EUR", Zone: time.UTC, Look: 3,
		}
	})
	var all []update
	for i := range failures {
		all = append(all, update{fmt.Sprint(10_000_000 + i), "failed", r.clock.now().Unix(), 131026})
	}
	r.post(t, body(all), r.clock.now())
	return r, p
}

// texts orders an SMS for all of them.
func texts(t *testing.T, r *running, expect int64) link.FallbackPlan {
	t.Helper()
	return ask[link.FallbackPlan](t, r, link.VerbFallback, link.FallbackArgs{Campaign: "autumn", Channels: []string{wa.ChannelSMS}, Consent: true, Expect: expect})
}

// refuses asks for what must be refused, and holds what is said.
func refuses(t *testing.T, r *running, says, verb string, args any) {
	t.Helper()
	raw, err := json.Marshal(args)
	if err != nil {
		t.Fatal(err)
	}
	got, err := r.monitor.Handle(context.Background(), link.Peer{Name: "tester"}, link.Command{Verb: verb, Args: raw})
	if err == nil || !strings.Contains(err.Error(), says) {
		t.Errorf("%s: %+v, %v; want it refused for %q", verb, got, err, says)
	}
}

// until lets time pass until the campaign's fallback is as it should be.
func (r *running) until(ok func(f *link.Fallback) bool) *link.Fallback {
	for {
		r.clock.forward(time.Second)
		s := r.looked()
		if len(s.Campaigns) > 0 && ok(&s.Campaigns[0].Fallback) {
			return &s.Campaigns[0].Fallback
		}
	}
}

// The rest does not go out before the first have, whatever holds them, and until then
// there is no second order.
func TestNoRestBeforeTheLook(t *testing.T) {
	r, _ := textingOf(t, 5)
	sms := link.GateArgs{Scope: link.ScopeChannel, ID: wa.ChannelSMS}
	order := link.FallbackArgs{Campaign: "autumn", Channels: []string{wa.ChannelSMS}, Consent: true, Expect: 5}
	goOn := link.GoOnArgs{Campaign: "autumn"}
	ask[link.Receipt](t, r, link.VerbPause, sms)
	if plan := texts(t, r, 5); plan.Eligible != 5 || plan.Run.State != link.FallbackPending {
		t.Fatalf("%+v", plan)
	}
	refuses(t, r, "go-on autumn", link.VerbFallback, order)
	refuses(t, r, "its first messages are not out yet", link.VerbFallbackGoOn, goOn)
	r.clock.forward(2 * time.Minute)
	r.until(func(f *link.Fallback) bool { return f.Run.State == link.FallbackLooking })
	refuses(t, r, "only 0 of its first 3 are out", link.VerbFallbackGoOn, goOn)
	refuses(t, r, "not through its look", link.VerbFallback, order)
	ask[link.Receipt](t, r, link.VerbResume, link.ResumeArgs{GateArgs: sms})
	r.until(func(f *link.Fallback) bool { return f.Run.Looked && f.Accepted == 3 })
	got := ask[link.Receipt](t, r, link.VerbFallbackGoOn, goOn)
	if got.Text != "The rest goes out: 2 messages by SMS." || got.Already {
		t.Errorf("%+v", got)
	}
	r.until(func(f *link.Fallback) bool { return f.Accepted == 5 })
}

// A cancel stops what has not begun, and says what has.
func TestCancelTellsWhatIsOpen(t *testing.T) {
	r, p := textingOf(t, 5)
	p.hold = make(chan struct{})
	texts(t, r, 5)
	r.clock.forward(2 * time.Minute)
	r.until(func(*link.Fallback) bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		return p.sent == 3
	})
	got := ask[link.Receipt](t, r, link.VerbFallbackCancel, link.CampaignArgs{Campaign: "autumn"})
	if got.Text != "Cancelled: 2 messages to autumn do not go out. 3 have gone out and cannot be recalled." || got.OpenRequests != 3 || got.Waiting != 0 {
		t.Errorf("%+v", got)
	}
	close(p.hold)
	r.until(func(f *link.Fallback) bool { return f.Accepted == 3 && f.LeftOut == 2 && f.Waiting == 0 })
}

// Whoever only looks undelivered is not reached while the webhooks are stalled, even if
// they were not when it was ordered; who failed is.
func TestUndeliveredWaitsForTheFeed(t *testing.T) {
	r, p := textingOf(t, 5)
	var sent []update
	for i := range 100 {
		sent = append(sent, update{fmt.Sprint(20_000_000 + i), "sent", r.clock.now().Unix(), 0})
	}
	r.post(t, body(sent), r.clock.now())
	r.clock.forward(20 * time.Second)
	order := link.FallbackArgs{Campaign: "autumn", Channels: []string{wa.ChannelSMS}, Consent: true, Expect: 105, Undelivered: 10}
	if plan := ask[link.FallbackPlan](t, r, link.VerbFallback, order); plan.Eligible != 105 {
		t.Fatalf("%+v", plan)
	}
	r.clock.forward(2 * time.Minute)
	r.until(func(f *link.Fallback) bool { return f.Run.Looked && f.Accepted == 3 })
	ask[link.Receipt](t, r, link.VerbFallbackGoOn, link.GoOnArgs{Campaign: "autumn"})
	r.until(func(f *link.Fallback) bool { return strings.HasPrefix(f.Run.Held, "who looks undelivered waits") })
	for range 5 { // each is looked at once a minute
		r.clock.forward(30 * time.Second)
		r.looked()
	}
	p.mu.Lock()
	if p.sent != 5 {
		t.Errorf("%d went out into a stalled feed", p.sent)
	}
	p.mu.Unlock()
	r.until(func(f *link.Fallback) bool {
		r.post(t, body(sent[:1]), r.clock.now()) // the feed is live again, and stays so
		r.clock.forward(40 * time.Second)
		return f.Accepted == 105
	})
}

// A cancel that comes while an order is being planned holds.
func TestCancelWhilePlanning(t *testing.T) {
	r, _ := textingOf(t, 5)
	run := wa.FallbackRun{Campaign: 1, Key: "autumn", Channels: []string{wa.ChannelSMS}, OrderedAt: wa.At(r.clock.now()), StartsAt: wa.At(r.clock.now())}
	var receipt link.Receipt
	_, err := r.store.PlanFallback(t.Context(), run, 5, func(*store.FallbackCandidate) (store.FallbackDraft, string) {
		if receipt.Text == "" {
			receipt = ask[link.Receipt](t, r, link.VerbFallbackCancel, link.CampaignArgs{Campaign: "autumn"})
		}
		return store.FallbackDraft{Channel: wa.ChannelSMS, To: "+351910000001"}, ""
	}, false)
	if err == nil || receipt.Already || receipt.Text != "Undone while it was being planned: nothing of it goes out." {
		t.Errorf("%+v, %v", receipt, err)
	}
	if f := r.looked().Campaigns[0].Fallback; f.Waiting != 0 || f.Run != nil {
		t.Errorf("%+v", f)
	}
}
