package fallback_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tickwatch/monitor/fallback"
	"tickwatch/wa"
)

// queue is a store for tests of time, which run on a clock of their own where no
// disk can be waited for.
type queue struct {
	mu       sync.Mutex
	run      wa.FallbackRun
	waiting  []int64 // attempts
	due      map[int64]wa.Instant
	late     map[int64]wa.Instant // when those are due that are later than the others
	outcomes map[int64][]wa.FallbackAnswerKind
	ended    int64
	broken   error
	changed  func(r wa.FallbackRun) // the run; q.mu is held
}

// tell tells the engine of a change. q.mu is held.
func (q *queue) tell() {
	if q.changed != nil {
		q.changed(q.run)
	}
}

func newQueue(n int, r wa.FallbackRun) *queue {
	q := &queue{run: r, due: map[int64]wa.Instant{}, outcomes: map[int64][]wa.FallbackAnswerKind{}}
	for i := range n {
		q.waiting = append(q.waiting, int64(i+1))
	}
	q.run.Planned = int64(n)
	return q
}

func (q *queue) ClaimFallback(_ context.Context, r wa.FallbackClaimRequest) (c wa.FallbackClaims, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.broken != nil {
		return c, q.broken
	}
	limit := r.Limit
	if q.run.State == wa.FallbackRunLook {
		limit = int(min(int64(limit), q.run.LookAfter-q.run.Taken))
	}
	var left []int64
	for _, id := range q.waiting {
		if q.due[id] <= r.Now && r.Hold != nil {
			q.due[id] = max(q.due[id], r.Hold("+351"))
		}
		if len(c.Messages) < limit && q.due[id] <= r.Now {
			c.Messages = append(c.Messages, wa.FallbackMessage{Channel: r.Channel, Attempt: wa.FallbackAttempt{ID: id}})
			continue
		}
		left = append(left, id)
		if c.Next == 0 || q.due[id] < c.Next {
			c.Next = q.due[id]
		}
	}
	q.waiting, c.Left = left, int64(len(left))
	if len(c.Messages) > 0 {
		q.run.Taken += int64(len(c.Messages))
		q.tell()
	}
	return c, nil
}

func (q *queue) SettleFallback(_ context.Context, all ...wa.FallbackOutcome) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.broken != nil {
		return q.broken
	}
	for _, o := range all {
		q.outcomes[o.Attempt.ID] = append(q.outcomes[o.Attempt.ID], o.Answer.Kind)
		if o.Answer.Kind == wa.FallbackThrottled || o.Answer.Kind == wa.FallbackNotSent {
			q.waiting, q.due[o.Attempt.ID] = append(q.waiting, o.Attempt.ID), o.Due
			q.run.Taken--
			q.tell()
		}
	}
	return nil
}

func (q *queue) SetFallbackRun(_ context.Context, _ int64, state string) (wa.FallbackRun, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.run.State = state
	q.tell()
	return q.run, q.broken
}

func (q *queue) ExpireFallback(_ context.Context, _ int64, now wa.Instant) (int64, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	before := len(q.waiting)
	q.waiting = slices.DeleteFunc(q.waiting, func(id int64) bool { return q.run.ExpiresAt+max(q.late[id]-q.run.StartsAt, 0) <= now })
	n := int64(before - len(q.waiting))
	q.ended += n
	return n, nil
}

func (q *queue) look(do func(q *queue)) {
	q.mu.Lock()
	defer q.mu.Unlock()
	do(q)
}

// gate is a gate that a test opens and closes.
type gate struct {
	mu     sync.Mutex
	closed bool
}

func (g *gate) set(closed bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = closed
}

func (g *gate) Barred() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return "paused"
	}
	return ""
}

func (g *gate) Begin() error {
	if g.Barred() != "" {
		return wa.ErrGateClosed
	}
	return nil
}

func (g *gate) Over() {}

// provider answers as it is told.
type provider struct {
	mu     sync.Mutex
	answer func(n int) wa.FallbackAnswerKind
	dials  time.Duration // how long a connection takes
	begun  []time.Time
}

func (p *provider) Quote(*wa.FallbackMessage) fallback.Quote { return fallback.Quote{} }
func (p *provider) Receive(*http.Request, []byte) (fallback.Received, error) {
	return fallback.Received{}, fallback.ErrSignature
}

