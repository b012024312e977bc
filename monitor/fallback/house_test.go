package fallback

import (
	"bufio"
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"tickwatch/wa"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	// canary is the password of the tests. No answer, error or log may ever hold it.
	canary = "hush=canary&0123456789/+"

	public = "https://ops.example.org/tw"

	workspace = "a1405560-c8d3-4b1a-877d-3f449ad95352"
	birdChan  = "614208aa-b153-4d5d-9989-2fddfc0ce4c3"
	account   = "AC00112233445566778899aabbccddeeff"
)

// attempt is that of the tests' messages, and of the vectors in testdata.
var attempt = wa.FallbackAttempt{ID: 7, Token: "00112233445566778899aabbccddeeff"}

// message is one that can be sent.
func message(channel string) *wa.FallbackMessage {
	m := &wa.FallbackMessage{Channel: channel, Attempt: attempt, To: "+351900000001", Text: "Olá <Ana> & {to}", Language: "pt_PT"}
	if channel == wa.ChannelEmail {
		m.To, m.Subject = "ana@example.org", "Olá"
	}
	return m
}

// settings are how each provider is configured in the tests.
func settings(provider, channel, base string) Channel {
	c := Channel{Provider: provider, URL: base, Password: wa.NewSecret(canary), Sender: "+351211234567"}
	switch provider {
	case ProviderKannel:
		c.User, c.ReplyToken = "console", wa.NewSecret("0123456789abcdef")
	case ProviderTwilio:
		c.Account = account
	case ProviderBird:
		c.Account, c.ChannelID, c.SigningKeys, c.Sender = workspace, birdChan, secrets("secureSigningKey"), ""
	case ProviderVonage:
		c.User, c.SigningKeys = "abcd1234", secrets("Sig-Secret-123")
	case ProviderHTTP:
		c.User = "shop"
		c.Gateway = Gateway{
			Headers:  []string{"Authorization: Bearer {password}", "X-Reference: {attempt}"},
			Body:     `{"to":"{to}","text":"{text}","from":"{sender}","lang":"{language}","report":"{callback}"}`,
			Accepted: []string{"queued"}, Rejected: []string{"bad*"}, Throttled: []string{"busy"}, OptedOut: []string{"unsubscribed"},
			AnswerField: "result.state", IDField: "result.id", ErrorField: "result.why",
			StateField: "state", StateDelivered: []string{"DELIVRD"}, StateFailed: []string{"UNDELIV", "EXPIRED"}, StateSent: []string{"ENROUTE"},
			StateQueued: []string{"QUEUED"}, ReceiptID: "id", ReceiptError: "why", FromField: "from", TextField: "text", ReplyField: "id",
			SignatureHeader: "X-Signature",
		}
		c.SigningKeys = secrets("gateway secret")
	}
	if channel == wa.ChannelVoice {
		c.Language = "de"
	}
	return c
}

// served are the providers that speak HTTP, by the channels that they serve.
var served = []struct{ provider, channel string }{
	{ProviderKannel, wa.ChannelSMS},
	{ProviderTwilio, wa.ChannelSMS},
	{ProviderTwilio, wa.ChannelVoice},
	{ProviderBird, wa.ChannelSMS},
	{ProviderBird, wa.ChannelVoice},
	{ProviderVonage, wa.ChannelSMS},
	{ProviderHTTP, wa.ChannelSMS},
	{ProviderHTTP, wa.ChannelVoice},
}

// acceptance is what each answers to a message that it takes.
func acceptance(provider string) (status int, body string) {
	switch provider {
	case ProviderKannel:
		return 202, "0: Accepted for delivery"
	case ProviderTwilio:
		return 201, `{"sid":"SM1","status":"queued","num_segments":"1","price":null,"price_unit":"USD","error_code":null,"error_message":null}`
	case ProviderBird:
		return 202, `{"id":"96a0b5fa-a986-453d-be5c-3117f989f025","status":"accepted"}`
	case ProviderVonage:
		return 200, `{"message-count":"1","messages":[{"to":"351900000001","message-id":"0C000000217B7F02","status":"0","remaining-balance":"15.53590000","message-price":"0.03330000","network":"23410"}]}`
	}
	return 200, `{"result":{"state":"queued","id":"g-1"}}`
}

