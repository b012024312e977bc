// Package ui is the console: it draws the newest snapshot of a campaign and
// turns keys into commands for the daemon.
//
// It is one Bubble Tea model. Update does no I/O: every call to the daemon runs
// in a command of its own, with a deadline, and its answer comes back as a
// message. Only a pause has none: it can be asked for from every window, is asked
// for until the daemon answers, and is shown as one on the daemon's word alone.
// Nothing is resumed or sent again without a typed word. The screen is redrawn at most eight times a second, at once after a
// silence, and not at all when nothing has changed. Whatever the terminal's
// size, no line is wider than the screen and no frame is taller. Text that
// others wrote is cleaned in one place before it is drawn.
package ui

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	tea "charm.land/bubbletea/v2"

	"tickwatch/monitor/link"
	"tickwatch/ui/theme"
)

// Daemon is the console's end of the link; *link.Client is one.
type Daemon interface {
	// Updates tells of newer snapshots and of the link's coming and going.
	Updates() <-chan link.Update
	// Do carries out a command and waits for its answer.
	Do(ctx context.Context, verb string, args, result any) error
}

// Options are what a console needs. Daemon is required.
type Options struct {
	Daemon   Daemon
	ASCII    bool             // draw without Unicode, whatever the terminal says
	ReadOnly bool             // send nothing that changes anything
	NoBell   bool             // ring no bell, and leave the window's title alone
	Mode     string           // ModeWatch, ModeRun, ModeDemo or ModeReplay; "" is ModeWatch
	Zone     *time.Location   // of the times on the screen; nil is the local zone
	Now      func() time.Time // the daemon's clock; nil is time.Now
	In       io.Reader        // nil is standard input
	Out      io.Writer        // nil is standard output
	Env      []string         // for finding out what the terminal can; nil is the process's
}

// Modes of a console. Leaving one that is more than a console ends the daemon
// too, so it asks first; a replay can be had again.
const (
	ModeWatch  = "watch"
	ModeRun    = "run"
	ModeDemo   = "demo"
	ModeReplay = "replay"
)

// Run shows the console until the operator leaves it or ctx ends; both are nil.
// An error means that the terminal could not be used.
func Run(ctx context.Context, o Options) error {
	o = o.withDefaults()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // calls under way end with the console
	opts := []tea.ProgramOption{tea.WithEnvironment(o.Env)}
	if o.In != nil {
		opts = append(opts, tea.WithInput(o.In))
	}
	if o.Out != nil {
		opts = append(opts, tea.WithOutput(o.Out))
	}
	program := tea.NewProgram(newModel(ctx, o), opts...)
	// With tea.WithContext it would not wait for its reader to let go of the terminal,
	// which then may never be closed.
	defer context.AfterFunc(ctx, program.Quit)()
	_, err := program.Run()
	switch {
	case err == nil, errors.Is(err, tea.ErrInterrupted), ctx.Err() != nil && !errors.Is(err, tea.ErrProgramPanic):
		return nil
	}
	return fmt.Errorf("the console cannot use this terminal, try `tickwatch status`: %w", err)
}

func (o Options) withDefaults() Options {
	if o.Zone == nil {
		o.Zone = time.Local
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Mode == "" {
		o.Mode = ModeWatch
	}
	if o.Env == nil {
		o.Env = os.Environ()
	}
	o.ASCII = o.ASCII || !theme.Unicode(o.Env)
	return o
}
