package graph

import (
	"bytes"
	"compress/gzip"
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
	"tickwatch/wa/wire"
)

// fate is what a send can come to.
type fate string

const (
	accepted fate = "accepted"
	refused  fate = "refused"
	notGone  fate = "not sent"
	maybe    fate = "may have gone"
)

// fateOf tells it, and checks that an error is of one kind only and keeps the
// token to itself.
func fateOf(t *testing.T, a wa.Accepted, err error) fate {
	t.Helper()
	if err == nil {
		if a.WAMID == "" {
			t.Error("accepted without an id")
		}
		return accepted
	}
	if a != (wa.Accepted{}) {
		t.Errorf("%+v came with the error %v", a, err)
	}
	for _, how := range []string{"%v", "%+v", "%#v", "%q"} {
		if text := fmt.Sprintf(how, err); strings.Contains(text, canary) {
			t.Errorf("the error shows the token: %s", text)
		}
	}
	for inner := err; inner != nil; inner = errors.Unwrap(inner) {
		if strings.Contains(inner.Error(), canary) {
			t.Errorf("an error within shows the token: %v", inner)
		}
	}
	if s := err.Error(); s != wa.Clean(s) || len(s) > 4*300 {
		t.Errorf("the error is not fit to be shown: %.2000q", s)
	}
	_, isRefusal := errors.AsType[*wa.Refusal](err)
	kinds := map[fate]bool{refused: isRefusal, notGone: errors.Is(err, wa.ErrNotSent), maybe: errors.Is(err, wa.ErrMayHaveGone)}
	var all []fate
	for kind, is := range kinds {
		if is {
			all = append(all, kind)
		}
	}
	if len(all) != 1 {
		t.Fatalf("%v is of the kinds %v", err, all)
	}
	return all[0]
}

// raw answers each request with the same bytes and then closes the connection.
func raw(bytes string) func(int, net.Conn) {
	return func(_ int, c net.Conn) {
		in := make([]byte, 64<<10)
		n, _ := c.Read(in) // an ordinary request is one write
		_, _ = io.WriteString(c, strings.ReplaceAll(bytes, "{echo}", headerOf(in[:n])))
	}
}

// headerOf is the Authorization header that a request carried.
func headerOf(request []byte) string {
	for line := range bytes.Lines(request) {
		if bytes.HasPrefix(line, []byte("Authorization: ")) {
			return string(bytes.TrimSpace(line))
		}
	}
	return "no token came"
}

// response is a whole answer.
func response(status, body string, headers ...string) string {
	head := append([]string{"HTTP/1.1 " + status, fmt.Sprintf("Content-Length: %d", len(body))}, headers...)
	return strings.Join(head, "\r\n") + "\r\n\r\n" + body
}

const graphError = `{"error":{"message":"(#130429) Rate limit hit","type":"OAuthException","code":130429,"error_subcode":2494055,` +
	`"error_data":{"messaging_product":"whatsapp","details":"Too many messages from this phone number"},"fbtrace_id":"Az8or2yhqkZfEZ"}}`

