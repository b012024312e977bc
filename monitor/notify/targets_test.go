package notify

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"tickwatch/wa"
)

const canary = "canary-4711-secret"

func sample() *Message {
	at := time.Date(2026, 11, 20, 8, 20, 0, 0, time.UTC)
	return &Message{At: at, Zone: time.UTC, Items: []Item{{Alarm{
		ID: 3, Kind: "delivery", Subject: "autumn", Severity: Act, Campaign: "autumn", Name: "Autumn <!here>", Text: "78.1 % arrived", Advice: "Mend the picture.", Pauses: true,
		RaisedAt: wa.At(at.Add(-time.Minute)), ActedAt: wa.At(at.Add(-time.Minute)),
	}, Raised}}}
}

// posts is a server that keeps what is posted and answers with a status.
type posts struct {
	*httptest.Server
	mu     sync.Mutex
	status int
	all    []*http.Request
	bodies []string
}

func newPosts(t *testing.T) *posts {
	p := &posts{status: 200}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		p.mu.Lock()
		defer p.mu.Unlock()
		p.all, p.bodies = append(p.all, r), append(p.bodies, string(body))
		w.WriteHeader(p.status)
		fmt.Fprint(w, "you said ", r.URL)
	}))
	t.Cleanup(p.Close)
	return p
}

func send(t *testing.T, to Target, m *Message) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	err := to.Send(ctx, m)
	if err != nil && strings.Contains(err.Error(), canary) {
		t.Errorf("the error shows a secret: %v", err)
	}
	if strings.Contains(to.ID(), canary) || strings.Contains(to.Name(), canary) {
		t.Errorf("the name shows a secret: %s, %s", to.ID(), to.Name())
	}
	return err
}

