package cli

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strings"

	"tickwatch/monitor/board"
)

type benchAlarmsCmd struct {
	JSON  bool   `name:"json" help:"Print the figures as JSON."`
	Seeds int    `default:"50" help:"How many campaigns of each kind are played; 1000 take some minutes." placeholder:"N"`
	Seed  uint64 `default:"1" help:"What the campaigns are drawn from." placeholder:"N"`
	Into  string `help:"Put the board into this file instead, between the lines <!-- board --> and <!-- end of board -->." placeholder:"FILE" type:"existingfile"`
}

// Help says what is played.
func (benchAlarmsCmd) Help() string {
	return `Example:
  tickwatch bench alarms --seeds 1000 --seed 7

The scoreboard of the alarms: synthetic campaigns of 20 messages a second are played to what judges real ones. For each kind it
prints how many campaigns had an alarm to act that was not due, in how many the right one rang, after how many judged messages and
seconds (of opt-outs a delivery is counted for as much as can be known of them yet; how many were delivered stands beside it); beside
it the plain rule (under 90 % of those decided, from 200 on). Below: the least that a test needs which knew both rates
and the runs beforehand, and how often the search for causes names what was planted. The same seed gives the same board.`
}

const benchMaxSeeds = 100_000

// Run plays, and prints the board.
func (c *benchAlarmsCmd) Run(ctx context.Context, a *app) error {
	if c.Seeds < 1 || c.Seeds > benchMaxSeeds {
		return usageError{fmt.Errorf("--seeds %d: give a number from 1 to %d", c.Seeds, benchMaxSeeds)}
	}
	b := board.Make(ctx, c.Seeds, c.Seed, runtime.GOMAXPROCS(0))
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("the board is not complete: %w", err)
	}
	if c.JSON {
		return a.json(b)
	}
	if c.Into != "" {
		return putBetween(c.Into, "<!-- board -->\n", "<!-- end of board -->\n", fmt.Sprintf(
			"`tickwatch bench alarms --seeds %d --seed %d`:\n\n%s", c.Seeds, c.Seed, b.Markdown()))
	}
	return a.print(b.Markdown())
}

// putBetween replaces what stands between two lines of a file.
func putBetween(file, from, to, text string) error {
	old, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	head, rest, begins := strings.Cut(string(old), from)
	_, tail, ends := strings.Cut(rest, to)
	if !begins || !ends {
		return usageError{fmt.Errorf("%s has no lines %q and %q: put them where the board is to stand", file, strings.TrimSpace(from), strings.TrimSpace(to))}
	}
	return os.WriteFile(file, []byte(head+from+text+to+tail), 0o644) //nolint:gosec // a document that others read
}
