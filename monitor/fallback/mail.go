package fallback

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	netmail "net/mail"
	"net/textproto"
	"strconv"
	"strings"
	"time"

	"github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"

	"tickwatch/wa"
	"tickwatch/wa/wire"
)

// mailer sends e-mail by SMTP (RFC 5321). What becomes of a mail that the server
// took comes back as a mail, which nobody here reads: there are no receipts.
type mailer struct {
	key, public string
	prices      *Prices
	log         *slog.Logger
	host        string
	port        int
	security    string
	dialer      *net.Dialer
	roots       *x509.CertPool
	user        string
	password    wa.Secret
	secrets     []wa.Secret
	from        *netmail.Address
	replyTo     *netmail.Address // nil = from
	opening     string
	patience    time.Duration // for each answer but the last
	lastWord    time.Duration // for the answer to the message itself
}

// How SMTP is secured.
const (
	securityStart = "starttls"
	securityTLS   = "tls"
	securityNone  = "none"
)

// scanWithin is how long a server may look at a message before it answers.
const scanWithin = 30 * time.Second

const openingInEnglish = "To receive no more e-mails from us, open this address:"

// newMailer makes the provider of e-mail.
func newMailer(key, public string, set Channel, c *Config) (*mailer, error) {
	m := &mailer{
		key: key, public: public, prices: set.Prices, log: c.Log, roots: c.Roots, security: set.TLS, user: set.User,
		password: set.Password, secrets: echoes(set.User, set.Password), opening: set.UnsubscribeText, patience: answerWithin, lastWord: scanWithin,
	}
	if m.security == "" {
		m.security = securityStart
	}
	if m.opening == "" {
		m.opening = openingInEnglish
	}
	if err := m.address(set.URL); err != nil {
		return nil, err
	}
	if (set.User == "") != set.Password.Empty() {
		return nil, fmt.Errorf("%s.user and %s.password belong together: set both, or neither where the server asks for no log-in", key, key)
	}
	var err error
	if m.from, err = netmail.ParseAddress(set.Sender); err != nil {
		return nil, fmt.Errorf("%s.sender is no address of e-mail: write one such as \"Shop <news@shop.example>\"", key)
	}
	if set.ReplyTo != "" {
		if m.replyTo, err = netmail.ParseAddress(set.ReplyTo); err != nil {
			return nil, fmt.Errorf("%s.reply_to is no address of e-mail: write one such as help@shop.example", key)
		}
	}
	return m, nil
}

// address reads host:port.
func (m *mailer) address(raw string) error {
	ports := map[string]int{securityStart: 587, securityTLS: 465, securityNone: 25}
	port, known := ports[m.security]
	if !known {
		return fmt.Errorf("%s.tls %q is none: write starttls, tls, or none for a server on loopback", m.key, wa.Clean(m.security))
	}
	host := raw
	if h, p, err := net.SplitHostPort(raw); err == nil {
		n, err := strconv.ParseUint(p, 10, 16)
		if err != nil || n == 0 {
			return fmt.Errorf("%s.url %q has no port: write host:port, such as smtp.example.com:587", m.key, wa.Clean(raw))
		}
		host, port = h, int(n)
	}
	if host == "" || strings.ContainsAny(host, "/@ ") || wa.Clean(host) != host {
		return fmt.Errorf("%s.url %q is no mail server: write host:port, such as smtp.example.com:587", m.key, wa.Clean(raw))
	}
	if m.security == securityNone && !wire.OnLoopback(host) {
		return fmt.Errorf("%s.tls none would send mails in the clear: write starttls or tls (none is for 127.0.0.1 only)", m.key)
	}
	place := wire.Place{Key: m.key + ".url", Name: "the mail server"}
	m.host, m.port, m.dialer = host, port, place.Dialer(host, wire.ConnectWithin)
	return place.CheckHost(host)
}

// Quote prices a mail.
func (m *mailer) Quote(message *wa.FallbackMessage) Quote {
	return quoteFor(wa.ChannelEmail, m.prices, message)
}

