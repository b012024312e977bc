package graph

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"tickwatch/wa"
)

// answerAll answers every request of a connection until it ends.
func answerAll(c net.Conn) {
	for in := bufio.NewReader(c); ; {
		r, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(acceptance), acceptance)
	}
}

func closedGate() error { return wa.ErrGateClosed }

// notSentBecause checks an error that tells that nothing was written.
func notSentBecause(t *testing.T, err, cause error) {
	t.Helper()
	if !errors.Is(err, wa.ErrNotSent) || errors.Is(err, wa.ErrMayHaveGone) || !errors.Is(err, cause) {
		t.Errorf("%v, want %v with %v", err, wa.ErrNotSent, cause)
	}
}

// TestClosedGate: nothing leaves, on a new connection and on one that is kept.
func TestClosedGate(t *testing.T) {
	ended := make(chan struct{}, 2)
	address, sent := listen(t, func(_ int, c net.Conn) {
		answerAll(c)
		ended <- struct{}{}
	})
	c := speak(t, "http://"+address)

	_, err := c.Send(t.Context(), number, outgoing(), closedGate)
	notSentBecause(t, err, wa.ErrGateClosed)
	<-ended // the server has read all that there was
	if sent.String() != "" {
		t.Fatalf("%q left through a closed gate", sent)
	}

	if _, err := send(c); err != nil {
		t.Fatal(err)
	}
	before := sent.String()
	_, err = c.Send(t.Context(), number, outgoing(), closedGate)
	notSentBecause(t, err, wa.ErrGateClosed)
	<-ended
	if after := sent.String(); after != before || strings.Count(after, "POST ") != 1 {
		t.Errorf("after one request %q left through a closed gate", strings.TrimPrefix(after, before))
	}
}

// TestClosedGateTLS: of what is encrypted nothing leaves either. The server would
// rather speak HTTP/2.
func TestClosedGateTLS(t *testing.T) {
	certificate := httptest.NewUnstartedServer(nil)
	certificate.StartTLS()
	defer certificate.Close()
	plain := make(chan string, 1)
	address, sent := listen(t, func(_ int, c net.Conn) {
		secured := tls.Server(c, &tls.Config{Certificates: certificate.TLS.Certificates, NextProtos: []string{"h2", "http/1.1"}})
		got, _ := io.ReadAll(secured)
		plain <- secured.ConnectionState().NegotiatedProtocol + " " + string(got)
	})
	c := speak(t, "https://"+address, func(o *Options) { o.Roots = rootsOf(certificate) })
	_, err := c.Send(t.Context(), number, outgoing(), closedGate)
	notSentBecause(t, err, wa.ErrGateClosed)
	if got := <-plain; got != "http/1.1 " {
		t.Errorf("protocol and plain text: %q, want http/1.1 and nothing", got)
	}
	if sent.String() == "" {
		t.Error("not even a handshake was seen, so the test saw nothing")
	}
}

// TestHTTP1Only: a server that offers HTTP/2 gets HTTP/1.1, and no request
// through a closed gate.
func TestHTTP1Only(t *testing.T) {
	var asked []string
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.Proto)
		accept(w, r)
	}))
	s.EnableHTTP2 = true
	s.StartTLS()
	c := speak(t, s.URL, func(o *Options) { o.Roots = rootsOf(s) })
	if _, err := send(c); err != nil {
		t.Error(err)
	}
	_, err := c.Send(t.Context(), number, outgoing(), closedGate)
	notSentBecause(t, err, wa.ErrGateClosed)
	s.Close() // waits for what is being served
	if len(asked) != 1 || asked[0] != "HTTP/1.1" {
		t.Errorf("the server was asked by %v, want once by HTTP/1.1", asked)
	}
}

// TestPauseWhileDialling: a pause that comes while the connection is being made
// counts, because the gate is asked only when it stands.
func TestPauseWhileDialling(t *testing.T) {
	ended := make(chan struct{})
	address, sent := listen(t, func(_ int, c net.Conn) {
		answerAll(c)
		close(ended)
	})
	c := speak(t, "http://"+address)
	dialling, on := make(chan struct{}), make(chan struct{})
	guard := c.wire.Dialer.ControlContext
	c.wire.Dialer.ControlContext = func(ctx context.Context, network, address string, raw syscall.RawConn) error {
		close(dialling)
		<-on
		return guard(ctx, network, address, raw)
	}
	var paused atomic.Bool
	var asked atomic.Int32
	failed := make(chan error, 1)
	go func() {
		_, err := c.Send(t.Context(), number, outgoing(), func() error {
			asked.Add(1)
			if paused.Load() {
				return wa.ErrGateClosed
			}
			return nil
		})
		failed <- err
	}()
	<-dialling
	if asked.Load() != 0 {
		t.Error("the gate was asked before there was a connection")
	}
	paused.Store(true)
	close(on)
	notSentBecause(t, <-failed, wa.ErrGateClosed)
	<-ended
	if sent.String() != "" || asked.Load() != 1 {
		t.Errorf("%q left, and the gate was asked %d times", sent, asked.Load())
	}
}

