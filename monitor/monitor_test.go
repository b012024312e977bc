package monitor_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"tickwatch/monitor"
	"tickwatch/monitor/link"
	"tickwatch/store"
	"tickwatch/wa"
	"tickwatch/wa/webhook"
)

// hand is a clock that tests move.
type hand struct{ ms atomic.Int64 }

func (h *hand) now() time.Time          { return time.UnixMilli(h.ms.Load()).UTC() }
func (h *hand) forward(d time.Duration) { h.ms.Add(d.Milliseconds()) }

func newHand() *hand {
	h := &hand{}
	h.ms.Store(now.UnixMilli())
	return h
}

// running is a house whose monitor runs; looked waits for a snapshot that was
// made after the call.
type running struct {
	*house
	clock *hand
	stop  func()
	mu    sync.Mutex
	came  *sync.Cond
	last  *link.Snapshot
}

func start(t *testing.T, dir string, clock *hand, change ...func(*monitor.Options)) *running {
	t.Helper()
	r := &running{clock: clock}
	r.came = sync.NewCond(&r.mu)
	s, err := store.Open(context.Background(), store.Options{Dir: dir, Now: clock.now, Decode: webhook.Decode})
	if err != nil {
		t.Fatal(err)
	}
	o := monitor.Options{
		Store: s, Now: clock.now, Thresholds: monitor.DefaultThresholds(),
		Publish: func(s *link.Snapshot) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.last = s
			r.came.Broadcast()
		},
	}
	for _, c := range change {
		c(&o)
	}
	m, err := monitor.New(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	r.house = &house{dir, s, m}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); m.Run(ctx) }()
	r.stop = sync.OnceFunc(func() { cancel(); <-ended; _ = s.Close() })
	t.Cleanup(r.stop)
	return r
}

// looked gives the first snapshot of the clock's present moment.
func (r *running) looked() *link.Snapshot {
	r.clock.forward(time.Millisecond) // what is published with this moment was made after it
	r.monitor.Refused()               // wakes it
	r.mu.Lock()
	defer r.mu.Unlock()
	for r.last == nil || r.last.At.Before(r.clock.now()) {
		r.came.Wait()
	}
	return r.last
}

// batch sends n messages, 20 a second up to now, of which failed ones fail with code,
// one here and one there.
func (r *running) batch(t *testing.T, name string, n, failed, code int) {
	t.Helper()
	var all []update
	for i := range n {
		id, at := fmt.Sprintf("%s%06d", name, i), r.clock.now().Unix()-int64((n-1-i)/20)
		all = append(all, update{id, "sent", at, 0})
		if i*failed/n != (i+1)*failed/n {
			all = append(all, update{id, "failed", at, code})
		} else {
			all = append(all, update{id, "delivered", at, 0})
		}
	}
	r.post(t, body(all), r.clock.now())
}

func open(s *link.Snapshot) (open []link.Alarm) {
	for _, a := range s.Alarms {
		if a.Open() {
			open = append(open, a)
		}
	}
	return open
}

