package monitor_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"tickwatch/monitor"
	"tickwatch/monitor/link"
	"tickwatch/store"
	"tickwatch/wa"
	"tickwatch/wa/webhook"
)

// export asks for all pages as a console does, and checks each of them. between
// is called after every page; it may be nil.
func export(t *testing.T, m *monitor.Monitor, args link.ExportArgs, between func()) (lines []monitor.Line) {
	t.Helper()
	var text []byte
	var counted int64
	for share := 0.0; ; {
		encoded, err := json.Marshal(args)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := m.Handle(context.Background(), link.Peer{Name: "ines"}, link.Command{Verb: link.VerbExport, Args: encoded})
		if err != nil {
			t.Fatal(err)
		}
		page := answer.(link.ExportPage)
		if len(page.Text) > link.MaxExportText || page.Share < share || page.Share > 1 {
			t.Fatalf("a page of %d bytes, share %g after %g", len(page.Text), page.Share, share)
		}
		share = page.Share
		text, counted = append(text, page.Text...), counted+page.Lines
		if page.Next == nil {
			break
		}
		args.From = *page.Next
		if between != nil {
			between()
		}
	}
	for line := range bytes.Lines(text) {
		l, err := monitor.ParseLine(line)
		if err != nil {
			t.Fatalf("%.200s: %v", line, err)
		}
		lines = append(lines, l)
	}
	if int64(len(lines)) != counted {
		t.Fatalf("%d lines, %d counted", len(lines), counted)
	}
	return lines
}

func decoding(t *testing.T, clock *hand) *house {
	t.Helper()
	s, err := store.Open(t.Context(), store.Options{Dir: t.TempDir(), Now: clock.now, Throwaway: true, Decode: webhook.Decode})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	m, err := monitor.New(t.Context(), monitor.Options{
		Store: s, Now: clock.now, Thresholds: monitor.DefaultThresholds(), Publish: func(*link.Snapshot) {}, Decode: webhook.Decode,
	})
	if err != nil {
		t.Fatal(err)
	}
	return &house{"", s, m}
}

// An export holds every body that was there when it began, in order and to the
// byte, those longer than a page too, and nothing that comes while it lasts.
func TestExportWebhooks(t *testing.T) {
	clock := newHand()
	h := decoding(t, clock)
	var want [][]byte
	for i := range 40 {
		b := body([]update{{fmt.Sprint(i), "sent", now.Unix(), 0}})
		switch i {
		case 7:
			b = bytes.Repeat([]byte("no JSON \x01"), link.MaxExportText/4) // over four pages as a text
		case 8, 20:
			b = fmt.Appendf(nil, `{"object":"weather","rain":%q}`, strings.Repeat("x", link.MaxExportText-200+i))
		}
		h.post(t, b, clock.now())
		want = append(want, b)
	}
	pages := 0
	got := export(t, h.monitor, link.ExportArgs{Kind: link.ExportWebhooks}, func() {
		pages++
		h.post(t, []byte(`{"late":true}`), clock.now())
	})
	if len(got) != len(want) || pages < 5 {
		t.Fatalf("%d lines in %d pages, want %d", len(got), pages+1, len(want))
	}
	for i := range want {
		if !bytes.Equal(got[i].Body, want[i]) || got[i].Source != "meta" || got[i].ReceivedAt != wa.At(now) {
			t.Errorf("line %d: %s %d, %d bytes, want %d", i, got[i].Source, got[i].ReceivedAt, len(got[i].Body), len(want[i]))
		}
	}
}

// An export that goes on with a line which is not the same any more says so.
func TestExportOfWhatChanges(t *testing.T) {
	clock := newHand()
	h := decoding(t, clock)
	h.post(t, []byte(strings.Repeat("x", 2*link.MaxExportText)), clock.now())
	page, err := h.monitor.Export(t.Context(), link.ExportArgs{Kind: link.ExportWebhooks})
	if err != nil || page.Next == nil || page.Next.Cut == 0 {
		t.Fatalf("%+v, %v", page.Next, err)
	}
	page.Next.Size++
	if _, err := h.monitor.Export(t.Context(), link.ExportArgs{Kind: link.ExportWebhooks, From: *page.Next}); err == nil || !strings.Contains(err.Error(), "export again") {
		t.Errorf("%v", err)
	}
}

