package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"tickwatch/monitor/link"
	"tickwatch/wa"
)

// fallbackCmd reaches people otherwise. `fallback cancel ID` and `fallback go-on ID`
// are commands of their own; a campaign of that name goes by its id.
type fallbackCmd struct {
	Order  fallbackOrderCmd  `cmd:"" default:"withargs" help:"Reach the people whose message failed by SMS, voice or e-mail."`
	Cancel fallbackCancelCmd `cmd:"" help:"What has not gone out does not."`
	GoOn   fallbackGoOnCmd   `cmd:"" name:"go-on" help:"After the look at the first messages: the rest goes out."`
}

type fallbackOrderCmd struct {
	campaignArg
	Channel     []string      `help:"sms, voice or email; several in the order in which they are tried." placeholder:"C"`
	Codes       []int         `help:"Only those that failed with these error codes; else all whose failures allow it." placeholder:"CODE"`
	Undelivered time.Duration `help:"Also who is undelivered for so long. Not while the webhooks are stalled." placeholder:"DUR"`
	Hours       string        `default:"wait" enum:"wait,leave-out" help:"Who must not be reached at this hour: wait for the next allowed one, or leave-out."`
	Consent     bool          `help:"Declare that people consented to this channel, where the list does not say."`
	DryRun      bool          `help:"Only say who would be reached, at what cost, and who not."`
	assent
	JSON bool `name:"json" help:"Print one JSON document."`
}

// Help gives an example.
func (fallbackOrderCmd) Help() string {
	return `Examples:
  tickwatch fallback autumn --channel sms --dry-run
  tickwatch fallback order autumn --channel sms --dry-run     the same
  tickwatch fallback autumn --channel sms,email --codes 131026
  tickwatch fallback cancel autumn

One person gets one message by another channel in a campaign, whatever was tried before; nobody who opted out gets one, nobody without consent to that
channel, and by SMS and voice nobody outside the allowed hours at their place. It shows how many those are, the text and the cost, and asks for the number.

Then a minute (fallback.undo) passes in which ` + "`tickwatch fallback cancel`" + ` (in the console U) undoes all of it. The first ones go out, and the rest waits
until somebody has looked: ` + "`tickwatch fallback go-on`" + `. What WhatsApp delivers first is withdrawn.`
}

// Run plans second attempts, and orders them after it asked.
func (c *fallbackOrderCmd) Run(ctx context.Context, a *app) error {
	if len(c.Channel) == 0 {
		return usageError{errors.New("--channel is missing: give sms, voice or email")}
	}
	if c.Undelivered < 0 || c.Undelivered > 0 && c.Undelivered < time.Minute {
		return usageError{errors.New("--undelivered: give a minute or more, such as 2h")}
	}
	if !c.DryRun {
		if err := c.possible(a, "reach people of "+c.name()+" by "+strings.Join(c.Channel, ", ")); err != nil {
			return err
		}
	}
	s, err := a.connect(ctx)
	if err != nil {
		return err
	}
	defer s.hangUp()
	args := link.FallbackArgs{
		Campaign: string(c.ID), Channels: c.Channel, Codes: c.Codes, Undelivered: int64(c.Undelivered.Seconds()), Hours: c.Hours,
		Consent: c.Consent, DryRun: true,
	}
	var plan link.FallbackPlan
	if err := s.do(ctx, link.VerbFallback, args, &plan); err != nil {
		return err
	}
	if c.DryRun {
		if c.JSON {
			return a.json(plan)
		}
		return a.say(planText(&plan))
	}
	if !c.Yes {
		a.tell(planText(&plan))
	}
	if plan.Eligible == 0 {
		return errors.New("there is nobody to reach: nothing was changed")
	}
	if !c.Yes {
		if err := a.ask(ctx, strconv.FormatInt(plan.Eligible, 10), "reach "+people(plan.Eligible)); err != nil {
			return err
		}
	}
	args.DryRun, args.Expect = false, plan.Eligible
	if err := s.do(ctx, link.VerbFallback, args, &plan); err != nil {
		return err
	}
	if c.JSON {
		return a.json(plan)
	}
	return a.say(fmt.Sprintf("%s by %s, from %s on. Until then this undoes it: tickwatch fallback cancel %s", messages(plan.Eligible),
		strings.Join(c.Channel, ", "), plan.Run.StartsAt.Local().Format("15:04:05 MST"), c.ID))
}

