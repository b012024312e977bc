package monitor_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"tickwatch/monitor"
	"tickwatch/monitor/link"
	"tickwatch/monitor/notify"
	"tickwatch/wa"
)

// itself are the gates that tickwatch has closed, and the actions that it has done.
func itself(s *link.Snapshot) (closed, done int) {
	for _, g := range s.Gates {
		if g.By == "tickwatch" && g.State == link.GatePaused && strings.HasPrefix(g.Reason, "Paused by itself: ") {
			closed++
		}
	}
	for _, a := range s.Actions {
		if a.Operator == "tickwatch" && a.Verb == "pause" {
			done++
		}
	}
	return closed, done
}

// Another system's campaign is paused as an operator would: its gate closes, once,
// and not again after somebody has opened it, whatever the daemon remembers.
func TestActingOnAnothersCampaign(t *testing.T) {
	clock, dir := newHand(), t.TempDir()
	acting := func(o *monitor.Options) { o.Auto = monitor.Auto{Delivery: monitor.AutoAct} }
	r := start(t, dir, clock, acting)
	r.batch(t, "a", 300, 60, 131026)
	for range 3 {
		clock.forward(7 * time.Second)
		r.looked()
	}
	s := r.looked()
	if closed, done := itself(s); closed != 1 || done != 1 || s.Gates[0].ID != "autumn" {
		t.Fatalf("%+v, %+v", s.Gates, s.Actions)
	}
	if got := open(r.looked()); len(got) != 1 || !strings.HasPrefix(got[0].Pause, "tickwatch has noted it as paused: pause it where it is sent from, too.") {
		t.Errorf("%+v", got)
	}
	clock.forward(time.Second)
	ask[link.Receipt](t, r, link.VerbResume, link.ResumeArgs{GateArgs: link.GateArgs{Scope: link.ScopeCampaign, ID: "autumn"}})
	for range 2 {
		clock.forward(7 * time.Second)
		if closed, done := itself(r.looked()); closed != 0 || done != 1 {
			t.Errorf("after a resume: %d closed, %d done", closed, done)
		}
		r.stop()
		r = start(t, dir, clock, acting) // it remembers nothing but what is stored
	}
}

// reader is a place where people read whole messages.
type reader chan string

func (reader) Name() string { return "reader" }
func (reader) ID() string   { return "reader 1" }
func (reader) Single() bool { return true }

func (r reader) Send(_ context.Context, m *notify.Message) error {
	r <- m.Text()
	return nil
}

// What people are told agrees with what the console says: what is paused by itself is
// said to be, with the reason, and nobody is told to pause for what no pause mends.
func TestPeopleAreToldWhatTheConsoleSays(t *testing.T) {
	for name, c := range map[string]struct {
		code  int
		mode  string
		said  []string
		never string
	}{
		"paused by itself": {131026, monitor.AutoAct, []string{
			"It is noted here as paused already: tickwatch has done it by itself: ", "tickwatch has noted it as paused: pause it where it is sent from, too.", "From a shell: tickwatch status",
		}, "(p)"},
		"advised":                {131026, monitor.AutoAdvise, []string{"a pause here (p) asks for that", "In the console p asks for a pause", "tickwatch pause autumn"}, "paused already"},
		"the key is not to name": {131026, monitor.AutoOff, []string{"Stop it where it is sent from.", "From a shell: tickwatch status"}, "pause"},
		"withheld":               {131049, monitor.AutoAct, []string{"do not pause for them", "From a shell: tickwatch status"}, "tickwatch pause"},
	} {
		read := make(reader, 10)
		r := start(t, t.TempDir(), newHand(), func(o *monitor.Options) {
			o.Auto = monitor.Auto{Delivery: c.mode}
			o.Notify = notify.New(notify.Options{Targets: []notify.Target{read}, Told: o.Store, Least: notify.Act})
		})
		r.batch(t, "a", 300, 60, c.code)
		for range 3 {
			r.clock.forward(7 * time.Second)
			r.looked()
		}
		text := <-read
		for _, said := range c.said {
			if !strings.Contains(text, said) {
				t.Errorf("%s: no %q in\n%s", name, said, text)
			}
		}
		if strings.Contains(text, c.never) {
			t.Errorf("%s: %q is said in\n%s", name, c.never, text)
		}
		r.stop()
	}
}

