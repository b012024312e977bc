package cli

import (
	"context"
	"errors"
	"os"
	"time"
)

type doctorCmd struct {
	JSON bool `name:"json" help:"Print one JSON document."`
}

// Help gives an example.
func (doctorCmd) Help() string {
	return "Example:\n  tickwatch doctor\n\nIt changes nothing. Exit 1 when something is to be mended."
}

// errIll is the one line for scripts; the list before it says what and how.
var errIll = errors.New("something is wrong with the set-up: the list says what to do")

// Run looks at the set-up as the daemon of this configuration would find it.
func (c *doctorCmd) Run(ctx context.Context, a *app) error {
	o := doctorOptions{Env: a.Env, Now: time.Now, Synced: clockSynced, Version: version(), UID: os.Getuid()}
	cfg, err := a.loadWith(nil, func(line string) { o.Warnings = append(o.Warnings, line) })
	o.ConfigErr = err
	d := doctor(ctx, cfg, o)
	if c.JSON {
		err = a.json(d)
	} else {
		err = a.print(d.text(min(a.width(), 100)))
	}
	if err == nil && !d.OK {
		err = errIll
	}
	return err
}
