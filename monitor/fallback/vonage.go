package fallback

import (
	"context"
	"crypto/hmac"
	"crypto/md5"  //nolint:gosec // Vonage's default, and its weakest HMAC
	"crypto/sha1" //nolint:gosec // one of Vonage's HMACs
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"hash"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"tickwatch/wa"
	"tickwatch/wa/wire"
)

// vonage sends SMS by Vonage's SMS API, formerly Nexmo (fallback.md A1,
// https://developer.vonage.com/messaging/sms/guides/troubleshooting-sms). It
// answers 200 whatever is wrong: each part of the message has a status.
type vonage struct {
	line
	user, sender string
	secret       wa.Secret
	keys         []wa.Secret // signature secrets; none = nothing is signed
	method       string
	token        wa.Secret // of replies, where nothing is signed
}

const (
	vonageBase = "https://rest.nexmo.com"

	// vonageCurrency is that of every message-price.
	vonageCurrency = "EUR"
)

// vonageHashes are the ways to sign. The plain hash, which is the default, is of the
// text and the secret behind it.
var vonageHashes = map[string]func() hash.Hash{
	"md5hash": nil, "md5": md5.New, "sha1": sha1.New, "sha256": sha256.New, "sha512": sha512.New,
}

func newVonage(c Channel, l line) *vonage {
	return &vonage{line: l, user: c.User, secret: c.Password, sender: c.Sender, keys: c.SigningKeys, method: c.SignatureMethod, token: c.ReplyToken}
}

// vonageForm holds what is true of Vonage's values alone.
func vonageForm(c *Channel) error {
	if c.SignatureMethod == "" {
		c.SignatureMethod = "md5hash"
	}
	if _, known := vonageHashes[c.SignatureMethod]; !known {
		return fmt.Errorf("signature_method %q is none: write md5hash, md5, sha1, sha256 or sha512, as Vonage's dashboard says", wa.Clean(c.SignatureMethod))
	}
	return nil
}

// Send writes /sms/json. The secret goes in the body.
func (v *vonage) Send(ctx context.Context, m *wa.FallbackMessage, begin func() error) (wa.FallbackAnswer, error) {
	said := url.Values{
		"api_key": {v.user}, "api_secret": {v.secret.Reveal()}, "from": {v.sender}, "to": {wa.Digits(m.To)}, "text": {m.Text},
		"client-ref": {m.Attempt.String()}, "callback": {v.callback(m.Attempt)}, "status-report-req": {"1"},
	}
	if Split(m.Text).Encoding == UCS2 {
		said.Set("type", "unicode")
	}
	header := http.Header{"Accept": {"application/json"}, "Content-Type": {"application/x-www-form-urlencoded"}}
	r := &wire.Request{Method: http.MethodPost, URL: v.wire.Base() + "/sms/json", Header: header, Body: []byte(said.Encode()), Begin: begin}
	return v.send(ctx, m, r, v.judge)
}

// judge reads the status of every part.
func (v *vonage) judge(ans *wire.Answer) wa.FallbackAnswer {
	doc, err := anyValue(ans.Body)
	if err != nil || ans.Status/100 != 2 {
		return wa.FallbackAnswer{Code: field(doc, "type"), Details: field(doc, "title")}
	}
	object, _ := doc.(map[string]any)
	parts, _ := object["messages"].([]any)
	if len(parts) == 0 {
		return wa.FallbackAnswer{}
	}
	a := wa.FallbackAnswer{Kind: wa.FallbackAccepted, Segments: len(parts), ProviderID: field(parts[0], "message-id")}
	taken := 0
	var failed any
	for _, part := range parts {
		if field(part, "status") == "0" {
			taken++
			a.Price += amount(field(part, "message-price"))
		} else if failed == nil {
			failed = part
		}
	}
	switch {
	case failed != nil:
		a = v.refused(wa.FallbackAnswer{Code: field(failed, "status"), Details: field(failed, "error-text")})
		if taken > 0 {
			a.Kind, a.Details = wa.FallbackUnknown, fmt.Sprintf("%d of %d parts were taken: %s", taken, len(parts), a.Details)
		}
	case !plausibleID(a.ProviderID):
		return wa.FallbackAnswer{}
	case a.Price != 0:
		a.Currency = vonageCurrency
	}
	return a
}

