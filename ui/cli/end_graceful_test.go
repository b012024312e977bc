package cli_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Told to end under load, the daemon answers what it has taken in and takes
// nothing more: what it kept is what it answered 200, to the last webhook.
func TestGracefulEnd(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	s := serve(t, dir)
	bodies := newCrowd(2).webhooks(1500)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() { <-s.exited; cancel() }()
	o := newSender(t, s.url).postAll(ctx, bodies, func(answered int) {
		if answered == len(bodies)/3 {
			s.signal(syscall.SIGTERM)
		}
	})
	if code := s.end(syscall.SIGTERM); code != 0 {
		t.Errorf("exit code %d, want 0:\n%s", code, s.said())
	}
	for code, n := range o.codes {
		switch code {
		case http.StatusOK, http.StatusServiceUnavailable, 0, -1: // 0 = no connection, -1 = not sent
		default:
			t.Errorf("%d answers of %d", n, code)
		}
	}
	if len(o.answered) == len(bodies) {
		t.Fatal("the daemon took everything: it was told to end too late")
	}
	if _, err := os.Lstat(s.socket()); !os.IsNotExist(err) {
		t.Errorf("the socket is still there: %v", err)
	}

	s = serve(t, dir)
	if kept := s.status().Feed.Posts; kept != int64(len(o.answered)) {
		t.Errorf("%d webhooks are kept, %d were answered 200 (answers: %v)", kept, len(o.answered), o.codes)
	}
	if diff := compare(recount(o.answered), figuresOf(s.status())); diff != "" {
		t.Errorf("the figures differ from a recount of what was answered 200 (-recount +shown):\n%s", diff)
	}
	s.deliver(o.unanswered)
	if diff := compare(recount(bodies), figuresOf(s.status())); diff != "" {
		t.Errorf("the figures differ from a recount of all (-recount +shown):\n%s", diff)
	}
}

// A terminal that goes away takes its consoles with it, and not the daemon.
func TestDaemonOutlivesItsTerminal(t *testing.T) {
	t.Parallel()
	s := serve(t, folder(t))
	s.signal(syscall.SIGHUP)
	bodies := newCrowd(14).webhooks(20)
	s.deliver(bodies)
	if code := s.end(syscall.SIGTERM); code != 0 {
		t.Errorf("exit code %d after SIGHUP and SIGTERM:\n%s", code, s.said())
	}
}

// A second daemon on the same folder says who has it, and harms nothing.
func TestSecondDaemon(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	s := serve(t, dir)
	bodies := newCrowd(3).webhooks(50)
	s.deliver(bodies)
	before := settled(t, s)

	out, diagnostics, code := tickwatch(t, environment(dir), "serve")
	if want := fmt.Sprintf("pid %d", s.process.Process.Pid); code != 1 || !strings.Contains(diagnostics, want) || strings.Count(diagnostics, "\n") != 1 || out != "" {
		t.Errorf("exit code %d, %q and %q; want 1 and one line that names %s", code, out, diagnostics, want)
	}
	if diff := cmp.Diff(before, s.status(), lasting); diff != "" {
		t.Errorf("the first daemon shows other figures (-before +after):\n%s", diff)
	}
	bodies = newCrowd(4).webhooks(1)
	s.deliver(bodies)
}

// Whatever the umask, nobody else can read what the daemon keeps.
func TestModesOfWhatIsKept(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	s := serve(t, dir)
	bodies := newCrowd(5).webhooks(50)
	s.deliver(bodies)
	data := filepath.Join(dir, "data")
	if info, err := os.Stat(data); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the data folder: %v, %v", info.Mode(), err)
	}
	files, err := os.ReadDir(data)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if info, err := f.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", f.Name(), info.Mode(), err)
		}
	}
	if len(files) < 4 { // the store with its log and index, the lock, the socket
		t.Errorf("only %v", files)
	}
}
