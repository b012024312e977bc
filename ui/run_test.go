package ui

import (
	"bytes"
	"context"
	"errors"
	"io"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/exp/golden"
	"github.com/creack/pty"
	"go.uber.org/goleak"

	"tickwatch/monitor/link"
)

// screen collects what a console writes to a terminal.
type screen struct {
	mu   sync.Mutex
	text bytes.Buffer
	grew chan struct{} // one slot
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case s.grew <- struct{}{}:
	default:
	}
	return s.text.Write(p)
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// await waits until the screen has shown a text.
func (s *screen) await(t *testing.T, want string) {
	t.Helper()
	limit := time.NewTimer(10 * time.Second)
	defer limit.Stop()
	for !strings.Contains(s.String(), want) {
		select {
		case <-s.grew:
		case <-limit.C:
			t.Fatalf("%q never came to the terminal: %q", want, s.String())
		}
	}
}

// terminal runs a console on a real pseudo-terminal of 80x24.
func terminal(t *testing.T, ctx context.Context, d Daemon, env ...string) (keys io.Writer, out *screen, ended <-chan error) {
	t.Helper()
	far, near, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	if err := pty.Setsize(near, &pty.Winsize{Cols: 80, Rows: 24}); err != nil {
		t.Fatal(err)
	}
	out = &screen{grew: make(chan struct{}, 1)}
	copied := make(chan struct{})
	go func() {
		defer close(copied)
		_, _ = io.Copy(out, far) // ends with an error when the near end is closed
	}()
	result := make(chan error, 1)
	go func() {
		result <- Run(ctx, Options{
			Daemon: d, Zone: sampleZone, Now: func() time.Time { return sampleNow }, In: near, Out: near,
			Env: append([]string{"TERM=xterm-256color", "LANG=C.UTF-8"}, env...),
		})
	}()
	t.Cleanup(func() {
		near.Close()
		<-copied
		far.Close()
	})
	return far, out, result
}

func TestRunOnATerminal(t *testing.T) {
	d := newDaemon()
	d.prepared()
	keys, out, ended := terminal(t, t.Context(), d)
	out.await(t, "connecting…")
	d.updates <- link.Update{Snapshot: healthy(), Connected: true}
	out.await(t, "arrived, of those decided")
	if _, err := io.WriteString(keys, "p"); err != nil {
		t.Fatal(err)
	}
	out.await(t, "Another system sends autumn")
	if _, err := io.WriteString(keys, "q"); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Errorf("leaving with q: %v", err)
	}
	out.await(t, "\x1b[?1049l") // the terminal is as it was
	if !strings.Contains(out.String(), "\x1b[38;5;") {
		t.Error("no colour on a terminal of 256")
	}
}

func TestRunWithoutColour(t *testing.T) {
	d := newDaemon()
	ctx, cancel := context.WithCancel(t.Context())
	_, out, ended := terminal(t, ctx, d, "NO_COLOR=1", "TERM=linux")
	d.updates <- link.Update{Snapshot: trouble(), Connected: true}
	out.await(t, "feed live")
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("ended by its context: %v", err)
	}
	if coloured := regexp.MustCompile(`\x1b\[([0-9;]*;)?[34][0-7][;m]`).FindString(out.String()); coloured != "" {
		t.Errorf("%q with NO_COLOR", coloured)
	}
	if !regexp.MustCompile(`\x1b\[[0-9;]*7m ACT `).MatchString(out.String()) {
		t.Error("ACT is not reversed")
	}
}

func TestRunEndsCleanly(t *testing.T) {
	leaks := goleak.IgnoreCurrent()
	d := newDaemon()
	ctx, cancel := context.WithCancel(t.Context())
	in, typed := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		ended <- Run(ctx, Options{Daemon: d, In: in, Out: io.Discard, Env: []string{"TERM=xterm"}})
	}()
	d.updates <- link.Update{Err: errors.New("nobody there")}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	typed.Close()
	// Bubble Tea lets a tick that is under way run out, which takes up to a second.
	goleak.VerifyNone(t, leaks, goleak.IgnoreAnyFunction("charm.land/bubbletea/v2.Tick.func1"),
		goleak.IgnoreAnyFunction("charm.land/bubbletea/v2.(*Program).execBatchMsg"))
}

// TestAnIdleMinute measures what a calm console writes in a minute: its clock.
func TestAnIdleMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDaemon()
		start := time.Now()
		out := &screen{grew: make(chan struct{}, 1)}
		ctx, cancel := context.WithCancel(t.Context())
		m := newModel(ctx, Options{
			Daemon: d, Zone: sampleZone, Env: []string{"TERM=xterm-256color", "LANG=C.UTF-8"},
			Now: func() time.Time { return sampleNow.Add(time.Since(start)) },
		}.withDefaults())
		in, typed := io.Pipe()
		p := tea.NewProgram(m, tea.WithContext(ctx), tea.WithInput(in), tea.WithOutput(out), tea.WithWindowSize(80, 24),
			tea.WithEnvironment([]string{"TERM=xterm-256color"}), tea.WithoutSignalHandler())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			_, _ = p.Run() // ends with its context
		}()
		s := healthy()
		s.Campaigns[0].First30.Closed = true
		s.Feed.State, s.Feed.LastEventAt = link.FeedIdle, ptr(sampleNow.Add(-20*time.Minute-10*time.Second))
		beat := func() {
			same := *s
			same.Rev, same.At = same.Rev+1, sampleNow.Add(time.Since(start))
			s = &same
			d.updates <- link.Update{Snapshot: s, Connected: true}
			time.Sleep(time.Second)
		}
		beat()
		beat()
		before := len(out.String())
		for range 30 { // within one minute of the last news
			beat()
		}
		synctest.Wait()
		idle := out.String()[before:]
		perSecond := float64(len(idle)) / 30
		t.Logf("%.0f bytes a second", perSecond)
		if perSecond > 40 {
			t.Errorf("an idle console writes %.0f bytes a second: %q", perSecond, idle)
		}
		if text := regexp.MustCompile(`\x1b\[[0-9;?]*[A-Za-z]|[0-9: \r\n\x08]`).ReplaceAllString(idle, ""); text != "" {
			t.Errorf("more than the clock has moved: %q", text)
		}
		cancel()
		typed.Close()
		<-ended
		time.Sleep(2 * time.Second) // of the bubble: the last ticks run out
	})
}

func TestPlain(t *testing.T) {
	for name, s := range map[string]*link.Snapshot{"healthy": healthy(), "trouble": trouble(), "empty": nothingYet(), "zero": {}, "typed": typed(), "answered": answered(), "clustered": clustered()} {
		t.Run(name, func(t *testing.T) { golden.RequireEqual(t, Plain(s, sampleZone, 80)) })
	}
}

// TestKeyTable holds the table of keys; that the README has it, TestREADME of
// ui/cli holds.
func TestKeyTable(t *testing.T) { golden.RequireEqual(t, KeyTable()) }

// BenchmarkFrame is the time for one redraw of the largest screen: a snapshot
// taken over, cleaned and drawn.
func BenchmarkFrame(b *testing.B) {
	m := newModel(b.Context(), Options{Daemon: newDaemon(), Zone: sampleZone, Now: func() time.Time { return sampleNow }}.withDefaults())
	m.Update(tea.WindowSizeMsg{Width: 200, Height: 50})
	s := trouble()
	for b.Loop() {
		same := *s
		m.paced = false
		m.Update(updateMsg{Update: link.Update{Snapshot: &same, Connected: true}})
		if m.frame() == "" {
			b.Fatal("nothing drawn")
		}
	}
}
