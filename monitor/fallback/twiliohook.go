package fallback

import (
	"context"
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // Twilio signs with HMAC-SHA1, which is not broken as SHA1 is
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"tickwatch/wa"
)

// twiml answers without saying anything to anybody.
var twiml = Response{Status: http.StatusOK, ContentType: "text/xml", Body: `<?xml version="1.0" encoding="UTF-8"?><Response/>`}

// Receive takes what Twilio signed.
func (t *twilio) Receive(r *http.Request, body []byte) (Received, error) {
	attempt, reply, known := t.target(r)
	said, signed := t.verify(r, body)
	got := Received{Response: twiml}
	switch {
	case !known || !signed:
		return Received{}, ErrSignature
	case said == nil:
		return got, notUnderstood("the body is neither a form nor an object of JSON")
	case reply:
		return t.reply(said, got)
	}
	status, states, id := said("MessageStatus"), twilioStates, said("MessageSid")
	if t.channel == wa.ChannelVoice {
		status, states, id = said("CallStatus"), twilioCallStates, said("CallSid")
	}
	state, ok := states[status]
	if !ok {
		return got, notUnderstood("a receipt with the status %q", status)
	}
	receipt := wa.FallbackReceipt{Channel: t.channel, Attempt: attempt, State: state, At: instant(said("Timestamp"))}
	if plausibleID(id) {
		receipt.ProviderID = id
	}
	if state == wa.FallbackFailed {
		receipt.Code, receipt.Details = brief(said("ErrorCode")), brief(said("ErrorMessage"))
		if receipt.Code == "" {
			receipt.Code = status // busy, no-answer
		}
	}
	got.Receipts = []wa.FallbackReceipt{receipt}
	if receipt.Code == twilioOptedOut {
		got.OptedOut = []wa.FallbackAttempt{attempt}
	}
	return got, nil
}

// reply reads a message to us. OptOutType comes from Twilio's Advanced Opt-Out
// (https://www.twilio.com/docs/messaging/tutorials/advanced-opt-out).
func (t *twilio) reply(said func(string) string, got Received) (Received, error) {
	from := e164(said("From"))
	if from == "" || t.channel != wa.ChannelSMS {
		return got, notUnderstood("a reply without a sender")
	}
	reply := wa.Reply{
		Channel: t.channel, From: from, Text: said("Body"), OptedOut: strings.EqualFold(said("OptOutType"), "STOP"),
	}
	if id := said("MessageSid"); plausibleID(id) {
		reply.ProviderID = id
	}
	got.Replies = []wa.Reply{reply}
	return got, nil
}

// verify checks the signature (fallback.md A2), and gives what the callback says by
// name; nil where that cannot be read.
func (t *twilio) verify(r *http.Request, body []byte) (said func(name string) string, signed bool) {
	signature := r.Header.Values("X-Twilio-Signature")
	if len(signature) != 1 {
		return nil, false
	}
	address := t.signedURL(r)
	if hash := r.URL.Query().Get("bodySHA256"); hash != "" {
		sum := sha256.Sum256(body)
		sent, err := hex.DecodeString(hash)
		if err != nil || subtle.ConstantTimeCompare(sent, sum[:]) != 1 || !t.signs(address, nil, signature[0]) {
			return nil, false
		}
		v, err := anyValue(body)
		if _, object := v.(map[string]any); err != nil || !object {
			return nil, true
		}
		return func(name string) string { return field(v, name) }, true
	}
	query := r.URL.Query()
	if r.Method == http.MethodGet {
		return query.Get, len(body) == 0 && t.signs(address, nil, signature[0])
	}
	values, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, false
	}
	return values.Get, t.signs(address, values, signature[0])
}

// signs tells whether one of the tokens signed an address, with or without its
// port, and the values of a form.
func (t *twilio) signs(address string, values url.Values, signature string) bool {
	sent, err := base64.StdEncoding.DecodeString(signature)
	if err != nil {
		return false
	}
	var fields strings.Builder
	for _, name := range slices.Sorted(maps.Keys(values)) {
		of := slices.Clone(values[name])
		slices.Sort(of)
		for _, value := range slices.Compact(of) {
			fields.WriteString(name + value)
		}
	}
	signed := false
	for _, spelling := range portSpellings(address) {
		for _, key := range t.keys {
			if key.Empty() {
				continue
			}
			mac := hmac.New(sha1.New, []byte(key.Reveal()))
			mac.Write([]byte(spelling + fields.String()))
			signed = hmac.Equal(sent, mac.Sum(nil)) || signed // and on: the time must not tell which key it was
		}
	}
	return signed
}

