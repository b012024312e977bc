package fallback

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/http"
	"net/http/httptest"
	netmail "net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
	"github.com/google/go-cmp/cmp"

	"tickwatch/wa"
)

// inbox is a mail server that keeps what it gets, and answers as it is told to.
type inbox struct {
	fails map[string]*smtp.SMTPError // by step: auth, mail, rcpt, data

	mu    sync.Mutex
	steps []string
	mails []string
}

func (b *inbox) step(name string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.steps = append(b.steps, name)
	if err := b.fails[name]; err != nil {
		return err
	}
	return nil
}

func (b *inbox) seen() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return strings.Join(b.steps, " ")
}

func (b *inbox) NewSession(*smtp.Conn) (smtp.Session, error) { return &sitting{b: b}, nil }

// silent is a log that says nothing.
type silent struct{}

func (silent) Printf(string, ...any) {}
func (silent) Println(...any)        {}

type sitting struct {
	b        *inbox
	from, to string
}

func (s *sitting) AuthMechanisms() []string { return []string{sasl.Plain} }

func (s *sitting) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != "shop" || password != canary {
			return smtp.ErrAuthFailed
		}
		return s.b.step("auth")
	}), nil
}

func (s *sitting) Mail(from string, _ *smtp.MailOptions) error {
	s.from = from
	return s.b.step("mail")
}

func (s *sitting) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.to = to
	return s.b.step("rcpt")
}

func (s *sitting) Data(r io.Reader) error {
	content, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if err := s.b.step("data"); err != nil {
		return err
	}
	s.b.mu.Lock()
	defer s.b.mu.Unlock()
	s.b.mails = append(s.b.mails, s.from+" "+s.to+"\n"+string(content))
	return nil
}

func (s *sitting) Reset() {}

func (s *sitting) Logout() error { return nil }

// serve runs the inbox, secured so, and gives its address and a change of the
// configuration that trusts it.
func (b *inbox) serve(t *testing.T, security string) (address string, trust func(*Config)) {
	t.Helper()
	certified := httptest.NewUnstartedServer(nil)
	certified.StartTLS()
	t.Cleanup(certified.Close)
	s := smtp.NewServer(b)
	s.Domain, s.ErrorLog = "mail.example.org", silent{}
	s.AllowInsecureAuth = security == securityNone
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	secure := &tls.Config{Certificates: certified.TLS.Certificates}
	switch security {
	case securityStart:
		s.TLSConfig = secure
	case securityTLS:
		l = tls.NewListener(l, secure)
	}
	ended := make(chan struct{})
	go func() { defer close(ended); _ = s.Serve(l) }()
	t.Cleanup(func() { _ = s.Close(); <-ended })
	return l.Addr().String(), func(c *Config) { c.Roots = rootsOf(certified) }
}

// mailSettings are those of the tests' mails.
func mailSettings(address, security string) Channel {
	return Channel{
		Provider: ProviderSMTP, URL: address, TLS: security, User: "shop", Password: wa.NewSecret(canary),
		Sender: "Löja <news@shop.example>", ReplyTo: "help@shop.example", UnsubscribeText: "Não quer mais?",
	}
}

