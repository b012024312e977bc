package link

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

func TestReconnectAfterARestart(t *testing.T) {
	path := socketPath(t)
	c := startClient(t, path, Timing{})
	u := await(t, c, "word that there is no daemon", disconnected)
	if !errors.Is(u.Err, ErrNoDaemon) || !strings.Contains(u.Err.Error(), "tickwatch serve") {
		t.Errorf("without a daemon: %v", u.Err)
	}

	s, stop := startServer(t, path, ServerOptions{})
	s.Publish(&Snapshot{Rev: 7})
	await(t, c, "snapshot 7", func(u Update) bool { return u.Connected && u.Err == nil && u.Snapshot != nil && u.Snapshot.Rev == 7 })
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	u = await(t, c, "the end of the link", disconnected)
	if u.Snapshot == nil || u.Snapshot.Rev != 7 || u.Err == nil {
		t.Errorf("while the daemon is gone: %+v, want the last snapshot and a reason", u)
	}

	s, _ = startServer(t, path, ServerOptions{})
	s.Publish(&Snapshot{Rev: 1}) // a new daemon counts anew
	await(t, c, "snapshot 1", func(u Update) bool { return u.Connected && u.Snapshot.Rev == 1 })
}

// A command given while the daemon is away reaches the next one.
func TestDoWaitsForTheDaemon(t *testing.T) {
	path := socketPath(t)
	c := startClient(t, path, Timing{})
	await(t, c, "word that there is no daemon", disconnected)
	done := make(chan error)
	go func() {
		var got string
		err := c.Do(testContext(t), "x", "hello", &got)
		if err == nil && got != "hello" {
			err = errors.New("got " + got)
		}
		done <- err
	}()
	startServer(t, path, ServerOptions{})
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestDoSaysWhatIsKnown(t *testing.T) {
	path := socketPath(t)
	c := startClient(t, path, Timing{})
	await(t, c, "word that there is no daemon", disconnected)
	short, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	err := c.Do(short, "pause", nil, nil)
	if !errors.Is(err, ErrNoDaemon) || !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "nothing was sent") {
		t.Errorf("without a daemon: %v", err)
	}

	begun, release := make(chan struct{}), make(chan struct{})
	_, stop := startServer(t, path, ServerOptions{Handle: func(context.Context, Peer, Command) (any, error) {
		begun <- struct{}{}
		<-release
		return nil, nil
	}})
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-begun; cancel() }()
	err = c.Do(ctx, "pause", nil, nil)
	if errors.Is(err, ErrNoDaemon) || !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "may be carried out") {
		t.Errorf("given up while it ran: %v", err)
	}
	close(release)

	stopped := make(chan error)
	go func() { <-begun; stopped <- stop() }()
	if err = c.Do(testContext(t), "pause", nil, nil); err != nil {
		t.Errorf("an orderly end answers what is under way: %v", err)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}

// A command on its way when the daemon vanished is in doubt, and Do says so.
func TestDoSaysWhatIsInDoubt(t *testing.T) {
	path := socketPath(t)
	commands, cut, stop := mute(t, path)
	c := startClient(t, path, Timing{})
	ctx, cancel := context.WithCancel(testContext(t))
	done := make(chan error)
	go func() { done <- c.Do(ctx, "pause", nil, nil) }()
	<-commands
	stop()
	cut()
	await(t, c, "word that there is no daemon", func(u Update) bool { return errors.Is(u.Err, ErrNoDaemon) })
	cancel()
	if err := <-done; !errors.Is(err, ErrNoDaemon) || !strings.Contains(err.Error(), "may be carried out") {
		t.Error(err)
	}
}

// A quiet link stays up because the console pings, and a daemon that answers
// nothing else is alive.
func TestTheConsolePings(t *testing.T) {
	path := socketPath(t)
	l, err := Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	pinged, lost := make(chan struct{}), make(chan struct{}, 9)
	hs := &http.Server{ReadHeaderTimeout: patience, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var up websocket.Upgrader
		conn, err := up.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer conn.Close()
		pings, answer := 0, conn.PingHandler()
		conn.SetPingHandler(func(data string) error {
			if pings++; pings == 100 { // twice the time after which silence is death
				close(pinged)
			}
			return answer(data)
		})
		_, _, _ = conn.ReadMessage()
		lost <- struct{}{}
	})}
	go hs.Serve(l)
	defer hs.Close()
	startClient(t, path, Timing{Ping: 10 * time.Millisecond, Dead: 500 * time.Millisecond})
	select {
	case <-pinged:
	case <-lost:
		t.Error("the console gave a living daemon up")
	}
}

