package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"tickwatch/monitor/link"
	"tickwatch/ui"
	"tickwatch/wa"
)

type replayCmd struct {
	File  string   `arg:"" help:"A recording, as export writes it; it may be gzipped."`
	Speed string   `help:"How fast: 10 plays half an hour in three minutes, max does not wait. Without a console, max." placeholder:"X|max"`
	Set   []string `help:"Judge by another threshold; may be given several times." placeholder:"thresholds.KEY=V" sep:"none"`
	JSON  bool     `name:"json" help:"Print the final snapshot and all alarms as one JSON document."`
	ASCII bool     `name:"ascii" help:"Draw without Unicode."`
}

// Help says what a replay does and where it ends.
func (replayCmd) Help() string {
	return `Examples:
  tickwatch replay incident.ndjson --speed 10
  tickwatch replay incident.ndjson --set thresholds.delivery_act=0.85 --json

A fresh monitor takes the recording in, with the recording's own clock: it judges every second between the lines, as the daemon does, so the same
file gives the same figures and the same alarms at the same moments, whatever the speed. Thresholds are those of your configuration, then --set.

After the last line time goes on until nothing changes by itself: the campaign is over (two hours after its last message) and its alarms have
cleared, a day at the most. What belongs to the machine (processor, answer times, refused webhooks) is not in a recording. Our own side is taken
from the file, acknowledgements too: nothing is sent. Lines that this version does not know are left out and counted. Nothing is changed but a temporary folder.`
}

// replayed is what --json prints.
type replayed struct {
	Snapshot *link.Snapshot `json:"snapshot"`
	Alarms   []link.Alarm   `json:"alarms"`
}

