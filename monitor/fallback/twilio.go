package fallback

import (
	"bytes"
	"context"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"tickwatch/wa"
	"tickwatch/wa/wire"
)

// twilio sends SMS and makes calls by Twilio's REST API of 2010-04-01 (fallback.md
// A1, https://www.twilio.com/docs/messaging/api/message-resource,
// https://www.twilio.com/docs/voice/api/call-resource).
type twilio struct {
	line
	account  string
	user     string // the account itself, or an API key
	password wa.Secret
	keys     []wa.Secret // auth tokens, by which callbacks are signed
	sender   string
	language string
	speaker  string
}

const twilioBase = "https://api.twilio.com"

var twilioAccount = regexp.MustCompile(`^AC[0-9a-fA-F]{32}$`)

func newTwilio(c Channel, l line) *twilio {
	t := &twilio{
		line: l, account: c.Account, user: c.Account, password: c.Password, keys: c.SigningKeys,
		sender: c.Sender, language: c.Language, speaker: c.Voice,
	}
	if c.User != "" {
		t.user = c.User
	}
	if len(t.keys) == 0 {
		t.keys = []wa.Secret{c.Password}
	}
	return t
}

// twilioForm holds what is true of Twilio's values alone.
func twilioForm(c *Channel) error {
	switch {
	case !twilioAccount.MatchString(c.Account):
		return fmt.Errorf("account %q is no account SID: write AC and the 32 digits behind it, as Twilio's console shows them", wa.Clean(c.Account))
	case c.User != "" && len(c.SigningKeys) == 0:
		return fmt.Errorf("signing_key is needed where user is an API key: set it to the account's auth token, by which Twilio signs receipts")
	}
	return nil
}

// Send writes Messages.json or Calls.json.
func (t *twilio) Send(ctx context.Context, m *wa.FallbackMessage, begin func() error) (wa.FallbackAnswer, error) {
	said := url.Values{"To": {m.To}, "StatusCallback": {t.callback(m.Attempt)}}
	resource := "/Messages.json"
	switch {
	case t.channel == wa.ChannelVoice:
		resource = "/Calls.json"
		said.Set("From", t.sender)
		said.Set("Twiml", spoken(m.Text, t.languageOf(m), t.speaker))
		said["StatusCallbackEvent"] = []string{"initiated", "ringing", "answered", "completed"}
	case strings.HasPrefix(t.sender, "MG"):
		said.Set("MessagingServiceSid", t.sender)
		said.Set("Body", m.Text)
	default:
		said.Set("From", t.sender)
		said.Set("Body", m.Text)
	}
	r := &wire.Request{
		Method: http.MethodPost, URL: t.resource(resource), Header: t.header(), Body: []byte(said.Encode()), Begin: begin,
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return t.send(ctx, m, r, t.judge)
}

func (t *twilio) resource(name string) string {
	return t.wire.Base() + "/2010-04-01/Accounts/" + t.account + name
}

func (t *twilio) header() http.Header {
	return http.Header{"Accept": {"application/json"}, "Authorization": {basicAuth(t.user, t.password)}}
}

// languageOf is a text's language as a BCP 47 tag.
func (t *twilio) languageOf(m *wa.FallbackMessage) string { return languageTag(m.Language, t.language) }

// languageTag is the first of two that is one, written with hyphens; else en-US.
func languageTag(choices ...string) string {
	for _, c := range choices {
		if tag := strings.ReplaceAll(c, "_", "-"); languageForm.MatchString(tag) {
			return tag
		}
	}
	return "en-US"
}

var languageForm = regexp.MustCompile(`^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8}){0,3}$`)

// spoken is TwiML that says a text. Nothing in the text is read as TwiML.
func spoken(text, language, speaker string) string {
	var b bytes.Buffer
	escape := func(s string) { _ = xml.EscapeText(&b, []byte(s)) } // a Buffer takes everything
	b.WriteString(`<Response><Say language="`)
	escape(language)
	if speaker != "" {
		b.WriteString(`" voice="`)
		escape(speaker)
	}
	b.WriteString(`">`)
	escape(text)
	b.WriteString(`</Say></Response>`)
	return b.String()
}

// Codes of Twilio (https://www.twilio.com/docs/api/errors).
const twilioOptedOut = "21610"

// judge reads a resource, or an error with its code.
func (t *twilio) judge(ans *wire.Answer) wa.FallbackAnswer {
	v, err := anyValue(ans.Body)
	if err != nil {
		return wa.FallbackAnswer{}
	}
	if ans.Status/100 == 2 {
		a := wa.FallbackAnswer{
			Kind: wa.FallbackAccepted, ProviderID: field(v, "sid"), Segments: count(field(v, "num_segments")),
			Price: amount(field(v, "price")),
		}
		if a.Price != 0 {
			a.Currency = currencyOf(field(v, "price_unit"))
		}
		code := field(v, "error_code")
		switch {
		case code == twilioOptedOut:
			a.Kind = wa.FallbackOptedOut
		case !plausibleID(a.ProviderID):
			return wa.FallbackAnswer{}
		case field(v, "status") == "failed":
			a.Kind = wa.FallbackRejected
		}
		if a.Kind != wa.FallbackAccepted {
			a.Code, a.Details = code, field(v, "error_message")
		}
		return a
	}
	a := wa.FallbackAnswer{Code: field(v, "code"), Details: field(v, "message")}
	switch a.Code {
	case twilioOptedOut:
		a.Kind = wa.FallbackOptedOut
	case "20429", "21611": // too many requests; the sender's queue is full
		a.Kind = wa.FallbackThrottled
	case "20003", "20005", "20403", "20404":
		return t.accountFault(a, "account and .password")
	case "21212", "21603", "21606", "21607", "21659", "21660", "21701", "21703", "21705": // not the account's own, or not able
		return t.accountFault(a, "sender")
	}
	return a
}

var twilioStates = map[string]wa.FallbackState{
	"accepted": wa.FallbackQueued, "scheduled": wa.FallbackQueued, "queued": wa.FallbackQueued, "sending": wa.FallbackQueued,
	"sent": wa.FallbackSent, "delivered": wa.FallbackDelivered, "read": wa.FallbackDelivered,
	"undelivered": wa.FallbackFailed, "failed": wa.FallbackFailed, "canceled": wa.FallbackFailed,
}

var twilioCallStates = map[string]wa.FallbackState{
	"queued": wa.FallbackQueued, "initiated": wa.FallbackQueued, "ringing": wa.FallbackSent,
	"in-progress": wa.FallbackDelivered, "completed": wa.FallbackDelivered,
	"busy": wa.FallbackFailed, "no-answer": wa.FallbackFailed, "failed": wa.FallbackFailed, "canceled": wa.FallbackFailed,
}
