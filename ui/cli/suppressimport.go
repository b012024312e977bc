package cli

import (
	"context"
	"errors"
	"fmt"

	"tickwatch/monitor/link"
	"tickwatch/wa"
)

type suppressImportCmd struct {
	List    string `arg:"" help:"A CSV or XLSX file of people never to be written to."`
	Hashed  string `enum:"hmac,sha256," default:"" help:"It holds hashes of numbers: hmac, HMAC-SHA-256 by this store's own key; sha256, plain SHA-256 of the digits with or without the plus." placeholder:"KIND"`
	Phone   string `help:"Column with the numbers or hashes; else the one that looks like it." placeholder:"COLUMN"`
	Country string `help:"Country of numbers that name none, as two letters such as PT." placeholder:"CC"`
	suppressFlags
	rejectedFlags
	JSON bool `name:"json" help:"Print one JSON document."`
}

// Help gives an example.
func (suppressImportCmd) Help() string {
	return `Examples:
  tickwatch suppress import blacklist.xlsx --reason "agency blacklist 2026"
  tickwatch suppress import hashes.csv --hashed sha256

Columns that are called reason, until and channels say the same as the flags, for each row. A row that cannot be read is left out, and written with its line
and the reason to LIST.rejected.csv beside the list, or to --rejected.

A plain SHA-256 of a number hides nothing: all numbers there are can be tried in minutes. It is taken, and called what it is.`
}

// Run puts a list's people on the suppression list.
func (c *suppressImportCmd) Run(ctx context.Context, a *app) error {
	country, err := countryCode(c.Country)
	if err != nil {
		return err
	}
	if err := c.possible(); err != nil {
		return err
	}
	file, err := openList(c.List)
	if err != nil {
		return err
	}
	defer file.close()
	s, err := a.connect(ctx)
	if err != nil {
		return err
	}
	defer s.hangUp()
	args := link.SuppressImportArgs{Phone: c.Phone, Country: country, Hashed: c.Hashed}
	if args.SuppressAs, err = c.link(ctx, s); err != nil {
		return err
	}
	job, err := s.work(ctx, a, file, link.VerbSuppressImport, func(upload string) any {
		args.Upload = upload
		return args
	})
	if err != nil {
		return err
	}
	if job.Suppressed == nil {
		return errors.New("the daemon read the list and does not say what came of it: bring it and tickwatch to the same version")
	}
	return c.print(ctx, a, s, job)
}

func (c *suppressImportCmd) print(ctx context.Context, a *app, s *session, job *link.Job) error {
	done := job.Suppressed
	saved := ""
	var failed error
	if done.Rejected > 0 {
		if saved, failed = c.save(ctx, s, job.ID, c.List); failed != nil {
			failed = fmt.Errorf("the list is imported, but its rejected rows could not be written: %w", failed)
		}
	}
	if c.JSON {
		if saved != "" && failed == nil {
			a.tell("tickwatch: rejected rows are in " + wa.Clean(saved))
		}
		return errors.Join(a.json(done), failed)
	}
	text := suppressedText(&link.Suppressed{Added: done.Added, Renewed: done.Renewed})
	if done.Plain > 0 {
		text += plainWarning(done.Plain) + "\n"
	}
	if done.Rejected > 0 && failed == nil {
		text += fmt.Sprintf("%s rejected; which and why is in %s\n", plainRows(done.Rejected), wa.Clean(saved))
	}
	return errors.Join(a.say(text), failed)
}
