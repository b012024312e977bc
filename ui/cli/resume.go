package cli

import (
	"cmp"
	"context"
	"time"

	"tickwatch/monitor/link"
)

type resumeCmd struct {
	gateArgs
	At string `help:"Not now, but then: 08:00, \"2026-11-21 08:00\", RFC 3339 or +30m." placeholder:"TIME"`
	zoneArg
	assent
	JSON bool `name:"json" help:"Print the receipt as one JSON document."`
}

// Help gives an example.
func (resumeCmd) Help() string {
	return `Examples:
  tickwatch resume autumn
  tickwatch resume --at 08:00 --yes

It opens what was paused under that name, and nothing else: a campaign goes on only if its number, its channel and everything are open too.

First it shows how many will get the message, who will not and why, and asks for a word. What is open already stays so (exit 0).

While the file STOP is in the data folder it is refused (exit 4); removing the file resumes nothing by itself.`
}

// Run resumes, after it asked.
func (c *resumeCmd) Run(ctx context.Context, a *app) error {
	gate, err := c.link()
	if err != nil {
		return err
	}
	what := gateText(gate.Scope, gate.ID)
	if err := c.possible(a, "resume "+what); err != nil {
		return err
	}
	s, err := a.connect(ctx)
	if err != nil {
		return err
	}
	defer s.hangUp()
	at, err := c.moment(ctx, s, "--at", c.At, false)
	if err != nil {
		return err
	}
	toDo := "resume " + what
	if at != nil {
		toDo += " at " + momentText(*at, time.Local)
	}
	if !c.Yes {
		f, err := s.forecast(ctx, link.ForecastArgs{GateArgs: gate})
		if err != nil {
			return err
		}
		a.tell(forecastText(f, time.Local, a.width()))
		if err := a.ask(ctx, cmp.Or(f.Word, "resume"), toDo); err != nil {
			return err
		}
	}
	var r link.Receipt
	if err := s.do(ctx, link.VerbResume, link.ResumeArgs{GateArgs: gate, At: at}, &r); err != nil {
		return err
	}
	done := "Resumed " + what
	if at != nil && !r.Already && !c.JSON {
		done, r.Text = what+" resumes at "+momentText(*at, time.Local), "" // in the operator's zone, not the daemon's
	}
	return a.printReceipt(&r, c.JSON, link.VerbResume, done)
}
