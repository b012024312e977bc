package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"tickwatch/monitor/link"
	"tickwatch/wa"
)

type benchStoredCmd struct {
	JSON     bool    `name:"json" help:"Print the figures as JSON."`
	Own      bool    `help:"Campaigns of our own, instead of another system's."`
	Messages int     `default:"1000000" help:"How many messages are stored; a tenth of them in a second store, to compare with."`
	Seconds  float64 `default:"2" help:"How long each measurement lasts."`
	Rounds   int     `default:"3" help:"How often each is repeated; medians count."`
	Dir      string  `help:"Where to put the temporary databases: the disk that is measured." placeholder:"DIR" type:"existingdir"`
}

// Help says what is measured.
func (benchStoredCmd) Help() string {
	return `Example:
  tickwatch bench stored --messages 10000000 --dir /var/lib

What a large store costs. Two stores are filled with the webhooks of another system's campaigns, or our own, raw bodies kept, which takes
about half a minute and 1 GB for each million messages. Then, the one after the other in every round: how fast each takes in
posts of ten statuses, fed in process by 64 at once; what a snapshot costs; how fast the larger one takes in webhooks
over HTTP without a console, and with one on a terminal that gets ten snapshots a second; and how soon a daemon that
starts on it answers a webhook, and shows the figures from before.`
}

const (
	storedLeast    = 10_000
	storedMost     = 100_000_000
	storedSize     = 10   // statuses in each post that is measured
	storedFillSize = 200  // statuses in each post that fills the store
	storedReady    = 8000 // posts a second to have ready, before a rate is known
	snapshotRate   = 10   // a second, to the console
	snapshotsTaken = 50   // to measure their cost
)

// Run measures, in folders that it removes.
func (c *benchStoredCmd) Run(ctx context.Context, a *app) (err error) {
	switch {
	case c.Messages < storedLeast || c.Messages > storedMost:
		return usageError{fmt.Errorf("--messages %d: give %d to %d", c.Messages, storedLeast, storedMost)}
	case !(c.Seconds > 0 && c.Seconds <= benchMaxSeconds):
		return usageError{fmt.Errorf("--seconds %v: give a number above 0 and up to %d", c.Seconds, benchMaxSeconds)}
	case c.Rounds < 1 || c.Rounds > benchMaxRounds:
		return usageError{fmt.Errorf("--rounds %d: give 1 to %d", c.Rounds, benchMaxRounds)}
	}
	dir, err := os.MkdirTemp(c.Dir, "tickwatch-bench-")
	if err != nil {
		return fmt.Errorf("making a folder for the measurement: %w; choose another with --dir", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	b := &storedBench{
		app: a, own: c.Own, dir: dir, rounds: c.Rounds, length: time.Duration(c.Seconds * float64(time.Second)), secret: benchSecret(),
	}
	f, err := b.run(ctx, c.Messages)
	if err != nil {
		return fmt.Errorf("measuring: %w", err)
	}
	if c.JSON {
		return a.json(f)
	}
	return a.print(f.text())
}

// storedBench is one call of `bench stored`.
type storedBench struct {
	*app
	own    bool
	dir    string
	rounds int
	length time.Duration
	secret wa.Secret
}

func (b *storedBench) say(what string, args ...any) {
	_, _ = fmt.Fprintf(b.Err, "tickwatch: "+what+"\n", args...)
}

func (b *storedBench) run(ctx context.Context, messages int) (*storedFigures, error) {
	campaigns, floor := "external", growthFloor
	if b.own {
		campaigns, floor = "own", growthFloorOwn
	}
	f := &storedFigures{
		machineFigures: thisMachine(), Campaigns: campaigns, Messages: messages, Fewer: messages / 10,
		Rounds: b.rounds, Seconds: b.length.Seconds(), Growth: growthFigures{Floor: floor},
		Snapshot: snapshotFigures{Bound: snapshotBound}, Console: consoleFigures{Floor: consoleFloor},
		Restart: restartFigures{AnswerBound: restartAnswerBound, FiguresBound: restartFiguresBound},
	}
	large := filepath.Join(b.dir, "large")
	before, err := b.whileOpen(ctx, f, large)
	if err != nil {
		return nil, err
	}
	if f.StoredBytes, err = sizeOf(large); err != nil {
		return nil, err
	}
	var answered, shown []float64
	for i := range b.rounds {
		b.say("restart %d of %d", i+1, b.rounds)
		a, s, err := b.restart(ctx, large, before)
		if err != nil {
			return nil, fmt.Errorf("starting again: %w", err)
		}
		answered, shown = append(answered, a.Seconds()), append(shown, s.Seconds())
	}
	f.Restart.Answer, f.Restart.Figures = round3(median(answered)), round3(median(shown))
	return f, nil
}

// whileOpen fills both stores and measures them; it gives what the larger one
// showed last.
func (b *storedBench) whileOpen(ctx context.Context, f *storedFigures, dir string) (last *link.Snapshot, err error) {
	small, err := b.open(ctx, filepath.Join(b.dir, "small"), f.Fewer)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, small.close()) }()
	large, err := b.open(ctx, dir, f.Messages)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, large.close()) }()
	for _, fill := range []func() error{func() error { return small.fill(ctx, f.Fewer) }, func() error { return large.fill(ctx, f.Messages) }} {
		if err := fill(); err != nil {
			return nil, fmt.Errorf("filling the store: %w", err)
		}
	}
	if err := b.growth(ctx, f, small, large); err != nil {
		return nil, err
	}
	if err := b.withConsole(ctx, f, large); err != nil {
		return nil, err
	}
	var took []time.Duration
	for range snapshotsTaken {
		if err := large.ingestOne(ctx); err != nil { // else there is nothing new to draw up
			return nil, err
		}
		start := time.Now()
		large.monitor.Publish(ctx)
		took = append(took, time.Since(start))
	}
	o := outcome{latencies: took, posts: len(took)}
	o.sort()
	f.Snapshot.LatencyMS = latencyFigures{P50: round3(o.percentile(0.5)), P99: round3(o.percentile(0.99))}
	return large.last, nil
}

