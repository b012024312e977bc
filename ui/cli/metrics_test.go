package cli

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"go.uber.org/goleak"

	"tickwatch/monitor/link"
	"tickwatch/wa/webhook"
)

// measured is a daemon that runs with metrics, and what it takes webhooks from.
type measured struct {
	*daemon
	t      *testing.T
	stream *benchStream
	end    func()
}

func measure(t *testing.T) *measured {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	dir, hooks := t.TempDir(), benchSecret()
	cfg, err := LoadConfig(LoadOptions{Flags: map[string]string{
		"data.dir": dir, "webhook.listen": "127.0.0.1:0", "metrics.listen": "127.0.0.1:0", "webhook.app_secret": hooks.Reveal(),
	}, Dir: dir, Etc: dir})
	if err != nil {
		t.Fatal(err)
	}
	d, err := startDaemon(ctx, cfg, time.Now, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- d.run(ctx) }()
	m := &measured{daemon: d, t: t, stream: newBenchStream(hooks, time.Now().Add(-time.Minute), "")}
	m.end = func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	return m
}

// post delivers webhooks of ten statuses each.
func (m *measured) post(count int) {
	m.t.Helper()
	posts, err := m.stream.posts(count, 10)
	if err != nil {
		m.t.Fatal(err)
	}
	defer posts.free()
	clients, err := dialBench(m.t.Context(), m.port.Addr().String(), 4)
	if err != nil {
		m.t.Fatal(err)
	}
	defer closeBench(clients)
	if _, err := fire(m.t.Context(), clients, posts, false, func(int) (time.Time, bool) { return time.Time{}, true }); err != nil {
		m.t.Fatal(err)
	}
}

// forge delivers a webhook with a wrong signature.
func (m *measured) forge() {
	m.t.Helper()
	r, err := http.Post(m.webhookURL(), "application/json", strings.NewReader("{}"))
	if err != nil {
		m.t.Fatal(err)
	}
	defer r.Body.Close()
	if r.StatusCode != http.StatusUnauthorized {
		m.t.Fatalf("unsigned: %s", r.Status)
	}
}

