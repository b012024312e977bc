//go:build terminal

package cli_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"tickwatch/monitor"
	"tickwatch/wa"
)

// TestTerminalReplay watches a recording to its end, looks up a person of it on
// the way, and leaves without being asked and without leaving anything behind.
func TestTerminalReplay(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	file := filepath.Join(dir, "crowd.ndjson")
	writeRecording(t, file, newCrowd(4).webhooks(400))
	s := open(t, 80, 24, environment(dir), "sh", "-c", "tickwatch replay "+file+" --speed 1000; echo left with $?; exec cat")
	s.shows(append(panes, "REPLAY", "autumn", "RUNNING", "arrived")...)
	s.text("/")
	s.text("+" + phoneOf(7))
	s.keys("Enter")
	s.shows("Find", "*******07", "autumn")
	s.keys("Escape")
	s.shows("FINISHED", "final")
	s.text("q")
	s.shows("left with 0")
	if left, err := filepath.Glob(filepath.Join(dir, "tickwatch-*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// writeRecording makes a recording of webhooks that came half a second apart.
func writeRecording(t *testing.T, file string, bodies [][]byte) {
	t.Helper()
	var text bytes.Buffer
	at := time.Now().Add(-time.Hour)
	for _, b := range bodies {
		at = at.Add(time.Second / 2)
		l := monitor.Line{ReceivedAt: wa.At(at), Source: "meta", Body: b}
		text.Write(l.Append(nil))
	}
	if err := os.WriteFile(file, text.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}
