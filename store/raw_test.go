package store

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"testing"

	"tickwatch/wa"
)

// Every post is given once and in order, from any place on, whatever its size.
func TestEachPost(t *testing.T) {
	s := open(t, t.TempDir())
	const posts = 519
	size := func(i int) int { return 2 + i%5*1000 + i%101/100*1_000_000 } // some are large
	for i := range posts {
		p := statuses(status("1", wa.StatusSent, at(0), "x:1"))
		p.Body, p.ReceivedAt = bytes.Repeat([]byte{byte('a' + i%26)}, size(i)), received+wa.Instant(i)
		ingest(t, s, p)
	}
	oldest, newest, err := s.PostRange(t.Context())
	if err != nil || newest-oldest != posts-1 {
		t.Fatalf("%d to %d, %v", oldest, newest, err)
	}
	for _, after := range []int64{0, oldest, newest - 3, newest} {
		next := max(after+1, oldest)
		if err := s.EachPost(t.Context(), after, func(p RawPost) error {
			i := int(p.ID - oldest)
			if p.ID != next || p.Source != "meta" || p.ReceivedAt != received+wa.Instant(i) || len(p.Body) != size(i) || p.Body[0] != byte('a'+i%26) {
				t.Fatalf("after %d: post %d, want %d: %s %d, %d bytes", after, p.ID, next, p.Source, p.ReceivedAt, len(p.Body))
			}
			next++
			return nil
		}); err != nil || next != newest+1 {
			t.Errorf("after %d: ended before %d, %v", after, next, err)
		}
	}

	enough, seen := errors.New("enough"), 0
	if err := s.EachPost(t.Context(), 0, func(RawPost) error { seen++; return enough }); !errors.Is(err, enough) || seen != 1 {
		t.Errorf("%d posts, %v", seen, err)
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.EachPost(cancelled, 0, func(RawPost) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// A reader that takes its time does not keep the log from being written back, and
// sees what comes meanwhile.
func TestEachPostPinsNothing(t *testing.T) {
	s := open(t, t.TempDir())
	ingest(t, s, statuses(status("1", wa.StatusSent, at(0), "x:1")))
	other, err := sql.Open("sqlite", filepath.Join(s.dir, fileName))
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	seen := 0
	if err := s.EachPost(t.Context(), 0, func(RawPost) error {
		if seen++; seen == 1 {
			ingest(t, s, statuses(status("2", wa.StatusSent, at(0), "x:1")))
		}
		var busy, pages, done int
		if err := other.QueryRowContext(t.Context(), "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &pages, &done); err != nil || busy != 0 {
			t.Errorf("post %d: the log is held: busy %d, %v", seen, busy, err)
		}
		return nil
	}); err != nil || seen != 2 {
		t.Errorf("%d posts, %v", seen, err)
	}
}

func TestPostRangeOfNone(t *testing.T) {
	s := open(t, t.TempDir())
	if oldest, newest, err := s.PostRange(t.Context()); oldest != 0 || newest != 0 || err != nil {
		t.Errorf("%d to %d, %v", oldest, newest, err)
	}
}

// What a post tells of a campaign is found whether it is news or a repetition.
func TestConcerns(t *testing.T) {
	s := open(t, t.TempDir())
	person := func(n string) wa.Person { return wa.Person{Phone: "35190000000" + n} }
	reply := func(id, to string, who wa.Person) *wa.Post {
		return &wa.Post{Inbound: []wa.InboundMessage{{Sender: sender, Person: who, MessageID: id, At: at(20), Type: "text", Text: "hello", ReplyTo: to}}}
	}
	preference := func(who wa.Person) *wa.Post {
		return &wa.Post{Preferences: []wa.Preference{{Sender: sender, Person: who, Category: "marketing_messages", Value: "stop", At: at(30)}}}
	}
	posts := map[string]*wa.Post{
		"a status of it":                      statuses(status("1", wa.StatusSent, at(0), "x:1")),
		"its repetition":                      statuses(status("1", wa.StatusSent, at(0), "x:1")),
		"a status of another":                 statuses(status("2", wa.StatusSent, at(0), "y:2")),
		"both":                                statuses(status("3", wa.StatusSent, at(0), "y:3"), status("4", wa.StatusSent, at(0), "x:4")),
		"an answer to it":                     reply("in.1", "wamid.1", person("1")),
		"an answer to another":                reply("in.2", "wamid.2", person("2")),
		"an answer that overtook it":          reply("in.3", "wamid.5", person("5")),
		"what it overtook":                    statuses(status("5", wa.StatusSent, at(0), "x:5")),
		"an opt-out counted for it":           preference(person("1")),
		"an opt-out counted for another":      preference(person("2")),
		"a template, which is of no campaign": {Templates: []wa.TemplateUpdate{{ID: 7, Name: "x", Event: "PAUSED", At: at(1)}}},
		"nothing that is understood":          {NotUnderstood: 1},
	}
	order := []string{
		"a status of it", "its repetition", "a status of another", "both", "an answer to it", "an answer to another",
		"an answer that overtook it", "what it overtook",
		"an opt-out counted for it", "an opt-out counted for another", "a template, which is of no campaign", "nothing that is understood",
	}
	for _, what := range order {
		ingest(t, s, posts[what])
	}
	ours := map[string]bool{"a status of it": true, "its repetition": true, "both": true, "an answer to it": true, "an answer that overtook it": true, "what it overtook": true, "an opt-out counted for it": true}
	x := campaigns(t, s)["x"]
	for what, p := range posts {
		if got, err := s.Concerns(t.Context(), x.ID, p); err != nil || got != ours[what] {
			t.Errorf("%s: %v, %v", what, got, err)
		}
	}
}

// A throwaway store differs in nothing but that it does not wait for the disk.
func TestThrowaway(t *testing.T) {
	for throwaway, want := range map[bool]int{false: 2, true: 0} {
		s, err := Open(t.Context(), Options{Dir: t.TempDir(), Now: received.Time, Throwaway: throwaway})
		if err != nil {
			t.Fatal(err)
		}
		got := -1
		if err := s.write(func(ctx context.Context, c *sql.Conn) error {
			return c.QueryRowContext(ctx, "PRAGMA synchronous").Scan(&got)
		}); err != nil || got != want {
			t.Errorf("throwaway %v: synchronous is %d, want %d; %v", throwaway, got, want, err)
		}
		ingest(t, s, statuses(status("1", wa.StatusSent, at(0), "x:1")))
		checkBooks(t, s)
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

// Alarms and actions are read back as they were stored, all of them.
func TestHistory(t *testing.T) {
	s := open(t, t.TempDir())
	const many = 120 // more than Load reads
	for i := int64(1); i <= many; i++ {
		if err := s.SaveAlarms([]Alarm{{ID: i, Kind: "delivery", Severity: "act", Subject: "x", RaisedAt: at(i), ClearedAt: at(i + 1)}},
			&Action{ID: i, At: at(i), Operator: "ines", Verb: "ack"}); err != nil {
			t.Fatal(err)
		}
	}
	alarms, err := s.Alarms(t.Context())
	if err != nil || len(alarms) != many || alarms[0].ID != 1 || alarms[many-1].RaisedAt != at(many) {
		t.Errorf("%d alarms, %v", len(alarms), err)
	}
	if a, err := s.Alarm(t.Context(), 3); err != nil || a != alarms[2] {
		t.Errorf("%+v, %v", a, err)
	}
	if a, err := s.Alarm(t.Context(), many+1); err != nil || a.ID != 0 {
		t.Errorf("%+v, %v", a, err)
	}
	actions, err := s.Actions(t.Context(), 10, 20)
	if err != nil || len(actions) != 20 || actions[0].ID != 11 || actions[19].ID != 30 || actions[0].Operator != "ines" {
		t.Errorf("%+v, %v", actions, err)
	}
}
