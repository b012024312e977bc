package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/pprof"
	"time"

	"tickwatch/wa"
)

// benchCmd measures the program on the machine that it runs on.
type benchCmd struct {
	Ingest   benchIngestCmd   `cmd:"" help:"How fast webhooks are taken in, beside what is possible and what is usual."`
	Link     benchLinkCmd     `cmd:"" help:"What attached consoles cost the daemon, and how soon they have a snapshot."`
	Frame    benchFrameCmd    `cmd:"" help:"From a stored webhook to the terminal: how soon, how many bytes, how dear."`
	Stored   benchStoredCmd   `cmd:"" help:"What a large store costs: ingest, snapshots, a restart."`
	Queue    benchQueueCmd    `cmd:"" help:"How fast our own campaigns go out, how soon they stop, and what a list costs."`
	Alarms   benchAlarmsCmd   `cmd:"" help:"The scoreboard: how often alarms are wrong, and how soon they are right."`
	Consoles benchConsolesCmd `cmd:"" hidden:""`
	Meta     benchMetaCmd     `cmd:"" hidden:""`
}

type benchIngestCmd struct {
	JSON       bool    `name:"json" help:"Print the figures as JSON."`
	Seconds    float64 `default:"1" help:"How long each measurement of the closed loop lasts."`
	Rounds     int     `default:"3" help:"How often each is repeated; medians count."`
	Campaigns  string  `enum:"both,own,external" default:"both" help:"Whose campaigns the closed loop is of: ${enum}."`
	Open       int     `default:"3000" help:"POSTs a second of the open loop; 0 leaves it out." placeholder:"RATE"`
	Burst      int     `default:"1000" help:"Statuses in each of 64 POSTs that come at once; 0 leaves it out." placeholder:"N"`
	Dir        string  `help:"Where to put the temporary databases: the disk that is measured." placeholder:"DIR" type:"existingdir"`
	CPUProfile string  `name:"cpuprofile" help:"Write a CPU profile." placeholder:"FILE" type:"path"`
}

// Help says what is measured.
func (benchIngestCmd) Help() string {
	return `Example:
  tickwatch bench ingest --rounds 5 --dir /var/lib/tickwatch

Three handlers take the same signed webhooks over 64 connections of this machine's loopback, one after the other in every round:
one that only reads, verifies and answers; one as a tutorial gives it (encoding/json, one transaction a POST,
synchronous=FULL); and tickwatch's own, from the socket to the disk, raw bodies kept. The load generator shares the processors with them.
Own campaigns carry tickwatch's message ids in their callback data, and their messages were stored when they were handed over; those of
another system have foreign callback data, and every message goes to a new person. What tickwatch owes its tables when the last answer is out counts as its time.

In the CPU profile the label "part" tells them apart: go tool pprof -tagfocus part=pipeline tickwatch FILE`
}

const (
	benchMaxSeconds = 30
	benchMaxRounds  = 21
	benchMaxOpen    = 20_000
	benchMaxBurst   = 5000 // statuses; such a body is still under 4 MiB
)

// Run measures, in a folder that it removes.
func (c *benchIngestCmd) Run(ctx context.Context, a *app) (err error) {
	if err := c.check(); err != nil {
		return usageError{err}
	}
	dir, err := os.MkdirTemp(c.Dir, "tickwatch-bench-")
	if err != nil {
		return fmt.Errorf("making a folder for the measurement: %w; choose another with --dir", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	stop, err := profileTo(c.CPUProfile)
	if err != nil {
		return err
	}
	b := &ingestBench{
		dir: dir, connections: benchConnections, rounds: c.Rounds, length: time.Duration(c.Seconds * float64(time.Second)),
		campaigns: map[string]string{"own": "own", "external": "external"}[c.Campaigns], open: c.Open, burst: c.Burst, secret: benchSecret(),
		progress: func(what string) { _, _ = fmt.Fprintln(a.Err, "tickwatch: "+wa.Clean(what)) },
	}
	figures, err := b.run(ctx)
	if err = errors.Join(err, stop()); err != nil {
		return fmt.Errorf("measuring: %w", err)
	}
	if c.JSON {
		return a.json(figures)
	}
	return a.print(figures.text())
}

func (c *benchIngestCmd) check() error {
	switch {
	case !(c.Seconds > 0 && c.Seconds <= benchMaxSeconds):
		return fmt.Errorf("--seconds %v: give a number above 0 and up to %d", c.Seconds, benchMaxSeconds)
	case c.Rounds < 1 || c.Rounds > benchMaxRounds:
		return fmt.Errorf("--rounds %d: give 1 to %d", c.Rounds, benchMaxRounds)
	case c.Open < 0 || c.Open > benchMaxOpen:
		return fmt.Errorf("--open %d: give 0 to %d POSTs a second", c.Open, benchMaxOpen)
	case c.Burst < 0 || c.Burst > benchMaxBurst:
		return fmt.Errorf("--burst %d: give 0 to %d statuses", c.Burst, benchMaxBurst)
	}
	return nil
}

// profileTo starts a CPU profile, unless path is empty, and gives what ends it.
func profileTo(path string) (stop func() error, err error) {
	if path == "" {
		return func() error { return nil }, nil
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the profile: %w; choose another file with --cpuprofile", err)
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return func() error {
		pprof.StopCPUProfile()
		return f.Close()
	}, nil
}
