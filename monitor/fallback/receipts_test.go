package fallback

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tickwatch/wa"
)

func marshal(t testing.TB, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// signedCall makes a callback as the provider would sign it. What it says is a form
// for Twilio and Vonage, a body for the others, a query for Kannel.
func signedCall(provider, channel, last, said string) (*http.Request, []byte) {
	target := Path + channel + "/" + last
	switch provider {
	case ProviderKannel:
		r := call("GET", target, "", "")
		r.URL.RawQuery = said
		return r, nil
	case ProviderTwilio:
		r := call("POST", target, formType, said)
		values, _ := url.ParseQuery(said)
		text := public + target
		var names []string
		for name := range values {
			names = append(names, name)
		}
		slices.Sort(names)
		for _, name := range names {
			of := values[name]
			slices.Sort(of)
			for i, value := range of {
				if i == 0 || of[i-1] != value {
					text += name + value
				}
			}
		}
		mac := hmac.New(sha1.New, []byte(canary))
		mac.Write([]byte(text))
		r.Header.Set("X-Twilio-Signature", base64.StdEncoding.EncodeToString(mac.Sum(nil)))
		return r, []byte(said)
	case ProviderBird:
		r := call("POST", target, "application/json", said)
		sum := sha256.Sum256([]byte(said))
		mac := hmac.New(sha256.New, []byte("secureSigningKey"))
		mac.Write([]byte("1719823259\n" + public + target + "\n"))
		mac.Write(sum[:])
		r.Header.Set("Messagebird-Signature", base64.StdEncoding.EncodeToString(mac.Sum(nil)))
		r.Header.Set("Messagebird-Request-Timestamp", "1719823259")
		return r, []byte(said)
	case ProviderHTTP:
		r := call("POST", target, "application/json", said)
		mac := hmac.New(sha256.New, []byte("gateway secret"))
		mac.Write([]byte(said))
		r.Header.Set("X-Signature", hex.EncodeToString(mac.Sum(nil)))
		return r, []byte(said)
	}
	return call("POST", target, formType, said), []byte(said)
}

// unsigned is Vonage without a signature secret: its receipts are known by their
// token.
func unsigned(c Channel) Channel {
	if c.Provider == ProviderVonage {
		c.SigningKeys, c.ReplyToken = nil, wa.NewSecret("0123456789abcdef")
	}
	return c
}

func at(s string) wa.Instant {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		panic(err)
	}
	return wa.At(t)
}

