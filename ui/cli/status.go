package cli

import (
	"cmp"
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"tickwatch/monitor/link"
	"tickwatch/ui"
	"tickwatch/ui/pane"
	"tickwatch/wa"
)

type statusCmd struct {
	Campaign string `help:"Only this campaign, by id or name, however old." placeholder:"ID"`
	JSON     bool   `name:"json" help:"Print the newest snapshot as one JSON document."`
}

// Help gives an example.
func (statusCmd) Help() string {
	return "Example:\n  tickwatch status --json | jq '.campaigns[0].first30.settled'"
}

// Run prints the newest snapshot.
func (c *statusCmd) Run(ctx context.Context, a *app) error {
	var s link.Snapshot
	if err := a.call(ctx, link.VerbStatus, link.StatusArgs{Campaign: c.Campaign}, &s); err != nil {
		return err
	}
	return a.printStatus(&s, c.JSON)
}

func (a *app) printStatus(s *link.Snapshot, asJSON bool) error {
	if asJSON {
		return a.json(s)
	}
	return a.print(ui.Plain(s, time.Local, a.width()))
}

type explainCmd struct {
	Code string `arg:"" help:"The error code, as the screen or Meta shows it."`
	JSON bool   `name:"json" help:"Print one JSON document."`
}

// Help gives an example.
func (explainCmd) Help() string { return "Example:\n  tickwatch explain 131049" }

// Run explains an error code. It needs no daemon.
func (c *explainCmd) Run(a *app) error {
	code, err := strconv.Atoi(c.Code)
	if err != nil || code < 0 {
		return usageError{fmt.Errorf("%.20q is no error code: give its number, such as 131049", c.Code)}
	}
	e, known := wa.LookUp(code)
	if !known {
		e = wa.Explain(code, "")
	}
	if c.JSON {
		return a.json(explain(e))
	}
	return a.print(explainText(e, min(a.width(), 100)))
}

type findCmd struct {
	Query string `arg:"" help:"A phone number with its country code, a BSUID or a wamid."`
	JSON  bool   `name:"json" help:"Print one JSON document."`
}

// Help gives an example.
func (findCmd) Help() string { return "Example:\n  tickwatch find '+351 900 000 001'" }

// Run looks up a person or a message.
func (c *findCmd) Run(ctx context.Context, a *app) error {
	var found link.Found
	if err := a.call(ctx, link.VerbFind, link.FindArgs{Query: c.Query}, &found); err != nil {
		return err
	}
	if c.JSON {
		return a.json(found)
	}
	return a.print(foundText(&found, time.Local))
}

// foundText is a look-up's result for people.
func foundText(f *link.Found, zone *time.Location) string {
	if f.Phone == "" && f.BSUID == "" && len(f.Messages) == 0 && len(f.Held) == 0 {
		return fmt.Sprintf("Nobody and no message is known by %s. A number needs its country code.", wa.Clean(f.Query))
	}
	var b strings.Builder
	who := cmp.Or(f.Phone, f.BSUID, "A number that nobody was written to by")
	fmt.Fprintf(&b, "%s", wa.Clean(who))
	if f.OptedOut {
		b.WriteString("  OPTED OUT: never write to them again")
	}
	b.WriteByte('\n')
	for i := range f.Held {
		b.WriteString("  not written to: " + heldText(&f.Held[i], zone) + "\n")
	}
	if len(f.Messages)+len(f.Beside) == 0 {
		b.WriteString("  no messages\n")
	}
	for i := range f.Queued {
		b.WriteString("  " + queuedText(&f.Queued[i], zone) + "\n")
	}
	at := func(t *time.Time) string {
		const layout = "02 Jan 15:04:05"
		if t == nil {
			return strings.Repeat(" ", len(layout))
		}
		return t.In(zone).Format(layout)
	}
	for _, m := range f.Messages {
		when := m.SentAt
		for _, t := range []*time.Time{m.DeliveredAt, m.ReadAt, m.FailedAt} {
			if when == nil || (t != nil && t.Before(*when)) {
				when = t
			}
		}
		fmt.Fprintf(&b, "  %s  %-9s  %s", at(when), m.State, wa.Clean(m.Campaign))
		if m.Code != 0 {
			fmt.Fprintf(&b, "  %d %s", m.Code, wa.Clean(m.Details))
		}
		fmt.Fprintf(&b, "\n    %s\n", wa.Clean(m.MessageID))
	}
	for i := range f.Beside {
		r := &f.Beside[i]
		when := r.ToldAt
		for _, t := range []*time.Time{r.TriedAt, r.Due} {
			when = cmp.Or(when, t)
		}
		fmt.Fprintf(&b, "  %s  %-9s  %s by %s", at(when), r.State, wa.Clean(r.Campaign), wa.Clean(pane.ChannelName(r.Channel)))
		if why := strings.TrimSpace(r.Code + " " + r.Reason); why != "" {
			b.WriteString("  " + wa.Clean(why))
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// queuedText is a line on a message that is not with Meta.
func queuedText(q *link.Queued, zone *time.Location) string {
	text := q.State + "  " + wa.Clean(q.Campaign)
	if q.Due != nil && q.Due.After(time.Now()) {
		text += "  not before " + q.Due.In(zone).Format("02 Jan 15:04")
	}
	if q.Reason != "" {
		text += "  (" + wa.Clean(q.Reason) + ")"
	}
	return text
}

type ackCmd struct {
	Alarm string `arg:"" help:"The alarm's id, as status shows it."`
	JSON  bool   `name:"json" help:"Print the alarm as one JSON document."`
}

// Help gives an example.
func (ackCmd) Help() string { return "Example:\n  tickwatch ack a12" }

// Run acknowledges an alarm.
func (c *ackCmd) Run(ctx context.Context, a *app) error {
	var alarm link.Alarm
	if err := a.call(ctx, link.VerbAck, link.AckArgs{Alarm: c.Alarm}, &alarm); err != nil {
		return err
	}
	if c.JSON {
		return a.json(alarm)
	}
	return a.print(fmt.Sprintf("%s acknowledged by %s: %s", alarm.ID, wa.Clean(alarm.AckedBy), wa.Clean(alarm.Text)))
}

type versionCmd struct {
	JSON bool `name:"json" help:"Print one JSON document."`
}

// Help gives an example.
func (versionCmd) Help() string { return "Example:\n  tickwatch version --json" }

// Run prints the version.
func (c *versionCmd) Run(a *app) error {
	if c.JSON {
		return a.json(map[string]string{"version": version(), "go": runtime.Version(), "platform": runtime.GOOS + "/" + runtime.GOARCH})
	}
	return a.print("tickwatch " + version() + " (" + runtime.Version() + ", " + runtime.GOOS + "/" + runtime.GOARCH + ")")
}

// version is the release as the build knows it: a tag, else a revision, else "dev".
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "dev"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			return "dev-" + s.Value[:12]
		}
	}
	return "dev"
}
