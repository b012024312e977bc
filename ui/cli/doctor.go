package cli

import (
	"cmp"
	"context"
	"crypto/x509"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"tickwatch/wa"
)

// check is one thing that doctor looked at. One that is OK and yet has a Mend
// is a note: it works, and should be known or bettered.
type check struct {
	Name string `json:"name"`
	OK   bool   `json:"ok"`
	Text string `json:"text"` // what was found
	Mend string `json:"mend"` // what to do; "" = nothing
}

func fine(format string, args ...any) check {
	return check{OK: true, Text: fmt.Sprintf(format, args...)}
}

func note(text, mend string) check { return check{OK: true, Text: text, Mend: mend} }

func ill(text, mend string) check { return check{Text: text, Mend: mend} }

// diagnosis is what `doctor --json` prints. It is OK when every check is.
type diagnosis struct {
	OK     bool    `json:"ok"`
	Checks []check `json:"checks"`
}

// doctorOptions is the world that doctor looks at, beside the files and
// addresses that the configuration names. Now and Synced are needed.
type doctorOptions struct {
	ConfigErr error                   // why there is no configuration; only what needs none is looked at then
	Warnings  []string                // of LoadConfig
	Env       []string                // as os.Environ gives it
	Now       func() time.Time        // in the zone in which times are shown
	Synced    func() (ok, known bool) // whether the clock is kept right from outside (clockSynced)
	Roots     *x509.CertPool          // whom to trust with certificates; nil = whom the machine trusts
	Version   string                  // of this program
	UID       int                     // who asks
	Patience  time.Duration           // how long one check may take; 0 = 5 s
}

// doctor looks at everything that a daemon with this configuration needs. It
// writes nothing but one small file to the data folder, which it removes, asks
// nobody but the daemon on this machine, Meta, the providers of other channels (of
// these only whether they take connections) and, where a sheet is configured,
// Google, and never shows a secret. A check that hangs, as on a dead network disk,
// is given up and said to hang.
func doctor(ctx context.Context, cfg Config, o doctorOptions) diagnosis {
	var running atomic.Bool // atomic, because a check that hangs is left behind
	examinations := []struct {
		name    string
		anyhow  bool // needs no configuration
		examine func(context.Context) check
	}{
		{"configuration", true, func(context.Context) check { return checkConfig(cfg, o) }},
		{"secrets", false, func(context.Context) check { return checkSecrets(cfg.Webhook) }},
		{"file modes", false, func(context.Context) check { return checkModes(cfg, o.UID) }},
		{"STOP file", false, func(context.Context) check { return checkStop(cfg.Data.Dir) }},
		{"disk", false, func(ctx context.Context) check { return checkDisk(ctx, cfg.Data.Dir) }},
		{"clock", true, func(context.Context) check { return checkClock(cfg, o) }},
		{"daemon", false, func(ctx context.Context) check {
			c, answers := checkDaemon(ctx, cfg, o.Version)
			running.Store(answers)
			return c
		}},
		{"port", false, func(ctx context.Context) check { return checkPort(ctx, cfg.Webhook, running.Load()) }},
		{"metrics", false, func(ctx context.Context) check { return checkMetrics(ctx, cfg, running.Load()) }},
		{"certificate", false, func(context.Context) check { return checkCertificate(cfg.Webhook, o.Roots, o.Now()) }},
		{"public address", false, func(context.Context) check { return checkPublic(cfg.Webhook.PublicURL) }},
		{"Graph API", false, func(ctx context.Context) check { return checkGraph(ctx, cfg) }},
		{"sheet", false, func(ctx context.Context) check { return checkSheet(ctx, cfg.Sheet) }},
		{"notify", false, func(context.Context) check { return checkNotify(&cfg.Notify) }},
		{"fallback", false, func(ctx context.Context) check { return checkFallback(ctx, cfg) }},
		{"terminal", true, func(context.Context) check { return checkTerminal(o.Env) }},
	}
	d := diagnosis{OK: true, Checks: []check{}}
	for _, e := range examinations {
		if o.ConfigErr != nil && !e.anyhow {
			continue
		}
		c := within(ctx, cmp.Or(o.Patience, 5*time.Second), e.examine)
		c.Name, c.Text, c.Mend = e.name, wa.Clean(c.Text), wa.Clean(c.Mend)
		d.Checks = append(d.Checks, c)
		d.OK = d.OK && c.OK
	}
	return d
}

// within gives an examination its time. One that does not heed ctx is left
// behind: a system call on a dead disk cannot be ended.
func within(ctx context.Context, patience time.Duration, examine func(context.Context) check) check {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	done := make(chan check, 1)
	go func() { done <- examine(ctx) }()
	select {
	case c := <-done:
		return c
	case <-ctx.Done():
		return ill(fmt.Sprintf("gave no answer within %v", patience), "look whether the disk or the daemon hangs")
	}
}

// text is the diagnosis for people: plain text of lines no wider than width
// cells, but for words that are longer themselves, such as paths.
func (d diagnosis) text(width int) string {
	const narrowest, labels = 60, 22 // "note  public address  "
	var b strings.Builder
	ills, notes := 0, 0
	for _, c := range d.Checks {
		state := "ok"
		switch {
		case !c.OK:
			state = "FAIL"
			ills++
		case c.Mend != "":
			state = "note"
			notes++
		}
		label, indent := fmt.Sprintf("%-4s  %s", state, c.Name), labels
		if width < narrowest {
			b.WriteString(label + "\n")
			label, indent = "", 2
		}
		lines := wrapWords(c.Text, width-indent)
		if c.Mend != "" {
			lines = append(lines, wrapWords("Do: "+c.Mend, width-indent)...)
		}
		for _, l := range lines {
			b.WriteString(label + strings.Repeat(" ", indent-len(label)) + l + "\n")
			label = ""
		}
	}
	switch {
	case ills > 0:
		fmt.Fprintf(&b, "\n%d of %d to mend.\n", ills, len(d.Checks))
	case notes > 0:
		fmt.Fprintf(&b, "\nNothing is broken; %d to know about.\n", notes)
	default:
		b.WriteString("\nAll is well.\n")
	}
	return b.String()
}
