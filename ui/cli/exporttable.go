package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"tickwatch/monitor/link"
	"tickwatch/ui/report"
	"tickwatch/wa"
)

// tableFlags are those of exports that are tables.
type tableFlags struct {
	From   string   `help:"messages: sent from this moment on: 09:12, \"2026-11-21 09:12\", 2026-11-21T09:12:00Z, or --from=-2h." placeholder:"TIME"`
	To     string   `help:"messages: sent before this moment." placeholder:"TIME"`
	Code   []int    `help:"messages: those that failed with this error code; may be repeated." placeholder:"N" sep:"none"`
	Number string   `help:"messages: sent from this number, or phone_number_id." placeholder:"N"`
	Where  []string `help:"messages: with this value in a column of the list, or of the phone number: country=CI, prefix=22507; may be repeated." placeholder:"COLUMN=VALUE" sep:"none"`
	Masked bool     `help:"Mask phone numbers, and leave the columns of lists out."`
	Raw    bool     `help:"CSV for programs: phone numbers without an apostrophe. Do not open it in a spreadsheet."`
	zoneArg
}

// none refuses the flags of tables.
func (f *tableFlags) none() error {
	if f.filters() || f.Masked || f.Raw || f.Zone != "" {
		return usageError{errors.New("recording and webhooks are written as they came: only --campaign chooses among them")}
	}
	return nil
}

func (f *tableFlags) filters() bool {
	return f.From != "" || f.To != "" || len(f.Code) > 0 || f.Number != "" || len(f.Where) > 0
}

// tableFormats are the formats that a table is offered in.
func tableFormats(what string) []string {
	if what == link.RowsRejected {
		return []string{report.CSV, report.XLSX}
	}
	return []string{report.CSV, report.XLSX, report.NDJSON}
}

// format is how the table is written; standard output is CSV.
func (c *exportCmd) format() (string, error) {
	if c.Out == toStdout {
		return report.CSV, nil
	}
	offered := tableFormats(c.What)
	format := report.TableFormat(c.Out, offered...)
	if format == "" {
		return "", usageError{fmt.Errorf("%s: %s can be written as %s: end the name in one of these, or give - for CSV on standard output", c.Out, c.What, strings.Join(offered, ", "))}
	}
	return format, nil
}

