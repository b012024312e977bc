package cli

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"tickwatch/wa"
	"tickwatch/wa/webhook"
)

// TestBenchIngest: a short measurement ends, says all that it should in both
// forms, and leaves nothing behind.
func TestBenchIngest(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent(), goleak.IgnoreTopFunction("os/signal.NotifyContext.func1")) // Main keeps its signals
	dir := t.TempDir()
	profile := filepath.Join(t.TempDir(), "cpu")
	var out, diagnostics bytes.Buffer
	code := Main(World{
		Args: []string{"bench", "ingest", "--json", "--seconds", "0.02", "--rounds", "1", "--open", "300", "--burst", "5", "--dir", dir, "--cpuprofile", profile},
		Out:  &out, Err: &diagnostics,
	})
	if code != exitDone {
		t.Fatalf("exit code %d: %s", code, diagnostics.String())
	}
	var f ingestFigures
	d := json.NewDecoder(&out)
	d.DisallowUnknownFields()
	if err := d.Decode(&f); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		t.Errorf("more than one document: %v", err)
	}
	if len(f.Closed) != len(benchSizes) || len(f.Open) != 2 || f.Burst == nil || f.Memory.Demand == 0 || f.Memory.Closed == 0 {
		t.Fatalf("something was not measured: %+v", f)
	}
	for i, c := range f.Closed {
		if c.Campaigns != benchSizes[i].campaigns() || c.Statuses != benchSizes[i].n || c.Floor != benchSizes[i].floor || c.OverTutorial <= 0 || c.OverCeiling <= 0 {
			t.Errorf("closed loop: %+v", c)
		}
		for _, s := range []sideFigures{c.Ceiling, c.Tutorial, c.Pipeline} {
			if len(s.Rounds) != 1 || s.Posts <= 0 || s.Statuses != s.Posts*float64(c.Statuses) || s.LatencyMS.P50 <= 0 || s.LatencyMS.P99 < s.LatencyMS.P50 {
				t.Errorf("POSTs of %d: %+v", c.Statuses, s)
			}
		}
	}
	text := f.text()
	for _, part := range []string{"answers only", "tutorial", "tickwatch is", "at 300 POST/s of 1 ", "at 1000 POST/s of 10 ", "64 POSTs of 5 at once", "memory"} {
		if !strings.Contains(text, part) {
			t.Errorf("the table does not say %q:\n%s", part, text)
		}
	}
	if info, err := os.Stat(profile); err != nil || info.Size() == 0 {
		t.Errorf("the profile: %v", err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestBenchIngestUsage(t *testing.T) {
	for _, arg := range []string{"--seconds=0", "--seconds=NaN", "--seconds=31", "--rounds=0", "--open=-1", "--burst=5001", "--dir=/no/such"} {
		var out, diagnostics bytes.Buffer
		if code := Main(World{Args: []string{"bench", "ingest", arg}, Out: &out, Err: &diagnostics}); code != exitUsage || out.Len() > 0 {
			t.Errorf("%s: exit code %d, %q", arg, code, diagnostics.String())
		}
	}
}

// TestBenchStream: the requests are what they claim to be: signed, understood to
// the last status, in the shares that were promised, and for both sides the same.
func TestBenchStream(t *testing.T) {
	const posts, n = 300, 100
	secret, start := benchSecret(), time.Now()
	one, two := newBenchStream(secret, start, ""), newBenchStream(secret, start, "")
	made, err := one.posts(posts, n)
	if err != nil {
		t.Fatal(err)
	}
	defer made.free()
	signed := webhook.NewVerifier(secret)
	seen := map[string]wa.Progress{}
	people := map[string]bool{}
	fresh, repeated := 0, 0
	for i := range posts {
		if !bytes.Equal(made.request(i), two.post(nil, n)) {
			t.Fatalf("request %d of two streams of one seed differs", i)
		}
		r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(made.request(i))))
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Fatal(err)
		}
		if err := signed.Verify(r.Header.Values(webhook.SignatureHeader), body); err != nil {
			t.Fatal(err)
		}
		post := webhook.Decode("meta", body, wa.At(start))
		if post.NotUnderstood > 0 || len(post.Statuses) != n {
			t.Fatalf("%d statuses, %s", len(post.Statuses), post.Problem)
		}
		for _, s := range post.Statuses {
			before, known := seen[s.MessageID]
			if key, ok := wa.CampaignKey(s.CallbackData); !ok || !strings.HasPrefix(key, "autumn-") {
				t.Fatalf("callback data %q", s.CallbackData)
			}
			next, news := before.Climb(s.Status, s.At, s.Code)
			seen[s.MessageID] = next
			people[s.Phone] = true
			if !known {
				fresh++
			}
			if !news {
				repeated++
			}
		}
	}
	share := func(count int) float64 { return float64(count) / (posts * n) }
	if got := share(fresh); got < 0.34 || got > 0.38 {
		t.Errorf("%.3f of the statuses are of new messages", got)
	}
	if got := share(repeated); got > 0.1 {
		t.Errorf("%.3f of the statuses are no news", got)
	}
	if len(people) != len(seen) {
		t.Errorf("%d messages went to %d people", len(seen), len(people))
	}
	if size := made.bytes() / (posts * n); size < 300 || size > 450 {
		t.Errorf("a status has %d bytes", size)
	}
}

