package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"tickwatch/monitor/link"
	"tickwatch/wa"
)

// suppressCmd are the commands about who is never written to.
type suppressCmd struct {
	Add    suppressAddCmd    `cmd:"" help:"Put numbers on the list of those never written to."`
	Remove suppressRemoveCmd `cmd:"" help:"Let somebody be written to again. Asks first."`
	List   suppressListCmd   `cmd:"" help:"Say how many people are not written to and why, and list them."`
	Import suppressImportCmd `cmd:"" help:"Put the people of a list on it, by numbers or by hashes of them."`
	Export suppressExportCmd `cmd:"" help:"Write who is not written to into a file."`
}

// suppressFlags say how somebody is put on the list.
type suppressFlags struct {
	Reason  string       `help:"Why; whoever asks later is told." placeholder:"TEXT"`
	Until   string       `help:"Only until then: \"2026-12-31 08:00\", RFC 3339 or +720h; else for ever." placeholder:"TIME"`
	Channel []channelArg `help:"Close only this channel to them: whatsapp, sms, voice or email; several may be given. Else all." placeholder:"C"`
	zoneArg
}

func (f *suppressFlags) link(ctx context.Context, s *session) (as link.SuppressAs, err error) {
	as.Reason = f.Reason
	for _, c := range f.Channel {
		as.Channels = append(as.Channels, string(c))
	}
	as.Until, err = f.moment(ctx, s, "--until", f.Until, false)
	return as, err
}

type suppressAddCmd struct {
	Numbers []string `arg:"" name:"number" help:"Numbers with their country code; - reads them from standard input, one a line."`
	suppressFlags
	JSON bool `name:"json" help:"Print one JSON document."`
}

// Help gives an example.
func (suppressAddCmd) Help() string {
	return `Examples:
  tickwatch suppress add '+351 900 000 001' --reason "asked by phone"
  tickwatch suppress add - --channel whatsapp < numbers.txt

From the next hand-over on they get nothing more, whatever campaign they wait in. Who is on the list already is kept, with what is given now.`
}

// Run puts numbers on the list.
func (c *suppressAddCmd) Run(ctx context.Context, a *app) error {
	numbers, err := c.numbers(a.In)
	if err != nil {
		return err
	}
	s, err := a.connect(ctx)
	if err != nil {
		return err
	}
	defer s.hangUp()
	args := link.SuppressArgs{}
	if args.SuppressAs, err = c.link(ctx, s); err != nil {
		return err
	}
	sum, done := link.Suppressed{Rejected: []link.Rejected{}}, 0
	for step := range slices.Chunk(numbers, link.MaxSuppress) {
		var got link.Suppressed
		args.Numbers = step
		if err := s.do(ctx, link.VerbSuppress, args, &got); err != nil {
			if sum.Added+sum.Renewed > 0 {
				err = fmt.Errorf("%w; the first %d numbers are done, giving all of them again does no harm", err, done)
			}
			return err
		}
		for _, r := range got.Rejected {
			r.Line += int64(done)
			sum.Rejected = append(sum.Rejected, r)
		}
		sum.Added, sum.Renewed, done = sum.Added+got.Added, sum.Renewed+got.Renewed, done+len(step)
	}
	if c.JSON {
		err = a.json(sum)
	} else {
		err = a.say(suppressedText(&sum))
	}
	if err == nil && len(sum.Rejected) > 0 {
		err = fmt.Errorf("%s could not be read and %s not on the list: write them with + and their country code", plural(int64(len(sum.Rejected)), "number"), isAre(len(sum.Rejected)))
	}
	return err
}

// numbers are those of the command line, or of standard input.
func (c *suppressAddCmd) numbers(in io.Reader) ([]string, error) {
	if !slices.Contains(c.Numbers, toStdout) {
		return c.Numbers, nil
	}
	if len(c.Numbers) > 1 {
		return nil, usageError{errors.New("give numbers, or - for standard input, not both")}
	}
	var all []string
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		if line := strings.TrimSpace(lines.Text()); line != "" {
			all = append(all, line)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("reading numbers from standard input: %w", err)
	}
	if len(all) == 0 {
		return nil, errors.New("there is no number on standard input: nothing was changed")
	}
	return all, nil
}

func isAre(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}

func suppressedText(r *link.Suppressed) string {
	text := people(r.Added) + " will not be written to"
	if r.Renewed > 0 {
		was := "were"
		if r.Renewed == 1 {
			was = "was"
		}
		text += fmt.Sprintf(", %s %s on the list before", amount(r.Renewed), was)
	}
	return text + ".\n" + rejectedText(r.Rejected)
}

