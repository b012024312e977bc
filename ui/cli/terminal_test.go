//go:build terminal

package cli_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"unicode"

	"github.com/creack/pty"

	"tickwatch/monitor/link"
)

var panes = []string{"Delivered", "Reports", "Quality", "Errors", "Queue", "Alarms"}

// demo opens a demo that goes wrong within seconds.
func demo(t *testing.T, width, height int, given ...string) (*terminal, string) {
	t.Helper()
	dir := folder(t)
	return open(t, width, height, environment(dir, given...), "tickwatch", "demo", "--scenario", "cliff", "--speed", "60"), dir
}

// demoSocket is where the daemon inside a demo listens.
func demoSocket(t *testing.T, dir string) string {
	t.Helper()
	var found []string
	waitFor(t, "the demo has a socket", func() bool {
		found, _ = filepath.Glob(filepath.Join(dir, "tickwatch-demo-*", "tickwatch.sock"))
		return len(found) == 1
	})
	return found[0]
}

// TestTerminalKeys goes through the keys of a live campaign, on the smallest
// screen that has all panes.
func TestTerminalKeys(t *testing.T) {
	t.Parallel()
	s, dir := demo(t, 80, 24)
	s.shows(append(panes, "LIVE", "autumn", "SENDING")...)

	s.text("u")
	s.shows("autumn is not paused")
	s.text("p")
	s.shows(" PAUSED ", "Paused after", "waiting")
	s.text("u")
	s.shows("Resume", "Type resume and press enter")
	s.text("rseume")
	s.keys("Enter")
	s.shows("Type resume and press enter", " PAUSED ") // another word opens nothing
	s.keys("Escape")
	s.shows(panes...)
	s.text("t")
	s.shows("Template", "esc")
	s.keys("Escape")
	s.shows(panes...)
	s.text("!")
	s.shows("ALL PAUSED", "Everything is paused")
	s.text("u")
	s.shows("▸ campaign autumn", "Type resume and press enter")
	s.keys("Up")
	s.shows("▸ everything is paused")
	s.text("resume")
	s.keys("Enter")
	s.waits("the campaign's own pause still stands", func(frame string) bool {
		return strings.Contains(frame, " PAUSED ") && !strings.Contains(frame, "ALL PAUSED") && strings.Contains(frame, "Delivered")
	})
	s.text("u")
	s.shows("▸ campaign autumn", "Type resume and press enter")
	s.text("resume")
	s.keys("Enter")
	s.shows(append(panes, "SENDING")...)

	s.text("?")
	s.shows("Help", "Pause this campaign", "esc closes")
	s.keys("Escape")
	s.shows(panes...)

	socket := demoSocket(t, dir)
	s.shows("131049")
	s.keys("Enter")
	s.shows("Error 131", "Not  ", "After", "Failed messages, newest first", "*******")
	s.keys("Escape")
	s.shows(panes...)

	failed := ask[link.Failures](t, socket, link.VerbFailures, link.FailuresArgs{Campaign: "autumn", Code: 131026}).Messages
	if len(failed) == 0 {
		t.Fatal("the demo has no failed message")
	}
	one := failed[0]
	s.text("/")
	s.shows("Find", "Number or message id")
	s.text(one.MessageID)
	s.keys("Enter")
	s.shows("Find", one.Phone, "failed", "131026")
	s.keys("Escape")
	s.shows(panes...)
	s.text("/")
	s.text(phoneIn(t, one.MessageID))
	s.keys("Enter")
	s.shows("Find", one.Phone, "131026")
	s.keys("Escape")
	s.shows(panes...)

	s.waits("an alarm is raised", func(frame string) bool {
		return regexp.MustCompile(`\d\d:\d\d +(ACT|WATCH) `).MatchString(part(frame, "Alarms", "feed"))
	})
	s.text("k")
	s.shows("Acknowledged: ")
	seen := 0
	for _, a := range ask[link.Snapshot](t, socket, link.VerbStatus, nil).Alarms {
		if a.AckedBy != "" {
			seen++
		}
	}
	if seen != 1 {
		t.Errorf("%d alarms are acknowledged, want 1", seen)
	}
}