// TestWebhook: a receiver can check who posted, and sees again what it saw before.
func TestWebhook(t *testing.T) {
	p := newPosts(t)
	secret := wa.NewSecret("shared")
	w, err := NewWebhook(wa.NewSecret(p.URL+"/in?key="+canary), secret)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := send(t, w, sample()); err != nil {
			t.Fatal(err)
		}
	}
	r, body := p.all[0], p.bodies[0]
	if r.URL.RequestURI() != "/in?key="+canary || r.Header.Get(HeaderSignature) != Sign(secret, r.Header.Get(HeaderTimestamp), []byte(body)) {
		t.Errorf("%s %v", r.URL, r.Header)
	}
	if r.Header.Get(HeaderID) == "" || r.Header.Get(HeaderID) != p.all[1].Header.Get(HeaderID) {
		t.Errorf("the same was sent again as %q and %q", r.Header.Get(HeaderID), p.all[1].Header.Get(HeaderID))
	}
	var got payload
	if err := json.Unmarshal([]byte(body), &got); err != nil || got.Event != "alarms" || len(got.Alarms) != 1 {
		t.Fatalf("%v: %s", err, body)
	}
	if a := got.Alarms[0]; a.ID != "a3" || a.Change != Raised || a.Campaign != "autumn" || a.Command != "tickwatch pause autumn" || a.ActedAt == nil || a.ClearedAt != nil {
		t.Errorf("%+v", a)
	}
	p.status = 403
	if err := send(t, w, sample()); err == nil || !strings.Contains(err.Error(), "127.0.0.1 answered 403 Forbidden") {
		t.Errorf("refused: %v", err)
	}
	p.Close()
	if err := send(t, w, sample()); err == nil || !strings.HasPrefix(err.Error(), "127.0.0.1: ") {
		t.Errorf("nobody there: %v", err)
	}
	for _, bad := range []string{"", "hooks.example", "http://hooks.example/x", "https://u:p@hooks.example/", "https://169.254.169.254/"} {
		if _, err := NewWebhook(wa.NewSecret(bad), secret); err == nil || !strings.Contains(err.Error(), "notify.webhook_url") {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if _, err := NewWebhook(wa.NewSecret(p.URL), wa.Secret{}); err == nil {
		t.Error("an unsigned webhook is taken")
	}
}

// TestWebhookSignature: the signature is what the README says, by another's reckoning
// (openssl dgst -sha256 -hmac shared).
func TestWebhookSignature(t *testing.T) {
	const want = "sha256=79a5b651deccb47671aca0ee2fd56dee1b04275786cdefbc1f4270e22057399c"
	if got := Sign(wa.NewSecret("shared"), "1795162800", []byte(`{"event":"test"}`)); got != want {
		t.Errorf("%s", got)
	}
}

// script writes an executable file.
func script(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "hook")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestCommand: a command gets the alarm twice over, and nothing of ours besides.
func TestCommand(t *testing.T) {
	t.Setenv("TICKWATCH_NOTIFY_WEBHOOK_SECRET", canary)
	out := filepath.Join(t.TempDir(), "out")
	c, err := NewCommand([]string{script(t, `{ env; echo "args $*"; cat; } > "$1"`), out, "$HOME; two words"})
	if err != nil {
		t.Fatal(err)
	}
	if err := send(t, c, sample()); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"TICKWATCH_ALARM_ID=a3\n", "TICKWATCH_ALARM_SEVERITY=act\n", "TICKWATCH_ALARM_CHANGE=raised\n", "TICKWATCH_ALARM_TEXT=78.1 % arrived\n",
		"$HOME; two words\n", `{"id":"a3","change":"raised","kind":"delivery"`,
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
	if strings.Contains(string(text), canary) {
		t.Errorf("the daemon's secrets are in its environment:\n%s", text)
	}
}

// TestCommandFails: what goes wrong is said; what takes too long is ended, with what it began.
func TestCommandFails(t *testing.T) {
	if _, err := NewCommand([]string{filepath.Join(t.TempDir(), "none")}); err == nil || !strings.Contains(err.Error(), "notify.command") {
		t.Errorf("no program: %v", err)
	}
	c, err := NewCommand([]string{script(t, "echo 'the pager\033[31m is off' >&2; exit 3")})
	if err != nil {
		t.Fatal(err)
	}
	if err := send(t, c, sample()); err == nil || err.Error() != "exit status 3: the pager[31m is off" {
		t.Errorf("%v", err)
	}
	mark := filepath.Join(t.TempDir(), "mark")
	c, err = NewCommand([]string{script(t, "(sleep 2; touch "+mark+") & wait")})
	if err != nil {
		t.Fatal(err)
	}
	c.within = 200 * time.Millisecond
	if err := send(t, c, sample()); err == nil || !strings.Contains(err.Error(), "was ended") {
		t.Errorf("%v", err)
	}
	c, err = NewCommand([]string{script(t, "sleep 2")}) // so long the other would have taken
	if err != nil {
		t.Fatal(err)
	}
	if err := send(t, c, sample()); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(mark); err == nil {
		t.Error("what the command began went on")
	}
}

// TestChat: a message through the library, over HTTP.
func TestChat(t *testing.T) {
	p := newPosts(t)
	c, err := NewChat(wa.NewSecret("generic+" + p.URL + "/" + canary + "?template=json&sig=4711"))
	if err != nil {
		t.Fatal(err)
	}
	if err := send(t, c, sample()); err != nil {
		t.Fatal(err)
	}
	var got map[string]string
	if err := json.Unmarshal([]byte(p.bodies[0]), &got); err != nil {
		t.Fatal(err, p.bodies[0])
	}
	if got["title"] != "ACT Autumn ‹!here›" || !strings.HasPrefix(got["message"], "ACT Autumn ‹!here›: 78.1 % arrived\nSince 08:19 UTC.") || p.all[0].URL.RequestURI() != "/"+canary+"?sig=4711" {
		t.Errorf("%s %q", p.all[0].URL, got)
	}
	p.status = 500
	if err := send(t, c, sample()); err == nil || !strings.Contains(err.Error(), "500") {
		t.Errorf("%v", err)
	}
	p.Close()
	if err := send(t, c, sample()); err == nil || !strings.Contains(err.Error(), "refused") {
		t.Errorf("%v", err)
	}
}

// TestChatLate: one that never answers is given up, and not asked for ever.
func TestChatLate(t *testing.T) {
	let := make(chan struct{})
	asked := make(chan struct{}, 10)
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked <- struct{}{}; <-let }))
	defer server.Close()
	defer close(let)
	c, err := NewChat(wa.NewSecret("generic+" + server.URL))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		for range leftBehind {
			<-asked
		}
		cancel()
	}()
	var sends sync.WaitGroup
	for range leftBehind {
		sends.Go(func() {
			if err := c.Send(ctx, sample()); err == nil || !strings.Contains(err.Error(), "no answer in time") {
				t.Errorf("%v", err)
			}
		})
	}
	sends.Wait()
	if err := c.Send(t.Context(), sample()); err == nil || !strings.Contains(err.Error(), "never answered") {
		t.Errorf("%v", err)
	}
}