// runTable writes a table.
func (c *exportCmd) runTable(ctx context.Context, a *app) (err error) {
	format, err := c.format()
	if err != nil {
		return err
	}
	switch out, ok := a.Out.(*os.File); {
	case c.What != link.RowsMessages && c.filters():
		return usageError{fmt.Errorf("--from, --to, --code, --number and --where choose among messages: `tickwatch export messages`, not %s", c.What)}
	case c.Raw && format != report.CSV:
		return usageError{errors.New("--raw is for CSV: XLSX and NDJSON hold phone numbers as they are")}
	case ok && c.Out == toStdout && isTerminal(out):
		return usageError{errors.New("standard output is a terminal, and this holds phone numbers: pass it on to a file or a program")}
	}
	ask, done, err := a.asker(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	args := link.RowsArgs{Kind: c.What, Campaign: c.Campaign, Masked: c.Masked}
	if args.Only, err = c.filter(ctx, ask); err != nil {
		return err
	}
	o := report.TableOptions{Format: format, Sheet: c.What, Folder: filepath.Dir(c.Out), Raw: c.Raw}
	if c.Out == toStdout {
		_, err := copyTable(ctx, a, ask, args, o, a.Out)
		return err
	}
	rows := int64(0)
	size, err := writeNew(c.Out, c.Force, func(w io.Writer) (err error) {
		rows, err = copyTable(ctx, a, ask, args, o, w)
		return err
	})
	if err != nil {
		return err
	}
	keep := "Phone numbers are in full: keep it to yourself."
	if c.Masked {
		keep = "Phone numbers are masked."
	}
	return a.print(fmt.Sprintf("%s: %s, %s. %s", wa.Clean(c.Out), plural(rows, "row"), byteSize(size), keep))
}

// copyTable asks for page after page and writes them.
func copyTable(ctx context.Context, a *app, ask asker, args link.RowsArgs, o report.TableOptions, to io.Writer) (rows int64, err error) {
	progress := a.progress("exported")
	defer progress.end()
	var table *report.Table
	defer func() {
		if table != nil && err != nil {
			_ = table.Close() // which says nothing new
		}
	}()
	for {
		var page link.RowsPage
		err := ask(ctx, link.VerbRows, args, &page)
		if ctx.Err() != nil {
			return rows, errors.New("the export was broken off, and no file is left of it")
		}
		if err != nil {
			return rows, err
		}
		if table == nil {
			o.Columns = page.Columns
			if table, err = report.NewTable(to, o); err != nil {
				return rows, err
			}
		}
		for _, cells := range page.Rows {
			if err := table.Row(cells); err != nil {
				return rows, fmt.Errorf("writing the export: %w", err)
			}
			rows++
		}
		if page.Next == nil {
			break
		}
		progress.at(page.Share)
		args.From = *page.Next
	}
	last := table
	table = nil
	if err := last.Close(); err != nil {
		return rows, fmt.Errorf("writing the export: %w", err)
	}
	return rows, nil
}

// filter reads which messages are wanted.
func (f *tableFlags) filter(ctx context.Context, ask asker) (only link.RowsFilter, err error) {
	only.Codes, only.Number = f.Code, f.Number
	for _, w := range f.Where {
		column, value, ok := strings.Cut(w, "=")
		if column = strings.TrimSpace(column); !ok || column == "" {
			return only, usageError{fmt.Errorf("--where %.60q says nothing of a column: write COLUMN=VALUE, such as country=CI", wa.Clean(w))}
		}
		only.Where = append(only.Where, link.RowsWhere{Column: column, Value: value})
	}
	if f.From == "" && f.To == "" {
		return only, nil
	}
	var now link.Snapshot
	if err := ask(ctx, link.VerbStatus, nil, &now); err != nil {
		return only, err
	}
	zone, err := f.location(&now)
	if err != nil {
		return only, usageError{err}
	}
	if only.From, err = past("--from", f.From, now.At, zone); err != nil {
		return only, err
	}
	only.To, err = past("--to", f.To, now.At, zone)
	return only, err
}

// past reads a moment that is over, as moment does one to come: a time of day is
// the latest, and a span is counted back from now. "" is nil.
func past(flag, text string, now time.Time, zone *time.Location) (*time.Time, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return nil, nil
	}
	if back, ok := strings.CutPrefix(text, "-"); ok {
		d, err := time.ParseDuration(back)
		if err != nil || d <= 0 {
			return nil, usageError{fmt.Errorf("%s: %.40q is no span back from now: write -30m or -2h", flag, wa.Clean(text))}
		}
		t := now.Add(-d)
		return &t, nil
	}
	t, err := moment(text, now, zone)
	if err != nil {
		return nil, usageError{fmt.Errorf("%s: %w", flag, err)}
	}
	if _, err := time.Parse("15:04", text); err == nil {
		day := t.In(zone).AddDate(0, 0, -1)
		wall := time.Date(day.Year(), day.Month(), day.Day(), day.Hour(), day.Minute(), 0, 0, time.UTC)
		if t, err = onWall(wall, zone); err != nil {
			return nil, usageError{fmt.Errorf("%s: %w", flag, err)}
		}
	}
	return &t, nil
}

// asker asks the daemon, as session.do does.
type asker func(ctx context.Context, verb string, args, result any) error

// asker gives what asks the daemon, or, where there is none, the data folder.
func (a *app) asker(ctx context.Context) (ask asker, done func() error, err error) {
	cfg, err := a.load(nil)
	if err != nil {
		return nil, nil, err
	}
	s, err := attach(ctx, cfg)
	if err == nil {
		return s.do, func() error { s.hangUp(); return nil }, nil
	}
	m, done, err := a.folder(ctx, cfg, err)
	if err != nil {
		return nil, nil, err
	}
	return func(ctx context.Context, verb string, args, result any) error {
		body, err := json.Marshal(args)
		if err != nil {
			return err
		}
		answer, err := m.Handle(ctx, link.Peer{}, link.Command{Verb: verb, Args: body})
		if err != nil {
			return err
		}
		if body, err = json.Marshal(answer); err != nil {
			return err
		}
		return json.Unmarshal(body, result)
	}, done, nil
}