// TestBenchTutorial: what tickwatch is compared with does its work, or the
// comparison would flatter.
func TestBenchTutorial(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	b := &ingestBench{dir: dir, connections: 8, secret: benchSecret()}
	handler, err := openTutorial(ctx, filepath.Join(dir, "tutorial.db"), webhook.NewVerifier(b.secret))
	if err != nil {
		t.Fatal(err)
	}
	side, err := serveBench(ctx, handler, handler)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = side.close() }()
	posts, err := b.stream("").posts(60, 10)
	if err != nil {
		t.Fatal(err)
	}
	defer posts.free()
	met, err := b.fire(ctx, side, posts, false, func() schedule { return closedLoop(time.Minute) })
	if err != nil || met.posts != posts.len() {
		t.Fatalf("%+v, %v", met, err)
	}

	highest := map[string]int{} // rank by wamid
	for i := range posts.len() {
		_, body, _ := bytes.Cut(posts.request(i), []byte("\r\n\r\n"))
		for _, s := range webhook.Decode("meta", body, wa.At(time.Now())).Statuses {
			highest[s.MessageID] = max(highest[s.MessageID], tutorialRanks[s.Status.String()])
		}
	}
	want, got := map[int]int{}, map[int]int{}
	for _, rank := range highest {
		want[rank]++
	}
	rows, err := handler.db.QueryContext(ctx, `SELECT rank, count(*) FROM message GROUP BY rank
		UNION ALL SELECT 0, count(*) FROM event`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var rank, count int
		if err := rows.Scan(&rank, &count); err != nil {
			t.Fatal(err)
		}
		got[rank] = count
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	want[0] = posts.len() * posts.n
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("messages by rank, and events (-want +got):\n%s", diff)
	}
}

// TestBenchRefusal: a webhook that was not taken fails the measurement instead
// of counting as a quick one; and a measurement can be interrupted.
func TestBenchRefusal(t *testing.T) {
	ctx := context.Background()
	b := &ingestBench{dir: t.TempDir(), connections: 2, secret: benchSecret()}
	side, err := b.ceilingSide(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = side.close() }()
	ours, err := b.stream("").posts(5, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer ours.free()
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := b.fire(cancelled, side, ours, true, func() schedule { return closedLoop(time.Hour) }); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}

	others, err := newBenchStream(benchSecret(), time.Now(), "").posts(5, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer others.free()
	if _, err := b.fire(ctx, side, others, false, func() schedule { return closedLoop(time.Hour) }); !errors.Is(err, errNotTaken) {
		t.Errorf("refused: %v", err)
	}
}
