package cli_test

import (
	"context"
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
		bodies := people.webhooks(messages)
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
		told = append(told, bodies...)

		was, except := s.printed(), cmp.Options{lasting, cmpopts.IgnoreFields(link.Snapshot{}, "Alarms")}
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
	cmpopts.IgnoreFields(link.Reports{}, "Known", "Least", "Reason"), // grow as time goes by
	// What is searched and counted every few seconds.
	cmpopts.IgnoreFields(link.Campaign{}, "Clusters", "ClustersAt", "Engagement"), cmpopts.IgnoreFields(link.Number{}, "Used24h", "LimitReachedAt"),
	cmpopts.IgnoreFields(link.Limit{}, "Used24h", "CountedAt", "ReachedAt", "Needs"), cmpopts.IgnoreFields(link.Template{}, "Pauses", "QualityWas", "QualitySince"),
	cmpopts.IgnoreFields(link.Feed{}, "State", "PerSecond", "AnswerMS", "Trend"),
}
