package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"tickwatch/monitor/link"
	"tickwatch/wa"
)

type checkCmd struct {
	List     string      `arg:"" help:"Recipient list: a CSV or XLSX file."`
	Template templateArg `help:"Check it against this template, too: variables, language, quality, spare ones." placeholder:"NAME/LANG"`
	columnFlags
	mediaArg
	rejectedFlags
	JSON bool `name:"json" help:"Print the judgement as one JSON document."`
}

// Help gives an example.
func (checkCmd) Help() string {
	return `Examples:
  tickwatch check list.csv
  tickwatch check list.xlsx --template autumn_offer/pt_PT --map 1=first_name --country PT --rejected rejected.csv

It reads the list as an import would, and says how many people would get a message, who would not and why. Nothing is kept and nothing is sent.

Exit 1 when something must be mended before the list can be sent.`
}

// errUnfit is the one line for scripts; the findings before it say why.
var errUnfit = errors.New("the list is not fit to be sent as it is: the findings marked ACT say why")

// Run judges a list.
func (c *checkCmd) Run(ctx context.Context, a *app) error {
	country, err := countryCode(c.Country)
	if err != nil {
		return err
	}
	bound, err := c.bound()
	if err != nil {
		return usageError{err}
	}
	if len(bound) > 0 && c.Template.Name == "" {
		return usageError{errors.New("--map says what fills the variables of a template: give it with --template NAME/LANG")}
	}
	if err := c.possible(); err != nil {
		return err
	}
	media, err := c.findings()
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
		args := link.ListArgs{Upload: upload, Phone: c.Phone, Country: country, Consent: c.Consent, Map: bound}
		if c.Template.Name != "" {
			args.Template = c.Template.ref()
		}
		return args
	})
	if err != nil {
		return err
	}
	found := job.Check
	if found == nil {
		return errors.New("the daemon read the list and gave no judgement: bring it and tickwatch to the same version")
	}
	found.Findings = append(found.Findings, media...)
	found.OK = found.OK && unfitMedia(media) == nil
	if err := c.print(ctx, a, s, job.ID, found); err != nil {
		return err
	}
	if !found.OK {
		return errUnfit
	}
	return nil
}

func (c *checkCmd) print(ctx context.Context, a *app, s *session, job string, found *link.Check) error {
	const shown = 5
	var rows []link.Rejected
	saved := ""
	var err error
	switch {
	case c.Rejected != "":
		saved, err = c.save(ctx, s, job, c.List)
	case !c.JSON:
		rows, err = s.firstRejected(ctx, job, shown)
	}
	if err != nil {
		return err
	}
	if c.JSON {
		found.Findings = append([]link.Finding{}, found.Findings...) // an array, empty or not
		return a.json(found)
	}
	text := checkText(found, a.width())
	if len(rows) > 0 {
		text += "Rows that nothing comes of, the first few:\n" + rejectedText(rows)
	}
	if saved != "" {
		text += "The rejected rows are in " + wa.Clean(saved) + ".\n"
	}
	if found.OK {
		text += "Fit to be sent.\n"
	}
	return a.print(text)
}

// checkText is a judgement for people.
func checkText(c *link.Check, width int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, %s can get a message.\n", plainRows(c.Rows), people(c.Valid))
	for _, n := range [...]struct {
		count int64
		what  string
	}{
		{c.Invalid, "rejected: no number that could be right"},
		{c.Duplicates, "rejected: the same person again"},
		{c.Suppressed, "left out: they opted out, or are not to be written to"},
		{c.Refusers, "refused marketing when they were written to before"},
		{c.Capped, "have had as much marketing as one may send them: later, not now"},
	} {
		if n.count > 0 {
			fmt.Fprintf(&b, "  %9s  %s\n", amount(n.count), n.what)
		}
	}
	b.WriteString(findingsText(c.Findings, width, link.VerdictAct, link.VerdictWatch, link.VerdictOK))
	return b.String()
}

func plainRows(n int64) string {
	if n == 1 {
		return "1 row"
	}
	return amount(n) + " rows"
}

func rejectedText(rows []link.Rejected) string {
	var b strings.Builder
	for _, r := range rows {
		fmt.Fprintf(&b, "  line %s: %s: %s\n", amount(r.Line), cmp.Or(wa.Clean(r.Value), "(nothing)"), wa.Clean(r.Reason))
	}
	return b.String()
}

// countryCode reads two letters; "" is none.
func countryCode(text string) (string, error) {
	code := strings.ToUpper(strings.TrimSpace(text))
	if code == "" && text == "" {
		return "", nil
	}
	if len(code) != 2 || code[0] < 'A' || code[0] > 'Z' || code[1] < 'A' || code[1] > 'Z' {
		return "", usageError{fmt.Errorf("--country: %.40q is no country: give its two letters, such as PT", wa.Clean(text))}
	}
	return code, nil
}
