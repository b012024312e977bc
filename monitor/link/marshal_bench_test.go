package link

import (
	"encoding/json"
	"testing"
)

// BenchmarkEncode is a snapshot on its way out of the daemon, with nobody
// attached: made fit for the wire, and encoded once.
func BenchmarkEncode(b *testing.B) {
	snap := fullSnapshot()
	frame, err := snapshotFrame(snap)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(frame)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := snapshotFrame(snap); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkDecode is the same at the console.
func BenchmarkDecode(b *testing.B) {
	frame, err := snapshotFrame(fullSnapshot())
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(frame)))
	b.ReportAllocs()
	for b.Loop() {
		var f daemonFrame
		if err := json.Unmarshal(frame, &f); err != nil {
			b.Fatal(err)
		}
	}
}
