// Package sandbox is a stand-in for Meta on loopback: a Graph API that takes
// messages, people who receive them and behave like people, webhooks about it,
// and, if wanted, another system that sends a campaign through that API. It makes
// a whole campaign observable without an account at Meta, over the same HTTP that
// Meta would use, and it misbehaves on request (Fault).
//
// Guarantees:
//
//   - For one seed and scenario, everybody's number, fate, error code and
//     delays (from the acceptance of the message on) are the same in every run,
//     however quick the machine is and whatever the speed.
//   - Webhooks have Meta's shapes and quirks (whatsapp.md §1–2): signed, in
//     batches, up to four deliveries at once, mildly out of order, about one in
//     a hundred twice (in the scenario duplicates: each several times). No
//     timestamp lies ahead of the campaign's clock.
//   - An update that was not answered 200 is sent again, with backoff, as long
//     as the sandbox runs. One that was answered 200 is never retried.
//   - Who sends a message, and with which callback data, changes nothing of what
//     becomes of it.
//   - Books tells what really happened, apart from what any webhook said of it;
//     Accepted, and the log on disk, which messages were taken: each stands in
//     both before its answer leaves.
//
// Beside the Graph API stands a provider of SMS (sms.go), who reaches the same
// people: AcceptedSMS tells what it took, and its receipts and the answers that
// people write are posted until each was answered 2xx.
//
// All times are of the campaign's clock (Options.Now), which Options.Speed
// scales. It listens and dials on loopback only.
package sandbox

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"tickwatch/wa"
)

// Options says what to play, how fast, and whom to tell.
type Options struct {
	Scenario   string           // name of one of Scenarios; "" means healthy
	Seed       uint64           // who the people are and what they do
	Speed      float64          // campaign seconds per real second; 0 means 1
	Now        func() time.Time // the campaign's clock, already scaled; nil: starts at the real time and runs at Speed
	WebhookURL string           // receives the webhooks; on loopback; "" until Tell says
	Secret     wa.Secret        // app secret, signs the webhooks
	Rate       float64          // messages the outside sender sends per campaign second; 0 means 20
	Messages   int              // size of its campaign; 0 means 36,000, negative that nobody sends from outside
	Log        *slog.Logger     // nil discards

	Throughput  float64  // messages a campaign second that each number may send, high throughput from 1,000 on; 0 means any
	Faults      []Fault  // in force from the beginning
	SMSRate     float64  // text messages a campaign second that the provider of SMS takes; 0 means any
	Denied      []string // fields of a number that the token may not ask for
	AcceptedLog string   // file that gets a line of JSON (Accepted) for each message, at its end; "" for none
}

// Bounds and defaults of Options.
const (
	defaultRate     = 20
	defaultMessages = 36_000    // thirty minutes at twenty a second
	maxMessages     = 1_000_000 // as many distinct numbers as the narrowest block holds
	maxSpeed        = 1e6
)

// shutdownGrace is how long open Graph requests that do not hang may take to end
// once the sandbox is told to stop.
const shutdownGrace = 2 * time.Second

// Sandbox is one stand-in. Make it with New and run it once.
type Sandbox struct {
	opts     Options
	scenario Scenario
	token    wa.Secret
	listener net.Listener

	people  *population
	account *account
	agenda  *agenda
	feed    *feed
	ledger  *ledger
	faults  *faults
	journal *journal
	texting *texting
	courier *courier

	begin   wa.Instant    // when Run began
	first   atomic.Int64  // moment of the first message, milliseconds; 0 = none yet
	stopped chan struct{} // closed when Run ends
	grace   time.Duration // how long open Graph requests may take to end then
}

// New checks the options and binds the Graph API to a free port of 127.0.0.1,
// so that URL can be handed on before Run. A Sandbox that will not be run must
// be closed.
func New(o Options) (*Sandbox, error) {
	scenario, err := scenarioNamed(o.Scenario)
	if err != nil {
		return nil, err
	}
	if err := o.complete(); err != nil {
		return nil, err
	}
	s := &Sandbox{
		opts:     o,
		scenario: scenario.knowing(o.Seed),
		token:    wa.NewSecret(fmt.Sprintf("EAAG%016x", hash(o.Seed, "token"))),
		people:   newPopulation(o.Seed, max(o.Messages, 0)),
		account:  newAccount(),
		agenda:   newAgenda(o.Now, o.Speed),
		ledger:   newLedger(),
		faults:   newFaults(o.Seed),
		texting:  newTexting(o.Seed),
		stopped:  make(chan struct{}),
		grace:    shutdownGrace,
	}
	s.feed, s.courier = newFeed(o, s.agenda, s.ledger), newCourier(o, s.agenda)
	for _, f := range o.Faults {
		if _, err := s.Inject(f); err != nil {
			return nil, err
		}
	}
	if s.journal, err = openJournal(o.AcceptedLog); err != nil {
		return nil, err
	}
	if s.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		_ = s.journal.close()
		return nil, fmt.Errorf("sandbox: no free port on loopback for the Graph API: %w", err)
	}
	return s, nil
}

