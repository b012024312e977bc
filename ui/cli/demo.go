package cli

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"

	"tickwatch/ui"
	"tickwatch/wa/sandbox"
)

type demoCmd struct {
	Scenario string        `default:"healthy" help:"What happens: ${scenarios}." placeholder:"NAME"`
	Seed     uint64        `default:"1" help:"Who the people are and what they do."`
	Speed    float64       `default:"1" help:"How fast the demo's time runs; 10 plays half an hour in three minutes."`
	For      time.Duration `help:"End after so long, real time." placeholder:"DUR"`
	Headless bool          `help:"No console: print the final status."`
	JSON     bool          `name:"json" help:"With --headless: print the final snapshot as JSON."`
	ASCII    bool          `name:"ascii" help:"Draw without Unicode."`
}

// Help gives an example.
func (demoCmd) Help() string {
	var b strings.Builder
	b.WriteString("Examples:\n  tickwatch demo --scenario cliff --speed 5\n  tickwatch demo --headless --json --for 20s\n\nScenarios:\n")
	for _, s := range sandbox.Scenarios() {
		fmt.Fprintf(&b, "  %-15s %s\n", s.Name, s.Text)
	}
	return b.String()
}

const (
	demoLength  = 30 * time.Minute // of its own time, the campaign's sending
	demoEpilog  = 2 * time.Minute  // for the last deliveries, when headless
	demoMaxTime = 1000             // --speed
)

// Run plays a campaign: stand-in for Meta, daemon and console in one process,
// over the same HTTP and socket as in earnest.
func (c *demoCmd) Run(ctx context.Context, a *app) error {
	if c.Speed <= 0 || c.Speed > demoMaxTime {
		return usageError{fmt.Errorf("--speed %v: give a number above 0 and up to %d", c.Speed, demoMaxTime)}
	}
	if c.JSON && !c.Headless {
		return usageError{errors.New("--json goes with --headless")}
	}
	dir, err := os.MkdirTemp("", "tickwatch-demo-")
	if err != nil {
		return fmt.Errorf("making a folder for the demo: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if c.For > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.For)
		defer cancel()
	}
	return c.play(ctx, a, dir)
}

func (c *demoCmd) play(ctx context.Context, a *app, dir string) error {
	clock := scaled(time.Now(), c.Speed)
	cfg, err := LoadConfig(LoadOptions{Flags: map[string]string{
		"data.dir": dir, "webhook.listen": "127.0.0.1:0", "webhook.app_secret": rand.Text(),
	}, Dir: dir, Etc: dir})
	if err != nil {
		return err
	}
	log, err := openLog(dir)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	d, err := startDaemon(ctx, cfg, clock, log)
	if err != nil {
		return err
	}
	meta, err := sandbox.New(sandbox.Options{
		Scenario: c.Scenario, Seed: c.Seed, Speed: c.Speed, Now: clock,
		WebhookURL: d.webhookURL(), Secret: cfg.Webhook.AppSecret[0],
		Log: slog.New(slog.NewTextHandler(log, nil)),
	})
	if err != nil {
		d.abandon()
		return usageError{err}
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	played := make(chan error, 1)
	go func() { played <- meta.Run(ctx) }()

	show := c.headless
	if !c.Headless {
		show = c.onScreen
	}
	err = show(ctx, a, d, clock)
	cancel()
	return errors.Join(err, <-played)
}

func (c *demoCmd) onScreen(ctx context.Context, a *app, d *daemon, clock func() time.Time) error {
	if a.screen() {
		return a.together(ctx, d, consoleOptions{mode: ui.ModeDemo, ascii: c.ASCII, now: clock})
	}
	return c.plainly(ctx, a, d)
}

// plainEvery is how often the demo prints its status where no screen can be drawn.
const plainEvery = 10 * time.Second

// plainly is the demo on a terminal that cannot move its cursor: a plain status
// now and then, until it is told to end.
func (c *demoCmd) plainly(ctx context.Context, a *app, d *daemon) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, 1)
	go func() { defer cancel(); ended <- d.run(ctx) }()
	_, _ = fmt.Fprintf(a.Err, "tickwatch: no screen to draw on: the status follows every %s, ctrl-c ends it\n", plainEvery)
	tick := time.NewTicker(plainEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return errors.Join(c.last(a, d), <-ended)
		case <-tick.C:
			if err := c.last(a, d); err != nil {
				cancel()
				return errors.Join(err, <-ended)
			}
			_, _ = io.WriteString(a.Out, "\n")
		}
	}
}

// headless runs the campaign to its end, or as long as it was told to, and
// prints what came of it.
func (c *demoCmd) headless(ctx context.Context, a *app, d *daemon, _ func() time.Time) error {
	length := time.Duration(float64(demoLength+demoEpilog) / c.Speed)
	if c.For > 0 {
		length = c.For
	}
	ctx, cancel := context.WithTimeout(ctx, length)
	defer cancel()
	if err := d.run(ctx); err != nil {
		return err
	}
	return c.last(a, d)
}

// last prints the newest snapshot.
func (c *demoCmd) last(a *app, d *daemon) error {
	s := d.newest()
	if s == nil {
		return errors.New("the demo ended before there was anything to show: let it run longer")
	}
	return a.printStatus(s, c.JSON)
}

// scaled is a clock that starts at a moment and runs speed times as fast as the
// machine's.
func scaled(start time.Time, speed float64) func() time.Time {
	if speed == 1 {
		return time.Now
	}
	return func() time.Time {
		return start.Add(time.Duration(float64(time.Since(start)) * speed)).Round(0)
	}
}

func scenarioNames() string {
	var names []string
	for _, s := range sandbox.Scenarios() {
		names = append(names, s.Name)
	}
	return strings.Join(names, ", ")
}