// TestMail: by each way to secure it, a mail comes as it should be.
func TestMail(t *testing.T) {
	for _, security := range []string{securityStart, securityTLS, securityNone} {
		t.Run(security, func(t *testing.T) {
			b := &inbox{}
			address, trust := b.serve(t, security)
			p := speak(t, wa.ChannelEmail, mailSettings(address, security), trust)
			m := message(wa.ChannelEmail)
			m.Subject, m.Text = "Olá\r\nBcc: all@example.org", "Olá Ana,\n.\n\r\n.\r\ntexto €"
			before := ""
			a, err := p.Send(t.Context(), m, func() error { before = b.seen(); return nil })
			id := "tickwatch.7.5947d7c33d783f94@shop.example"
			if diff := cmp.Diff(wa.FallbackAnswer{Kind: wa.FallbackAccepted, ProviderID: id}, a); diff != "" || err != nil {
				t.Fatal(diff, err)
			}
			if before != "auth mail rcpt" || b.seen() != "auth mail rcpt data" || len(b.mails) != 1 {
				t.Errorf("begin was asked after %q; %q, %d mails", before, b.seen(), len(b.mails))
			}
			envelope, content, _ := strings.Cut(b.mails[0], "\n")
			got, err := netmail.ReadMessage(strings.NewReader(content))
			if err != nil || envelope != "news@shop.example ana@example.org" {
				t.Fatal(envelope, err)
			}
			link := public + "/webhooks/fallback/email/" + attempt.String()
			for name, want := range map[string]string{
				"To": "<ana@example.org>", "Reply-To": "<help@shop.example>", "Message-ID": "<" + id + ">", "Bcc": "", "User-Agent": "", "X-Mailer": "",
				"List-Unsubscribe": "<" + link + ">", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click", "Content-Language": "pt-PT", "MIME-Version": "1.0",
			} {
				if got.Header.Get(name) != want {
					t.Errorf("%s: %q, want %q", name, got.Header.Get(name), want)
				}
			}
			words := new(mime.WordDecoder)
			subject, _ := words.DecodeHeader(got.Header.Get("Subject"))
			from, err := got.Header.AddressList("From")
			if subject != "Olá  Bcc: all@example.org" || err != nil || from[0].Name != "Löja" || from[0].Address != "news@shop.example" {
				t.Errorf("%q, %v, %v", subject, from, err)
			}
			if date, err := got.Header.Date(); err != nil || time.Since(date).Abs() > time.Hour {
				t.Errorf("%v, %v", date, err)
			}
			body, err := io.ReadAll(quotedprintable.NewReader(got.Body))
			text := strings.ReplaceAll(string(body), "\r\n", "\n")
			if want := "Olá Ana,\n.\n\n.\ntexto €\n\nNão quer mais?\n" + link + "\n"; strings.TrimRight(text, "\n") != strings.TrimRight(want, "\n") || err != nil {
				t.Errorf("%q, %v", text, err)
			}
			if again, _ := p.Send(t.Context(), m, nil); again.ProviderID != id {
				t.Errorf("a second try has another id: %s", again.ProviderID)
			}
		})
	}
}

// TestMailFates: what the server says at each step.
func TestMailFates(t *testing.T) {
	for _, c := range []struct {
		step string
		code int
		want wa.FallbackAnswerKind
		text string
	}{
		{"auth", 535, wa.FallbackThrottled, "password"},
		{"auth", 454, wa.FallbackThrottled, ""},
		{"mail", 550, wa.FallbackThrottled, "sender"},
		{"mail", 421, wa.FallbackThrottled, ""},
		{"rcpt", 550, wa.FallbackRejected, "said so"},
		{"rcpt", 450, wa.FallbackThrottled, "said so"},
		{"data", 554, wa.FallbackRejected, "said so"},
		{"data", 451, wa.FallbackThrottled, "said so"},
	} {
		b := &inbox{fails: map[string]*smtp.SMTPError{c.step: {Code: c.code, EnhancedCode: smtp.NoEnhancedCode, Message: "it said so, \x1b[2Jthe server with " + canary}}}
		address, trust := b.serve(t, securityStart)
		p := speak(t, wa.ChannelEmail, mailSettings(address, securityStart), trust)
		a, begun, err := send(t, t.Context(), p, wa.ChannelEmail, nil)
		if a.Kind != c.want || !strings.Contains(a.Details, c.text) || a.Code != fmt.Sprint(c.code) || err != nil || (begun == 1) != (c.step == "data") {
			t.Errorf("%d at %s: %+v, %v, after %d begins", c.code, c.step, a, err, begun)
		}
	}
}

// TestMailSecurity: without the security that is asked for, nothing is told, the
// password least of all.
func TestMailSecurity(t *testing.T) {
	distrust := func(*Config) {}
	for name, c := range map[string]struct{ served, wanted string }{
		"no STARTTLS": {securityNone, securityStart}, "no TLS": {securityNone, securityTLS},
		"untrusted, STARTTLS": {securityStart, securityStart}, "untrusted, TLS": {securityTLS, securityTLS},
	} {
		for _, user := range []string{"shop", ""} {
			b := &inbox{}
			address, _ := b.serve(t, c.served)
			set := mailSettings(address, c.wanted)
			if user == "" { // a server that asks for no log-in
				set.User, set.Password = "", wa.Secret{}
			}
			a, begun, err := send(t, t.Context(), speak(t, wa.ChannelEmail, set, distrust), wa.ChannelEmail, nil)
			if a.Kind != wa.FallbackNotSent || begun != 0 || err != nil || b.seen() != "" {
				t.Errorf("%s, user %q: %+v, %v; the server saw %q", name, user, a, err, b.seen())
			}
		}
	}
}

