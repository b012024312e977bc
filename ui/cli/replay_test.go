package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"tickwatch/monitor"
	"tickwatch/monitor/link"
	"tickwatch/wa"
)

// playsAgain ends a stage, exports what its store holds, and plays that:
//
//   - Judged at the moments at which the daemon judged, each after as many webhooks,
//     it shows what the daemon showed last: every count, the cohort, errors, opt-outs,
//     trends, templates, numbers, verdicts, and every alarm with its moments and words.
//     (By itself a replay judges on every whole second, which at a demo's speed the
//     daemon cannot; see TestReplayJudgesAsTheDaemon.)
//   - At its own pace it ends with the same counts, and twice with the same bytes.
//   - What it has stored exports to the same bytes again.
//
// It gives the file.
func playsAgain(t *testing.T, s *stage) string {
	t.Helper()
	s.stop()
	live := s.daemon.newest()
	file := filepath.Join(t.TempDir(), "recording.ndjson")
	command(t, "--data-dir", s.daemon.cfg.Data.Dir, "export", "recording", "--out", file)

	first := command(t, "replay", file, "--json")
	if again := command(t, "replay", file, "--json"); first != again {
		t.Error("two replays of one recording differ")
	}
	var end replayed
	if err := json.Unmarshal([]byte(first), &end); err != nil {
		t.Fatal(err)
	}
	if len(end.Snapshot.Campaigns) != len(live.Campaigns) || len(live.Campaigns) == 0 || end.Snapshot.Campaigns[0].Counts != live.Campaigns[0].Counts {
		t.Errorf("the end of the replay counts %+v, the daemon counted %+v", end.Snapshot.Campaigns, live.Campaigns)
	}

	p := playAs(t, recording{file}, thresholds(s.daemon.cfg), s.judged)
	if diff := cmp.Diff(ofWebhooks(live), ofWebhooks(p.newest.Load()), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("(-live +replay):\n%s", diff)
	}
	original, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(exported(t, p), string(original)); diff != "" {
		t.Errorf("what a replay stored exports otherwise (-replay +original):\n%.4000s", diff)
	}
	return file
}

// command runs a command line that must succeed, and gives what it prints.
func command(t *testing.T, args ...string) string {
	t.Helper()
	var out, diagnostics bytes.Buffer
	if code := Main(World{Args: args, Out: &out, Err: &diagnostics, Env: []string{"HOME=" + t.TempDir()}}); code != exitDone {
		t.Fatalf("tickwatch %q: exit code %d, %s", args, code, diagnostics.String())
	}
	return out.String()
}

// playAs plays a recording, and judges when these snapshots were made: at their
// moments, when as many webhooks had been stored.
func playAs(t *testing.T, r recording, th monitor.Thresholds, judged []*link.Snapshot) *player {
	t.Helper()
	ctx := context.Background()
	p, err := newPlayer(ctx, wa.At(judged[0].At), playerOptions{dir: t.TempDir(), thresholds: th, log: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.store.Close() })
	posts, deeds := int64(0), int64(0)
	judge := func() error {
		for len(judged) > 0 && judged[0].Feed.Posts == posts && judged[0].Deed == deeds {
			if err := p.judge(ctx, wa.At(judged[0].At)); err != nil {
				return err
			}
			judged = judged[1:]
		}
		return nil
	}
	if err := errors.Join(judge(), r.each(ctx, func(l monitor.Line, _ float64) error {
		switch own := (monitor.Own{}); {
		case l.Source != monitor.OwnSource:
			posts++
		case json.Unmarshal(l.Body, &own) == nil && own.Kind != monitor.OwnAction && own.Kind != monitor.OwnEnd:
			deeds++
		}
		return errors.Join(p.line(ctx, &l), judge())
	})); err != nil {
		t.Fatal(err)
	}
	if len(judged) > 0 {
		t.Fatalf("%d judgements know more than the %d webhooks and %d deeds of the recording", len(judged), posts, deeds)
	}
	p.monitor.Show(ctx)
	return p
}

// ofWebhooks is the part of a snapshot that webhooks decide and the moments at
// which it was judged, and not the machine. A pause that tickwatch made by itself
// holds before it is on disk, so its alarm may be a judgement older than in a replay.
func ofWebhooks(s *link.Snapshot) link.Snapshot {
	out := *s
	out.Rev, out.Host, out.Zone = 0, link.Host{}, ""
	out.Feed.AnswerMS, out.Feed.PerSecond, out.Feed.TurnedAway, out.Feed.Trend = nil, 0, 0, nil
	out.Alarms = slices.DeleteFunc(slices.Clone(s.Alarms), func(a link.Alarm) bool { return a.Kind == "host" })
	for i := range out.Alarms {
		out.Alarms[i].Pause = ""                                   // what a daemon does about it, and a replay does not
		out.Alarms[i].ID = ""                                      // the machine's own alarms are numbered too
		if a := &out.Alarms[i]; a.Open() && a.Kind == "delivery" { // names what they have in common
			a.Advice, a.DoNot, a.After = "", "", ""
		}
		if a := &out.Alarms[i]; byItself(a) {
			a.RaisedAt, a.ActedAt = time.Time{}, nil
		}
	}
	slices.SortStableFunc(out.Alarms, func(a, b link.Alarm) int { // else the newest first
		switch pa, pb := byItself(&a), byItself(&b); {
		case pa == pb:
			return 0
		case pa:
			return 1
		}
		return -1
	})
	out.Limits = slices.Clone(s.Limits) // whose use is counted now and then
	for i := range out.Limits {
		out.Limits[i].Used24h, out.Limits[i].CountedAt, out.Limits[i].ReachedAt, out.Limits[i].Needs = 0, time.Time{}, nil, nil
	}
	out.Numbers = slices.Clone(s.Numbers)
	for i := range out.Numbers {
		out.Numbers[i].Used24h, out.Numbers[i].LimitReachedAt = nil, nil
	}
	out.Campaigns = slices.Clone(s.Campaigns)
	for i := range out.Campaigns { // the failures are searched every few seconds of the machine's own time
		out.Campaigns[i].Clusters, out.Campaigns[i].ClustersAt = nil, nil
		if had := out.Campaigns[i].Sending; had != nil { // how it goes out just now, it does not in a replay
			still := *had
			still.PerSecond, still.OpenRequests, still.Held, still.EndsAt = 0, 0, "", nil
			out.Campaigns[i].Sending = &still
		}
	}
	return out
}

// byItself tells the alarm of a pause that tickwatch made by itself.
func byItself(a *link.Alarm) bool { return strings.HasPrefix(a.Text, "tickwatch paused ") }

// exported is all that a player's store exports.
func exported(t *testing.T, p *player) string {
	t.Helper()
	var text []byte
	args := link.ExportArgs{Kind: link.ExportRecording}
	for {
		page, err := p.monitor.Export(context.Background(), args)
		if err != nil {
			t.Fatal(err)
		}
		text = append(text, page.Text...)
		if page.Next == nil {
			return string(text)
		}
		args.From = *page.Next
	}
}
