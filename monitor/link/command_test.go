package link

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

func TestDo(t *testing.T) {
	path := socketPath(t)
	startServer(t, path, ServerOptions{Handle: func(_ context.Context, p Peer, cmd Command) (any, error) {
		switch cmd.Verb {
		case "who":
			return p, nil
		case "refuse":
			return nil, fmt.Errorf("gate: %w", &Fault{FaultRefused, "the STOP file is there"})
		case "fail":
			return nil, errors.New("the disk is full")
		case "panic":
			panic("a bug")
		case "unspeakable":
			return make(chan int), nil
		case "huge":
			return strings.Repeat("x", maxDaemonFrame), nil
		}
		return nil, nil
	}})
	c := startClient(t, path, Timing{})
	ctx := testContext(t)

	var p Peer
	if err := c.Do(ctx, "who", nil, &p); err != nil || p.Name == "" || p.PID == 0 {
		t.Errorf("who: %+v, %v", p, err)
	}
	if err := c.Do(ctx, "nothing", nil, &p); err != nil {
		t.Errorf("no result: %v", err)
	}
	for verb, want := range map[string]Fault{
		"refuse":      {FaultRefused, "the STOP file is there"},
		"fail":        {FaultFailed, "the disk is full"},
		"panic":       {FaultFailed, "a fault of its own"},
		"unspeakable": {FaultFailed, "could not be encoded"},
		"huge":        {FaultFailed, "too long"},
	} {
		fault, ok := errors.AsType[*Fault](c.Do(ctx, verb, nil, nil))
		if !ok || fault.Kind != want.Kind || !strings.Contains(fault.Text, want.Text) {
			t.Errorf("%s: %+v, want %+v", verb, fault, want)
		}
	}
	if fault, ok := errors.AsType[*Fault](c.Do(ctx, "long", strings.Repeat("x", maxCommandFrame), nil)); !ok || fault.Kind != FaultUsage {
		t.Errorf("arguments that no frame takes: %v", fault)
	}
	if err := c.Do(ctx, "who", nil, &p); err != nil {
		t.Errorf("after all that: %v", err)
	}
}

// A pause behind slow queries is answered while they run, even when they take
// every place.
func TestAQueryDoesNotHoldUpAPause(t *testing.T) {
	path := socketPath(t)
	begun, release := make(chan struct{}, 3*CommandsAtOnce), make(chan struct{})
	var running, most atomic.Int32
	startServer(t, path, ServerOptions{
		Urgent: func(verb string) bool { return verb == "pause" },
		Handle: func(_ context.Context, _ Peer, cmd Command) (any, error) {
			if cmd.Verb == "find" {
				n := running.Add(1)
				defer running.Add(-1)
				for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
				}
				begun <- struct{}{}
				<-release
			}
			return nil, nil
		},
	})
	c := startClient(t, path, Timing{})
	ctx := testContext(t)
	const queries = 3 * CommandsAtOnce
	var wg sync.WaitGroup
	for range queries {
		wg.Go(func() {
			if err := c.Do(ctx, "find", nil, nil); err != nil {
				t.Error(err)
			}
		})
	}
	for range CommandsAtOnce {
		<-begun
	}
	if err := c.Do(ctx, "pause", nil, nil); err != nil {
		t.Error(err)
	}
	close(release)
	wg.Wait()
	if most.Load() > CommandsAtOnce {
		t.Errorf("%d commands of one console ran at once, at most %d may", most.Load(), CommandsAtOnce)
	}
}

// More commands than the daemon takes in wait in the socket and are all answered.
func TestAFloodIsAnsweredInFull(t *testing.T) {
	path := socketPath(t)
	startServer(t, path, ServerOptions{})
	conn := rawConsole(t, path)
	const n = 5 * maxPending
	go func() {
		for i := range n {
			if conn.WriteJSON(consoleFrame{Command: &Command{ID: fmt.Sprint(i), Verb: "x"}}) != nil {
				return
			}
		}
	}()
	seen := make(map[string]int)
	for range n {
		seen[readAck(t, conn).CommandID]++
	}
	if len(seen) != n {
		t.Errorf("%d commands were answered, %d were sent", len(seen), n)
	}
}

func TestSameIDRunsOnce(t *testing.T) {
	path := socketPath(t)
	begun, release := make(chan struct{}, 9), make(chan struct{})
	var ran atomic.Int32
	startServer(t, path, ServerOptions{Handle: func(context.Context, Peer, Command) (any, error) {
		begun <- struct{}{}
		<-release
		return ran.Add(1), nil
	}})
	cmd := Command{ID: "same", Verb: "pause", Args: []byte(`{"reason":"x"}`)}
	first := rawConsole(t, path)
	send(t, first, cmd)
	<-begun
	first.Close() // lost before the answer

	second, third := rawConsole(t, path), rawConsole(t, path)
	send(t, second, cmd) // while it runs
	send(t, second, cmd) // and twice
	close(release)
	for range 2 {
		if ack := readAck(t, second); ack.CommandID != "same" || string(ack.Result) != "1" {
			t.Errorf("the repeat got %+v", ack)
		}
	}
	send(t, third, cmd) // long after
	if ack := readAck(t, third); string(ack.Result) != "1" {
		t.Errorf("the late repeat got %+v", ack)
	}
	cmd.Verb = "resume"
	send(t, third, cmd)
	if ack := readAck(t, third); ack.Error == nil || ack.Error.Kind != FaultUsage {
		t.Errorf("another command under the same id got %+v", ack)
	}
	if n := ran.Load(); n != 1 {
		t.Errorf("the command ran %d times", n)
	}
}

