package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"tickwatch/monitor/link"
	"tickwatch/wa"
)

type benchLinkCmd struct {
	JSON    bool    `name:"json" help:"Print the figures as JSON."`
	Seconds float64 `default:"3" help:"How long each measurement lasts."`
	Rounds  int     `default:"3" help:"How often each is repeated; medians count."`
}

// Help says what is measured.
func (benchLinkCmd) Help() string {
	return `Example:
  tickwatch bench link --rounds 5

The daemon's end of the link publishes a snapshot that is as large as they get, ten times a second, over a Unix socket
to consoles that run in a second process and read it without drawing it: none, 1, 10, 100, and 100 beside one that is
stuck and reads nothing. The processor time is the daemon's process alone. Fan-out is from before the snapshot is encoded
until a console has its last byte.`
}

const (
	linkRate  = 10    // snapshots a second
	linkGrace = 5     // snapshots that do not come any more, before the consoles are asked what they saw
	linkBound = 100.0 // ms, p99 of fan-out: later than the next snapshot, and one would be skipped
)

// linkCases are what is measured: consoles that read, and ones that do not.
var linkCases = [...]struct{ consoles, stuck int }{{0, 0}, {1, 0}, {10, 0}, {100, 0}, {100, 1}}

// Run measures, with a socket in a folder that it removes.
func (c *benchLinkCmd) Run(ctx context.Context, a *app) (err error) {
	switch {
	case !(c.Seconds > 0 && c.Seconds <= benchMaxSeconds):
		return usageError{fmt.Errorf("--seconds %v: give a number above 0 and up to %d", c.Seconds, benchMaxSeconds)}
	case c.Rounds < 1 || c.Rounds > benchMaxRounds:
		return usageError{fmt.Errorf("--rounds %d: give 1 to %d", c.Rounds, benchMaxRounds)}
	}
	dir, err := os.MkdirTemp("", "tickwatch-bench-")
	if err != nil {
		return fmt.Errorf("making a folder for the measurement: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	f := &linkFigures{
		machineFigures: thisMachine(), Rounds: c.Rounds, Seconds: c.Seconds, Rate: linkRate, Links: []linkCase{},
	}
	socket := filepath.Join(dir, "tickwatch.sock")
	for _, k := range linkCases {
		var rounds []linkRound
		for i := range c.Rounds {
			_, _ = fmt.Fprintf(a.Err, "tickwatch: %d consoles, %d stuck: round %d of %d\n", k.consoles, k.stuck, i+1, c.Rounds)
			r, err := measureLink(ctx, socket, k.consoles, k.stuck, time.Duration(c.Seconds*float64(time.Second)))
			if err != nil {
				return fmt.Errorf("measuring: %w", err)
			}
			rounds = append(rounds, r)
			f.SnapshotBytes = r.frame
		}
		f.Links = append(f.Links, linkCaseOf(k.consoles, k.stuck, rounds))
	}
	if c.JSON {
		return a.json(f)
	}
	return a.print(f.text())
}

// linkRound is what one measurement met.
type linkRound struct {
	outcome
	cpu   float64 // share of one processor
	frame int     // bytes of one snapshot
	taken int64   // bytes that all consoles took
}

// measureLink serves consoles in another process for a while.
func measureLink(ctx context.Context, socket string, consoles, stuck int, length time.Duration) (r linkRound, err error) {
	listener, err := link.Listen(socket)
	if err != nil {
		return r, err
	}
	server := link.NewServer(link.ServerOptions{Handle: func(context.Context, link.Peer, link.Command) (any, error) { return nil, nil }})
	serving, stop := context.WithCancel(context.WithoutCancel(ctx))
	served := make(chan error, 1)
	go func() { served <- server.Serve(serving, listener) }()
	defer func() { stop(); err = errors.Join(err, <-served) }()

	others, err := startConsoles(ctx, socket, consoles, stuck)
	if err != nil {
		return r, err
	}
	ticks := time.NewTicker(time.Second / linkRate)
	defer ticks.Stop()
	for deadline := time.Now().Add(benchPatience); server.Consoles() < consoles+stuck; {
		if time.Now().After(deadline) || ctx.Err() != nil {
			return r, errors.Join(fmt.Errorf("%d of %d consoles attached", server.Consoles(), consoles+stuck), others.kill())
		}
		<-ticks.C
	}
	snap := benchSnapshot(time.Now().UTC())
	begin, used := time.Now(), processorTime()
	for now := range ticks.C {
		if ctx.Err() != nil || now.Sub(begin) >= length {
			break
		}
		snap.Rev++
		snap.At = time.Now().UTC()
		server.Publish(snap)
	}
	r.cpu = float64(processorTime()-used) / float64(time.Since(begin))
	for range linkGrace { // for what is late; what is later still is missing from the snapshots counted
		<-ticks.C
	}
	if err := context.Cause(ctx); err != nil {
		return r, errors.Join(err, others.kill())
	}
	data, err := json.Marshal(snap)
	if err != nil {
		return r, errors.Join(err, others.kill())
	}
	r.frame = len(data) + len(`{"snapshot":}`)
	seen, err := others.end()
	if err != nil {
		return r, err
	}
	r.latencies, r.taken, r.posts = seen.Latencies, seen.Bytes, len(seen.Latencies)
	r.sort()
	if consoles > 0 && r.posts == 0 {
		return r, errors.New("no console got a snapshot: measure with more --seconds")
	}
	return r, nil
}

// processorTime is what this process has used so far.
func processorTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// otherConsoles is a process of this program's that holds consoles.
type otherConsoles struct {
	process *exec.Cmd
	in      io.Closer
	out     *strings.Builder
	faults  *strings.Builder
}

func startConsoles(ctx context.Context, socket string, consoles, stuck int) (*otherConsoles, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("finding this program's own file, to start consoles with: %w", err)
	}
	o := &otherConsoles{out: new(strings.Builder), faults: new(strings.Builder)}
	o.process = exec.CommandContext(ctx, program, "bench", "consoles", socket, strconv.Itoa(consoles), "--stuck", strconv.Itoa(stuck))
	o.process.Stdout, o.process.Stderr = o.out, o.faults
	if o.in, err = o.process.StdinPipe(); err != nil {
		return nil, err
	}
	if err := o.process.Start(); err != nil {
		return nil, fmt.Errorf("starting a process with consoles: %w", err)
	}
	return o, nil
}

