//go:build terminal

package cli_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// terminal is a real one: a tmux of its own with one window, in which a command
// runs.
type terminal struct {
	t      *testing.T
	tmux   string
	socket string
}

const tmuxConfig = `
set -g default-terminal tmux-256color
set -ga terminal-overrides ",*:Tc"
set -g remain-on-exit on
set -g status off
set -g escape-time 0
`

// open starts a command in a terminal of a size, with an environment of which
// nothing but TERM is tmux's own, unless it is given.
func open(t *testing.T, width, height int, env []string, command ...string) *terminal {
	t.Helper()
	term := &terminal{t: t, tmux: tool(t, "tmux", "tmux")}
	dir := folder(t)
	term.socket = filepath.Join(dir, "tmux")
	config := filepath.Join(dir, "tmux.conf")
	if err := os.WriteFile(config, []byte(tmuxConfig), 0o600); err != nil {
		t.Fatal(err)
	}
	line := []string{"exec", "env", "-i", `TERM="$TERM"`}
	for _, v := range env {
		if v != "TERM=dumb" { // environment's own, for what has no terminal
			line = append(line, quote(v))
		}
	}
	for _, word := range command {
		line = append(line, quote(word))
	}
	start := exec.Command(term.tmux, "-S", term.socket, "-f", config, "-u", "new-session", "-d",
		"-x", fmt.Sprint(width), "-y", fmt.Sprint(height), strings.Join(line, " "))
	start.Env = append(environment(dir), "SHELL=/bin/sh")
	if out, err := start.CombinedOutput(); err != nil {
		t.Fatalf("tmux: %v: %s", err, out)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the screen at the end:\n%s", term.frame())
		}
		_, _ = term.ask("kill-server")
	})
	return term
}

// quote protects a word from the shell.
func quote(word string) string { return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'" }

func (s *terminal) ask(args ...string) (string, error) {
	out, err := exec.Command(s.tmux, append([]string{"-S", s.socket}, args...)...).CombinedOutput()
	return string(out), err
}

// frame is what the screen shows; with "-e" with its colours.
func (s *terminal) frame(flags ...string) string {
	out, err := s.ask(append([]string{"capture-pane", "-p"}, flags...)...)
	if err != nil {
		return fmt.Sprintf("(tmux: %v: %s)", err, out)
	}
	return out
}

// keys presses keys, named as tmux names them.
func (s *terminal) keys(keys ...string) {
	s.t.Helper()
	if out, err := s.ask(append([]string{"send-keys"}, keys...)...); err != nil {
		s.t.Fatalf("tmux: %v: %s", err, out)
	}
}

// text types a text.
func (s *terminal) text(text string) {
	s.t.Helper()
	s.keys("-l", text)
}

// shows waits until all texts are on the screen at once, and gives that frame.
func (s *terminal) shows(texts ...string) string {
	s.t.Helper()
	return s.waits(fmt.Sprintf("the screen shows %q", texts), func(frame string) bool {
		for _, text := range texts {
			if !strings.Contains(frame, text) {
				return false
			}
		}
		return true
	})
}

// waits waits for a frame of which a condition holds.
func (s *terminal) waits(what string, holds func(frame string) bool) string {
	s.t.Helper()
	var frame string
	waitFor(s.t, what, func() bool {
		frame = s.frame()
		return holds(frame)
	})
	return frame
}

// part is the rows of a frame from the one with a text up to the one with another.
func part(frame, from, to string) string {
	_, after, _ := strings.Cut(frame, from)
	inside, _, _ := strings.Cut(after, to)
	return from + inside
}