func (p *provider) Send(ctx context.Context, m *wa.FallbackMessage, begin func() error) (wa.FallbackAnswer, error) {
	time.Sleep(p.dials)
	if err := begin(); err != nil {
		return wa.FallbackAnswer{Kind: wa.FallbackNotSent}, fmt.Errorf("not sent: %w", err)
	}
	p.mu.Lock()
	p.begun = append(p.begun, time.Now())
	n := len(p.begun)
	kind := wa.FallbackAccepted
	if p.answer != nil {
		kind = p.answer(n)
	}
	p.mu.Unlock()
	select {
	case <-time.After(100 * time.Millisecond):
	case <-ctx.Done():
	}
	return wa.FallbackAnswer{Kind: kind, Code: "9"}, nil
}

func (p *provider) sends() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.begun)
}

// ordered is a run that has just been ordered.
func ordered() wa.FallbackRun {
	now := time.Now()
	return wa.FallbackRun{
		ID: 1, Key: "autumn", State: wa.FallbackRunPending, Channels: []string{wa.ChannelSMS},
		OrderedAt: wa.At(now), StartsAt: wa.At(now.Add(time.Minute)), ExpiresAt: wa.At(now.Add(24 * time.Hour)), LookAfter: 50,
	}
}

// started is an engine under way; the test ends it.
func started(t *testing.T, q *queue, p *provider, g *gate, more func(o *fallback.EngineOptions)) *fallback.Engine {
	o := fallback.EngineOptions{
		Store: q, Channels: fallback.Channels{wa.ChannelSMS: p}, Gate: func(string, string) fallback.Gate { return g },
	}
	if more != nil {
		more(&o)
	}
	e := fallback.NewEngine(o, []wa.FallbackRun{q.run})
	q.changed = e.Set
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); e.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	return e
}

// wait lets time pass until nothing is about to happen.
func wait(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// In the first minute nothing leaves; then the first fifty do, at their pace, and
// the rest only after somebody has looked.
func TestEngineUndoLookAndPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, p := newQueue(200, ordered()), &provider{}
		e := started(t, q, p, &gate{}, nil)
		wait(59 * time.Second)
		if n := p.sends(); n != 0 {
			t.Fatalf("%d messages left in the first minute", n)
		}
		wait(3 * time.Second)
		if n := p.sends(); n < 15 || n > 26 {
			t.Errorf("%d messages within two seconds, at ten a second", n)
		}
		wait(time.Hour)
		if n := p.sends(); n != 50 {
			t.Fatalf("%d messages left before the look", n)
		}
		if why := e.Held(&q.run); why == "" {
			t.Error("nothing says that it waits for a look")
		}
		_, _ = q.SetFallbackRun(t.Context(), 1, wa.FallbackRunRunning)
		wait(time.Minute)
		if n := p.sends(); n != 200 {
			t.Errorf("%d of 200 left in the end", n)
		}
	})
}

// A pause holds what waits, whenever it comes, and loses nothing.
func TestEngineGate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, p, g := newQueue(40, ordered()), &provider{}, &gate{}
		started(t, q, p, g, nil)
		wait(62 * time.Second)
		g.set(true)
		n := p.sends()
		wait(time.Hour)
		if now := p.sends(); now != n {
			t.Errorf("%d messages left after the pause", now-n)
		}
		g.set(false)
		wait(time.Minute)
		if now := p.sends(); now != 40 {
			t.Errorf("%d of 40 left in the end", now)
		}
	})
}

// What was taken when its run is cancelled does not begin any more, and what has begun
// is counted.
func TestEngineCancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, p := newQueue(40, ordered()), &provider{dials: 10 * time.Second}
		e := started(t, q, p, &gate{}, nil)
		wait(65 * time.Second)
		if n := e.Open(1); n != 0 || q.run.Taken != 8 {
			t.Errorf("%d of %d are on their way before they have begun", n, q.run.Taken)
		}
		_, _ = q.SetFallbackRun(t.Context(), 1, wa.FallbackRunCancelled)
		wait(time.Hour)
		if n := p.sends(); n != 0 {
			t.Errorf("%d messages left after the cancel", n)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		q, p := newQueue(1, ordered()), &provider{}
		e := started(t, q, p, &gate{}, nil)
		wait(time.Minute + 50*time.Millisecond)
		if n := e.Open(1); n != 1 {
			t.Errorf("%d are on their way, and one is", n)
		}
		wait(time.Second)
		if n := e.Open(1); n != 0 {
			t.Errorf("%d are on their way after the answer", n)
		}
	})
}

// Outside the allowed hours everybody waits, and goes out when they come: by e-mail, too.
func TestEngineHours(t *testing.T) {
	for _, channel := range wa.FallbackChannels {
		t.Run(channel, func(t *testing.T) { testEngineHours(t, channel) })
	}
}

