package fallback

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"tickwatch/wa"
	"tickwatch/wa/wire"
)

const (
	// answerWithin runs from the begin of the write to the end of the answer.
	answerWithin = 10 * time.Second

	// restOfAccount is how long to wait with everything where the account is not
	// accepted.
	restOfAccount = time.Minute

	// maxID bounds an identifier of a provider in bytes.
	maxID = 256
)

// line is what providers that speak HTTP have in common, for one channel.
type line struct {
	channel string // wa.ChannelSMS
	key     string // of the configuration: fallback.sms
	public  string // webhook.public_url without its last slash
	prices  *Prices
	log     *slog.Logger
	wire    *wire.Wire
	secrets []wa.Secret // as they may be echoed
}

// Quote prices a message.
func (l *line) Quote(m *wa.FallbackMessage) Quote { return quoteFor(l.channel, l.prices, m) }

// Close closes the connections that are not in use.
func (l *line) Close() { l.wire.Close() }

// callback is the address that an attempt's receipts come to.
func (l *line) callback(a wa.FallbackAttempt) string {
	return l.public + Path + l.channel + "/" + a.String()
}

// phoneForm is a number in E.164.
var phoneForm = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)

// judge reads an answer of 2xx or 4xx that came whole. A Kind of 0 leaves it to its
// status: what 2xx says cannot be read then, and the message may have been taken.
type judge func(ans *wire.Answer) wa.FallbackAnswer

// send makes the request that hands on a message, through its gate.
func (l *line) send(ctx context.Context, m *wa.FallbackMessage, r *wire.Request, read judge) (wa.FallbackAnswer, error) {
	if !phoneForm.MatchString(m.To) {
		return wa.FallbackAnswer{Kind: wa.FallbackRejected, Details: "not a phone number with its country code"}, nil
	}
	if strings.TrimSpace(m.Text) == "" || !utf8.ValidString(m.Text) {
		return wa.FallbackAnswer{Kind: wa.FallbackRejected, Details: "there is no text"}, nil
	}
	r.Secrets = l.secrets
	ans, err := l.wire.Do(ctx, r)
	if ans.Closed != nil {
		return wa.FallbackAnswer{Kind: wa.FallbackNotSent, Details: "the gate was closed"}, fmt.Errorf("%w: %w", wa.ErrNotSent, ans.Closed)
	}
	a := wa.FallbackAnswer{Kind: wa.FallbackNotSent}
	if !ans.Begun {
		a.Details = ans.Shown(err.Error())
	} else {
		a = l.verdict(&ans, err, read)
	}
	if a.Kind != wa.FallbackAccepted {
		l.log.Debug("a message was not accepted", "channel", l.channel, "http", ans.Status, "kind", a.Kind, "code", a.Code, "details", a.Details)
	}
	return a, nil
}

// verdict judges what came after the request was written; broken is what kept the
// answer from being read whole.
func (l *line) verdict(ans *wire.Answer, broken error, read judge) wa.FallbackAnswer {
	a := wa.FallbackAnswer{}
	class := ans.Status / 100
	switch {
	case ans.Status == http.StatusTooManyRequests: // whatever the rest is: the status says all
		if broken == nil {
			a = read(ans)
		}
		if a.Kind = wa.FallbackThrottled; a.Details == "" {
			a.Details = words(ans)
		}
	case broken != nil:
		a = wa.FallbackAnswer{Kind: wa.FallbackUnknown, Details: broken.Error()}
	case class == 2, class == 4 && ans.Status != http.StatusRequestTimeout:
		a = read(ans)
	}
	if a.Kind == 0 {
		a = l.byStatus(ans, a)
	}
	if a.Kind == wa.FallbackThrottled && a.RetryAfter == 0 {
		a.RetryAfter = ans.RetryAfter()
	}
	if a.Kind == wa.FallbackAccepted && !plausibleID(a.ProviderID) {
		a.ProviderID = ""
	}
	a.Code, a.Details = ans.Shown(a.Code), ans.Shown(a.Details)
	return a
}

// byStatus judges an answer by its status alone; a holds what could be read of it.
func (l *line) byStatus(ans *wire.Answer, a wa.FallbackAnswer) wa.FallbackAnswer {
	if a.Details == "" {
		a.Details = words(ans)
	}
	switch ans.Status {
	case http.StatusUnauthorized, http.StatusPaymentRequired, http.StatusProxyAuthRequired:
		return l.accountFault(a, "password")
	case http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusGone:
		return l.accountFault(a, "url")
	case http.StatusRequestTimeout:
		a.Kind = wa.FallbackUnknown
		return a
	}
	switch ans.Status / 100 {
	case 2:
		a.Details = "the answer cannot be read: " + a.Details
	case 3:
		a.Details = "the answer leads elsewhere and was not followed: check " + l.key + ".url"
	case 4:
		a.Kind = wa.FallbackRejected
		return a
	}
	a.Kind = wa.FallbackUnknown
	return a
}

// words are an answer as it came, in brief.
func words(ans *wire.Answer) string {
	return strings.TrimSpace(fmt.Sprintf("HTTP %d %s", ans.Status, ans.Body[:min(len(ans.Body), 1<<10)]))
}

// accountFault is an answer that refuses us and not the person: the message was not
// taken, and can be once the operator has mended what key names.
func (l *line) accountFault(a wa.FallbackAnswer, key string) wa.FallbackAnswer {
	a.Kind, a.RetryAfter = wa.FallbackThrottled, restOfAccount
	a.Details = fmt.Sprintf("the account is not accepted (%s): check %s.%s", a.Details, l.key, key)
	return a
}

// get reads one address for a look-up.
func (l *line) get(ctx context.Context, address string, header http.Header) ([]byte, error) {
	ans, err := l.wire.Do(ctx, &wire.Request{Method: http.MethodGet, URL: address, Header: header, Repeat: true, Secrets: l.secrets})
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s cannot be asked: %w", l.wire.Host(), err)
	case ans.Status == http.StatusNotFound:
		return nil, ErrNotFound
	case ans.Status/100 != 2:
		return nil, errors.New(ans.Shown(l.wire.Host() + " answered " + words(&ans)))
	}
	return ans.Body, nil
}

// plausibleID tells an identifier that can be kept and shown as it is.
func plausibleID(s string) bool {
	return s != "" && len(s) <= maxID && strings.TrimSpace(s) == s && wa.Clean(s) == s
}

// echoes are the ways in which an answer could show a secret.
func echoes(user string, secret wa.Secret) []wa.Secret {
	text := secret.Reveal()
	if text == "" {
		return nil
	}
	basic := base64.StdEncoding.EncodeToString([]byte(user + ":" + text))
	quoted, err := json.Marshal(text)
	if err != nil { // a text: it cannot fail
		quoted = []byte(`""`)
	}
	var all []wa.Secret
	for _, form := range []string{basic, url.QueryEscape(text), url.PathEscape(text), strings.Trim(string(quoted), `"`), text} {
		all = append(all, wa.NewSecret(form))
	}
	return all
}

// basicAuth is the value of an Authorization header.
func basicAuth(user string, secret wa.Secret) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+secret.Reveal()))
}
