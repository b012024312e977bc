package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"tickwatch/monitor/link"
	"tickwatch/ui"
)

var errNoTerminal = errors.New("there is no terminal to draw on: use `tickwatch serve` and `tickwatch status`")

type watchCmd struct {
	ReadOnly bool `help:"Look only: no key changes anything."`
	ASCII    bool `name:"ascii" help:"Draw without Unicode."`
	NoBell   bool `help:"No bell and no window title at an alarm, whatever notify.bell says."`
}

// Help gives an example.
func (watchCmd) Help() string {
	return "Example:\n  tickwatch watch --read-only\n\nWithout a terminal, or with TERM=dumb, it prints a plain status and exits."
}

// Run is the console, or a plain status where there is no screen.
func (c *watchCmd) Run(ctx context.Context, a *app) error {
	if !a.screen() {
		return (&statusCmd{}).Run(ctx, a)
	}
	cfg, err := a.load(nil)
	if err != nil {
		return err
	}
	return a.console(ctx, cfg.Link.Socket, consoleOptions{mode: ui.ModeWatch, ascii: c.ASCII, readOnly: c.ReadOnly, noBell: c.NoBell || !cfg.Notify.Bell, now: time.Now})
}

type consoleOptions struct {
	mode            string
	ascii, readOnly bool
	noBell          bool
	now             func() time.Time
}

// console attaches to a daemon's socket until the operator leaves.
func (a *app) console(ctx context.Context, socket string, o consoleOptions) error {
	client := link.NewClient(link.ClientOptions{Socket: socket})
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = client.Run(ctx) // ends with ctx only
	}()
	err := ui.Run(ctx, ui.Options{
		Daemon: client, ASCII: o.ascii, ReadOnly: o.readOnly, NoBell: o.noBell, Mode: o.mode, Now: o.now, In: a.In, Out: a.Out, Env: a.Env,
	})
	cancel()
	<-ended
	return err
}

// together runs a daemon and a console in one process; either one's end ends both.
func (a *app) together(ctx context.Context, d *daemon, o consoleOptions) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, 1)
	go func() {
		defer cancel()
		ended <- d.run(ctx)
	}()
	err := a.console(ctx, d.cfg.Link.Socket, o)
	cancel()
	return errors.Join(err, <-ended)
}

// openLog opens the log of a daemon whose terminal is taken by its console.
func openLog(dir string) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the data folder: %w; set data.dir to a folder you may write to", err)
	}
	f, err := os.OpenFile(filepath.Join(dir, "tickwatch.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the log: %w", err)
	}
	return f, nil
}
