package cli

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

// runBench runs a measurement, which must leave nothing behind.
func runBench(t *testing.T, figures any, args ...string) {
	t.Helper()
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent(), goleak.IgnoreTopFunction("os/signal.NotifyContext.func1"), // Main keeps its signals
		goleak.IgnoreAnyFunction("charm.land/bubbletea/v2.Tick.func1"), // a tick that is under way runs out
		goleak.IgnoreAnyFunction("charm.land/bubbletea/v2.(*Program).execBatchMsg"))
	dir := t.TempDir()
	var out, diagnostics bytes.Buffer
	if code := Main(World{Args: append([]string{"bench"}, append(args, "--json", "--dir", dir)...), Out: &out, Err: &diagnostics}); code != exitDone {
		t.Fatalf("exit code %d: %s", code, diagnostics.String())
	}
	d := json.NewDecoder(&out)
	d.DisallowUnknownFields()
	if err := d.Decode(figures); err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// TestBenchFrame: a short measurement sees every webhook come to the screen.
func TestBenchFrame(t *testing.T) {
	var f frameFigures
	runBench(t, &f, "frame", "--seconds", "1")
	for _, p := range []pixelFigures{f.Calm, f.Steady} {
		if p.Webhooks < 2 || p.LatencyMS.P50 <= 0 || p.LatencyMS.P99 < p.LatencyMS.P50 || p.MaxMS < p.LatencyMS.P99 || p.Bound != pixelBound {
			t.Errorf("commit to pixel: %+v", p)
		}
	}
	if f.Traffic.BytesPerSecond <= 0 {
		t.Errorf("the console wrote nothing: %+v", f.Traffic)
	}
	if len(f.Draw) != 2 || f.Draw[0].Micros <= 0 || f.Draw[0].Allocs <= 0 || f.Draw[1].Micros <= f.Draw[0].Micros {
		t.Errorf("drawing: %+v", f.Draw)
	}
	for _, part := range []string{"commit to pixel, single webhooks", "commit to pixel, a steady stream", "terminal traffic", "one View at 200x60"} {
		if !strings.Contains(f.text(), part) {
			t.Errorf("the text does not say %q:\n%s", part, f.text())
		}
	}
}

// TestBenchStored: a short measurement fills its stores, and finds after a
// restart what was there before.
func TestBenchStored(t *testing.T) {
	var f storedFigures
	runBench(t, &f, "stored", "--messages", "10000", "--seconds", "0.1", "--rounds", "1")
	if f.Messages != 10_000 || f.Fewer != 1000 || f.StoredBytes < 1_000_000 {
		t.Errorf("stored: %+v", f)
	}
	if f.Growth.Fewer <= 0 || f.Growth.More <= 0 || f.Growth.Ratio <= 0 || f.Console.Alone <= 0 || f.Console.Watched <= 0 || f.Console.Ratio <= 0 {
		t.Errorf("rates: %+v, %+v", f.Growth, f.Console)
	}
	if f.Snapshot.LatencyMS.P50 <= 0 || f.Snapshot.LatencyMS.P99 < f.Snapshot.LatencyMS.P50 || f.Restart.Answer <= 0 || f.Restart.Figures < f.Restart.Answer {
		t.Errorf("snapshot and restart: %+v, %+v", f.Snapshot, f.Restart)
	}
	for _, part := range []string{"ingest in process", "ingest over HTTP", "a snapshot", "a restart"} {
		if !strings.Contains(f.text(), part) {
			t.Errorf("the text does not say %q:\n%s", part, f.text())
		}
	}
}
