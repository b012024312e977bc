package cli

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"time"

	"tickwatch/monitor/link"
)

type benchQueueCmd struct {
	JSON    bool    `name:"json" help:"Print the figures as JSON."`
	Rows    int     `default:"1000000" help:"How many rows the list has; a tenth of them in a second queue, to compare with."`
	Seconds float64 `default:"5" help:"How long each measurement lasts."`
	Rounds  int     `default:"3" help:"How often each is repeated; medians count."`
	List    string  `default:"csv" enum:"csv,xlsx" help:"What the list is: csv, or xlsx as Excel saves it."`
	Pauses  int     `default:"100" help:"How often it is paused, and resumed."`
	Dir     string  `help:"Where to put the temporary databases: the disk that is measured." placeholder:"DIR" type:"existingdir"`
}

// Help says what is measured.
func (benchQueueCmd) Help() string {
	return `Example:
  tickwatch bench queue --dir /var/lib

A daemon with one campaign of its own, which sends through a stand-in for Meta that runs in a second process, answers after 50 ms and
sends the webhooks that follow; one number, 64 connections. Measured are the import of the list over the link, as campaign import does it; how
many messages a second are handed over, and what each costs the daemon, from this queue and from one with a tenth of its rows, the one after the
other in every round; pauses under load, over the socket as a console sends them, at random moments, until the first byte of the last
request was read by the stand-in; and resumes until it read the first. The stand-in's own log tells in the end whether anybody was written to twice.

With a disk that takes 50 ms to sync:
  strace -f --seccomp-bpf -qq -o /dev/null -e trace=fsync,fdatasync -e inject=fsync,fdatasync:delay_exit=50000 \
    tickwatch bench queue --rows 50000 --rounds 1 --seconds 2`
}

const (
	queueLeast  = 10_000
	queueMost   = 1_000_000   // the stand-in has no more people
	queueFewer  = 10          // times smaller is the queue that it is compared with
	queueWarmUp = time.Second // at most, before a measurement
	maxPauses   = 2000
)

// Run measures, in folders that it removes.
func (c *benchQueueCmd) Run(ctx context.Context, a *app) (err error) {
	switch {
	case c.Rows < queueLeast || c.Rows > queueMost:
		return usageError{fmt.Errorf("--rows %d: give %d to %d", c.Rows, queueLeast, queueMost)}
	case !(c.Seconds > 0 && c.Seconds <= benchMaxSeconds):
		return usageError{fmt.Errorf("--seconds %v: give a number above 0 and up to %d", c.Seconds, benchMaxSeconds)}
	case c.Rounds < 1 || c.Rounds > benchMaxRounds:
		return usageError{fmt.Errorf("--rounds %d: give 1 to %d", c.Rounds, benchMaxRounds)}
	case c.Pauses < 1 || c.Pauses > maxPauses:
		return usageError{fmt.Errorf("--pauses %d: give 1 to %d", c.Pauses, maxPauses)}
	}
	dir, err := os.MkdirTemp(c.Dir, "tickwatch-bench-")
	if err != nil {
		return fmt.Errorf("making a folder for the measurement: %w; choose another with --dir", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	b := &queueBench{
		app: a, dir: dir, list: "list." + c.List, rows: c.Rows, rounds: c.Rounds, pauses: c.Pauses, length: time.Duration(c.Seconds * float64(time.Second)),
	}
	f, err := b.run(ctx)
	if err != nil {
		return fmt.Errorf("measuring: %w", err)
	}
	if c.JSON {
		return a.json(f)
	}
	return a.print(f.text())
}

// queueBench is one call of `bench queue`.
type queueBench struct {
	*app
	dir, list            string
	rows, rounds, pauses int
	length               time.Duration
}

func (b *queueBench) say(what string, args ...any) {
	_, _ = fmt.Fprintf(b.Err, "tickwatch: "+what+"\n", args...)
}

func (b *queueBench) run(ctx context.Context) (f *queueFigures, err error) {
	f = &queueFigures{
		machineFigures: thisMachine(), Rows: b.rows, Fewer: b.rows / queueFewer, Connections: benchConnections,
		AnswerMS: ms(metaLatency), Rounds: b.rounds, Seconds: b.length.Seconds(),
	}
	disk, err := fsyncTimes(b.dir)
	if err != nil {
		return nil, err
	}
	f.FsyncMS = latencyFigures{P50: round3(disk.percentile(0.5)), P99: round3(disk.percentile(0.99))}
	b.say("importing %d rows", b.rows)
	large, err := openQueueSide(ctx, b.app, filepath.Join(b.dir, "large"), b.list, b.rows)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, large.close()) }()
	f.Import = importFigures{
		Seconds: round3(large.imported.Seconds()), Processor: round3(large.cost.Seconds()), PeakBytes: peakMemory(), MemoryBound: importMemory,
		Bound: round3(importBound * float64(b.rows) / importBoundsRows),
	}
	small, err := openQueueSide(ctx, b.app, filepath.Join(b.dir, "small"), b.list, f.Fewer)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, small.close()) }()
	for _, s := range []*queueSide{large, small} {
		if err := s.start(ctx); err != nil {
			return nil, err
		}
	}
	if err := b.sends(ctx, f, large, small); err != nil {
		return nil, err
	}
	if err := b.stops(ctx, f, large); err != nil {
		return nil, err
	}
	return f, b.compare(ctx, f, large, small)
}