// An alarm is raised, grows, is acknowledged, outlives a restart, and clears.
func TestLifeOfAnAlarm(t *testing.T) {
	clock, dir := newHand(), t.TempDir()
	r := start(t, dir, clock)
	r.batch(t, "a", 1500, 135, 131026) // 91 %
	clock.forward(11 * time.Second)
	r.looked()
	clock.forward(6 * time.Second)
	got := open(r.looked())
	if len(got) != 1 || got[0].Kind != "delivery" || got[0].Severity != "watch" || got[0].Campaign != "autumn" ||
		!strings.Contains(got[0].Text, "90.9 % arrive now (1,440 judged), surely under 9") || !strings.Contains(got[0].Text, "131026") {
		t.Fatalf("raised: %+v", got)
	}
	raised := got[0]

	peer := link.Peer{Name: "ines"}
	ack := func(id string) (link.Alarm, error) {
		v, err := r.monitor.Handle(context.Background(), peer, link.Command{Verb: link.VerbAck, Args: []byte(`{"alarm":"` + id + `"}`)})
		if err != nil {
			return link.Alarm{}, err
		}
		return v.(link.Alarm), nil
	}
	if a, err := ack(raised.ID); err != nil || a.AckedBy != "ines" {
		t.Fatalf("acknowledged: %+v, %v", a, err)
	}
	if _, err := ack("a99"); err == nil || !strings.Contains(err.Error(), "no alarm") {
		t.Errorf("an alarm that does not exist: %v", err)
	}

	r.batch(t, "b", 300, 150, 131026)
	clock.forward(11 * time.Second)
	r.looked()
	clock.forward(6 * time.Second)
	got = open(r.looked())
	if len(got) != 1 || got[0].ID != raised.ID || got[0].Severity != "act" || got[0].AckedBy != "" ||
		!got[0].RaisedAt.Equal(raised.RaisedAt) || got[0].ActedAt == nil {
		t.Fatalf("grown: %+v", got)
	}
	if _, err := ack(raised.ID); err != nil {
		t.Fatal(err)
	}
	before := r.looked()
	r.stop()

	r = start(t, dir, clock)
	after := r.looked()
	if diff := cmp.Diff(before, after, cmpopts.IgnoreFields(link.Snapshot{}, "Rev", "At"), cmpopts.IgnoreFields(link.Feed{}, "PerSecond", "Trend"),
		cmpopts.IgnoreFields(link.Campaign{}, "Clusters", "ClustersAt"), cmpopts.IgnoreFields(link.Number{}, "Used24h")); diff != "" {
		t.Fatalf("a restart shows something else (-before +after):\n%s", diff)
	}
	if len(after.Actions) != 2 || after.Actions[0].Verb != "ack" || after.Actions[0].Operator != "ines" {
		t.Errorf("actions: %+v", after.Actions)
	}

	for range 5 { // well again: the recent minutes hold nothing but good news
		clock.forward(time.Minute)
		r.batch(t, fmt.Sprint("c", clock.now().Unix()), 400, 0, 0)
		r.looked()
	}
	s := r.looked()
	if got := open(s); len(got) != 0 {
		t.Fatalf("not cleared: %+v", got)
	}
	if a := s.Alarms[0]; a.ID != raised.ID || a.ClearedAt == nil || a.AckedBy != "ines" {
		t.Errorf("cleared: %+v", a)
	}
}

func TestTooFewToJudge(t *testing.T) {
	clock := newHand()
	r := start(t, t.TempDir(), clock)
	r.batch(t, "a", 30, 28, 131026)
	clock.forward(30 * time.Second)
	r.looked()
	clock.forward(30 * time.Second)
	s := r.looked()
	if len(s.Alarms) != 0 {
		t.Errorf("alarms on 30 messages: %+v", s.Alarms)
	}
	if f := s.Campaigns[0].First30; f.Verdict != link.VerdictUnsure || !strings.Contains(f.Reason, "more messages needed") ||
		f.Plain == nil || !strings.Contains(f.Plain.Reason, "200 needed") {
		t.Errorf("%s: %s", f.Verdict, f.Reason)
	}
}

func TestFeedStates(t *testing.T) {
	clock := newHand()
	r := start(t, t.TempDir(), clock)
	if s := r.looked(); s.Feed.State != link.FeedIdle || s.Feed.LastEventAt != nil {
		t.Errorf("nothing has come: %+v", s.Feed)
	}
	at := clock.now().Unix()
	var waiting []update
	for i := range 100 {
		waiting = append(waiting, update{fmt.Sprint("w", i), "sent", at, 0})
	}
	r.post(t, body(waiting), clock.now())
	if s := r.looked(); s.Feed.State != link.FeedLive {
		t.Errorf("just came: %+v", s.Feed)
	}
	clock.forward(61 * time.Second)
	s := r.looked()
	if s.Feed.State != link.FeedStalled {
		t.Errorf("a minute of silence, and 100 messages without an answer: %+v", s.Feed)
	}
	if got := open(s); len(got) != 1 || got[0].Kind != "feed" || !strings.Contains(got[0].Advice, "tickwatch doctor") {
		t.Errorf("%+v", got)
	}
	clock.forward(15 * time.Minute)
	if s = r.looked(); s.Feed.State != link.FeedStalled || len(open(s)) != 1 {
		t.Errorf("that no answer is due any more mends nothing: %+v %+v", s.Feed, open(s))
	}
	r.post(t, body(waiting[:1]), clock.now())
	if s = r.looked(); s.Feed.State != link.FeedLive || len(open(s)) != 0 {
		t.Errorf("it is back: %+v %+v", s.Feed, open(s))
	}
	clock.forward(3 * time.Hour)
	if s = r.looked(); s.Feed.State != link.FeedIdle {
		t.Errorf("nothing runs: %+v", s.Feed)
	}
}

