package cli

import (
	"context"
	"fmt"

	"tickwatch/monitor/link"
	"tickwatch/wa"
)

type resolveCmd struct {
	campaignArg
	As      string `required:"" enum:"sent,not-sent" help:"What you know of them: sent, or not-sent." placeholder:"WORD"`
	Channel string `default:"whatsapp" enum:"whatsapp,sms,voice,email" help:"Of its messages by which channel: whatsapp, sms, voice or email." placeholder:"C"`
	assent
	JSON bool `name:"json" help:"Print one JSON document."`
}

// Help says what unknown sends are.
func (resolveCmd) Help() string {
	return `Examples:
  tickwatch resolve autumn --as sent
  tickwatch resolve autumn --as not-sent
  tickwatch resolve autumn --channel sms --as sent

For messages that may have gone out: the request left, and no answer came (a timeout, a crash). tickwatch never sends them again by itself, for somebody
could get them twice; most resolve themselves when Meta reports on them. Wait for that first.

With --as sent they are left alone for good. --as not-sent lets them be sent again, and asks before; where you are wrong, people get the message twice.`
}

// Run takes the operator's word.
func (c *resolveCmd) Run(ctx context.Context, a *app) error {
	again := c.As == "not-sent"
	if again {
		if err := c.possible(a, "send again what may have gone out of "+c.name()); err != nil {
			return err
		}
	}
	s, err := a.connect(ctx)
	if err != nil {
		return err
	}
	defer s.hangUp()
	if again && !c.Yes {
		campaign, err := s.campaign(ctx, c.ID)
		if err != nil {
			return err
		}
		unknown, by := campaign.Counts.Unknown, ""
		if c.Channel != wa.ChannelWhatsApp {
			unknown, by = campaign.Fallback.Unknown, " by other channels; those by "+c.Channel+" are meant"
		}
		if unknown > 0 {
			a.tell(messages(unknown) + " of " + c.name() + " may have gone out" + by + ". Sent again, they reach whoever has them twice.")
			if err := a.ask(ctx, "not-sent", "let them be sent again"); err != nil {
				return err
			}
		}
	}
	var r link.Resolved
	args := link.ResolveArgs{Campaign: string(c.ID), As: c.As}
	if c.Channel != wa.ChannelWhatsApp {
		args.Channel = c.Channel
	}
	if err := s.do(ctx, link.VerbResolve, args, &r); err != nil {
		return err
	}
	switch {
	case c.JSON:
		return a.json(r)
	case r.Resolved == 0:
		return a.say("No message of " + c.name() + " is in doubt.")
	case again:
		return a.say(fmt.Sprintf("%s of %s count as not sent, and wait to be sent again.", messages(r.Resolved), c.name()))
	}
	return a.say(fmt.Sprintf("%s of %s count as sent.", messages(r.Resolved), c.name()))
}