// Send asks begin when the server has taken both addresses, right before DATA.
func (m *mailer) Send(ctx context.Context, message *wa.FallbackMessage, begin func() error) (wa.FallbackAnswer, error) {
	to, err := netmail.ParseAddress(message.To)
	if err != nil || to.Name != "" || !inASCII(to.Address) {
		return wa.FallbackAnswer{Kind: wa.FallbackRejected, Details: "not an address that mail can be sent to"}, nil
	}
	content, id, err := m.compose(message, to.Address)
	if err != nil {
		return wa.FallbackAnswer{Kind: wa.FallbackRejected, Details: m.shown(ctx, err)}, nil
	}
	a, closed := m.converse(ctx, to.Address, content, begin)
	if closed != nil {
		return a, fmt.Errorf("%w: %w", wa.ErrNotSent, closed)
	}
	if a.Kind == wa.FallbackAccepted {
		a.ProviderID = id
	} else {
		m.log.Debug("a message was not accepted", "channel", wa.ChannelEmail, "kind", a.Kind, "code", a.Code, "details", a.Details)
	}
	return a, nil
}

// converse hands one mail to the server.
func (m *mailer) converse(ctx context.Context, to string, content []byte, begin func() error) (a wa.FallbackAnswer, closed error) {
	client, hangUp, err := m.connect(ctx)
	defer hangUp()
	if err != nil {
		return m.beforehand(ctx, err, "user and .password"), nil
	}
	defer func() {
		_ = client.UpdateDeadline(m.patience)
		_ = client.Quit()
	}()
	for _, step := range []struct {
		say     func(string) error
		address string
		blame   string
	}{{client.Mail, m.from.Address, "sender"}, {client.Rcpt, to, ""}} {
		_ = client.UpdateDeadline(m.patience)
		if err := step.say("<" + step.address + ">"); err != nil {
			return m.beforehand(ctx, err, step.blame), nil
		}
	}
	if ctx.Err() != nil {
		return m.beforehand(ctx, ctx.Err(), ""), nil
	}
	if begin != nil {
		if err := begin(); err != nil {
			return wa.FallbackAnswer{Kind: wa.FallbackNotSent, Details: "the gate was closed"}, err
		}
	}
	_ = client.UpdateDeadline(m.patience)
	w, err := client.Data()
	if err == nil {
		_, err = w.Write(content)
	}
	if err == nil {
		_ = client.UpdateDeadline(m.lastWord)
		err = w.Close()
	}
	if err == nil {
		return wa.FallbackAnswer{Kind: wa.FallbackAccepted}, nil
	}
	if a, ok := m.coded(err); ok {
		return a, nil
	}
	return wa.FallbackAnswer{Kind: wa.FallbackUnknown, Details: m.shown(ctx, err)}, nil
}

// beforehand judges what went wrong before DATA: the mail was certainly not taken.
// Where blame names keys, a refusal for good is the account's fault.
func (m *mailer) beforehand(ctx context.Context, err error, blame string) wa.FallbackAnswer {
	a, coded := m.coded(err)
	switch {
	case !coded:
		return wa.FallbackAnswer{Kind: wa.FallbackNotSent, Details: m.shown(ctx, err)}
	case a.Kind == wa.FallbackRejected && blame != "":
		a.Kind, a.RetryAfter = wa.FallbackThrottled, restOfAccount
		a.Details = fmt.Sprintf("the account is not accepted (%s): check %s.%s", a.Details, m.key, blame)
	}
	return a
}

// coded judges a reply of the server: 4xx is for now, 5xx for good (RFC 5321 §4.2.1).
func (m *mailer) coded(err error) (wa.FallbackAnswer, bool) {
	said, ok := errors.AsType[*textproto.Error](err)
	if !ok || said.Code < 400 || said.Code > 599 {
		return wa.FallbackAnswer{}, false
	}
	a := wa.FallbackAnswer{Kind: wa.FallbackRejected, Code: strconv.Itoa(said.Code), Details: wire.Shown(said.Msg, m.secrets...)}
	if said.Code < 500 {
		a.Kind = wa.FallbackThrottled
	}
	return a, true
}