// growth compares how fast the two stores take posts in.
func (b *storedBench) growth(ctx context.Context, f *storedFigures, small, large *storedSide) error {
	var few, many, ratios []float64
	for i := range b.rounds {
		b.say("ingest in process: round %d of %d", i+1, b.rounds)
		a, err := small.feed(ctx, b.length)
		if err != nil {
			return err
		}
		z, err := large.feed(ctx, b.length)
		if err != nil {
			return err
		}
		few, many, ratios = append(few, a), append(many, z), append(ratios, z/a)
	}
	f.Growth.Fewer, f.Growth.More, f.Growth.Ratio = round3(median(few)), round3(median(many)), round3(median(ratios))
	return nil
}

// withConsole compares how fast the store takes webhooks in without anybody
// looking, and with a console at ten snapshots a second. Who goes first takes turns.
func (b *storedBench) withConsole(ctx context.Context, f *storedFigures, s *storedSide) error {
	var alone, watched, ratios []float64
	for i := range b.rounds {
		b.say("ingest beside a console: round %d of %d", i+1, b.rounds)
		var rates [2]float64
		for turn := range 2 {
			attached := (i + turn) % 2
			rate, err := b.beside(ctx, s, attached == 1)
			if err != nil {
				return err
			}
			rates[attached] = rate
		}
		alone, watched, ratios = append(alone, rates[0]), append(watched, rates[1]), append(ratios, rates[1]/rates[0])
	}
	f.Console.Alone, f.Console.Watched, f.Console.Ratio = round3(median(alone)), round3(median(watched)), round3(median(ratios))
	return nil
}

// beside gives statuses a second, beside a console or none.
func (b *storedBench) beside(ctx context.Context, s *storedSide, attached bool) (float64, error) {
	if !attached {
		return s.post(ctx, b.length)
	}
	stop, err := s.watched(ctx, b.app)
	if err != nil {
		return 0, err
	}
	rate, err := s.post(ctx, b.length)
	return rate, errors.Join(err, stop())
}

// restart starts a daemon on a store, and gives when it answered a webhook and
// when it showed the figures from before. The webhook has no news in it.
func (b *storedBench) restart(ctx context.Context, dir string, before *link.Snapshot) (answered, shown time.Duration, err error) {
	cfg, err := LoadConfig(LoadOptions{Flags: map[string]string{
		"data.dir": dir, "webhook.listen": "127.0.0.1:0", "webhook.app_secret": b.secret.Reveal(),
	}, Dir: dir, Etc: dir})
	if err != nil {
		return 0, 0, err
	}
	start := time.Now()
	d, err := startDaemon(ctx, cfg, time.Now, io.Discard)
	if err != nil {
		return 0, 0, err
	}
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan error, 1)
	go func() { ended <- d.run(running) }()
	defer func() { stop(); err = errors.Join(err, <-ended) }()
	clients, err := dialBench(ctx, d.port.Addr().String(), 1)
	if err != nil {
		return 0, 0, err
	}
	defer closeBench(clients)
	if err := clients[0].post((&frameFeed{secret: b.secret}).request(nil)); err != nil {
		return 0, 0, err
	}
	answered = time.Since(start)
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	for !sameFigures(before, d.newest()) {
		select {
		case <-look.C:
		case <-ctx.Done():
			return 0, 0, context.Cause(ctx)
		}
		if time.Since(start) > benchPatience {
			return 0, 0, errors.New("the figures from before the restart did not come back")
		}
	}
	return answered, time.Since(start), nil
}

// sameFigures tells whether two snapshots count the same of the same campaigns.
// Their order may differ: it goes by the latest message.
func sameFigures(before, now *link.Snapshot) bool {
	if now == nil || len(now.Campaigns) != len(before.Campaigns) {
		return false
	}
	for i := range before.Campaigns {
		was := &before.Campaigns[i]
		k := slices.IndexFunc(now.Campaigns, func(c link.Campaign) bool { return c.ID == was.ID })
		if k < 0 {
			return false
		}
		is := &now.Campaigns[k]
		if is.Counts != was.Counts || is.First30.Messages != was.First30.Messages || is.First30.Delivered != was.First30.Delivered ||
			!slices.EqualFunc(is.Errors, was.Errors, func(a, b link.Error) bool { return a.Code == b.Code && a.Count == b.Count }) {
			return false
		}
	}
	return true
}

// sizeOf is how many bytes the files of a folder hold.
func sizeOf(dir string) (int64, error) {
	var sum int64
	files, err := os.ReadDir(dir)
	if err != nil {
		return 0, err
	}
	for _, f := range files {
		info, err := f.Info()
		if err != nil {
			return 0, err
		}
		sum += info.Size()
	}
	return sum, nil
}