// An alarm of a campaign does not depend on what else is on the screen.
func TestCampaignsOffTheScreenAreJudged(t *testing.T) {
	clock := newHand()
	r := start(t, t.TempDir(), clock)
	r.batch(t, "a", 300, 300, 131026)
	clock.forward(time.Second)
	for i := range link.MaxCampaigns + 5 { // each newer than the one that fails
		for n := range 2 {
			u := wa.StatusUpdate{MessageID: fmt.Sprint("y", i, "-", n), Status: wa.StatusSent, At: wa.At(clock.now()), CallbackData: fmt.Sprint("later", i, ":x")}
			if err := r.store.Ingest(context.Background(), &wa.Post{Source: "meta", Body: []byte("{}"), ReceivedAt: wa.At(clock.now()), Statuses: []wa.StatusUpdate{u}}); err != nil {
				t.Fatal(err)
			}
		}
	}
	clock.forward(11 * time.Second)
	r.looked()
	clock.forward(6 * time.Second)
	s := r.looked()
	for _, c := range s.Campaigns {
		if c.ID == "autumn" {
			t.Fatal("autumn is on the screen: the test proves nothing")
		}
	}
	if got := open(s); len(got) != 1 || got[0].Campaign != "autumn" {
		t.Fatalf("%+v", got)
	}
	clock.forward(20 * time.Minute) // nothing more is sent: nothing can be stopped
	if got := open(r.looked()); len(got) != 0 {
		t.Errorf("still open: %+v", got)
	}
}

func TestTemplateAlarms(t *testing.T) {
	clock := newHand()
	r := start(t, t.TempDir(), clock)
	tell := func(u wa.TemplateUpdate) []link.Alarm {
		t.Helper()
		u.ID, u.Name, u.Language, u.At = 7, "autumn\x1b[8m_offer", "pt_PT", wa.At(clock.now())
		if err := r.store.Ingest(context.Background(), &wa.Post{Source: "meta", Body: []byte("{}"), ReceivedAt: wa.At(clock.now()), Templates: []wa.TemplateUpdate{u}}); err != nil {
			t.Fatal(err)
		}
		clock.forward(time.Second)
		return open(r.looked())
	}
	if got := tell(wa.TemplateUpdate{Quality: wa.QualityYellow}); len(got) != 1 || got[0].Kind != "quality" || got[0].Severity != "watch" {
		t.Fatalf("%+v", got)
	}
	if got := tell(wa.TemplateUpdate{Quality: wa.QualityRed}); len(got) != 1 || got[0].Severity != "watch" || strings.Contains(got[0].Advice, "(p)") {
		t.Fatalf("nothing goes out with it: %+v", got)
	}
	r.batch(t, "a", 20, 0, 0) // of another system, which may send it
	if got := tell(wa.TemplateUpdate{Quality: wa.QualityRed}); len(got) != 1 || got[0].Severity != "act" || !strings.Contains(got[0].Advice, "Stop it where it is sent from") || strings.ContainsRune(got[0].Text, '\x1b') {
		t.Fatalf("%+v", got)
	}
	if got := tell(wa.TemplateUpdate{Event: "PAUSED", InfoTitle: "FIRST_PAUSE"}); len(got) != 1 || got[0].Kind != "template" || got[0].Severity != "act" || !strings.Contains(got[0].Advice, "Stop it where it is sent from") {
		t.Fatalf("%+v", got) // and its quality is a part of it
	}
	if got := r.looked().Alarms[1]; got.Open() || !strings.Contains(got.Text, "goes on as the alarm about its status") {
		t.Errorf("its quality ends as if it were good: %+v", got)
	}
	clock.forward(3 * time.Hour) // the first pause is over by itself
	if got := open(r.looked()); len(got) != 1 || got[0].Kind != "quality" {
		t.Fatalf("%+v", got)
	}
}

