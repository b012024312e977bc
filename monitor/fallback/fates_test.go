package fallback

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"tickwatch/wa"
)

// response is a whole answer.
func response(status int, body string, headers ...string) string {
	head := append([]string{fmt.Sprintf("HTTP/1.1 %d %s", status, http.StatusText(status)), fmt.Sprintf("Content-Length: %d", len(body))}, headers...)
	return strings.Join(head, "\r\n") + "\r\n\r\n" + body
}

// TestFates draws the borders between what can come of a send, each on a real
// socket that misbehaves so, and for every provider.
func TestFates(t *testing.T) {
	for _, one := range served {
		status, body := acceptance(one.provider)
		whole := response(status, body)
		for name, c := range map[string]struct {
			answer string
			want   wa.FallbackAnswerKind
			text   string // part of Details
		}{
			"accepted":             {whole, wa.FallbackAccepted, ""},
			"accepted, cut":        {whole[:len(whole)-1], wa.FallbackUnknown, "ended in the middle"},
			"500":                  {response(500, `{"code":1}`), wa.FallbackUnknown, ""},
			"503 with Retry-After": {response(503, "", "Retry-After: 5"), wa.FallbackUnknown, "HTTP 503"},
			"503 that says queued": {response(503, body), wa.FallbackUnknown, ""},
			"nothing":              {"", wa.FallbackUnknown, "closed without an answer"},
			"half a status line":   {"HTTP/1.1 20", wa.FallbackUnknown, ""},
			"no HTTP":              {"SSH-2.0-OpenSSH_9.2\r\n", wa.FallbackUnknown, ""},
			"200 and garbage":      {response(200, `{"id":`), wa.FallbackUnknown, ""},
			"200 and nothing":      {response(200, ""), wa.FallbackUnknown, ""},
			"200 and null":         {response(200, "null"), wa.FallbackUnknown, ""},
			"200 and a page":       {response(200, "<html>Welcome to the hotel's network"), wa.FallbackUnknown, ""},
			"200 too long":         {response(status, body+strings.Repeat(" ", 1<<20)), wa.FallbackUnknown, "longer than"},
			"204":                  {"HTTP/1.1 204 No Content\r\n\r\n", wa.FallbackUnknown, ""},
			"400":                  {response(400, "no"), wa.FallbackRejected, "no"},
			"400 and garbage":      {response(400, `{"x":[`), wa.FallbackRejected, ""},
			"401":                  {response(401, "who"), wa.FallbackThrottled, "password"},
			"402":                  {response(402, ""), wa.FallbackThrottled, "the account is not accepted"},
			"404":                  {response(404, "what"), wa.FallbackThrottled, ".url"},
			"408":                  {response(408, "slow"), wa.FallbackUnknown, ""},
			"429":                  {response(429, "slow down"), wa.FallbackThrottled, "slow down"},
			"429 cut":              {"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 100\r\n\r\n{", wa.FallbackThrottled, ""},
			"hostile":              {response(400, "\x1b]0;gone\a\u202eevil \x9b31m"), wa.FallbackRejected, "evil"},
		} {
			t.Run(one.provider+"/"+one.channel+"/"+name, func(t *testing.T) {
				address, _ := listen(t, func(conn net.Conn) {
					take(conn)
					_, _ = io.WriteString(conn, c.answer)
				})
				p := speak(t, one.channel, settings(one.provider, one.channel, "http://"+address))
				a, begun, err := send(t, t.Context(), p, one.channel, nil)
				if a.Kind != c.want || !strings.Contains(a.Details, c.text) || err != nil || begun != 1 {
					t.Errorf("%+v (%v) after %d begins, want kind %d with %q", a, err, begun, c.want, c.text)
				}
			})
		}
	}
}

