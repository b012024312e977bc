package fallback

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
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
	// EndFallback ends what waits of a run, and says how many.
	EndFallback(ctx context.Context, run int64, reason string, expired bool) (int64, error)
}

// Doubts keeps what may have gone out, and takes what a provider says of it.
type Doubts interface {
	UnknownFallbacks(ctx context.Context, now wa.Instant, limit int) ([]wa.FallbackDoubt, error)
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
	Now      func() time.Time           // the daemon's clock; nil = time.Now
	Speed    float64                    // how many of its seconds pass in a real one; 0 = 1
	Rate     map[string]float64         // messages a second by channel; one that is not there has usualRate
	Hold     func(to string) wa.Instant // until when a phone must not be reached, for its hours; nil = there are none
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
// the gates, within the hours that are allowed where people are. Nothing leaves in
// a run's first minute, and after its first messages it waits for somebody to look.
// A provider that does not answer is left alone for a while, and what waits waits
// on, until its age limit. All methods may be called from any goroutine; only Run
// sends.
type Engine struct {
	o     EngineOptions
	lanes map[string]*lane

	mu   sync.Mutex
	runs map[int64]*wa.FallbackRun
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
	paid    time.Time // until when the pace is used up
	rest    time.Time // nothing is sent before
	faults  int       // in a row
	problem string    // why it rests
	code    string    // of the latest refusal
	same    int       // refusals with that code in a row
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
	if o.Pause == nil {
		o.Pause = func(string, string) {}
	}
	if o.Changed == nil {
		o.Changed = func() {}
	}
	e := &Engine{o: o, lanes: map[string]*lane{}, runs: map[int64]*wa.FallbackRun{}}
	for channel, p := range o.Channels {
		e.lanes[channel] = &lane{
			channel: channel, provider: p, wake: make(chan struct{}, 1),
			open: map[int64]int{}, left: map[int64]int64{}, next: map[int64]wa.Instant{},
		}
	}
	for _, r := range runs {
		e.Set(r)
	}
	return e
}

// Set takes over a run that is new, or has changed.
func (e *Engine) Set(r wa.FallbackRun) {
	if r.State == wa.FallbackRunPlanning {
		return
	}
	e.mu.Lock()
	e.runs[r.ID] = &r
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

// step does what can be done now, and says when to look again.
func (e *Engine) step(ctx, sending context.Context, l *lane, requests *sync.WaitGroup) time.Duration {
	next := time.Minute
	for _, r := range e.active(l.channel) {
		if ctx.Err() != nil {
			return next
		}
		next = min(next, e.advance(ctx, sending, l, r, requests))
	}
	return next
}

// active are the runs that may have something for a channel, oldest first.
func (e *Engine) active(channel string) (all []wa.FallbackRun) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, id := range slices.Sorted(maps.Keys(e.runs)) {
		if r := e.runs[id]; r.State != wa.FallbackRunCancelled && slices.Contains(r.Channels, channel) {
			all = append(all, *r)
		}
	}
	return all
}

// advance brings a run as far as it may go now.
func (e *Engine) advance(ctx, sending context.Context, l *lane, r wa.FallbackRun, requests *sync.WaitGroup) time.Duration {
	now := e.o.Now()
	if r.State == wa.FallbackRunPending {
		if wait := r.StartsAt.Time().Sub(now); wait > 0 {
			return wait
		}
		state := wa.FallbackRunRunning
		if r.LookAfter > 0 && r.LookAfter < r.Planned {
			state = wa.FallbackRunLook
		}
		if !e.set(ctx, &r, state) {
			return lookAgain
		}
	}
	if r.ExpiresAt != 0 && r.ExpiresAt <= wa.At(now) {
		e.expire(ctx, l, &r)
		return time.Minute
	}
	room, wait := e.room(l, &r, now)
	if room == 0 {
		return wait
	}
	got, err := e.o.Store.ClaimFallback(ctx, wa.FallbackClaimRequest{
		Run: r.ID, Channel: l.channel, Limit: room, Now: wa.At(now), Hold: e.hold(l.channel),
	})
	if err != nil {
		if ctx.Err() == nil {
			e.o.Log.Error("no fallback message can be claimed; it is tried again", "channel", l.channel, "error", err)
		}
		return lookAgain
	}
	e.claimed(l, &r, &got, now)
	for i := range got.Messages {
		m := got.Messages[i]
		requests.Go(func() { e.send(sending, l, r, &m) })
	}
	switch {
	case len(got.Messages) > 0:
		return 0
	case got.Left > 0:
		return lookAgain
	}
	return time.Minute
}

func (e *Engine) hold(channel string) func(string) wa.Instant {
	if channel == wa.ChannelEmail { // nobody is woken by one
		return nil
	}
	return e.o.Hold
}

func (e *Engine) set(ctx context.Context, r *wa.FallbackRun, state string) bool {
	now, err := e.o.Store.SetFallbackRun(ctx, r.ID, state)
	if err != nil {
		e.o.Log.Error("a fallback does not begin yet; it is tried again", "error", err)
		return false
	}
	*r = now
	e.o.Changed()
	return r.State == state
}

// expire ends what has waited too long.
func (e *Engine) expire(ctx context.Context, l *lane, r *wa.FallbackRun) {
	e.mu.Lock()
	left, asked := l.left[r.ID]
	e.mu.Unlock()
	if asked && left == 0 {
		return
	}
	if _, err := e.o.Store.EndFallback(ctx, r.ID, "waited too long", true); err != nil {
		e.o.Log.Error("a fallback that is too old could not be ended; it is tried again", "error", err)
		return
	}
	e.mu.Lock()
	l.left[r.ID] = 0
	e.mu.Unlock()
	e.o.Changed()
}

// room is how many messages of a run may be claimed now, and else when to look again.
func (e *Engine) room(l *lane, r *wa.FallbackRun, now time.Time) (room int, wait time.Duration) {
	if e.o.Gate(l.channel, r.Key).Barred() != "" {
		return 0, lookAgain
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if left, asked := l.left[r.ID]; asked && left == 0 {
		return 0, time.Minute
	}
	if looked(r) {
		return 0, lookAgain
	}
	if wait := l.rest.Sub(now); wait > 0 {
		return 0, min(wait, lookAgain)
	}
	free := connections - l.busy
	if l.faults >= faultsToRest { // one tries whether the provider is back
		free = 1 - l.busy
	}
	if quarter := now.Add(-time.Second / 4); l.paid.Before(quarter) { // what was not used is not made up for
		l.paid = quarter
	}
	switch {
	case free <= 0:
		return 0, lookAgain // its end wakes the lane
	case l.paid.After(now):
		return 0, l.paid.Sub(now)
	}
	return min(free, 1+int(now.Sub(l.paid).Seconds()*e.rate(l))), 0
}

// rate is how many messages a second a channel sends.
func (e *Engine) rate(l *lane) float64 { return cmp.Or(e.o.Rate[l.channel], usualRate) }

// looked tells whether the first messages of a run are out and wait for a look.
func looked(r *wa.FallbackRun) bool {
	return r.State == wa.FallbackRunLook && r.Taken >= r.LookAfter
}

// claimed takes in what a claim gave.
func (e *Engine) claimed(l *lane, r *wa.FallbackRun, got *wa.FallbackClaims, now time.Time) {
	e.mu.Lock()
	n := len(got.Messages)
	l.busy += n
	l.open[r.ID] += n
	before, asked := l.left[r.ID]
	l.left[r.ID], l.next[r.ID] = got.Left, got.Next
	l.paid = l.paid.Add(time.Duration(float64(n) / e.rate(l) * float64(time.Second)))
	changed := n > 0 || !asked || before != got.Left
	e.mu.Unlock()
	if changed {
		e.o.Changed()
	}
}

// send hands one message over, and has stored what became of it.
func (e *Engine) send(ctx context.Context, l *lane, r wa.FallbackRun, m *wa.FallbackMessage) {
	gate := e.o.Gate(l.channel, r.Key)
	answer, err := l.provider.Send(ctx, m, gate.Begin)
	gate.Over()
	now := e.o.Now()
	o := wa.FallbackOutcome{Attempt: m.Attempt, At: wa.At(now), Answer: answer}
	e.judge(ctx, l, &o, err, now)
	e.settle(ctx, o)
	e.mu.Lock()
	l.busy--
	l.open[r.ID]--
	if o.Answer.Kind == wa.FallbackThrottled || o.Answer.Kind == wa.FallbackNotSent {
		delete(l.left, r.ID)
	}
	e.mu.Unlock()
	l.nudge()
	e.o.Changed()
}

// judge takes in what an answer says of the provider, and when a message that did
// not go out may be tried again.
func (e *Engine) judge(ctx context.Context, l *lane, o *wa.FallbackOutcome, err error, now time.Time) {
	gated := errors.Is(err, wa.ErrGateClosed) || err != nil && ctx.Err() != nil
	e.mu.Lock()
	pause := ""
	switch o.Answer.Kind {
	case wa.FallbackAccepted, wa.FallbackOptedOut:
		l.faults, l.same, l.problem = 0, 0, ""
	case wa.FallbackRejected:
		l.faults, l.problem = 0, ""
		if l.same++; o.Answer.Code != l.code {
			l.code, l.same = o.Answer.Code, 1
		}
		if l.same == sameToPause {
			pause = "the provider refuses every message: " + cmp.Or(wa.Clean(o.Answer.Details), "code "+wa.Clean(o.Answer.Code), "no reason given")
		}
	case wa.FallbackThrottled:
		wait := max(o.Answer.RetryAfter, time.Second)
		l.rest, l.problem = now.Add(wait), cmp.Or(wa.Clean(o.Answer.Details), "the provider asks to go slower")
		o.Due = wa.At(l.rest)
	default:
		o.Due = wa.At(now.Add(restFirst))
		// What was under way when the lane came to rest broke by the same outage.
		if gated || l.faults >= faultsToRest && l.rest.After(now) {
			break
		}
		l.faults++
		if l.faults >= faultsToRest {
			l.rest = now.Add(min(restFirst<<min(l.faults-faultsToRest, 10), restLongest))
			l.problem = "the provider does not answer: " + cmp.Or(wa.Clean(o.Answer.Details), "no reason given")
		}
	}
	e.mu.Unlock()
	if pause != "" {
		e.o.Pause(l.channel, pause)
	}
}

// settle stores what became of a message, and tries again until that succeeds, or
// the daemon has ended and the store does not work: then it is unknown at the next
// start.
func (e *Engine) settle(ctx context.Context, o wa.FallbackOutcome) {
	var last time.Time
	for said := false; ; said = true {
		err := e.o.Store.SettleFallback(context.WithoutCancel(ctx), o)
		if err == nil {
			return
		}
		if !said {
			e.o.Log.Error("what became of a fallback message cannot be stored; it is kept and tried again", "error", err)
		}
		if ctx.Err() != nil {
			if last.IsZero() {
				last = time.Now().Add(settleFor)
			}
			if time.Now().After(last) {
				return
			}
		}
		again := time.NewTimer(settleAgain)
		<-again.C
	}
}

// Held says why nothing of a run goes out now, in a few words; "" when something
// does, is about to, or nothing is left.
func (e *Engine) Held(r *wa.FallbackRun) string {
	if r.State != wa.FallbackRunLook && r.State != wa.FallbackRunRunning {
		return ""
	}
	for _, channel := range r.Channels {
		l := e.lanes[channel]
		if l == nil {
			return "no provider of " + channel + " is set up"
		}
		if why := e.o.Gate(channel, r.Key).Barred(); why != "" {
			return why
		}
		if why := e.waits(l, r); why != "" {
			return why
		}
	}
	return ""
}

// waits says why a channel sends nothing of a run.
func (e *Engine) waits(l *lane, r *wa.FallbackRun) string {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := e.o.Now()
	switch left, asked := l.left[r.ID]; {
	case looked(r):
		return "the first are out: look, then r sends the rest"
	case asked && left == 0, l.open[r.ID] > 0:
		return ""
	case l.rest.After(now) && l.problem != "":
		return l.problem + ", next try " + l.rest.Format("15:04:05")
	case asked && l.next[r.ID] > wa.At(now):
		return "waits for the allowed hours, from " + l.next[r.ID].Time().Local().Format("Mon 15:04")
	}
	return ""
}
