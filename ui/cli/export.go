package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"tickwatch/monitor"
	"tickwatch/monitor/link"
	"tickwatch/store"
	"tickwatch/wa"
	"tickwatch/wa/webhook"
)

type exportCmd struct {
	What     string `arg:"" enum:"recording,webhooks,rejected,messages,fallback,cleanup" help:"rejected: who was not reached, and why; messages: all of them; fallback: what went by SMS, call or e-mail, and what became of it; cleanup: whom messages do not reach; recording: the providers' bodies and our own side; webhooks: the bodies alone."`
	Campaign string `help:"Only this campaign, by id or name." placeholder:"ID"`
	Out      string `required:"" help:"File to write, ending in .csv, .xlsx or .ndjson; - is standard output." placeholder:"FILE"`
	Force    bool   `help:"Replace the file if it is there."`

	tableFlags
}

// Help says what is in the file.
func (exportCmd) Help() string {
	return `Examples:
  tickwatch export rejected --campaign autumn --out rejected.xlsx
  tickwatch export messages --campaign autumn --from 09:12 --to 09:40 --code 131026 --where country=CI --out hit.csv
  tickwatch export fallback --campaign autumn --out sms.xlsx
  tickwatch export cleanup --out cleanup.csv
  tickwatch export recording --out incident.ndjson
  tickwatch replay incident.ndjson --speed 10

Phone numbers are in full, and so is what people wrote. The file is readable by you alone (0600); keep it so.

rejected (.csv, .xlsx) has the columns Time, Message_From, Message_To, Status, Description: a row for each message that failed or was refused and did not
arrive. messages (.csv, .xlsx, .ndjson) has state, times, code and attempt of every message, and the columns of its list. With --from, --to, --code,
--number or --where it is who was hit by an incident. fallback (.csv, .xlsx, .ndjson) has a row for each SMS, call and e-mail: where to, its state, the
provider's code and the reason (also of those left out or expired), what it cost, and when it was tried and last told of. cleanup (.csv, .xlsx, .ndjson) is about people: to whom nothing was ever delivered, and from whom
nothing has come for 30 days, each with a reason. In a CSV a phone number has an apostrophe before its plus, so that no spreadsheet takes it for a formula;
tickwatch reads it without. An XLSX needs none. --raw leaves it out, for programs.

recording and webhooks (.ndjson) hold one JSON object a line, in the order in which webhooks were taken in, and end where the store ended when the
export began. Bodies are as they were signed. With --campaign they hold every webhook with a status of one of the campaign's messages, an answer to one, or
an opt-out counted for it, each as a whole, even if it speaks of others too, and the acknowledgements of the campaign's alarms. News of templates, numbers
and the account is left out.

It asks the daemon. Where none runs it reads the data folder itself, and no daemon can start until it is done.`
}

// toStdout is the name that stands for standard output.
const toStdout = "-"

