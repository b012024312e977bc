package fallback

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"tickwatch/wa"
	"tickwatch/wa/wire"
)

// bird sends SMS by Bird's Channels API and makes calls by its Voice API
// (fallback.md A1, https://docs.bird.com/api/channels-api/api-reference/messaging,
// https://docs.bird.com/api/voice-api/voice-calls-api/initiate-an-outbound-call).
// Its callbacks are those of a webhook subscription, one address for everything: an
// SMS carries its attempt as the reference, a call is known by its id alone.
type bird struct {
	line
	workspace, id string // of the channel
	access        wa.Secret
	keys          []wa.Secret // of the webhook subscription
	language      string
	speaker       string
}

const birdBase = "https://api.bird.com"

var birdID = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

func newBird(c Channel, l line) *bird {
	return &bird{
		line: l, workspace: c.Account, id: c.ChannelID, access: c.Password, keys: c.SigningKeys,
		language: c.Language, speaker: c.Voice,
	}
}

// birdForm holds what is true of Bird's values alone.
func birdForm(c *Channel) error {
	switch {
	case !birdID.MatchString(c.Account):
		return fmt.Errorf("account %q is no workspace id: copy it from the address of Bird's dashboard", wa.Clean(c.Account))
	case !birdID.MatchString(c.ChannelID):
		return fmt.Errorf("channel_id %q is no id of a channel: copy it from the channel's page in Bird", wa.Clean(c.ChannelID))
	case c.Voice != "" && c.Voice != "male" && c.Voice != "female":
		return fmt.Errorf("voice %q is none of Bird's: write male or female", wa.Clean(c.Voice))
	}
	return nil
}

type birdMessage struct {
	Receiver struct {
		Contacts []birdContact `json:"contacts"`
	} `json:"receiver"`
	Body struct {
		Type string `json:"type"`
		Text struct {
			Text string `json:"text"`
		} `json:"text"`
	} `json:"body"`
	Reference string `json:"reference"`
}

type birdContact struct {
	Key   string `json:"identifierKey"`
	Value string `json:"identifierValue"`
}

type birdCall struct {
	To   string        `json:"to"`
	Flow []birdCommand `json:"callFlow"`
}

type birdCommand struct {
	Command string   `json:"command"`
	Options *birdSay `json:"options,omitempty"`
}

type birdSay struct {
	Text   string `json:"text"`
	Locale string `json:"locale"`
	Voice  string `json:"voice,omitempty"`
}

// Send writes a message to the channel, or a call that says the text and hangs up.
func (b *bird) Send(ctx context.Context, m *wa.FallbackMessage, begin func() error) (wa.FallbackAnswer, error) {
	resource, content := "/messages", any(nil)
	if b.channel == wa.ChannelVoice {
		say := &birdSay{Text: m.Text, Locale: languageTag(m.Language, b.language), Voice: b.speaker}
		resource, content = "/calls", birdCall{To: m.To, Flow: []birdCommand{{Command: "say", Options: say}, {Command: "hangup"}}}
	} else {
		sms := birdMessage{Reference: m.Attempt.String()}
		sms.Receiver.Contacts = []birdContact{{"phonenumber", m.To}}
		sms.Body.Type = "text"
		sms.Body.Text.Text = m.Text
		content = sms
	}
	body, err := json.Marshal(content)
	if err != nil { // texts alone: it cannot fail
		return wa.FallbackAnswer{Kind: wa.FallbackRejected, Details: err.Error()}, nil
	}
	r := &wire.Request{Method: http.MethodPost, URL: b.resource(resource), Header: b.header(), Body: body, Begin: begin}
	r.Header.Set("Content-Type", "application/json")
	return b.send(ctx, m, r, b.judge)
}

func (b *bird) resource(name string) string {
	return b.wire.Base() + "/workspaces/" + b.workspace + "/channels/" + b.id + name
}

func (b *bird) header() http.Header {
	return http.Header{"Accept": {"application/json"}, "Authorization": {"AccessKey " + b.access.Reveal()}}
}

// judge reads {"id","status"}, or {"code","message"}.
func (b *bird) judge(ans *wire.Answer) wa.FallbackAnswer {
	v, err := anyValue(ans.Body)
	if err != nil {
		return wa.FallbackAnswer{}
	}
	if ans.Status/100 != 2 {
		a := wa.FallbackAnswer{Code: field(v, "code"), Details: field(v, "message")}
		if ans.Status == http.StatusForbidden {
			return b.accountFault(a, "password, which needs the right to send")
		}
		return a
	}
	if id := field(v, "id"); plausibleID(id) {
		return wa.FallbackAnswer{Kind: wa.FallbackAccepted, ProviderID: id}
	}
	return wa.FallbackAnswer{}
}

// birdStates are the statuses of messages and of calls
// (https://docs.bird.com/api/channels-api/message-status-and-interactions,
// https://docs.bird.com/api/voice-api/voice-webhooks).
var birdStates = map[string]wa.FallbackState{
	"accepted": wa.FallbackQueued, "scheduled": wa.FallbackQueued, "processing": wa.FallbackQueued, "sent": wa.FallbackSent,
	"delivered": wa.FallbackDelivered, "sending_failed": wa.FallbackFailed, "delivery_failed": wa.FallbackFailed,
	"rejected": wa.FallbackFailed, "skipped": wa.FallbackFailed, "deleted": wa.FallbackFailed,
}

