package cli

import (
	"context"
	"os/signal"
	"syscall"
	"time"

	"tickwatch/ui"
)

type serveCmd struct {
	Listen string `help:"Address for webhooks, instead of webhook.listen." placeholder:"HOST:PORT"`
}

// Help gives an example.
func (serveCmd) Help() string {
	return "Example:\n  TICKWATCH_WEBHOOK_APP_SECRET_FILE=/etc/tickwatch/secret tickwatch serve\n\nIt runs until SIGTERM or ctrl-c. Let systemd start it, so that it outlives every SSH session."
}

// Run is the daemon.
func (c *serveCmd) Run(ctx context.Context, a *app) error {
	signal.Ignore(syscall.SIGHUP) // it outlives the terminal that it was started from
	cfg, err := a.load(listenFlag(c.Listen))
	if err != nil {
		return err
	}
	d, err := startDaemon(ctx, cfg, time.Now, a.Err)
	if err != nil {
		return err
	}
	if len(cfg.Webhook.AppSecret) == 0 {
		d.log.Warn("webhook.app_secret is not set: every Meta webhook is refused until it is")
	}
	return d.run(ctx)
}

func listenFlag(address string) map[string]string {
	if address == "" {
		return nil
	}
	return map[string]string{"webhook.listen": address}
}

type runCmd struct {
	Listen string `help:"Address for webhooks, instead of webhook.listen." placeholder:"HOST:PORT"`
	ASCII  bool   `name:"ascii" help:"Draw without Unicode."`
	NoBell bool   `help:"No bell and no window title at an alarm, whatever notify.bell says."`
}

// Help gives an example.
func (runCmd) Help() string {
	return "Example:\n  tickwatch run\n\nLeaving the console ends the daemon too; it asks before. Logs go to tickwatch.log in the data folder."
}

// Run is daemon and console in one process, over the same socket.
func (c *runCmd) Run(ctx context.Context, a *app) error {
	cfg, err := a.load(listenFlag(c.Listen))
	if err != nil {
		return err
	}
	if !a.screen() {
		return usageError{errNoTerminal}
	}
	log, err := openLog(cfg.Data.Dir)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	d, err := startDaemon(ctx, cfg, time.Now, log)
	if err != nil {
		return err
	}
	return a.together(ctx, d, consoleOptions{mode: ui.ModeRun, ascii: c.ASCII, noBell: c.NoBell || !cfg.Notify.Bell, now: time.Now})
}
