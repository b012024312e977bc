//go:build terminal

package cli_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// TestKilledAtEachWrite is TestKilledDaemonLosesNothing with the kill at an exact
// write: the system call that would be the Nth write of a thread does not return. The first ones make the store.
func TestKilledAtEachWrite(t *testing.T) {
	t.Parallel()
	strace := tool(t, "strace", "strace")
	met := 0
	for _, at := range []struct {
		fresh bool // no daemon has had the folder before
		write int
	}{{true, 1}, {true, 30}, {true, 60}, {false, 2}, {false, 12}, {false, 40}, {false, 90}, {false, 170}, {false, 300}} {
		dir := folder(t)
		if !at.fresh {
			serve(t, dir).end(syscall.SIGKILL)
		}
		bodies := newCrowd(uint64(at.write)).webhooks(1500)
		answered := killedAtWrite(t, strace, dir, at.write, bodies)

		s := serve(t, dir)
		kept := s.status().Feed.Posts
		if kept < int64(answered) || kept > int64(answered)+connections {
			t.Fatalf("killed at write %d: %d of %d webhooks answered 200 are kept", at.write, kept, answered)
		}
		s.deliver(bodies)
		if diff := compare(recount(bodies), figuresOf(s.status())); diff != "" {
			t.Fatalf("killed at write %d, with %d answered: the figures differ from a recount (-recount +shown):\n%s", at.write, answered, diff)
		}
		s.end(syscall.SIGKILL)
		t.Logf("killed at write %d (new folder: %v): %d answered 200, %d kept", at.write, at.fresh, answered, kept)
		met += answered
	}
	if met == 0 {
		t.Error("every kill came before the first answer: the sweep looks at the wrong writes")
	}
}

// killedAtWrite runs a daemon that is killed at a write, some while it opens its
// store, some while it catches up after the last answer, and tells how many webhooks it answered 200 until then.
func killedAtWrite(t *testing.T, strace, dir string, n int, bodies [][]byte) int {
	t.Helper()
	trace := filepath.Join(dir, "trace")
	s := launch(t, dir, strace, "-f", "-qq", "-o", trace, "-e", "trace=pwrite64",
		"-e", fmt.Sprintf("inject=pwrite64:signal=SIGKILL:when=%d", n), "tickwatch", "serve")
	answered := 0
	if s.url != "" {
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		go func() { <-s.exited; cancel() }()
		answered = len(newSender(t, s.url).postAll(ctx, bodies, func(int) {}).answered)
	}
	waitFor(t, "the kill at a write", func() bool {
		select {
		case <-s.exited:
			return true
		default:
			return false
		}
	})
	if text, err := os.ReadFile(trace); err != nil || len(text) == 0 {
		t.Fatalf("strace saw no write (%v): %s", err, s.said())
	}
	return answered
}