// What polls confirm stands on, however old its first word is; what nobody can confirm
// for a day does not.
func TestWhatPollsConfirmOfTemplates(t *testing.T) {
	clock := newHand()
	h := openHouse(t, t.TempDir(), clock.now)
	names := map[int64]string{1: "paused", 2: "disabled", 3: "red", 4: "first", 5: "flagged"}
	tell := func(id int64, u wa.TemplateUpdate) wa.TemplateUpdate {
		u.ID, u.Name, u.Language, u.At = id, names[id], "pt_PT", wa.At(clock.now())
		return u
	}
	h.take(t, &wa.Post{Source: "meta", ReceivedAt: wa.At(clock.now()), Body: []byte("{}"), Templates: []wa.TemplateUpdate{
		tell(1, wa.TemplateUpdate{Event: "PAUSED"}), tell(2, wa.TemplateUpdate{Event: "DISABLED"}), tell(3, wa.TemplateUpdate{Quality: wa.QualityRed}),
		tell(4, wa.TemplateUpdate{Event: "PAUSED", InfoTitle: "FIRST_PAUSE"}), tell(5, wa.TemplateUpdate{Event: "FLAGGED"}),
	}})
	wants := func(when string, want ...string) []link.Alarm {
		t.Helper()
		s, alarms := h.judged(t)
		if len(alarms) != len(want) {
			t.Errorf("%s: %q, want %q", when, alarms, want)
		}
		for _, w := range want {
			if !slices.ContainsFunc(alarms, func(a string) bool { return strings.Contains(a, w) }) {
				t.Errorf("%s: %q, want %q", when, alarms, w)
			}
		}
		return open(s)
	}
	wants("at first", "paused the template paused/pt_PT", "disabled the template disabled/pt_PT", "template red/pt_PT is RED", "the first pause, for 3 hours", "flagged the template")
	for range 25 {
		clock.forward(time.Hour)
		p := wa.Poll{Account: "1", At: wa.At(clock.now())}
		for id, status := range map[int64]string{1: "PAUSED", 2: "DISABLED", 3: "APPROVED", 4: "PAUSED", 5: "APPROVED"} {
			quality := map[int64]wa.Quality{3: wa.QualityRed}[id]
			p.Templates = append(p.Templates, wa.PolledTemplate{ID: id, Name: names[id], Language: "pt_PT", Status: status, Quality: quality})
		}
		if err := h.store.Poll(t.Context(), &p); err != nil {
			t.Fatal(err)
		}
		h.monitor.Judge(t.Context())
	}
	for _, a := range wants("confirmed for 25 hours", "paused the template paused/pt_PT", "disabled the template disabled/pt_PT", "template red/pt_PT is RED", "Meta says that it still stands") {
		if a.Until != nil {
			t.Errorf("%q ends at %v, which is over", a.Text, a.Until)
		}
	}
	clock.forward(25 * time.Hour)
	wants("asked by nobody for a day")
	_ = h.store.Close()
}

// Whatever the writer does meanwhile, a campaign whose course is read late, or
// whose start moves, is counted once.
func TestCoursesReadLateCountOnce(t *testing.T) {
	clock, dir := newHand(), t.TempDir()
	r := start(t, dir, clock)
	for i := range 60 { // more campaigns than are read at start
		if i < 15 {
			r.post(t, body([]update{{fmt.Sprintf("x%08d", i), "sent", now.Unix() - int64(3*3600+i), 0}}), clock.now())
		}
		callback := fmt.Sprintf("old%d", i)
		for n := range 2 {
			u := wa.StatusUpdate{MessageID: fmt.Sprint(callback, n), Status: wa.StatusSent, At: wa.At(clock.now().Add(-5 * time.Hour)), CallbackData: callback + ":x"}
			if err := r.store.Ingest(context.Background(), &wa.Post{Source: "meta", Body: []byte("{}"), ReceivedAt: wa.At(clock.now()), Statuses: []wa.StatusUpdate{u}}); err != nil {
				t.Fatal(err)
			}
		}
	}
	r.stop()
	r = start(t, dir, clock)
	var senders sync.WaitGroup
	for w := range 4 {
		senders.Go(func() {
			for i := range 50 { // the stray messages of three hours ago are outweighed now: the start moves
				r.batch(t, fmt.Sprintf("n%d-%d-", w, i), 10, 1, 131026)
				u := wa.StatusUpdate{MessageID: fmt.Sprint("late", w, "-", i), Status: wa.StatusSent, At: wa.At(clock.now()), CallbackData: "old3:x"}
				if err := r.store.Ingest(context.Background(), &wa.Post{Source: "meta", Body: []byte("{}"), ReceivedAt: wa.At(clock.now()), Statuses: []wa.StatusUpdate{u}}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	senders.Wait()
	clock.forward(time.Second)
	s := r.looked()
	byID := map[string]link.Campaign{}
	for _, c := range s.Campaigns {
		byID[c.ID] = c
	}
	autumn, old := byID["autumn"], byID["old3"]
	if autumn.Counts.Messages != 2015 || autumn.First30.Messages != 2000 || autumn.First30.Failed != 200 || autumn.Errors[0].Count != 200 {
		t.Errorf("autumn: %+v %+v %+v", autumn.Counts, autumn.First30, autumn.Errors)
	}
	var sum int64
	for _, m := range old.Trend {
		sum += m.Messages
	}
	if old.Counts.Messages != 202 || sum != 200 {
		t.Errorf("old3: %+v, %d in its trend", old.Counts, sum)
	}
}
