package monitor

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tickwatch/monitor/link"
	"tickwatch/monitor/notify"
	"tickwatch/store"
	"tickwatch/wa"
)

// pager is a place where people are told, unless it is out of order.
type pager struct {
	mu     sync.Mutex
	broken bool
	told   []string
}

func (*pager) Name() string { return "pager" }
func (*pager) ID() string   { return "pager 1" }
func (*pager) Single() bool { return false }

func (p *pager) Send(_ context.Context, m *notify.Message) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.broken {
		return errors.New("no line")
	}
	p.told = append(p.told, m.Title())
	return nil
}

func (p *pager) breaks(so bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.broken = so
}

func (p *pager) take() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := strings.Join(p.told, "; ")
	p.told = nil
	return all
}

// People are told of what the monitor raises and clears, not of what is quiet; that
// they are not reached is an alarm itself.
func TestPeopleAreTold(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		s, err := store.Open(t.Context(), store.Options{Dir: dir, Throwaway: true})
		if err != nil {
			t.Fatal(err)
		}
		p := &pager{}
		var mu sync.Mutex
		var last *link.Snapshot
		m, err := New(t.Context(), Options{
			Store: s, Thresholds: DefaultThresholds(), Notify: notify.New(notify.Options{Targets: []notify.Target{p}, Told: s}),
			Publish: func(x *link.Snapshot) { mu.Lock(); defer mu.Unlock(); last = x },
		})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ran := make(chan struct{})
		go func() { defer close(ran); m.Run(ctx) }()
		defer func() { cancel(); <-ran; _ = s.Close() }()

		quality := func(template int64, q wa.Quality) {
			t.Helper()
			u := wa.TemplateUpdate{ID: template, Name: fmt.Sprintf("offer_%d", template), Language: "pt_PT", Quality: q, At: wa.At(time.Now())}
			if err := s.Ingest(ctx, &wa.Post{Source: "meta", Body: []byte("{}"), ReceivedAt: wa.At(time.Now()), Templates: []wa.TemplateUpdate{u}}); err != nil {
				t.Fatal(err)
			}
			time.Sleep(10 * time.Second)
		}
		expect := func(step, want string) {
			t.Helper()
			if got := p.take(); got != want {
				t.Errorf("%s: told %q, want %q", step, got, want)
			}
		}
		quality(7, wa.QualityYellow)
		expect("raised", "WATCH quality")
		if _, err := m.snooze(link.SnoozeArgs{Alarm: "a1", Seconds: 60}, "ines"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(50 * time.Second)
		expect("quiet", "")
		time.Sleep(20 * time.Second)
		expect("its time is over", "WATCH, still, quality")

		p.breaks(true)
		quality(8, wa.QualityRed)
		time.Sleep(time.Minute)
		mu.Lock()
		if a := last.Alarms[0]; a.Kind != "host" || !a.Open() || !strings.Contains(a.Text, "pager: no line") || !strings.Contains(a.Advice, "notify test") {
			t.Errorf("nobody is reached: %+v", last.Alarms)
		}
		mu.Unlock()
		p.breaks(false)
		time.Sleep(5 * time.Minute)
		expect("reached again", "tickwatch: 2 alarms, 2 WATCH; Cleared: this machine")
		quality(7, wa.QualityGreen)
		expect("over", "Cleared: quality")
	})
}
