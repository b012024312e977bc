package fallback

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"tickwatch/wa"
	"tickwatch/wa/wire"
)

// fuzzReceipts: whatever a provider signs, it comes to receipts that can be kept and
// shown, to replies with a sender, or to ErrNotUnderstood; and twice to the same.
func fuzzReceipts(f *testing.F, provider, channel string, seeds ...string) {
	p := speak(f, channel, unsigned(settings(provider, channel, "http://127.0.0.1:1")))
	for _, seed := range seeds {
		f.Add(seed, false)
		f.Add(seed, true)
	}
	f.Fuzz(func(t *testing.T, said string, reply bool) {
		last := attempt.String()
		if reply {
			last = Reply
		}
		receive := func() (Received, error) {
			r, body := signedCall(provider, channel, last, said)
			if reply && provider != ProviderKannel && provider != ProviderTwilio && provider != ProviderBird {
				r.URL.RawQuery = "token=0123456789abcdef"
			}
			return p.Receive(r, body)
		}
		got, err := receive()
		if errors.Is(err, ErrSignature) {
			return
		}
		if err != nil && !errors.Is(err, ErrNotUnderstood) || (err == nil) != (len(got.Receipts)+len(got.Replies) == 1) || got.Response.Status != http.StatusOK {
			t.Fatalf("%+v, %v", got, err)
		}
		for _, r := range got.Receipts {
			for _, text := range []string{r.ProviderID, r.Code, r.Details} {
				if text != wa.Clean(text) || len(text) > 4*maxWords {
					t.Errorf("%q is not fit to be kept", text)
				}
			}
			if r.Channel != channel || r.State < wa.FallbackQueued || r.State > wa.FallbackDelivered || r.At < 0 || r.Price < 0 || r.Segments < 0 {
				t.Errorf("%+v", r)
			}
		}
		for _, r := range got.Replies {
			if r.Channel != channel || r.From == "" || r.From != wa.Clean(r.From) || r.ProviderID != wa.Clean(r.ProviderID) || r.At < 0 {
				t.Errorf("%+v", r)
			}
		}
		if again, _ := receive(); len(again.Receipts) != len(got.Receipts) || len(got.Receipts) == 1 && again.Receipts[0] != got.Receipts[0] {
			t.Errorf("first %+v, then %+v", got, again)
		}
	})
}

func FuzzKannelReceipt(f *testing.F) {
	fuzzReceipts(f, ProviderKannel, wa.ChannelSMS,
		"type=8&answer=ACK/&id=&smsc=SIM&time=1577880000", "type=16&answer=NACK/0x0000000b/Invalid+Destination+Address", "type=2&answer=stat:UNDELIV+err:021",
		"token=0123456789abcdef&from=447700900111&text=STOP&id=u-1&time=1577880000", "type=1;type=2", "type=%31", "token=0123456789abcdef&from=%00&text=%ff")
}

func FuzzTwilioReceipt(f *testing.F) {
	fuzzReceipts(f, ProviderTwilio, wa.ChannelSMS, "MessageSid=SM1&MessageStatus=failed&ErrorCode=30003", "MessageSid=SM2&From=%2B447700900123&Body=Stop&OptOutType=STOP", "MessageStatus=sent&MessageStatus=failed")
}

func FuzzTwilioCall(f *testing.F) {
	fuzzReceipts(f, ProviderTwilio, wa.ChannelVoice, "CallSid=CA1&CallStatus=busy&Timestamp=Wed%2C+01+Jan+2020+12%3A00%3A00+%2B0000", "CallSid=CA1&CallStatus=completed&Timestamp=-5")
}

func FuzzBirdReceipt(f *testing.F) {
	fuzzReceipts(f, ProviderBird, wa.ChannelSMS,
		`{"event":"sms.outbound","payload":{"id":"m1","status":"delivery_failed","reference":"7-00112233445566778899aabbccddeeff","reason":"x","failure":{"code":15005},"lastStatusAt":"2022-12-22T08:32:50.736Z"}}`,
		`{"event":"sms.inbound","payload":{"id":"x-1","sender":{"contact":{"identifierValue":"+31612345678"}},"body":{"type":"text","text":{"text":"Sim"}},"createdAt":"0001-01-01T00:00:00Z"}}`)
}

func FuzzBirdCall(f *testing.F) {
	fuzzReceipts(f, ProviderBird, wa.ChannelVoice, `{"event":"voice.outbound","payload":{"id":"c1","status":"ongoing","updatedAt":"1969-12-22T08:32:50.736Z"}}`)
}

func FuzzVonageReceipt(f *testing.F) {
	fuzzReceipts(f, ProviderVonage, wa.ChannelSMS, "messageId=A&status=rejected&err-code=9&message-timestamp=2020-01-01+12%3A00%3A00", "msisdn=447700900123&messageId=B&text=STOP")
}

func FuzzGatewayReceipt(f *testing.F) {
	fuzzReceipts(f, ProviderHTTP, wa.ChannelSMS, `{"state":"EXPIRED","id":5,"why":"off"}`, "state=DELIVRD&id=g1", `{"from":"00447700900123","text":"x","id":"r1"}`, `{"state":["QUEUED"]}`)
}

