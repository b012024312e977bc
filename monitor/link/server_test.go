package link

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

func TestFirstFrameIsTheNewestSnapshot(t *testing.T) {
	path := socketPath(t)
	s, _ := startServer(t, path, ServerOptions{})
	s.Publish(&Snapshot{Rev: 1})
	s.Publish(&Snapshot{Rev: 2})
	var frame daemonFrame
	if err := rawConsole(t, path).ReadJSON(&frame); err != nil {
		t.Fatal(err)
	}
	if frame.Snapshot == nil || frame.Snapshot.Rev != 2 {
		t.Fatalf("first frame %+v, want snapshot 2", frame)
	}
}

// A console that never reads fills its socket; Publish and the other console
// must not notice, and it must be dropped.
func TestStuckConsoleHoldsUpNobody(t *testing.T) {
	path := socketPath(t)
	s, _ := startServer(t, path, ServerOptions{Timing: Timing{Write: time.Second, Dead: time.Hour}})
	rawConsole(t, path) // never reads
	c := startClient(t, path, Timing{})
	await(t, c, "the link", connected)
	s.awaitAttached(2)
	arrives := func(rev uint64) {
		await(t, c, fmt.Sprint("snapshot ", rev), func(u Update) bool {
			if !u.Connected {
				t.Fatal("the reading console lost its link:", u.Err)
			}
			return u.Snapshot != nil && u.Snapshot.Rev == rev
		})
	}
	const many = 3000
	for rev := uint64(1); rev <= many; rev++ {
		s.Publish(&Snapshot{Rev: rev})
	}
	arrives(many)
	snap := fullSnapshot() // a few of these are more than a socket holds
	ctx := testContext(t)
	for snap.Rev = many + 1; s.attachedNow() > 1; snap.Rev++ {
		if ctx.Err() != nil {
			t.Fatal("the stuck console was not dropped")
		}
		s.Publish(snap)
		arrives(snap.Rev)
	}
}

// A slow console skips to the newest and never sees an older one after it.
func TestSnapshotsNeverGoBack(t *testing.T) {
	path := socketPath(t)
	s, _ := startServer(t, path, ServerOptions{})
	conn := rawConsole(t, path)
	const last = 2000
	go func() {
		for rev := uint64(1); rev <= last; rev++ {
			s.Publish(&Snapshot{Rev: rev})
		}
	}()
	for rev := uint64(0); rev < last; {
		var frame daemonFrame
		if err := conn.ReadJSON(&frame); err != nil {
			t.Fatal(err)
		}
		if frame.Snapshot.Rev <= rev {
			t.Fatalf("snapshot %d after %d", frame.Snapshot.Rev, rev)
		}
		rev = frame.Snapshot.Rev
	}
}

func TestSilentConsoleIsDropped(t *testing.T) {
	path := socketPath(t)
	startServer(t, path, ServerOptions{Timing: Timing{Ping: 10 * time.Millisecond, Dead: 60 * time.Millisecond}})
	conn := rawConsole(t, path)
	conn.SetPingHandler(func(string) error { return nil }) // reads, and never answers
	_, _, err := conn.ReadMessage()
	if _, ok := errors.AsType[*websocket.CloseError](err); !ok {
		t.Fatalf("read ended with %v, want the daemon to end the link", err)
	}
}

func TestPingsKeepAQuietLinkAlive(t *testing.T) {
	path := socketPath(t)
	timing := Timing{Ping: 10 * time.Millisecond, Dead: 500 * time.Millisecond}
	startServer(t, path, ServerOptions{Timing: timing})
	conn := rawConsole(t, path)
	pings, enough := 0, errors.New("enough")
	answer := conn.PingHandler()
	conn.SetPingHandler(func(data string) error {
		if pings++; pings == 100 { // twice the time after which silence is death
			return enough
		}
		return answer(data)
	})
	if _, _, err := conn.ReadMessage(); !errors.Is(err, enough) {
		t.Fatalf("after %d pings: %v", pings, err)
	}
}

