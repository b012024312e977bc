package cli_test

import (
	"context"
	"database/sql"
	"encoding/csv"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"tickwatch/monitor/link"
	"tickwatch/wa"
	"tickwatch/wa/sandbox"
)

// sending is a campaign of our own that goes out from a daemon, a process of its
// own that may be killed and started again, to the stand-in for Meta in this one.
type sending struct {
	*served // the daemon of now
	meta    *sandbox.Sandbox
	relay   atomic.Pointer[url.URL] // where webhooks are passed on to; nil = nowhere
	env     []string
	people  []string // phones of the list, with the plus
}

// ownKey is the campaign's id.
const ownKey = "autumn"

// send starts the stand-in and a daemon, and imports a list of its people. It is
// not started yet.
func send(t *testing.T, rows int, o sandbox.Options) *sending {
	t.Helper()
	return sendFrom(t, folder(t), rows, o)
}

// sendFrom is send with a folder.
func sendFrom(t *testing.T, dir string, rows int, o sandbox.Options) *sending {
	t.Helper()
	s := stand(t, dir, o, func(*sandbox.Sandbox, string) []string { return nil })
	s.begin(t, dir)
	s.importList(t, rows)
	return s
}

// stand starts the stand-in alone. prepare is told where it finds the daemon, before
// it runs, and gives what else the daemon's environment has.
func stand(t *testing.T, dir string, o sandbox.Options, prepare func(meta *sandbox.Sandbox, daemon string) []string) *sending {
	t.Helper()
	s := &sending{}
	relay := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		to := s.relay.Load()
		if to == nil {
			http.Error(w, "no daemon is there", http.StatusServiceUnavailable)
			return
		}
		(&httputil.ReverseProxy{
			Rewrite:      func(p *httputil.ProxyRequest) { p.Out.URL.Scheme, p.Out.URL.Host = "http", to.Host },
			ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) },
		}).ServeHTTP(w, r)
	}))
	o.Seed, o.Messages, o.Secret, o.WebhookURL, o.Now = 1, -1, wa.NewSecret(secret), relay.URL+"/webhooks/meta", time.Now
	o.Throughput = max(o.Throughput, 2000)
	meta, err := sandbox.New(o)
	if err != nil {
		t.Fatal(err)
	}
	s.meta = meta
	more := prepare(meta, relay.URL)
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	played := make(chan error, 1)
	go func() { played <- meta.Run(ctx) }()
	t.Cleanup(func() { // after the daemon has ended
		cancel()
		if err := <-played; err != nil {
			t.Error(err)
		}
		relay.Close()
	})
	s.env = environment(dir, append([]string{
		"TICKWATCH_GRAPH_BASE_URL=" + meta.URL(), "TICKWATCH_GRAPH_ACCESS_TOKEN=" + meta.Token().Reveal(),
		"TICKWATCH_GRAPH_WABA_ID=" + sandbox.AccountID, "TICKWATCH_PACE_MESSAGES_PER_HOUR=0",
	}, more...)...)
	return s
}

// begin starts a daemon on a folder.
func (s *sending) begin(t *testing.T, dir string, command ...string) {
	t.Helper()
	if len(command) == 0 {
		command = []string{"tickwatch", "serve"}
	}
	s.served = launchIn(t, dir, s.env, command...)
	if to, err := url.Parse(s.served.url); err == nil && to.Host != "" {
		s.relay.Store(to)
	}
}

// again starts the next daemon on the folder of one that has ended.
func (s *sending) again(t *testing.T) {
	t.Helper()
	s.begin(t, s.dir)
	if s.served.url == "" {
		t.Fatalf("the daemon does not start again:\n%s", s.said())
	}
}

func (s *sending) importList(t *testing.T, rows int) {
	t.Helper()
	path := filepath.Join(s.dir, "list.csv")
	s.people = s.writeList(t, path, rows)
	var made link.Import
	s.json(t, &made, append(importing(path, ownKey), "--json")...)
	if made.ID != ownKey || made.Waiting != int64(rows) {
		t.Fatalf("of %d rows: %+v", rows, made)
	}
}

// importing is the command that makes a campaign of a list.
func importing(path, name string) []string {
	return []string{
		"campaign", "import", path, "--name", name, "--template", sandbox.CampaignTemplate + "/" + sandbox.CampaignLanguage,
		"--from", sandbox.Numbers()[0], "--map", "header=image", "--map", "1=first_name",
	}
}

