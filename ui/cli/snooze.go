package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"tickwatch/monitor/link"
	"tickwatch/wa"
)

type snoozeCmd struct {
	Alarm idArg  `arg:"" help:"The alarm's id, as status shows it."`
	For   string `arg:"" help:"How long: 10m, 1h, up to 7 days; or grows: until it grows from WATCH to ACT." placeholder:"DUR|grows"`
	JSON  bool   `name:"json" help:"Print the alarm as one JSON document."`
}

// Help gives an example.
func (snoozeCmd) Help() string {
	return "Example:\n  tickwatch snooze a12 1h\n\nThe alarm stays where it is shown. Nobody is told of it until the time is over or it grows worse; if it still stands then, it is told again."
}

// Run keeps an alarm quiet.
func (c *snoozeCmd) Run(ctx context.Context, a *app) error {
	seconds, err := snoozeSeconds(c.For)
	if err != nil {
		return usageError{err}
	}
	var alarm link.Alarm
	if err := a.call(ctx, link.VerbSnooze, link.SnoozeArgs{Alarm: string(c.Alarm), Seconds: seconds}, &alarm); err != nil {
		return err
	}
	if c.JSON {
		return a.json(alarm)
	}
	until := "until it grows"
	if alarm.SnoozedUntil != nil {
		until = "until " + alarm.SnoozedUntil.Local().Format("15:04 on 2 January")
	}
	return a.say(fmt.Sprintf("%s is quiet %s, by %s: %s", alarm.ID, until, wa.Clean(alarm.SnoozedBy), wa.Clean(alarm.Text)))
}

// snoozeSeconds reads how long; 0 = until it grows.
func snoozeSeconds(text string) (int64, error) {
	if text = strings.TrimSpace(text); text == "grows" {
		return 0, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < time.Second {
		return 0, fmt.Errorf("%.40q is no time for an alarm to be quiet: give one such as 10m or 1h, or the word grows", wa.Clean(text))
	}
	return int64(d / time.Second), nil
}

type reportedCmd struct {
	Campaign idArg  `arg:"" help:"The campaign, by id or name." placeholder:"ID"`
	Count    *int64 `required:"" help:"How many people, in all." placeholder:"N"`
	Blocks   bool   `help:"They blocked the number; without it, they reported a message."`
	Source   string `help:"Where it was read, if not in WhatsApp Manager." placeholder:"TEXT"`
	JSON     bool   `name:"json" help:"Print the campaign's reports as one JSON document."`
}

// Help gives an example.
func (reportedCmd) Help() string {
	return "Example:\n  tickwatch reported autumn --count 12\n\nMeta sends nobody its count of reports and blocks. Who reads one off WhatsApp Manager can give it here: it is shown with who gave it and when, and judged by thresholds.reports_ok and reports_act. A later count takes the place of the one before."
}

// Run keeps a figure.
func (c *reportedCmd) Run(ctx context.Context, a *app) error {
	if *c.Count < 0 {
		return usageError{errors.New("--count is below 0: give how many people, in all")}
	}
	var r link.Reports
	args := link.ReportedArgs{Campaign: string(c.Campaign), Count: *c.Count, Blocks: c.Blocks, Source: c.Source}
	if err := a.call(ctx, link.VerbReported, args, &r); err != nil {
		return err
	}
	if c.JSON {
		return a.json(r)
	}
	what := "reported"
	if c.Blocks {
		what = "blocked"
	}
	return a.say(fmt.Sprintf("Kept: %d %s in %s. It is judged like opt-outs; now %s.", *c.Count, what, wa.Clean(string(c.Campaign)), strings.ToUpper(r.Verdict)))
}
