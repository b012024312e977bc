//go:build terminal

package cli_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// An idle console writes nothing but its clock: while nothing comes in, the
// only cells of the screen that change are the clock and the ages, and what is
// sent to the terminal for that is a few bytes a second.
func TestTerminalIdle(t *testing.T) {
	t.Parallel()
	const (
		seconds   = 15 // that the screen's own clock must have moved
		mostBytes = 60 // for each of them
		headerRow = 0
	)
	dir := folder(t)
	serving := serve(t, dir)
	bodies := newCrowd(13).webhooks(300)
	serving.deliver(bodies)
	s := open(t, 80, 24, environment(dir), "tickwatch", "watch")
	s.shows(append(panes, "LIVE")...)
	s.waits("the feed is quiet", func(frame string) bool {
		return strings.Contains(frame, "feed live <1/s") || strings.Contains(frame, "feed idle")
	})

	wrote := filepath.Join(dir, "wrote")
	if out, err := s.ask("pipe-pane", "-O", "exec cat >"+quote(wrote)); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	first := strings.Split(s.frame(), "\n")
	began := clockOf(t, first)
	var now time.Time
	s.waits("the clock moves on", func(frame string) bool {
		lines := strings.Split(frame, "\n")
		for i, line := range lines {
			switch {
			case line == first[i]:
			case i == headerRow && strings.HasPrefix(line, strings.TrimRight(part(first[i], " autumn", "LIVE"), " ")):
			case clockOnScreen.MatchString(line):
			default:
				t.Fatalf("line %d changed on an idle screen, from\n%s\nto\n%s", i+1, first[i], line)
			}
		}
		now = clockOf(t, lines)
		return now.Sub(began) >= seconds*time.Second
	})
	written, err := os.ReadFile(wrote)
	if err != nil || len(written) == 0 {
		t.Fatalf("nothing was written: %v", err)
	}
	ticks := int(now.Sub(began).Seconds())
	t.Logf("%d bytes in %d seconds of the clock: %d bytes a second", len(written), ticks, len(written)/ticks)
	if len(written) > (ticks+2)*mostBytes {
		t.Errorf("%d bytes in %d seconds, at most %d a second are a clock: %q", len(written), ticks, mostBytes, written[:min(len(written), 2000)])
	}
}

var clockOnScreen = regexp.MustCompile(`\d\d:\d\d:\d\d UTC`)

// clockOf reads the clock on the status line.
func clockOf(t *testing.T, lines []string) time.Time {
	t.Helper()
	for _, line := range lines {
		if text := clockOnScreen.FindString(line); text != "" {
			at, err := time.Parse("15:04:05 MST", text)
			if err != nil {
				t.Fatal(err)
			}
			return at
		}
	}
	t.Fatalf("no clock on the screen:\n%s", strings.Join(lines, "\n"))
	return time.Time{}
}