// TestChatAddresses: what is no address of a service is refused without being shown.
func TestChatAddresses(t *testing.T) {
	for address, want := range map[string]string{
		"slack://hook:T00000000-B00000000-0123456789abcdef01234567@webhook":                                             "",
		"pagerduty:///0123456789abcdef0123456789abcdef":                                                                 "",
		"generic+https://p.logic.azure.com/workflows/x?sig=y&template=json":                                             "",
		"smtp://user:password@mail.example:587/?from=tickwatch@shop.example&to=oncall@shop.example&requirestarttls=yes": "",
		"matrix://user:password@matrix.example/":                                                                        "",
		"telegram://110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw@telegram?chats=@ops":                                   "",
		"pagerduty:///" + canary: "pagerduty",
		"slakc://" + canary:      "slack",
		canary:                   "slack",
		"logger://" + canary:     "slack",
		"smtp://u:" + canary + "@mail.example:25/?to=a@b.example": "smtp",
		"https://hooks.slack.com/services/" + canary:              "slack",
		"slack://" + canary + ":%zz@webhook":                      "slack",
	} {
		_, err := NewChat(wa.NewSecret(address))
		switch {
		case want == "" && err != nil, want != "" && err == nil:
			t.Errorf("%s: %v", address, err)
		case err != nil && (strings.Contains(err.Error(), canary) || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "notify.urls")):
			t.Errorf("%s: %v", address, err)
		}
	}
}

// TestChatHides: the library's errors may hold the address in every spelling.
func TestChatHides(t *testing.T) {
	c, err := NewChat(wa.NewSecret("telegram://110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw@telegram?chats=@ops"))
	if err != nil {
		t.Fatal(err)
	}
	got := c.hide(fmt.Errorf(`Post "https://api.telegram.org/bot110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw/sendMessage": dial tcp: timeout`))
	if got != `Post "https://api.telegram.org/…": dial tcp: timeout` {
		t.Error(got)
	}
}

// TestChatHidesPlaces: of an address in an error only the host stays.
func TestChatHidesPlaces(t *testing.T) {
	c, err := NewChat(wa.NewSecret("ntfy://:" + canary + "@127.0.0.1:1/alarms?scheme=http"))
	if err != nil {
		t.Fatal(err)
	}
	err = send(t, c, sample())
	if err == nil || strings.Contains(err.Error(), "alarms") || !strings.Contains(err.Error(), `"http://127.0.0.1:1/…"`) {
		t.Error(err)
	}
}