func testEngineHours(t *testing.T, channel string) {
	synctest.Test(t, func(t *testing.T) {
		opens := wa.At(time.Now().Add(9 * time.Hour))
		r := ordered()
		r.Channels = []string{channel}
		q, p := newQueue(20, r), &provider{}
		e := started(t, q, p, &gate{}, func(o *fallback.EngineOptions) {
			o.Channels = fallback.Channels{channel: p}
			o.Hold = func(string) wa.Instant {
				if wa.At(time.Now()) < opens {
					return opens
				}
				return 0
			}
		})
		wait(8 * time.Hour)
		if n := p.sends(); n != 0 {
			t.Fatalf("%d messages left outside the allowed hours", n)
		}
		q.look(func(q *queue) {
			if why := e.Held(&q.run); why == "" {
				t.Error("nothing says that it waits for the hours")
			}
		})
		wait(time.Hour + time.Minute)
		if n := p.sends(); n != 20 {
			t.Errorf("%d of 20 left", n)
		}
	})
}

// A provider that is gone is tried now and then, not hammered; what waits goes out
// when it is back, and what waited too long does not.
func TestEngineOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := ordered()
		r.LookAfter = 0
		back := time.Now().Add(30 * time.Minute)
		q, p := newQueue(30, r), &provider{}
		p.answer = func(int) wa.FallbackAnswerKind {
			if time.Now().Before(back) {
				return wa.FallbackNotSent
			}
			return wa.FallbackAccepted
		}
		started(t, q, p, &gate{}, nil)
		wait(29 * time.Minute)
		if n := p.sends(); n < 8 || n > 40 {
			t.Errorf("%d requests to a provider that is gone for half an hour", n)
		}
		wait(10 * time.Minute)
		q.look(func(q *queue) {
			for id, kinds := range q.outcomes {
				if kinds[len(kinds)-1] != wa.FallbackAccepted {
					t.Errorf("message %d ended as %v", id, kinds)
				}
			}
			if len(q.outcomes) != 30 {
				t.Errorf("%d of 30 went out", len(q.outcomes))
			}
		})
	})
	synctest.Test(t, func(t *testing.T) {
		q, p := newQueue(30, ordered()), &provider{answer: func(int) wa.FallbackAnswerKind { return wa.FallbackNotSent }}
		started(t, q, p, &gate{}, nil)
		wait(25 * time.Hour)
		q.look(func(q *queue) {
			if q.ended != 30 {
				t.Errorf("%d of 30 expired", q.ended)
			}
		})
	})
	// What is due after the age limit of the others waits for its hour.
	synctest.Test(t, func(t *testing.T) {
		r := ordered()
		r.LookAfter = 0
		q, p := newQueue(30, r), &provider{}
		opens := wa.At(time.Now().Add(36 * time.Hour))
		q.late = map[int64]wa.Instant{}
		for _, id := range q.waiting {
			q.due[id], q.late[id] = opens, opens
		}
		started(t, q, p, &gate{}, nil)
		wait(37 * time.Hour)
		if n := p.sends(); n != 30 || q.ended != 0 {
			t.Errorf("%d of 30 went out at their hour, %d expired", n, q.ended)
		}
	})
	// However many requests break at once, it is one outage.
	synctest.Test(t, func(t *testing.T) {
		r := ordered()
		r.LookAfter = 0
		q, p := newQueue(30, r), &provider{answer: func(n int) wa.FallbackAnswerKind {
			if n <= 8 {
				return wa.FallbackUnknown
			}
			return wa.FallbackAccepted
		}}
		started(t, q, p, &gate{}, func(o *fallback.EngineOptions) { o.Rate = map[string]float64{wa.ChannelSMS: 100} })
		wait(time.Minute + 20*time.Second)
		if n := p.sends(); n != 30 {
			t.Errorf("%d of 30 went out twenty seconds after 8 requests broke at once", n)
		}
	})
}

