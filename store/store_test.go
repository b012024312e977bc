package store

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tickwatch/wa"
)

// received is when everything in these tests comes in; timestamps lie before it.
const received = wa.Instant(1_795_170_000_000)

func open(t testing.TB, dir string) *Store {
	t.Helper()
	s, err := Open(context.Background(), Options{Dir: dir, Now: received.Time, Decode: decode})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// decode is the other way of what ingest puts into a post's body.
func decode(_ string, body []byte, received wa.Instant) *wa.Post {
	p := &wa.Post{}
	if err := json.Unmarshal(body, p); err != nil && len(body) > 0 && body[0] == '{' {
		panic(err)
	}
	p.ReceivedAt = received
	return p
}

var sender = wa.Sender{AccountID: "400100200300400", NumberID: "500100200300400", Display: "4915550001"}

// at is so many seconds after the start of the tests' campaign.
func at(seconds int64) wa.Instant { return received - 3_600_000 + wa.Instant(seconds*1000) }

func status(id string, s wa.Status, when wa.Instant, callback string) wa.StatusUpdate {
	u := wa.StatusUpdate{Sender: sender, MessageID: "wamid." + id, Status: s, At: when, CallbackData: callback}
	u.Phone = "35190" + fmt.Sprintf("%07s", strings.TrimLeft(id, "abcdefghijklmnopqrstuvwxyz"))
	return u
}

func failed(id string, when wa.Instant, callback string, code int) wa.StatusUpdate {
	u := status(id, wa.StatusFailed, when, callback)
	u.Code, u.Title, u.Details = code, "title", "details of "+id
	return u
}

func ingest(t testing.TB, s *Store, posts ...*wa.Post) {
	t.Helper()
	for _, p := range posts {
		if p.ReceivedAt == 0 {
			p.ReceivedAt = received
		}
		p.Source = "meta"
		keepable(t, p)
		if err := s.Ingest(context.Background(), p); err != nil {
			t.Fatal(err)
		}
	}
}

// keepable gives a post a body, if it has none, that decode understands.
func keepable(t interface{ Fatalf(string, ...any) }, p *wa.Post) {
	if p.Body != nil {
		return
	}
	body, err := json.Marshal(p)
	if err != nil {
		t.Fatalf("%v", err)
	}
	p.Body = body
}

func statuses(us ...wa.StatusUpdate) *wa.Post { return &wa.Post{Statuses: us} }

func campaigns(t testing.TB, s *Store) map[string]Campaign {
	t.Helper()
	st, err := s.Load(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	m := map[string]Campaign{}
	for _, c := range st.Campaigns {
		if c.Counts != (Counts{}) {
			m[c.Key] = c
		}
	}
	return m
}

func TestCountsOfACampaign(t *testing.T) {
	s := open(t, t.TempDir())
	ingest(t, s,
		statuses(status("1", wa.StatusSent, at(0), "autumn:1"), status("2", wa.StatusSent, at(1), "autumn:2")),
		statuses(status("1", wa.StatusDelivered, at(4), "autumn:1"), failed("2", at(3), "autumn:2", 131049)),
		statuses(status("3", wa.StatusRead, at(7), "autumn:3")), // read in an open chat: no delivered ever comes
		statuses(failed("4", at(9), "autumn:4", 131026), status("4", wa.StatusDelivered, at(2000), "autumn:4")),
		statuses(failed("5", at(9), "autumn:5", 131050)),
		statuses(status("1", wa.StatusDelivered, at(4), "autumn:1")),
	)
	c := campaigns(t, s)["autumn"]
	want := Counts{Messages: 5, Sent: 4, Delivered: 3, Read: 1, Failed: 2, Withheld: 1, Refusers: 1}
	if diff := cmp.Diff(want, c.Counts); diff != "" {
		t.Error(diff)
	}
	course, err := s.Course(context.Background(), c.ID, everySecond)
	if err != nil {
		t.Fatal(err)
	}
	course.Seq, course.Minutes, course.Latest = 0, nil, nil
	wantCourse := &Course{
		Seconds: map[int64]Pulse{
			at(0).Second(): {Messages: 1, Delivered: 1, Within: [5]int64{1, 1, 1, 1, 1}},
			at(1).Second(): {Messages: 1, Failed: 1, Withheld: 1, Failed30: 1, Withheld30: 1},
			at(7).Second(): {Messages: 1, Delivered: 1, Within: [5]int64{1, 1, 1, 1, 1}},
			// One device failed at once, another was reached after half an hour: arrived, but not within it.
			at(9).Second(): {Messages: 2, Delivered: 1, Failed: 1, Failed30: 2},
		},
		Errors:  map[CodeMinute]int64{{131049, at(3).Second() / 60}: 1, {131050, at(9).Second() / 60}: 1},
		OptOuts: map[int64]int64{},
		Inbound: map[int64]int64{},
	}
	if diff := cmp.Diff(wantCourse, course); diff != "" {
		t.Error(diff)
	}
	st, err := s.Load(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Feed{Posts: 6, Updates: 9, Duplicates: 1, LastEventAt: received}, st.Feed); diff != "" {
		t.Error(diff)
	}
}

func TestACodeOnTwoMessagesAfterFailure(t *testing.T) {
	s := open(t, t.TempDir())
	ingest(t, s, statuses(failed("1", at(0), "autumn:1", 131026)), statuses(failed("2", at(5), "autumn:2", 131026)),
		statuses(failed("3", at(5), "autumn:3", 131053)))
	page, err := s.Failures(context.Background(), "autumn", 131026, 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	if len(page) != 1 || page[0].WAMID != "wamid.2" || page[0].Details != "details of 2" {
		t.Fatalf("first page: %+v", page)
	}
	page, err = s.Failures(context.Background(), "autumn", 131026, page[0].ID, 10)
	if err != nil {
		t.Fatal(err)
	}
	if len(page) != 1 || page[0].WAMID != "wamid.1" {
		t.Fatalf("second page: %+v", page)
	}
}

func TestCampaignKeys(t *testing.T) {
	t.Run("a run without keys ends after two hours", func(t *testing.T) {
		s := open(t, t.TempDir())
		ingest(t, s, statuses(status("1", wa.StatusSent, at(-4*3600), ""), status("2", wa.StatusSent, at(-3*3600), ""), status("3", wa.StatusSent, at(0), "")))
		sizes := map[int64]int{}
		for key, c := range campaigns(t, s) {
			if !strings.HasPrefix(key, "run-500100200300400-") {
				t.Errorf("key %q", key)
			}
			sizes[c.Counts.Messages]++
		}
		if diff := cmp.Diff(map[int64]int{2: 1, 1: 1}, sizes); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("a key on every message is no key", func(t *testing.T) {
		s := open(t, t.TempDir())
		for i := range 40 {
			id := fmt.Sprint("m", i)
			ingest(t, s, statuses(status(id, wa.StatusSent, at(int64(i)), "uuid-"+id)), statuses(status(id, wa.StatusDelivered, at(int64(i)+2), "uuid-"+id)))
		}
		got := campaigns(t, s)
		if len(got) != 1 {
			t.Fatalf("%d campaigns: %v", len(got), got)
		}
		for _, c := range got {
			if c.Counts.Messages != 40 || c.Counts.Delivered != 40 {
				t.Errorf("%+v", c.Counts)
			}
		}
		// A key that a second message carries is one after all, and the first message comes along.
		ingest(t, s, statuses(status("n", wa.StatusSent, at(50), "uuid-m3")))
		if c := campaigns(t, s)["uuid-m3"]; c.Counts.Messages != 2 || c.Counts.Delivered != 1 {
			t.Errorf("promoted: %+v", c.Counts)
		}
		checkBooks(t, s)
	})
	t.Run("callback data that comes late moves the message", func(t *testing.T) {
		s := open(t, t.TempDir())
		ingest(t, s, statuses(status("1", wa.StatusSent, at(0), "")), statuses(status("1", wa.StatusDelivered, at(1), "autumn:1")))
		got := campaigns(t, s)
		if len(got) != 1 || got["autumn"].Counts.Delivered != 1 {
			t.Errorf("%v", got)
		}
		checkBooks(t, s)
	})
}

func TestOptOuts(t *testing.T) {
	s := open(t, t.TempDir())
	m := status("1", wa.StatusDelivered, at(0), "autumn:1")
	m.BSUID = "PT.1"
	ingest(t, s, statuses(m, status("2", wa.StatusDelivered, at(0), "autumn:2"), status("3", wa.StatusDelivered, at(0), "autumn:3")))
	stop := wa.InboundMessage{Sender: sender, MessageID: "in1", Type: "button", Payload: "STOP_PROMO", ReplyTo: "wamid.1", At: at(60)}
	stop.Phone = m.Phone
	pref := wa.Preference{Sender: sender, Category: "marketing_messages", Value: "stop", At: at(61)}
	pref.BSUID = "PT.1" // the same person, by their other name
	reply := wa.InboundMessage{Sender: sender, MessageID: "in2", Type: "text", Text: "Stop!", At: at(70)}
	reply.Phone = status("2", 0, 0, "").Phone
	thanks := wa.InboundMessage{Sender: sender, MessageID: "in3", Type: "text", Text: "please don't stop", At: at(70)}
	thanks.Phone = status("3", 0, 0, "").Phone
	stranger := wa.InboundMessage{Sender: sender, MessageID: "in4", Type: "text", Text: "STOP", At: at(70)}
	stranger.Phone = "4915550009"
	ingest(t, s, &wa.Post{Inbound: []wa.InboundMessage{stop, stop, reply, thanks, stranger}, Preferences: []wa.Preference{pref, pref}})
	if got := campaigns(t, s)["autumn"].Counts.OptOuts; got != 2 {
		t.Errorf("%d opt-outs, want 2: one person said it twice, one stranger got no message of ours", got)
	}
	p, err := s.Find(context.Background(), "+"+m.Phone, 10)
	if err != nil || !p.OptedOut || p.BSUID != "PT.1" || len(p.Messages) != 1 {
		t.Errorf("%+v, %v", p, err)
	}
	pref.Value, pref.At = "resume", at(90)
	ingest(t, s, &wa.Post{Preferences: []wa.Preference{pref}})
	if p, _ = s.Find(context.Background(), "PT.1", 10); p.OptedOut {
		t.Error("a resume is their latest word")
	}
	if got := campaigns(t, s)["autumn"].Counts.OptOuts; got != 2 {
		t.Errorf("%d opt-outs: a resume does not undo that they left", got)
	}
}

func TestTwoNamesOfOnePerson(t *testing.T) {
	s := open(t, t.TempDir())
	a, b, c := status("1", wa.StatusSent, at(0), "x:1"), status("2", wa.StatusSent, at(0), "x:2"), status("3", wa.StatusSent, at(0), "x:3")
	b.Phone, b.BSUID = "", "PT.1"
	c.Phone, c.BSUID = a.Phone, "PT.1"
	stop := wa.InboundMessage{Sender: sender, MessageID: "in", Type: "text", Text: "stop", At: at(1)}
	stop.Phone = a.Phone
	stop2 := stop
	stop2.MessageID, stop2.Phone, stop2.BSUID = "in2", "", "PT.1"
	ingest(t, s, statuses(a, b), &wa.Post{Inbound: []wa.InboundMessage{stop, stop2}})
	if got := campaigns(t, s)["x"].Counts.OptOuts; got != 2 {
		t.Errorf("%d opt-outs of two people", got)
	}
	ingest(t, s, statuses(c))
	if got := campaigns(t, s)["x"].Counts.OptOuts; got != 1 {
		t.Errorf("%d opt-outs of what proved to be one person", got)
	}
	p, err := s.Find(context.Background(), "PT.1", 10)
	if err != nil || len(p.Messages) != 3 || p.Phone != a.Phone {
		t.Errorf("%+v, %v", p, err)
	}
	checkBooks(t, s)
}

func TestGroupReceipts(t *testing.T) {
	s := open(t, t.TempDir())
	member := func(who string, st wa.Status) wa.StatusUpdate {
		u := status("1", st, at(1), "club:1")
		u.GroupID, u.Participant = "g1", who
		return u
	}
	ingest(t, s, statuses(member("a", wa.StatusDelivered), member("b", wa.StatusDelivered), member("a", wa.StatusDelivered), member("b", wa.StatusRead)))
	st, _ := s.Load(context.Background())
	if st.Feed.Duplicates != 1 {
		t.Errorf("%d duplicates: each member's receipt is news once", st.Feed.Duplicates)
	}
	if c := campaigns(t, s)["club"].Counts; c.Messages != 1 || c.Delivered != 1 || c.Read != 1 {
		t.Errorf("%+v", c)
	}
}

func TestNumbersAndTemplates(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	ingest(t, s,
		&wa.Post{Numbers: []wa.NumberUpdate{{Display: "+49 155 50001", Event: "ONBOARDING", Limit: "TIER_2K", At: at(0)}}},
		statuses(status("1", wa.StatusSent, at(1), "x:1")),
		&wa.Post{
			Numbers:   []wa.NumberUpdate{{Display: "4915550001", Event: "THROUGHPUT_UPGRADE", Limit: "TIER_10K", At: at(5)}},
			Templates: []wa.TemplateUpdate{{ID: 1<<53 + 1, Name: "autumn", Language: "pt-PT", Event: "APPROVED", At: at(2)}, {ID: 1<<53 + 1, Quality: wa.QualityRed, At: at(9)}},
		},
		&wa.Post{Templates: []wa.TemplateUpdate{{ID: 1<<53 + 1, Event: "PAUSED", InfoTitle: "FIRST_PAUSE", At: at(10)}}},
	)
	_ = s.Close()
	s = open(t, dir)
	st, err := s.Load(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]wa.Number{{ID: sender.NumberID, Display: "4915550001", Limit: "TIER_10K", Since: at(5), LimitAt: at(5)}}, st.Numbers); diff != "" {
		t.Error(diff)
	}
	want := []wa.Template{{
		ID: 1<<53 + 1, Name: "autumn", Language: "pt_PT", Status: "PAUSED", Reason: "FIRST_PAUSE", Quality: wa.QualityRed,
		PausedUntil: at(10 + 3*3600), Since: at(10), StatusAt: at(10), QualityAt: at(9),
	}}
	if diff := cmp.Diff(want, st.Templates); diff != "" {
		t.Error(diff)
	}
}

func TestOpenRefuses(t *testing.T) {
	ctx := context.Background()
	t.Run("a second daemon, naming the first", func(t *testing.T) {
		dir := t.TempDir()
		open(t, dir)
		_, err := Open(ctx, Options{Dir: dir})
		if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("pid %d", os.Getpid())) {
			t.Errorf("error %v", err)
		}
	})
	t.Run("a newer schema", func(t *testing.T) {
		dir := t.TempDir()
		s := open(t, dir)
		_ = s.Close()
		exec(t, dir, "PRAGMA user_version = 99")
		_, err := Open(ctx, Options{Dir: dir})
		if err == nil || !strings.Contains(err.Error(), "newer tickwatch") {
			t.Errorf("error %v", err)
		}
	})
	t.Run("a database that others may read", func(t *testing.T) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, fileName), nil, 0o644); err != nil {
			t.Fatal(err)
		}
		_, err := Open(ctx, Options{Dir: dir})
		if err == nil || !strings.Contains(err.Error(), "chmod 600") {
			t.Errorf("error %v", err)
		}
	})
	t.Run("a file that is no database", func(t *testing.T) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, fileName), []byte(strings.Repeat("no database. ", 100)), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := Open(ctx, Options{Dir: dir})
		if err == nil || !strings.Contains(err.Error(), "data.dir") {
			t.Errorf("error %v", err)
		}
	})
	for version, ok := range map[string]bool{"3.51.2": false, "3.51.3": true, "3.50.9": false, "3.52.0": true, "4.0.0": true, "2.9.9": false} {
		if err := judgeVersion(version); (err == nil) != ok {
			t.Errorf("SQLite %s: %v", version, err)
		}
	}
}

func TestFilesAreOurs(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	s := open(t, dir)
	ingest(t, s, statuses(status("1", wa.StatusSent, at(0), "x:1")))
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) < 3 {
		t.Fatalf("%v, %v", entries, err)
	}
	for _, e := range entries {
		if info, err := e.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v (%v)", e.Name(), info.Mode(), err)
		}
	}
	if info, _ := os.Stat(dir); info.Mode().Perm() != 0o700 {
		t.Errorf("the folder has mode %v", info.Mode())
	}
}

// A message that fails when its row is up to date counts once, and its row says why.
func TestFailureOfASettledMessage(t *testing.T) {
	s := open(t, t.TempDir())
	ingest(t, s, statuses(status("1", wa.StatusSent, at(0), "autumn:1")))
	if err := s.Settled(t.Context()); err != nil {
		t.Fatal(err)
	}
	ingest(t, s, statuses(failed("1", at(3), "autumn:1", 131026)))
	checkBooks(t, s)
	page, err := s.Failures(t.Context(), "autumn", 131026, 0, 10)
	if err != nil || len(page) != 1 || page[0].Details != "details of 1" {
		t.Errorf("%+v, %v", page, err)
	}
}