// A recording holds what operators did where it was done, and to what.
func TestExportRecording(t *testing.T) {
	clock := newHand()
	h := decoding(t, clock)
	for i, at := range []int64{100, 300} {
		h.post(t, body([]update{{fmt.Sprint(i), "sent", now.Unix(), 0}}), now.Add(time.Duration(at)*time.Second))
	}
	if err := h.store.SaveAlarms([]store.Alarm{{ID: 9, Kind: "delivery", Subject: "autumn", Campaign: "autumn", Severity: "act", RaisedAt: 1}},
		&store.Action{ID: 1, At: wa.At(now.Add(200 * time.Second)), Operator: "ines", Verb: "ack", Target: "a9"}); err != nil {
		t.Fatal(err)
	}
	for i := int64(2); i <= 1200; i++ { // more than a page holds
		if err := h.store.SaveAlarms(nil, &store.Action{ID: i, At: wa.At(now.Add(400 * time.Second)), Operator: "rui", Verb: "note", Reason: "<late>"}); err != nil {
			t.Fatal(err)
		}
	}
	got := export(t, h.monitor, link.ExportArgs{Kind: link.ExportRecording}, nil)
	if len(got) != 2+1200 || got[0].Source != "meta" || got[1].Source != monitor.OwnSource || got[2].Source != "meta" {
		t.Fatalf("%d lines: %+v", len(got), got[:3])
	}
	if want := `{"kind":"action","operator":"ines","verb":"ack","target":"a9","alarm":{"kind":"delivery","subject":"autumn"}}`; string(got[1].Body) != want {
		t.Errorf("%s, want %s", got[1].Body, want)
	}
	for _, l := range got[3:] {
		var own monitor.Own
		if err := json.Unmarshal(l.Body, &own); err != nil || own.Verb != "note" || own.Reason != "<late>" || l.ReceivedAt != wa.At(now.Add(400*time.Second)) {
			t.Fatalf("%+v, %v", l, err)
		}
	}
	// Of one campaign: what was done about its alarms.
	if got := export(t, h.monitor, link.ExportArgs{Kind: link.ExportRecording, Campaign: "autumn"}, nil); len(got) != 3 || got[1].Source != monitor.OwnSource {
		t.Errorf("%+v", got)
	}
	// While a daemon listens, the recording says until when.
	ctx, cancel := context.WithCancel(t.Context())
	ran := make(chan struct{})
	go func() { defer close(ran); h.monitor.Run(ctx) }()
	cancel()
	<-ran
	got = export(t, h.monitor, link.ExportArgs{Kind: link.ExportRecording}, nil)
	if last := got[len(got)-1]; len(got) != 2+1200+1 || string(last.Body) != `{"kind":"end"}` || last.ReceivedAt != wa.At(clock.now()) {
		t.Errorf("%d lines, the last %+v", len(got), last)
	}
}

// The export of a campaign holds its posts alone, however few they are.
func TestExportOfACampaign(t *testing.T) {
	clock := newHand()
	h := decoding(t, clock)
	of := func(campaign, id string) []byte {
		b := body([]update{{id, "sent", now.Unix(), 0}})
		return bytes.ReplaceAll(b, []byte("autumn:"), []byte(campaign+":"))
	}
	for i := range 9000 {
		campaign := "autumn"
		if i%3000 == 10 {
			campaign = "winter"
		}
		h.post(t, of(campaign, fmt.Sprint(i)), clock.now())
	}
	pages := 1
	got := export(t, h.monitor, link.ExportArgs{Kind: link.ExportWebhooks, Campaign: "winter"}, func() { pages++ })
	if len(got) != 3 || pages < 3 {
		t.Fatalf("%d lines in %d pages", len(got), pages)
	}
	for i, l := range got {
		if want := of("winter", fmt.Sprint(i*3000+10)); !bytes.Equal(l.Body, want) {
			t.Errorf("line %d: %s, want %s", i, l.Body, want)
		}
	}
	var fault *link.Fault
	if _, err := h.monitor.Export(t.Context(), link.ExportArgs{Kind: link.ExportWebhooks, Campaign: "spring"}); !errors.As(err, &fault) || fault.Kind != link.FaultFailed {
		t.Errorf("an unknown campaign: %v", err)
	}
	if _, err := h.monitor.Export(t.Context(), link.ExportArgs{Kind: "messages"}); !errors.As(err, &fault) || fault.Kind != link.FaultUsage {
		t.Errorf("an unknown kind: %v", err)
	}
}

// Alarms that come up at one judgement are numbered in the same order every time,
// and an acknowledgement of a recording finds its alarm by what it is about.
func TestJudgeInOrder(t *testing.T) {
	const templates = 20
	for range 3 {
		clock := newHand()
		h := decoding(t, clock)
		post := &wa.Post{Source: "meta", ReceivedAt: wa.At(now), Body: []byte("{}")}
		for i := range templates {
			post.Templates = append(post.Templates, wa.TemplateUpdate{ID: int64(templates - i), Name: fmt.Sprint(templates - i), Language: "pt_PT", Event: "PAUSED", At: wa.At(now)})
		}
		if err := h.store.Ingest(t.Context(), post); err != nil {
			t.Fatal(err)
		}
		ack := monitor.Own{Kind: monitor.OwnAction, Operator: "ines", Verb: link.VerbAck, Target: "a999", Alarm: &monitor.OwnMark{Kind: "template", Subject: "3"}}
		if done, err := h.monitor.Repeat(wa.At(now), &ack); done || err != nil {
			t.Errorf("an alarm that is not open was acknowledged: %v, %v", done, err)
		}
		if rest := h.monitor.Judge(t.Context()); rest != (monitor.Rest{Alarms: true}) {
			t.Errorf("%+v", rest)
		}
		if done, err := h.monitor.Repeat(wa.At(now), &ack); !done || err != nil {
			t.Errorf("%v, %v", done, err)
		}
		alarms, err := h.monitor.AllAlarms(t.Context())
		if err != nil || len(alarms) != templates {
			t.Fatalf("%d alarms, %v", len(alarms), err)
		}
		for i, a := range alarms {
			acked := map[bool]string{i == 2: "ines"}[true]
			if a.ID != fmt.Sprintf("a%d", i+1) || !strings.Contains(a.Text, fmt.Sprintf(" %d/pt_PT", i+1)) || a.AckedBy != acked {
				t.Errorf("alarm %d: %+v", i, a)
			}
		}
		if s := h.status(t); len(s.Actions) != 1 || s.Actions[0].Target != "a3" || s.Actions[0].Operator != "ines" {
			t.Errorf("%+v", s.Actions)
		}
		clock.forward(25 * time.Hour)
		if rest := h.monitor.Judge(t.Context()); rest != (monitor.Rest{}) {
			t.Errorf("a day later: %+v", rest)
		}
	}
}