// TestPagerDuty: each alarm is an incident of its own, which its end resolves.
func TestPagerDuty(t *testing.T) {
	c, err := NewChat(wa.NewSecret("pagerduty:///0123456789abcdef0123456789abcdef"))
	if err != nil || !c.Single() {
		t.Fatal(err)
	}
	m := sample()
	raised := c.params(m)
	m.Items[0].Change, m.Items[0].ClearedAt = Cleared, m.Items[0].RaisedAt+60_000
	cleared := c.params(m)
	if raised["severity"] != "critical" || raised["action"] != "" || cleared["action"] != "resolve" || raised["dedup_key"] == "" || raised["dedup_key"] != cleared["dedup_key"] {
		t.Errorf("%v, then %v", raised, cleared)
	}
}

// mailbox is a mail server that keeps what it gets.
type mailbox struct {
	mu    sync.Mutex
	mails []string
}

type sitting struct {
	b        *mailbox
	from, to string
}

func (b *mailbox) NewSession(*smtp.Conn) (smtp.Session, error) { return &sitting{b: b}, nil }

func (*sitting) AuthMechanisms() []string { return []string{sasl.Plain} }

func (*sitting) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != "tickwatch" || password != canary {
			return smtp.ErrAuthFailed
		}
		return nil
	}), nil
}
func (s *sitting) Mail(from string, _ *smtp.MailOptions) error { s.from = from; return nil }
func (s *sitting) Rcpt(to string, _ *smtp.RcptOptions) error   { s.to = to; return nil }
func (*sitting) Reset()                                        {}
func (*sitting) Logout() error                                 { return nil }

func (s *sitting) Data(r io.Reader) error {
	text, err := io.ReadAll(r)
	s.b.mu.Lock()
	defer s.b.mu.Unlock()
	s.b.mails = append(s.b.mails, s.from+" "+s.to+"\n"+string(text))
	return err
}

// TestMail: a message by e-mail, and a log-in that is refused.
func TestMail(t *testing.T) {
	box := &mailbox{}
	server := smtp.NewServer(box)
	server.Domain, server.AllowInsecureAuth = "mail.example", true
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go server.Serve(l)
	t.Cleanup(func() { server.Close() })
	address := func(password string) wa.Secret {
		return wa.NewSecret("smtp://tickwatch:" + password + "@" + l.Addr().String() + "/?from=tickwatch@shop.example&to=oncall@shop.example&auth=plain&encryption=none&usestarttls=no")
	}
	c, err := NewChat(address(canary))
	if err != nil {
		t.Fatal(err)
	}
	if err := send(t, c, sample()); err != nil {
		t.Fatal(err)
	}
	if len(box.mails) != 1 || !strings.HasPrefix(box.mails[0], "tickwatch@shop.example oncall@shop.example\n") ||
		!strings.Contains(box.mails[0], "Subject: ") || !strings.Contains(box.mails[0], "78.1 % arrived") {
		t.Errorf("%q", box.mails)
	}
	c, err = NewChat(address(canary + "x"))
	if err != nil {
		t.Fatal(err)
	}
	if err := send(t, c, sample()); err == nil {
		t.Error("a wrong password is taken")
	}
}

// TestPing: a ping goes while a campaign runs and the daemon judges, and no other.
func TestPing(t *testing.T) {
	p := newPosts(t)
	ping, err := NewPing(wa.NewSecret(p.URL+"/"+canary), time.Minute, false)
	if err != nil {
		t.Fatal(err)
	}
	if err := ping.Send(t.Context()); err != nil || p.all[0].Method != http.MethodGet || p.all[0].URL.Path != "/"+canary {
		t.Errorf("%v %v", err, p.all)
	}
	p.status = 404
	if err := ping.Send(t.Context()); err == nil || strings.Contains(err.Error(), canary) {
		t.Errorf("%v", err)
	}
	now := time.Now()
	for _, c := range []struct {
		idle bool
		s    state
		want bool
	}{
		{false, state{looked: now, running: true}, true},
		{false, state{looked: now}, false},
		{true, state{looked: now}, true},
		{true, state{looked: now.Add(-time.Minute), running: true}, false},
		{true, state{}, false},
	} {
		ping.idle = c.idle
		if got := ping.wanted(&c.s, now); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}