// TestReceipts: what each provider says, read twice as it may come twice.
func TestReceipts(t *testing.T) {
	const sms, voice = wa.ChannelSMS, wa.ChannelVoice
	for _, c := range []struct {
		provider, channel, said string
		want                    wa.FallbackReceipt // without channel and attempt
		optedOut                bool
	}{
		{ProviderKannel, sms, "type=8&answer=ACK/&id=&smsc=SIM&time=1577880000", wa.FallbackReceipt{State: wa.FallbackSent, At: at("2020-01-01T12:00:00Z")}, false},
		{ProviderKannel, sms, "type=1&answer=id:1%20stat:DELIVRD%20err:000", wa.FallbackReceipt{State: wa.FallbackDelivered}, false},
		{ProviderKannel, sms, "type=4", wa.FallbackReceipt{State: wa.FallbackSent}, false},
		{ProviderKannel, sms, "type=2&answer=id:1+sub:001+stat:UNDELIV+err:021+text:", wa.FallbackReceipt{State: wa.FallbackFailed, Code: "021", Details: "id:1 sub:001 stat:UNDELIV err:021 text:"}, false},
		{ProviderKannel, sms, "type=34&answer=id:1+stat:EXPIRED+err:027", wa.FallbackReceipt{State: wa.FallbackFailed, Code: "027", Details: "id:1 stat:EXPIRED err:027"}, false},
		{ProviderKannel, sms, "type=16&answer=NACK/0x0000000b/Invalid+Destination+Address", wa.FallbackReceipt{State: wa.FallbackFailed, Code: "0x0000000b", Details: "NACK/0x0000000b/Invalid Destination Address"}, false},
		{ProviderKannel, sms, "type=16&answer=NACK/Retries+Exceeded&time=-1", wa.FallbackReceipt{State: wa.FallbackFailed, Code: "Retries", Details: "NACK/Retries Exceeded"}, false},
		{ProviderTwilio, sms, "MessageSid=SM1&MessageStatus=sending", wa.FallbackReceipt{ProviderID: "SM1", State: wa.FallbackQueued}, false},
		{ProviderTwilio, sms, "MessageSid=SM1&MessageStatus=sent", wa.FallbackReceipt{ProviderID: "SM1", State: wa.FallbackSent}, false},
		{ProviderTwilio, sms, "MessageSid=SM1&MessageStatus=delivered", wa.FallbackReceipt{ProviderID: "SM1", State: wa.FallbackDelivered}, false},
		{ProviderTwilio, sms, "MessageSid=SM1&MessageStatus=undelivered&ErrorCode=30003", wa.FallbackReceipt{ProviderID: "SM1", State: wa.FallbackFailed, Code: "30003"}, false},
		{ProviderTwilio, sms, "MessageSid=SM1&MessageStatus=failed&ErrorCode=21610&ErrorMessage=unsubscribed", wa.FallbackReceipt{ProviderID: "SM1", State: wa.FallbackFailed, Code: "21610", Details: "unsubscribed"}, true},
		{ProviderTwilio, voice, "CallSid=CA1&CallStatus=initiated", wa.FallbackReceipt{ProviderID: "CA1", State: wa.FallbackQueued}, false},
		{ProviderTwilio, voice, "CallSid=CA1&CallStatus=ringing&Timestamp=Wed%2C+01+Jan+2020+12%3A00%3A00+%2B0000", wa.FallbackReceipt{ProviderID: "CA1", State: wa.FallbackSent, At: at("2020-01-01T12:00:00Z")}, false},
		{ProviderTwilio, voice, "CallSid=CA1&CallStatus=in-progress", wa.FallbackReceipt{ProviderID: "CA1", State: wa.FallbackDelivered}, false},
		{ProviderTwilio, voice, "CallSid=CA1&CallStatus=completed", wa.FallbackReceipt{ProviderID: "CA1", State: wa.FallbackDelivered}, false},
		{ProviderTwilio, voice, "CallSid=CA1&CallStatus=no-answer", wa.FallbackReceipt{ProviderID: "CA1", State: wa.FallbackFailed, Code: "no-answer"}, false},
		{ProviderVonage, sms, "msisdn=351900000001&messageId=A&status=accepted&err-code=0", wa.FallbackReceipt{ProviderID: "A", State: wa.FallbackSent}, false},
		{ProviderVonage, sms, "messageId=A&status=delivered&err-code=0&message-timestamp=2020-01-01+12%3A00%3A00", wa.FallbackReceipt{ProviderID: "A", State: wa.FallbackDelivered, At: at("2020-01-01T12:00:00Z")}, false},
		{ProviderVonage, sms, "messageId=A&status=rejected&err-code=9", wa.FallbackReceipt{ProviderID: "A", State: wa.FallbackFailed, Code: "9", Details: "rejected"}, false},
		{ProviderHTTP, sms, `{"state":"delivrd","id":"g-1"}`, wa.FallbackReceipt{ProviderID: "g-1", State: wa.FallbackDelivered}, false},
		{ProviderHTTP, sms, `{"state":"EXPIRED","id":5,"why":"off\u001b[2J"}`, wa.FallbackReceipt{ProviderID: "5", State: wa.FallbackFailed, Code: "EXPIRED", Details: "off[2J"}, false},
		{ProviderHTTP, voice, `state=QUEUED&id=g%001`, wa.FallbackReceipt{State: wa.FallbackQueued}, false},
	} {
		p := speak(t, c.channel, unsigned(settings(c.provider, c.channel, "http://127.0.0.1:1")))
		c.want.Channel, c.want.Attempt = c.channel, attempt
		for range 2 {
			got, err := p.Receive(signedCall(c.provider, c.channel, attempt.String(), c.said))
			want := Received{Receipts: []wa.FallbackReceipt{c.want}, Response: got.Response}
			if c.optedOut {
				want.OptedOut = []wa.FallbackAttempt{attempt}
			}
			if diff := cmp.Diff(want, got); diff != "" || err != nil || got.Response.Status != http.StatusOK {
				t.Errorf("%s %s: %v %s", c.provider, c.said, err, diff)
			}
		}
	}
}

