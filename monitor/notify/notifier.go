package notify

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"tickwatch/wa"
)

const (
	// gather is how long news waits for more, so that what happens at once is told at once.
	gather = 1500 * time.Millisecond
	// sendWithin bounds one try, and retryFirst and retryLast the wait for the next.
	sendWithin = 30 * time.Second
	retryFirst = 5 * time.Second
	retryLast  = 5 * time.Minute
	// troubledAfter is how many tries in a row fail before it is an alarm of its own.
	troubledAfter = 3
)

// Told is where it is kept what people were told.
type Told interface {
	Told(ctx context.Context) ([]wa.Told, error)
	SaveTold(ctx context.Context, all []wa.Told) error
}

// Target is a place where people are told.
type Target interface {
	// Name is the place for people: slack, webhook, command. It shows no secret.
	Name() string
	// ID tells it from all others, across restarts, and is none of its secrets.
	ID() string
	// Single tells that it takes one alarm at a time.
	Single() bool
	// Send says one thing, once. Its error shows no secret.
	Send(ctx context.Context, m *Message) error
}

// Options of a Notifier. Told is needed where there are targets.
type Options struct {
	Targets []Target
	Told    Told
	Least   string         // Watch or Act; "" = Watch
	Ping    *Ping          // nil = nobody waits for one
	Zone    *time.Location // of the times in messages; nil = the machine's
	Log     *slog.Logger   // nil = silent
}

// Notifier tells people of alarms. See the package for what it guarantees.
type Notifier struct {
	o       Options
	workers []*worker

	mu    sync.Mutex
	state state
}

// state is what the daemon last judged. It is replaced, never changed.
type state struct {
	now     wa.Instant // by the daemon's clock
	looked  time.Time  // by the machine's
	alarms  []Alarm
	running bool
}

// New makes a notifier; it does nothing before Run.
func New(o Options) *Notifier {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	n := &Notifier{o: o}
	for _, t := range o.Targets {
		n.workers = append(n.workers, &worker{n: n, target: t, wake: make(chan struct{}, 1), told: ledger{}})
	}
	return n
}

// Look hands over how the alarms stand: the open ones and the latest cleared, after
// every judgement. It waits for nobody. A nil Notifier tells nobody.
func (n *Notifier) Look(now wa.Instant, alarms []Alarm, running bool) {
	if n == nil {
		return
	}
	n.mu.Lock()
	n.state = state{now, time.Now(), alarms, running}
	n.mu.Unlock()
	for _, w := range n.workers {
		select {
		case w.wake <- struct{}{}:
		default:
		}
	}
}

func (n *Notifier) newest() state {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.state
}

// Trouble says which places have not been reached for a while, and why; "" = none.
func (n *Notifier) Trouble() string {
	if n == nil {
		return ""
	}
	text := ""
	for _, w := range n.workers {
		w.mu.Lock()
		if w.failures >= troubledAfter {
			text += fmt.Sprintf("%s: %s. ", w.target.Name(), w.trouble)
		}
		w.mu.Unlock()
	}
	return text
}

// Run tells people until ctx ends. What it could not tell by then is told after the
// next start, if it is still so.
func (n *Notifier) Run(ctx context.Context) {
	if n == nil {
		return
	}
	var parts sync.WaitGroup
	defer parts.Wait()
	if n.o.Ping != nil {
		parts.Go(func() { n.ping(ctx) })
	}
	if len(n.workers) == 0 {
		return
	}
	all, err := n.o.Told.Told(ctx)
	if err != nil {
		n.o.Log.Error("open alarms may be told again: what was told before cannot be read", "error", err)
	}
	for _, w := range n.workers {
		for _, t := range all {
			if t.Target == w.target.ID() {
				w.told[t.Alarm] = t
			}
		}
		parts.Go(func() { w.run(ctx) })
	}
}

// worker tells one place. Only run uses what is not under mu.
type worker struct {
	n      *Notifier
	target Target
	wake   chan struct{}
	told   ledger
	kept   []wa.Told // not on the disk yet

	since time.Time // when what is due now began to be; zero = nothing is
	rest  time.Time // no try before

	mu       sync.Mutex
	failures int
	trouble  string
}