// line gives what a provider has in common with the others.
func lineOf(p Provider) *line {
	switch p := p.(type) {
	case *kannel:
		return &p.line
	case *twilio:
		return &p.line
	case *bird:
		return &p.line
	case *vonage:
		return &p.line
	case *gateway:
		return &p.line
	}
	return nil
}

// speak makes a provider of a channel, and checks at the end of the test that its
// log kept the secrets to itself.
func speak(t testing.TB, channel string, set Channel, change ...func(*Config)) Provider {
	t.Helper()
	var log guarded
	c := Config{PublicURL: public, Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))}
	switch channel {
	case wa.ChannelSMS:
		c.SMS = set
	case wa.ChannelVoice:
		c.Voice = set
	default:
		c.Email = set
	}
	for _, f := range change {
		f(&c)
	}
	all, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		all.Close()
		shows(t, log.String())
	})
	return all[channel]
}

// shows checks that a text shows no secret.
func shows(t testing.TB, text string) {
	t.Helper()
	for _, secret := range append(echoes("console", wa.NewSecret(canary)), wa.NewSecret(canary)) {
		if strings.Contains(text, secret.Reveal()) {
			t.Errorf("it shows a secret: %s", text)
		}
	}
}

// send sends a message, and checks what is true of every answer. begun counts the
// times that begin was asked.
func send(t testing.TB, ctx context.Context, p Provider, channel string, begin func() error) (a wa.FallbackAnswer, begun int, err error) {
	t.Helper()
	a, err = p.Send(ctx, message(channel), func() error {
		begun++
		if begin != nil {
			return begin()
		}
		return nil
	})
	if a.Kind < wa.FallbackAccepted || a.Kind > wa.FallbackUnknown {
		t.Errorf("an answer of kind %d", a.Kind)
	}
	if err != nil && a.Kind != wa.FallbackNotSent {
		t.Errorf("the error %v came with an answer of kind %d", err, a.Kind)
	}
	if a.RetryAfter != 0 && a.Kind != wa.FallbackThrottled {
		t.Errorf("%+v asks to wait", a)
	}
	for _, text := range []string{a.Code, a.Details, a.ProviderID, a.Currency} {
		if text != wa.Clean(text) || len(text) > 4*maxWords {
			t.Errorf("%.500q is not fit to be shown", text)
		}
	}
	shows(t, fmt.Sprintf("%+v %v", a, err))
	return a, begun, err
}

func secrets(texts ...string) []wa.Secret {
	var all []wa.Secret
	for _, text := range texts {
		all = append(all, wa.NewSecret(text))
	}
	return all
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

// tapedConn records what a client sent, whatever the server made of it.
type tapedConn struct {
	net.Conn
	tape *guarded
}

func (c tapedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	_, _ = c.tape.Write(p[:n])
	return n, err
}

// listen is a server of bare connections on loopback: what serve returns from is
// closed.
func listen(t testing.TB, serve func(c net.Conn)) (address string, sent *guarded) {
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
	sent = &guarded{}
	open.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			all = append(all, c)
			mu.Unlock()
			open.Go(func() {
				defer func() { _ = c.Close() }()
				serve(tapedConn{c, sent})
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

// take reads one request whole.
func take(c net.Conn) (*http.Request, string) {
	r, err := http.ReadRequest(bufio.NewReader(c))
	if err != nil {
		return nil, ""
	}
	body, _ := io.ReadAll(r.Body)
	return r, string(body)
}

// rootsOf trusts a test server's certificate.
func rootsOf(s *httptest.Server) *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(s.Certificate())
	return pool
}

// read reads a file of testdata.
func read(t testing.TB, name string, to any) {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(content, to); err != nil {
		t.Fatal(err)
	}
}

// call makes a callback as the listener hands it on: the proxy has taken off what
// stands before /webhooks.
func call(method, target, contentType, body string) *http.Request {
	target = strings.TrimPrefix(target, public)
	target = strings.TrimPrefix(target, "https://ops.example.org:443/tw")
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.Host = "10.0.0.1:8480"
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	return r
}

const formType = "application/x-www-form-urlencoded"