// mute is a daemon that takes commands and never says a word.
func mute(t *testing.T, path string) (commands <-chan Command, cut, stop func()) {
	l, err := Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	taken, conns := make(chan Command, 9), make(chan *websocket.Conn, 9)
	hs := &http.Server{ReadHeaderTimeout: patience, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var up websocket.Upgrader
		conn, err := up.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer conn.Close()
		conns <- conn
		conn.SetPingHandler(func(string) error { return nil })
		for {
			var frame consoleFrame
			if conn.ReadJSON(&frame) != nil {
				return
			}
			taken <- *frame.Command
		}
	})}
	go hs.Serve(l)
	stop = func() { hs.Close() }
	t.Cleanup(stop)
	return taken, func() { (<-conns).Close() }, stop
}

func TestTheSameCommandIsRepeated(t *testing.T) {
	path := socketPath(t)
	commands, cut, _ := mute(t, path)
	c := startClient(t, path, Timing{})
	ctx, cancel := context.WithCancel(testContext(t))
	done := make(chan error)
	go func() { done <- c.Do(ctx, "pause", AckArgs{Alarm: "x"}, nil) }()
	first := <-commands
	cut()
	second := <-commands
	if first.ID == "" || first.ID != second.ID || string(first.Args) != string(second.Args) || second.Verb != "pause" {
		t.Errorf("sent %+v, then %+v", first, second)
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	cut()
	ctx, release := context.WithCancel(testContext(t))
	go func() { done <- c.Do(ctx, "fence", nil, nil) }()
	if third := <-commands; third.Verb != "fence" {
		t.Errorf("a command that was given up was sent again: %+v", third)
	}
	release()
	<-done
}

func expired(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	t.Cleanup(cancel)
	return ctx
}

// A daemon that is stopped keeps its socket open and says nothing. That must
// not look like calm.
func TestAStoppedDaemonIsNoticed(t *testing.T) {
	path := socketPath(t)
	daemon := startProcess(t, path)
	c := startClient(t, path, Timing{Ping: 20 * time.Millisecond, Dead: 300 * time.Millisecond})
	await(t, c, "the first snapshot", func(u Update) bool { return u.Connected && u.Snapshot != nil })

	signalTo(t, daemon, syscall.SIGSTOP)
	u := await(t, c, "word of the silence", disconnected)
	if u.Err == nil || !strings.Contains(u.Err.Error(), "silent") {
		t.Errorf("the reason given is %v", u.Err)
	}
	signalTo(t, daemon, syscall.SIGCONT)
	await(t, c, "the daemon's return", connected)

	signalTo(t, daemon, syscall.SIGKILL)
	_ = daemon.Wait()
	await(t, c, "word that there is no daemon", func(u Update) bool { return !u.Connected && errors.Is(u.Err, ErrNoDaemon) })
	startProcess(t, path) // over the socket that the dead one left
	await(t, c, "the next daemon", connected)
}

func startProcess(t *testing.T, path string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), helperSocket+"="+path)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return cmd
}

func signalTo(t *testing.T, cmd *exec.Cmd, sig os.Signal) {
	t.Helper()
	if err := cmd.Process.Signal(sig); err != nil {
		t.Fatal(err)
	}
}

// Retry cuts the wait short: with waits of an hour only it can reconnect.
func TestRetry(t *testing.T) {
	path := socketPath(t)
	var c *Client
	asked := make(chan int, 9)
	c = NewClient(ClientOptions{Socket: path, Rand: func() float64 {
		asked <- len(c.retry) // just before it waits
		return 36000
	}})
	ctx, cancel := context.WithCancel(t.Context())
	ran := make(chan error)
	go func() { ran <- c.Run(ctx) }()
	<-asked
	s, _ := startServer(t, path, ServerOptions{})
	c.Retry()
	await(t, c, "the link", connected)
	c.Retry() // while connected: no effect
	s.awaitAttached(1)
	s.cut()
	if n := <-asked; n != 0 {
		t.Error("a Retry from before the loss would cut the wait short")
	}
	cancel()
	if err := <-ran; err != nil {
		t.Error(err)
	}
	for range c.Updates() { // closed, or this hangs
	}
}

func TestBackoff(t *testing.T) {
	for i, want := range []time.Duration{100, 200, 400, 800, 1600, 3000, 3000, 3000} {
		if got := backoff(i, 1); got != want*time.Millisecond {
			t.Errorf("after %d failures at most %s, want %s", i, got, want*time.Millisecond)
		}
		if got := backoff(i, 0); got != 0 {
			t.Errorf("after %d failures at least %s, want 0", i, got)
		}
	}
	if got := backoff(1<<30, 0.5); got != 1500*time.Millisecond {
		t.Errorf("after very many failures %s", got)
	}
}

