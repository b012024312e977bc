package store

import (
	"context"
	"strings"
	"testing"

	"tickwatch/wa"
)

// What a customer deleted is gone, whichever comes first; that they opted out
// by it is not.
func TestDeletion(t *testing.T) {
	for _, order := range []string{"message first", "deletion first"} {
		t.Run(order, func(t *testing.T) {
			s := open(t, t.TempDir())
			m := status("1", wa.StatusDelivered, at(0), "autumn:1")
			stop := inboundStop("wamid.IN1", m.Phone, at(60))
			posts := []*wa.Post{received1(stop), {Deletions: []wa.Deletion{{Sender: sender, MessageID: "wamid.IN1", At: at(70)}}}}
			if order == "deletion first" {
				posts[0], posts[1] = posts[1], posts[0]
			}
			ingest(t, s, statuses(m))
			ingest(t, s, posts...)
			ingest(t, s, posts...) // Meta repeats
			var kind string
			var person, campaign int64
			if err := s.readers.QueryRow("SELECT type, person, campaign FROM inbound").Scan(&kind, &person, &campaign); err != nil {
				t.Fatal(err)
			}
			if kind != gone || person != 0 || campaign != 0 {
				t.Errorf("left of the message: %s of person %d to campaign %d", kind, person, campaign)
			}
			for _, body := range notices(t, s, "inbound") {
				if body != "{}" {
					t.Errorf("left of its notice: %s", body)
				}
			}
			if n := len(notices(t, s, gone)); n != 1 {
				t.Errorf("%d notices of one deletion", n)
			}
			if p := find(t, s, m.Phone); !p.OptedOut || campaigns(t, s)["autumn"].Counts.OptOuts != 1 {
				t.Errorf("the opt-out is gone with its message: %+v", p)
			}
			checkBooks(t, s)
		})
	}
}

// bodies are the stored raw bodies, joined.
func bodies(t *testing.T, s *Store) string {
	t.Helper()
	segments, err := query(context.Background(), s.readers, scanSegment, "SELECT "+rawColumns+" FROM raw ORDER BY id")
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, segment := range segments {
		for _, p := range segment.posts {
			all = append(all, string(p.Body))
		}
	}
	return strings.Join(all, "\n")
}

// The text of a deleted message goes from the raw body too, and only that,
// unless it proves an opt-out.
func TestDeletionOfText(t *testing.T) {
	const body = `{"object":"whatsapp_business_account","entry":[{"changes":[{"field":"messages","value":{"messages":[` +
		`{"id":"wamid.IN1","from":"351900000001","timestamp":"1795162000","type":"text","text":{"body":"my secret"}},` +
		`{"id":"wamid.IN2","from":"351900000001","type":"text","text":{"body":"<stays> 9007199254740993"}},` +
		`{"id":"wamid.IN3","from":"351900000001","type":"text","text":{"body":"STOP"}}],"big":9007199254740993}}]}]}`
	m := func(id, text string) wa.InboundMessage {
		m := inboundStop(id, "351900000001", at(60))
		m.Text = text
		return m
	}
	arrive := func() *wa.Post {
		return &wa.Post{Body: []byte(body), Inbound: []wa.InboundMessage{m("wamid.IN1", "my secret"), m("wamid.IN2", "<stays> 9007199254740993"), m("wamid.IN3", "STOP")}}
	}
	deleted := &wa.Post{Deletions: []wa.Deletion{{MessageID: "wamid.IN1", At: at(70)}, {MessageID: "wamid.IN3", At: at(70)}, {MessageID: "nobody's", At: at(70)}}}
	for order, posts := range map[string][]*wa.Post{"message first": {arrive(), deleted}, "deletion first": {deleted, arrive()}, "message again": {arrive(), deleted, arrive()}} {
		t.Run(order, func(t *testing.T) {
			s := open(t, t.TempDir())
			ingest(t, s, posts...)
			kept := bodies(t, s)
			if strings.Contains(kept, "secret") {
				t.Errorf("the text is still there: %s", kept)
			}
			for _, part := range []string{"<stays> 9007199254740993", `"big":9007199254740993`, "STOP", `{"id":"wamid.IN1","timestamp":"1795162000","type":"deleted"}`} {
				if !strings.Contains(kept, part) {
					t.Errorf("%s is gone: %s", part, kept)
				}
			}
		})
	}
}
