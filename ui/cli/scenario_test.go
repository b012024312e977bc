package cli

import (
	"context"
	"io"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tickwatch/monitor/link"
	"tickwatch/wa"
	"tickwatch/wa/sandbox"
)

// stage is a daemon and a stand-in for Meta that tells it about a campaign.
type stage struct {
	daemon *daemon
	meta   *sandbox.Sandbox
	clock  func() time.Time
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
	ended := make(chan error, 2)
	go func() { ended <- d.run(ctx) }()
	go func() { ended <- meta.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		for range 2 {
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}
		_ = os.RemoveAll(dir)
	})
	return &stage{d, meta, clock}
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

// Every scenario of the demo shows what it injects.
func TestScenarios(t *testing.T) {
	autumn := func(s *link.Snapshot) *link.Campaign {
		if len(s.Campaigns) == 0 {
			return &link.Campaign{}
		}
		return &s.Campaigns[0]
	}
	old := func(s *link.Snapshot, minutes int64) bool {
		c := autumn(s)
		return c.StartedAt != nil && s.At.Sub(*c.StartedAt) > time.Duration(minutes)*time.Minute
	}
	top := func(s *link.Snapshot) link.Error {
		if c := autumn(s); len(c.Errors) > 0 {
			return c.Errors[0]
		}
		return link.Error{}
	}
	for name, sees := range map[string]map[string]func(*link.Snapshot) bool{
		"healthy": {"six quiet minutes that are OK": func(s *link.Snapshot) bool {
			return old(s, 6) && autumn(s).First30.Verdict == link.VerdictOK && alarmOf(s, "delivery") == nil
		}},
		"cliff": {
			"delivery that needs acting": func(s *link.Snapshot) bool {
				a := alarmOf(s, "delivery")
				return a != nil && a.Severity == "act" && autumn(s).First30.Verdict == link.VerdictAct && top(s).Code == 131049
			},
			"a template that turns": func(s *link.Snapshot) bool { return alarmOf(s, "quality") != nil },
		},
		"one-prefix": {"131026 far ahead": func(s *link.Snapshot) bool {
			a := alarmOf(s, "delivery")
			return a != nil && top(s).Code == 131026 && top(s).Share > 0.6 && *autumn(s).First30.Settled < 0.95
		}},
		"optouts": {"opt-outs that need acting, while delivery is OK": func(s *link.Snapshot) bool {
			a := alarmOf(s, "reports")
			return a != nil && a.Severity == "act" && autumn(s).Reports.Verdict == link.VerdictAct && autumn(s).First30.Verdict == link.VerdictOK
		}},
	} {
		t.Run(name, func(t *testing.T) {
			s := play(t, sandbox.Options{Scenario: name, Seed: 1, Speed: 50})
			for what, ok := range sees {
				s.until(t, what, ok)
			}
		})
	}
}

// When all is told, the figures are what the stand-in's own books say.
func TestFiguresAgreeWithTheBooks(t *testing.T) {
	s := play(t, sandbox.Options{Scenario: "optouts", Seed: 7, Speed: 3000, Messages: 1500})
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
