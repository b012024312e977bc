package cli

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"tickwatch/monitor/link"
	"tickwatch/wa/sandbox"
)

// as gives a command as an operator of a name.
func (s *stage) as(t *testing.T, operator, verb string, args any) (link.Receipt, error) {
	t.Helper()
	text, err := json.Marshal(args)
	if err != nil {
		t.Fatal(err)
	}
	got, err := s.daemon.monitor.Handle(context.Background(), link.Peer{Name: operator}, link.Command{ID: operator, Verb: verb, Args: text})
	if err != nil {
		return link.Receipt{}, err
	}
	return got.(link.Receipt), nil //nolint:forcetypeassert // what pauses or resumes gives a receipt
}

// pausedItself tells whether the demo's campaign was paused by tickwatch, with a
// reason that says so.
func pausedItself(s *link.Snapshot) bool {
	g := gateOf(s)
	return g != nil && g.State == link.GatePaused && g.By == "tickwatch" && strings.HasPrefix(g.Reason, "Paused by itself: ") && autumn(s).State == "paused"
}

func ownPauses(s *link.Snapshot) (n int) {
	for _, a := range s.Actions {
		if a.Operator == "tickwatch" && a.Verb == "pause" {
			n++
		}
	}
	return n
}

// Sending that nothing is heard of is paused once, with its reason; the alarm says
// so; u takes it back, and then nothing pauses it again for the same silence.
func TestBlindSendingIsPaused(t *testing.T) {
	t.Parallel()
	s := playOwnWith(t, "feed-outage", 40, 6000, 4, map[string]string{"auto.blind_after": "1m"})
	snap := s.until(t, "a pause of what is sent unheard", pausedItself)
	a := alarmOf(snap, "feed")
	if a == nil || snap.Feed.State != link.FeedStalled || !strings.Contains(gateOf(snap).Reason, "no webhook for 1 min") || ownPauses(snap) != 1 {
		t.Errorf("%+v, %+v, %+v", a, gateOf(snap), snap.Actions)
	}
	snap = s.until(t, "an alarm that says so", func(s *link.Snapshot) bool {
		a := alarmOf(s, "feed")
		return a == nil || strings.Contains(a.Pause, "u resumes it")
	})
	if a := alarmOf(snap, "feed"); a != nil && (strings.Contains(a.Text, "while they go out") || !strings.Contains(a.Text, "nothing of ours goes out now")) {
		t.Errorf("it is paused, and its alarm says: %q", a.Text)
	}
	if f := autumn(snap).First30; alarmOf(snap, "delivery") != nil || !f.Provisional {
		t.Errorf("delivery is judged by silence: %+v", f)
	}
	if r, err := s.as(t, "ines", link.VerbResume, link.ResumeArgs{GateArgs: link.GateArgs{Scope: link.ScopeCampaign, ID: autumn(snap).ID}}); err != nil || r.Already {
		t.Fatalf("%+v, %v", r, err)
	}
	snap = s.until(t, "a live feed that has caught up", func(s *link.Snapshot) bool {
		c, rate := autumn(s), s.Feed.CallbackRate
		return s.Feed.State == link.FeedLive && alarmOf(s, "feed") == nil && old(s, 8) && c.State == "running" && c.Sending.PerSecond > 1 &&
			rate != nil && *rate >= 0.99
	})
	if n := ownPauses(snap); n != 1 {
		t.Errorf("paused %d times", n)
	}
	if !slices.ContainsFunc(snap.Alarms, func(a link.Alarm) bool {
		return a.Kind == "feed" && !a.Open() && strings.Contains(a.Text, "it was the feed, not the campaign")
	}) {
		t.Errorf("what came late proves nothing: %+v", snap.Alarms)
	}
	if alarmOf(snap, "callbacks") != nil {
		t.Errorf("callbacks after it has caught up: %+v", snap.Alarms)
	}
}

// auto.delivery = act pauses the campaign when delivery needs acting, once.
func TestDeliveryPausesByItself(t *testing.T) {
	t.Parallel()
	s := playOwnWith(t, "cliff", 40, 6000, 4, map[string]string{"auto.delivery": "act"})
	snap := s.until(t, "a pause for delivery", pausedItself)
	id := autumn(snap).ID
	if a := alarmOf(snap, "delivery"); a == nil || a.Severity != "act" || !strings.Contains(gateOf(snap).Reason, "arrive now") {
		t.Errorf("%+v, %+v", a, gateOf(snap))
	}
	s.until(t, "an alarm that says so", func(s *link.Snapshot) bool {
		a := alarmOf(s, "delivery")
		return a != nil && strings.HasPrefix(a.Pause, "tickwatch has paused it by itself: u resumes it.")
	})
	if _, err := s.as(t, "ines", link.VerbResume, link.ResumeArgs{GateArgs: link.GateArgs{Scope: link.ScopeCampaign, ID: id}}); err != nil {
		t.Fatal(err)
	}
	resumed := s.until(t, "it goes on", func(s *link.Snapshot) bool { return autumn(s).State == "running" })
	snap = s.until(t, "it goes on though the alarm stands", func(s *link.Snapshot) bool {
		return s.At.Sub(resumed.At) > time.Minute && alarmOf(s, "delivery") != nil
	})
	if n := ownPauses(snap); n != 1 || autumn(snap).State != "running" {
		t.Errorf("paused %d times, %s", n, autumn(snap).State)
	}
}