// TestNeverTwice: a server that closes a kept connection just as a request comes
// gets no second one, for the first may have been carried out.
func TestNeverTwice(t *testing.T) {
	for name, part := range map[string]func(net.Conn){
		"closes": func(net.Conn) {},
		"resets": func(c net.Conn) { _ = c.(tapedConn).Conn.(*net.TCPConn).SetLinger(0) },
	} {
		t.Run(name, func(t *testing.T) {
			address, sent := listen(t, func(n int, c net.Conn) {
				if n > 1 {
					answerAll(c)
					return
				}
				in := bufio.NewReader(c)
				r, err := http.ReadRequest(in)
				if err != nil {
					return
				}
				_, _ = io.Copy(io.Discard, r.Body)
				_, _ = fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(acceptance), acceptance)
				_, _ = in.Peek(1)
				part(c)
			})
			c := speak(t, "http://"+address)
			begins, written := 0, 0
			for i := range 2 {
				m := outgoing()
				m.Written = func() { written++ }
				_, err := c.Send(t.Context(), number, m, func() error { begins++; return nil })
				if i == 0 && err != nil || i == 1 && !errors.Is(err, wa.ErrMayHaveGone) {
					t.Fatalf("send %d: %v", i+1, err)
				}
			}
			if begins != 2 || written != 2 || strings.Count(sent.String(), "POST ") != 2 {
				t.Errorf("%d begins, %d written, %d requests arrived", begins, written, strings.Count(sent.String(), "POST "))
			}
		})
	}
}

// TestConnectionsThatClose: whatever moment a server takes to close its
// connections, each message arrives at most once, and what was not sent did not
// arrive.
func TestConnectionsThatClose(t *testing.T) {
	address, sent := listen(t, func(_ int, c net.Conn) {
		in := bufio.NewReader(c)
		r, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(acceptance), acceptance)
	})
	c := speak(t, "http://"+address)
	const sends, atOnce = 300, 8
	var results [sends]error
	var next atomic.Int64
	var senders sync.WaitGroup
	for range atOnce {
		senders.Go(func() {
			for {
				i := next.Add(1) - 1
				if i >= sends {
					return
				}
				m := outgoing()
				m.CallbackData = fmt.Sprintf("message<%d>", i)
				_, results[i] = c.Send(t.Context(), number, m, func() error { return nil })
			}
		})
	}
	senders.Wait()
	all := sent.String()
	kinds := map[string]int{}
	for i, err := range results {
		arrived := strings.Count(all, fmt.Sprintf(`message\u003c%d\u003e`, i))
		switch {
		case err == nil && arrived == 1:
			kinds["accepted"]++
		case errors.Is(err, wa.ErrNotSent) && arrived == 0:
			kinds["not sent"]++
		case errors.Is(err, wa.ErrMayHaveGone) && arrived <= 1:
			kinds["may have gone"]++
		default:
			t.Errorf("message %d arrived %d times, and the send said %v", i, arrived, err)
		}
	}
	if kinds["accepted"] == 0 {
		t.Errorf("none was accepted: %v", kinds)
	}
	t.Log(kinds)
}

// TestPauseUnderLoad closes the gate while many requests are on their way: those
// that passed arrive, no other does, and Written tells when they have left.
func TestPauseUnderLoad(t *testing.T) {
	var arrived atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		arrived.Add(1)
		accept(w, r)
	}))
	c := speak(t, s.URL)
	const atOnce, before = 32, 500
	var (
		gate    sync.Mutex
		closed  bool
		passed  int64
		leaving sync.WaitGroup
		enough  = make(chan struct{})
		senders sync.WaitGroup
	)
	begin := func() error {
		gate.Lock()
		defer gate.Unlock()
		if closed {
			return wa.ErrGateClosed
		}
		leaving.Add(1)
		if passed++; passed == before {
			close(enough)
		}
		return nil
	}
	for range atOnce {
		senders.Go(func() {
			for {
				m := outgoing()
				m.Written = leaving.Done
				if _, err := c.Send(t.Context(), number, m, begin); err != nil {
					notSentBecause(t, err, wa.ErrGateClosed)
					return
				}
			}
		})
	}
	<-enough
	gate.Lock()
	closed = true
	gate.Unlock()
	leaving.Wait() // what a pause waits for
	senders.Wait()
	s.Close()
	if arrived.Load() != passed {
		t.Errorf("%d passed the gate and %d arrived", passed, arrived.Load())
	}
}

// TestLargeRequest: what does not fit into one write still passes one gate.
func TestLargeRequest(t *testing.T) {
	address, sent := listen(t, func(_ int, c net.Conn) { answerAll(c) })
	c := speak(t, "http://"+address)
	m := outgoing()
	m.Template.Values[0].Value = strings.Repeat("ã", 20<<10)
	begins, written := 0, 0
	m.Written = func() { written++ }
	if _, err := c.Send(t.Context(), number, m, func() error { begins++; return nil }); err != nil || begins != 1 || written != 1 {
		t.Errorf("%v, after %d begins and %d written", err, begins, written)
	}
	if !strings.Contains(sent.String(), m.Template.Values[0].Value) {
		t.Error("not all of it arrived")
	}
}
