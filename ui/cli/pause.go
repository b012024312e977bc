package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"syscall"
	"time"

	"tickwatch/monitor/link"
)

type pauseCmd struct {
	gateArgs
	Reason string `help:"Why, for the next one on call." placeholder:"TEXT"`
	JSON   bool   `name:"json" help:"Print the receipt as one JSON document."`
}

// Help gives an example.
func (pauseCmd) Help() string {
	return `Examples:
  tickwatch pause                                   everything that tickwatch sends
  tickwatch pause autumn --reason "wrong picture"   one campaign
  tickwatch pause --number 106540352242922          what leaves from one number

It never asks, and pausing twice is harmless. When it returns, no further message begins; those already on their way to Meta are counted and may arrive.

A daemon that is slow or starting anew is asked again for up to ten seconds, and pauses once.

If no daemon answers, nothing is confirmed (exit 3): use tickwatch stop.`
}

// Run pauses.
func (c *pauseCmd) Run(ctx context.Context, a *app) error {
	gate, err := c.link()
	if err != nil {
		return err
	}
	gate.Reason = c.Reason
	cfg, err := a.load(nil)
	if err != nil {
		return err
	}
	var r link.Receipt
	if err := insist(ctx, cfg.Link.Socket, link.VerbPause, gate, &r); err != nil {
		return unpaused(err)
	}
	what := ""
	if gate.Scope != link.ScopeAll {
		what = gateText(gate.Scope, gate.ID)
	}
	return a.printReceipt(&r, c.JSON, link.VerbPause, what)
}

// unpaused says what is known when the daemon did not confirm a pause.
func unpaused(err error) error {
	const instead = "tickwatch stop keeps whatever uses this data folder from sending, also without a daemon that answers"
	if fault := (*link.Fault)(nil); errors.As(err, &fault) {
		return err // it did answer
	}
	if nobodyThere(err) {
		return fmt.Errorf("nothing was paused: %w; %s", err, instead)
	}
	return unconfirmed{fmt.Sprintf("the pause is not confirmed: %v; %s", err, instead)}
}

// insistFor is how long a pause is asked for.
const insistFor = 10 * time.Second

// insist asks the daemon to carry out a command, under one id, until it answers
// or insistFor is over. Where no daemon is at all it gives up at once; where one
// is slow, mute, or lost the link before its answer, it is asked again.
func insist(ctx context.Context, socket, verb string, args, result any) error {
	ctx, cancel := context.WithTimeout(ctx, insistFor)
	defer cancel()
	client := link.NewClient(link.ClientOptions{Socket: socket})
	defer running(ctx, client)()
	answered := make(chan error, 1)
	go func() { answered <- client.Do(ctx, verb, args, result) }()
	updates, attached := client.Updates(), false
	for {
		select {
		case err := <-answered:
			return err
		case u, ok := <-updates:
			if !ok {
				updates = nil // the answer says why
			}
			attached = attached || u.Connected
			if !attached && nobodyThere(u.Err) {
				cancel()
				if err := <-answered; err == nil { // waited for, because it uses result
					return nil
				}
				return u.Err
			}
		}
	}
}

// nobodyThere tells a socket that no daemon listens on, or that does not let us
// in, from one whose daemon is slow.
func nobodyThere(err error) bool {
	var fault *link.Fault
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) || errors.Is(err, syscall.ECONNREFUSED) || errors.As(err, &fault)
}
