package cli

import (
	"context"
	"fmt"

	"tickwatch/monitor/link"
	"tickwatch/wa"
)

// asideCmd are the commands about parts of a campaign that are set aside.
type asideCmd struct {
	List    asideListCmd    `cmd:"" help:"List what a campaign has set aside."`
	Set     asideSetCmd     `cmd:"" help:"Set aside what waits and has a trait; the rest goes on."`
	Release asideReleaseCmd `cmd:"" help:"Let what was set aside go out in its turn. Asks first."`
	Cancel  asideCancelCmd  `cmd:"" help:"Give up what was set aside. Asks first."`
}

// traitArg is the trait that a command is about.
type traitArg struct {
	Trait string `arg:"" name:"trait" help:"ATTRIBUTE=VALUE: prefix=22507, country=CI, word=coat, lines=4001-5000, or a column of the list, like city=Abidjan."`
}

func (t traitArg) parse() (wa.Trait, error) {
	parsed, err := wa.ParseTrait(t.Trait)
	if err != nil {
		return parsed, usageError{err}
	}
	return parsed, nil
}

type asideListCmd struct {
	ID   idArg `arg:"" optional:"" name:"id" help:"Campaign, by id or name; without it all of ours that are shown."`
	JSON bool  `name:"json" help:"Print one JSON document: an array, a campaign each."`
}

// Help gives examples.
func (asideListCmd) Help() string {
	return `Examples:
  tickwatch aside list
  tickwatch aside list autumn --json`
}

// asideOf is what one campaign has set aside, as JSON has it.
type asideOf struct {
	Campaign string       `json:"campaign"`
	Aside    []link.Aside `json:"aside"`
}

// Run lists what is set aside.
func (c *asideListCmd) Run(ctx context.Context, a *app) error {
	s, err := a.connect(ctx)
	if err != nil {
		return err
	}
	defer s.hangUp()
	snapshot, err := s.status(ctx, string(c.ID))
	if err != nil {
		return err
	}
	found := []asideOf{}
	for i := range snapshot.Campaigns {
		campaign := &snapshot.Campaigns[i]
		if campaign.Origin != "own" {
			continue
		}
		all, err := s.asides(ctx, idArg(campaign.ID))
		if err != nil {
			return err
		}
		if len(all.Aside) > 0 || c.ID != "" {
			found = append(found, asideOf{campaign.ID, all.Aside})
		}
	}
	if c.JSON {
		return a.json(found)
	}
	lines := 0
	for _, of := range found {
		for _, r := range of.Aside {
			lines++
			if err := a.print(fmt.Sprintf("%s  %s  %s", wa.Clean(of.Campaign), wa.Clean(r.String()), messages(r.Messages))); err != nil {
				return err
			}
		}
	}
	if lines == 0 {
		return a.say("Nothing is set aside.")
	}
	return nil
}

func (s *session) asides(ctx context.Context, id idArg) (all link.Asides, err error) {
	return all, s.do(ctx, link.VerbAsides, link.CampaignArgs{Campaign: string(id)}, &all)
}

type asideSetCmd struct {
	campaignArg
	traitArg
	DryRun bool `help:"Only count the messages that it would hold back."`
	JSON   bool `name:"json" help:"Print one JSON document."`
}

// Help gives examples.
func (asideSetCmd) Help() string {
	return `Examples:
  tickwatch aside set autumn prefix=22507
  tickwatch aside set autumn city=Abidjan --dry-run

What waits and has the trait is held back, the rest goes on. It holds for what comes back to waiting later, too, and after a restart.
Nothing is lost: release lets it go out, cancel gives it up.`
}

