package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/charmbracelet/colorprofile"

	"tickwatch/monitor/link"
	"tickwatch/ui"
)

type benchFrameCmd struct {
	JSON    bool    `name:"json" help:"Print the figures as JSON."`
	Seconds float64 `default:"20" help:"How long each measurement lasts."`
	Dir     string  `help:"Where to put the temporary database: the disk that is measured." placeholder:"DIR" type:"existingdir"`
}

// Help says what is measured.
func (benchFrameCmd) Help() string {
	return `Example:
  tickwatch bench frame --seconds 60

A whole daemon and a console on a terminal of 80x24 (TERM=xterm-256color). Commit to pixel is the time from a webhook's 200,
when it is on disk, to the bytes that show the message it is about. It is measured of single webhooks after a silence, and in
a steady stream of twenty a second, to consoles that attach in the middle of it. Most of it is waiting: the daemon gives a
snapshot each quarter second at most, the console draws one each eighth of a second at most, sixty frames a second. Traffic
is what the console writes to its terminal while a small change comes four times a second. Drawing is one call of View on
the largest snapshot that there is.`
}

// Run measures, in a folder that it removes.
func (c *benchFrameCmd) Run(ctx context.Context, a *app) (err error) {
	if !(c.Seconds > 0 && c.Seconds <= benchMaxFrameSeconds) {
		return usageError{fmt.Errorf("--seconds %v: give a number above 0 and up to %d", c.Seconds, benchMaxFrameSeconds)}
	}
	dir, err := os.MkdirTemp(c.Dir, "tickwatch-bench-")
	if err != nil {
		return fmt.Errorf("making a folder for the measurement: %w; choose another with --dir", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	b := &frameBench{app: a, length: time.Duration(c.Seconds * float64(time.Second)), rand: rand.New(rand.NewPCG(1, 2))}
	f, err := b.run(ctx, dir)
	if err != nil {
		return fmt.Errorf("measuring: %w", err)
	}
	if c.JSON {
		return a.json(f)
	}
	return a.print(f.text())
}

const (
	benchMaxFrameSeconds = 600
	frameWarmUp          = 2000            // messages that the campaign has before
	steadyEach           = 5 * time.Second // of a console of the steady stream
	frameSteady          = 50 * time.Millisecond
	frameChange          = 250 * time.Millisecond
	frameWidth           = 80
	frameHeight          = 24
	countLabel           = "│ with Meta" // before the number of messages, in the Queue pane
)

// frameBench is one call of `bench frame`.
type frameBench struct {
	*app
	length  time.Duration // of each measurement
	rand    *rand.Rand
	feed    *frameFeed
	client  *benchClient
	socket  string
	console *benchConsole
}

func (b *frameBench) say(what string) { _, _ = fmt.Fprintln(b.Err, "tickwatch: "+what) }

func (b *frameBench) run(ctx context.Context, dir string) (f *frameFigures, err error) {
	secret := benchSecret()
	cfg, err := LoadConfig(LoadOptions{Flags: map[string]string{
		"data.dir": dir, "webhook.listen": "127.0.0.1:0", "webhook.app_secret": secret.Reveal(),
	}, Dir: dir, Etc: dir})
	if err != nil {
		return nil, err
	}
	d, err := startDaemon(ctx, cfg, time.Now, io.Discard)
	if err != nil {
		return nil, err
	}
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan error, 1)
	go func() { ended <- d.run(running) }()
	defer func() { stop(); err = errors.Join(err, <-ended) }()

	clients, err := dialBench(ctx, d.port.Addr().String(), 1)
	if err != nil {
		return nil, err
	}
	defer closeBench(clients)
	b.client, b.feed, b.socket = clients[0], newFrameFeed(secret), cfg.Link.Socket
	for range frameWarmUp / 100 {
		if err := b.client.post(b.feed.warmUp(100)); err != nil {
			return nil, err
		}
	}
	if b.console, err = b.openBenchConsole(ctx, b.socket, frameWidth, frameHeight); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, b.console.close()) }()
	if _, err := b.console.watch(b.shown(b.feed.messages)).wait(ctx); err != nil {
		return nil, err
	}
	return b.measure(ctx)
}

func (b *frameBench) measure(ctx context.Context) (*frameFigures, error) {
	f := &frameFigures{machineFigures: thisMachine(), Seconds: b.length.Seconds()}
	b.say("commit to pixel, single webhooks")
	calm, err := b.calm(ctx)
	if err != nil {
		return nil, err
	}
	b.say("commit to pixel, a steady stream")
	steady, err := b.steady(ctx)
	if err != nil {
		return nil, err
	}
	b.say("traffic")
	bytes, err := b.traffic(ctx)
	if err != nil {
		return nil, err
	}
	f.Calm, f.Steady = pixelsOf(calm), pixelsOf(steady)
	f.Traffic = trafficFigures{BytesPerSecond: round3(bytes), Bound: trafficBound}
	for _, size := range [...]struct{ width, height int }{{80, 24}, {200, 60}} {
		f.Draw = append(f.Draw, drawCost(size.width, size.height))
	}
	return f, nil
}