// TestRetryAfter: a wait that a provider asks for is handed on.
func TestRetryAfter(t *testing.T) {
	for _, one := range served {
		address, _ := listen(t, func(conn net.Conn) {
			take(conn)
			_, _ = io.WriteString(conn, response(429, "{}", "Retry-After: 7"))
		})
		a, _, _ := send(t, t.Context(), speak(t, one.channel, settings(one.provider, one.channel, "http://"+address)), one.channel, nil)
		if a.Kind != wa.FallbackThrottled || a.RetryAfter != 7*time.Second {
			t.Errorf("%s: %+v", one.provider, a)
		}
	}
}

// TestWire: what happens below HTTP.
func TestWire(t *testing.T) {
	for _, one := range served {
		for name, c := range map[string]struct {
			serve func(net.Conn)
			set   func(p Provider, c *Channel, address string)
			want  wa.FallbackAnswerKind
			begun int
		}{
			"reset": {func(conn net.Conn) {
				take(conn)
				_ = conn.(tapedConn).Conn.(*net.TCPConn).SetLinger(0)
			}, nil, wa.FallbackUnknown, 1},
			"no answer": {func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }, func(p Provider, _ *Channel, _ string) {
				if p != nil {
					lineOf(p).wire.Patience = 30 * time.Millisecond
				}
			}, wa.FallbackUnknown, 1},
			"nobody there": {nil, func(_ Provider, c *Channel, _ string) { c.URL = "http://127.0.0.1:1" }, wa.FallbackNotSent, 0},
			"no TLS": {func(conn net.Conn) { _, _ = io.WriteString(conn, "HTTP/1.1 400 No\r\n\r\n") }, func(_ Provider, c *Channel, address string) {
				c.URL = "https://" + address
			}, wa.FallbackNotSent, 0},
			"TLS that never ends": {func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }, func(p Provider, c *Channel, address string) {
				c.URL = "https://" + address
				if p != nil {
					lineOf(p).wire.Dialer.Timeout = 50 * time.Millisecond
				}
			}, wa.FallbackNotSent, 0},
		} {
			t.Run(one.provider+"/"+one.channel+"/"+name, func(t *testing.T) {
				address, _ := listen(t, c.serve)
				set := settings(one.provider, one.channel, "http://"+address)
				if c.set != nil {
					c.set(nil, &set, address)
				}
				p := speak(t, one.channel, set)
				if c.set != nil {
					c.set(p, &set, address)
				}
				a, begun, err := send(t, t.Context(), p, one.channel, nil)
				if a.Kind != c.want || begun != c.begun || err != nil || a.Details == "" {
					t.Errorf("%+v (%v) after %d begins, want kind %d after %d", a, err, begun, c.want, c.begun)
				}
			})
		}
	}
}

// TestUntrusted: a host that cannot prove who it is gets nothing.
func TestUntrusted(t *testing.T) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a request came") }))
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo)
	s.StartTLS()
	defer s.Close()
	for _, one := range served {
		a, begun, err := send(t, t.Context(), speak(t, one.channel, settings(one.provider, one.channel, s.URL)), one.channel, nil)
		if a.Kind != wa.FallbackNotSent || begun != 0 || err != nil || !strings.Contains(a.Details, "certificate") {
			t.Errorf("%s: %+v, %v", one.provider, a, err)
		}
	}
}

// TestRedirect: nobody is led elsewhere, neither with the message nor with the
// password.
func TestRedirect(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the redirect was followed") }))
	defer other.Close()
	for _, code := range []int{301, 302, 303, 307, 308} {
		s := httptest.NewServer(http.RedirectHandler(other.URL, code))
		for _, one := range served {
			a, _, err := send(t, t.Context(), speak(t, one.channel, settings(one.provider, one.channel, s.URL)), one.channel, nil)
			if a.Kind != wa.FallbackUnknown || err != nil || !strings.Contains(a.Details, ".url") {
				t.Errorf("%s, HTTP %d: %+v, %v", one.provider, code, a, err)
			}
		}
		s.Close()
	}
}