type suppressRemoveCmd struct {
	Number string `arg:"" optional:"" help:"Whom: a number with its country code, or a BSUID."`
	Rule   string `help:"Release them from this rule only; with --all, everybody whom it holds." placeholder:"NAME"`
	All    bool   `help:"Everybody: whom the rule holds, or who is on the list."`
	assent
	JSON bool `name:"json" help:"Print one JSON document."`
}

// Help gives an example.
func (suppressRemoveCmd) Help() string {
	return `Examples:
  tickwatch suppress remove '+351 900 000 001'
  tickwatch suppress remove '+351 900 000 001' --rule opted-out
  tickwatch suppress remove --rule undeliverable --all

A number alone is taken off the list and released from every rule but those by which people asked not to be written to: these must be named, one person
at a time. What happened to somebody until now holds them no more; what happens from now on does. With --all alone the list is emptied.

The rules, and how many each holds: tickwatch suppress list`
}

// Run releases somebody, after it asked.
func (c *suppressRemoveCmd) Run(ctx context.Context, a *app) error {
	if (c.Number == "") != c.All {
		return usageError{errors.New("give a number, or --all with or without a --rule")}
	}
	if err := c.possible(a, "let people be written to again"); err != nil {
		return err
	}
	s, err := a.connect(ctx)
	if err != nil {
		return err
	}
	defer s.hangUp()
	args := link.ReleaseArgs{Number: c.Number, Rule: c.Rule, All: c.All, DryRun: true}
	var would link.Released
	if err := s.do(ctx, link.VerbRelease, args, &would); err != nil {
		return err
	}
	if would.People == 0 {
		return c.nobody(&would)
	}
	if !c.Yes {
		a.tell(c.text(&would, time.Local, false))
		word := "release"
		if c.All {
			word = strconv.FormatInt(would.People, 10)
		}
		if err := a.ask(ctx, word, "let "+people(would.People)+" be written to again"); err != nil {
			return err
		}
	}
	args.DryRun = false
	var r link.Released
	if err := s.do(ctx, link.VerbRelease, args, &r); err != nil {
		return err
	}
	if c.JSON {
		return a.json(r)
	}
	return a.say(c.text(&r, time.Local, true))
}

// nobody says why nothing is released.
func (c *suppressRemoveCmd) nobody(r *link.Released) error {
	if len(r.Kept) == 0 {
		return errors.New("nothing of that kind holds anybody: nothing was changed")
	}
	var names []string
	for i := range r.Kept {
		names = append(names, fmt.Sprintf("%s (--rule %s)", wa.Clean(r.Kept[i].Reason), r.Kept[i].Rule))
	}
	return refused("they are held by %s: name that rule, if they agreed to be written to again", strings.Join(names, ", "))
}

func (c *suppressRemoveCmd) text(r *link.Released, zone *time.Location, done bool) string {
	var b strings.Builder
	if c.All {
		if done {
			fmt.Fprintf(&b, "%s can be written to again.\n", people(r.People))
		}
		return b.String()
	}
	if done {
		b.WriteString("No longer in the way:\n")
	} else {
		b.WriteString("They are not written to, because of:\n")
	}
	for i := range r.Lifted {
		b.WriteString("  " + heldText(&r.Lifted[i], zone) + "\n")
	}
	if len(r.Kept) > 0 {
		b.WriteString("Still in the way:\n")
	}
	for i := range r.Kept {
		b.WriteString("  " + heldText(&r.Kept[i], zone) + "\n")
	}
	return b.String()
}

// heldText is one reason why somebody is not written to.
func heldText(h *link.Held, zone *time.Location) string {
	text := wa.Clean(h.Reason)
	switch {
	case h.Rule != "":
		text += ", rule " + h.Rule
	case text == "":
		text = "on the suppression list"
	default:
		text = "on the suppression list: " + text
	}
	if h.Since != nil {
		text += ", since " + h.Since.In(zone).Format("2 Jan 2006")
	}
	if h.By != "" {
		text += " by " + wa.Clean(h.By)
	}
	switch {
	case h.Until != nil:
		text += ", until " + momentText(*h.Until, zone)
	case h.Ends != "":
		text += ", " + h.Ends
	default:
		text += ", for ever"
	}
	if len(h.Channels) < len(channels) {
		text += "; closes " + strings.Join(h.Channels, ", ")
	}
	return text
}