var birdCallStates = map[string]wa.FallbackState{
	"queued": wa.FallbackQueued, "starting": wa.FallbackQueued, "ringing": wa.FallbackSent,
	"ongoing": wa.FallbackDelivered, "completed": wa.FallbackDelivered,
	"no-answer": wa.FallbackFailed, "busy": wa.FallbackFailed, "failed": wa.FallbackFailed, "canceled": wa.FallbackFailed,
}

// Receive takes what Bird signed: {"service","event","payload"}.
func (b *bird) Receive(r *http.Request, body []byte) (Received, error) {
	if _, _, known := b.target(r); !known || !b.signed(r, body) {
		return Received{}, ErrSignature
	}
	got := Received{Response: ok}
	doc, err := anyValue(body)
	if err != nil {
		return got, notUnderstood("the body is no JSON")
	}
	object, _ := doc.(map[string]any)
	payload := object["payload"]
	switch event := field(doc, "event"); {
	case event == "sms.inbound" && b.channel == wa.ChannelSMS:
		return b.reply(payload, got)
	case event == "sms.outbound" && b.channel == wa.ChannelSMS, event == "voice.outbound" && b.channel == wa.ChannelVoice:
		receipt, err := b.receipt(payload)
		if err == nil {
			got.Receipts = []wa.FallbackReceipt{receipt}
		}
		return got, err
	default:
		return got, notUnderstood("an event %q for %s", event, b.channel)
	}
}

// receipt reads a message or a call. One that others sent over the same channel
// has no attempt of ours, and an id that nobody knows.
func (b *bird) receipt(v any) (wa.FallbackReceipt, error) {
	states := birdStates
	if b.channel == wa.ChannelVoice {
		states = birdCallStates
	}
	state, ok := states[field(v, "status")]
	id := field(v, "id")
	if !ok || !plausibleID(id) {
		return wa.FallbackReceipt{}, notUnderstood("a receipt with the status %q", field(v, "status"))
	}
	receipt := wa.FallbackReceipt{
		Channel: b.channel, ProviderID: id, State: state,
		At: max(instant(field(v, "lastStatusAt")), instant(field(v, "updatedAt"))),
	}
	receipt.Attempt, _ = wa.ParseFallbackAttempt(field(v, "reference"))
	if state == wa.FallbackFailed {
		receipt.Code, receipt.Details = brief(field(v, "failure.code")), brief(field(v, "reason"))
		if receipt.Code == "" {
			receipt.Code = field(v, "status")
		}
	}
	return receipt, nil
}

func (b *bird) reply(v any, got Received) (Received, error) {
	from := e164(field(v, "sender.contact.identifierValue"))
	if from == "" {
		return got, notUnderstood("a reply without a sender")
	}
	reply := wa.Reply{Channel: b.channel, From: from, Text: field(v, "body.text.text"), At: instant(field(v, "createdAt"))}
	if id := field(v, "id"); plausibleID(id) {
		reply.ProviderID = id
	}
	got.Replies = []wa.Reply{reply}
	return got, nil
}

// signed checks base64(HMAC-SHA256(key, timestamp "\n" url "\n" sha256(body))), where
// the hash of the body stands as its bytes
// (https://docs.bird.com/api/notifications-api/api-reference/webhooks/verifying-a-webhook).
func (b *bird) signed(r *http.Request, body []byte) bool {
	signatures, times := r.Header.Values("Messagebird-Signature"), r.Header.Values("Messagebird-Request-Timestamp")
	if len(signatures) != 1 || len(times) != 1 {
		return false
	}
	sent, err := base64.StdEncoding.DecodeString(signatures[0])
	if err != nil {
		return false
	}
	sum := sha256.Sum256(body)
	text := strings.Join([]string{times[0], b.signedURL(r), string(sum[:])}, "\n")
	signed := false
	for _, key := range b.keys {
		if key.Empty() {
			continue
		}
		mac := hmac.New(sha256.New, []byte(key.Reveal()))
		mac.Write([]byte(text))
		signed = hmac.Equal(sent, mac.Sum(nil)) || signed // and on: the time must not tell which key it was
	}
	return signed
}

// LookUp reads a message or a call by its id.
func (b *bird) LookUp(ctx context.Context, m Attempted) (wa.FallbackReceipt, error) {
	if m.ProviderID == "" {
		return wa.FallbackReceipt{}, ErrNoLookUp
	}
	resource := "/messages/"
	if b.channel == wa.ChannelVoice {
		resource = "/calls/"
	}
	body, err := b.get(ctx, b.resource(resource+url.PathEscape(m.ProviderID)), b.header())
	if err != nil {
		return wa.FallbackReceipt{}, err
	}
	v, err := anyValue(body)
	if err != nil {
		return wa.FallbackReceipt{}, fmt.Errorf("%s does not answer as Bird does: check %s.url", b.wire.Host(), b.key)
	}
	receipt, err := b.receipt(v)
	if err != nil {
		return wa.FallbackReceipt{}, err
	}
	receipt.Attempt = m.Message.Attempt
	return receipt, nil
}