// connect dials, secures and logs in. hangUp is to be called whatever comes of it;
// the end of ctx hangs up, too.
func (m *mailer) connect(ctx context.Context) (_ *smtp.Client, hangUp func(), _ error) {
	hangUp = func() {}
	secure := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: m.host, RootCAs: m.roots}
	dial := func(within context.Context, network, address string) (net.Conn, error) {
		conn, err := m.dialer.DialContext(within, network, address)
		if err != nil {
			return nil, err
		}
		stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
		hangUp = func() { stop(); _ = conn.Close() }
		if m.security != securityTLS {
			return conn, nil
		}
		secured := tls.Client(conn, secure)
		return secured, secured.HandshakeContext(within)
	}
	options := []mail.Option{
		mail.WithPort(m.port), mail.WithTimeout(m.patience), mail.WithTLSConfig(secure), mail.WithDialContextFunc(dial),
		mail.WithoutSMTPUTF8(), mail.WithHELO(domainOf(m.from.Address)),
	}
	switch m.security {
	case securityStart:
		options = append(options, mail.WithTLSPolicy(mail.TLSMandatory))
	case securityTLS: // already secured when it is looked for
		options = append(options, mail.WithTLSPolicy(mail.TLSOpportunistic))
	default:
		options = append(options, mail.WithTLSPolicy(mail.NoTLS))
	}
	if m.user != "" {
		kind := mail.SMTPAuthAutoDiscover
		if m.security == securityNone {
			kind = mail.SMTPAuthPlainNoEnc
		}
		options = append(options, mail.WithSMTPAuth(kind), mail.WithUsername(m.user), mail.WithPassword(m.password.Reveal()))
	}
	client, err := mail.NewClient(m.host, options...)
	if err != nil {
		return nil, hangUp, err
	}
	conversation, err := client.DialToSMTPClientWithContext(ctx)
	return conversation, hangUp, err
}

// compose writes the mail, and its Message-ID, which is the same for every try of
// an attempt.
func (m *mailer) compose(message *wa.FallbackMessage, to string) (content []byte, id string, err error) {
	link := m.public + Path + wa.ChannelEmail + "/" + message.Attempt.String()
	sum := sha256.Sum256([]byte(message.Attempt.Token)) // the token itself is for the link alone
	id = fmt.Sprintf("tickwatch.%d.%s@%s", message.Attempt.ID, hex.EncodeToString(sum[:8]), domainOf(m.from.Address))

	msg := mail.NewMsg(mail.WithNoDefaultUserAgent())
	msg.FromMailAddress(m.from)
	if m.replyTo != nil {
		msg.ReplyToMailAddress(m.replyTo)
	}
	if err := msg.To(to); err != nil {
		return nil, "", err
	}
	msg.Subject(strings.TrimSpace(wa.Clean(message.Subject)))
	msg.SetDate()
	msg.SetMessageIDWithValue(id)
	msg.SetBulk()
	msg.SetGenHeader(mail.HeaderListUnsubscribe, "<"+link+">") // RFC 8058
	msg.SetGenHeader(mail.HeaderListUnsubscribePost, "List-Unsubscribe=One-Click")
	if message.Language != "" {
		msg.SetGenHeader(mail.HeaderContentLang, languageTag(message.Language))
	}
	msg.SetBodyString(mail.TypeTextPlain, message.Text+"\n\n"+m.opening+"\n"+link+"\n")
	var b bytes.Buffer
	if _, err := msg.WriteTo(&b); err != nil {
		return nil, "", err
	}
	return b.Bytes(), id, nil
}

// shown is an error as others may see it. Errors of dialling name addresses of the
// server and nobody else's.
func (m *mailer) shown(ctx context.Context, err error) string {
	if ctx.Err() != nil {
		err = fmt.Errorf("broken off: %w", context.Cause(ctx))
	}
	return wire.Shown(err.Error(), m.secrets...)
}

func domainOf(address string) string { return address[strings.LastIndexByte(address, '@')+1:] }

func inASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
}
