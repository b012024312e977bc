// Package queue sends our own campaigns: it claims messages from the store,
// paces them, holds the gates at which sending can be paused, hands messages to
// the Cloud API and stores what became of them.
//
// What it guarantees:
//   - When Pause returns, nothing begins any more that must pass its gate. The
//     gates are asked by the request itself, when its first byte is about to be
//     written; neither the store nor the network can delay their closing.
//   - A message's attempt is on disk before its request begins. What has begun and
//     brought no clear answer is unknown, and nothing here ever sends it again.
//   - What was claimed and has not begun when a gate closes, a template is swapped,
//     a number rests or the daemon ends goes back to its place in the queue.
//   - A crash leaves as unknown what was being sent, and at most 64 messages that
//     were about to be, or whose answers were about to be stored.
//   - A fault of the store loses nothing: outcomes and gates are kept and tried
//     again, and nothing new is claimed meanwhile.
//
// All methods may be called at any time from any goroutine; commands may be
// repeated. Only Run sends.
package queue

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"tickwatch/wa"
)

// Store keeps plans, gates and the queue itself. Its methods may be called at
// the same time; an error means that nothing was stored.
type Store interface {
	// Claim gives out messages that may be sent now, their attempts on disk.
	Claim(ctx context.Context, r wa.ClaimRequest) (wa.Claims, error)
	// Settle stores what became of claimed messages. Repeating it changes nothing,
	// nor does an outcome that a webhook has made obsolete.
	Settle(ctx context.Context, outcomes ...wa.Outcome) error
	// Plans are those of our own campaigns; ones that are cancelled may be left out.
	Plans(ctx context.Context) ([]wa.Plan, error)
	// SavePlan stores a plan's state, template, pace, moments and step of its ramp.
	SavePlan(ctx context.Context, p wa.Plan) error
	// CancelRest ends a campaign: its plan is cancelled, and with it what waits, which
	// it counts, and whatever comes back to waiting later.
	CancelRest(ctx context.Context, campaign int64) (int64, error)
	// Gates are those that were ever closed.
	Gates(ctx context.Context) ([]wa.Gate, error)
	SaveGate(ctx context.Context, g wa.Gate) error
}

// Sender hands one message over. It calls begin once, when the first byte of the
// request is about to leave this machine; if begin fails nothing leaves, and the
// error wraps that of begin and wa.ErrNotSent. Other errors are a *wa.Refusal, or
// wrap wa.ErrNotSent or wa.ErrMayHaveGone. It calls the message's Written when the
// request has left.
type Sender interface {
	Send(ctx context.Context, from string, m *wa.Outgoing, begin func() error) (wa.Accepted, error)
}

// Options of a Queue. Store and Sender are needed. No function is called with a
// lock held that a method of the Queue would take.
type Options struct {
	Store  Store
	Sender Sender
	Now    func() time.Time // the daemon's clock; nil = time.Now
	Speed  float64          // how many of its seconds pass in a real one; 0 = 1
	Log    *slog.Logger     // nil = none

	// StopFile closes everything while it is there; "" = none.
	StopFile string

	// Throughput is how many messages a second Meta takes from a number; nil or 0 =
	// not known, and then 80 (whatsapp.md §4).
	Throughput  func(number string) float64
	PerNumber   wa.Pace // our own ceiling for each number; zero = none
	Connections int     // requests of a number that may be open at once; 0 = 64

	// Where Meta does not take a template, or anything at all, gates close by
	// themselves, unless these say to leave them: then what it refuses so waits for a
	// minute and is tried again.
	LeaveTemplates, LeaveAccount bool

	Cap wa.FrequencyCap // on marketing templates; zero = none
	// Window gives, for a plan, until when a person must not be written to; nil, or
	// a nil answer = no sending windows.
	Window func(p *wa.Plan) func(phone string) wa.Instant
	// Unanswered is how many messages Meta has taken and said nothing of since; nil =
	// not watched.
	Unanswered    func() int64
	MaxUnanswered int64 // above which nothing more goes out; 0 = MaxUnanswered

	// Changed tells that View has changed, once for many changes. Incident tells what
	// the queue did by itself. One goroutine calls both, in order.
	Changed  func()
	Incident func(Incident)
}

// Incident is something that the queue did by itself.
type Incident struct {
	Scope, ID string // of the gate
	Code      int    // Meta's, where one was the cause; else 0
	Text      string // a sentence for people; clean
	Opened    bool   // the gate was opened, as a resume had asked; else it was closed
	Cancelled bool   // the campaign has expired: what still waited is cancelled
}

// MaxUnanswered is how many messages may be with Meta at most that nothing was heard
// of (design.md).
const MaxUnanswered = 10_000

// Bounds of the queue.
const (
	maxClaim           = 64                     // messages in one claim, and messages between claim and settlement that are not being sent
	claimAhead         = 100 * time.Millisecond // how long before its moment a message is claimed
	defaultConnections = 64
	defaultThroughput  = 80
	drainFor           = 6 * time.Second // how long open requests may take when the daemon ends
	flushFor           = 2 * time.Second // how long the store may take for the rest then
	retryEvery         = time.Second     // what could not be stored
)

