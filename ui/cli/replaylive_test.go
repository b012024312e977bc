package cli

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tickwatch/monitor"
	"tickwatch/monitor/link"
	"tickwatch/store"
	"tickwatch/wa"
	"tickwatch/wa/webhook"
)

// A replay at its own pace raises the alarms that the daemon raised, in the same
// order and as bad, and grows and clears them when the daemon did: within two
// seconds, for both look about once a second, but not at the same instants.
func TestReplayJudgesAsTheDaemon(t *testing.T) {
	t.Parallel()
	const within = 2 * time.Second
	file := filepath.Join(t.TempDir(), "recording.ndjson")
	var live []link.Alarm
	var end wa.Instant
	synctest.Test(t, func(t *testing.T) { live, end = liveThrough(t, file) })
	if len(live) < 4 {
		t.Fatalf("too little happened: %+v", live)
	}

	p := playTo(t, recording{file}, end)
	replay, err := p.monitor.AllAlarms(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for i := range max(len(live), len(replay)) {
		if i >= len(live) || i >= len(replay) {
			t.Fatalf("live %+v\nreplay %+v", live, replay)
		}
		a, b := &live[i], &replay[i]
		if a.ID != b.ID || a.Kind != b.Kind || a.Campaign != b.Campaign || a.Severity != b.Severity || a.AckedBy != b.AckedBy ||
			!near(&a.RaisedAt, &b.RaisedAt, within) || !near(a.ActedAt, b.ActedAt, within) || !near(a.ClearedAt, b.ClearedAt, within) {
			t.Errorf("live   %+v\nreplay %+v", *a, *b)
		}
	}
	// That the recording ends while answers are due is no stalled feed.
	if err := p.finish(context.Background()); err != nil {
		t.Fatal(err)
	}
	ended, err := p.monitor.AllAlarms(context.Background())
	if err != nil || len(ended) != len(live) || p.rest != (monitor.Rest{}) {
		t.Errorf("after the end (%+v): %+v, %v", p.rest, ended, err)
	}
	shown := p.newest.Load()
	if r := shown.Campaigns[0].Reports; r.Reported == nil || *r.Reported != 12 || r.ReportedBy != "ines" || r.Source != "WhatsApp Manager" {
		t.Errorf("the figure that was typed: %+v", r)
	}
	if !slices.ContainsFunc(live, func(a link.Alarm) bool { return strings.Contains(a.Text, "12 reported it") }) {
		t.Errorf("the figure that was typed is no alarm: %+v", live)
	}
	if !slices.ContainsFunc(shown.Actions, func(a link.Action) bool {
		return a.Verb == link.VerbSnooze && a.Target == "a1" && a.Reason == "for 1m"
	}) {
		t.Errorf("the snooze: %+v", shown.Actions)
	}
	if p.skipped != 0 || len(p.waiting) != 0 {
		t.Errorf("%d lines left out, %d acknowledgements without an alarm", p.skipped, len(p.waiting))
	}
}

func near(a, b *time.Time, within time.Duration) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Sub(*b).Abs() <= within
}

// liveThrough is a daemon's evening: a campaign that falls and recovers, a feed
// that breaks off and comes back, an operator who acknowledges, and its export.
func liveThrough(t *testing.T, file string) ([]link.Alarm, wa.Instant) {
	time.Sleep(time.Until(time.Date(2026, 11, 20, 8, 0, 0, 0, time.UTC))) // a synctest begins in 2000
	ctx, cancel := context.WithCancel(t.Context())
	s, err := store.Open(ctx, store.Options{Dir: t.TempDir(), Throwaway: true, Decode: webhook.Decode})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	m, err := monitor.New(ctx, monitor.Options{Store: s, Thresholds: monitor.DefaultThresholds(), Publish: func(*link.Snapshot) {}})
	if err != nil {
		t.Fatal(err)
	}
	ran := make(chan struct{})
	go func() { defer close(ran); m.Run(ctx) }()
	defer func() { cancel(); <-ran }()

	began := time.Now()
	random := rand.New(rand.NewPCG(3, 5))
	for n := 0; time.Since(began) < 22*time.Minute; n++ {
		minute := time.Since(began).Minutes()
		if minute >= 9 && minute < 11 { // the proxy before the listener is down; arrivals are judged again ten minutes later
			time.Sleep(2 * time.Minute)
		}
		arrives := 0.985
		switch {
		case minute >= 3 && minute < 7:
			arrives = 0.6
		case minute >= 16: // once more, and not so badly
			arrives = 0.91
		}
		time.Sleep(time.Duration(50+random.IntN(150)) * time.Millisecond)
		words := []string{"sent"}
		switch dice := random.Float64(); {
		case n%8 == 0: // no answer
		case dice < arrives:
			words = append(words, "delivered")
		default:
			words = append(words, "failed")
		}
		body := statusBody(n, words)
		if err := s.Ingest(ctx, webhook.Decode("meta", body, wa.At(time.Now()))); err != nil {
			t.Fatal(err)
		}
		if n == 4000 { // after some minutes of the fall
			for verb, args := range map[string]string{link.VerbAck: `{"alarm":"a1"}`, link.VerbSnooze: `{"alarm":"a1","seconds":60}`, link.VerbReported: `{"campaign":"autumn","count":12}`} {
				if _, err := m.Handle(ctx, link.Peer{Name: "ines"}, link.Command{Verb: verb, Args: []byte(args)}); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	time.Sleep(20 * time.Second)
	exportTo(t, file, m.Export)
	alarms, err := m.AllAlarms(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return alarms, wa.At(time.Now())
}

func statusBody(n int, words []string) []byte {
	var all []string
	for _, w := range words {
		failure := ""
		if w == "failed" {
			failure = `,"errors":[{"code":131026,"title":"Message undeliverable"}]`
		}
		all = append(all, fmt.Sprintf(`{"id":"wamid.%d","status":%q,"timestamp":"%d","recipient_id":"3519%08d","biz_opaque_callback_data":"autumn:%[1]d"%[5]s}`,
			n, w, time.Now().Unix(), n, failure))
	}
	return []byte(`{"object":"whatsapp_business_account","entry":[{"id":"4","changes":[{"field":"messages","value":{"messaging_product":"whatsapp",` +
		`"metadata":{"display_phone_number":"4915550001","phone_number_id":"5"},"statuses":[` + strings.Join(all, ",") + `]}}]}]}`)
}

func exportTo(t *testing.T, file string, ask exporter) {
	t.Helper()
	if _, err := writeNew(file, false, func(w io.Writer) error {
		c := exportCmd{What: link.ExportRecording}
		_, err := c.copy(t.Context(), &app{World: World{Err: io.Discard}}, ask, w)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

// playTo plays a recording at its own pace up to a moment after its last line.
func playTo(t *testing.T, r recording, end wa.Instant) *player {
	t.Helper()
	ctx := context.Background()
	found, err := r.check(ctx, &progress{})
	if err != nil {
		t.Fatal(err)
	}
	p, err := newPlayer(ctx, found.start, playerOptions{dir: t.TempDir(), thresholds: monitor.DefaultThresholds(), log: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.store.Close() })
	if err := r.each(ctx, func(l monitor.Line, _ float64) error {
		if err := p.advance(ctx, l.ReceivedAt); err != nil {
			return err
		}
		return p.line(ctx, &l)
	}); err != nil {
		t.Fatal(err)
	}
	if err := p.advance(ctx, end); err != nil {
		t.Fatal(err)
	}
	return p
}