// refused judges a status of Vonage (https://developer.vonage.com/api-errors/sms).
func (v *vonage) refused(a wa.FallbackAnswer) wa.FallbackAnswer {
	switch a.Code {
	case "1", "10": // faster than the account may; too many connections
		a.Kind = wa.FallbackThrottled
	case "4", "8", "9", "11", "14": // credentials, account suspended, credit, not for HTTP, signature
		return v.accountFault(a, "user and .password, and the account")
	case "15": // the sender is not allowed
		return v.accountFault(a, "sender")
	case "", "5": // "an error has occurred in the platform whilst processing"
		a.Kind = wa.FallbackUnknown
	default:
		a.Kind = wa.FallbackRejected
	}
	return a
}

var vonageStates = map[string]wa.FallbackState{
	"accepted": wa.FallbackSent, "buffered": wa.FallbackSent, "unknown": wa.FallbackSent,
	"delivered": wa.FallbackDelivered, "failed": wa.FallbackFailed, "expired": wa.FallbackFailed, "rejected": wa.FallbackFailed,
}

// Receive takes receipts and replies, which come as a query, a form or JSON.
func (v *vonage) Receive(r *http.Request, body []byte) (Received, error) {
	attempt, reply, known := v.target(r)
	if !known {
		return Received{}, ErrSignature
	}
	said, err := spread(r, body)
	switch {
	case len(v.keys) > 0 && (err != nil || !v.signed(said)):
		return Received{}, ErrSignature
	case len(v.keys) == 0 && reply && (v.token.Empty() || !v.token.Equal(wa.NewSecret(r.URL.Query().Get("token")))):
		return Received{}, ErrSignature
	}
	got := Received{Response: ok}
	id := said["messageId"]
	if !plausibleID(id) {
		id = ""
	}
	at, from := instant(said["message-timestamp"]), e164(said["msisdn"])
	switch {
	case err != nil:
		return got, notUnderstood("%v", err)
	case reply && from == "":
		return got, notUnderstood("a reply without a sender")
	case reply:
		got.Replies = []wa.Reply{{Channel: v.channel, ProviderID: id, From: from, Text: said["text"], At: at}}
		return got, nil
	}
	state, ok := vonageStates[said["status"]]
	if !ok {
		return got, notUnderstood("a receipt with the status %q", said["status"])
	}
	receipt := wa.FallbackReceipt{Channel: v.channel, Attempt: attempt, ProviderID: id, State: state, At: at}
	if state == wa.FallbackFailed {
		receipt.Code, receipt.Details = brief(said["err-code"]), brief(said["status"])
	}
	got.Receipts = []wa.FallbackReceipt{receipt}
	return got, nil
}

// spread gives the values of a query, a form or an object of JSON by name.
func spread(r *http.Request, body []byte) (map[string]string, error) {
	said := map[string]string{}
	if len(body) > 0 && isJSON(r) {
		doc, err := anyValue(body)
		object, is := doc.(map[string]any)
		if err != nil || !is {
			return nil, fmt.Errorf("the body is no object of JSON")
		}
		for name, value := range object {
			said[name] = scalar(value)
		}
		return said, nil
	}
	values, err := form(r, body)
	if err != nil {
		return nil, fmt.Errorf("the values cannot be read")
	}
	for name := range values {
		said[name] = values.Get(name)
	}
	return said, nil
}

// signed checks sig: of all other values by name, "&name=value" each, with _ for
// every & and = within (https://developer.vonage.com/en/getting-started/concepts/signing-messages).
func (v *vonage) signed(said map[string]string) bool {
	sent, err := hex.DecodeString(said["sig"])
	if err != nil || len(sent) == 0 {
		return false
	}
	var text strings.Builder
	for _, name := range slices.Sorted(maps.Keys(said)) {
		if name != "sig" {
			text.WriteString("&" + name + "=" + strings.NewReplacer("&", "_", "=", "_").Replace(said[name]))
		}
	}
	signed := false
	for _, key := range v.keys {
		if !key.Empty() {
			signed = hmac.Equal(sent, v.sum(text.String(), key)) || signed // and on: the time must not tell which key it was
		}
	}
	return signed
}

func (v *vonage) sum(text string, key wa.Secret) []byte {
	if v.method == "md5hash" {
		sum := md5.Sum([]byte(text + key.Reveal())) //nolint:gosec // as Vonage does
		return sum[:]
	}
	mac := hmac.New(vonageHashes[v.method], []byte(key.Reveal()))
	mac.Write([]byte(text))
	return mac.Sum(nil)
}
