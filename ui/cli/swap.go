package cli

import (
	"context"
	"fmt"
	"strings"

	"tickwatch/monitor/link"
	"tickwatch/wa"
)

type swapCmd struct {
	campaignArg
	Template templateArg `required:"" help:"The approved template that the rest goes out with." placeholder:"NAME/LANG"`
	assent
	JSON bool `name:"json" help:"Print the receipt as one JSON document."`
}

// Help gives an example.
func (swapCmd) Help() string {
	return `Example:
  tickwatch swap autumn --template autumn_offer_b/pt_PT

What still waits goes out with the other template; nobody who has the first one gets the second. It shows the text as a recipient will read it, and asks.
What is paused stays paused. To undo it, swap back.`
}

// Run swaps the template, after it asked.
func (c *swapCmd) Run(ctx context.Context, a *app) error {
	to := templateText(c.Template.ref())
	if err := c.possible(a, "send the rest of "+c.name()+" with "+to); err != nil {
		return err
	}
	s, err := a.connect(ctx)
	if err != nil {
		return err
	}
	defer s.hangUp()
	if !c.Yes {
		if err := c.show(ctx, a, s, to); err != nil {
			return err
		}
		if err := a.ask(ctx, "swap", "send the rest with "+to); err != nil {
			return err
		}
	}
	var r link.Receipt
	if err := s.do(ctx, link.VerbSwap, link.SwapArgs{Campaign: string(c.ID), Template: *c.Template.ref()}, &r); err != nil {
		return err
	}
	return a.printReceipt(&r, c.JSON, link.VerbSwap, "The rest of "+c.name()+" goes out with "+to)
}

// show prints what the other template says; one that cannot be sent is refused.
func (c *swapCmd) show(ctx context.Context, a *app, s *session, to string) error {
	var all link.Choices
	if err := s.do(ctx, link.VerbChoices, link.CampaignArgs{Campaign: string(c.ID)}, &all); err != nil {
		return err
	}
	for i := range all.Others {
		choice := &all.Others[i]
		if choice.TemplateRef != *c.Template.ref() {
			continue
		}
		if !choice.Usable {
			return refused("%s cannot take the place of %s: %s", to, templateText(&all.Current.TemplateRef), wa.Clean(choice.Why))
		}
		a.tell(choiceText(&all, choice))
		return nil
	}
	if all.Current.TemplateRef == *c.Template.ref() {
		a.tell("It goes out with " + to + " already.")
	}
	return nil // the daemon knows more templates than it lists
}

func choiceText(all *link.Choices, choice *link.Choice) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s wait. Now %s, then %s", messages(all.Waiting), templateText(&all.Current.TemplateRef), templateText(&choice.TemplateRef))
	if choice.Quality != "" {
		fmt.Fprintf(&b, ", quality %s", wa.Clean(choice.Quality))
	}
	b.WriteString(".\n")
	if choice.Why != "" {
		b.WriteString("Know before: " + wa.Clean(choice.Why) + ".\n")
	}
	if choice.Preview != "" {
		b.WriteString("One of them will read:\n")
		for line := range strings.SplitSeq(choice.Preview, "\n") {
			b.WriteString("  | " + wa.Clean(line) + "\n")
		}
	}
	return b.String()
}
