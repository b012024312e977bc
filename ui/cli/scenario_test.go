package cli

import (
	"context"
	"encoding/json"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"tickwatch/monitor"
	"tickwatch/monitor/link"
	"tickwatch/wa"
	"tickwatch/wa/sandbox"
)

// stage is a daemon and a stand-in for Meta that tells it about a campaign.
type stage struct {
	daemon *daemon
	meta   *sandbox.Sandbox
	clock  func() time.Time
	stop   func()           // ends both, as their operator would
	judged []*link.Snapshot // all that were published; read it after stop
}

// play starts the daemon as `demo` does, with a campaign of its own size.
func play(t *testing.T, o sandbox.Options) *stage {
	t.Helper()
	dir, err := os.MkdirTemp("", "tickwatch-test-") // t.TempDir can be too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	clock := scaled(time.Now(), o.Speed)
	cfg, err := LoadConfig(LoadOptions{Dir: dir, Etc: dir, Flags: map[string]string{
		"data.dir": dir, "webhook.listen": "127.0.0.1:0", "webhook.app_secret": "a secret of the test",
		"thresholds.cpu_ok": "0.99", "thresholds.cpu_act": "1", // the machine that tests is busy
	}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	d, err := startDaemon(ctx, cfg, clock, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	o.Now, o.WebhookURL, o.Secret = clock, d.webhookURL(), cfg.Webhook.AppSecret[0]
	meta, err := sandbox.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return raise(ctx, t, d, meta, clock, cancel)
}

// playOwn starts the daemon as `demo` does, with a campaign of ours of so many
// messages, which goes out through it.
func playOwn(t *testing.T, scenario string, speed float64, size, rate int) *stage {
	t.Helper()
	return playOwnWith(t, scenario, speed, size, rate, nil)
}

// playOwnWith is playOwn with more of the configuration.
func playOwnWith(t *testing.T, scenario string, speed float64, size, rate int, more map[string]string) *stage {
	t.Helper()
	dir, err := os.MkdirTemp("", "tickwatch-test-")
	if err != nil {
		t.Fatal(err)
	}
	clock := scaled(demoStart(time.Now()), speed)
	secret := wa.NewSecret("a secret of the test")
	meta, err := sandbox.New(sandbox.Options{Scenario: scenario, Seed: 1, Speed: speed, Now: clock, Messages: -1, Rate: float64(rate), Secret: secret})
	if err != nil {
		t.Fatal(err)
	}
	flags := map[string]string{
		"data.dir": dir, "webhook.listen": "127.0.0.1:0", "webhook.app_secret": secret.Reveal(),
		"graph.base_url": meta.URL(), "graph.access_token": meta.Token().Reveal(), "graph.waba_id": sandbox.AccountID,
		"thresholds.cpu_ok": "0.99", "thresholds.cpu_act": "1",
	}
	maps.Copy(flags, more)
	cfg, err := LoadConfig(LoadOptions{Dir: dir, Etc: dir, Flags: flags})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	d, err := startScaled(ctx, cfg, clock, speed, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if err := meta.Tell(d.webhookURL()); err != nil {
		t.Fatal(err)
	}
	s := raise(ctx, t, d, meta, clock, cancel)
	if err := d.launchDemo(ctx, meta, size, rate); err != nil {
		t.Fatal(err)
	}
	return s
}

// raise runs a daemon and a stand-in until the test is over.
func raise(ctx context.Context, t *testing.T, d *daemon, meta *sandbox.Sandbox, clock func() time.Time, cancel func()) *stage {
	s := &stage{daemon: d, meta: meta, clock: clock}
	d.witness = func(snap *link.Snapshot) { s.judged = append(s.judged, snap) }
	ended := make(chan error, 2)
	go func() { ended <- d.run(ctx) }()
	go func() { ended <- meta.Run(ctx) }()
	stop := sync.OnceFunc(func() {
		cancel()
		for range 2 {
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}
	})
	t.Cleanup(func() { stop(); _ = os.RemoveAll(d.cfg.Data.Dir) })
	s.stop = stop
	return s
}

// until waits for a snapshot that is as it should be.
func (s *stage) until(t *testing.T, what string, ok func(*link.Snapshot) bool) *link.Snapshot {
	t.Helper()
	deadline := time.After(90 * time.Second)
	for {
		if snap := s.daemon.newest(); snap != nil && ok(snap) {
			return snap
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-deadline:
			t.Fatalf("never seen: %s; last: %+v", what, s.daemon.newest())
		}
	}
}

func alarmOf(s *link.Snapshot, kind string) *link.Alarm {
	i := slices.IndexFunc(s.Alarms, func(a link.Alarm) bool { return a.Kind == kind && a.Open() })
	if i < 0 {
		return nil
	}
	return &s.Alarms[i]
}

// sight is something that a scenario must show.
type sight struct {
	what string
	seen func(*link.Snapshot) bool
}

// autumn is the demo's campaign, empty until it is known.
func autumn(s *link.Snapshot) *link.Campaign {
	if len(s.Campaigns) == 0 {
		return &link.Campaign{}
	}
	return &s.Campaigns[0]
}

// old tells whether the campaign began more than so many minutes ago.
func old(s *link.Snapshot, minutes int64) bool {
	c := autumn(s)
	return c.StartedAt != nil && s.At.Sub(*c.StartedAt) > time.Duration(minutes)*time.Minute
}

// top is the error of most messages.
func top(s *link.Snapshot) link.Error {
	if c := autumn(s); len(c.Errors) > 0 {
		return c.Errors[0]
	}
	return link.Error{}
}

// calm tells whether delivery is well, and the alarms too.
func calm(s *link.Snapshot) bool {
	return autumn(s).First30.Verdict == link.VerdictOK && alarmOf(s, "delivery") == nil && alarmOf(s, "feed") == nil
}

// arrived tells whether as many arrived as in a healthy campaign, and the feed does not stall.
func arrived(s *link.Snapshot) bool {
	settled := autumn(s).First30.Settled
	return settled != nil && *settled > 0.955 && alarmOf(s, "feed") == nil
}

// bursts counts the stretches of minutes in which messages were sent.
func bursts(trend []link.Minute) (n int) {
	silent := true
	for _, m := range trend {
		if silent && m.Messages > 0 {
			n++
		}
		silent = m.Messages == 0
	}
	return n
}

// Every scenario of the demo shows what it injects, one sight after the other,
// and its recording shows the same again.
func TestScenarios(t *testing.T) {
	// Messages are sparser than the demo's: the machine that tests is busy.
	const rate, speed = 4, 50
	minutes := func(n int) int { return n * 60 * rate } // messages of so many
	for name, c := range map[string]struct {
		messages int // 0: more than are needed
		sights   []sight
	}{
		"healthy": {0, []sight{{"six quiet minutes that are OK", func(s *link.Snapshot) bool { return old(s, 6) && calm(s) }}}},
		"cliff": {0, []sight{
			{"delivery that needs acting", func(s *link.Snapshot) bool {
				a := alarmOf(s, "delivery")
				return a != nil && a.Severity == "act" && autumn(s).First30.Verdict == link.VerdictAct && top(s).Code == 131049
			}},
			{"a template that turns", func(s *link.Snapshot) bool { return alarmOf(s, "quality") != nil }},
		}},
		"one-prefix": {0, []sight{{"131026 far ahead", func(s *link.Snapshot) bool {
			a, c := alarmOf(s, "delivery"), autumn(s)
			return a != nil && top(s).Code == 131026 && top(s).Share > 0.6 && *c.First30.Settled < 0.95 &&
				len(c.Clusters) > 0 && c.Clusters[0].Attribute == "prefix" && c.Clusters[0].Value == "22507"
		}}}},
		"optouts": {0, []sight{{"opt-outs that need acting, while delivery is OK", func(s *link.Snapshot) bool {
			a := alarmOf(s, "reports")
			return a != nil && a.Severity == "act" && autumn(s).Reports.Verdict == link.VerdictAct && autumn(s).First30.Verdict == link.VerdictOK
		}}}},
		"leak": {0, []sight{
			{"delivery to watch", func(s *link.Snapshot) bool {
				a := alarmOf(s, "delivery")
				return a != nil && a.Severity == "watch"
			}},
			{"delivery that needs acting, well after it", func(s *link.Snapshot) bool {
				a := alarmOf(s, "delivery")
				return a != nil && a.ActedAt != nil && a.ActedAt.Sub(a.RaisedAt) > time.Minute && top(s).Code == 131026
			}},
		}},
		"paused-template": {0, []sight{
			{"a quality that falls, while delivery is OK", func(s *link.Snapshot) bool { return alarmOf(s, "quality") != nil && calm(s) }},
			{"a paused template", func(s *link.Snapshot) bool {
				a := alarmOf(s, "template")
				return a != nil && a.Severity == "act" && slices.ContainsFunc(s.Templates, func(t link.Template) bool {
					return t.Name == sandbox.CampaignTemplate && t.Status == "PAUSED" && t.Reason == "FIRST_PAUSE" && t.PausedUntil != nil
				})
			}},
			{"minutes without a new message", func(s *link.Snapshot) bool {
				trend := autumn(s).Trend
				return old(s, 11) && len(trend) > 0 && (trend[len(trend)-1].Messages == 0 || s.At.Sub(trend[len(trend)-1].At) > 2*time.Minute)
			}},
		}},
		"feed-outage": {minutes(9), []sight{
			{"a stalled feed", func(s *link.Snapshot) bool {
				return s.Feed.State == link.FeedStalled && alarmOf(s, "feed") != nil
			}},
			{"a live feed, and every message of the outage", func(s *link.Snapshot) bool {
				return s.Feed.State == link.FeedLive && autumn(s).Counts.Messages == int64(minutes(9)) && arrived(s)
			}},
		}},
		"duplicates": {minutes(4), []sight{
			{"every message once, three updates in four for the second time or more", func(s *link.Snapshot) bool {
				return autumn(s).Counts.Messages == int64(minutes(4)) && float64(s.Feed.Duplicates) > 0.7*float64(s.Feed.Updates) && arrived(s)
			}},
		}},
		"withheld": {0, []sight{{"what Meta withholds, by 131049, which neither a pause nor a retry mends", func(s *link.Snapshot) bool {
			c, a := autumn(s), alarmOf(s, "withheld")
			return a != nil && strings.Contains(a.DoNot, "do not pause") && alarmOf(s, "delivery") == nil && top(s).Code == 131049 && top(s).Share > 0.5 &&
				float64(c.Counts.Withheld) > 0.6*float64(c.Counts.Failed) && *c.First30.Settled < 0.95
		}}}},
		"burst": {0, []sight{{"bursts with silence between them, and all is calm", func(s *link.Snapshot) bool {
			return old(s, 6) && bursts(autumn(s).Trend) >= 2 && calm(s)
		}}}},
	} {
		if testing.Short() && name != "feed-outage" && name != "cliff" {
			continue // the others are the same to the race detector
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := sandbox.Options{Scenario: name, Seed: 1, Speed: speed, Rate: rate, Messages: c.messages}
			if name == "burst" {
				o.Speed /= 2 // however slow the machine, a burst must end before the next
			}
			s := play(t, o)
			for _, sight := range c.sights {
				s.until(t, sight.what, sight.seen)
			}
			playsAgain(t, s)
		})
	}
}

// gateOf is the gate of the demo's campaign, open or paused; nil when it was never closed.
func gateOf(s *link.Snapshot) *link.Gate {
	i := slices.IndexFunc(s.Gates, func(g link.Gate) bool { return g.Scope == link.ScopeCampaign && g.ID == autumn(s).ID })
	if i < 0 {
		return nil
	}
	return &s.Gates[i]
}

// A campaign of our own shows what happens to it too, what the queue did about it
// included, and so does its recording.
func TestScenariosOfOurOwn(t *testing.T) {
	const rate, speed, size = 4, 50, 6000
	going := func(s *link.Snapshot) bool {
		c := autumn(s)
		return c.Origin == "own" && c.State == "running" && c.Counts.Waiting > 0 && c.Sending != nil && c.Sending.Pace == "4/s"
	}
	for name, sights := range map[string][]sight{
		"healthy": {{"six quiet minutes that are OK", func(s *link.Snapshot) bool { return old(s, 6) && calm(s) && going(s) && gateOf(s) == nil }}},
		"cliff": {{"delivery that needs acting, and nobody paused", func(s *link.Snapshot) bool {
			a := alarmOf(s, "delivery")
			return a != nil && a.Severity == "act" && autumn(s).First30.Verdict == link.VerdictAct && top(s).Code == 131049 && going(s)
		}}, {"a number's quality, which Meta tells only to those who ask", func(s *link.Snapshot) bool {
			return slices.ContainsFunc(s.Alarms, func(a link.Alarm) bool {
				return strings.HasPrefix(a.Text, "Quality YELLOW of number +3519") && a.Severity == "watch"
			}) &&
				slices.ContainsFunc(s.Numbers, func(n link.Number) bool { return n.Quality == "YELLOW" && n.QualityWas == "GREEN" && n.Used24h != nil })
		}}},
		"paused-template": {
			{"a quality that falls, while delivery is OK", func(s *link.Snapshot) bool { return alarmOf(s, "quality") != nil && calm(s) && going(s) }},
			{"a pause by tickwatch itself, with the rest safe and nobody failed for it", func(s *link.Snapshot) bool {
				g, c := gateOf(s), autumn(s)
				return g != nil && g.State == link.GatePaused && g.By == "tickwatch" && c.State == "paused" &&
					c.Counts.Waiting > 0 && c.Counts.Refused == 0 && c.Counts.Unknown == 0 && c.Sending.OpenRequests == 0 && alarmOf(s, "template") != nil
			}},
			{"minutes without a new message", func(s *link.Snapshot) bool { return old(s, 11) && autumn(s).State == "paused" }},
		},
	} {
		if testing.Short() && name != "paused-template" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := playOwn(t, name, speed, size, rate)
			for _, sight := range sights {
				s.until(t, sight.what, sight.seen)
			}
			if name == "paused-template" { // nothing moves but what Meta has
				metricsAgree(t, s)
			}
			file := playsAgain(t, s)
			n := autumn(s.daemon.newest()).Counts
			if named := namedIn(t, file); named != n.HandedOver {
				t.Errorf("our side of the recording names %d people, %d messages are with Meta", named, n.HandedOver)
			}
			alone := filepath.Join(t.TempDir(), "alone.ndjson")
			command(t, "--data-dir", s.daemon.cfg.Data.Dir, "export", "recording", "--campaign", "autumn", "--out", alone)
			var end replayed
			if err := json.Unmarshal([]byte(command(t, "replay", alone, "--json")), &end); err != nil || autumn(end.Snapshot).Counts != n {
				t.Errorf("the campaign's own recording ends with %+v, the daemon with %+v (%v)", end.Snapshot.Campaigns, n, err)
			}
			if n.Claimed != 0 || n.Messages != n.Waiting+n.SetAside+n.Unknown+n.Cancelled+n.Refused+n.HandedOver {
				t.Errorf("the counts do not add up, or something is claimed though nothing runs: %+v", n)
			}
		})
	}
}

// namedIn counts the people whom the lines of our own side name.
func namedIn(t *testing.T, file string) int64 {
	t.Helper()
	named := map[string]bool{}
	if err := (recording{file}).each(t.Context(), func(l monitor.Line, _ float64) error {
		if l.Source != monitor.OwnSource {
			return nil
		}
		for _, m := range regexp.MustCompile(`"phone":"(\d+)"`).FindAllSubmatch(l.Body, -1) {
			named[string(m[1])] = true
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return int64(len(named))
}

// metricsAgree holds the metrics of a queue that is paused against its campaign.
func metricsAgree(t *testing.T, s *stage) {
	t.Helper()
	r := prometheus.NewPedanticRegistry()
	if err := r.Register(&gauges{d: s.daemon}); err != nil {
		t.Fatal(err)
	}
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	shown := map[string]map[string]float64{}
	for _, f := range families {
		if strings.HasPrefix(f.GetName(), "tickwatch_queue_") {
			shown[f.GetName()] = gaugesOf(f)
		}
	}
	n := autumn(s.daemon.newest()).Counts
	want := map[string]map[string]float64{
		"tickwatch_queue_messages": {
			"waiting": float64(n.Waiting), "handed_over": float64(n.HandedOver),
			"set_aside": 0, "claimed": 0, "unknown": 0, "cancelled": 0, "refused": 0,
		},
		"tickwatch_queue_open_requests": {"": 0}, "tickwatch_queue_begun_per_second": {"": 0},
		"tickwatch_queue_paused_gates": {"": 1}, "tickwatch_queue_stop_file": {"": 0},
	}
	if diff := cmp.Diff(want, shown); diff != "" {
		t.Errorf("metrics of the queue (-want +shown):\n%s", diff)
	}
}

// When all is told, the figures are what the stand-in's own books say.
func TestFiguresAgreeWithTheBooks(t *testing.T) {
	for _, scenario := range []string{"optouts", "duplicates"} {
		t.Run(scenario, func(t *testing.T) {
			t.Parallel()
			s := play(t, sandbox.Options{Scenario: scenario, Seed: 7, Speed: 3000, Messages: 1500})
			agreeWithTheBooks(t, s)
		})
	}
}

func agreeWithTheBooks(t *testing.T, s *stage) {
	t.Helper()
	var books sandbox.Books
	s.until(t, "the end of all news", func(*link.Snapshot) bool {
		books = s.meta.Books()
		return len(books.Messages) == 1500 && books.Waiting == 0 && books.Ahead == 0
	})
	want := link.Counts{}
	errors := map[int]int64{}
	for _, m := range books.Messages {
		want.Messages++
		want.HandedOver++
		arrived := m.DeliveredAt != 0 || m.ReadAt != 0
		if m.SentAt != 0 || arrived {
			want.Sent++
		}
		if m.ReadAt != 0 {
			want.Read++
		}
		switch {
		case arrived:
			want.Delivered++
		case m.FailedAt != 0:
			want.Failed++
			errors[m.Code]++
			if e, _ := wa.LookUp(m.Code); e.Withheld() {
				want.Withheld++
			}
		default:
			want.InFlight++
		}
	}
	people := map[string]bool{}
	for _, o := range books.OptOuts {
		people[o.Recipient] = true
	}
	var got *link.Campaign
	s.until(t, "every update taken", func(snap *link.Snapshot) bool {
		if len(snap.Campaigns) == 0 || snap.Campaigns[0].Counts != want {
			return false
		}
		got = &snap.Campaigns[0]
		return got.Reports.OptOuts == int64(len(people))
	})
	shown := map[int]int64{}
	for _, e := range got.Errors {
		shown[e.Code] = e.Count
	}
	if diff := cmp.Diff(errors, shown); diff != "" {
		t.Errorf("errors (-books +shown):\n%s", diff)
	}
	// Every failed message can be paged through, by code.
	for code, n := range errors {
		seen, before := int64(0), int64(0)
		for {
			var page link.Failures
			err := link.Call(context.Background(), s.daemon.cfg.Link.Socket, link.VerbFailures,
				link.FailuresArgs{Campaign: got.ID, Code: code, Before: before, Limit: 7}, &page)
			if err != nil {
				t.Fatal(err)
			}
			seen += int64(len(page.Messages))
			if before = page.Next; before == 0 {
				break
			}
		}
		if seen != n {
			t.Errorf("%s: %d messages in its pages, %d failed", strconv.Itoa(code), seen, n)
		}
	}
}
