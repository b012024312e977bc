package cli

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"tickwatch/monitor/link"
)

type retryCmd struct {
	campaignArg
	Codes  []int `help:"Only those that failed with these error codes; else all that may be tried again." placeholder:"CODE"`
	DryRun bool  `help:"Only say how many would be tried again, and who not."`
	assent
	JSON bool `name:"json" help:"Print one JSON document."`
}

// Help gives an example.
func (retryCmd) Help() string {
	return `Examples:
  tickwatch retry autumn --dry-run
  tickwatch retry autumn --codes 131026,131053

Each new attempt through WhatsApp is a message of its own; the failed one stays as it was. Only what failed in a way that another attempt can mend is
tried again, and nobody who opted out, has been written to too often, or may already have the message. It shows how many those are, and asks for that number.

What an error code means: tickwatch explain 131026`
}

// Run queues new attempts, after it asked.
func (c *retryCmd) Run(ctx context.Context, a *app) error {
	for _, code := range c.Codes {
		if code < 0 {
			return usageError{fmt.Errorf("--codes: %d is no error code: give numbers such as 131026", code)}
		}
	}
	if !c.DryRun {
		if err := c.possible(a, "try the failed messages of "+c.name()+" again"); err != nil {
			return err
		}
	}
	s, err := a.connect(ctx)
	if err != nil {
		return err
	}
	defer s.hangUp()
	args := link.RetryArgs{Campaign: string(c.ID), Codes: c.Codes, DryRun: true}
	var r link.Retried
	if c.DryRun || !c.Yes {
		if err := s.do(ctx, link.VerbRetry, args, &r); err != nil {
			return err
		}
	}
	if c.DryRun {
		return c.print(a, &r)
	}
	if !c.Yes {
		a.tell(retriedText(&r))
		if r.Eligible == 0 {
			return errors.New("there is nobody to try again: nothing was changed")
		}
		if err := a.ask(ctx, strconv.FormatInt(r.Eligible, 10), "send to "+people(r.Eligible)+" again"); err != nil {
			return err
		}
	}
	args.DryRun, r = false, link.Retried{}
	if err := s.do(ctx, link.VerbRetry, args, &r); err != nil {
		return err
	}
	return c.print(a, &r)
}

func (c *retryCmd) print(a *app, r *link.Retried) error {
	if c.JSON {
		if r.LeftOut == nil {
			r.LeftOut = []link.LeftOut{}
		}
		return a.json(r)
	}
	if c.DryRun {
		return a.say(retriedText(r))
	}
	return a.say(fmt.Sprintf("%s wait to be sent again in %s.", messages(r.Queued), c.name()))
}

func retriedText(r *link.Retried) string {
	text := people(r.Eligible) + " can be tried again.\n"
	if len(r.LeftOut) > 0 {
		text += "Left out:\n" + leftOutText(r.LeftOut)
	}
	return text
}