// sends lets both queues go out in turns.
func (b *queueBench) sends(ctx context.Context, f *queueFigures, large, small *queueSide) error {
	var rounds [2][]queueRound
	for i := range b.rounds {
		b.say("sending: round %d of %d", i+1, b.rounds)
		for turn := range 2 {
			which := (i + turn) % 2 // who goes first takes turns
			r, err := b.send(ctx, []*queueSide{large, small}[which])
			if err != nil {
				return err
			}
			rounds[which] = append(rounds[which], r)
		}
	}
	f.Send = sendOf(rounds[0], rounds[1])
	return nil
}

// send lets a queue go out for a while. It is measured once it is warm.
func (b *queueBench) send(ctx context.Context, s *queueSide) (r queueRound, err error) {
	if _, err := s.resume(ctx); err != nil {
		return r, err
	}
	if !waitUntil(ctx, time.Now().Add(min(queueWarmUp, b.length))) {
		return r, context.Cause(ctx)
	}
	before, _, err := s.counts(ctx)
	if err != nil {
		return r, err
	}
	begin, used := time.Now(), processorTime()
	if !waitUntil(ctx, begin.Add(b.length)) {
		return r, context.Cause(ctx)
	}
	after, _, err := s.counts(ctx)
	took, cost := time.Since(begin), processorTime()-used
	if err == nil {
		err = s.enough(after)
	}
	if err != nil {
		return r, err
	}
	sent := after.HandedOver - before.HandedOver
	if sent == 0 {
		return r, errors.New("nothing was handed over: let the machine rest, and measure again")
	}
	if _, _, _, err := s.pause(ctx); err != nil {
		return r, err
	}
	_, err = s.quiet(ctx)
	return queueRound{rate: float64(sent) / took.Seconds(), cost: cost / time.Duration(sent)}, err
}

// stops pauses and resumes under load.
func (b *queueBench) stops(ctx context.Context, f *queueFigures, s *queueSide) error {
	var all []queueStop
	for i := range b.pauses {
		if i%25 == 0 {
			b.say("pause %d of %d", i+1, b.pauses)
		}
		one, err := stopOnce(ctx, s)
		if err != nil {
			return err
		}
		all = append(all, one)
	}
	f.Pause, f.Resume = stopsOf(all)
	return nil
}

// stopOnce lets a paused queue go out for a moment, and pauses it.
func stopOnce(ctx context.Context, s *queueSide) (o queueStop, err error) {
	const (
		loadAtLeast = 300 * time.Millisecond // before a pause: the connections are all busy by then
		loadAtMost  = 600 * time.Millisecond
	)
	resumed, err := s.resume(ctx)
	if err != nil {
		return o, err
	}
	if !waitUntil(ctx, resumed.Add(loadAtLeast+rand.N(loadAtMost-loadAtLeast))) {
		return o, context.Cause(ctx)
	}
	if err := s.busy(ctx); err != nil {
		return o, err
	}
	asked, answered, r, err := s.pause(ctx)
	if err != nil {
		return o, err
	}
	if r.Already || r.LastSendStartedAt == nil {
		return o, errors.New("the queue paused by itself: look at the machine's clock and disk, and measure again")
	}
	left, err := s.quiet(ctx)
	if err == nil {
		err = s.enough(left)
	}
	if err != nil {
		return o, err
	}
	seen, err := s.meta.since(resumed)
	if err == nil && seen.Count == 0 {
		err = errors.New("nothing began between a resume and a pause: let the machine rest, and measure again")
	}
	return queueStop{
		first: seen.First.Sub(resumed), last: max(0, seen.Last.Sub(asked)), begun: max(0, r.LastSendStartedAt.Sub(asked)),
		answer: answered.Sub(asked), late: seen.Last.Sub(answered), rate: float64(seen.Count) / asked.Sub(seen.First).Seconds(),
	}, err
}

// compare holds what the daemons say against the log of the stand-ins.
func (b *queueBench) compare(ctx context.Context, f *queueFigures, sides ...*queueSide) error {
	for _, s := range sides {
		seen, err := s.meta.since(time.Now())
		if err != nil {
			return err
		}
		c, _, err := s.counts(ctx)
		if err != nil {
			return err
		}
		if err := matches(&seen, &c); err != nil {
			return err
		}
		f.Accepted += seen.Accepted
		f.Twice += seen.Accepted - seen.People
		f.Unknown += c.Unknown
	}
	return nil
}

// matches tells what is wrong if the daemon does not know all that was accepted.
func matches(seen *metaSeen, c *link.Counts) error {
	known := c.HandedOver + c.Unknown
	if known < int64(seen.Accepted) || c.HandedOver > int64(seen.Accepted) {
		return fmt.Errorf("the stand-in accepted %d messages; the daemon knows of %d handed over and %d unknown", seen.Accepted, c.HandedOver, c.Unknown)
	}
	return nil
}

// peakMemory is the most memory that this process has held, in bytes; 0 = unknown.
func peakMemory() uint64 {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil || u.Maxrss < 0 {
		return 0
	}
	if runtime.GOOS == "darwin" { // there it counts bytes
		return uint64(u.Maxrss)
	}
	return uint64(u.Maxrss) << 10
}
