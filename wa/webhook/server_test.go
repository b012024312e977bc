package webhook_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"tickwatch/wa"
	"tickwatch/wa/webhook"
)

// quiet hangs up the shared client's idle connections before goroutines are counted.
type quiet struct{ *testing.M }

func (q quiet) Run() int {
	defer http.DefaultClient.CloseIdleConnections()
	return q.M.Run()
}

func TestMain(m *testing.M) {
	// Half a second is how long net/http lingers after an early answer.
	goleak.VerifyTestMain(quiet{m}, goleak.IgnoreAnyFunction("net/http.(*conn).closeWriteAndWait"))
}

// serve runs a server on loopback until the test ends.
func serve(t testing.TB, server *http.Server, wrap func(net.Listener) net.Listener) (address string) {
	t.Helper()
	var config net.ListenConfig
	l, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address = l.Addr().String()
	if wrap != nil {
		l = wrap(l)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = server.Serve(l) // ends with Close or Shutdown
	}()
	t.Cleanup(func() {
		_ = server.Close()
		<-ended
	})
	return address
}

func dial(t testing.TB, address string) net.Conn {
	t.Helper()
	var d net.Dialer
	c, err := d.DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// A request that is under way when the server is shut down is stored and answered.
func TestShutdownDrains(t *testing.T) {
	begun, release := make(chan struct{}), make(chan struct{})
	var stored atomic.Bool
	server := webhook.NewServer(webhook.NewHandler(standard(sinkFunc(func(context.Context, *wa.Post) error {
		close(begun)
		<-release
		stored.Store(true)
		return nil
	}))))
	shutting := make(chan struct{})
	server.RegisterOnShutdown(func() { close(shutting) })
	address := serve(t, server, nil)

	answer := make(chan int, 1)
	go func() {
		body := batch(1)
		code, _, _ := post(t, "http://"+address, bytes.NewReader(body), signed(body))
		if !stored.Load() {
			t.Error("answered before it was stored")
		}
		answer <- code
	}()
	<-begun
	down := make(chan error, 1)
	go func() { down <- server.Shutdown(context.Background()) }()
	<-shutting
	select {
	case err := <-down:
		t.Fatalf("shut down with a request under way: %v", err)
	default:
	}
	close(release)
	if code := <-answer; code != 200 {
		t.Errorf("answered %d, want 200", code)
	}
	if err := <-down; err != nil {
		t.Errorf("shutdown: %v", err)
	}
}

// countingConn counts what the server reads.
type countingConn struct {
	net.Conn
	read *atomic.Int64
}

func (c countingConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.read.Add(int64(n))
	return n, err
}

type countingListener struct {
	net.Listener
	read *atomic.Int64
}

func (l countingListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	return countingConn{c, l.read}, err
}

// A body without end is given up at 4 MiB, whatever its sender goes on sending.
func TestBodyBombIsBounded(t *testing.T) {
	kept := &shelf{}
	var read atomic.Int64
	server := webhook.NewServer(webhook.NewHandler(standard(kept)))
	address := serve(t, server, func(l net.Listener) net.Listener { return countingListener{l, &read} })

	c := dial(t, address)
	if _, err := io.WriteString(c, "POST /webhooks/meta HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	sent := make(chan int, 1)
	go func() {
		const size = 64 << 10
		chunk := fmt.Sprintf("%x\r\n%s\r\n", size, strings.Repeat("[", size))
		n := 0
		for ; n < 64<<20; n += size { // until the server hangs up
			if _, err := io.WriteString(c, chunk); err != nil {
				break
			}
		}
		sent <- n
	}()
	head := make([]byte, len("HTTP/1.1 413"))
	if _, err := io.ReadFull(c, head); err != nil || string(head) != "HTTP/1.1 413" {
		t.Errorf("answered %q, %v; want 413", head, err)
	}
	if n := <-sent; n >= 64<<20 {
		t.Error("the server took all 64 MiB")
	}
	runtime.ReadMemStats(&after)
	if n := read.Load(); n > 5<<20 {
		t.Errorf("read %d bytes of a body over 4 MiB", n)
	}
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 64<<20 {
		t.Errorf("allocated %d bytes for it", grown)
	}
	if kept.count() != 0 {
		t.Error("stored")
	}
}

// Of large bodies only so many are read at a time, for none of them has shown a
// signature yet; small ones pass beside them.
func TestLargeBodiesTakeTurns(t *testing.T) {
	const senders, atOnce, size = 24, 10, 1 << 20
	kept := &shelf{}
	var read atomic.Int64
	server := webhook.NewServer(webhook.NewHandler(standard(kept)))
	address := serve(t, server, func(l net.Listener) net.Listener { return countingListener{l, &read} })
	var writers sync.WaitGroup
	var conns []net.Conn
	for range senders {
		c := dial(t, address)
		conns = append(conns, c)
		writers.Go(func() { // all but the last byte: the body never ends
			_, _ = fmt.Fprintf(c, "POST /webhooks/meta HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", size, strings.Repeat("[", size-1))
		})
	}
	for read.Load() < atOnce*(size-1) {
		runtime.Gosched()
	}
	body := envelope(status("wamid.S", ""))
	for range 50 { // time enough for the others to be read, if they were
		if code, _, _ := post(t, "http://"+address, bytes.NewReader(body), signed(body)); code != 200 {
			t.Fatalf("a small body is answered %d", code)
		}
	}
	if n := read.Load(); n > atOnce*size+senders*(64<<10) {
		t.Errorf("read %d bytes of large bodies at once", n)
	}
	for _, c := range conns {
		_ = c.Close()
	}
	writers.Wait()
}

// Senders that dribble are cut off by the deadlines, and as long as they are
// within them good traffic passes.
func TestSlowSendersAreCutOff(t *testing.T) {
	const slow = 40
	kept := &shelf{}
	server := webhook.NewServer(webhook.NewHandler(standard(kept)))
	if server.ReadHeaderTimeout <= 0 || server.ReadTimeout <= 0 || server.WriteTimeout <= server.ReadTimeout || server.IdleTimeout <= 0 {
		t.Fatalf("deadlines are missing: %+v", server)
	}
	server.ReadHeaderTimeout, server.ReadTimeout = 300*time.Millisecond, 500*time.Millisecond
	address := serve(t, server, func(l net.Listener) net.Listener { return webhook.Limit(l, slow+2) })

	var cut sync.WaitGroup
	for i := range slow {
		c := dial(t, address)
		head := "POST /webhooks/meta HTTP/1.1\r\nHost: x\r\n"
		if i%2 == 0 { // dribbles its body, the others their headers
			head += "Content-Length: 1000000\r\n\r\n"
		}
		if _, err := io.WriteString(c, head); err != nil {
			t.Fatal(err)
		}
		cut.Go(func() {
			dribble := time.NewTicker(10 * time.Millisecond)
			defer dribble.Stop()
			for range dribble.C { // until the server hangs up
				if _, err := io.WriteString(c, "x"); err != nil {
					return
				}
			}
		})
	}
	body := batch(1)
	if code, _, _ := post(t, "http://"+address, bytes.NewReader(body), signed(body)); code != 200 {
		t.Errorf("among slow senders: answered %d", code)
	}
	cut.Wait()
	if code, _, _ := post(t, "http://"+address, bytes.NewReader(body), signed(body)); code != 200 {
		t.Errorf("after slow senders: answered %d", code)
	}
	if kept.count() != 2 {
		t.Errorf("%d stored, want the two good ones", kept.count())
	}
}

func TestHeadersAreBounded(t *testing.T) {
	address := serve(t, webhook.NewServer(webhook.NewHandler(standard(&shelf{}))), nil)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+"/healthz", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Long", strings.Repeat("x", 32<<10))
	if code, _, _ := do(t, r); code != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("answered %d, want 431", code)
	}
}

// At most n connections are open; the next is served as soon as one closes, and
// closing the listener wakes an Accept that waits for a place.
func TestLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 3
		inner := &pipes{}
		l := webhook.Limit(inner, n)
		var open []net.Conn
		var ended error
		go func() {
			for ended == nil {
				var c net.Conn
				if c, ended = l.Accept(); ended == nil {
					open = append(open, c)
				}
			}
		}()
		expect := func(accepted int, when string) {
			t.Helper()
			synctest.Wait()
			if len(open) != accepted {
				t.Fatalf("%s: %d accepted, want %d", when, len(open), accepted)
			}
		}
		expect(n, "at first")
		_ = open[0].Close()
		_ = open[0].Close() // gives its place back once only
		expect(n+1, "after one is closed")
		inner.broken = errors.New("too many open files")
		_ = open[1].Close()
		synctest.Wait()
		if !errors.Is(ended, inner.broken) {
			t.Fatalf("got %v, want the listener's own error", ended)
		}
		inner.broken = nil
		if _, err := l.Accept(); err != nil { // blocks for ever if the failed one kept its place
			t.Fatal(err)
		}
		go func() { _, ended = l.Accept() }() // no place is free
		synctest.Wait()
		_ = l.Close()
		synctest.Wait()
		if !errors.Is(ended, net.ErrClosed) {
			t.Errorf("got %v, want Accept to end with the listener", ended)
		}
	})
}

// pipes is a listener on which somebody always calls.
type pipes struct{ broken error }

func (p *pipes) Accept() (net.Conn, error) {
	if p.broken != nil {
		return nil, p.broken
	}
	c, _ := net.Pipe()
	return c, nil
}

func (p *pipes) Close() error { return nil }

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }
