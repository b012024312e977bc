package fallback

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"tickwatch/wa"
)

// Store keeps runs and their messages. An error means that nothing was stored. Who
// owns it tells the engine of every change of a run, in order (Set).
type Store interface {
	// ClaimFallback gives out messages that may be sent now, their attempts on disk.
	ClaimFallback(ctx context.Context, r wa.FallbackClaimRequest) (wa.FallbackClaims, error)
	// SettleFallback stores what became of claimed messages. Repeating it changes nothing.
	SettleFallback(ctx context.Context, outcomes ...wa.FallbackOutcome) error
	// SetFallbackRun gives a run another state, unless it is cancelled.
	SetFallbackRun(ctx context.Context, id int64, state string) (wa.FallbackRun, error)
	// ExpireFallback ends what waits of a run for too long, and says how many.
	ExpireFallback(ctx context.Context, run int64, now wa.Instant) (int64, error)
}

// Doubts keeps what may have gone out, and takes what a provider says of it.
type Doubts interface {
	// UnknownFallbacks gives those by some channels, the oldest first, from the one
	// after another on.
	UnknownFallbacks(ctx context.Context, channels []string, after wa.FallbackDoubt, now wa.Instant, limit int) ([]wa.FallbackDoubt, error)
	Ingest(ctx context.Context, p *wa.Post) error
}

// Gate is the way of one message past what can be paused.
type Gate interface {
	Begin() error   // asked right before its first byte leaves; the error wraps wa.ErrGateClosed
	Over()          // its request has come back, or was never made
	Barred() string // why it could not begin now; "" = it could
}

// EngineOptions of an Engine; Store, Channels and Gate are needed.
type EngineOptions struct {
	Store    Store
	Doubts   Doubts // nil = providers are not asked what became of a message
	Channels Channels
	Gate     func(channel, campaign string) Gate
	Now      func() time.Time              // the daemon's clock; nil = time.Now
	Speed    float64                       // how many of its seconds pass in a real one; 0 = 1
	Rate     map[string]float64            // messages a second by channel; one that is not there has usualRate
	Hold     func(phone string) wa.Instant // until when the person of a phone must not be reached, for its hours; nil = there are none
	Stalled  func() bool                   // nobody hears what arrives by WhatsApp; nil = it is always heard
	Log      *slog.Logger

	// Pause closes the gate of a channel whose provider refuses one message after the
	// other for the same reason: that is not the people's fault.
	Pause func(channel, reason string)
	// Changed is told that a run or what holds it has changed. It must be quick.
	Changed func()
}

// What a channel does at most.
const (
	usualRate    = 10              // messages a second
	connections  = 8               // requests at once
	lookAgain    = time.Second     // at what waits
	restFirst    = 5 * time.Second // after faults in a row; each further one doubles it
	restLongest  = 5 * time.Minute
	faultsToRest = 3
	sameToPause  = 20               // refusals in a row for the same reason
	askEvery     = 30 * time.Second // what became of messages
	askAtOnce    = 20
	settleAgain  = 250 * time.Millisecond
	drainFor     = 12 * time.Second // for requests under way when the daemon ends
	settleFor    = 2 * time.Second  // and then for the store
)

// Engine sends the messages of fallback runs: each channel at its own pace, past
// the gates, within the hours that are allowed where people are. Nothing leaves
// before a run's StartsAt, and after its first messages it waits for somebody to look.
// A provider that does not answer is left alone for a while, and what waits waits
// on, until its age limit. All methods may be called from any goroutine; only Run
// sends.
type Engine struct {
	o     EngineOptions
	lanes map[string]*lane

	mu    sync.Mutex
	runs  map[int64]*wa.FallbackRun
	begun map[int64]int64 // requests that are on their way, by run
}

// lane is one channel. All but its first fields are guarded by Engine.mu.
type lane struct {
	channel  string
	provider Provider
	wake     chan struct{} // capacity 1

	busy    int             // requests under way
	open    map[int64]int   // of these, by run
	left    map[int64]int64 // that waited at the latest claim, by run
	next    map[int64]wa.Instant
	stalled map[int64]bool      // some wait until the webhooks are live again, by run
	aged    map[int64]time.Time // when ages were looked at last, by run
	paid    time.Time           // until when the pace is used up
	rest    time.Time           // nothing is sent before
	faults  int                 // in a row
	problem string              // why it rests
	code    string              // of the latest refusal
	same    int                 // refusals with that code in a row
}

// NewEngine makes an engine of some runs. It sends nothing before Run.
func NewEngine(o EngineOptions, runs []wa.FallbackRun) *Engine {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Speed <= 0 {
		o.Speed = 1
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Stalled == nil {
		o.Stalled = func() bool { return false }
	}
	if o.Pause == nil {
		o.Pause = func(string, string) {}
	}
	if o.Changed == nil {
		o.Changed = func() {}
	}
	e := &Engine{o: o, lanes: map[string]*lane{}, runs: map[int64]*wa.FallbackRun{}, begun: map[int64]int64{}}
	for channel, p := range o.Channels {
		e.lanes[channel] = &lane{
			channel: channel, provider: p, wake: make(chan struct{}, 1),
			open: map[int64]int{}, left: map[int64]int64{}, next: map[int64]wa.Instant{}, aged: map[int64]time.Time{}, stalled: map[int64]bool{},
		}
	}
	for _, r := range runs {
		e.Set(r)
	}
	return e
}

// Set takes over a run that is new, or has changed. Of one that is cancelled nothing
// begins once it has returned.
func (e *Engine) Set(r wa.FallbackRun) {
	if r.State == wa.FallbackRunPlanning {
		return
	}
	e.mu.Lock()
	if have := e.runs[r.ID]; have == nil || have.State != wa.FallbackRunCancelled {
		e.runs[r.ID] = &r
	}
	e.mu.Unlock()
	e.Wake(r.ID)
}

// Wake tells that a run may have messages again.
func (e *Engine) Wake(run int64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, l := range e.lanes {
		delete(l.left, run)
		delete(l.next, run)
		l.nudge()
	}
}

func (l *lane) nudge() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// Run sends until ctx ends. Then nothing begins any more, and requests that are
// open get a few seconds; after that they are unknown.
func (e *Engine) Run(ctx context.Context) {
	sending, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	var lanes, requests sync.WaitGroup
	for _, l := range e.lanes {
		lanes.Go(func() { e.serve(ctx, sending, l, &requests) })
	}
	lanes.Go(func() { e.ask(ctx) })
	lanes.Wait()
	late := time.AfterFunc(drainFor, cut)
	defer late.Stop()
	requests.Wait()
}

// serve sends a channel's messages.
func (e *Engine) serve(ctx, sending context.Context, l *lane, requests *sync.WaitGroup) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-l.wake:
		case <-timer.C:
		}
		timer.Reset(e.real(e.step(ctx, sending, l, requests)))
	}
}

// real is a span of the daemon's clock in real time, and not too short.
func (e *Engine) real(d time.Duration) time.Duration {
	return max(time.Duration(float64(d)/e.o.Speed), 20*time.Millisecond)
}