// By default nothing is paused for delivery; the alarm names the key.
func TestDeliveryAdvises(t *testing.T) {
	t.Parallel()
	s := playOwn(t, "cliff", 50, 6000, 4)
	snap := s.until(t, "an alarm that names the key", func(s *link.Snapshot) bool {
		a := alarmOf(s, "delivery")
		return a != nil && a.Severity == "act" && strings.HasPrefix(a.Pause, "p pauses it: ") && gateOf(s) == nil
	})
	// 4 a second, of which about a third fails by now.
	if b := autumn(snap).Blast; b == nil || b.SentPerMinute < 120 || b.SentPerMinute > 360 || b.FailuresLow < 5 || b.FailuresLow >= b.FailuresHigh ||
		b.FailuresHigh > b.SentPerMinute || b.LimitShare == nil || *b.LimitShare <= 0 || *b.LimitShare > 0.2 {
		t.Errorf("what each minute costs: %+v", b)
	}
	if _, err := s.as(t, "ines", link.VerbPause, link.GateArgs{}); err != nil {
		t.Fatal(err)
	}
	s.until(t, "nothing more is at stake once it is paused", func(s *link.Snapshot) bool { return autumn(s).State == "paused" && autumn(s).Blast == nil })
}

// A resume of much needs two people within ten minutes.
func TestASecondPersonResumes(t *testing.T) {
	t.Parallel()
	s := playOwnWith(t, "healthy", 20, 6000, 4, map[string]string{"auto.second_person_over": "1000"})
	snap := s.until(t, "it runs", func(s *link.Snapshot) bool { return autumn(s).Counts.Delivered > 10 })
	gate := link.GateArgs{Scope: link.ScopeCampaign, ID: autumn(snap).ID}
	if _, err := s.as(t, "ines", link.VerbPause, gate); err != nil {
		t.Fatal(err)
	}
	for range 2 { // asking twice is asking once
		_, err := s.as(t, "ines", link.VerbResume, link.ResumeArgs{GateArgs: gate})
		if f, ok := err.(*link.Fault); !ok || f.Kind != link.FaultRefused || !strings.Contains(f.Text, "another operator") || !strings.Contains(f.Text, "tickwatch resume ") || strings.Contains(f.Text, "\n") { //nolint:errorlint // Handle gives it as it is
			t.Fatalf("alone: %v", err)
		}
	}
	s.until(t, "it stays paused", func(s *link.Snapshot) bool { return autumn(s).State == "paused" })
	r, err := s.as(t, "joana", link.VerbResume, link.ResumeArgs{GateArgs: gate})
	if err != nil || r.Already || !strings.Contains(r.Text, "Asked for by ines, confirmed by joana") {
		t.Errorf("%+v, %v", r, err)
	}
	s.until(t, "it runs again", func(s *link.Snapshot) bool { return autumn(s).State == "running" })
	if r, err = s.as(t, "ines", link.VerbResume, link.ResumeArgs{GateArgs: gate}); err != nil || !r.Already {
		t.Errorf("of what is not paused: %+v, %v", r, err)
	}
}

// Half of the webhooks that never come are an alarm of its own: neither the feed is
// silent, nor does delivery show it. A replay of the recording tells the same.
func TestLostCallbacksAlarm(t *testing.T) {
	t.Parallel()
	s := playOwn(t, "healthy", 40, 8000, 6)
	s.until(t, "a callback rate that is well", func(s *link.Snapshot) bool {
		return old(s, 2) && s.Feed.CallbackRate != nil && *s.Feed.CallbackRate > 0.99 && alarmOf(s, "callbacks") == nil
	})
	if _, err := s.meta.Inject(sandbox.Fault{Kind: sandbox.FaultLostWebhooks, Share: 0.5}); err != nil {
		t.Fatal(err)
	}
	snap := s.until(t, "an alarm", func(s *link.Snapshot) bool { a := alarmOf(s, "callbacks"); return a != nil && a.Severity == "act" })
	a := alarmOf(snap, "callbacks")
	if a.Campaign != autumn(snap).ID || *snap.Feed.CallbackRate >= 0.95 || !strings.Contains(a.Text, "have no webhook after a minute") || alarmOf(snap, "feed") != nil {
		t.Errorf("%+v, %v", a, *snap.Feed.CallbackRate)
	}
	playsAgain(t, s)
}