// TestClosedGate: when begin says no, nothing of the message leaves, on a new
// connection and on one that is kept.
func TestClosedGate(t *testing.T) {
	closed := errors.New("paused")
	for _, one := range served {
		t.Run(one.provider+"/"+one.channel, func(t *testing.T) {
			var arrived int
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				arrived++
				status, body := acceptance(one.provider)
				w.WriteHeader(status)
				_, _ = io.WriteString(w, body)
			}))
			p := speak(t, one.channel, settings(one.provider, one.channel, s.URL))
			for i, gate := range []error{closed, nil, closed} {
				a, begun, err := send(t, t.Context(), p, one.channel, func() error { return gate })
				if begun != 1 || !errors.Is(err, gate) || (a.Kind == wa.FallbackAccepted) != (gate == nil) || gate != nil && !errors.Is(err, wa.ErrNotSent) {
					t.Errorf("send %d: %+v, %v", i+1, a, err)
				}
			}
			p.(interface{ Close() }).Close()
			s.Close() // waits for what is being served
			if arrived != 1 {
				t.Errorf("%d messages arrived, want 1", arrived)
			}
		})
	}
}

// TestBrokenOff: the end of the context means something else before and after begin.
func TestBrokenOff(t *testing.T) {
	reason := errors.New("the daemon stops")
	for _, one := range served {
		for before, want := range map[bool]wa.FallbackAnswerKind{true: wa.FallbackNotSent, false: wa.FallbackUnknown} {
			ctx, cancel := context.WithCancelCause(t.Context())
			address, _ := listen(t, func(conn net.Conn) {
				take(conn)
				cancel(reason)
				_, _ = io.Copy(io.Discard, conn)
			})
			if before {
				cancel(reason)
			}
			a, begun, err := send(t, ctx, speak(t, one.channel, settings(one.provider, one.channel, "http://"+address)), one.channel, nil)
			if a.Kind != want || (begun == 0) != before || err != nil || !strings.Contains(a.Details, reason.Error()) {
				t.Errorf("%s, before begin %v: %+v, %v", one.provider, before, a, err)
			}
		}
	}
}

// TestEcho: a provider that shows our own request in its answer makes no secret known.
func TestEcho(t *testing.T) {
	for _, one := range served {
		address, _ := listen(t, func(conn net.Conn) {
			r, body := take(conn)
			text := body + " " + r.Header.Get("X-Kannel-Password") + " " + r.Header.Get("Authorization") + " " + canary
			_, _ = io.WriteString(conn, response(400, text))
		})
		a, _, _ := send(t, t.Context(), speak(t, one.channel, settings(one.provider, one.channel, "http://"+address)), one.channel, nil)
		if a.Kind != wa.FallbackRejected || a.Details == "" {
			t.Errorf("%s: %+v", one.provider, a)
		}
	}
}

// TestUnfitMessages: what no provider could take is rejected without asking it, and
// without begin.
func TestUnfitMessages(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a request came") }))
	defer s.Close()
	for _, one := range served {
		p := speak(t, one.channel, settings(one.provider, one.channel, s.URL))
		for _, change := range []func(*wa.FallbackMessage){
			func(m *wa.FallbackMessage) { m.To = "" },
			func(m *wa.FallbackMessage) { m.To = "351900000001" },
			func(m *wa.FallbackMessage) { m.To = "+351900000001\r\nX-Evil: 1" },
			func(m *wa.FallbackMessage) { m.To = "+3519000000011111" },
			func(m *wa.FallbackMessage) { m.Text = " \n" },
			func(m *wa.FallbackMessage) { m.Text = "a\xff" },
		} {
			m := message(one.channel)
			change(m)
			a, err := p.Send(t.Context(), m, func() error { t.Error("begin was asked"); return nil })
			if a.Kind != wa.FallbackRejected || err != nil || strings.Contains(a.Details, "9000000") {
				t.Errorf("%s: %+v, %v", one.provider, a, err)
			}
		}
	}
}