// One that refuses everybody for the same reason is paused; and what may have gone
// out is never sent again.
func TestEngineRefusals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := ordered()
		r.LookAfter = 0
		q, p, g := newQueue(100, r), &provider{answer: func(int) wa.FallbackAnswerKind { return wa.FallbackRejected }}, &gate{}
		var why string
		started(t, q, p, g, func(o *fallback.EngineOptions) {
			o.Pause = func(channel, reason string) { why = channel + ": " + reason; g.set(true) }
		})
		wait(time.Hour)
		first := p.sends()
		if first < 20 || first > 30 || why == "" {
			t.Errorf("%d were refused before the channel was paused (%q)", first, why)
		}
		why = ""
		g.set(false) // resumed, and it is not mended
		wait(time.Hour)
		if n := p.sends() - first; n < 20-8 || n > 30 || why == "" { // those that were on their way count, too
			t.Errorf("after a resume %d were refused before it was paused again (%q)", n, why)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		r := ordered()
		r.LookAfter = 0
		q, p := newQueue(10, r), &provider{answer: func(int) wa.FallbackAnswerKind { return wa.FallbackUnknown }}
		started(t, q, p, &gate{}, nil)
		wait(3 * time.Hour)
		q.look(func(q *queue) {
			for id, kinds := range q.outcomes {
				if len(kinds) != 1 {
					t.Errorf("message %d, which may have gone out, was sent %d times", id, len(kinds))
				}
			}
			if len(q.outcomes) != 10 {
				t.Errorf("%d of 10 were tried", len(q.outcomes))
			}
		})
	})
}

// What the store cannot take is kept until it can.
func TestEngineStoreFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := ordered()
		r.LookAfter = 0
		q, p := newQueue(20, r), &provider{}
		p.answer = func(n int) wa.FallbackAnswerKind {
			if n == 5 {
				q.look(func(q *queue) { q.broken = errors.New("the disk is full") })
			}
			return wa.FallbackAccepted
		}
		started(t, q, p, &gate{}, nil)
		wait(5 * time.Minute)
		n := p.sends()
		if n > 5+8 {
			t.Errorf("%d were sent though nothing could be stored", n)
		}
		q.look(func(q *queue) { q.broken = nil })
		wait(time.Minute)
		q.look(func(q *queue) {
			if len(q.outcomes) != 20 {
				t.Errorf("what became of %d of 20 is known", len(q.outcomes))
			}
			for id, kinds := range q.outcomes {
				if len(kinds) != 1 {
					t.Errorf("message %d was sent %d times", id, len(kinds))
				}
			}
		})
	})
}

// asked is a provider that knows of the latest messages alone.
type asked struct {
	provider
	from  int64 // the first that it knows
	about map[int64]int
}

func (p *asked) LookUp(_ context.Context, m fallback.Attempted) (wa.FallbackReceipt, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.about[m.Message.Attempt.ID]++
	if m.Message.Attempt.ID < p.from {
		return wa.FallbackReceipt{}, fallback.ErrNotFound
	}
	return wa.FallbackReceipt{State: wa.FallbackDelivered}, nil
}

// doubts are messages that may have gone out.
type doubts struct {
	mu  sync.Mutex
	all []wa.FallbackDoubt
}

func (d *doubts) UnknownFallbacks(_ context.Context, channels []string, after wa.FallbackDoubt, _ wa.Instant, limit int) (some []wa.FallbackDoubt, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, x := range d.all {
		if slices.Contains(channels, x.Channel) && x.Attempt.ID > after.Attempt.ID && len(some) < limit {
			some = append(some, x)
		}
	}
	return some, nil
}

func (d *doubts) Ingest(_ context.Context, p *wa.Post) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.all = slices.DeleteFunc(d.all, func(x wa.FallbackDoubt) bool { return x.Attempt.ID == p.Receipts[0].Attempt.ID })
	return nil
}

// Messages of which a provider knows nothing, and those of one that cannot be asked,
// keep it from being asked of no other.
func TestEngineAsksOfAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, sms := &doubts{}, &asked{from: 51, about: map[int64]int{}}
		for id := int64(1); id <= 60; id++ {
			x := wa.FallbackDoubt{FallbackMessage: wa.FallbackMessage{Channel: wa.ChannelSMS, Attempt: wa.FallbackAttempt{ID: id}}}
			if id <= 30 {
				x.Channel = wa.ChannelEmail
			}
			d.all = append(d.all, x)
		}
		started(t, newQueue(0, ordered()), &provider{}, &gate{}, func(o *fallback.EngineOptions) {
			o.Doubts, o.Channels = d, fallback.Channels{wa.ChannelSMS: sms, wa.ChannelEmail: &provider{}}
		})
		wait(5 * time.Minute)
		d.mu.Lock()
		defer d.mu.Unlock()
		if len(d.all) != 50 || len(sms.about) != 30 || sms.about[31] < 3 {
			t.Errorf("%d are in doubt; asked of %v", len(d.all), sms.about)
		}
	})
}