// TestMailClosedGate: when begin says no, the server gets no mail.
func TestMailClosedGate(t *testing.T) {
	closed := errors.New("paused")
	b := &inbox{}
	address, trust := b.serve(t, securityStart)
	p := speak(t, wa.ChannelEmail, mailSettings(address, securityStart), trust)
	a, begun, err := send(t, t.Context(), p, wa.ChannelEmail, func() error { return closed })
	if a.Kind != wa.FallbackNotSent || begun != 1 || !errors.Is(err, closed) || !errors.Is(err, wa.ErrNotSent) || len(b.mails) != 0 || strings.Contains(b.seen(), "data") {
		t.Errorf("%+v, %v; %q", a, err, b.seen())
	}
}

// script is a mail server that answers each command so; at the one that has no
// answer it does what end says.
func script(answers map[string]string, end func(net.Conn)) func(net.Conn) {
	return func(conn net.Conn) {
		say := func(name string) bool {
			text, known := answers[name]
			if known {
				_, _ = io.WriteString(conn, text)
			}
			return known
		}
		if !say("") {
			end(conn)
			return
		}
		for in := bufio.NewReader(conn); ; {
			line, err := in.ReadString('\n')
			if err != nil {
				return
			}
			verb, _, _ := strings.Cut(strings.TrimSpace(line), " ")
			if line == ".\r\n" {
				verb = "."
			} else if _, known := answers[verb]; verb == "" || !known && verb != "DATA" && verb != "QUIT" {
				continue // a line of the mail
			}
			if !say(verb) {
				end(conn)
				return
			}
		}
	}
}

// TestMailWire: a connection that ends, hangs or speaks something else at each step.
func TestMailWire(t *testing.T) {
	whole := map[string]string{
		"": "220 hi\r\n", "EHLO": "250-hi\r\n250 AUTH PLAIN\r\n", "AUTH": "235 ok\r\n", "MAIL": "250 ok\r\n", "RCPT": "250 ok\r\n",
		"DATA": "354 go on\r\n", ".": "250 queued as 1\r\n", "QUIT": "221 bye\r\n",
	}
	closes := func(net.Conn) {}
	resets := func(conn net.Conn) { _ = conn.(tapedConn).Conn.(*net.TCPConn).SetLinger(0) }
	hangs := func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }
	speaks := func(conn net.Conn) {
		_, _ = io.WriteString(conn, "\x1b[2J what?\r\n")
		_, _ = io.Copy(io.Discard, conn)
	}
	for _, step := range []struct {
		name string
		want wa.FallbackAnswerKind
	}{
		{"", wa.FallbackNotSent},
		{"AUTH", wa.FallbackNotSent},
		{"MAIL", wa.FallbackNotSent},
		{"RCPT", wa.FallbackNotSent},
		{"DATA", wa.FallbackUnknown},
		{".", wa.FallbackUnknown},
		{"QUIT", wa.FallbackAccepted},
	} {
		for how, end := range map[string]func(net.Conn){"closes": closes, "resets": resets, "hangs": hangs, "speaks": speaks} {
			t.Run(step.name+" "+how, func(t *testing.T) {
				answers := map[string]string{}
				for name, text := range whole {
					if name != step.name {
						answers[name] = text
					}
				}
				if step.name == "AUTH" || step.name == "MAIL" || step.name == "RCPT" {
					answers[step.name] = ""
				}
				address, _ := listen(t, func(conn net.Conn) {
					if _, quiet := answers[step.name]; quiet { // what follows the step that is not answered
						script(answers, end)(stopAt{conn, step.name, end})
						return
					}
					script(answers, end)(conn)
				})
				p := speak(t, wa.ChannelEmail, mailSettings(address, securityNone))
				if how == "hangs" || how == "speaks" {
					p.(*mailer).patience, p.(*mailer).lastWord = 50*time.Millisecond, 50*time.Millisecond
				}
				a, begun, err := send(t, t.Context(), p, wa.ChannelEmail, nil)
				if a.Kind != step.want || err != nil || (begun == 1) != (step.want != wa.FallbackNotSent) {
					t.Errorf("%+v, %v, after %d begins", a, err, begun)
				}
			})
		}
	}
}

// stopAt ends a connection when a command comes.
type stopAt struct {
	net.Conn
	verb string
	end  func(net.Conn)
}

