package monitor_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tickwatch/monitor/link"
)

// change is one webhook with one value of a field.
func change(field, list string, all ...map[string]any) []byte {
	b, err := json.Marshal(map[string]any{"object": "whatsapp_business_account", "entry": []any{map[string]any{"id": "1", "changes": []any{
		map[string]any{"field": field, "value": map[string]any{
			"messaging_product": "whatsapp", "metadata": map[string]any{"display_phone_number": "4915550001", "phone_number_id": "500"}, list: all,
		}},
	}}}})
	if err != nil {
		panic(err)
	}
	return b
}

// from is what the person of a message of the campaign sends.
func from(id string, at int64, kind string, content map[string]any) map[string]any {
	person := update{id, "sent", at, 0}.json()["recipient_id"]
	return map[string]any{
		"id": fmt.Sprint("wamid.IN", id, at), "from": person, "timestamp": fmt.Sprint(at), "type": kind, kind: content,
	}
}

func text(id string, at int64) map[string]any {
	return from(id, at, "text", map[string]any{"body": "how much is it?"})
}

// answers is a status of the help desk's message to the person of a message.
func answers(id string, at int64, status string) map[string]any {
	return map[string]any{
		"id": fmt.Sprint("wamid.A", id), "status": status, "timestamp": fmt.Sprint(at), "recipient_id": update{id, "sent", at, 0}.json()["recipient_id"],
		"pricing": map[string]any{"billable": true, "pricing_model": "PMP", "type": "regular", "category": "service"},
	}
}

func engagementOf(t *testing.T, h *house) *link.Campaign {
	t.Helper()
	if err := h.store.Settled(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.monitor.Judge(t.Context())
	h.monitor.Show(t.Context())
	for _, c := range h.status(t).Campaigns {
		if c.ID == "autumn" {
			return &c
		}
	}
	t.Fatal("no campaign")
	return nil
}

// What webhooks tell of people's answers is the same in whatever order they come,
// and a recording of them tells it again.
func TestWhatPeopleDo(t *testing.T) {
	clock := newHand()
	start := clock.now().Unix()
	var sent []update
	for i := range 40 {
		id := fmt.Sprintf("%08d", i)
		sent = append(sent, update{id, "sent", start, 0}, update{id, "delivered", start + 2, 0})
		if i < 10 {
			sent = append(sent, update{id, "read", start + 5, 0})
		}
	}
	person := func(i int) string { return fmt.Sprintf("%08d", i) }
	posts := [][]byte{
		body(sent),
		change("messages", "messages",
			from(person(0), start+10, "button", map[string]any{"text": "Tell\u202e me more\x07", "payload": "MORE"}),
			from(person(1), start+11, "button", map[string]any{"text": "Tell me more", "payload": "MORE"}),
			from(person(2), start+12, "interactive", map[string]any{"type": "list_reply", "list_reply": map[string]any{"id": "s", "title": "Porto"}}),
			from(person(3), start+13, "reaction", map[string]any{"message_id": "wamid.x", "emoji": "👍"})),
		change("messages", "messages", text(person(4), start+14), text(person(5), start+15)),
		change("messages", "statuses", answers(person(0), start+40, "sent"), answers(person(4), start+74, "delivered")),
		change("smb_message_echoes", "message_echoes", map[string]any{
			"from": "4915550001", "to": update{person(5), "sent", 0, 0}.json()["recipient_id"], "id": "wamid.E5", "timestamp": fmt.Sprint(start + 135), "type": "text",
		}),
	}
	var want *link.Engagement
	for _, order := range []func([][]byte){func([][]byte) {}, slices.Reverse[[][]byte]} {
		clock := newHand()
		h := openHouse(t, t.TempDir(), clock.now)
		clock.forward(200 * time.Second)
		posts := slices.Clone(posts)
		order(posts)
		for _, b := range posts {
			h.post(t, b, clock.now())
		}
		c := engagementOf(t, h)
		_ = h.store.Close()
		if c.Counts.Messages != 40 {
			t.Errorf("the campaign has %d messages: answers are none of it", c.Counts.Messages)
		}
		if want == nil {
			want = c.Engagement
			continue
		}
		if diff := cmp.Diff(want, c.Engagement); diff != "" {
			t.Errorf("the other way round:\n%s", diff)
		}
	}
	share := func(n, of float64) *float64 { s := n / of; return &s }
	first, mean := time.Unix(start+11, 0).UTC(), int64((30_000+60_000+120_000)/3)
	if diff := cmp.Diff(&link.Engagement{
		Inbound: 6, People: 6, Answered: share(3, 5), FirstResponseMS: &link.ResponseTimes{P50: 60_000, P95: 120_000}, MeanResponseMS: &mean,
		Unanswered: 2, OldestUnansweredAt: &first,
		Steps: []link.EngagementStep{
			{Step: "delivered", People: 40, Share: share(40, 40)},
			{Step: "read", People: 10, Share: share(10, 40)},
			{Step: "reply", People: 2, Share: share(2, 40)},
			{Step: "button", Label: "Tell me more", People: 2, Share: share(2, 40)},
			{Step: "list", Label: "Porto", People: 1, Share: share(1, 40)},
			{Step: "reaction", People: 1, Share: share(1, 40)},
		},
		PerMinute: append(make([]int64, 26), 6, 0, 0, 0),
	}, want); diff != "" {
		t.Error(diff)
	}
}

// Far more replies than usual are told of, and no longer once they have become
// fewer; as many as ever are not.
func TestManyReplies(t *testing.T) {
	clock := newHand()
	h := openHouse(t, t.TempDir(), clock.now)
	defer func() { _ = h.store.Close() }()
	minute := func(replies int) []string {
		at := clock.now().Unix()
		var sent []update
		var said []map[string]any
		for i := range 100 {
			id := fmt.Sprintf("%d%03d", at/60%10_000, i)
			sent = append(sent, update{id, "delivered", at, 0})
			if i < replies {
				said = append(said, text(id, at+20))
			}
		}
		clock.forward(30 * time.Second)
		h.post(t, body(sent), clock.now())
		h.post(t, change("messages", "messages", said...), clock.now())
		engagementOf(t, h)
		clock.forward(30 * time.Second)
		var texts []string
		for _, a := range open(h.status(t)) {
			texts = append(texts, a.Text)
		}
		return texts
	}
	for i := range 40 { // from the first minute on, and with chance in it
		if got := minute(5 + i*7%6); len(got) > 0 {
			t.Fatalf("in minute %d: %v", i, got)
		}
	}
	got := minute(45)
	if len(got) != 1 || got[0] != "Many replies: 45 in a minute, usually about 8" {
		t.Fatalf("%v", got)
	}
	if s := engagementOf(t, h).Engagement.Spike; s == nil || s.PerMinute != 45 || s.Usual < 7 || s.Usual > 9 {
		t.Errorf("%+v", s)
	}
	for range 7 {
		got = minute(8)
	}
	if len(got) != 0 {
		t.Errorf("after it: %v", got)
	}
	if s := engagementOf(t, h).Engagement.Spike; s != nil {
		t.Errorf("%+v", s)
	}
}