func TestWhoIsRefused(t *testing.T) {
	path := socketPath(t)
	startServer(t, path, ServerOptions{})
	web := &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "unix", path)
		},
	}}
	upgrade := http.Header{
		"Connection": {"Upgrade"}, "Upgrade": {"websocket"},
		"Sec-Websocket-Version": {"13"}, "Sec-Websocket-Key": {"AAAAAAAAAAAAAAAAAAAAAA=="},
	}
	for name, tc := range map[string]struct {
		path, origin string
		status       int
		says         string
	}{
		"a page of this host":   {consolePath, "http://tickwatch", http.StatusForbidden, "Origin"},
		"a page of another":     {consolePath, "https://example.com", http.StatusForbidden, "Origin"},
		"a page without a name": {consolePath, "null", http.StatusForbidden, "Origin"},
		"an empty origin":       {consolePath, "", http.StatusForbidden, "Origin"},
		"another version":       {"/v2/console", "-", http.StatusNotFound, "same version"},
		"no console at all":     {"/", "-", http.StatusNotFound, consolePath},
		"a console":             {consolePath, "-", http.StatusSwitchingProtocols, ""},
	} {
		t.Run(name, func(t *testing.T) {
			req, err := http.NewRequestWithContext(testContext(t), http.MethodGet, "http://tickwatch"+tc.path, http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			req.Header = upgrade.Clone()
			if tc.origin != "-" {
				req.Header["Origin"] = []string{tc.origin}
			}
			resp, err := web.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			if resp.StatusCode != tc.status {
				t.Fatalf("status %s, want %d", resp.Status, tc.status)
			}
			if tc.status == http.StatusSwitchingProtocols {
				return
			}
			body, err := io.ReadAll(resp.Body)
			if err != nil || !strings.Contains(string(body), tc.says) || strings.Count(string(body), "\n") != 1 {
				t.Errorf("body %q (%v), want one line with %q", body, err, tc.says)
			}
		})
	}
}

func TestTooManyConsoles(t *testing.T) {
	path := socketPath(t)
	s, _ := startServer(t, path, ServerOptions{MaxConsoles: 1})
	s.Publish(&Snapshot{Rev: 1})
	first := rawConsole(t, path)
	if _, _, err := first.ReadMessage(); err != nil {
		t.Fatal(err)
	}
	_, _, err := rawConsole(t, path).ReadMessage()
	if !websocket.IsCloseError(err, websocket.CloseTryAgainLater) {
		t.Fatalf("the second console: %v", err)
	}
}

func TestServeEnd(t *testing.T) {
	path := socketPath(t)
	begun, release := make(chan struct{}), make(chan struct{})
	_, stop := startServer(t, path, ServerOptions{Handle: func(ctx context.Context, _ Peer, _ Command) (any, error) {
		close(begun)
		<-release
		return nil, ctx.Err()
	}})
	silent, err := net.Dial("unix", path) // connected, and says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	conn := rawConsole(t, path)
	send(t, conn, Command{ID: "1", Verb: "pause"})
	<-begun
	ended := make(chan error)
	go func() { ended <- stop() }()
	for { // until the socket is closed, so until Serve is on its way out
		probe, err := net.Dial("unix", path)
		if err != nil {
			break
		}
		probe.Close()
	}
	close(release)
	if ack := readAck(t, conn); ack.Error != nil {
		t.Errorf("the command under way was answered with %v", ack.Error)
	}
	if _, _, err := conn.ReadMessage(); !websocket.IsCloseError(err, websocket.CloseGoingAway) {
		t.Errorf("the link ended with %v, want going away", err)
	}
	if err := <-ended; err != nil {
		t.Errorf("Serve: %v", err)
	}
}

// A console that does not answer the goodbye, and a handler that waits for its
// context, must not keep the daemon.
func TestServeEndsInSpiteOfOthers(t *testing.T) {
	path := socketPath(t)
	begun := make(chan struct{})
	_, stop := startServer(t, path, ServerOptions{Timing: Timing{Dead: time.Hour}, Handle: func(ctx context.Context, _ Peer, _ Command) (any, error) {
		close(begun)
		<-ctx.Done()
		return nil, ctx.Err()
	}})
	conn := rawConsole(t, path)
	send(t, conn, Command{ID: "1", Verb: "find"})
	<-begun
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	// The answer was written before the link was cut.
	if ack := readAck(t, conn); ack.Error == nil || !strings.Contains(ack.Error.Text, "went down") {
		t.Errorf("the command that was cut short was answered with %+v", ack)
	}
}

func TestServeTellsOfABrokenListener(t *testing.T) {
	l, err := Listen(socketPath(t))
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	if err := NewServer(ServerOptions{Handle: echo}).Serve(testContext(t), l); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Serve on a closed listener: %v", err)
	}
}