// phoneIn reads the person's number out of a message id, where Meta puts it.
func phoneIn(t *testing.T, wamid string) string {
	t.Helper()
	raw, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(wamid, "wamid."))
	if err != nil || len(raw) < 3 || len(raw) < 3+int(raw[2]) {
		t.Fatalf("%s: %v", wamid, err)
	}
	return "+" + string(raw[3:3+raw[2]])
}

// TestTerminalLeave leaves a demo, which asks first, and looks at what it left.
func TestTerminalLeave(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	s := open(t, 80, 24, environment(dir), "sh", "-c",
		"echo before; stty -a >$HOME/was; tickwatch demo; echo left with $?; stty -a >$HOME/is; echo done; exec cat")
	s.shows(panes...)
	s.text("q")
	s.shows("Leave?")
	s.text("n")
	s.shows(panes...)
	s.text("q")
	s.shows("Leave?")
	s.text("y")
	frame := s.shows("before", "left with 0", "done")
	if strings.Contains(frame, "Delivered") {
		t.Errorf("the console is still on the screen:\n%s", frame)
	}
	if out, _ := s.ask("display-message", "-p", "#{alternate_on} #{cursor_flag} #{mouse_any_flag} #{bracket_paste_flag}"); !strings.HasPrefix(out, "0 1 0") {
		t.Errorf("alternate screen, cursor, mouse: %s", out)
	}
	was, err := os.ReadFile(filepath.Join(dir, "was"))
	if err != nil {
		t.Fatal(err)
	}
	if is, err := os.ReadFile(filepath.Join(dir, "is")); err != nil || string(is) != string(was) || len(was) == 0 {
		t.Errorf("%v; the terminal was\n%s\nand is\n%s", err, was, is)
	}
	s.text("typed")
	s.shows("typed") // what is typed is seen again
	left, err := filepath.Glob(filepath.Join(dir, "tickwatch-demo-*"))
	if err != nil || len(left) > 0 {
		t.Errorf("the demo left %v, %v", left, err)
	}
}

// TestTerminalSizes looks at other sizes: all panes where there is room, the
// verdict and the keys everywhere, and never a torn line.
func TestTerminalSizes(t *testing.T) {
	t.Parallel()
	for _, size := range []struct {
		width, height int
		texts         []string
	}{
		{120, 40, panes},
		{200, 50, panes},
		{40, 12, []string{"autumn", "LIVE", "arrived", "q leave"}},
	} {
		t.Run(fmt.Sprintf("%dx%d", size.width, size.height), func(t *testing.T) {
			t.Parallel()
			s, _ := demo(t, size.width, size.height)
			frame := s.shows(append(size.texts, "1310")...)
			lines := strings.Split(strings.TrimRight(frame, "\n"), "\n")
			if len(lines) != size.height || !strings.HasPrefix(lines[0], " autumn") {
				t.Errorf("%d lines of %d:\n%s", len(lines), size.height, frame)
			}
			for _, line := range lines {
				if strings.HasPrefix(line, "┌") && !strings.HasSuffix(line, "┐") || strings.HasPrefix(line, "└") && !strings.HasSuffix(line, "┘") {
					t.Errorf("a torn pane: %s", line)
				}
			}
		})
	}
}

// colour finds SGR codes that set a colour; 39 and 49 take one back.
var colour = regexp.MustCompile("\x1b\\[(?:[0-9;:]*[;:])?(?:3[0-8]|4[0-8]|9[0-7]|10[0-7])(?:[;:][0-9;:]*)?m")

// TestTerminalKinds looks at terminals that can do less.
func TestTerminalKinds(t *testing.T) {
	t.Parallel()
	t.Run("colours", func(t *testing.T) { // else the next one proves nothing
		t.Parallel()
		s, _ := demo(t, 80, 24)
		s.shows(append(panes, "1310")...)
		if !colour.MatchString(s.frame("-e")) {
			t.Error("no colour at all")
		}
	})
	t.Run("NO_COLOR", func(t *testing.T) {
		t.Parallel()
		s, _ := demo(t, 80, 24, "NO_COLOR=1")
		s.shows(append(panes, " ACT ", "131049")...)
		styled := s.frame("-e")
		if found := colour.FindString(styled); found != "" {
			t.Errorf("a colour: %q", found)
		}
		if !strings.Contains(styled, "\x1b[1m") || !regexp.MustCompile(`\x1b\[[0-9;]*7m`).MatchString(styled) {
			t.Error("no bold and no reverse either")
		}
	})
	t.Run("linux", func(t *testing.T) {
		t.Parallel()
		s, _ := demo(t, 80, 24, "TERM=linux")
		frame := s.shows(append(panes, "1310")...)
		for _, r := range frame {
			if r > unicode.MaxASCII {
				t.Fatalf("%q on a console that may not have it:\n%s", r, frame)
			}
		}
	})
	t.Run("dumb", func(t *testing.T) {
		t.Parallel()
		dir := folder(t)
		serving := serve(t, dir)
		bodies := newCrowd(8).webhooks(30)
		serving.deliver(bodies)
		text := onPTY(t, environment(dir, "TERM=dumb"), "watch")
		if !strings.Contains(text, "tickwatch status at ") || !strings.Contains(text, "Delivered, first 30 min") || strings.Contains(text, "\x1b") {
			t.Errorf("watch: %q", text)
		}
		text = onPTY(t, environment(dir, "TERM=dumb"), "demo", "--for", "3s", "--speed", "20")
		if !strings.Contains(text, "tickwatch status at ") || !strings.Contains(text, "autumn") || strings.Contains(text, "\x1b") {
			t.Errorf("demo: %q", text)
		}
	})
}

// onPTY runs tickwatch on a terminal to its end, and gives the bytes it wrote.
func onPTY(t *testing.T, env []string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), longest)
	defer cancel()
	cmd := exec.CommandContext(ctx, "tickwatch", args...)
	cmd.Env = env
	tty, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 24, Cols: 80})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tty.Close() }()
	out, _ := io.ReadAll(tty) // an error is how the other end's closing shows
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v: %v\n%s", cmd.Args, err, out)
	}
	return string(out)
}

// TestTerminalLink watches a daemon that dies, hangs and comes back.
func TestTerminalLink(t *testing.T) {
	t.Parallel()
	t.Run("killed", func(t *testing.T) {
		t.Parallel()
		dir := folder(t)
		serving := serve(t, dir)
		bodies := newCrowd(9).webhooks(400)
		serving.deliver(bodies)
		settled(t, serving)
		s := open(t, 80, 24, environment(dir), "sh", "-c", "tickwatch watch; echo left with $?; exec cat")
		s.shows(append(panes, "LIVE", "131049")...)
		before := part(s.frame(), "Delivered", "Queue")

		serving.end(syscall.SIGKILL)
		frame := s.shows("STALE", "No link to the daemon")
		if after := part(frame, "Delivered", "Queue"); after != before {
			t.Errorf("the figures went with the link; before:\n%s\nafter:\n%s", before, after)
		}
		if strings.Contains(frame, "LIVE") {
			t.Errorf("LIVE and STALE:\n%s", frame)
		}
		serve(t, dir)
		s.waits("LIVE again, with the same figures", func(frame string) bool {
			return strings.Contains(frame, "LIVE") && !strings.Contains(frame, "STALE") && part(frame, "Delivered", "Queue") == before
		})
		s.text("q") // asks nothing: the daemon goes on
		s.shows("left with 0")
	})
	t.Run("hanging", func(t *testing.T) {
		t.Parallel()
		dir := folder(t)
		serving := serve(t, dir)
		bodies := newCrowd(10).webhooks(50)
		serving.deliver(bodies)
		s := open(t, 80, 24, environment(dir), "tickwatch", "watch")
		s.shows(append(panes, "LIVE")...)
		serving.signal(syscall.SIGSTOP)
		s.shows("STALE")
		serving.signal(syscall.SIGCONT)
		s.waits("LIVE again", func(frame string) bool { return strings.Contains(frame, "LIVE") && !strings.Contains(frame, "STALE") })
	})
	t.Run("absent at first", func(t *testing.T) {
		t.Parallel()
		dir := folder(t)
		s := open(t, 80, 24, environment(dir), "tickwatch", "watch")
		s.shows("Connecting", "tickwatch serve")
		serving := serve(t, dir)
		s.shows("LIVE", "No campaign yet")
		bodies := newCrowd(11).webhooks(50)
		serving.deliver(bodies)
		s.shows(panes...)
		if _, err := os.Stat(serving.socket()); err != nil {
			t.Error(err)
		}
	})
}