func (c stopAt) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if strings.HasPrefix(string(p[:n]), c.verb) {
		c.end(c.Conn)
		_ = c.Close()
		return 0, io.EOF
	}
	return n, err
}

// TestMailBrokenOff: the end of the context means something else before and after
// begin, and nobody waits for the server.
func TestMailBrokenOff(t *testing.T) {
	reason := errors.New("the daemon stops")
	for _, c := range []struct {
		at   string
		want wa.FallbackAnswerKind
	}{{"", wa.FallbackNotSent}, {"RCPT", wa.FallbackNotSent}, {".", wa.FallbackUnknown}} {
		ctx, cancel := context.WithCancelCause(t.Context())
		answers := map[string]string{
			"": "220 hi\r\n", "EHLO": "250-hi\r\n250 AUTH PLAIN\r\n", "AUTH": "235 ok\r\n", "MAIL": "250 ok\r\n", "RCPT": "250 ok\r\n", "DATA": "354 go on\r\n",
		}
		hang := func(conn net.Conn) { cancel(reason); _, _ = io.Copy(io.Discard, conn) }
		if c.at == "" {
			delete(answers, "")
		}
		address, _ := listen(t, func(conn net.Conn) {
			if c.at == "RCPT" {
				conn = stopAt{conn, "RCPT", hang}
			}
			script(answers, hang)(conn)
		})
		a, begun, err := send(t, ctx, speak(t, wa.ChannelEmail, mailSettings(address, securityNone)), wa.ChannelEmail, nil)
		if a.Kind != c.want || err != nil || !strings.Contains(a.Details, reason.Error()) || (begun == 1) != (c.want == wa.FallbackUnknown) {
			t.Errorf("at %q: %+v, %v", c.at, a, err)
		}
	}
}

// TestMailNobody: a server that is not there, and addresses that are none.
func TestMailNobody(t *testing.T) {
	p := speak(t, wa.ChannelEmail, mailSettings("127.0.0.1:1", securityNone))
	if a, begun, err := send(t, t.Context(), p, wa.ChannelEmail, nil); a.Kind != wa.FallbackNotSent || begun != 0 || err != nil {
		t.Errorf("%+v, %v", a, err)
	}
	for _, to := range []string{"", "ana", "ana@", "Ana <ana@example.org>", "ana@example.org, b@example.org", "ana@example.org\r\nRCPT TO:<b@example.org>", "ána@example.org", `"a b"@example.org>`} {
		m := message(wa.ChannelEmail)
		m.To = to
		if a, err := p.Send(t.Context(), m, nil); a.Kind != wa.FallbackRejected || err != nil {
			t.Errorf("%q: %+v, %v", to, a, err)
		}
	}
}

// TestUnsubscribe: who posts to the link opts out; who opens it gets a button.
func TestUnsubscribe(t *testing.T) {
	p := speak(t, wa.ChannelEmail, mailSettings("127.0.0.1:1", securityNone))
	target := Path + wa.ChannelEmail + "/" + attempt.String()
	const multipart = "--b\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--b--\r\n"
	for kind, body := range map[string]string{formType: "List-Unsubscribe=One-Click", "multipart/form-data; boundary=b": multipart} {
		got, err := p.Receive(call("POST", target, kind, body), []byte(body))
		if diff := cmp.Diff([]wa.FallbackAttempt{attempt}, got.OptedOut); diff != "" || err != nil || got.Response.Status != http.StatusOK || got.Response.Body == "" {
			t.Errorf("%s: %v %s", kind, err, diff)
		}
	}
	got, err := p.Receive(call("GET", target, "", ""), nil)
	if err != nil || len(got.OptedOut) != 0 || !strings.Contains(got.Response.Body, `method="post"`) || !strings.HasPrefix(got.Response.ContentType, "text/html") {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := p.Receive(call("POST", target, formType, "a=b"), []byte("a=b")); !errors.Is(err, ErrNotUnderstood) || len(got.OptedOut) != 0 {
		t.Errorf("%+v, %v", got, err)
	}
	for _, last := range []string{Reply, "7-00", ""} {
		if _, err := p.Receive(call("POST", Path+wa.ChannelEmail+"/"+last, formType, "List-Unsubscribe=One-Click"), []byte("List-Unsubscribe=One-Click")); !errors.Is(err, ErrSignature) {
			t.Errorf("%q: %v", last, err)
		}
	}
	if _, can := p.(Asked); can {
		t.Error("SMTP can be asked")
	}
}