// end has the process say what it saw.
func (o *otherConsoles) end() (seen consolesSeen, err error) {
	_ = o.in.Close()
	if err := o.process.Wait(); err != nil {
		return seen, fmt.Errorf("the process with the consoles: %w: %s", err, wa.Clean(o.faults.String()))
	}
	return seen, json.Unmarshal([]byte(o.out.String()), &seen)
}

func (o *otherConsoles) kill() error {
	_ = o.process.Process.Kill() // it may be gone
	_ = o.process.Wait()         // as it must
	if text := o.faults.String(); text != "" {
		return errors.New(wa.Clean(text))
	}
	return nil
}

// linkCaseOf sums up rounds with as many consoles.
func linkCaseOf(consoles, stuck int, rounds []linkRound) linkCase {
	var cpu, p50, p99 []float64
	bytes := 0.0
	for _, r := range rounds {
		cpu = append(cpu, r.cpu)
		p50, p99 = append(p50, r.percentile(0.5)), append(p99, r.percentile(0.99))
		bytes = max(bytes, float64(r.taken))
	}
	c := linkCase{Consoles: consoles, Stuck: stuck, CPU: round3(median(cpu)), Bytes: int64(bytes), Bound: linkBound}
	if consoles > 0 {
		c.FanOutMS = &latencyFigures{P50: round3(median(p50)), P99: round3(median(p99))}
		for _, r := range rounds {
			c.Snapshots = append(c.Snapshots, r.posts/consoles)
		}
		slices.Sort(c.Snapshots)
	}
	return c
}
