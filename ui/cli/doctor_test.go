package cli

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"

	"tickwatch/wa"
)

// found wants a check to be "ok", a "note" or "FAIL", and to say all parts.
func found(t *testing.T, c check, state string, parts ...string) {
	t.Helper()
	got := "ok"
	switch {
	case !c.OK:
		got = "FAIL"
	case c.Mend != "":
		got = "note"
	}
	if got != state {
		t.Errorf("%s, want %s: %s; do: %s", got, state, c.Text, c.Mend)
	}
	if c.Text == "" || !c.OK && c.Mend == "" {
		t.Errorf("says nothing of what is wrong or what to do: %+v", c)
	}
	for _, p := range parts {
		if !strings.Contains(c.Text+"\n"+c.Mend, p) {
			t.Errorf("does not say %q: %s; do: %s", p, c.Text, c.Mend)
		}
	}
}

const canary = "0123456789abcdef0123456789abcdef"

// healthy is a configuration with nothing wrong, on a short path and a free port.
func healthy(t *testing.T) Config {
	t.Helper()
	dir, err := os.MkdirTemp("", "tw") // a test's own folder may be too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	c := defaults()
	c.Data.Dir, c.Link.Socket = filepath.Join(dir, "data"), filepath.Join(dir, "data", "tickwatch.sock")
	c.Webhook.Listen = freeAddress(t)
	c.Webhook.AppSecret, c.Webhook.VerifyToken = secrets(canary), secrets(canary+"token")
	c.Webhook.PublicURL = "https://hooks.tickwatch.net"
	return c
}

func doctorWorld() doctorOptions {
	return doctorOptions{
		Env: []string{"TERM=xterm", "LANG=C.UTF-8"}, Now: time.Now, Synced: func() (bool, bool) { return true, true },
		Version: version(), UID: os.Geteuid(),
	}
}

// TestDoctorOfADaemon: before its start, while it runs, and after its end.
func TestDoctorOfADaemon(t *testing.T) {
	cfg, o := healthy(t), doctorWorld()
	look := func(step string, notes ...string) {
		t.Helper()
		d := doctor(t.Context(), cfg, o)
		if !d.OK || len(d.Checks) != 16 {
			t.Errorf("%s: %+v", step, d)
		}
		var got []string
		for _, c := range d.Checks {
			if c.Mend != "" {
				got = append(got, c.Name)
			}
		}
		if strings.Join(got, ",") != strings.Join(notes, ",") {
			t.Errorf("%s: notes on %q, want %q: %+v", step, got, notes, d.Checks)
		}
		doc, err := json.Marshal(d)
		if out := string(doc) + d.text(80); err != nil || strings.Contains(out, canary) {
			t.Errorf("%s: a secret is shown, or %v: %s", step, err, out)
		}
	}
	look("before", "daemon")
	if _, err := os.Stat(cfg.Data.Dir); !os.IsNotExist(err) {
		t.Errorf("doctor made the data folder: %v", err)
	}
	stop := runDaemon(t, cfg)
	look("running")
	stop()
	look("after", "daemon")
}

// runDaemon runs the real one until the test or stop ends it.
func runDaemon(t *testing.T, cfg Config) (stop func()) {
	t.Helper()
	d, err := startDaemon(t.Context(), cfg, time.Now, t.Output())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ran := make(chan error, 1)
	go func() { ran <- d.run(ctx) }()
	ended := false
	stop = func() {
		if cancel(); !ended {
			ended = true
			if err := <-ran; err != nil {
				t.Error(err)
			}
		}
	}
	t.Cleanup(stop)
	return stop
}

func TestDoctorWithoutConfiguration(t *testing.T) {
	t.Chdir(t.TempDir()) // a store in the working directory is nobody's
	future := time.Now().Add(time.Hour)
	if err := os.WriteFile("tickwatch.db", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes("tickwatch.db", future, future); err != nil {
		t.Fatal(err)
	}
	o := doctorWorld()
	o.ConfigErr = errors.New("tickwatch.toml: \x1b[31mline 3")
	d := doctor(t.Context(), Config{}, o)
	if d.OK || len(d.Checks) != 3 {
		t.Fatalf("%+v", d)
	}
	found(t, d.Checks[0], "FAIL", "tickwatch.toml: [31mline 3", "correct this first")
	found(t, d.Checks[1], "ok")
	found(t, d.Checks[2], "ok")
	for _, c := range d.Checks {
		if wa.Clean(c.Text) != c.Text {
			t.Errorf("not clean: %q", c.Text)
		}
	}
}

// TestDoctorDoesNotHang: a check that never ends, heeding ctx or not, costs its
// patience and no more.
func TestDoctorDoesNotHang(t *testing.T) {
	for name, examine := range map[string]func(context.Context) check{
		"deaf": func(context.Context) check { select {} },
		"heeds ctx": func(ctx context.Context) check {
			<-ctx.Done()
			select {}
		},
	} {
		t.Run(name, func(t *testing.T) {
			found(t, within(t.Context(), time.Millisecond, examine), "FAIL", "no answer within 1ms")
		})
	}
	found(t, within(t.Context(), time.Hour, func(context.Context) check { return fine("quick") }), "ok", "quick")
}

func TestDiagnosisJSON(t *testing.T) {
	got, err := json.Marshal(diagnosis{Checks: []check{{Name: "disk", Text: "full", Mend: "free it"}, {Name: "clock", OK: true, Text: "right"}}})
	want := `{"ok":false,"checks":[{"name":"disk","ok":false,"text":"full","mend":"free it"},{"name":"clock","ok":true,"text":"right","mend":""}]}`
	if err != nil || string(got) != want {
		t.Errorf("%s, %v, want\n%s", got, err, want)
	}
}

func TestDiagnosisText(t *testing.T) {
	ok := check{"configuration", true, "read from /etc/tickwatch/tickwatch.toml", ""}
	known := check{"public address", true, "webhook.public_url is not set; Meta needs a public https address that leads to this listener", "set it"}
	broken := check{"disk", false, "nothing can be written to /var/lib/tickwatch: no space left on device", "free some space, or set data.dir to another folder"}
	for _, c := range []struct {
		checks []check
		width  int
		want   string
	}{
		{[]check{ok, known, broken}, 80, `ok    configuration   read from /etc/tickwatch/tickwatch.toml
note  public address  webhook.public_url is not set; Meta needs a public https
                      address that leads to this listener
                      Do: set it
FAIL  disk            nothing can be written to /var/lib/tickwatch: no space
                      left on device
                      Do: free some space, or set data.dir to another folder

1 of 3 to mend.
`},
		{[]check{ok, known}, 40, `ok    configuration
  read from
  /etc/tickwatch/tickwatch.toml
note  public address
  webhook.public_url is not set; Meta
  needs a public https address that
  leads to this listener
  Do: set it

Nothing is broken; 1 to know about.
`},
		{[]check{ok}, 200, "ok    configuration   read from /etc/tickwatch/tickwatch.toml\n\nAll is well.\n"},
	} {
		if got := (diagnosis{Checks: c.checks}).text(c.width); got != c.want {
			t.Errorf("at %d cells:\n%s\nwant\n%s", c.width, got, c.want)
		}
	}
	for width := range 120 { // every width is survived; a long word alone may stick out
		for line := range strings.Lines((diagnosis{Checks: []check{ok, known, broken}}).text(width)) {
			if n := ansi.StringWidth(strings.TrimSpace(line)); width >= 40 && n > width {
				t.Errorf("at %d cells a line of %d: %q", width, n, line)
			}
		}
	}
}
