package queue

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tickwatch/wa"
)

// discard is a store of gates that forgets them.
type discard struct{ Store }

func (discard) SaveGate(context.Context, wa.Gate) error { return nil }

func newGates() (*gates, *keeper) {
	s := &gates{at: map[place]*gate{}, ended: make(chan struct{})}
	k := &keeper{}
	k.init(s, discard{}, nil)
	return s, k
}

// Many begin while others close and open every gate there is: nothing begins
// between the return of a close and the opening that follows it.
func TestNothingBeginsBehindAClosedGate(t *testing.T) {
	s, k := newGates()
	places := []place{{scopeAll, ""}, {scopeChannel, whatsApp}, {scopeNumber, "100"}, {scopeNumber, "200"}, {scopeCampaign, "a"}, {scopeCampaign, "b"}}
	var shut [6]atomic.Bool // closed for sure
	var began, barred atomic.Int64
	stop := make(chan struct{})
	var senders, closers sync.WaitGroup
	for i := range 8 {
		senders.Go(func() {
			number, campaign := 2+i%2, 4+i/2%2
			for {
				select {
				case <-stop:
					return
				default:
				}
				s.reserve(1)
				var p pass
				p.gates, p.epoch = s.passage(s.find(places[campaign]), s.find(places[number]))
				err := s.begin(&p, func() time.Time { // the gates are locked here
					for _, at := range []int{0, 1, number, campaign} {
						if shut[at].Load() {
							t.Errorf("a message begins behind the closed gate of %v", places[at])
						}
					}
					return time.Now()
				})
				if err != nil {
					barred.Add(1)
				} else {
					began.Add(1)
				}
				s.wrote(&p)
				s.cameBack(&p)
				s.settled()
			}
		})
	}
	for i := range places {
		closers.Go(func() {
			for range 500 {
				g, _, written := s.close(places[i], "ana", "", time.Now())
				shut[i].Store(true)
				if written != nil {
					<-written
				}
				s.mu.Lock()
				version, writing := g.version, g.writing
				s.mu.Unlock()
				if writing > 0 {
					t.Errorf("%d messages are still being written behind the closed gate of %v", writing, places[i])
				}
				shut[i].Store(false)
				if err := k.open(t.Context(), g, version, "ana", time.Now); err != nil {
					t.Error(err)
				}
				runtime.Gosched() // lets some begin
			}
		})
	}
	closers.Wait()
	close(stop)
	senders.Wait()
	if began.Load() == 0 || barred.Load() == 0 {
		t.Errorf("%d began and %d were barred: the test has shown nothing", began.Load(), barred.Load())
	}
	for _, g := range s.at {
		if g.open != 0 || g.writing != 0 {
			t.Errorf("gate %v counts %d open and %d that are being written", g.Gate, g.open, g.writing)
		}
	}
	if s.loose != 0 {
		t.Errorf("%d messages are on their way, and there are none", s.loose)
	}
}

func TestWhatBarsAMessage(t *testing.T) {
	for name, bar := range map[string]func(s *gates, p *pass){
		"everything":  func(s *gates, _ *pass) { s.close(place{scopeAll, ""}, "", "", time.Now()) },
		"channel":     func(s *gates, _ *pass) { s.close(place{scopeChannel, whatsApp}, "", "", time.Now()) },
		"number":      func(s *gates, _ *pass) { s.close(place{scopeNumber, "100"}, "", "", time.Now()) },
		"campaign":    func(s *gates, _ *pass) { s.close(place{scopeCampaign, "a"}, "", "", time.Now()) },
		"a new epoch": func(s *gates, _ *pass) { s.advance(s.find(place{scopeCampaign, "a"})) },
		"the file":    func(s *gates, _ *pass) { s.stop(true) },
		"the end":     func(s *gates, _ *pass) { s.end() },
		"taken back":  func(s *gates, p *pass) { s.revoke(p) },
	} {
		s, _ := newGates()
		for _, other := range []place{{scopeNumber, "200"}, {scopeCampaign, "b"}, {scopeChannel, "sms"}} {
			s.close(other, "", "", time.Now())
		}
		var free, p pass
		free.gates, free.epoch = s.passage(s.find(place{scopeCampaign, "a"}), s.find(place{scopeNumber, "100"}))
		p = free
		if err := s.begin(&free, time.Now); err != nil {
			t.Errorf("%s: barred too early: %v", name, err)
		}
		bar(s, &p)
		if err := s.begin(&p, time.Now); !errors.Is(err, wa.ErrGateClosed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func BenchmarkBegin(b *testing.B) {
	s, _ := newGates()
	campaign, number := s.find(place{scopeCampaign, "a"}), s.find(place{scopeNumber, "100"})
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			var p pass
			p.gates, p.epoch = s.passage(campaign, number)
			if err := s.begin(&p, time.Now); err != nil {
				b.Error(err)
			}
			s.wrote(&p)
			s.cameBack(&p)
			s.settled()
		}
	})
}
