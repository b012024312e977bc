package queue

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"tickwatch/wa"
)

// Scopes of a gate, and the only channel so far.
const (
	scopeAll      = "all"
	scopeChannel  = "channel"
	scopeNumber   = "number"
	scopeCampaign = "campaign"
	whatsApp      = "whatsapp"
)

// byItself is who closes a gate when no operator does.
const byItself = "tickwatch"

// place names a gate.
type place struct{ scope, id string }

func (p place) check() error {
	switch p.scope {
	case scopeAll:
		if p.id == "" {
			return nil
		}
	case scopeChannel, scopeNumber, scopeCampaign:
		if p.id != "" {
			return nil
		}
	}
	return fmt.Errorf("there is no gate %q of %q: name everything, a channel, a number or a campaign", wa.Clean(p.id), wa.Clean(p.scope))
}

// gates are the places where sending can be paused, all under one lock that
// nobody holds for longer than it takes to look at a few fields.
type gates struct {
	mu      sync.Mutex
	at      map[place]*gate
	stopped bool          // the STOP file is there
	ending  bool          // the daemon ends
	ended   chan struct{} // closed when it does
	// loose are messages that a crash now would leave as unknown though no request
	// of theirs is open: claimed and not begun, or come back and not settled.
	loose   int
	changes int64 // counts what bars messages that were free to begin
}

// gate is one of these places, and what began there.
type gate struct {
	wa.Gate
	ever   bool      // it was closed once: it is shown and stored
	opened time.Time // when it was opened last: what began before says nothing of now
	epoch  int64     // of a campaign: messages that were claimed in an earlier one cannot begin

	begun   meter
	last    time.Time     // the latest start of a request
	open    int           // requests to Meta that have begun and not come back
	beside  int           // likewise, by other channels
	writing int           // of these, those that may not be wholly written yet
	written chan struct{} // closed when writing comes to 0; nil = nobody waits

	resumer string // who asked for OpensAt
	version int64  // of the state that is to be stored
	stored  int64  // the latest version that is
}

// pass is what one message needs to begin. All but its gates is guarded by gates.mu.
type pass struct {
	gates   [4]*gate // everything, channel, number, campaign
	epoch   int64
	begun   time.Time // zero = it has not
	revoked bool      // it never will
	written bool
	back    bool // its request has come back, or was never made
}

// load takes over what was stored, before anything is sent.
func (s *gates) load(stored []wa.Gate) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, g := range stored {
		into := s.get(place{g.Scope, g.ID})
		into.Gate, into.ever, into.resumer = g, true, byItself
	}
}

// get is the gate of a place. s.mu is held.
func (s *gates) get(p place) *gate {
	g := s.at[p]
	if g == nil {
		g = &gate{Gate: wa.Gate{Scope: p.scope, ID: p.id}}
		s.at[p] = g
	}
	return g
}

// find is the gate of a place.
func (s *gates) find(p place) *gate {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.get(p)
}

// passage is the way of a campaign's messages over a number, as of now.
func (s *gates) passage(campaign, number *gate) (all [4]*gate, epoch int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return [4]*gate{s.get(place{scopeAll, ""}), s.get(place{scopeChannel, whatsApp}), number, campaign}, campaign.epoch
}

// reserve makes room for messages that are about to be claimed, and says for how
// many there is.
func (s *gates) reserve(n int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n = max(0, min(n, maxClaim-s.loose))
	s.loose += n
	return n
}

// unreserve gives back what a claim did not use.
func (s *gates) unreserve(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.loose -= n
}

// barred is why a message cannot begin; nil when it can. s.mu is held.
func (s *gates) barred(p *pass) error {
	switch {
	case p.revoked:
		return fmt.Errorf("%w: it was taken back", wa.ErrGateClosed)
	case s.ending:
		return fmt.Errorf("%w: the daemon ends", wa.ErrGateClosed)
	case s.stopped:
		return fmt.Errorf("%w: the file STOP is there", wa.ErrGateClosed)
	case p.epoch != p.gates[3].epoch:
		return fmt.Errorf("%w: its campaign has changed since", wa.ErrGateClosed)
	}
	for _, g := range p.gates {
		if g.Closed {
			return fmt.Errorf("%w: %s", wa.ErrGateClosed, g.Scope)
		}
	}
	return nil
}

var errTwice = errors.New("this request has begun before: it is not sent a second time")

// begin lets a message begin if all of its gates are open, and notes the moment.
func (s *gates) begin(p *pass, now func() time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !p.begun.IsZero() {
		return errTwice
	}
	if err := s.barred(p); err != nil {
		return err
	}
	p.begun = now()
	s.loose--
	for _, g := range p.gates {
		g.begun.add(p.begun)
		g.last = p.begun
		g.open++
		g.writing++
	}
	return nil
}

// wrote notes that the bytes of a request have left.
func (s *gates) wrote(p *pass) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.written(p)
}

func (s *gates) written(p *pass) {
	if p.begun.IsZero() || p.written {
		return
	}
	p.written = true
	for _, g := range p.gates {
		if g.writing--; g.writing == 0 && g.written != nil {
			close(g.written)
			g.written = nil
		}
	}
}

// cameBack notes that a request is over, and says when it began; zero = it did not.
func (s *gates) cameBack(p *pass) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p.back {
		return p.begun
	}
	p.back, p.revoked = true, true
	if !p.begun.IsZero() {
		s.written(p)
		s.loose++
		for _, g := range p.gates {
			g.open--
		}
	}
	return p.begun
}

// revoke keeps a message from beginning, ever; false when it has begun.
func (s *gates) revoke(p *pass) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !p.begun.IsZero() {
		return false
	}
	p.revoked = true
	return true
}

// close closes a gate; from its return on nothing begins there. It says how it
// stood before, and gives a channel that is closed once what began has been
// written; nil when there is nothing to wait for.
func (s *gates) close(p place, by, reason string, now time.Time) (g *gate, before gate, written <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	g = s.get(p)
	before = *g
	s.shut(g, by, reason, now)
	if g.writing > 0 {
		if g.written == nil {
			g.written = make(chan struct{})
		}
		written = g.written
	}
	return g, before, written
}

// shut closes a gate and forgets that it was to open. s.mu is held.
func (s *gates) shut(g *gate, by, reason string, now time.Time) {
	g.ever = true
	g.OpensAt, g.resumer = 0, ""
	g.version++ // a resume that is on its way must not open it
	if !g.Closed {
		g.Closed, g.By, g.Reason, g.Since = true, by, reason, wa.At(now)
		s.changes++
	}
}

// closeAfter closes a gate by itself, for a refusal of a request that began at a
// moment: one that is closed, or was opened since, stays as it is. It tells
// whether it closed it.
func (s *gates) closeAfter(began time.Time, p place, reason string, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.get(p)
	if g.Closed || began.Before(g.opened) {
		return false
	}
	s.shut(g, byItself, reason, now)
	return true
}

// advance begins a new epoch of a campaign: nothing that was claimed before can begin.
func (s *gates) advance(g *gate) {
	s.mu.Lock()
	defer s.mu.Unlock()
	g.epoch++
	s.changes++
}

// stop notes whether the STOP file is there, and tells whether that is news.
func (s *gates) stop(there bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if there == s.stopped {
		return false
	}
	s.stopped = there
	s.changes++
	return true
}

// end keeps everything from beginning, for good.
func (s *gates) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ending = true
	s.changes++
	close(s.ended)
}

// settled notes that what became of a message is on disk.
func (s *gates) settled() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.loose--
}
