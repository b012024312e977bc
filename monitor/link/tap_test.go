package link

import (
	"bytes"
	"context"
	"testing"
)

// TestTap: a tap gets the frames as the daemon encoded them, and ends with its context.
func TestTap(t *testing.T) {
	path := socketPath(t)
	s, _ := startServer(t, path, ServerOptions{})
	snap := fullSnapshot()
	s.Publish(snap)
	want, err := snapshotFrame(snap)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(testContext(t))
	got := make(chan []byte, 1)
	ended := make(chan error, 1)
	go func() { ended <- Tap(ctx, path, func(data []byte) { got <- bytes.Clone(data) }) }()
	if frame := <-got; !bytes.Equal(frame, want) {
		t.Errorf("%d bytes that are not the %d of the snapshot", len(frame), len(want))
	}
	if n := s.Consoles(); n != 1 {
		t.Errorf("%d consoles are attached, want 1", n)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if err := Tap(t.Context(), path+"-of-nobody", nil); err == nil {
		t.Error("a tap on nobody's socket")
	}
}

// TestTapLost: a daemon that goes away ends a tap, and it says so.
func TestTapLost(t *testing.T) {
	path := socketPath(t)
	s, stop := startServer(t, path, ServerOptions{})
	ended := make(chan error, 1)
	go func() { ended <- Tap(testContext(t), path, func([]byte) {}) }()
	s.awaitAttached(1)
	if err := stop(); err != nil {
		t.Error(err)
	}
	if err := <-ended; err == nil {
		t.Error("no word of the lost link")
	}
}