// By itself nothing is done, and with off nothing is said of it.
func TestNotActing(t *testing.T) {
	for _, mode := range []string{monitor.AutoAdvise, monitor.AutoOff, ""} {
		clock := newHand()
		r := start(t, t.TempDir(), clock, func(o *monitor.Options) { o.Auto = monitor.Auto{Delivery: mode} })
		r.batch(t, "a", 300, 60, 131026)
		for range 3 {
			clock.forward(7 * time.Second)
			r.looked()
		}
		s := r.looked()
		if closed, done := itself(s); closed != 0 || done != 0 || open(s)[0].Pause != "" {
			t.Errorf("%q: %d closed, %d done, %+v", mode, closed, done, open(s))
		}
		if named := strings.Contains(open(s)[0].Advice, "(p)"); named != (mode != monitor.AutoOff) {
			t.Errorf("%q: the key is named: %v: %q", mode, named, open(s)[0].Advice)
		}
	}
}

// A silence that looked calm, and was none: the messages of it come late, with their
// old times. The alarm says when it was, and clears.
func TestWhatComesLateTellsOfASilence(t *testing.T) {
	clock := newHand()
	r := start(t, t.TempDir(), clock)
	r.batch(t, "a", 100, 2, 131026) // all answered: what follows looks like an end
	clock.forward(30 * time.Second)
	old := clock.now()
	clock.forward(4 * time.Minute)
	if got := open(r.looked()); len(got) != 0 {
		t.Fatalf("a calm silence: %+v", got)
	}
	var late []update
	for i := range 60 {
		id := fmt.Sprintf("late%06d", i)
		late = append(late, update{id, "sent", old.Unix(), 0}, update{id, "delivered", old.Unix() + 2, 0})
	}
	r.post(t, body(late), clock.now())
	got := open(r.looked())
	if len(got) != 1 || got[0].Kind != "feed" || got[0].Severity != "watch" ||
		!strings.Contains(got[0].Text, "came late since, with its old times: it was the feed, not the campaign") {
		t.Fatalf("%+v", got)
	}
	clock.forward(90 * time.Second)
	if got := open(r.looked()); len(got) != 0 {
		t.Errorf("it has caught up: %+v", got)
	}
}

// Messages that come in time after a calm silence are no outage.
func TestACalmSilenceStaysCalm(t *testing.T) {
	clock := newHand()
	r := start(t, t.TempDir(), clock)
	r.batch(t, "a", 100, 2, 131026)
	clock.forward(5 * time.Minute)
	r.looked()
	r.batch(t, "b", 100, 2, 131026)
	clock.forward(5 * time.Second)
	if got := open(r.looked()); len(got) != 0 {
		t.Errorf("%+v", got)
	}
}

// Polls that tell of no number, as with a dead token, are an alarm while a campaign
// runs: the quality that shows is old.
func TestSilentPolls(t *testing.T) {
	var dead atomic.Bool
	dead.Store(true)
	clock := newHand()
	r := start(t, t.TempDir(), clock, func(o *monitor.Options) {
		o.Sending.Speed = 1e6 // asks four times a second
		o.Sending.Poll = func(context.Context, []int64) (wa.Poll, error) {
			if dead.Load() {
				return wa.Poll{}, errors.New("the access token has expired")
			}
			return wa.Poll{Account: "1", Numbers: []wa.PolledNumber{{ID: "500", Display: "4915550001", Quality: wa.QualityGreen}}}, nil
		}
	})
	r.batch(t, "a", 300, 6, 131026)
	until := func(what string, seen func(*link.Snapshot) bool) {
		t.Helper()
		for deadline := time.Now().Add(20 * time.Second); ; {
			clock.forward(time.Second)
			s := r.looked()
			if seen(s) {
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("%s: %+v, %+v", what, s.Alarms, s.Numbers)
			}
		}
	}
	until("an alarm", func(s *link.Snapshot) bool {
		all := open(s)
		return len(all) == 1 && all[0].Kind == "quality" && all[0].Severity == "watch" && strings.Contains(all[0].Text, "the access token has expired")
	})
	dead.Store(false)
	until("its end, and when Meta was asked", func(s *link.Snapshot) bool {
		return len(open(s)) == 0 && len(s.Numbers) == 1 && s.Numbers[0].AskedAt != nil
	})
}