// writeList writes a list of the stand-in's people, and gives their phones in order.
func (s *sending) writeList(t *testing.T, path string, rows int) (people []string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	w := csv.NewWriter(f)
	_ = w.Write([]string{"phone", "first_name", "whatsapp_consent", "image"}) // Flush tells what failed
	for p := range s.meta.People(rows) {
		people = append(people, p.Phone)
		_ = w.Write([]string{p.Phone, p.Name, "yes", sandbox.CampaignMedia})
	}
	w.Flush()
	if err := w.Error(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	slices.Sort(people)
	return people
}

// do runs a command, which must succeed.
func (s *sending) do(t *testing.T, args ...string) (stdout string) {
	t.Helper()
	out, diagnostics, code := tickwatch(t, s.env, args...)
	if code != 0 {
		t.Fatalf("%s: exit code %d: %s\nthe daemon says:\n%s", strings.Join(args, " "), code, diagnostics, s.said())
	}
	return out
}

// json is do for a command that prints a document.
func (s *sending) json(t *testing.T, into any, args ...string) {
	t.Helper()
	out := s.do(t, args...)
	if err := json.Unmarshal([]byte(out), into); err != nil {
		t.Fatalf("%s: %v in %s", strings.Join(args, " "), err, out)
	}
}

func (s *sending) start(t *testing.T) { s.do(t, "campaign", "start", ownKey, "--force", "--yes") }

// campaign is how it stands.
func (s *sending) campaign(t *testing.T) *link.Campaign {
	t.Helper()
	snapshot := ask[link.Snapshot](t, s.socket(), link.VerbStatus, link.StatusArgs{Campaign: ownKey})
	if len(snapshot.Campaigns) != 1 {
		t.Fatalf("%d campaigns", len(snapshot.Campaigns))
	}
	return &snapshot.Campaigns[0]
}

// halt pauses by a command, and holds that nothing begins any more. It gives the
// receipt, and the counts once nothing is on its way.
func (s *sending) halt(t *testing.T, args ...string) (r link.Receipt, c link.Counts) {
	t.Helper()
	s.json(t, &r, append(args, "--json")...)
	answered := time.Now()
	if r.Already || r.LastSendStartedAt == nil {
		t.Fatalf("%s, while it goes out: %+v", args, r)
	}
	c = s.quiet(t)
	var again link.Receipt
	if s.json(t, &again, append(args, "--json")...); !again.Already || !again.LastSendStartedAt.Equal(*r.LastSendStartedAt) {
		t.Errorf("after %s, which spoke of a last start at %v, something began: %+v", args, r.LastSendStartedAt, again)
	}
	s.nothingAfter(t, answered)
	if begun := c.HandedOver + c.Unknown + c.Refused; int64(len(s.meta.Requests())) < begun {
		t.Errorf("%d requests have begun, and Meta has seen %d", begun, len(s.meta.Requests()))
	}
	return r, c
}

// stopWithin is how long after a stop a request may still reach Meta, by design.
const stopWithin = 500 * time.Millisecond

// nothingAfter holds that no request reached the stand-in after a stop.
func (s *sending) nothingAfter(t *testing.T, stopped time.Time) {
	t.Helper()
	late, last := 0, time.Duration(0)
	for _, r := range s.meta.Requests() {
		if after := r.FirstByte.Sub(stopped); after > stopWithin {
			late, last = late+1, max(last, after)
		}
	}
	if late > 0 {
		t.Errorf("%d requests reached Meta later than %v after the stop, the last one %v", late, stopWithin, last)
	}
}

// paused has it paused and gives its counts once all that was on its way has gone
// out, or back. The stand-in's log grows no more then.
func (s *sending) paused(t *testing.T) (c link.Counts) {
	t.Helper()
	ask[link.Receipt](t, s.socket(), link.VerbPause, link.GateArgs{Scope: link.ScopeCampaign, ID: ownKey})
	return s.quiet(t)
}

// quiet waits until nothing is on its way.
func (s *sending) quiet(t *testing.T) (c link.Counts) {
	t.Helper()
	waitFor(t, "what was on its way has gone out, or back", func() bool {
		now := s.campaign(t)
		c = now.Counts
		return c.Claimed == 0 && now.Sending.OpenRequests == 0
	})
	return c
}

func (s *sending) resume(t *testing.T) {
	t.Helper()
	ask[link.Receipt](t, s.socket(), link.VerbResume, link.ResumeArgs{GateArgs: link.GateArgs{Scope: link.ScopeCampaign, ID: ownKey}})
}

// accepted are the phones in the stand-in's log. None may be in it twice.
func (s *sending) accepted(t *testing.T) (phones map[string]bool) {
	t.Helper()
	phones = map[string]bool{}
	for _, m := range s.meta.Accepted() {
		if phones[m.To] {
			t.Errorf("%s was written to twice", m.To)
		}
		phones[m.To] = true
	}
	return phones
}

// States of a recipient on the disk.
const (
	diskWaiting = 0
	diskUnknown = 3
	diskHanded  = 6
)

// check holds the daemon's disk against the stand-in's log while nothing is on its
// way: whatever was accepted is handed over or unknown, and whatever is handed over
// was accepted. The counts are those of the disk, and add up. A webhook may still
// tell of what is unknown, at any moment; what memory knows is on the disk soon.
func (s *sending) check(t *testing.T) {
	t.Helper()
	accepted := s.accepted(t)
	var states map[string]int
	var counts map[int]int64
	var c link.Counts
	defer func() {
		if t.Failed() {
			t.Logf("the disk has %d rows, by state %v; the counts are %+v", len(states), counts, c)
		}
	}()
	waitFor(t, "the counts are those of the disk", func() bool {
		states, counts = s.disk(t)
		c = s.campaign(t).Counts
		return len(states) == len(s.people) && counts[diskUnknown] == c.Unknown && counts[diskHanded] == c.HandedOver
	})
	for phone := range accepted {
		if state := states[phone]; state != diskUnknown && state != diskHanded {
			t.Errorf("Meta has a message to %s, and its row is in state %d", phone, state)
		}
	}
	for phone, state := range states {
		if state == diskHanded && !accepted[phone] {
			t.Errorf("the message to %s is handed over, and Meta has none", phone)
		}
	}
	if c.Messages != int64(len(s.people)) || c.Messages != c.Waiting+c.SetAside+c.Claimed+c.Unknown+c.Cancelled+c.Refused+c.HandedOver {
		t.Errorf("the counts of %d messages do not add up: %+v", len(s.people), c)
	}
}

// disk reads the state of every row, by phone.
func (s *sending) disk(t *testing.T) (states map[string]int, counts map[int]int64) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(s.dir, "data", "tickwatch.db")+"?mode=ro&_pragma=busy_timeout(5000)")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	rows, err := db.Query("SELECT phone, state FROM recipient")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	states, counts = map[string]int{}, map[int]int64{}
	for rows.Next() {
		var phone string
		var state int
		if err := rows.Scan(&phone, &state); err != nil {
			t.Fatal(err)
		}
		states["+"+phone] = state
		counts[state]++
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return states, counts
}

