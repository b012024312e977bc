package cli

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"testing"

	"tickwatch/store"
	"tickwatch/wa/webhook"
)

// freeAddress is one on loopback that was free a moment ago.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func TestCheckDaemon(t *testing.T) {
	cfg := healthy(t)
	expect := func(version, state string, answers bool, says ...string) {
		t.Helper()
		c, got := checkDaemon(t.Context(), cfg, version)
		found(t, c, state, says...)
		if got != answers {
			t.Errorf("answers: %v, want %v", got, answers)
		}
	}
	expect(version(), "note", false, "does not run", "tickwatch serve")

	s, err := store.Open(t.Context(), store.Options{Dir: cfg.Data.Dir}) // one that has no link
	if err != nil {
		t.Fatal(err)
	}
	expect(version(), "FAIL", false, "process "+strconv.Itoa(os.Getpid()), cfg.Link.Socket)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	expect(version(), "note", false, "does not run") // the lock's file stays, unlocked

	runDaemon(t, cfg)
	expect(version(), "ok", true, "version "+version())
	expect("1.2.3", "note", true, version(), "1.2.3", "restart")
	found(t, checkPort(t.Context(), cfg.Webhook, true), "ok", "can store")

	cfg.Webhook.Listen = freeAddress(t) // changed since the start
	found(t, checkPort(t.Context(), cfg.Webhook, true), "FAIL", "nobody listens", "restart")
	cfg.Link.Socket = "/" + strings.Repeat("x", 200)
	expect(version(), "FAIL", false, "link.socket")
}

func TestCheckPort(t *testing.T) {
	serve := func(h http.Handler) string {
		s := httptest.NewServer(h)
		t.Cleanup(s.Close)
		return s.Listener.Addr().String()
	}
	full := webhook.NewHandler(webhook.Options{Ready: func(context.Context) error { return errors.New("the disk is full") }})
	rude := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	for _, c := range []struct {
		name, listen string
		state        string
		says         []string
	}{
		{"free", freeAddress(t), "ok", []string{"is free"}},
		{"any", "127.0.0.1:0", "note", []string{"another port at every start"}},
		{"ours, full", serve(full), "FAIL", []string{"alive", "cannot store", "the disk is full"}},
		{"another program", serve(http.NotFoundHandler()), "FAIL", []string{"another program", "webhook.listen"}},
		{"one that hangs up", serve(rude), "FAIL", []string{"does not answer"}},
		{"not of this machine", "192.0.2.1:8480", "FAIL", []string{"cannot be opened", "of this machine"}},
		{"no port", "127.0.0.1", "FAIL", []string{"cannot be opened"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			found(t, checkPort(t.Context(), WebhookConfig{Listen: c.listen}, false), c.state, c.says...)
		})
	}
}

// TestCheckPortTLS: the daemon must show the certificate of the file, whoever
// signed it; after a renewal it needs a restart to do so.
func TestCheckPortTLS(t *testing.T) {
	w := WebhookConfig{}
	ca := newAuthority(t)
	w.TLSCert, w.TLSKey = ca.issue(t, certificate{host: "hooks.tickwatch.net"})
	pair, err := tls.LoadX509KeyPair(w.TLSCert, w.TLSKey)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(webhook.NewHandler(webhook.Options{Ready: func(context.Context) error { return nil }}))
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0) // the refused handshake is meant
	s.TLS = &tls.Config{Certificates: []tls.Certificate{pair}}
	s.StartTLS()
	defer s.Close()
	w.Listen = s.Listener.Addr().String()
	found(t, checkPort(t.Context(), w, true), "ok", "can store")
	w.TLSCert, w.TLSKey = ca.issue(t, certificate{host: "hooks.tickwatch.net"})
	found(t, checkPort(t.Context(), w, true), "FAIL", "another certificate", "restart")
}

func TestReachable(t *testing.T) {
	for in, want := range map[string]string{
		":8480": "127.0.0.1:8480", "0.0.0.0:1": "127.0.0.1:1", "[::]:1": "[::1]:1", "[::1]:1": "[::1]:1", "10.0.0.1:1": "10.0.0.1:1", "localhost:1": "localhost:1", "x": "x",
	} {
		if got := reachable(in); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}

func TestCheckPublic(t *testing.T) {
	for _, c := range []struct{ address, state, says string }{
		{"", "note", "not set"},
		{"https://hooks.tickwatch.net", "ok", " https://hooks.tickwatch.net/webhooks/meta (403"},
		{"https://hooks.tickwatch.net/", "ok", " https://hooks.tickwatch.net/webhooks/meta (403"},
		{"https://hooks.tickwatch.net/webhooks/meta", "ok", "'%{http_code}' https://hooks.tickwatch.net/webhooks/meta (403"},
		{"https://hooks.tickwatch.net:8443/x", "ok", " https://hooks.tickwatch.net:8443/x/webhooks/meta (403"},
		{"https://93.184.216.34", "ok", ""},
		{"http://hooks.tickwatch.net", "FAIL", "not https"},
		{"http://127.0.0.1:8480", "FAIL", "127.0.0.1"},
		{"https://localhost", "FAIL", "localhost"},
		{"https://10.1.2.3", "FAIL", "10.1.2.3"},
		{"https://192.168.1.2:8480", "FAIL", ""},
		{"https://172.16.0.1", "FAIL", ""},
		{"https://100.64.0.1", "FAIL", ""},
		{"https://169.254.169.254", "FAIL", ""},
		{"https://0.0.0.0", "FAIL", ""},
		{"https://[::1]", "FAIL", ""},
		{"https://[::ffff:10.0.0.1]", "FAIL", ""},
		{"https://[::ffff:100.64.0.1]", "FAIL", ""},
		{"https://[fd00::1]", "FAIL", ""},
		{"https://[fe80::1]", "FAIL", ""},
		{"https://[2606:2800:220:1::1]", "ok", ""},
		{"https://jumphost", "FAIL", ""},
		{"https://tickwatch.local", "FAIL", ""},
		{"https://TICKWATCH.INTERNAL.", "FAIL", ""},
		{"https://%zz", "FAIL", "no address"},
	} {
		t.Run(c.address, func(t *testing.T) { found(t, checkPublic(c.address), c.state, c.says) })
	}
}
