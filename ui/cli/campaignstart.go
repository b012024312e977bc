package cli

import (
	"cmp"
	"context"
	"time"

	"tickwatch/monitor/link"
)

type campaignStartCmd struct {
	campaignArg
	At      string  `help:"Not now, but then: 08:00, \"2026-11-21 08:00\", RFC 3339 or +30m." placeholder:"TIME"`
	Expires string  `help:"What still waits then is cancelled." placeholder:"TIME"`
	Ramp    rampArg `help:"Pause for a look after these shares of the list: 1%,5%,25%,100%." placeholder:"SHARES"`
	Force   bool    `help:"Start although the pre-flight found what must be mended. It is recorded who did."`
	zoneArg
	assent
	JSON bool `name:"json" help:"Print the receipt as one JSON document."`
}

// Help gives an example.
func (campaignStartCmd) Help() string {
	return `Examples:
  tickwatch campaign start autumn
  tickwatch campaign start autumn --at 08:00 --zone Europe/Lisbon --ramp 1%,5%,25%,100%

It looks at the list and the template again, shows how many people will get the message, who will not and why, how fast it goes and until when,
and asks for a word.

With --ramp it pauses by itself after each share, until somebody resumes it. To end it: tickwatch pause, or tickwatch stop.`
}

// Run starts a campaign, after it asked.
func (c *campaignStartCmd) Run(ctx context.Context, a *app) error {
	if err := c.possible(a, "start "+c.name()); err != nil {
		return err
	}
	s, err := a.connect(ctx)
	if err != nil {
		return err
	}
	defer s.hangUp()
	args := link.StartArgs{Campaign: string(c.ID), Force: c.Force, Ramp: c.Ramp.shares}
	if args.At, err = c.moment(ctx, s, "--at", c.At, false); err != nil {
		return err
	}
	if args.Expires, err = c.moment(ctx, s, "--expires", c.Expires, false); err != nil {
		return err
	}
	toDo, done := "start "+c.name(), "Started "+c.name()
	if args.At != nil {
		when := momentText(*args.At, time.Local)
		toDo, done = toDo+" at "+when, c.name()+" starts at "+when
	}
	if !c.Yes {
		f, err := s.forecast(ctx, link.ForecastArgs{GateArgs: link.GateArgs{Scope: link.ScopeCampaign, ID: string(c.ID)}, Start: true})
		if err != nil {
			return err
		}
		a.tell(forecastText(f, time.Local, a.width()))
		if mustMend(f.Findings) && !c.Force {
			return refused("%s cannot start as it is: mend what is marked ACT, or start it with --force, which is recorded", c.name())
		}
		if err := a.ask(ctx, cmp.Or(f.Word, "start"), toDo); err != nil {
			return err
		}
	}
	var r link.Receipt
	if err := s.do(ctx, link.VerbStart, args, &r); err != nil {
		return err
	}
	if args.At != nil && !r.Already && !c.JSON {
		r.Text = "" // times in the operator's zone, not the daemon's
	}
	return a.printReceipt(&r, c.JSON, link.VerbStart, done)
}