// scrape is what Prometheus would read.
func (m *measured) scrape() (text []byte, families map[string]*dto.MetricFamily) {
	m.t.Helper()
	r, err := http.Get("http://" + m.metrics.port.Addr().String() + "/metrics")
	if err != nil {
		m.t.Fatal(err)
	}
	defer r.Body.Close()
	if text, err = io.ReadAll(r.Body); err != nil || r.StatusCode != http.StatusOK {
		m.t.Fatalf("%s, %v: %s", r.Status, err, text)
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	if families, err = parser.TextToMetricFamilies(bytes.NewReader(text)); err != nil {
		m.t.Fatal(err)
	}
	return text, families
}

// counters are the values that may only grow: counters, and the counts of histograms.
func counters(families map[string]*dto.MetricFamily) map[string]float64 {
	out := map[string]float64{}
	for name, f := range families {
		for _, v := range f.GetMetric() {
			switch f.GetType() {
			case dto.MetricType_COUNTER:
				out[name] += v.GetCounter().GetValue()
			case dto.MetricType_HISTOGRAM:
				out[name] += float64(v.GetHistogram().GetSampleCount())
			}
		}
	}
	return out
}

// gaugesOf gives a family's values by the value of its only label.
func gaugesOf(f *dto.MetricFamily) map[string]float64 {
	out := map[string]float64{}
	for _, v := range f.GetMetric() {
		name := ""
		for _, l := range v.GetLabel() {
			name += l.GetValue()
		}
		out[name] = v.GetGauge().GetValue()
	}
	return out
}

// TestMetrics scrapes a daemon between webhooks, good and forged ones: what it
// reads is what the daemon says elsewhere, and no counter ever falls.
func TestMetrics(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	defer http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	m := measure(t)
	defer m.end()
	client := link.NewClient(link.ClientOptions{Socket: m.cfg.Link.Socket})
	attached, leave := context.WithCancel(t.Context())
	left := make(chan error, 1)
	go func() { left <- client.Run(attached) }()
	defer func() { leave(); <-left }()

	const rounds, each = 40, 5
	before := map[string]float64{}
	for range rounds {
		m.post(each)
		m.forge()
		_, families := m.scrape()
		now := counters(families)
		for name, was := range before {
			if now[name] < was {
				t.Fatalf("%s fell from %v to %v", name, was, now[name])
			}
		}
		before = now
	}

	var families map[string]*dto.MetricFamily
	for deadline := time.Now().Add(10 * time.Second); ; <-client.Updates() { // of a later snapshot
		_, families = m.scrape()
		if v := counters(families); v["tickwatch_webhook_posts_total"] == rounds*each && v["tickwatch_webhook_refused_total"] == rounds {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the counters stand at %v", counters(families))
		}
	}
	got := counters(families)
	for name, want := range map[string]float64{
		"tickwatch_webhook_updates_total": rounds * each * 10, "tickwatch_webhook_not_understood_total": 0, "tickwatch_webhook_turned_away_total": 0,
		"tickwatch_webhook_answer_seconds": rounds * each, "tickwatch_store_commit_seconds": rounds * each,
	} {
		if got[name] != want {
			t.Errorf("%s is %v, want %v", name, got[name], want)
		}
	}
	var sum link.Counts // seven campaigns: the snapshot has them all
	for _, c := range m.newest().Campaigns {
		sum.InFlight += c.Counts.InFlight
		sum.Delivered += c.Counts.Delivered
		sum.Read += c.Counts.Read
		sum.Failed += c.Counts.Failed
	}
	if sum.InFlight == 0 || sum.Failed == 0 || sum.Read == 0 {
		t.Fatalf("the stream brought too little: %+v", sum)
	}
	want := map[string]float64{
		"in_flight": float64(sum.InFlight), "delivered": float64(sum.Delivered - sum.Read), "read": float64(sum.Read), "failed": float64(sum.Failed),
	}
	if diff := cmp.Diff(want, gaugesOf(families["tickwatch_messages"])); diff != "" {
		t.Errorf("messages by state (-snapshot +scraped):\n%s", diff)
	}
	if v := gaugesOf(families["tickwatch_consoles"])[""]; v != 1 {
		t.Errorf("%v consoles, want 1", v)
	}
	if v := gaugesOf(families["tickwatch_store_queue_updates"])[""]; v != 0 {
		t.Errorf("%v updates wait, and nothing is sent", v)
	}
	if v := gaugesOf(families["tickwatch_feed_state"]); v["live"] != 1 || v["idle"] != 0 || v["stalled"] != 0 || len(v) != 3 {
		t.Errorf("the feed is %v", v)
	}
	if v := gaugesOf(families["tickwatch_feed_last_event_timestamp_seconds"])[""]; time.Since(time.UnixMilli(int64(v*1000))).Abs() > time.Minute {
		t.Errorf("the last event came at %v", v)
	}
	for _, name := range []string{"tickwatch_build_info", "go_goroutines", "process_cpu_seconds_total"} {
		if families[name] == nil {
			t.Errorf("no %s", name)
		}
	}
}

// TestRefusedNeverFalls: between a commit and the word of it, the feed's own
// figure is short of what the commit counts.
func TestRefusedNeverFalls(t *testing.T) {
	g := &gauges{}
	for _, c := range []struct{ feed, want int64 }{{0, 0}, {5, 5}, {3, 5}, {5, 5}, {6, 6}} {
		if got := g.refusedSoFar(&link.Feed{Refused: c.feed}); got != float64(c.want) {
			t.Errorf("the feed says %d, told is %v, want %d", c.feed, got, c.want)
		}
	}
}

// TestMetricsTellOfAlarms: an alarm that stands is counted under its kind and
// severity, and the others stay at none.
func TestMetricsTellOfAlarms(t *testing.T) {
	defer http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	m := measure(t)
	defer m.end()
	body, err := os.ReadFile("../../testdata/webhooks/template-paused.json")
	if err != nil {
		t.Fatal(err)
	}
	body = regexp.MustCompile(`"time": \d+`).ReplaceAll(body, fmt.Appendf(nil, `"time": %d`, time.Now().Unix())) // old news alarms nobody
	clients, err := dialBench(t.Context(), m.port.Addr().String(), 1)
	if err != nil {
		t.Fatal(err)
	}
	defer closeBench(clients)
	mac := hmac.New(sha256.New, []byte(m.cfg.Webhook.AppSecret[0].Reveal()))
	mac.Write(body)
	if err := clients[0].post(fmt.Appendf(nil, "POST /webhooks/meta HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n%s: sha256=%x\r\n\r\n%s",
		len(body), webhook.SignatureHeader, mac.Sum(nil), body)); err != nil {
		t.Fatal(err)
	}
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	deadline := time.Now().Add(10 * time.Second)
	for {
		_, families := m.scrape()
		alarms := gaugesOf(families["tickwatch_alarms_open"])
		if len(alarms) != 2*len(alarmKinds) {
			t.Fatalf("%d series of alarms, want %d", len(alarms), 2*len(alarmKinds))
		}
		stands := alarms["templatewatch"] // no campaign uses it
		if stands == 1 {
			sum := 0.0
			for _, n := range alarms {
				sum += n
			}
			if sum != 1 {
				t.Errorf("one alarm stands, counted are %v", alarms)
			}
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("no alarm: %v", alarms)
		}
		<-look.C
	}
}

// TestMetricsAreFitForPrometheus: names and help texts pass Prometheus's own
// lint, and labels hold nothing but words of ours, however many campaigns and
// people there are.
func TestMetricsAreFitForPrometheus(t *testing.T) {
	defer http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	m := measure(t)
	defer m.end()
	m.post(1)
	text, few := m.scrape()
	problems, err := promlint.New(bytes.NewReader(text)).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		if !strings.HasPrefix(p.Metric, "go_") { // those are Prometheus's own
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	}
	m.post(100) // seven campaigns, hundreds of people
	text, many := m.scrape()
	known := map[string]bool{"kind": true, "severity": true, "state": true, "version": true, "goversion": true, "le": true, "quantile": true}
	for name, f := range many {
		if before := len(few[name].GetMetric()); few[name] != nil && len(f.GetMetric()) != before {
			t.Errorf("%s had %d series and has %d", name, before, len(f.GetMetric()))
		}
		if !strings.HasPrefix(name, "tickwatch_") {
			continue
		}
		for _, v := range f.GetMetric() {
			for _, l := range v.GetLabel() {
				if !known[l.GetName()] {
					t.Errorf("%s has a label %s", name, l.GetName())
				}
			}
		}
	}
	for _, private := range []string{"autumn", "351", "wamid", "106540352242922"} {
		for line := range strings.Lines(string(text)) {
			labels, _, _ := strings.Cut(line, "} ")
			if strings.HasPrefix(line, "tickwatch_") && strings.Contains(line, "{") && strings.Contains(labels, private) {
				t.Errorf("%q in %s", private, line)
			}
		}
	}
	if names := slices.Sorted(maps.Keys(many)); len(names) < 20 {
		t.Errorf("only %v", names)
	}
	r, err := http.Get("http://" + m.metrics.port.Addr().String() + "/")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	if r.StatusCode != http.StatusNotFound {
		t.Errorf("another path: %s", r.Status)
	}
}

// TestMetricsPortTaken: a port that is taken is one clear line, and nothing runs.
func TestMetricsPortTaken(t *testing.T) {
	defer http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	m := measure(t)
	defer m.end()
	var out, diagnostics bytes.Buffer
	code := Main(World{
		Args: []string{"--data-dir", t.TempDir(), "serve", "--listen", "127.0.0.1:0"},
		Env:  []string{"TICKWATCH_METRICS_LISTEN=" + m.metrics.port.Addr().String(), "HOME=" + t.TempDir()},
		Out:  &out, Err: &diagnostics,
	})
	line := diagnostics.String()
	if code != exitFailed || strings.Count(line, "\n") != 1 || !strings.Contains(line, "the metrics port cannot be opened") || !strings.Contains(line, "metrics.listen") {
		t.Errorf("exit code %d: %q", code, line)
	}
}
