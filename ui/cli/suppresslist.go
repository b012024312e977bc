package cli

import (
	"cmp"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"tickwatch/monitor/link"
	"tickwatch/wa"
)

type suppressListCmd struct {
	Search string `help:"Only lines with this in the number, the reason, the rule or the name of who did it." placeholder:"TEXT"`
	Most   int    `default:"50" help:"List so many lines at most; 0 lists them all. JSON has them all."`
	JSON   bool   `name:"json" help:"Print all lines as one JSON document."`
}

// Help gives an example.
func (suppressListCmd) Help() string {
	return `Examples:
  tickwatch suppress list
  tickwatch suppress list --search undeliverable --most 0
  tickwatch suppress list --json | jq -r '.[].number'

A person held for two reasons has two lines. Numbers that came hashed are shown by their hash.`
}

// Run lists who is not written to.
func (c *suppressListCmd) Run(ctx context.Context, a *app) error {
	s, err := a.connect(ctx)
	if err != nil {
		return err
	}
	defer s.hangUp()
	if c.JSON {
		return c.json(ctx, a, s)
	}
	if c.Most < 0 {
		return usageError{errors.New("--most: give how many lines, or 0 for all")}
	}
	var now link.Suppression
	if err := s.do(ctx, link.VerbSuppression, nil, &now); err != nil {
		return err
	}
	if err := a.print(suppressionText(&now)); err != nil {
		return err
	}
	lines := int64(0)
	err = s.held(ctx, link.SuppressedArgs{Search: c.Search}, func(h *link.Held) error {
		if lines++; c.Most > 0 && lines > int64(c.Most) {
			return errEnoughLines
		}
		who := cmp.Or(h.Number, wa.Clean(h.BSUID), h.Hash)
		return a.print(who + "  " + heldText(h, time.Local))
	})
	switch {
	case errors.Is(err, errEnoughLines):
		return a.print(fmt.Sprintf("There are more than %d: --most 0 lists them all, --search finds some.", c.Most))
	case err == nil && lines == 0 && c.Search != "":
		return a.print("No line has " + wa.Clean(c.Search) + " in it.")
	}
	return err
}

// errEnoughLines ends a listing.
var errEnoughLines = errors.New("enough")

// json prints the lines as they come, for there can be millions.
func (c *suppressListCmd) json(ctx context.Context, a *app, s *session) error {
	before := "["
	err := s.held(ctx, link.SuppressedArgs{Search: c.Search}, func(h *link.Held) error {
		line, err := json.Marshal(h)
		if err == nil {
			_, err = fmt.Fprintf(a.Out, "%s\n  %s", before, line)
		}
		before = ","
		return err
	})
	if err != nil {
		return err
	}
	if before == "[" {
		return a.print("[]")
	}
	return a.print("\n]")
}

// held gives everybody who is not written to, page after page.
func (s *session) held(ctx context.Context, args link.SuppressedArgs, each func(*link.Held) error) error {
	for {
		var page link.SuppressedPage
		if err := s.do(ctx, link.VerbSuppressed, args, &page); err != nil {
			return err
		}
		for i := range page.Held {
			if err := each(&page.Held[i]); err != nil {
				return err
			}
		}
		if page.Next == "" {
			return nil
		}
		if ctx.Err() != nil {
			return errors.New("broken off: the list is not whole")
		}
		args.From = page.Next
	}
}

// suppressionText says how many people are held, and why.
func suppressionText(n *link.Suppression) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "RULE\tPEOPLE\tWHY\tENDS\tCLOSES\t")
	for _, r := range n.Rules {
		held, closes := amount(r.People), strings.Join(r.Channels, ", ")
		if !r.On {
			held = "off"
		}
		if len(r.Channels) == len(channels) {
			closes = "every channel"
		}
		if r.Marketing {
			closes += ", for marketing"
		}
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", r.Name, held, wa.Clean(r.Text), r.Ends, closes)
	}
	_ = w.Flush() // to a strings.Builder
	fmt.Fprintf(&b, "On the suppression list: %s", amount(n.Entries))
	if n.Hashed > 0 {
		fmt.Fprintf(&b, ", %s of them hashed", amount(n.Hashed))
	}
	b.WriteString("\n")
	if n.Plain > 0 {
		b.WriteString(plainWarning(n.Plain) + "\n")
	}
	return b.String()
}

// plainWarning says what a plain hash is worth.
func plainWarning(n int64) string {
	return amount(n) + " by a plain SHA-256, which hides nothing: whoever has the file finds the numbers by trying all there are. Ask for HMAC-SHA-256."
}

type suppressExportCmd struct {
	Out    string `required:"" help:"File to write, ending in .csv." placeholder:"FILE" type:"path"`
	Hashed bool   `help:"Write HMAC-SHA-256 of the numbers, by this store's own key, instead of the numbers."`
	Search string `help:"Only lines with this in the number, the reason, the rule or the name of who did it." placeholder:"TEXT"`
	Force  bool   `help:"Replace the file if it is there."`
}

// Help says what is in the file.
func (suppressExportCmd) Help() string {
	return `Examples:
  tickwatch suppress export --out suppressed.csv
  tickwatch suppress export --hashed --out suppressed-hashed.csv

The file is readable by you alone (0600). No cell of it is taken for a formula by a spreadsheet. tickwatch suppress import reads it again.

Hashed numbers mean something only to a store that has the same key, such as this one or its restored backup: nobody else can find the numbers by trying.`
}

// exportColumns are the heading of an export; suppress import knows them.
var exportColumns = []string{"number", "reason", "rule", "since", "until", "channels", "by"}

// Run writes the file.
func (c *suppressExportCmd) Run(ctx context.Context, a *app) error {
	if !strings.HasSuffix(strings.ToLower(c.Out), ".csv") {
		return usageError{fmt.Errorf("%s: the export is CSV: end the name in .csv", c.Out)}
	}
	s, err := a.connect(ctx)
	if err != nil {
		return err
	}
	defer s.hangUp()
	lines := int64(0)
	size, err := writeNew(c.Out, c.Force, func(to io.Writer) error {
		w := csv.NewWriter(to)
		head := slices.Clone(exportColumns)
		if c.Hashed {
			head[0] = "hash"
		}
		if err := w.Write(head); err != nil {
			return err
		}
		err := s.held(ctx, link.SuppressedArgs{Search: c.Search, Hashed: c.Hashed}, func(h *link.Held) error {
			who := cmp.Or(h.Number, h.Hash)
			if who == "" {
				return nil // a BSUID is no number, and no list can hold it
			}
			lines++
			return w.Write(heldRow(who, h))
		})
		w.Flush()
		return errors.Join(err, w.Error())
	})
	if err != nil {
		return err
	}
	text := fmt.Sprintf("%s: %s, %s.", wa.Clean(c.Out), plural(lines, "line"), byteSize(size))
	if !c.Hashed {
		text += " Phone numbers are in full: keep it to yourself."
	}
	return a.print(text)
}

func heldRow(who string, h *link.Held) []string {
	at := func(t *time.Time) string {
		if t == nil {
			return ""
		}
		return t.UTC().Format(time.RFC3339)
	}
	return []string{
		wa.Guard(who), wa.Guard(wa.Clean(h.Reason)), h.Rule, at(h.Since), at(h.Until),
		strings.Join(h.Channels, " "), wa.Guard(wa.Clean(h.By)),
	}
}