// clearUp lets webhooks tell of all that was accepted, and then says of the rest of
// what is unknown that it was not sent, which is true. Nothing is on its way.
func (s *sending) clearUp(t *testing.T) {
	t.Helper()
	waitFor(t, "webhooks tell of all that was accepted", func() bool {
		return s.campaign(t).Counts.HandedOver == int64(len(s.meta.Accepted()))
	})
	if c := s.campaign(t).Counts; c.Unknown > 0 {
		s.do(t, "resolve", ownKey, "--as", "not-sent", "--yes")
		if now := s.campaign(t).Counts; now.Unknown != 0 || now.Waiting != c.Waiting+c.Unknown {
			t.Errorf("resolved as not sent: %+v, before %+v", now, c)
		}
	}
}

// finish lets all go out that can, and holds that everybody has exactly one message.
func (s *sending) finish(t *testing.T) {
	t.Helper()
	for tries := 0; ; tries++ { // a drop in the last round is cleared up in another
		s.resume(t)
		waitFor(t, "all go out", func() bool { c := s.campaign(t).Counts; return c.Waiting+c.Claimed == 0 })
		s.paused(t)
		s.check(t)
		s.clearUp(t)
		if c := s.campaign(t).Counts; c.Waiting == 0 {
			break
		}
		if tries == 10 {
			t.Fatal("some are never accepted")
		}
	}
	var got []string
	for phone := range s.accepted(t) {
		got = append(got, phone)
	}
	if slices.Sort(got); !slices.Equal(got, s.people) {
		t.Errorf("%d of %d people have a message", len(got), len(s.people))
	}
	if c := s.campaign(t).Counts; c.HandedOver != int64(len(s.people)) || c.Unknown != 0 {
		t.Errorf("in the end: %+v", c)
	}
}

// kill kills the daemon and waits for its end.
func (s *sending) kill(t *testing.T) {
	t.Helper()
	s.relay.Store(nil)
	if code := s.end(syscall.SIGKILL); code != -1 {
		t.Fatalf("the daemon ended by itself with exit code %d:\n%s", code, s.said())
	}
}

// killAfter is kill after a while, whatever the daemon does then.
func (s *sending) killAfter(t *testing.T, d time.Duration) {
	t.Helper()
	time.AfterFunc(d, func() { s.signal(syscall.SIGKILL) })
	<-s.exited
	s.kill(t)
}