// complete fills in the defaults and refuses what cannot work.
func (o *Options) complete() error {
	if o.Speed == 0 {
		o.Speed = 1
	}
	if o.Rate == 0 {
		o.Rate = defaultRate
	}
	if o.Messages == 0 {
		o.Messages = defaultMessages
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	switch {
	case !(o.Speed > 0 && o.Speed <= maxSpeed):
		return fmt.Errorf("sandbox: a speed of %g cannot be played; give one above 0 and up to %g", o.Speed, float64(maxSpeed))
	case !(o.Rate > 0):
		return fmt.Errorf("sandbox: a rate of %g messages a second sends nothing; give one above 0", o.Rate)
	case !(o.Throughput >= 0):
		return fmt.Errorf("sandbox: a throughput of %g messages a second is none; give one above 0, or 0 for any", o.Throughput)
	case !(o.SMSRate >= 0):
		return fmt.Errorf("sandbox: a rate of %g text messages a second is none; give one above 0, or 0 for any", o.SMSRate)
	case o.Messages > maxMessages:
		return fmt.Errorf("sandbox: %d messages are more than there are people here; give at most %d", o.Messages, maxMessages)
	case o.Secret.Empty():
		return errors.New("sandbox: webhooks cannot be signed without an app secret; set one")
	}
	if o.Now == nil {
		begin, speed := time.Now(), o.Speed
		o.Now = func() time.Time {
			return begin.Add(time.Duration(float64(time.Since(begin)) * speed))
		}
	}
	if o.WebhookURL == "" {
		return nil
	}
	return loopback(o.WebhookURL)
}

// loopback refuses every address that is not this machine's own.
func loopback(raw string) error {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return fmt.Errorf("sandbox: %q is no webhook address; give one like http://127.0.0.1:8480/webhooks/meta", raw)
	}
	ip, err := netip.ParseAddr(u.Hostname())
	if u.Hostname() != "localhost" && (err != nil || !ip.IsLoopback()) {
		return fmt.Errorf("sandbox: %s is not on loopback, and the stand-in writes to this machine only; give 127.0.0.1", u.Hostname())
	}
	return nil
}

// URL is the base of the Graph API; paths below it may begin with a version,
// "/v26.0/…", as at Meta.
func (s *Sandbox) URL() string { return "http://" + s.listener.Addr().String() }

// Token is the bearer token that the Graph API takes.
func (s *Sandbox) Token() wa.Secret { return s.token }

// Tell says where the webhooks go, for a receiver that has to know the Graph API's
// address before it has one of its own, and for one that has moved. Call it before Run,
// and again when it moves.
func (s *Sandbox) Tell(webhookURL string) error {
	if err := loopback(webhookURL); err != nil {
		return err
	}
	s.feed.url.Store(&webhookURL)
	return nil
}

// Close frees the port of a Sandbox that was not run.
func (s *Sandbox) Close() error { return errors.Join(s.listener.Close(), s.journal.close()) }

// Run plays the scenario until ctx ends, then stops everything it started and
// returns nil. Another error means that the Graph API could not be served.
func (s *Sandbox) Run(ctx context.Context) error {
	if s.feed.url.Load() == nil {
		return errors.New("sandbox: nobody receives the webhooks; give Options.WebhookURL, or Tell")
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s.begin = wa.At(s.opts.Now())
	s.feed.outage.from, s.feed.outage.to = s.begin+millis(s.scenario.outage.from), s.begin+millis(s.scenario.outage.to)
	for _, n := range append(s.opening(), s.scenario.news...) {
		s.agenda.at(s.begin+millis(n.after), func() { s.announce(n) })
	}

	server := &http.Server{
		Handler:           s.graph(),
		ReadHeaderTimeout: 5 * time.Second,
		ConnContext:       withArrival,
		ErrorLog:          slog.NewLogLogger(s.opts.Log.Handler(), slog.LevelWarn),
	}
	served := make(chan error, 1)
	go func() {
		err := server.Serve(arrivals{s.listener, s.opts.Now})
		cancel()
		served <- err
	}()

	var parts sync.WaitGroup
	parts.Go(func() { s.agenda.run(ctx, s.feed.flush) })
	parts.Go(func() { s.feed.run(ctx) })
	parts.Go(func() { s.courier.run(ctx) })
	parts.Go(func() { s.sendCampaign(ctx) })
	<-ctx.Done()
	close(s.stopped) // requests that hang end now
	parts.Wait()

	grace, release := context.WithTimeout(context.WithoutCancel(ctx), s.grace)
	defer release()
	if server.Shutdown(grace) != nil {
		_ = server.Close()
	}
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("sandbox: the Graph API stopped by itself: %w", err)
	}
	if err := s.journal.close(); err != nil {
		return fmt.Errorf("sandbox: the log of accepted messages could not be closed: %w", err)
	}
	return nil
}

func millis(d time.Duration) wa.Instant { return wa.Instant(d.Milliseconds()) }
