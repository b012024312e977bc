//go:build terminal

package cli_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"tickwatch/wa/sandbox"
)

// TestKilledAtEachWriteWhileSending is TestKilledWhileSending with the kill at an
// exact write: the system call that would be the Nth write of a thread does not
// return. The first ones open the store again, with messages that the kill before
// has left claimed; later ones claim, settle, and take webhooks in.
func TestKilledAtEachWriteWhileSending(t *testing.T) {
	t.Parallel()
	for _, sweep := range []struct {
		name   string
		rows   int
		writes []int
	}{
		{"opening", 3000, []int{1, 3, 8, 20, 47, 70, 100, 130}},
		{"sending", 6000, []int{170, 220, 300, 400}},
	} {
		t.Run(sweep.name, func(t *testing.T) {
			t.Parallel()
			killAtWrites(t, sweep.rows, sweep.writes)
		})
	}
}

// killAtWrites sends to rows of a list and kills the daemon at one write after another.
func killAtWrites(t *testing.T, rows int, writes []int) {
	t.Helper()
	strace := tool(t, "strace", "strace")
	s := send(t, rows, sandbox.Options{Faults: doubtful})
	s.start(t)
	lost, met := int64(0), 0
	for _, write := range writes {
		s.kill(t)
		before, accepted := s.doubts(), len(s.meta.Accepted())
		trace := filepath.Join(s.dir, "trace")
		s.begin(t, s.dir, strace, "-f", "-qq", "-o", trace, "-e", "trace=pwrite64",
			"-e", fmt.Sprintf("inject=pwrite64:signal=SIGKILL:when=%d", write), "tickwatch", "serve")
		waitFor(t, "the kill at a write", func() bool {
			select {
			case <-s.exited:
				return true
			default:
				return false
			}
		})
		s.relay.Store(nil)
		if text, err := os.ReadFile(trace); err != nil || len(text) == 0 {
			t.Fatalf("strace saw no write (%v): %s", err, s.said())
		}
		s.again(t)
		c := s.paused(t)
		s.check(t)
		// The kill before this one met it on its way, too.
		if most := 2*lostInCrash + s.doubts() - before; c.Unknown > most {
			t.Errorf("killed at write %d: %d messages are unknown, at most %d should be", write, c.Unknown, most)
		}
		t.Logf("killed at write %d: %d accepted meanwhile, %d unknown", write, len(s.meta.Accepted())-accepted, c.Unknown)
		if c.Unknown > 0 {
			met++
		}
		lost += c.Unknown
		s.clearUp(t)
		s.resume(t)
		sent := len(s.meta.Accepted())
		waitFor(t, "it goes on", func() bool { return len(s.meta.Accepted()) > sent+50 })
	}
	if met < 3 {
		t.Errorf("%d messages were unknown after %d kills: the sweep looks at the wrong writes", lost, met)
	}
	s.finish(t)
}