// portSpellings are an address as it is, and with its port left out or written.
func portSpellings(address string) []string {
	u, err := url.Parse(address)
	if err != nil {
		return []string{address}
	}
	host, port := u.Host, u.Port()
	standard := map[string]string{"https": "443", "http": "80"}[u.Scheme]
	other := host + ":" + standard
	if port != "" {
		other = strings.TrimSuffix(host, ":"+port)
	}
	return []string{address, strings.Replace(address, "//"+host, "//"+other, 1)}
}

// How far Twilio's clock and ours may be apart, and how long a send can take.
const (
	lookUpBefore = 5 * time.Second
	lookUpAfter  = time.Minute
)

// LookUp reads a message by its SID. Without one it looks among the newest to the
// same number for the only one with the same text that was made just then.
func (t *twilio) LookUp(ctx context.Context, m Attempted) (wa.FallbackReceipt, error) {
	list, plural := "/Messages", "messages"
	if t.channel == wa.ChannelVoice {
		list, plural = "/Calls", "calls"
	}
	if m.ProviderID != "" {
		v, err := t.read(ctx, list+"/"+url.PathEscape(m.ProviderID)+".json")
		if err != nil {
			return wa.FallbackReceipt{}, err
		}
		return t.found(v, m)
	}
	v, err := t.read(ctx, list+".json?"+url.Values{"To": {m.Message.To}, "PageSize": {"50"}}.Encode())
	if err != nil {
		return wa.FallbackReceipt{}, err
	}
	var same []any
	for i := range 50 {
		at := fmt.Sprintf("%s.%d.", plural, i)
		if field(v, at+"sid") == "" {
			break
		}
		made := instant(field(v, at+"date_created"))
		near := made.Sub(m.Begun) >= -lookUpBefore && made.Sub(m.Begun) <= lookUpAfter
		if near && (t.channel == wa.ChannelVoice || field(v, at+"body") == m.Message.Text) {
			same = append(same, v.(map[string]any)[plural].([]any)[i])
		}
	}
	switch len(same) {
	case 0:
		return wa.FallbackReceipt{}, ErrNotFound
	case 1:
		return t.found(same[0], m)
	}
	return wa.FallbackReceipt{}, fmt.Errorf("%s has %d messages to this person that could be it: look at its log", t.wire.Host(), len(same))
}

func (t *twilio) read(ctx context.Context, resource string) (any, error) {
	body, err := t.get(ctx, t.resource(resource), t.header())
	if err != nil {
		return nil, err
	}
	v, err := anyValue(body)
	if err != nil {
		return nil, fmt.Errorf("%s does not answer as Twilio does: check %s.url", t.wire.Host(), t.key)
	}
	return v, nil
}

// found is the receipt that a resource amounts to.
func (t *twilio) found(v any, m Attempted) (wa.FallbackReceipt, error) {
	states := twilioStates
	if t.channel == wa.ChannelVoice {
		states = twilioCallStates
	}
	state, ok := states[field(v, "status")]
	if !ok || !plausibleID(field(v, "sid")) {
		return wa.FallbackReceipt{}, fmt.Errorf("%s has a message with the status %q, which is not known", t.wire.Host(), brief(field(v, "status")))
	}
	receipt := wa.FallbackReceipt{
		Channel: t.channel, Attempt: m.Message.Attempt, ProviderID: field(v, "sid"), State: state,
		At: instant(field(v, "date_updated")), Segments: count(field(v, "num_segments")), Price: amount(field(v, "price")),
	}
	if receipt.Price != 0 {
		receipt.Currency = currencyOf(field(v, "price_unit"))
	}
	if state == wa.FallbackFailed {
		receipt.Code, receipt.Details = brief(field(v, "error_code")), brief(field(v, "error_message"))
	}
	return receipt, nil
}