// TestBirdEvents: a webhook subscription has one address, and tells also of what is
// not ours.
func TestBirdEvents(t *testing.T) {
	const id = "96a0b5fa-a986-453d-be5c-3117f989f025"
	event := func(name string, payload map[string]any) string {
		return string(marshal(t, map[string]any{"service": "channels", "event": name, "payload": payload}))
	}
	for _, c := range []struct {
		channel, said string
		want          wa.FallbackReceipt
	}{
		{
			wa.ChannelSMS, event("sms.outbound", map[string]any{"id": id, "status": "sent", "reference": attempt.String(), "lastStatusAt": "2022-12-22T08:32:50.736Z"}),
			wa.FallbackReceipt{Attempt: attempt, State: wa.FallbackSent, At: at("2022-12-22T08:32:50.736Z")},
		},
		{wa.ChannelSMS, event("sms.outbound", map[string]any{"id": id, "status": "delivered", "reference": "another system's"}), wa.FallbackReceipt{State: wa.FallbackDelivered}},
		{
			wa.ChannelSMS, event("sms.outbound", map[string]any{"id": id, "status": "delivery_failed", "reference": attempt.String(), "reason": "unknown subscriber", "failure": map[string]any{"code": 15005}}),
			wa.FallbackReceipt{Attempt: attempt, State: wa.FallbackFailed, Code: "15005", Details: "unknown subscriber"},
		},
		{wa.ChannelVoice, event("voice.outbound", map[string]any{"id": id, "status": "ongoing"}), wa.FallbackReceipt{State: wa.FallbackDelivered}},
		{wa.ChannelVoice, event("voice.outbound", map[string]any{"id": id, "status": "no-answer"}), wa.FallbackReceipt{State: wa.FallbackFailed, Code: "no-answer"}},
	} {
		p := speak(t, c.channel, settings(ProviderBird, c.channel, ""))
		c.want.Channel, c.want.ProviderID = c.channel, id
		got, err := p.Receive(signedCall(ProviderBird, c.channel, Reply, c.said))
		if diff := cmp.Diff([]wa.FallbackReceipt{c.want}, got.Receipts); diff != "" || err != nil {
			t.Errorf("%s: %v %s", c.said, err, diff)
		}
	}
}

// TestReplies: what people send back, and how each provider wants to be answered.
func TestReplies(t *testing.T) {
	for _, c := range []struct {
		provider, said string
		want           wa.Reply
	}{
		{ProviderKannel, "token=0123456789abcdef&from=447700900111&text=STOP&id=u-1&time=1577880000", wa.Reply{ProviderID: "u-1", From: "+447700900111", Text: "STOP", At: at("2020-01-01T12:00:00Z")}},
		{ProviderKannel, "token=0123456789abcdef&from=+447700900111&text=%E9t%E9", wa.Reply{From: "+447700900111", Text: "été"}},
		{ProviderKannel, "token=0123456789abcdef&from=447700900111&text=%04%21%04%22%04%1E%04%1F&charset=UTF-16BE", wa.Reply{From: "+447700900111", Text: "СТОП"}},
		{ProviderKannel, "token=0123456789abcdef&from=447700900111&text=STOP&charset=UTF-8", wa.Reply{From: "+447700900111", Text: "STOP"}},
		{ProviderKannel, "token=0123456789abcdef&from=13013&text=caf%C3%A9", wa.Reply{From: "13013", Text: "café"}},
		{ProviderKannel, "token=0123456789abcdef&from=0912345678&text=STOP", wa.Reply{From: "0912345678", Text: "STOP"}},
		{ProviderKannel, "token=0123456789abcdef&from=%2B0912345678&text=STOP", wa.Reply{From: "0912345678", Text: "STOP"}},
		{ProviderTwilio, "MessageSid=SM2&From=%2B447700900123&Body=Stop+it&OptOutType=STOP", wa.Reply{ProviderID: "SM2", From: "+447700900123", Text: "Stop it", OptedOut: true}},
		{ProviderTwilio, "MessageSid=SM2&From=%2B447700900123&Body=help&OptOutType=HELP", wa.Reply{ProviderID: "SM2", From: "+447700900123", Text: "help"}},
		{ProviderVonage, "msisdn=447700900123&to=447700900000&messageId=B&text=STOP&message-timestamp=2020-01-01+12%3A00%3A00", wa.Reply{ProviderID: "B", From: "+447700900123", Text: "STOP", At: at("2020-01-01T12:00:00Z")}},
		{
			ProviderBird, `{"event":"sms.inbound","payload":{"id":"x-1","sender":{"contact":{"identifierValue":"+31612345678"}},"body":{"type":"text","text":{"text":"Sim"}},"createdAt":"2022-12-22T08:32:50.736Z"}}`,
			wa.Reply{ProviderID: "x-1", From: "+31612345678", Text: "Sim", At: at("2022-12-22T08:32:50.736Z")},
		},
		{ProviderHTTP, `{"from":"0044 7700","text":"x","id":"r1"}`, wa.Reply{ProviderID: "r1", From: "0044 7700", Text: "x"}},
		{ProviderHTTP, `{"from":"00447700900123","text":"x"}`, wa.Reply{From: "+447700900123", Text: "x"}},
	} {
		p := speak(t, wa.ChannelSMS, unsigned(settings(c.provider, wa.ChannelSMS, "http://127.0.0.1:1")))
		r, body := signedCall(c.provider, wa.ChannelSMS, Reply, c.said)
		if c.provider == ProviderVonage {
			r.URL.RawQuery = "token=0123456789abcdef"
		}
		got, err := p.Receive(r, body)
		c.want.Channel = wa.ChannelSMS
		if diff := cmp.Diff([]wa.Reply{c.want}, got.Replies); diff != "" || err != nil {
			t.Errorf("%s %s: %v %s", c.provider, c.said, err, diff)
		}
		want := ok
		if c.provider == ProviderTwilio {
			want = Response{Status: 200, ContentType: "text/xml", Body: `<?xml version="1.0" encoding="UTF-8"?><Response/>`}
		}
		if got.Response != want {
			t.Errorf("%s is answered %+v", c.provider, got.Response)
		}
	}
}

