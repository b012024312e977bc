package cli_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/creack/pty"

	"tickwatch/monitor/link"
)

// dialogue is a command on a terminal of its own, and what it shows there.
type dialogue struct {
	t       *testing.T
	tty     *os.File
	process *exec.Cmd
	read    chan struct{} // closed at the end of what it shows

	mu   sync.Mutex
	seen bytes.Buffer
}

// talk starts tickwatch on a terminal, in the folder dir. stdout is nil for the
// terminal.
func talk(t *testing.T, dir string, stdout io.Writer, args ...string) *dialogue {
	t.Helper()
	d := &dialogue{t: t, process: exec.Command("tickwatch", args...), read: make(chan struct{})}
	d.process.Dir = dir
	d.process.Env = append(environment(dir), "TERM=xterm")
	if stdout != nil {
		d.process.Stdout = stdout
	}
	tty, err := pty.StartWithSize(d.process, &pty.Winsize{Rows: 24, Cols: 120})
	if err != nil {
		t.Fatal(err)
	}
	d.tty = tty
	go func() {
		defer close(d.read)
		piece := make([]byte, 4096)
		for {
			n, err := tty.Read(piece) // ends with EIO when the process does
			d.mu.Lock()
			d.seen.Write(piece[:n])
			d.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	t.Cleanup(func() {
		_ = d.process.Process.Kill()
		_ = tty.Close()
	})
	return d
}

func (d *dialogue) screen() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return strings.ReplaceAll(d.seen.String(), "\r\n", "\n")
}

// shows waits until the screen shows something.
func (d *dialogue) shows(text string) {
	d.t.Helper()
	waitFor(d.t, text, func() bool { return strings.Contains(d.screen(), text) })
}

// types waits until the screen shows something, and types then.
func (d *dialogue) types(after, keys string) {
	d.t.Helper()
	d.shows(after)
	if _, err := io.WriteString(d.tty, keys); err != nil {
		d.t.Error(err)
	}
}

// ends waits for the end, and wants this exit code and these texts on the screen.
func (d *dialogue) ends(code int, says ...string) {
	d.t.Helper()
	<-d.read
	var exit *exec.ExitError
	if err := d.process.Wait(); err != nil && !errors.As(err, &exit) {
		d.t.Fatal(err)
	}
	screen := d.screen()
	if got := d.process.ProcessState.ExitCode(); got != code {
		d.t.Errorf("exit code %d, want %d:\n%s", got, code, screen)
	}
	for _, s := range says {
		if !strings.Contains(screen, s) {
			d.t.Errorf("does not say %q:\n%s", s, screen)
		}
	}
}

// TestAsksFirst: what sends, resumes, swaps and cancels shows what it would do
// and wants a word; another word, an empty line, the end of input and ctrl-c
// change nothing.
func TestAsksFirst(t *testing.T) {
	t.Parallel()
	const question = "or just enter to leave it: "
	for _, c := range []struct {
		command, word string
		verb          string // that does it
		says          []string
	}{
		{"resume autumn", "Autumn", link.VerbResume, []string{"9,120 people will get the message at 1000/h", "312  opted out", "Stays paused: number 106540352242922 by tickwatch (quality is RED)", "WATCH  no spare"}},
		{"campaign start autumn", "autumn", link.VerbStart, []string{"9,120 people", "Type autumn to start autumn, "}},
		{"campaign cancel autumn", "cancel", link.VerbCancel, []string{"9,120 messages still wait in autumn", "880 are with Meta already"}},
		{"campaign test autumn --to list.csv", "test", link.VerbTest, []string{"Every number in list.csv gets autumn_offer/pt_PT"}},
		{"swap autumn --template autumn_offer_b/pt_PT", "swap", link.VerbSwap, []string{"9,120 messages wait. Now autumn_offer/pt_PT, then autumn_offer_b/pt_PT, quality GREEN.", "  | Hello Ana\n  | 20 % off[2J"}},
		{"retry autumn", "98", link.VerbRetry, []string{"98 people can be tried again", "120  never to be tried again"}},
		{"resolve autumn --as not-sent", "not-sent", link.VerbResolve, []string{"2 messages of autumn may have gone out"}},
	} {
		t.Run(c.verb, func(t *testing.T) {
			t.Parallel()
			dir := folder(t)
			daemon := answer(t, dir, nil)
			list := filepath.Join(dir, "list.csv")
			if err := os.WriteFile(list, []byte("phone\n+351900000001\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			did := func() (n int) {
				for _, args := range daemon.was(c.verb) {
					if !strings.Contains(args, `"dry_run":true`) {
						n++
					}
				}
				return n
			}
			for _, other := range []string{"no\n", "\n", "\x04", "\x03"} {
				s := talk(t, dir, nil, strings.Fields(c.command)...)
				s.types(question, other)
				s.ends(4, append(c.says, "nothing was changed")...)
			}
			if did() > 0 {
				t.Fatal("it was done without the word")
			}
			s := talk(t, dir, nil, strings.Fields(c.command)...)
			s.types(question, c.word+"\n")
			s.ends(0)
			if did() != 1 {
				t.Errorf("it was done %d times", did())
			}
		})
	}
}

// TestAsksOnStandardError: with --json standard output has the document alone.
func TestAsksOnStandardError(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	answer(t, dir, nil)
	var out bytes.Buffer
	s := talk(t, dir, &out, "resume", "--json")
	s.types("to leave it: ", "autumn\n")
	s.ends(0, "9,120 people")
	if !strings.HasPrefix(out.String(), "{\n") || strings.Contains(out.String(), "people") {
		t.Errorf("standard output: %s", out.String())
	}
}

// TestUnfitIsNotAskedFor: what the daemon would refuse is not confirmed first.
func TestUnfitIsNotAskedFor(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	daemon := answer(t, dir, func(d *answering) { d.unfit = true })
	talk(t, dir, nil, "campaign", "start", "autumn").ends(4, "ACT    7.5 %", "--force")
	talk(t, dir, nil, "swap", "autumn", "--template", "winter/pt_PT").ends(4, "winter/pt_PT cannot take the place of autumn_offer/pt_PT: Meta paused it")
	s := talk(t, dir, nil, "campaign", "start", "autumn", "--force")
	s.types("to leave it: ", "autumn\n")
	s.ends(0, "Started autumn")
	if n := len(daemon.was(link.VerbStart)); n != 1 {
		t.Errorf("%d starts", n)
	}
}

// TestBrokenOffImport: ctrl-c while the daemon reads a list calls the work off.
func TestBrokenOffImport(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	daemon := answer(t, dir, func(d *answering) { d.endless = true })
	list := filepath.Join(dir, "list.csv")
	if err := os.WriteFile(list, bytes.Repeat([]byte("+351900000001\n"), 20_000), 0o600); err != nil {
		t.Fatal(err)
	}
	s := talk(t, dir, nil, "campaign", "import", list, "--name", "autumn", "--template", "autumn_offer/pt_PT", "--from", "1")
	s.types("rows/s", "\x03") // the bar is there
	s.ends(1, "Reading", " 50 %", "nothing was changed")
	if jobs := daemon.was(link.VerbJob); !strings.Contains(jobs[len(jobs)-1], `"cancel":true`) {
		t.Errorf("the job goes on: %s", jobs[len(jobs)-1])
	}
	daemon.mu.Lock()
	defer daemon.mu.Unlock()
	if want, err := os.ReadFile(list); err != nil || !bytes.Equal(daemon.uploads["u1"], want) {
		t.Errorf("%v; of %d bytes, %d came", err, len(want), len(daemon.uploads["u1"]))
	}
}

// TestStopOfABusyDaemon: one that has not answered after two seconds is stopped
// by the file; the file goes when the answer comes.
func TestStopOfABusyDaemon(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	file := filepath.Join(dir, "data", "STOP")
	daemon := answer(t, dir, func(d *answering) {
		d.before[link.VerbPause] = func(context.Context) {
			waitFor(t, "the file STOP is there", func() bool { _, err := os.Stat(file); return err == nil })
		}
	})
	out, diagnostics, code := tickwatch(t, environment(dir), "stop")
	if code != 0 || !strings.HasPrefix(out, "Everything is paused after 3 ms") || diagnostics != "" {
		t.Errorf("exit code %d: %s%s", code, out, diagnostics)
	}
	if _, err := os.Stat(file); !os.IsNotExist(err) {
		t.Errorf("the file stays: %v", err)
	}
	if n := len(daemon.was(link.VerbPause)); n != 1 {
		t.Errorf("asked %d times", n)
	}
}

// TestStopOfADeadDaemon: the socket is there, and nobody answers on it.
func TestStopOfADeadDaemon(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	data := filepath.Join(dir, "data")
	if err := os.Mkdir(data, 0o700); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("unix", filepath.Join(data, "tickwatch.sock"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var both sync.WaitGroup
	both.Go(func() {
		_, diagnostics, code := tickwatch(t, environment(dir), "stop")
		if code != 3 || !strings.Contains(diagnostics, "data/STOP is there now") || strings.Count(diagnostics, "\n") != 1 {
			t.Errorf("stop: exit code %d: %s", code, diagnostics)
		}
	})
	both.Go(func() {
		_, diagnostics, code := tickwatch(t, environment(dir), "pause")
		if code != 3 || !strings.Contains(diagnostics, "not confirmed") || strings.Count(diagnostics, "\n") != 1 {
			t.Errorf("pause: exit code %d: %s", code, diagnostics)
		}
	})
	both.Wait()
	if _, err := os.Stat(filepath.Join(data, "STOP")); err != nil {
		t.Error(err)
	}
}

// TestPauseOutlastsALostLink: the link breaks before the answer. The pause is
// asked for again, under its id, and so runs once.
func TestPauseOutlastsALostLink(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	between := new(proxy)
	daemon := answer(t, dir, func(d *answering) {
		d.before[link.VerbPause] = func(context.Context) { between.cut() }
	})
	socket := filepath.Join(daemon.dir, "tickwatch.sock")
	if err := os.Rename(socket, socket+".real"); err != nil {
		t.Fatal(err)
	}
	between.listen(t, socket, socket+".real")
	out, diagnostics, code := tickwatch(t, environment(dir), "pause")
	if code != 0 || !strings.HasPrefix(out, "Everything is paused after 3 ms") {
		t.Fatalf("exit code %d: %s%s", code, out, diagnostics)
	}
	if n := len(daemon.was(link.VerbPause)); n != 1 || between.links() < 2 {
		t.Errorf("it ran %d times over %d links", n, between.links())
	}
}

// proxy stands between consoles and a daemon's socket.
type proxy struct {
	mu    sync.Mutex
	conns []net.Conn
	taken int
}

func (p *proxy) listen(t *testing.T, at, to string) {
	t.Helper()
	l, err := net.Listen("unix", at)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close(); p.cut() })
	go func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("unix", to)
			if err != nil {
				_ = near.Close()
				continue
			}
			p.mu.Lock()
			p.conns, p.taken = append(p.conns, near, far), p.taken+1
			p.mu.Unlock()
			go func() { _, _ = io.Copy(near, far); _ = near.Close() }()
			go func() { _, _ = io.Copy(far, near); _ = far.Close() }()
		}
	}()
}

// cut breaks all links that there are.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.conns {
		_ = c.Close()
	}
	p.conns = nil
}

func (p *proxy) links() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.taken
}
