package cli_test

import (
	"fmt"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"tickwatch/monitor/link"
	"tickwatch/wa/sandbox"
)

// lostInCrash is how many messages a crash may leave unknown: those that were about
// to begin or to be settled, and the open requests of one number.
const lostInCrash = 64 + 64

// doubtful are answers that do not come, though the message was taken, or not.
var doubtful = []sandbox.Fault{
	{Kind: sandbox.FaultLatency, Delay: 20 * time.Millisecond},
	{Kind: sandbox.FaultDrop, Share: 0.01, Taken: true},
	{Kind: sandbox.FaultDrop, Share: 0.01},
}

// doubts is how often answers did not come.
func (s *sending) doubts() (n int64) {
	for _, f := range s.meta.Faults() {
		if f.Fault.Kind == sandbox.FaultDrop {
			n += int64(f.Struck)
		}
	}
	return n
}

// A daemon that is killed while a campaign goes out, at any moment, forgets no
// message that Meta took and sends none a second time; the rest goes out by the
// next one, and what is unknown when it is said to be not sent.
func TestKilledWhileSending(t *testing.T) {
	t.Parallel()
	const rows = 4000
	rounds := 5
	if testing.Short() {
		rounds = 2
	}
	s := send(t, rows, sandbox.Options{Faults: doubtful})
	s.start(t)
	dice := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 0))
	lost := int64(0)
	for round := range rounds {
		before := s.doubts()
		target := len(s.meta.Accepted()) + 1 + dice.IntN(rows/rounds-lostInCrash)
		waitFor(t, "messages are accepted", func() bool { return len(s.meta.Accepted()) >= target })
		s.killAfter(t, time.Duration(dice.IntN(20_000))*time.Microsecond)
		s.again(t)
		c := s.paused(t)
		s.check(t)
		if most := lostInCrash + s.doubts() - before; c.Unknown > most {
			t.Errorf("round %d: %d messages are unknown, at most %d should be", round, c.Unknown, most)
		}
		lost += c.Unknown
		s.clearUp(t)
		s.resume(t)
	}
	t.Logf("%d unknown after %d kills, %d answers that never came", lost, rounds, s.doubts())
	if lost == 0 {
		t.Error("no kill ever met a message on its way: the test kills at the wrong moments")
	}
	s.finish(t)
}

// A daemon that is killed while it imports a list has all of it, or nothing: no
// row, and no file.
func TestKilledWhileImporting(t *testing.T) {
	t.Parallel()
	const few, rows = 10, 30_000
	rounds := 4
	if testing.Short() {
		rounds = 1
	}
	s := send(t, few, sandbox.Options{})
	path := filepath.Join(s.dir, "large.csv")
	s.writeList(t, path, rows)
	data := filepath.Join(s.dir, "data")
	dice := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 0))
	whole := 0
	for round := range rounds {
		client := exec.Command("tickwatch", importing(path, fmt.Sprintf("winter %d", round))...)
		client.Env = s.env
		if err := client.Start(); err != nil {
			t.Fatal(err)
		}
		waitFor(t, "the list is being written", func() bool {
			left, _ := filepath.Glob(filepath.Join(data, "upload-*"))
			return len(left) > 0
		})
		s.killAfter(t, time.Duration(dice.IntN((round+1)*400_000))*time.Microsecond)
		_ = client.Process.Kill() // it would ask the next daemon for a list that is not there
		_ = client.Wait()
		s.again(t)
		campaigns := ask[link.Cards](t, s.socket(), link.VerbCampaigns, link.CampaignsArgs{})
		waitFor(t, "what was not wholly imported is gone", func() bool {
			_, counts := s.disk(t)
			return counts[diskWaiting] == int64(few+(campaigns.Known-1)*rows)
		})
		for _, pattern := range []string{"upload-*", "list-*"} {
			if left, err := filepath.Glob(filepath.Join(data, pattern)); err != nil || len(left) > 0 {
				t.Errorf("left behind: %v, %v", left, err)
			}
		}
		whole = campaigns.Known - 1
	}
	t.Logf("%d of %d lists were there", whole, rounds)
}