// Run writes an export.
func (c *exportCmd) Run(ctx context.Context, a *app) (err error) {
	if c.What != link.ExportRecording && c.What != link.ExportWebhooks {
		return c.runTable(ctx, a)
	}
	if err := c.none(); err != nil {
		return err
	}
	if c.Out != toStdout && !strings.HasSuffix(c.Out, ".ndjson") {
		return usageError{fmt.Errorf("%s: a recording is one JSON object a line: end the name in .ndjson, or give - for standard output", c.Out)}
	}
	if out, ok := a.Out.(*os.File); ok && c.Out == toStdout && isTerminal(out) {
		return usageError{errors.New("standard output is a terminal, and this holds what others wrote: pass it on to a file or a program")}
	}
	ask, done, err := a.exporter(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	if c.Out == toStdout {
		w := bufio.NewWriter(a.Out)
		if _, err := c.copy(ctx, a, ask, w); err != nil {
			return err
		}
		return w.Flush()
	}
	lines, err := int64(0), error(nil)
	size, err := writeNew(c.Out, c.Force, func(w io.Writer) error {
		lines, err = c.copy(ctx, a, ask, w)
		return err
	})
	if err != nil {
		return err
	}
	return a.print(fmt.Sprintf("%s: %s, %s. Phone numbers are in full: keep it to yourself.", wa.Clean(c.Out), plural(lines, "line"), byteSize(size)))
}

// exporter gives one page of an export after the other: from the daemon, or from
// the data folder where there is no daemon to ask.
type exporter func(context.Context, link.ExportArgs) (link.ExportPage, error)

func (c *exportCmd) copy(ctx context.Context, a *app, ask exporter, to io.Writer) (lines int64, err error) {
	progress := a.progress("exported")
	defer progress.end()
	args := link.ExportArgs{Kind: c.What, Campaign: c.Campaign}
	for {
		page, err := ask(ctx, args)
		if ctx.Err() != nil {
			return lines, errors.New("the export was broken off, and no file is left of it")
		}
		if err != nil {
			return lines, err
		}
		if _, err := to.Write(page.Text); err != nil {
			return lines, fmt.Errorf("writing the export: %w", err)
		}
		lines += page.Lines
		if page.Next == nil {
			return lines, nil
		}
		progress.at(page.Share)
		args.From = *page.Next
	}
}

// exporter asks once whether there is a daemon.
func (a *app) exporter(ctx context.Context) (ask exporter, done func() error, err error) {
	cfg, err := a.load(nil)
	if err != nil {
		return nil, nil, err
	}
	err = link.Call(ctx, cfg.Link.Socket, link.VerbStatus, nil, nil)
	if err == nil {
		return func(ctx context.Context, args link.ExportArgs) (page link.ExportPage, err error) {
			return page, link.Call(ctx, cfg.Link.Socket, link.VerbExport, args, &page)
		}, func() error { return nil }, nil
	}
	m, done, err := a.folder(ctx, cfg, err)
	if err != nil {
		return nil, nil, err
	}
	return m.Export, done, nil
}

// folder reads the data folder where there is no daemon to ask; noDaemon is the
// error that says so. Any other is given back.
func (a *app) folder(ctx context.Context, cfg Config, noDaemon error) (m *monitor.Monitor, done func() error, err error) {
	if !errors.Is(noDaemon, link.ErrNoDaemon) || !store.Exists(cfg.Data.Dir) {
		return nil, nil, noDaemon
	}
	s, err := store.Open(ctx, store.Options{Dir: cfg.Data.Dir, Decode: webhook.Decode})
	if err != nil {
		return nil, nil, fmt.Errorf("%w; nor can the data folder be read: %w", noDaemon, err)
	}
	if m, err = monitor.New(ctx, monitor.Options{
		Store: s, Publish: func(*link.Snapshot) {}, Thresholds: thresholds(cfg), Zone: zoneName(), Decode: webhook.Decode,
	}); err != nil {
		return nil, nil, errors.Join(err, s.Close())
	}
	_, _ = fmt.Fprintf(a.Err, "tickwatch: no daemon runs; reading %s, which no daemon can use until this ends\n", wa.Clean(cfg.Data.Dir))
	return m, s.Close, nil
}

// writeNew makes a file of mode 0600 under another name and gives it its own when
// it is whole and on disk; after an error nothing of it is left. An existing file
// is kept unless it may be replaced.
func writeNew(path string, replace bool, write func(io.Writer) error) (size int64, err error) {
	mayWrite := func() error {
		if _, err := os.Lstat(path); err == nil && !replace {
			return fmt.Errorf("%s is there already: choose another name, or replace it with --force", path)
		}
		return nil
	}
	if err := mayWrite(); err != nil {
		return 0, err
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*") // with mode 0600
	if err != nil {
		return 0, fmt.Errorf("writing %s: %w", path, err)
	}
	defer func() {
		if err != nil {
			_ = f.Close()
			_ = os.Remove(f.Name())
		}
	}()
	if err := write(f); err != nil {
		return 0, err
	}
	if size, err = f.Seek(0, io.SeekCurrent); err != nil {
		return 0, fmt.Errorf("writing %s: %w", path, err)
	}
	if err := errors.Join(f.Sync(), f.Close(), mayWrite()); err != nil {
		return 0, err
	}
	return size, os.Rename(f.Name(), path)
}

// plural counts things.
func plural(n int64, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// byteSize prints a number of bytes for people.
func byteSize(n int64) string {
	size, unit := float64(n), "bytes"
	for _, larger := range []string{"kB", "MB", "GB", "TB"} {
		if size < 1000 {
			break
		}
		size, unit = size/1000, larger
	}
	if unit == "bytes" {
		return plural(n, "byte")
	}
	return fmt.Sprintf("%.1f %s", size, unit)
}

// progress tells on a terminal how far something long has come, on one line of
// standard error that is gone in the end. Nothing is said that takes less than a second.
type progress struct {
	to    *os.File // nil = there is nobody to tell
	verb  string
	last  time.Time
	spoke bool
}

func (a *app) progress(verb string) *progress {
	p := &progress{verb: verb, last: time.Now()}
	if f, ok := a.Err.(*os.File); ok && isTerminal(f) && a.env("TERM") != "dumb" {
		p.to = f
	}
	return p
}

// at tells a share of the whole, 0 to 1.
func (p *progress) at(share float64) {
	if p.to == nil || time.Since(p.last) < time.Second {
		return
	}
	p.last, p.spoke = time.Now(), true
	_, _ = fmt.Fprintf(p.to, "\r%s %3.0f %%", p.verb, 100*share)
}

func (p *progress) end() {
	if p.spoke {
		_, _ = fmt.Fprint(p.to, "\r\x1b[K")
	}
}