// Run sets a part aside. It only ever holds back, so it does not ask.
func (c *asideSetCmd) Run(ctx context.Context, a *app) error {
	t, err := c.parse()
	if err != nil {
		return err
	}
	s, err := a.connect(ctx)
	if err != nil {
		return err
	}
	defer s.hangUp()
	var done link.Asides
	args := link.AsideArgs{Campaign: string(c.ID), Attribute: t.Attribute, Value: t.Value, DryRun: c.DryRun}
	if err := s.do(ctx, link.VerbAside, args, &done); err != nil {
		return err
	}
	switch {
	case c.JSON:
		return a.json(done)
	case c.DryRun:
		return a.say(fmt.Sprintf("%s that wait have %s. Nothing was changed.", messages(done.Changed), wa.Clean(t.String())))
	}
	return a.say(wa.Clean(done.Text))
}

// asideEnd is what ends setting aside, one way or the other.
type asideEnd struct {
	campaignArg
	Trait string `arg:"" optional:"" name:"trait" help:"ATTRIBUTE=VALUE, as aside list names it; may be left out where only one is set aside."`
	assent
	JSON bool `name:"json" help:"Print one JSON document."`
}

type asideReleaseCmd struct{ asideEnd }

// Help gives an example.
func (asideReleaseCmd) Help() string {
	return `Example:
  tickwatch aside release autumn prefix=22507

They go out in their turn, as far as nothing is paused.`
}

// Run releases, after it asked.
func (c *asideReleaseCmd) Run(ctx context.Context, a *app) error {
	return c.end(ctx, a, false, "release", "let %s go out")
}

type asideCancelCmd struct{ asideEnd }

// Help gives an example.
func (asideCancelCmd) Help() string {
	return `Example:
  tickwatch aside cancel autumn prefix=22507

They will not be sent. This cannot be undone.`
}

// Run cancels, after it asked.
func (c *asideCancelCmd) Run(ctx context.Context, a *app) error {
	return c.end(ctx, a, true, "cancel", "give %s up")
}

func (c *asideEnd) end(ctx context.Context, a *app, cancel bool, word, toDo string) error {
	if c.Trait != "" {
		if _, err := wa.ParseTrait(c.Trait); err != nil {
			return usageError{err}
		}
	}
	if err := c.possible(a, fmt.Sprintf(toDo, "what is set aside of "+c.name())); err != nil {
		return err
	}
	s, err := a.connect(ctx)
	if err != nil {
		return err
	}
	defer s.hangUp()
	r, err := c.find(ctx, s)
	if err != nil {
		return err
	}
	if !c.Yes {
		of := wa.Clean(r.String())
		a.tell(messages(r.Messages) + " of " + c.name() + " are set aside for " + of + ".")
		if err := a.ask(ctx, word, fmt.Sprintf(toDo, "them")); err != nil {
			return err
		}
	}
	var done link.Asides
	args := link.AsideEndArgs{Campaign: string(c.ID), Attribute: r.Attribute, Value: r.Value, Cancel: cancel}
	if err := s.do(ctx, link.VerbAsideEnd, args, &done); err != nil {
		return err
	}
	if c.JSON {
		return a.json(done)
	}
	return a.say(wa.Clean(done.Text))
}

// find is what is set aside and was named, or is the only one.
func (c *asideEnd) find(ctx context.Context, s *session) (*link.Aside, error) {
	all, err := s.asides(ctx, c.ID)
	if err != nil {
		return nil, err
	}
	switch {
	case c.Trait == "" && len(all.Aside) == 1:
		return &all.Aside[0], nil
	case c.Trait == "" && len(all.Aside) > 1:
		return nil, usageError{fmt.Errorf("several parts of %s are set aside: name one as `tickwatch aside list` does", c.name())}
	}
	for i := range all.Aside {
		if all.Aside[i].String() == c.Trait {
			return &all.Aside[i], nil
		}
	}
	if c.Trait == "" {
		return nil, &link.Fault{Kind: link.FaultFailed, Text: "nothing of " + c.name() + " is set aside"}
	}
	return nil, &link.Fault{Kind: link.FaultFailed, Text: wa.Clean(c.Trait) + " is not set aside: `tickwatch aside list` names what is"}
}