// TestFates draws the borders between the ways a send can end, each on a real
// socket that misbehaves so.
func TestFates(t *testing.T) {
	zipped := func(text string) string {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		_, _ = io.WriteString(z, text)
		_ = z.Close()
		return b.String()
	}
	for name, c := range map[string]struct {
		answer string
		want   fate
	}{
		"accepted":                          {response("200 OK", acceptance), accepted},
		"accepted, with another 2xx":        {response("202 Accepted", acceptance), accepted},
		"accepted, in pieces":               {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(acceptance), acceptance), accepted},
		"accepted, contacts unreadable":     {response("200 OK", `{"contacts":{"a":1},"messages":[{"id":"wamid.A","message_status":{}}]}`), accepted},
		"a Graph error":                     {response("400 Bad Request", graphError), refused},
		"a Graph error, code in quotes":     {response("403 Forbidden", `{"error":{"code":"131031"}}`), refused},
		"a Graph error, code 0":             {response("401 Unauthorized", `{"error":{"code":0,"message":"x"}}`), refused},
		"429 without JSON":                  {response("429 Too Many Requests", "<html>slow down"), refused},
		"429 cut":                           {"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 100\r\n\r\n{\"error\"", refused},
		"401 without JSON":                  {response("401 Unauthorized", ""), refused},
		"nothing":                           {"", maybe},
		"half a status line":                {"HTTP/1.1 20", maybe},
		"no HTTP":                           {"SSH-2.0-OpenSSH_9.2\r\n", maybe},
		"half the headers":                  {"HTTP/1.1 200 OK\r\nContent-Type: appl", maybe},
		"200 cut":                           {"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n" + acceptance, maybe},
		"200 cut, in pieces":                {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + fmt.Sprintf("%x\r\n%s\r\n", len(acceptance), acceptance), maybe},
		"200 empty":                         {response("200 OK", ""), maybe},
		"200 no JSON":                       {response("200 OK", "<html>hello"), maybe},
		"200 without a message":             {response("200 OK", `{"messages":[]}`), maybe},
		"200 with null":                     {response("200 OK", `null`), maybe},
		"200 with an empty id":              {response("200 OK", `{"messages":[{"id":" "}]}`), maybe},
		"200 with a number for an id":       {response("200 OK", `{"messages":[{"id":5}]}`), maybe},
		"200 with an absurd id":             {response("200 OK", `{"messages":[{"id":"`+strings.Repeat("A", maxID+1)+`"}]}`), maybe},
		"200 with a Graph error":            {response("200 OK", graphError), maybe},
		"200 zipped":                        {response("200 OK", zipped(acceptance), "Content-Encoding: gzip"), maybe},
		"200 a zip bomb":                    {response("200 OK", zipped(acceptance+strings.Repeat(" ", 50<<20)), "Content-Encoding: gzip"), maybe},
		"200 too long":                      {response("200 OK", acceptance+strings.Repeat(" ", wire.MaxAnswer)), maybe},
		"headers too long":                  {response("200 OK", acceptance, "X-A: "+strings.Repeat("a", 2*64<<10)), maybe},
		"a switch of protocols":             {"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n", maybe},
		"a redirect":                        {response("307 Temporary Redirect", "", "Location: https://127.0.0.1:1/"), maybe},
		"a redirect without a place":        {response("302 Found", ""), maybe},
		"a redirect to nowhere":             {response("301 Moved Permanently", "", "Location: ://%zz"), maybe},
		"304":                               {"HTTP/1.1 304 Not Modified\r\n\r\n", maybe},
		"500":                               {response("500 Internal Server Error", "oh"), maybe},
		"500 with a Graph error":            {response("500 Internal Server Error", graphError), maybe},
		"502":                               {response("502 Bad Gateway", "<html>nginx"), maybe},
		"503 with Retry-After":              {response("503 Service Unavailable", graphError, "Retry-After: 7"), maybe},
		"504":                               {response("504 Gateway Timeout", ""), maybe},
		"404 of somebody else":              {response("404 Not Found", "<html>not here"), maybe},
		"400 with another JSON":             {response("400 Bad Request", `{"error":"bad"}`), maybe},
		"400 without a code":                {response("400 Bad Request", `{"error":{"message":"bad"}}`), maybe},
		"400 with a code that is none":      {response("400 Bad Request", `{"error":{"code":1.5}}`), maybe},
		"400 cut":                           {"HTTP/1.1 400 Bad Request\r\nContent-Length: 10000\r\n\r\n" + graphError, maybe},
		"408":                               {response("408 Request Timeout", "late"), maybe},
		"an echo as status":                 {"HTTP/1.1 200 {echo}\r\n\r\n", maybe},
		"an echo as status line":            {"{echo}\r\n\r\n", maybe},
		"an echo as a bad header":           {"HTTP/1.1 200 OK\r\n{echo} {echo}\r\nno colon {echo}\r\n\r\n", maybe},
		"an echo as length":                 {"HTTP/1.1 200 OK\r\nContent-Length: {echo}\r\n\r\n", maybe},
		"an echo as encoding":               {"HTTP/1.1 200 OK\r\nTransfer-Encoding: {echo}\r\n\r\n", maybe},
		"an echo as chunk":                  {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{echo}\r\n", maybe},
		"an echo as body":                   {"HTTP/1.1 500 No\r\n\r\n{echo}", maybe},
		"an echo as a good body":            {"HTTP/1.1 200 OK\r\n\r\n{\"messages\":[{\"id\":{echo}}]}", maybe},
		"an echo as a redirect":             {"HTTP/1.1 302 Found\r\nLocation: https://127.0.0.1/?{echo}\r\n\r\n", maybe},
		"an echo in a refusal":              {"HTTP/1.1 400 No\r\n\r\n{\"error\":{\"code\":190,\"message\":\"Malformed access token {echo}\",\"fbtrace_id\":\"{echo}\",\"error_data\":{\"details\":\"{echo}\"}}}", refused},
		"an echo in another refusal":        {"HTTP/1.1 401 No\r\n\r\n{\"error\":{\"code\":190,\"message\":\"{echo}\",\"error_user_msg\":\"{echo}\"}}", refused},
		"hostile text":                      {response("400 No", `{"error":{"code":1,"message":"\u001b]0;x\u0007\u202eab\r\nc"}}`), refused},
		"hostile text, very long":           {response("400 No", `{"error":{"code":1,"message":"`+strings.Repeat("é", 5000)+`"}}`), refused},
		"hostile text in an answer of HTTP": {response("500 No", "\x1b[2J\u202e"+strings.Repeat("é", 5000)), maybe},
	} {
		t.Run(name, func(t *testing.T) {
			address, sent := listen(t, raw(c.answer))
			client := speak(t, "http://"+address)
			a, err := send(client)
			if got := fateOf(t, a, err); got != c.want {
				t.Errorf("%s (%v), want %s", got, err, c.want)
			}
			if strings.Count(sent.String(), "POST ") != 1 {
				t.Errorf("it was asked with %q", sent)
			}
			first, _, _ := strings.Cut(sent.String(), "\r\n")
			if first != "POST /v26.0/"+number+"/messages HTTP/1.1" {
				t.Errorf("request line %q", first)
			}
		})
	}
}