// TestStrangers: what does not prove to be the provider's is not even read.
func TestStrangers(t *testing.T) {
	for _, one := range served {
		p := speak(t, one.channel, unsigned(settings(one.provider, one.channel, "http://127.0.0.1:1")))
		said := map[string]string{
			ProviderKannel: "type=1", ProviderTwilio: "MessageSid=SM1&MessageStatus=sent&CallStatus=completed&CallSid=CA1", ProviderVonage: "messageId=A&status=delivered",
			ProviderBird: `{"event":"` + one.channel + `.outbound","payload":{"id":"a","status":"completed"}}`, ProviderHTTP: `{"state":"DELIVRD"}`,
		}[one.provider]
		for _, last := range []string{"", "8", "reply/", "7-00", "7-00112233445566778899AABBCCDDEEFF", "07-00112233445566778899aabbccddeeff", "x/" + attempt.String(), attempt.String() + "/", "..%2freply"} {
			r, body := signedCall(one.provider, one.channel, last, said)
			if got, err := p.Receive(r, body); !errors.Is(err, ErrSignature) || len(got.Receipts)+len(got.Replies) > 0 {
				t.Errorf("%s takes what comes to %q: %+v, %v", one.provider, last, got, err)
			}
		}
		other := map[string]string{wa.ChannelSMS: wa.ChannelVoice, wa.ChannelVoice: wa.ChannelSMS}[one.channel]
		if _, err := p.Receive(signedCall(one.provider, other, attempt.String(), said)); !errors.Is(err, ErrSignature) {
			t.Errorf("%s of %s takes what comes to %s: %v", one.provider, one.channel, other, err)
		}
		for _, token := range []string{"", "token=", "token=0123456789abcde", "token=0123456789abcdeg", "token=0123456789ABCDEF"} {
			r := call("POST", Path+one.channel+"/"+Reply+"?"+token, formType, "from=1&msisdn=1")
			if _, err := p.Receive(r, []byte("from=1&msisdn=1")); !errors.Is(err, ErrSignature) {
				t.Errorf("%s takes a reply with %q: %v", one.provider, token, err)
			}
		}
	}
}

// TestNoReplyToken: a provider that signs nothing, and has no token, hands on no
// replies.
func TestNoReplyToken(t *testing.T) {
	for _, provider := range []string{ProviderKannel, ProviderVonage, ProviderHTTP} {
		set := settings(provider, wa.ChannelSMS, "http://127.0.0.1:1")
		set.ReplyToken, set.SigningKeys, set.Gateway.SignatureHeader = wa.Secret{}, nil, ""
		r := call("POST", Path+wa.ChannelSMS+"/"+Reply+"?token=&from=447700900123", formType, "msisdn=447700900123&from=447700900123")
		if _, err := speak(t, wa.ChannelSMS, set).Receive(r, []byte("msisdn=447700900123&from=447700900123")); !errors.Is(err, ErrSignature) {
			t.Errorf("%s: %v", provider, err)
		}
	}
}

// TestNotUnderstood: what is the provider's and says nothing known is told apart, so
// that it is kept and answered.
func TestNotUnderstood(t *testing.T) {
	for _, one := range served {
		p := speak(t, one.channel, unsigned(settings(one.provider, one.channel, "http://127.0.0.1:1")))
		for _, said := range []string{"", "type=3", "MessageStatus=teleported", "CallStatus=", "status=?", "null", "[]", `{"event":"sms.outbound"}`, `{"event":"voice.outbound","payload":{"status":"sent"}}`, "%zz", "{", strings.Repeat("[", 10_000)} {
			got, err := p.Receive(signedCall(one.provider, one.channel, attempt.String(), said))
			signedAsForm := one.provider == ProviderTwilio && errors.Is(err, ErrSignature) && said == "%zz" // no form to check a signature of
			if !errors.Is(err, ErrNotUnderstood) && !signedAsForm {
				t.Errorf("%s %.40q: %+v, %v", one.provider, said, got, err)
			}
			if !signedAsForm && got.Response.Status != http.StatusOK || len(got.Receipts)+len(got.Replies)+len(got.OptedOut) > 0 {
				t.Errorf("%s %.40q: %+v", one.provider, said, got)
			}
			if text := err.Error(); text != wa.Clean(text) || len(text) > 2000 {
				t.Errorf("%s %.40q: the error is not fit to be shown: %.200q", one.provider, said, text)
			}
		}
	}
}
