package link

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"go.uber.org/goleak"
)

// helperSocket makes the test binary a daemon of its own, for tests that stop
// or kill a real process.
const helperSocket = "TICKWATCH_LINK_TEST_DAEMON"

func TestMain(m *testing.M) {
	if path := os.Getenv(helperSocket); path != "" {
		os.Exit(helperDaemon(path))
	}
	goleak.VerifyTestMain(m)
}

func helperDaemon(path string) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	l, err := Listen(path)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	s := NewServer(ServerOptions{Handle: echo})
	s.Publish(&Snapshot{Rev: 1})
	if err := s.Serve(ctx, l); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// echo answers with the command's own arguments.
func echo(_ context.Context, _ Peer, cmd Command) (any, error) { return cmd.Args, nil }

// patience ends a test that hangs; nothing is measured by it.
const patience = 30 * time.Second

func testContext(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// socketPath is in a folder short enough for a socket, gone after the test.
func socketPath(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "tw")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return filepath.Join(dir, "s")
}

// startServer serves at path until the test or stop ends it; stop returns what Serve did.
func startServer(t testing.TB, path string, opt ServerOptions) (s *Server, stop func() error) {
	t.Helper()
	l, err := Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	if opt.Handle == nil {
		opt.Handle = echo
	}
	s = NewServer(opt)
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan struct{})
	var result error
	go func() { defer close(served); result = s.Serve(ctx, l) }()
	stop = func() error { cancel(); <-served; return result }
	t.Cleanup(func() { _ = stop() })
	return s, stop
}

// startClient runs a Client until the test ends.
func startClient(t testing.TB, path string, timing Timing) *Client {
	t.Helper()
	c := NewClient(ClientOptions{Socket: path, Timing: timing, Rand: func() float64 { return 0.05 }})
	ctx, cancel := context.WithCancel(context.Background())
	ran := make(chan struct{})
	go func() {
		defer close(ran)
		if err := c.Run(ctx); err != nil {
			t.Error("Run:", err)
		}
	}()
	t.Cleanup(func() { cancel(); <-ran })
	return c
}

// await reads Updates until one is as wanted.
func await(t testing.TB, c *Client, what string, wanted func(Update) bool) Update {
	t.Helper()
	ctx := testContext(t)
	var last Update
	for {
		select {
		case u, open := <-c.Updates():
			if !open {
				t.Fatalf("waiting for %s: Updates was closed; last was %+v", what, last)
			}
			if last = u; wanted(u) {
				return u
			}
		case <-ctx.Done():
			t.Fatalf("waiting for %s: last Update was %+v", what, last)
		}
	}
}

func connected(u Update) bool    { return u.Connected }
func disconnected(u Update) bool { return !u.Connected }

// rawConsole is a websocket without the Client's manners.
func rawConsole(t testing.TB, path string) *websocket.Conn {
	t.Helper()
	raw, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	d := websocket.Dialer{NetDialContext: func(context.Context, string, string) (net.Conn, error) { return raw, nil }}
	conn, _, err := d.Dial("ws://tickwatch"+consolePath, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return conn
}

func send(t testing.TB, conn *websocket.Conn, cmd Command) {
	t.Helper()
	if err := conn.WriteJSON(consoleFrame{Command: &cmd}); err != nil {
		t.Fatal(err)
	}
}

func readAck(t testing.TB, conn *websocket.Conn) *Ack {
	t.Helper()
	for {
		var frame daemonFrame
		if err := conn.ReadJSON(&frame); err != nil {
			t.Fatal(err)
		}
		if frame.Ack != nil {
			return frame.Ack
		}
	}
}

// cut breaks the links of all consoles, as a lost connection would.
func (s *Server) cut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.consoles {
		c.conn.Close()
	}
}

func (s *Server) attachedNow() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.consoles)
}

func (s *Server) awaitAttached(n int) {
	for s.attachedNow() != n {
		runtime.Gosched()
	}
}

func mustJSON(t testing.TB, v any) []byte {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