func (w *worker) run(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-w.wake:
		case <-timer.C:
		}
		if pause := w.step(ctx); pause > 0 {
			timer.Reset(pause)
		}
	}
}

// step tells what is due, if it is time; else it says how long to wait. 0 = until
// there is news.
func (w *worker) step(ctx context.Context) time.Duration {
	s := w.n.newest()
	items := w.told.dues(s.now, s.alarms, w.least())
	if len(items) == 0 {
		w.since = time.Time{}
		return 0
	}
	now := time.Now()
	if w.since.IsZero() {
		w.since = now
	}
	if pause := max(gather-now.Sub(w.since), w.rest.Sub(now)); pause > 0 {
		return pause
	}
	if w.target.Single() {
		items = items[:1]
	}
	m := &Message{Items: items, At: s.now.Time(), Zone: w.n.o.Zone}
	within, cancel := context.WithTimeout(ctx, sendWithin)
	err := w.target.Send(within, m)
	cancel()
	if err != nil && ctx.Err() != nil {
		return 0
	}
	if pause := w.note(err); pause > 0 {
		w.rest = time.Now().Add(pause)
		return pause
	}
	w.keep(ctx, &s, items)
	return time.Millisecond // there may be more
}

func (w *worker) least() wa.ToldStage {
	if w.n.o.Least == Act {
		return wa.ToldAct
	}
	return wa.ToldWatch
}

// note keeps how a try went, and says how long to wait before the next.
func (w *worker) note(err error) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err == nil {
		if w.failures > 0 {
			w.n.o.Log.Info("people are told again", "by", w.target.Name())
		}
		w.failures, w.trouble = 0, ""
		return 0
	}
	pause := min(retryFirst<<min(w.failures, 10), retryLast)
	w.failures++
	if text := wa.Clean(err.Error()); text != w.trouble {
		w.trouble = text
		w.n.o.Log.Warn("people could not be told; it is tried again", "by", w.target.Name(), "error", text)
	}
	return pause + rand.N(pause/4) // so that many do not come back at once
}

// keep notes what was told: first here, so that a full disk repeats nothing.
func (w *worker) keep(ctx context.Context, s *state, items []Item) {
	maps.DeleteFunc(w.told, func(id int64, _ wa.Told) bool { // what is over cannot be told any more
		return !slices.ContainsFunc(s.alarms, func(a Alarm) bool { return a.ID == id })
	})
	for i := range items {
		a := &items[i].Alarm
		t := wa.Told{Target: w.target.ID(), Alarm: a.ID, Raised: a.RaisedAt, Stage: a.stage(), At: max(s.now, a.Woke)}
		t.Stage = max(t.Stage, w.told.of(a).Stage)
		w.told[a.ID] = t
		w.kept = append(w.kept, t)
	}
	if err := w.n.o.Told.SaveTold(context.WithoutCancel(ctx), w.kept); err != nil {
		w.n.o.Log.Error("what people were told is not on the disk; after a restart they may be told again", "error", err)
		w.kept = w.kept[max(0, len(w.kept)-1000):]
		return
	}
	w.kept = nil
	w.n.o.Log.Info("people are told", "by", w.target.Name(), "alarms", changes(items))
}

// changes lists alarms and what became of them, for the log.
func changes(items []Item) string {
	var all []string
	for i := range items {
		all = append(all, items[i].ref()+" "+string(items[i].Change))
	}
	return strings.Join(all, ", ")
}

// Test sends a test to every place, one after the other, and gives what came of it
// in their order; nil = it was taken.
func Test(ctx context.Context, targets []Target, now time.Time) []error {
	all := make([]error, len(targets))
	for i, t := range targets {
		within, cancel := context.WithTimeout(ctx, sendWithin)
		all[i] = t.Send(within, &Message{Test: true, At: now})
		cancel()
	}
	return all
}
