package cli_test

import (
	"context"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"tickwatch/monitor/link"
)

// A webhook that was answered 200 is in the figures, whenever the daemon is
// killed; one that was not is sent again, as Meta does, and counts once. The
// figures after a restart are those from before it.
func TestKilledDaemonLosesNothing(t *testing.T) {
	t.Parallel()
	const rounds, messages = 8, 500
	var (
		dir    = folder(t)
		people = newCrowd(1)
		told   [][]byte // every body so far
		dice   = rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 0))
		s      = serve(t, dir)
		caught int
	)
	for round := range rounds {
		bodies, replies := people.webhooks(messages)
		before := s.status().Feed
		o := killedWhilePosting(t, s, bodies, dice, round%2 == 0)
		caught += o.tried
		checkLeftovers(t, dir)

		s = serve(t, dir)
		after := s.status().Feed
		if kept := after.Posts - before.Posts; kept < int64(len(o.answered)) || kept > int64(len(o.answered)+o.tried) {
			t.Fatalf("round %d: %d of %d webhooks answered 200 are kept, and %d were cut off", round, kept, len(o.answered), o.tried)
		}
		s.deliver(o.unanswered)
		s.deliver(replies)
		told = append(append(told, bodies...), replies...)

		was, except := s.printed(), append(lasting, cmpopts.IgnoreFields(link.Snapshot{}, "Alarms"))
		if round == rounds-1 { // once: it takes a while
			was, except = settled(t, s), lasting
		}
		if diff := compare(recount(told), figuresOf(was)); diff != "" {
			t.Fatalf("round %d (%d answered 200, %d cut off, %d not sent): the figures differ from a recount of the bodies (-recount +shown):\n%s",
				round, len(o.answered), o.tried, len(o.unanswered)-o.tried, diff)
		}
		s.end(syscall.SIGKILL) // with nothing under way
		s = serve(t, dir)
		if diff := cmp.Diff(was, s.printed(), except); diff != "" {
			t.Fatalf("round %d: a restart shows other figures (-before +after):\n%s", round, diff)
		}
	}
	t.Logf("%d webhooks in %d rounds, %d cut off by a kill", len(told), rounds, caught)
	if caught == 0 {
		t.Error("no kill ever met a webhook on its way: the test kills at the wrong moments")
	}
}

// settled is the status once all that follows from the latest webhooks, alarms
// too, has been judged and stored: a whole round of the monitor later.
func settled(t *testing.T, s *served) *link.Snapshot {
	t.Helper()
	began := s.status().Rev
	var now *link.Snapshot
	waitFor(t, "the monitor goes round twice", func() bool {
		now = s.status()
		return now.Rev >= began+3
	})
	return now
}

// killedWhilePosting posts and kills the daemon at some moment: when a number of
// webhooks have been answered, or after a while.
func killedWhilePosting(t *testing.T, s *served, bodies [][]byte, dice *rand.Rand, byAnswers bool) outcome {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	kill := func() { cancel(); s.signal(syscall.SIGKILL) }
	at := 1 + dice.IntN(len(bodies)-connections)
	if !byAnswers {
		at = len(bodies) - connections // at the latest
		defer time.AfterFunc(time.Duration(dice.IntN(100_000))*time.Microsecond, kill).Stop()
	}
	o := newSender(t, s.url).postAll(ctx, bodies, func(answered int) {
		if answered == at {
			kill()
		}
	})
	if code := s.end(syscall.SIGKILL); code != -1 {
		t.Fatalf("the daemon ended by itself with exit code %d:\n%s", code, s.said())
	}
	return o
}

// checkLeftovers holds that a killed daemon leaves what the next one has to get
// past: its socket and its lock.
func checkLeftovers(t *testing.T, dir string) {
	t.Helper()
	for name, kind := range map[string]fs.FileMode{"tickwatch.sock": fs.ModeSocket, "tickwatch.lock": 0} {
		info, err := os.Lstat(filepath.Join(dir, "data", name))
		if err != nil || info.Mode().Type() != kind {
			t.Errorf("%s after a kill: %v, %v", name, info, err)
		}
	}
}

func compare(want, got figures) string { return cmp.Diff(want, got, cmpopts.EquateApprox(0, 1e-9)) }

// lasting leaves out of a snapshot what belongs to a moment or to a process.
var lasting = cmp.Options{
	cmpopts.IgnoreFields(link.Snapshot{}, "Rev", "At", "Host"),
	cmpopts.IgnoreFields(link.Feed{}, "State", "PerSecond", "AnswerMS"),
}

// The same with the kill at the exact write: the system call that would be the
// Nth write of a thread does not return. The first ones make the store.
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
		bodies, _ := newCrowd(uint64(at.write)).webhooks(600)
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
// store, and tells how many webhooks it answered 200 until then.
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
	if answered == len(bodies) {
		t.Fatalf("%d webhooks did not bring the daemon to its write %d", answered, n)
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
