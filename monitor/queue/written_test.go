package queue

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"tickwatch/wa"
	"tickwatch/wa/graph"
)

// few is a store with messages of one campaign, each claimed once.
type few struct {
	Store
	plan wa.Plan
	left int64
}

func (f *few) Gates(context.Context) ([]wa.Gate, error)    { return nil, nil }
func (f *few) SaveGate(context.Context, wa.Gate) error     { return nil }
func (f *few) Plans(context.Context) ([]wa.Plan, error)    { return []wa.Plan{f.plan}, nil }
func (f *few) Settle(context.Context, ...wa.Outcome) error { return nil }
func (f *few) Claim(_ context.Context, r wa.ClaimRequest) (c wa.Claims, err error) {
	for ; f.left > 0 && len(c.Messages) < r.Limit; f.left-- {
		c.Messages = append(c.Messages, wa.Claimed{Message: f.left, Recipient: f.left, Phone: "+351910000001", Data: "autumn:1"})
	}
	return c, nil
}

// What has been written to a real connection is known to be, while its answer is
// still to come: a pause need not wait for Meta.
func TestWrittenIsNotAnswered(t *testing.T) {
	const messages = 5
	read, answer := make(chan struct{}, messages), make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		read <- struct{}{}
		<-answer
	}))
	defer server.Close()
	client, err := graph.New(graph.Options{BaseURL: server.URL, Token: func() wa.Secret { return wa.NewSecret("token") }})
	if err != nil {
		t.Fatal(err)
	}
	plan := wa.Plan{
		Campaign: 1, Key: "autumn", State: wa.PlanRunning, From: []string{"100"},
		Form: wa.TemplateForm{Name: "order_news", Language: "en_US", Category: wa.CategoryUtility, Body: "Hello"},
	}
	q, err := New(t.Context(), Options{Store: &few{plan: plan, left: messages}, Sender: client})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); q.Run(ctx) }()
	defer func() { cancel(); <-ended }()
	defer close(answer)
	for range messages {
		<-read
	}
	g := q.gates.find(place{scopeCampaign, "autumn"})
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(4 * time.Second); ; <-tick.C { // answers are given up after 5
		q.gates.mu.Lock()
		open, writing := g.open, g.writing
		q.gates.mu.Unlock()
		switch {
		case open != messages:
			t.Fatalf("%d requests are open", open)
		case writing == 0:
			return
		case time.Now().After(deadline):
			t.Fatalf("%d requests that Meta has read are still being written, it is said", writing)
		}
	}
}