// Run plays a recording, on the screen where there is one.
func (c *replayCmd) Run(ctx context.Context, a *app) (err error) {
	defer func() {
		if err != nil && ctx.Err() != nil {
			err = errors.New("the replay was broken off")
		}
	}()
	onScreen := a.screen() && !c.JSON
	pace, err := c.pace(onScreen)
	if err != nil {
		return err
	}
	set, err := c.thresholds()
	if err != nil {
		return err
	}
	cfg, err := a.load(nil)
	if err != nil {
		return err
	}
	if len(set) > 0 {
		if cfg, err = a.loadWith(set, func(string) {}); err != nil { // without it all was well
			return usageError{fmt.Errorf("--set: %w", err)}
		}
	}
	progress := a.progress("checked")
	r := recording{c.File}
	found, err := r.check(ctx, progress)
	progress.end()
	if err != nil {
		return err
	}
	if found.late > 0 {
		_, _ = fmt.Fprintf(a.Err, "tickwatch: %s over a minute older than what stands before; played where they stand: sort the file by received_at if it was put together\n",
			plural(found.late, "line"))
	}
	dir, err := os.MkdirTemp("", "tickwatch-replay-")
	if err != nil {
		return fmt.Errorf("making a folder for the replay: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	o := playerOptions{dir: dir, thresholds: thresholds(cfg), log: io.Discard}
	if onScreen {
		return c.onScreen(ctx, a, r, pace, found.start, o)
	}
	p, err := newPlayer(ctx, found.start, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.store.Close()) }()
	p.pace = pace
	progress = a.progress("replayed")
	err = p.play(ctx, r, progress)
	progress.end()
	if err != nil {
		return err
	}
	return c.print(ctx, a, p)
}

func (c *replayCmd) print(ctx context.Context, a *app, p *player) error {
	alarms, err := p.monitor.AllAlarms(ctx)
	if err != nil {
		return err
	}
	if p.skipped > 0 {
		_, _ = fmt.Fprintf(a.Err, "tickwatch: %s of our own side left out: unknown here, or of an alarm that was not open\n", plural(p.skipped, "line"))
	}
	snap := p.newest.Load()
	if c.JSON {
		return a.json(replayed{snap, alarms})
	}
	if err := a.printStatus(snap, false); err != nil {
		return err
	}
	return a.print("\n" + alarmsText(alarms, time.Local))
}

// alarmsText lists all alarms of a replay, oldest first.
func alarmsText(alarms []link.Alarm, zone *time.Location) string {
	if len(alarms) == 0 {
		return "No alarm in the whole recording."
	}
	var b strings.Builder
	b.WriteString("Alarms of the whole recording:\n")
	at := func(t time.Time) string { return t.In(zone).Format("02 Jan 15:04:05") }
	for _, x := range alarms {
		worst := x.Severity
		if x.ActedAt != nil { // it may have eased before it cleared
			worst = link.VerdictAct
		}
		fmt.Fprintf(&b, "  %s  %-5s  %s\n", at(x.RaisedAt), strings.ToUpper(worst), wa.Clean(x.Text))
		var then []string
		if x.ActedAt != nil && !x.ActedAt.Equal(x.RaisedAt) {
			then = append(then, "ACT from "+at(*x.ActedAt))
		}
		if x.AckedBy != "" {
			then = append(then, "seen by "+wa.Clean(x.AckedBy))
		}
		if x.ClearedAt != nil {
			then = append(then, "cleared "+at(*x.ClearedAt))
		}
		if len(then) > 0 {
			fmt.Fprintf(&b, "  %15s  %s\n", "", strings.Join(then, ", "))
		}
	}
	return b.String()
}

// showEvery is how often a snapshot goes to the console, as the daemon does.
const showEvery = 250 * time.Millisecond

// onScreen plays a recording for a console, over the same link as the daemon's.
func (c *replayCmd) onScreen(ctx context.Context, a *app, r recording, pace *pace, start wa.Instant, o playerOptions) (err error) {
	log, err := openLog(o.dir)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	var p *player
	handle := func(ctx context.Context, peer link.Peer, cmd link.Command) (any, error) {
		return p.monitor.Handle(ctx, peer, cmd)
	}
	server := link.NewServer(link.ServerOptions{Handle: handle})
	o.log, o.publish = log, server.Publish
	if p, err = newPlayer(ctx, start, o); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.store.Close()) }()
	p.pace = pace
	var shown time.Time
	p.judged = func(ctx context.Context, last bool) {
		if !last && time.Since(shown) >= showEvery {
			shown = time.Now()
			p.monitor.Show(ctx)
		}
	}
	socket := filepath.Join(o.dir, "console.sock")
	l, err := link.Listen(socket)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, 2)
	go func() { ended <- server.Serve(ctx, l) }()
	go func() {
		err := p.play(ctx, r, &progress{})
		if err != nil && ctx.Err() == nil {
			cancel() // what went wrong can be read once the screen is given back
			ended <- err
			return
		}
		ended <- nil // the console goes on showing how it ended
	}()
	err = a.console(ctx, socket, consoleOptions{
		mode: ui.ModeReplay, ascii: c.ASCII,
		now: func() time.Time { return pace.reads(wa.Instant(p.clock.Load())) },
	})
	cancel()
	return errors.Join(err, <-ended, <-ended)
}

const maxReplaySpeed = 1e6

// pace reads --speed; nil is as fast as it can go.
func (c *replayCmd) pace(onScreen bool) (*pace, error) {
	text := c.Speed
	switch {
	case text == "" && onScreen:
		text = "1"
	case text == "" || text == "max":
		return nil, nil //nolint:nilnil // a nil pace does not hold anything up
	}
	speed, err := strconv.ParseFloat(text, 64)
	if err != nil || !(speed > 0 && speed <= maxReplaySpeed) {
		return nil, usageError{fmt.Errorf("--speed %.20q: give max, or a number above 0 and up to %g", text, float64(maxReplaySpeed))}
	}
	return &pace{speed: speed}, nil
}

// thresholds reads --set, for the configuration to judge the values.
func (c *replayCmd) thresholds() (map[string]string, error) {
	set := map[string]string{}
	for _, pair := range c.Set {
		key, value, ok := strings.Cut(pair, "=")
		key = strings.TrimSpace(key)
		if !ok || !strings.HasPrefix(key, "thresholds.") {
			return nil, usageError{fmt.Errorf("--set %.60q: give a threshold and its value, such as thresholds.delivery_act=0.85", pair)}
		}
		set[key] = strings.TrimSpace(value)
	}
	return set, nil
}
