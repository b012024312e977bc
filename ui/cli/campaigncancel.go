package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"tickwatch/monitor/link"
	"tickwatch/wa"
)

type campaignCancelCmd struct {
	campaignArg
	assent
	JSON bool `name:"json" help:"Print the receipt as one JSON document."`
}

// Help gives an example.
func (campaignCancelCmd) Help() string {
	return `Example:
  tickwatch campaign cancel autumn

What still waits will not be sent, for good, nor by SMS, call or e-mail. What is with Meta already is not called back. To stop it for now: tickwatch pause autumn.`
}

// Run cancels what waits, after it asked.
func (c *campaignCancelCmd) Run(ctx context.Context, a *app) error {
	if err := c.possible(a, "cancel "+c.name()); err != nil {
		return err
	}
	s, err := a.connect(ctx)
	if err != nil {
		return err
	}
	defer s.hangUp()
	if !c.Yes {
		campaign, err := s.campaign(ctx, c.ID)
		if err != nil {
			return err
		}
		n := &campaign.Counts
		text := fmt.Sprintf("%s still wait in %s and would never be sent; %s are with Meta already.",
			messages(n.Waiting+n.SetAside), wa.Clean(campaign.Name), amount(n.HandedOver))
		if beside := campaign.Fallback.Waiting; beside > 0 {
			text += fmt.Sprintf(" Nor would what waits by SMS, call or e-mail: %s.", messages(beside))
		}
		a.tell(text)
		if err := a.ask(ctx, "cancel", "cancel the rest of "+c.name()+" for good"); err != nil {
			return err
		}
	}
	var r link.Receipt
	if err := s.do(ctx, link.VerbCancel, link.CampaignArgs{Campaign: string(c.ID)}, &r); err != nil {
		return err
	}
	return a.printReceipt(&r, c.JSON, link.VerbCancel, "Cancelled the rest of "+c.name())
}

type campaignPaceCmd struct {
	campaignArg
	Rate paceArg `arg:"" help:"How many messages within a second, minute or hour: 20/s, 600/m, 1000/h; none = as fast as the number may."`
	JSON bool    `name:"json" help:"Print how it goes out as one JSON document."`
}

// paceArg is a pace as it was written.
type paceArg string

// UnmarshalText takes it from the command line.
func (p *paceArg) UnmarshalText(text []byte) error {
	pace, err := wa.ParsePace(strings.TrimSpace(string(text)))
	*p = paceArg(pace.String())
	return err
}

// Help gives an example.
func (campaignPaceCmd) Help() string {
	return `Examples:
  tickwatch campaign pace autumn 20/s
  tickwatch campaign pace autumn 1000/h

It holds from now on, also for a campaign that is going out. It resumes nothing that is paused.`
}

// Run changes the pace.
func (c *campaignPaceCmd) Run(ctx context.Context, a *app) error {
	var now link.Sending
	if err := a.call(ctx, link.VerbPace, link.PaceArgs{Campaign: string(c.ID), Rate: string(c.Rate)}, &now); err != nil {
		return err
	}
	if c.JSON {
		return a.json(now)
	}
	text := fmt.Sprintf("%s goes out at %s.", c.name(), paceText(now.Pace))
	if now.EndsAt != nil {
		text += " It should be done about " + momentText(*now.EndsAt, time.Local) + "."
	}
	if now.Held != "" {
		text += " For now nothing goes out: " + wa.Clean(now.Held) + "."
	}
	return a.say(text)
}

func paceText(pace string) string {
	if pace == "none" || pace == "" {
		return "the speed that its number allows"
	}
	return wa.Clean(pace)
}