// shown says whether the screen counts as many messages, or more.
func (b *frameBench) shown(messages int) func(*benchScreen) bool {
	return func(s *benchScreen) bool {
		digits := strings.Map(func(r rune) rune {
			if r >= '0' && r <= '9' {
				return r
			}
			return -1
		}, strings.SplitN(s.after(countLabel), "│", 2)[0])
		n, err := strconv.Atoi(digits)
		return err == nil && n >= messages
	}
}

// calm posts single webhooks, each a while after the last one was shown.
func (b *frameBench) calm(ctx context.Context) (*outcome, error) {
	o := &outcome{}
	for start := time.Now(); time.Since(start) < b.length; {
		if !waitUntil(ctx, time.Now().Add(300*time.Millisecond+time.Duration(b.rand.Int64N(int64(400*time.Millisecond))))) {
			return nil, context.Cause(ctx)
		}
		post := b.feed.news()
		w := b.console.watch(b.shown(b.feed.messages))
		if err := b.client.post(post); err != nil {
			return nil, err
		}
		stored := time.Now()
		at, err := w.wait(ctx)
		if err != nil {
			return nil, err
		}
		o.latencies = append(o.latencies, max(at.Sub(stored), 0))
	}
	o.posts = len(o.latencies)
	o.sort()
	return o, nil
}

// steady posts webhooks in a steady stream, whether or not they were shown, to
// consoles that attach in the middle of it: nobody attaches to the beat of the
// daemon's snapshots.
func (b *frameBench) steady(ctx context.Context) (*outcome, error) {
	o := &outcome{}
	for left := b.length; left > 0; left -= steadyEach {
		if err := b.console.close(); err != nil {
			return nil, err
		}
		if _, _, err := b.stream(ctx, time.Duration(b.rand.Int64N(int64(2*frameChange))), nil); err != nil {
			return nil, err
		}
		console, err := b.openBenchConsole(ctx, b.socket, frameWidth, frameHeight)
		if err != nil {
			return nil, err
		}
		b.console = console
		attached := b.console.watch(b.shown(b.feed.messages))
		if _, _, err := b.stream(ctx, frameChange, attached); err != nil {
			return nil, err
		}
		watches, stored, err := b.stream(ctx, min(left, steadyEach), nil)
		if err != nil {
			return nil, err
		}
		for i, w := range watches {
			at, err := w.wait(ctx)
			if err != nil {
				return nil, err
			}
			o.latencies = append(o.latencies, max(at.Sub(stored[i]), 0))
		}
	}
	o.posts = len(o.latencies)
	o.sort()
	return o, nil
}

// stream posts for a while, or until a watch has seen what it waits for. It
// gives a watch on each webhook, and when each was stored.
func (b *frameBench) stream(ctx context.Context, length time.Duration, until *benchWatch) (watches []*benchWatch, stored []time.Time, err error) {
	deadline := time.Now().Add(benchPatience)
	for start := time.Now(); ; {
		if until == nil && time.Since(start) >= length || until != nil && len(until.when) > 0 {
			return watches, stored, nil
		}
		if time.Now().After(deadline) && until != nil {
			return nil, nil, errNotShown
		}
		post := b.feed.news()
		watches = append(watches, b.console.watch(b.shown(b.feed.messages)))
		if err := b.client.post(post); err != nil {
			return nil, nil, err
		}
		stored = append(stored, time.Now())
		// Not in step with anything that has a beat of its own.
		if !waitUntil(ctx, stored[len(stored)-1].Add(time.Duration(b.rand.Int64N(int64(2*frameSteady))))) {
			return nil, nil, context.Cause(ctx)
		}
	}
}

// traffic is what the console writes, in bytes a second, while a small change
// comes four times a second.
func (b *frameBench) traffic(ctx context.Context) (float64, error) {
	before, start := b.console.sent(), time.Now()
	for next := start; next.Sub(start) < b.length; {
		if err := b.client.post(b.feed.news()); err != nil {
			return 0, err
		}
		next = next.Add(frameChange)
		if !waitUntil(ctx, next) {
			return 0, context.Cause(ctx)
		}
	}
	return float64(b.console.sent()-before) / time.Since(start).Seconds(), nil
}

// drawCost draws the largest snapshot again and again.
func drawCost(width, height int) drawFigures {
	const length = 300 * time.Millisecond
	now := time.Now()
	s := ui.NewStill(ui.Options{Now: func() time.Time { return now }, Env: []string{"LANG=C.UTF-8"}},
		link.Update{Snapshot: benchSnapshot(now), Connected: true}, width, height, colorprofile.ANSI256)
	s.View()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	n, start := 0, time.Now()
	for ; time.Since(start) < length; n++ {
		s.View()
	}
	took := time.Since(start)
	runtime.ReadMemStats(&after)
	return drawFigures{
		Width: width, Height: height, Micros: round3(float64(took.Microseconds()) / float64(n)),
		Allocs: int64((after.Mallocs - before.Mallocs) / uint64(n)), Bytes: int64((after.TotalAlloc - before.TotalAlloc) / uint64(n)), //nolint:gosec // small
	}
}