// TestFatesOfConnections: what happens before and beside the answer.
func TestFatesOfConnections(t *testing.T) {
	patience := func(c *Client) { c.wire.Patience = 30 * time.Millisecond }
	withTLS := func(c *Client, address string) { // as if the configuration said https
		c.base, c.wire.Dialer.Timeout = "https://"+address+"/v26.0", 50*time.Millisecond
	}
	hang := func(before string) func(int, net.Conn) {
		return func(_ int, c net.Conn) {
			_, _ = c.Read(make([]byte, 64<<10))
			_, _ = io.WriteString(c, before)
			_, _ = io.Copy(io.Discard, c)
		}
	}
	for name, c := range map[string]struct {
		serve func(int, net.Conn)
		set   func(*Client, string)
		want  fate
		text  string
	}{
		"no answer":         {hang(""), func(c *Client, _ string) { patience(c) }, maybe, "no answer within 30ms"},
		"half the headers":  {hang("HTTP/1.1 200 OK\r\nA:"), func(c *Client, _ string) { patience(c) }, maybe, "no answer within 30ms"},
		"half the body":     {hang(response("200 OK", acceptance)[:100]), func(c *Client, _ string) { patience(c) }, maybe, "no answer within 30ms"},
		"half a 400":        {hang("HTTP/1.1 400 No\r\nContent-Length: 9999\r\n\r\n" + graphError), func(c *Client, _ string) { patience(c) }, maybe, "no answer within 30ms"},
		"half a 429":        {hang("HTTP/1.1 429 No\r\nContent-Length: 9999\r\n\r\n"), func(c *Client, _ string) { patience(c) }, refused, "429"},
		"continue for ever": {hang(strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", 3)), func(c *Client, _ string) { patience(c) }, maybe, "no answer"},
		"an answer without end": {func(_ int, c net.Conn) {
			_, _ = c.Read(make([]byte, 64<<10))
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\n"+acceptance)
			for err := error(nil); err == nil; {
				_, err = c.Write(make([]byte, 64<<10))
			}
		}, func(*Client, string) {}, maybe, "longer than 1024 KiB"},
		"reset": {func(_ int, c net.Conn) {
			_, _ = c.Read(make([]byte, 64<<10))
			_ = c.(tapedConn).Conn.(*net.TCPConn).SetLinger(0)
		}, func(*Client, string) {}, maybe, "reset"},
		"TLS with a server that has none": {func(_ int, c net.Conn) { _, _ = io.WriteString(c, "HTTP/1.1 400 No\r\n\r\n") }, withTLS, notGone, "TLS with 127.0.0.1"},
		"TLS that is hung up on":          {func(_ int, c net.Conn) { _, _ = c.Read(make([]byte, 9)) }, withTLS, notGone, "TLS with 127.0.0.1"},
		"TLS that never ends":             {func(_ int, c net.Conn) { _, _ = io.Copy(io.Discard, c) }, withTLS, notGone, "TLS with 127.0.0.1"},
		"nobody there":                    {nil, func(c *Client, _ string) { c.base = "http://127.0.0.1:1/v26.0" }, notGone, "refused"},
		"a name that is none":             {nil, func(c *Client, _ string) { c.base = "http://no.such.host.invalid/v26.0" }, notGone, "no.such.host.invalid"},
	} {
		t.Run(name, func(t *testing.T) {
			address, _ := listen(t, c.serve)
			client := speak(t, "http://"+address)
			client.wire.Dialer.Resolver = resolver(t, "")
			c.set(client, address)
			begins := 0
			a, err := client.Send(t.Context(), number, outgoing(), func() error { begins++; return nil })
			if got := fateOf(t, a, err); got != c.want || !strings.Contains(err.Error(), c.text) {
				t.Errorf("%s (%v), want %s with %q", got, err, c.want, c.text)
			}
			if want := map[fate]int{notGone: 0, maybe: 1, refused: 1}[c.want]; begins != want {
				t.Errorf("%d begins, want %d", begins, want)
			}
		})
	}
}

// TestUntrusted: a host that cannot prove who it is gets nothing.
func TestUntrusted(t *testing.T) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(accept))
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo)
	s.StartTLS()
	defer s.Close()
	a, err := send(speak(t, s.URL))
	if got := fateOf(t, a, err); got != notGone || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("%s: %v", got, err)
	}
}

// TestBrokenOff: the end of the context means something else before and after begin.
func TestBrokenOff(t *testing.T) {
	reason := errors.New("the daemon stops")
	for _, c := range []struct {
		before bool
		want   fate
	}{{true, notGone}, {false, maybe}} {
		arrived := make(chan struct{})
		address, _ := listen(t, func(_ int, c net.Conn) {
			_, _ = c.Read(make([]byte, 64<<10))
			close(arrived)
			_, _ = io.Copy(io.Discard, c)
		})
		ctx, cancel := context.WithCancelCause(t.Context())
		if c.before {
			cancel(reason)
		} else {
			go func() { <-arrived; cancel(reason) }()
		}
		a, err := speak(t, "http://"+address).Send(ctx, number, outgoing(), nil)
		if got := fateOf(t, a, err); got != c.want || !errors.Is(err, reason) {
			t.Errorf("%s (%v), want %s with %v", got, err, c.want, reason)
		}
		cancel(nil)
	}
}
