package monitor_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"tickwatch/monitor/link"
)

// ask carries out a command as an operator.
func (r *running) ask(verb string, args any) (any, error) {
	text, err := json.Marshal(args)
	if err != nil {
		return nil, err
	}
	return r.monitor.Handle(context.Background(), link.Peer{Name: "ines"}, link.Command{Verb: verb, Args: text})
}

func (r *running) snooze(t *testing.T, alarm string, seconds int64) link.Alarm {
	t.Helper()
	got, err := r.ask(link.VerbSnooze, link.SnoozeArgs{Alarm: alarm, Seconds: seconds})
	if err != nil {
		t.Fatal(err)
	}
	return got.(link.Alarm)
}

// raise makes autumn's delivery an alarm to watch.
func (r *running) raise(t *testing.T) link.Alarm {
	t.Helper()
	r.batch(t, "a", 1500, 135, 131026) // 91 %
	r.clock.forward(11 * time.Second)
	r.looked()
	r.clock.forward(6 * time.Second)
	got := open(r.looked())
	if len(got) != 1 || got[0].Severity != link.VerdictWatch {
		t.Fatalf("%+v", got)
	}
	return got[0]
}

// A snooze outlives a restart, and ends by itself.
func TestSnoozeEndsByItself(t *testing.T) {
	clock, dir := newHand(), t.TempDir()
	r := start(t, dir, clock)
	a := r.raise(t)
	if got := r.snooze(t, a.ID, 60); got.SnoozedBy != "ines" || got.SnoozedUntil == nil || !got.SnoozedUntil.Equal(clock.now().Add(time.Minute)) {
		t.Fatalf("%+v", got)
	}
	r.stop()
	r = start(t, dir, clock)
	if got := open(r.looked()); len(got) != 1 || got[0].SnoozedBy != "ines" || got[0].SnoozedUntil == nil {
		t.Fatalf("after a restart: %+v", got)
	}
	if x := r.looked().Actions[0]; x.Verb != link.VerbSnooze || x.Operator != "ines" || x.Target != a.ID || x.Reason != "for 1m" {
		t.Errorf("%+v", x)
	}
	clock.forward(59 * time.Second)
	r.batch(t, "b", 1500, 135, 131026)
	if got := open(r.looked()); len(got) != 1 || got[0].SnoozedBy == "" {
		t.Fatalf("too early: %+v", got)
	}
	clock.forward(2 * time.Second)
	if got := open(r.looked()); len(got) != 1 || got[0].SnoozedBy != "" || got[0].SnoozedUntil != nil {
		t.Fatalf("its time is over: %+v", got)
	}
}

// A snooze ends when the alarm grows, whatever its time.
func TestSnoozeEndsWhenItGrows(t *testing.T) {
	for _, seconds := range []int64{0, 3600} {
		r := start(t, t.TempDir(), newHand())
		a := r.raise(t)
		if got := r.snooze(t, a.ID, seconds); (got.SnoozedUntil == nil) != (seconds == 0) {
			t.Fatalf("%d: %+v", seconds, got)
		}
		r.batch(t, "b", 300, 150, 131026)
		r.clock.forward(11 * time.Second)
		r.looked()
		r.clock.forward(6 * time.Second)
		got := open(r.looked())
		if len(got) != 1 || got[0].Severity != link.VerdictAct || got[0].SnoozedBy != "" {
			t.Fatalf("%d, grown: %+v", seconds, got)
		}
		r.snooze(t, a.ID, seconds) // at act it cannot grow
		if got := open(r.looked()); got[0].SnoozedBy != "ines" {
			t.Errorf("%d, at act: %+v", seconds, got)
		}
	}
}

func TestSnoozeOfNothing(t *testing.T) {
	r := start(t, t.TempDir(), newHand())
	a := r.raise(t)
	for want, args := range map[string]link.SnoozeArgs{
		"no alarm": {Alarm: "a99"}, "up to 7 days": {Alarm: a.ID, Seconds: 7*24*3600 + 1}, "or until it grows": {Alarm: a.ID, Seconds: -1},
	} {
		if _, err := r.ask(link.VerbSnooze, args); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v", args, err)
		}
	}
	for range 5 {
		r.clock.forward(time.Minute)
		r.batch(t, fmt.Sprint("c", r.clock.now().Unix()), 400, 0, 0)
		r.looked()
	}
	if _, err := r.ask(link.VerbSnooze, link.SnoozeArgs{Alarm: a.ID}); err == nil || !strings.Contains(err.Error(), "is over") {
		t.Errorf("it is cleared: %v", err)
	}
}

// What somebody read off WhatsApp Manager is shown with who and when, judged, kept
// over a restart, and replaced by the next.
func TestReported(t *testing.T) {
	clock, dir := newHand(), t.TempDir()
	r := start(t, dir, clock)
	r.batch(t, "a", 1000, 0, 0)
	report := func(count int64, blocks bool) link.Reports {
		t.Helper()
		got, err := r.ask(link.VerbReported, link.ReportedArgs{Campaign: "autumn", Count: count, Blocks: blocks})
		if err != nil {
			t.Fatal(err)
		}
		return got.(link.Reports)
	}
	reports := func() link.Reports { return r.looked().Campaigns[0].Reports }
	typed := clock.now()
	if got := report(2, false); got.Reported == nil || *got.Reported != 2 || got.ReportedBy != "ines" || !got.ReportedAt.Equal(typed) || got.Source != "WhatsApp Manager" || link.Rank(got.Verdict) >= link.Rank(link.VerdictWatch) {
		t.Errorf("two say nothing yet: %+v", got)
	}
	if got := report(8, true); got.Blocked == nil || *got.Blocked != 8 || *got.Reported != 2 || got.Verdict != link.VerdictAct {
		t.Errorf("eight of a thousand blocked: %+v", got)
	}
	r.looked()
	clock.forward(6 * time.Second)
	got := open(r.looked())
	if len(got) != 1 || got[0].Kind != "reports" || got[0].Campaign != "autumn" || got[0].Severity != link.VerdictAct ||
		!strings.Contains(got[0].Text, "0.80 % of those who got it: 8 blocked you, by WhatsApp Manager, typed by ines 6 s ago") {
		t.Fatalf("%+v", got)
	}
	before := reports()
	r.stop()
	r = start(t, dir, clock)
	if after := reports(); after.Blocked == nil || *after.Blocked != 8 || after.BlockedBy != "ines" || !after.BlockedAt.Equal(*before.BlockedAt) || after.Verdict != link.VerdictAct {
		t.Errorf("after a restart: %+v", after)
	}
	report(0, true)
	r.looked()
	clock.forward(6 * time.Minute)
	s := r.looked()
	if got := open(s); len(got) != 0 || *s.Campaigns[0].Reports.Blocked != 0 || *s.Campaigns[0].Reports.Reported != 2 {
		t.Errorf("it was a slip: %+v %+v", got, s.Campaigns[0].Reports)
	}
	for want, args := range map[string]link.ReportedArgs{"no campaign": {Campaign: "winter", Count: 1}, "no count": {Campaign: "autumn", Count: -1}} {
		if _, err := r.ask(link.VerbReported, args); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v", args, err)
		}
	}
}