// Queue sends. New makes it, Run keeps it going.
type Queue struct {
	o       Options
	gates   gates
	keeper  keeper
	settler settler
	notices notices

	mu        sync.Mutex // taken before gates.mu
	campaigns map[int64]*campaign
	numbers   map[string]*number
	running   bool            // campaigns are being released
	sending   context.Context // of requests and of what the queue does by itself; nil = nothing new begins
	// unanswered is how many messages Meta has said nothing of, at most, those
	// that are being sent included.
	unanswered int64
	launched   int64 // requests in all
	busy       int64 // of these, those whose outcome is not on disk

	runners sync.WaitGroup // of campaigns
	work    sync.WaitGroup // requests, claims, and deeds of the queue's own
}

// New reads plans and gates. Nothing is sent before Run.
func New(ctx context.Context, o Options) (*Queue, error) {
	if o.Store == nil || o.Sender == nil {
		return nil, errors.New("a queue needs a store and a sender")
	}
	o = withDefaults(o)
	q := &Queue{o: o, campaigns: map[int64]*campaign{}, numbers: map[string]*number{}}
	q.gates.at, q.gates.ended = map[place]*gate{}, make(chan struct{})
	q.keeper.init(&q.gates, o.Store, o.Log)
	q.settler.init(o.Store, o.Log, q.settled)
	q.notices.init(o.Incident, o.Changed)
	gates, err := o.Store.Gates(ctx)
	if err != nil {
		return nil, err
	}
	q.gates.load(gates)
	q.lookForStop()
	plans, err := o.Store.Plans(ctx)
	if err != nil {
		return nil, err
	}
	for _, p := range plans {
		if p.State != wa.PlanCancelled {
			q.Add(p)
		}
	}
	return q, nil
}

func withDefaults(o Options) Options {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Speed <= 0 {
		o.Speed = 1
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Connections <= 0 {
		o.Connections = defaultConnections
	}
	if o.MaxUnanswered <= 0 {
		o.MaxUnanswered = MaxUnanswered
	}
	if o.Changed == nil {
		o.Changed = func() {}
	}
	if o.Incident == nil {
		o.Incident = func(Incident) {}
	}
	return o
}

// Run sends until ctx ends. Then nothing begins any more; what was claimed and
// has not begun goes back, requests that are open get six seconds, and after that
// they are unknown.
func (q *Queue) Run(ctx context.Context) {
	sending, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	var inner sync.WaitGroup
	ended := make(chan struct{})
	inner.Go(func() { q.settler.run(ended) })
	inner.Go(func() { q.keeper.run(ended) })
	inner.Go(func() { q.notices.run(ended) })
	q.mu.Lock()
	q.running, q.sending = true, sending
	for _, c := range q.campaigns {
		q.runners.Go(c.run)
	}
	q.mu.Unlock()

	q.lookAround()
	q.watch(ctx)

	q.gates.end()
	q.mu.Lock()
	q.running = false
	q.mu.Unlock()
	q.runners.Wait()
	q.mu.Lock()
	q.sending = nil // nothing new begins to work
	q.mu.Unlock()
	rest := time.AfterFunc(drainFor, cut)
	q.work.Wait()
	rest.Stop()
	close(ended)
	inner.Wait()
}

// Add takes on a campaign that was just imported, or does nothing if it is known.
func (q *Queue) Add(p wa.Plan) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.campaigns[p.Campaign] != nil {
		return
	}
	c := newCampaign(q, p)
	q.campaigns[p.Campaign] = c
	if q.running {
		q.runners.Go(c.run)
	}
}

// Wake tells that a campaign may have messages again: of a retry, or because the
// operator has said what became of some.
func (q *Queue) Wake(campaign int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if c := q.campaigns[campaign]; c != nil {
		c.stirred()
	}
}

// deed starts something that the queue does by itself and that takes time. It
// tells whether it did: at its end the queue starts nothing. q.mu is held.
func (q *Queue) deed(do func(ctx context.Context)) bool {
	ctx := q.sending
	if ctx == nil {
		return false
	}
	q.work.Go(func() { do(ctx) })
	return true
}

// wakeAll makes every campaign look again.
func (q *Queue) wakeAll() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.nudgeAll()
}

// nudgeAll is wakeAll for who holds q.mu.
func (q *Queue) nudgeAll() {
	for _, c := range q.campaigns {
		c.nudge()
	}
}

// own turns a span of real time into one of the daemon's clock.
func (q *Queue) own(d time.Duration) time.Duration {
	return time.Duration(float64(d) * q.o.Speed)
}

// real turns a span of the daemon's clock into real time.
func (q *Queue) real(d time.Duration) time.Duration {
	return time.Duration(float64(d) / q.o.Speed)
}
