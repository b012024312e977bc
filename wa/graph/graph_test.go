package graph

import (
	"bytes"
	"context"
	"crypto/x509"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"tickwatch/wa"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// canary is the access token of the tests. Nothing but an Authorization header
// may ever hold it.
const canary = "EAAGcanary0123456789abcdefZDZD"

const number = "500100200300400"

// speak makes a client of an address, and checks at the end of the test that its
// log kept the token to itself.
func speak(t testing.TB, base string, change ...func(*Options)) *Client {
	t.Helper()
	var log guarded
	o := Options{
		BaseURL: base,
		Token:   func() wa.Secret { return wa.NewSecret(canary) },
		Log:     slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	for _, f := range change {
		f(&o)
	}
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.Close()
		if s := log.String(); strings.Contains(s, canary) {
			t.Errorf("the log shows the token: %s", s)
		}
	})
	return c
}

// guarded is a buffer that several may write to.
type guarded struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (g *guarded) Write(p []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.b.Write(p)
}

func (g *guarded) String() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.b.String()
}

// tape records every byte that clients sent, whatever the server made of it.
type tape struct{ guarded }

type tapedConn struct {
	net.Conn
	tape *tape
}

func (c tapedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	_, _ = c.tape.Write(p[:n])
	return n, err
}

// listen is a server of bare connections on loopback: serve gets each, with its
// number, and what it returns from is closed.
func listen(t testing.TB, serve func(n int, c net.Conn)) (address string, sent *tape) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var (
		open sync.WaitGroup
		mu   sync.Mutex
		all  []net.Conn
	)
	sent = &tape{}
	open.Go(func() {
		for n := 1; ; n++ {
			c, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			all = append(all, c)
			mu.Unlock()
			open.Go(func() {
				defer func() { _ = c.Close() }()
				serve(n, tapedConn{c, sent})
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		mu.Lock()
		for _, c := range all {
			_ = c.Close()
		}
		mu.Unlock()
		open.Wait()
	})
	return l.Addr().String(), sent
}

// outgoing is a message that can be sent.
func outgoing() *wa.Outgoing {
	return &wa.Outgoing{
		To: "+351900000001", CallbackData: "autumn:tw-a1-2s",
		Template: wa.Filled{Name: "autumn_offer", Language: "pt_PT", Values: []wa.FilledValue{
			{Variable: wa.Variable{Name: "1", Kind: wa.VariableText}, Value: "Ana"},
		}},
	}
}

const acceptance = `{"messaging_product":"whatsapp","contacts":[{"input":"+351900000001","wa_id":"351900000001","user_id":"PT.84001"}],` +
	`"messages":[{"id":"wamid.A","message_status":"accepted"}]}`

// accept answers every request with acceptance.
func accept(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, acceptance)
}

func TestNew(t *testing.T) {
	token := func() wa.Secret { return wa.NewSecret(canary) }
	for _, c := range []struct {
		o    Options
		want string // part of the error; "" = none
	}{
		{Options{Token: token}, ""},
		{Options{Token: token, BaseURL: "http://127.0.0.1:8490", Version: "v25.0"}, ""},
		{Options{Token: token, BaseURL: "http://localhost:8490/"}, ""},
		{Options{Token: token, BaseURL: "http://[::1]:8490"}, ""},
		{Options{Token: token, BaseURL: "https://graph.example/meta/"}, ""},
		{Options{Token: token, BaseURL: "http://graph.facebook.com"}, "in the clear"},
		{Options{Token: token, BaseURL: "http://localhost.example"}, "in the clear"},
		{Options{Token: token, BaseURL: "ftp://graph.facebook.com"}, "is no address"},
		{Options{Token: token, BaseURL: "graph.facebook.com"}, "is no address"},
		{Options{Token: token, BaseURL: "https://"}, "is no address"},
		{Options{Token: token, BaseURL: "https://a:b@graph.facebook.com"}, "is no address"},
		{Options{Token: token, BaseURL: "https://graph.facebook.com?access_token=x"}, "is no address"},
		{Options{Token: token, BaseURL: "https://169.254.169.254"}, "no public host"},
		{Options{Token: token, BaseURL: "https://[::ffff:169.254.169.254]"}, "no public host"},
		{Options{Token: token, BaseURL: "https://[fd00:ec2::254]"}, "metadata"},
		{Options{Token: token, BaseURL: "https://0.0.0.0"}, "no public host"},
		{Options{Token: token, Version: "26"}, "graph.version"},
		{Options{Token: token, Version: "v26.0/../.."}, "graph.version"},
		{Options{}, "access token"},
	} {
		client, err := New(c.o)
		if c.want == "" {
			if err != nil || client == nil {
				t.Errorf("%+v: %v", c.o, err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q, %q: %v, want an error with %q", c.o.BaseURL, c.o.Version, err, c.want)
		}
	}
}

// send sends outgoing with an open gate.
func send(c *Client) (wa.Accepted, error) {
	return c.Send(context.Background(), number, outgoing(), nil)
}

// rootsOf trusts a test server's certificate.
func rootsOf(s *httptest.Server) *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(s.Certificate())
	return pool
}
