package link

import (
	"fmt"
	"testing"
)

// BenchmarkPublish is what a large snapshot costs the daemon, with consoles
// that read as fast as they can and share its cores.
func BenchmarkPublish(b *testing.B) {
	for _, consoles := range []int{1, 10, 100} {
		b.Run(fmt.Sprintf("consoles=%d", consoles), func(b *testing.B) {
			path := socketPath(b)
			s, _ := startServer(b, path, ServerOptions{})
			for range consoles {
				conn := rawConsole(b, path)
				go func() {
					for {
						if _, _, err := conn.NextReader(); err != nil {
							return
						}
					}
				}()
			}
			snap := fullSnapshot()
			frame, err := snapshotFrame(snap)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			b.SetBytes(int64(len(frame)))
			for b.Loop() {
				snap.Rev++
				s.Publish(snap)
			}
		})
	}
}

// BenchmarkRoundTrip is a command there and its answer back.
func BenchmarkRoundTrip(b *testing.B) {
	path := socketPath(b)
	startServer(b, path, ServerOptions{})
	c := startClient(b, path, Timing{})
	await(b, c, "the link", connected)
	for b.Loop() {
		if err := c.Do(b.Context(), "x", nil, nil); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkCall is the same with a link of its own, as a one-shot command has.
func BenchmarkCall(b *testing.B) {
	path := socketPath(b)
	s, _ := startServer(b, path, ServerOptions{})
	s.Publish(fullSnapshot())
	for b.Loop() {
		if err := Call(b.Context(), path, "x", nil, nil); err != nil {
			b.Fatal(err)
		}
	}
}