func TestCall(t *testing.T) {
	path := socketPath(t)
	var got string
	if err := Call(testContext(t), path, "x", "hello", &got); !errors.Is(err, ErrNoDaemon) {
		t.Errorf("without a daemon: %v", err)
	}
	s, stop := startServer(t, path, ServerOptions{})
	s.Publish(fullSnapshot())
	if err := Call(context.WithoutCancel(t.Context()), path, "x", "hello", &got); err != nil || got != "hello" {
		t.Errorf("got %q, %v", got, err)
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if err := Call(testContext(t), path, "x", nil, nil); !errors.Is(err, ErrNoDaemon) {
		t.Errorf("after the daemon's end: %v", err)
	}
	long := "/tmp/" + strings.Repeat("x", maxSocketPath)
	if err := Call(testContext(t), long, "x", nil, nil); err == nil || !strings.Contains(err.Error(), "link.socket") {
		t.Errorf("a path that is too long: %v", err)
	}
}

// A daemon that takes the connection and never shakes hands is no daemon, and
// does not keep the caller beyond its context.
func TestCallOnADeafSocket(t *testing.T) {
	path := socketPath(t)
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := Call(expired(t), path, "x", nil, nil); !errors.Is(err, ErrNoDaemon) {
		t.Error(err)
	}
	if _, err := dial(expired(t), path); !errors.Is(err, ErrNoDaemon) || !strings.Contains(err.Error(), "restart it") {
		t.Error(err)
	}
}

// What the daemon does not say right ends the link, with a reason, and no more.
func TestBadFramesFromTheDaemon(t *testing.T) {
	for name, tc := range map[string]struct{ frame, says string }{
		"no JSON":  {"boo", "same version"},
		"types":    {`{"snapshot":{"rev":"x"}}`, "same version"},
		"too long": {`{"x":"` + strings.Repeat("x", maxDaemonFrame) + `"}`, "limit"},
	} {
		t.Run(name, func(t *testing.T) {
			path := socketPath(t)
			l, err := Listen(path)
			if err != nil {
				t.Fatal(err)
			}
			hs := &http.Server{ReadHeaderTimeout: patience, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				var up websocket.Upgrader
				conn, err := up.Upgrade(w, r, nil)
				if err != nil {
					return
				}
				defer conn.Close()
				for _, frame := range []string{`{"ack":{"command_id":"nobody's"}}`, `{"tomorrow":1}`, `{"snapshot":{"rev":1,"mood":"x"}}`, tc.frame} {
					if conn.WriteMessage(websocket.TextMessage, []byte(frame)) != nil {
						return
					}
				}
				_, _, _ = conn.ReadMessage() // until the console hangs up
			})}
			go hs.Serve(l)
			defer hs.Close()
			c := startClient(t, path, Timing{})
			u := await(t, c, "the end of the link", func(u Update) bool { return u.Err != nil })
			if u.Snapshot == nil || u.Snapshot.Rev != 1 || !strings.Contains(u.Err.Error(), tc.says) {
				t.Errorf("got %+v (%v), want snapshot 1 and %q", u, u.Err, tc.says)
			}
		})
	}
}

func TestRefusalIsAFault(t *testing.T) {
	path := socketPath(t)
	l, err := Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	hs := &http.Server{ReadHeaderTimeout: patience, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "this daemon is not yours\x1b[2J", http.StatusForbidden)
	})}
	go hs.Serve(l)
	defer hs.Close()
	err = Call(testContext(t), path, "x", nil, nil)
	fault, ok := errors.AsType[*Fault](err)
	if !ok || fault.Kind != FaultRefused || errors.Is(err, ErrNoDaemon) || strings.Contains(fault.Text, "\x1b") {
		t.Errorf("got %#v", err)
	}
	c := startClient(t, path, Timing{})
	if _, ok := errors.AsType[*Fault](c.Do(expired(t), "x", nil, nil)); !ok {
		t.Error("Do hides the refusal")
	}
}

func TestUnknownMembersAreIgnored(t *testing.T) {
	var frame daemonFrame
	if err := json.Unmarshal([]byte(`{"ack":{"command_id":"1","error":{"kind":"tomorrow","text":"t","link":"x"},"more":[]},"x":{}}`), &frame); err != nil || frame.Ack.Error.Text != "t" {
		t.Errorf("%+v, %v", frame.Ack, err)
	}
}
