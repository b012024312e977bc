package cli

import (
	"context"
	"errors"
	"fmt"

	"tickwatch/monitor/link"
)

type campaignTestCmd struct {
	campaignArg
	To string `required:"" help:"List of 100 to 200 own phones, as CSV or XLSX." placeholder:"LIST"`
	assent
	JSON bool `name:"json" help:"Print the judgement as one JSON document."`
}

// Help says what is judged.
func (campaignTestCmd) Help() string {
	return `Example:
  tickwatch campaign test autumn --to own-phones.csv

It sends the campaign's template to your own phones, before anybody else gets it, and judges: every send is taken within a second, for more than 99 %
of them Meta reports back, and the messages arrive. Exit 1 when it did not pass. Nobody on the campaign's own list gets anything.`
}

var errTestFailed = errors.New("the test did not pass: the findings say why; do not start the campaign before it does")

// Run sends a test, after it asked, and waits for its judgement.
func (c *campaignTestCmd) Run(ctx context.Context, a *app) error {
	if err := c.possible(a, "send a test of "+c.name()); err != nil {
		return err
	}
	list, err := openList(c.To)
	if err != nil {
		return err
	}
	defer list.close()
	s, err := a.connect(ctx)
	if err != nil {
		return err
	}
	defer s.hangUp()
	campaign, err := s.campaign(ctx, c.ID)
	if err != nil {
		return err
	}
	if !c.Yes {
		a.tell(fmt.Sprintf("Every number in %s gets %s of the campaign %s, now.", c.To, templateText(campaign.Template), c.name()))
		if err := a.ask(ctx, "test", "send it"); err != nil {
			return err
		}
	}
	job, err := s.work(ctx, a, list, link.VerbTest, func(upload string) any {
		return link.TestArgs{Campaign: string(c.ID), Upload: upload}
	})
	if err != nil {
		return err
	}
	if job.Tested == nil {
		return errors.New("the daemon ended the test without a judgement: bring it and tickwatch to the same version")
	}
	if c.JSON {
		job.Tested.Findings = append([]link.Finding{}, job.Tested.Findings...) // an array, empty or not
		err = a.json(job.Tested)
	} else {
		err = a.say(testedText(job.Tested, a.width()))
	}
	if err == nil && !job.Tested.Pass {
		err = errTestFailed
	}
	return err
}

// testedText is the judgement of a test for people.
func testedText(t *link.Tested, width int) string {
	word := "PASSED"
	if !t.Pass {
		word = "FAILED"
	}
	text := fmt.Sprintf("%s: %s sent, %s arrived; the slowest was taken in %.0f ms; Meta reported back on %s.\n",
		word, messages(t.Sent), amount(t.Arrived), t.SlowMS, shareText(t.Callback))
	return text + faultsText(t.Findings, width)
}

// shareText is a share in percent. It cuts and never rounds up: what fell short
// must not look as if it had not.
func shareText(share float64) string {
	return fmt.Sprintf("%.1f %%", float64(int64(share*1000+1e-6))/10)
}
