package notify

import (
	"context"
	"net/http"
	"time"

	"tickwatch/wa"
)

// judgedWithin is how old the latest judgement may be for a ping to say that all
// is well with the daemon, which judges every five seconds at the least.
const judgedWithin = 30 * time.Second

// Ping tells an outside watchman (healthchecks.io, an Uptime Kuma push monitor) that
// the daemon is alive and judges: who hears nothing raises the alarm that a dead
// machine cannot.
type Ping struct {
	place place
	every time.Duration
	idle  bool
}

// NewPing checks the address. Pings go while a campaign runs; with idle, always.
func NewPing(address wa.Secret, every time.Duration, idle bool) (*Ping, error) {
	p, err := newPlace("notify.ping_url", "a watchman", "its key", address)
	return &Ping{p, every, idle}, err
}

// Send pings once.
func (p *Ping) Send(ctx context.Context) error { return p.place.do(ctx, http.MethodGet, nil, nil) }

// ping pings until ctx ends. One that fails is not repeated before the next.
func (n *Notifier) ping(ctx context.Context) {
	tick := time.NewTicker(n.o.Ping.every)
	defer tick.Stop()
	trouble := ""
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if s := n.newest(); !n.o.Ping.wanted(&s, time.Now()) {
			continue
		}
		text := ""
		if err := n.o.Ping.Send(ctx); err != nil && ctx.Err() == nil {
			text = wa.Clean(err.Error())
		}
		if text != trouble && text != "" {
			n.o.Log.Warn("a ping did not arrive; the next is tried all the same", "error", text)
		}
		trouble = text
	}
}

// wanted tells whether the daemon judges, and a campaign runs.
func (p *Ping) wanted(s *state, now time.Time) bool {
	return !s.looked.IsZero() && now.Sub(s.looked) <= judgedWithin && (s.running || p.idle)
}
