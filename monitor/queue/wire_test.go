package queue_test

import (
	"context"
	"log/slog"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tickwatch/monitor/queue"
	"tickwatch/store"
	"tickwatch/wa"
	"tickwatch/wa/graph"
	"tickwatch/wa/sandbox"
	"tickwatch/wa/webhook"
)

// account is an account at the stand-in for Meta, and a client of it.
func account(t testing.TB, faults ...sandbox.Fault) (*sandbox.Sandbox, *graph.Client) {
	t.Helper()
	s, err := sandbox.New(sandbox.Options{Messages: -1, Secret: wa.NewSecret("s"), Faults: faults})
	if err != nil {
		t.Fatal(err)
	}
	c, err := graph.New(graph.Options{BaseURL: s.URL(), Token: s.Token})
	if err != nil {
		t.Fatal(err)
	}
	return s, c
}

// runs runs the stand-in until the test ends, with its webhooks going into a store.
func runs(t testing.TB, meta *sandbox.Sandbox, into *store.Store) {
	t.Helper()
	hooks := httptest.NewServer(webhook.NewHandler(webhook.Options{
		Secrets: []wa.Secret{wa.NewSecret("s")}, Sink: into, Ready: into.Ready, Log: slog.New(slog.DiscardHandler),
	}))
	if err := meta.Tell(hooks.URL + "/webhooks/meta"); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	var ended sync.WaitGroup
	ended.Go(func() {
		if err := meta.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() {
		stop()
		ended.Wait()
		hooks.Close()
	})
}

// watched sends over the wire, and sees whether anything begins that must not.
type watched struct {
	*graph.Client
	paused atomic.Bool
	wrong  atomic.Int64
}

func (w *watched) Send(ctx context.Context, from string, m *wa.Outgoing, begin func() error) (wa.Accepted, error) {
	return w.Client.Send(ctx, from, m, func() error {
		err := begin()
		if err == nil && w.paused.Load() {
			w.wrong.Add(1)
		}
		return err
	})
}

// A campaign over real sockets, on a real disk, to a Meta that loses answers and
// tells by webhook before it answers: paused over and over, it reaches everybody
// once, and the stand-in's own log agrees with the store.
func TestOverTheWire(t *testing.T) {
	const people = 600
	meta, client := account(t,
		sandbox.Fault{Kind: sandbox.FaultLatency, Delay: 20 * time.Millisecond},
		sandbox.Fault{Kind: sandbox.FaultDrop, Share: 0.02, Taken: true},
		sandbox.Fault{Kind: sandbox.FaultWebhookFirst, Share: 0.05},
	)
	s, err := store.Open(t.Context(), store.Options{Dir: t.TempDir(), Decode: webhook.Decode})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	runs(t, meta, s)
	form, err := client.Template(t.Context(), sandbox.AccountID, sandbox.CampaignTemplate, sandbox.CampaignLanguage)
	if err != nil {
		t.Fatal(err)
	}
	p := plan(0)
	p.From, p.Form, p.Columns, p.Bind = sandbox.Numbers(), form, []string{"name", "picture"}, map[string]int{"1": 0, "header": 1}
	i, err := s.Import(p, false)
	if err != nil {
		t.Fatal(err)
	}
	for person := range meta.People(people) {
		if err := i.Add(store.Recipient{Phone: person.Phone, Values: []string{person.Name, "https://shop.example/a.png"}}); err != nil {
			t.Fatal(err)
		}
	}
	if p, err = i.Finish(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	sender := &watched{Client: client}
	q, err := queue.New(t.Context(), queue.Options{Store: s, Sender: sender, Throughput: func(string) float64 { return 1000 }})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	var ended sync.WaitGroup
	ended.Go(func() { q.Run(ctx) })
	defer ended.Wait()
	defer stop()
	if _, err := q.Start(t.Context(), p.Campaign, queue.Launch{}); err != nil {
		t.Fatal(err)
	}
	counts := func() store.Counts {
		st, err := s.Load(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range st.Campaigns {
			if c.ID == p.Campaign {
				return c.Counts
			}
		}
		return store.Counts{}
	}
	until := func(what string, done func() bool) {
		t.Helper()
		for late := time.Now().Add(2 * time.Minute); !done(); time.Sleep(5 * time.Millisecond) {
			if time.Now().After(late) {
				t.Fatalf("%s did not come: %+v, held %q", what, counts(), q.View().Campaigns[p.Campaign].Held)
			}
		}
	}
	for range 5 {
		before := len(meta.Requests())
		until("more requests", func() bool { return len(meta.Requests()) >= min(before+100, people) })
		if _, err := q.Pause(t.Context(), "campaign", p.Key, "ana", ""); err != nil {
			t.Fatal(err)
		}
		sender.paused.Store(true)
		until("the end of what was open", func() bool { return q.View().Campaigns[p.Campaign].OpenRequests == 0 })
		until("the store", func() bool { return counts().Claimed == 0 })
		sender.paused.Store(false)
		if _, err := q.Resume(t.Context(), "campaign", p.Key, "ana", time.Time{}); err != nil {
			t.Fatal(err)
		}
	}
	until("the end", func() bool {
		n := counts()
		return n.Waiting+n.Claimed+n.Unknown == 0
	})
	if n := sender.wrong.Load(); n > 0 {
		t.Errorf("%d requests began after a pause had returned", n)
	}
	if n := counts(); n.Messages != people {
		t.Errorf("the store has %+v", n)
	}
	got := map[string]int{}
	for _, m := range meta.Accepted() {
		if got[m.To]++; got[m.To] > 1 {
			t.Errorf("%s got it twice", m.To)
		}
	}
	if len(got) != people {
		t.Errorf("%d people got it, not %d", len(got), people)
	}
}
