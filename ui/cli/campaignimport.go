package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"tickwatch/monitor/link"
	"tickwatch/wa"
)

type campaignImportCmd struct {
	List      string      `arg:"" help:"Recipient list: a CSV or XLSX file."`
	Name      idArg       `required:"" help:"What the campaign is called." placeholder:"N"`
	Template  templateArg `required:"" help:"The approved template that it sends." placeholder:"NAME/LANG"`
	From      []string    `required:"" help:"Sending number, by its phone_number_id; several share the work." placeholder:"NUMBER_ID"`
	Keep      []string    `help:"Only these other columns are kept, to explain failures by; else all." placeholder:"COLUMN"`
	InOrder   bool        `help:"Send in the order of the list; else in random order, so that a bad block of it does not come all at once."`
	Marketing bool        `help:"Send through Meta's Marketing Messages API."`
	columnFlags
	mediaArg
	rejectedFlags
	JSON bool `name:"json" help:"Print one JSON document."`
}

// Help gives an example.
func (campaignImportCmd) Help() string {
	return `Example:
  tickwatch campaign import list.csv --name autumn --template autumn_offer/pt_PT --from 106540352242922 --map 1=first_name

Nothing goes out: that is what campaign start is for. The list is read whole or not at all: a file that cannot be read right imports nothing, nor does ctrl-c.

A bad or doubled row is left out, and written with its line and the reason to LIST.rejected.csv beside the list (a new name if that is taken), or to --rejected.`
}

// Run makes a campaign of a list.
func (c *campaignImportCmd) Run(ctx context.Context, a *app) error {
	args, err := c.args()
	if err != nil {
		return usageError{err}
	}
	if err := c.possible(); err != nil {
		return err
	}
	media, err := c.findings()
	if err == nil {
		err = unfitMedia(media)
	}
	if err != nil {
		return err
	}
	list, err := openList(c.List)
	if err != nil {
		return err
	}
	defer list.close()
	s, err := a.connect(ctx)
	if err != nil {
		return err
	}
	defer s.hangUp()
	job, err := s.work(ctx, a, list, link.VerbList, func(upload string) any {
		args.Upload = upload
		return args
	})
	if err != nil {
		return err
	}
	if job.Imported == nil {
		return errors.New("the daemon read the list and names no campaign: bring it and tickwatch to the same version")
	}
	return c.print(ctx, a, s, job)
}

func (c *campaignImportCmd) args() (*link.ListArgs, error) {
	country, err := countryCode(c.Country)
	if err != nil {
		return nil, err
	}
	bound, err := c.bound()
	if err != nil {
		return nil, err
	}
	if slices.Contains(c.From, "") {
		return nil, errors.New("--from is empty: give a phone_number_id")
	}
	return &link.ListArgs{
		Import: true, Name: string(c.Name), Template: c.Template.ref(), From: c.From, Map: bound,
		Phone: c.Phone, Country: country, Consent: c.Consent, InOrder: c.InOrder, Marketing: c.Marketing, Attributes: c.Keep,
	}, nil
}

// print says what was imported. From here on the campaign is there, whatever
// becomes of the file of rejected rows.
func (c *campaignImportCmd) print(ctx context.Context, a *app, s *session, job *link.Job) error {
	made := job.Imported
	saved := ""
	var failed error
	if made.Rejected > 0 {
		if saved, failed = c.save(ctx, s, job.ID, c.List); failed != nil {
			failed = fmt.Errorf("the campaign %s is imported, but its rejected rows could not be written: %w", wa.Clean(made.ID), failed)
		}
	}
	if c.JSON {
		if saved != "" && failed == nil {
			a.tell("tickwatch: rejected rows are in " + wa.Clean(saved))
		}
		return errors.Join(a.json(made), failed)
	}
	text := fmt.Sprintf("%s is imported: %s wait. Nothing has been sent.\n", wa.Clean(made.ID), messages(made.Waiting))
	if made.Rejected > 0 && failed == nil {
		text += fmt.Sprintf("%s rejected; which and why is in %s\n", plainRows(made.Rejected), wa.Clean(saved))
	}
	if check := job.Check; check != nil {
		text += faultsText(check.Findings, a.width())
	}
	text += next("tickwatch campaign start %s", shellWord(wa.Clean(made.ID)))
	return errors.Join(a.say(text), failed)
}
