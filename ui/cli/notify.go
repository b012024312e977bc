package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"tickwatch/monitor/notify"
	"tickwatch/wa"
)

type notifyCmd struct {
	Test notifyTestCmd `cmd:"" help:"Send a test to every place of [notify], and say which took it."`
}

type notifyTestCmd struct {
	JSON bool `name:"json" help:"Print what came of it as one JSON document."`
}

// Help gives an example.
func (notifyTestCmd) Help() string {
	return "Example:\n  tickwatch notify test\n\nIt needs no daemon, but the daemon's configuration, secrets included: run it as the daemon's user."
}

// placeTested is what `notify test --json` prints, one of each place.
type placeTested struct {
	Place string `json:"place"`
	OK    bool   `json:"ok"`
	Text  string `json:"text,omitempty"` // why not
}

// Run tests every place.
func (c *notifyTestCmd) Run(ctx context.Context, a *app) error {
	cfg, err := a.load(nil)
	if err != nil {
		return err
	}
	targets, err := cfg.Notify.targets()
	if err != nil {
		return err
	}
	ping, err := cfg.Notify.ping()
	if err != nil {
		return err
	}
	all, failed := []placeTested{}, 0
	add := func(place string, err error) {
		t := placeTested{Place: place, OK: err == nil}
		if err != nil {
			t.Text = wa.Clean(err.Error())
			failed++
		}
		all = append(all, t)
	}
	for i, err := range notify.Test(ctx, targets, time.Now()) {
		add(targets[i].Name(), err)
	}
	if ping != nil {
		add("ping", ping.Send(ctx))
	}
	switch {
	case len(all) == 0:
		return errors.New("nobody is told of alarms: name a place in the section [notify] of the configuration, such as urls or command")
	case c.JSON:
		err = a.json(all)
	default:
		err = a.print(placesText(all))
	}
	if err == nil && failed > 0 {
		err = fmt.Errorf("%d of %s not told: mend the section [notify] of the configuration and try again", failed, plural(int64(len(all)), "place"))
	}
	return err
}

func placesText(all []placeTested) string {
	var b strings.Builder
	for _, t := range all {
		if t.OK {
			fmt.Fprintf(&b, "ok    %s\n", t.Place)
		} else {
			fmt.Fprintf(&b, "FAIL  %s: %s\n", t.Place, t.Text)
		}
	}
	return b.String()
}

// checkNotify looks whether the places can be used, as far as that can be told
// without sending anything.
func checkNotify(cfg *NotifyConfig) check {
	targets, err := cfg.targets()
	if err == nil {
		_, err = cfg.ping()
	}
	if err != nil {
		return ill(err.Error(), "mend the section [notify]: the daemon does not start with it")
	}
	var names []string
	for _, t := range targets {
		names = append(names, t.Name())
	}
	switch {
	case len(names) == 0 && cfg.PingURL.Empty():
		return fine("not set up: nobody is told of alarms who has no console open")
	case len(names) == 0:
		return note("a watchman gets pings, but nobody is told of alarms", "name a place in the section [notify], such as urls or command")
	}
	return fine("told by %s; `tickwatch notify test` tries them", strings.Join(names, ", "))
}
