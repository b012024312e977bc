package queue

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"tickwatch/wa"
)

const (
	settleAtOnce = 256                    // outcomes in one commit
	settleRetry  = 250 * time.Millisecond // after a commit that failed
)

// settler stores what became of messages, all that has come up in one commit.
// What cannot be stored is kept and tried again; a single outcome that the store
// will not take holds up no other.
type settler struct {
	store Store
	log   *slog.Logger
	done  func([]settlement) // they are on disk
	wake  chan struct{}      // capacity 1

	mu      sync.Mutex
	waiting []settlement
	trouble error // of the latest commit; nil = it went well
}

// settlement is what became of a ticket.
type settlement struct {
	wa.Outcome
	ticket *ticket
}

func (s *settler) init(store Store, log *slog.Logger, done func([]settlement)) {
	s.store, s.log, s.done, s.wake = store, log, done, make(chan struct{}, 1)
}

// add takes outcomes that are to be stored. It never waits.
func (s *settler) add(all ...settlement) {
	s.mu.Lock()
	s.waiting = append(s.waiting, all...)
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// fault is why what waits cannot be stored; nil while the store works.
func (s *settler) fault() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.trouble
}

// run stores until ended is closed and nothing is left, or the store has failed
// for two seconds since. What is left then is on disk as claimed, and unknown at
// the next start.
func (s *settler) run(ended <-chan struct{}) {
	var last time.Time // of a try, once ended
	for {
		left := s.flush()
		if left == 0 {
			select {
			case <-s.wake:
				continue
			case <-ended:
			}
			if left = s.flush(); left == 0 {
				return
			}
		}
		select {
		case <-ended:
			if last.IsZero() {
				last = time.Now().Add(flushFor)
			}
			if time.Now().After(last) {
				s.log.Error("what became of some messages could not be stored; they will be unknown", "messages", left)
				return
			}
		default:
		}
		again := time.NewTimer(settleRetry)
		<-again.C
	}
}

// flush stores what waits, and says how much is left because that failed.
func (s *settler) flush() int {
	for {
		s.mu.Lock()
		batch := s.waiting
		if len(batch) > settleAtOnce {
			batch = batch[:settleAtOnce]
		}
		s.waiting = s.waiting[len(batch):]
		s.mu.Unlock()
		if len(batch) == 0 {
			s.note(nil)
			return 0
		}
		failed, err := s.settle(batch)
		s.note(err)
		if len(failed) > 0 {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.waiting = append(s.waiting, failed...) // at the end, so that others come first
			return len(s.waiting)
		}
	}
}

func (s *settler) note(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil && s.trouble == nil {
		s.log.Error("what became of messages cannot be stored; it is kept and tried again", "error", err)
	}
	s.trouble = err
}

// settle stores a batch, or else its halves: what the store will not take is
// found, and with it the rest is not lost. Two that fail alone are enough to
// know that the store is at fault. It returns what was not stored.
func (s *settler) settle(batch []settlement) (failed []settlement, err error) {
	alone := 0
	var try func([]settlement)
	try = func(part []settlement) {
		if alone >= 2 {
			failed = append(failed, part...)
			return
		}
		outcomes := make([]wa.Outcome, len(part))
		for i := range part {
			outcomes[i] = part[i].Outcome
		}
		fault := s.store.Settle(context.Background(), outcomes...)
		switch {
		case fault == nil:
			s.done(part)
			return
		case len(part) == 1:
			alone++
			failed, err = append(failed, part...), fault
			return
		}
		try(part[:len(part)/2])
		try(part[len(part)/2:])
	}
	try(batch)
	if alone < 2 && len(failed) < len(batch) {
		err = nil // the store works; one outcome is not to its taste
	}
	return failed, err
}