// planText says what a plan comes to.
func planText(p *link.FallbackPlan) string {
	var b strings.Builder
	for _, w := range p.Warnings {
		fmt.Fprintf(&b, "Mind: %s.\n", strings.TrimSuffix(wa.Clean(w), "."))
	}
	fmt.Fprintf(&b, "%s can be reached", people(p.Eligible))
	if p.Currency != "" {
		fmt.Fprintf(&b, ", for %.2f %s of a budget of %.2f (spent or planned before: %.2f)", p.Cost, wa.Clean(p.Currency), p.Budget, p.Spent)
	}
	b.WriteString(".\n")
	for _, ch := range p.Channels {
		fmt.Fprintf(&b, "  by %s: %s, %s segments\n", wa.Clean(ch.Channel), people(ch.Eligible), amount(ch.Segments))
	}
	for _, code := range p.Codes {
		fmt.Fprintf(&b, "  %d %s: %s\n", code.Code, wa.Clean(code.Title), amount(code.Count))
	}
	if p.Later > 0 && p.OpensAt != nil && p.LastAt != nil {
		fmt.Fprintf(&b, "%s wait for the allowed hours where they are, from %s to %s.\n", people(p.Later),
			p.OpensAt.Local().Format("Mon 15:04"), p.LastAt.Local().Format("Mon 15:04 MST"))
	}
	if p.NoZone > 0 {
		fmt.Fprintf(&b, "For %s the number tells no time zone: %s is used.\n", people(p.NoZone), cmp.Or(wa.Clean(p.Zone), "that of the daemon"))
	}
	if len(p.LeftOut) > 0 {
		b.WriteString("Left out:\n" + leftOutText(p.LeftOut))
	}
	for _, s := range p.Samples {
		fmt.Fprintf(&b, "To %s by %s", wa.Clean(s.To), wa.Clean(s.Channel))
		if s.Language != "" {
			fmt.Fprintf(&b, ", in %s", wa.Clean(s.Language))
		}
		if s.Channel == wa.ChannelSMS {
			fmt.Fprintf(&b, ", %s segments", amount(s.Segments))
		}
		if s.Unicode != "" {
			fmt.Fprintf(&b, " (it takes more for: %s)", wa.Clean(s.Unicode))
		}
		b.WriteString(":\n")
		for line := range strings.Lines(s.Text) {
			b.WriteString("  | " + wa.Clean(line) + "\n")
		}
	}
	return b.String()
}

type fallbackCancelCmd struct {
	campaignArg
	JSON bool `name:"json" help:"Print one JSON document."`
}

// Help says what it can and cannot do.
func (fallbackCancelCmd) Help() string {
	return `Example:
  tickwatch fallback cancel autumn

What waits to go out by SMS, voice or e-mail does not. It asks nothing. What is with a provider cannot be recalled; it says how many those are.`
}

// Run cancels.
func (c *fallbackCancelCmd) Run(ctx context.Context, a *app) error {
	var r link.Receipt
	if err := a.call(ctx, link.VerbFallbackCancel, link.CampaignArgs{Campaign: string(c.ID)}, &r); err != nil {
		return err
	}
	return a.printReceipt(&r, c.JSON, link.VerbFallbackCancel, "cancelled")
}

type fallbackGoOnCmd struct {
	campaignArg
	assent
	JSON bool `name:"json" help:"Print one JSON document."`
}

// Help gives an example.
func (fallbackGoOnCmd) Help() string {
	return `Example:
  tickwatch fallback go-on autumn

After the first messages of a fallback it waits for somebody to look at what became of them. This lets the rest go out.`
}

// Run lets the rest go out.
func (c *fallbackGoOnCmd) Run(ctx context.Context, a *app) error {
	if err := c.possible(a, "let the rest of the fallback of "+c.name()+" go out"); err != nil {
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
		f := &campaign.Fallback
		a.tell(fmt.Sprintf("Of the first ones %s arrived, %s failed, and %s have no answer. %s wait.",
			amount(f.Delivered), amount(f.Failed), amount(max(f.Accepted-f.Delivered-f.Failed, 0)), amount(f.Waiting)))
		if err := a.ask(ctx, strconv.FormatInt(f.Waiting, 10), "let them go out"); err != nil {
			return err
		}
	}
	var r link.Receipt
	if err := s.do(ctx, link.VerbFallbackGoOn, link.GoOnArgs{Campaign: string(c.ID)}, &r); err != nil {
		return err
	}
	return a.printReceipt(&r, c.JSON, link.VerbFallbackGoOn, "goes on")
}