// However often the link breaks, each Do gets its one answer and each command
// runs once.
func TestCommandsSurviveLostLinks(t *testing.T) {
	path := socketPath(t)
	var mu sync.Mutex
	ran := make(map[string]int)
	var s *Server
	ready := make(chan struct{})
	s, _ = startServer(t, path, ServerOptions{Handle: func(_ context.Context, _ Peer, cmd Command) (any, error) {
		<-ready
		mu.Lock()
		ran[string(cmd.Args)]++
		n := len(ran)
		mu.Unlock()
		if n%7 == 3 {
			s.cut() // before the answer is out
		}
		return cmd.Args, nil
	}})
	close(ready)
	c := startClient(t, path, Timing{})
	ctx := testContext(t)
	const n = 60
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			got := -1
			if err := c.Do(ctx, "count", i, &got); err != nil || got != i {
				t.Errorf("command %d: got %d, %v", i, got, err)
			}
		})
	}
	wg.Wait()
	for i := range n {
		if times := ran[fmt.Sprint(i)]; times != 1 {
			t.Errorf("command %d ran %d times", i, times)
		}
	}
}

func TestACommandIsGivenUpInTime(t *testing.T) {
	path := socketPath(t)
	startServer(t, path, ServerOptions{
		CommandWithin: 20 * time.Millisecond,
		Handle: func(ctx context.Context, _ Peer, _ Command) (any, error) {
			<-ctx.Done()
			return nil, fmt.Errorf("query: %w", ctx.Err())
		},
	})
	c := startClient(t, path, Timing{})
	fault, ok := errors.AsType[*Fault](c.Do(testContext(t), "find", nil, nil))
	if !ok || !strings.Contains(fault.Text, "find took longer than 20ms") {
		t.Errorf("got %v", fault)
	}
}

// Whatever a console sends, the daemon answers or ends that link cleanly, and
// lives.
func TestBadFrames(t *testing.T) {
	path := socketPath(t)
	startServer(t, path, ServerOptions{})
	const ok = `{"command":{"id":"fine","verb":"x"}}`
	for name, tc := range map[string]struct {
		frame string
		close int    // the code the link ends with, 0 = it stays
		fault string // kind of the fault that answers
	}{
		"no JSON":             {"pause!", websocket.CloseInvalidFramePayloadData, ""},
		"half of it":          {`{"command":{"id":"1"`, websocket.CloseInvalidFramePayloadData, ""},
		"nothing":             {"", websocket.CloseInvalidFramePayloadData, ""},
		"an array":            {"[]", websocket.CloseInvalidFramePayloadData, ""},
		"wrong types":         {`{"command":{"id":7,"verb":[]}}`, websocket.CloseInvalidFramePayloadData, ""},
		"deep":                {strings.Repeat("[", maxCommandFrame-1), websocket.CloseInvalidFramePayloadData, ""},
		"too long":            {`{"command":{"id":"1","verb":"` + strings.Repeat("x", maxCommandFrame) + `"}}`, websocket.CloseMessageTooBig, ""},
		"null":                {"null", 0, ""},
		"no member we know":   {`{"greeting":{"id":1}}`, 0, ""},
		"members of tomorrow": {`{"command":{"id":"1","verb":"x","mood":{}},"more":1}`, 0, ""},
		"no id":               {`{"command":{"verb":"x"}}`, 0, FaultUsage},
		"a long id":           {`{"command":{"id":"` + strings.Repeat("i", maxCommandID+1) + `","verb":"x"}}`, 0, FaultUsage},
		"no verb":             {`{"command":{"id":"2"}}`, 0, FaultUsage},
	} {
		t.Run(name, func(t *testing.T) {
			conn := rawConsole(t, path)
			if err := conn.WriteMessage(websocket.TextMessage, []byte(tc.frame)); err != nil {
				t.Fatal(err)
			}
			if tc.close != 0 {
				if _, _, err := conn.ReadMessage(); !websocket.IsCloseError(err, tc.close) {
					t.Fatalf("the link ended with %v, want close code %d", err, tc.close)
				}
				return
			}
			if tc.fault != "" {
				if ack := readAck(t, conn); ack.Error == nil || ack.Error.Kind != tc.fault {
					t.Fatalf("answered with %+v", ack)
				}
			}
			if err := conn.WriteMessage(websocket.BinaryMessage, []byte(ok)); err != nil {
				t.Fatal(err)
			}
			for readAck(t, conn).CommandID != "fine" {
			}
		})
	}
}

func FuzzConsoleFrame(f *testing.F) {
	f.Add([]byte(`{"command":{"id":"1","verb":"find","args":{"query":"+49"}}}`))
	f.Add([]byte(`{"command":null}`))
	f.Add([]byte("[\xff]"))
	path := socketPath(f)
	startServer(f, path, ServerOptions{})
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > maxCommandFrame {
			return
		}
		conn := rawConsole(t, path)
		if err := conn.WriteMessage(websocket.TextMessage, data); err != nil {
			t.Fatal(err)
		}
		_ = conn.WriteJSON(consoleFrame{Command: &Command{ID: "fine", Verb: "x"}}) // the link may have ended by now
		for {                                                                      // answered, or ended cleanly
			var frame daemonFrame
			err := conn.ReadJSON(&frame)
			if websocket.IsCloseError(err, websocket.CloseInvalidFramePayloadData) || err == nil && frame.Ack.CommandID == "fine" {
				return
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	})
}