// FuzzAnswers: whatever a provider answers, it comes to one end, and to "accepted"
// only where the provider said so.
func FuzzAnswers(f *testing.F) {
	var lines []*line
	var judges []judge
	for _, one := range served {
		p := speak(f, one.channel, settings(one.provider, one.channel, "http://127.0.0.1:1"))
		lines = append(lines, lineOf(p))
		judges = append(judges, p.(interface {
			judge(*wire.Answer) wa.FallbackAnswer
		}).judge)
		_, body := acceptance(one.provider)
		for _, status := range []int{200, 202, 302, 400, 408, 429, 500} {
			f.Add(status, "7", []byte(body), false)
		}
	}
	f.Add(400, "", []byte(`{"code":21610}`), false)
	f.Add(200, "-1", []byte(`{"messages":[{"status":"0"},{"status":"1"}]}`), true)
	f.Fuzz(func(t *testing.T, status int, rest string, body []byte, cut bool) {
		for i, l := range lines {
			ans := wire.Answer{Status: status, Header: http.Header{"Retry-After": {rest}}, Body: body, Secrets: l.secrets}
			var broken error
			if cut {
				broken = wire.ErrTooLong
			}
			a := l.verdict(&ans, broken, judges[i])
			class := status / 100
			switch a.Kind {
			case wa.FallbackAccepted:
				if class != 2 || cut {
					t.Errorf("%s accepts by HTTP %d, cut: %v", l.key, status, cut)
				}
			case wa.FallbackRejected, wa.FallbackOptedOut:
				if class != 2 && class != 4 || cut {
					t.Errorf("%s rejects by HTTP %d, cut: %v", l.key, status, cut)
				}
			case wa.FallbackThrottled:
				if class != 2 && class != 4 || cut && status != http.StatusTooManyRequests || a.RetryAfter < 0 || a.RetryAfter > wire.LongestRest {
					t.Errorf("%s is throttled by HTTP %d, cut: %v: %+v", l.key, status, cut, a)
				}
			case wa.FallbackUnknown:
			default:
				t.Errorf("%s: %+v, though an answer came", l.key, a)
			}
			for _, text := range []string{a.Code, a.Details, a.ProviderID} {
				if text != wa.Clean(text) || len(text) > 4*maxWords {
					t.Errorf("%q is not fit to be shown", text)
				}
			}
			if a.Price < 0 || a.Segments < 0 || a.Price > 0 && a.Currency != "" && len(a.Currency) != 3 {
				t.Errorf("%+v", a)
			}
		}
	})
}

// FuzzText: a text that is read can be filled, and what is filled has no brace of a
// variable left over.
func FuzzText(f *testing.F) {
	for _, seed := range []string{"Hi {first_name}!", "{{1}} {{ 2 }}", `\{a\} \\`, "{", "}", "{{a}", "a\nb{c}", "\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		parsed, err := ParseText(s)
		if err != nil {
			if err.Error() != wa.Clean(err.Error()) {
				t.Errorf("%q", err)
			}
			return
		}
		text, err := parsed.Fill(func(string) string { return "x" })
		if err != nil {
			if len(s) < maxText {
				t.Errorf("%q: %v", s, err)
			}
			return
		}
		if n := strings.Count(s, `\`); n == 0 && strings.ContainsAny(text, "{}") {
			t.Errorf("%q becomes %q", s, text)
		}
		for _, name := range parsed.Variables() {
			if _, err := parsed.Fill(func(v string) string { return map[bool]string{true: "", false: "x"}[v == name] }); err == nil {
				t.Errorf("%q is filled without %s", s, name)
			}
		}
	})
}

// FuzzPrices: a table that is read has a price of every country in it, from 0 to
// 1000.
func FuzzPrices(f *testing.F) {
	for _, seed := range []string{"country,price\nDE,0.075\n,0.10\n", "\ufeffCountry;Price\nde;0,075\n", "currency,price,country\nEUR,1,DE", "country,price\n\"DE", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := ReadPrices(strings.NewReader(s), "EUR")
		if err != nil {
			if err.Error() != wa.Clean(err.Error()) {
				t.Errorf("%q", err)
			}
			return
		}
		if len(p.by) == 0 {
			t.Error("no price")
		}
		for country, each := range p.by {
			if each < 0 || each > dearest || len(country) != 0 && len(country) != 2 {
				t.Errorf("%q costs %s", country, each)
			}
		}
	})
}

// FuzzGateway: whatever is configured as a body, the message in it stays one value.
func FuzzGateway(f *testing.F) {
	f.Add(`{"to":"{to}","text":"{text}"}`, "a")
	f.Add("to={digits}&text={text}&x=%7B", `"},"a":{`)
	f.Add(`{"a":["{text}",{"b":"{to}{to}"}],"c":1.50}`, "{to}&to=1")
	f.Fuzz(func(t *testing.T, body, text string) {
		g := &gateway{Gateway: Gateway{Method: http.MethodPost, Body: body}, line: line{public: public}}
		if g.compile() != nil {
			return
		}
		m := message(wa.ChannelSMS)
		m.Text = text
		fill := g.values(m)
		if g.json == nil {
			for name, of := range g.form {
				said := url.Values{}
				for _, one := range of {
					said.Add(name, fill.Replace(one))
				}
				back, err := url.ParseQuery(said.Encode())
				if err != nil || len(back) != len(said) || len(back[name]) != len(of) {
					t.Errorf("%q: %v, %v", said.Encode(), back, err)
				}
			}
			return
		}
		plain := *m
		plain.Text = "x"
		if a, b := shape(filled(g.json, fill)), shape(filled(g.json, g.values(&plain))); a != b {
			t.Errorf("%q makes of %s %s", text, b, a)
		}
	})
}

// shape is a JSON document without its texts.
func shape(v any) string {
	switch v := v.(type) {
	case map[string]any:
		var all []string
		for name, one := range v {
			all = append(all, name+":"+shape(one))
		}
		return "{" + strings.Join(slices.Sorted(slices.Values(all)), ",") + "}"
	case []any:
		var all []string
		for _, one := range v {
			all = append(all, shape(one))
		}
		return "[" + strings.Join(all, ",") + "]"
	case string:
		return "text"
	}
	return "other"
}
