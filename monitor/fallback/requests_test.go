package fallback

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tickwatch/wa"
)

// arrived is what a server got of a request.
type arrived struct {
	method, path string
	header       http.Header
	body         string
}

// capture sends one message to a server that answers so, and gives what came there.
func capture(t *testing.T, channel string, set Channel, status int, answer string, change func(*wa.FallbackMessage)) (arrived, wa.FallbackAnswer) {
	t.Helper()
	var got arrived
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got = arrived{r.Method, r.URL.RequestURI(), r.Header, string(body)}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, answer)
	}))
	set.URL = s.URL + set.URL
	p := speak(t, channel, set)
	m := message(channel)
	if change != nil {
		change(m)
	}
	a, err := p.Send(t.Context(), m, nil)
	if err != nil {
		t.Error(err)
	}
	p.(interface{ Close() }).Close()
	s.Close()
	return got, a
}

// formOf reads a form that came, each value once.
func formOf(t *testing.T, body string) map[string]string {
	t.Helper()
	values, err := url.ParseQuery(body)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for name, of := range values {
		all[name] = strings.Join(of, " ")
	}
	return all
}

func TestKannelRequest(t *testing.T) {
	set := settings(ProviderKannel, wa.ChannelSMS, "/cgi-bin/sendsms")
	got, a := capture(t, wa.ChannelSMS, set, 202, "0: Accepted for delivery", nil)
	if got.method != "POST" || got.path != "/cgi-bin/sendsms" || got.body != "Olá <Ana> & {to}" || a.Kind != wa.FallbackAccepted {
		t.Errorf("%+v, %+v", got, a)
	}
	want := map[string]string{
		"Content-Type": "text/plain; charset=UTF-8", "X-Kannel-Username": "console", "X-Kannel-Password": canary,
		"X-Kannel-From": "+351211234567", "X-Kannel-To": "+351900000001", "X-Kannel-Coding": "2", "X-Kannel-Dlr-Mask": "31",
		"X-Kannel-Dlr-Url": public + "/webhooks/fallback/sms/" + attempt.String() + "?type=%d&answer=%A&id=%F&smsc=%i&time=%T",
	}
	for name, value := range want {
		if got.header.Get(name) != value {
			t.Errorf("%s: %q, want %q", name, got.header.Get(name), value)
		}
	}
	got, _ = capture(t, wa.ChannelSMS, set, 202, "3: Queued for later delivery", func(m *wa.FallbackMessage) { m.Text = "plain €" })
	if got.header.Get("X-Kannel-Coding") != "0" {
		t.Error("a text of GSM-7 goes out as UCS-2")
	}
	for given, want := range map[string]string{"": sendsms, "/": sendsms, "/box/sms": "/box/sms"} {
		if got, _ := capture(t, wa.ChannelSMS, settings(ProviderKannel, wa.ChannelSMS, given), 202, "0: ok", nil); got.path != want {
			t.Errorf("with %q it goes to %s", given, got.path)
		}
	}
}

func TestTwilioRequest(t *testing.T) {
	got, a := capture(t, wa.ChannelSMS, settings(ProviderTwilio, wa.ChannelSMS, ""), 201,
		`{"sid":"SM1","status":"accepted","num_segments":"2","price":"-0.0150","price_unit":"USD"}`, nil)
	if diff := cmp.Diff(map[string]string{
		"To": "+351900000001", "From": "+351211234567", "Body": "Olá <Ana> & {to}",
		"StatusCallback": public + "/webhooks/fallback/sms/" + attempt.String(),
	}, formOf(t, got.body)); diff != "" {
		t.Error(diff)
	}
	if got.path != "/2010-04-01/Accounts/"+account+"/Messages.json" || got.header.Get("Authorization") != basicAuth(account, wa.NewSecret(canary)) {
		t.Errorf("%+v", got)
	}
	want := wa.FallbackAnswer{Kind: wa.FallbackAccepted, ProviderID: "SM1", Segments: 2, Price: 0.015, Currency: "USD"}
	if diff := cmp.Diff(want, a); diff != "" {
		t.Error(diff)
	}
	set := settings(ProviderTwilio, wa.ChannelSMS, "")
	set.Sender, set.User, set.SigningKeys = "MG0123", "SK0123", secrets("token")
	got, _ = capture(t, wa.ChannelSMS, set, 201, `{"sid":"SM1"}`, nil)
	said := formOf(t, got.body)
	if said["MessagingServiceSid"] != "MG0123" || said["From"] != "" || got.header.Get("Authorization") != basicAuth("SK0123", wa.NewSecret(canary)) {
		t.Errorf("%+v", got)
	}
}

// TestTwilioCall: nothing of a text is taken for TwiML.
func TestTwilioCall(t *testing.T) {
	set := settings(ProviderTwilio, wa.ChannelVoice, "")
	set.Voice = "Polly.Inês"
	got, _ := capture(t, wa.ChannelVoice, set, 201, `{"sid":"CA1","status":"queued"}`, func(m *wa.FallbackMessage) {
		m.Text = `a</Say><Dial>+1900</Dial><Say>"&'`
	})
	if diff := cmp.Diff(map[string]string{
		"To": "+351900000001", "From": "+351211234567",
		"Twiml":               `<Response><Say language="pt-PT" voice="Polly.Inês">a&lt;/Say&gt;&lt;Dial&gt;+1900&lt;/Dial&gt;&lt;Say&gt;&#34;&amp;&#39;</Say></Response>`,
		"StatusCallback":      public + "/webhooks/fallback/voice/" + attempt.String(),
		"StatusCallbackEvent": "initiated ringing answered completed",
	}, formOf(t, got.body)); diff != "" {
		t.Error(diff)
	}
	if !strings.HasSuffix(got.path, "/Calls.json") {
		t.Error(got.path)
	}
	for language, want := range map[string]string{"": "de", `"><Dial>`: "de", "pt": "pt", "zh_Hant_TW": "zh-Hant-TW"} {
		got, _ := capture(t, wa.ChannelVoice, settings(ProviderTwilio, wa.ChannelVoice, ""), 201, `{"sid":"CA1"}`, func(m *wa.FallbackMessage) { m.Language = language })
		if said := formOf(t, got.body)["Twiml"]; !strings.HasPrefix(said, `<Response><Say language="`+want+`">`) {
			t.Errorf("%q: %s", language, said)
		}
	}
}

func TestBirdRequest(t *testing.T) {
	got, a := capture(t, wa.ChannelSMS, settings(ProviderBird, wa.ChannelSMS, ""), 202, `{"id":"m1","status":"accepted"}`, nil)
	if got.body != `{"receiver":{"contacts":[{"identifierKey":"phonenumber","identifierValue":"+351900000001"}]},`+
		`"body":{"type":"text","text":{"text":"Olá \u003cAna\u003e \u0026 {to}"}},"reference":"`+attempt.String()+`"}` {
		t.Error(got.body)
	}
	if got.path != "/workspaces/"+workspace+"/channels/"+birdChan+"/messages" || got.header.Get("Authorization") != "AccessKey "+canary || a.ProviderID != "m1" {
		t.Errorf("%+v, %+v", got, a)
	}
	got, a = capture(t, wa.ChannelVoice, settings(ProviderBird, wa.ChannelVoice, ""), 202, `{"id":"c1","status":"starting"}`, nil)
	if got.body != `{"to":"+351900000001","callFlow":[{"command":"say","options":{"text":"Olá \u003cAna\u003e \u0026 {to}","locale":"pt-PT"}},{"command":"hangup"}]}` ||
		!strings.HasSuffix(got.path, "/calls") || a.ProviderID != "c1" {
		t.Errorf("%+v, %+v", got, a)
	}
}

func TestVonageRequest(t *testing.T) {
	got, a := capture(t, wa.ChannelSMS, settings(ProviderVonage, wa.ChannelSMS, ""), 200,
		`{"message-count":"2","messages":[{"message-id":"A","status":"0","message-price":"0.03"},{"message-id":"B","status":"0","message-price":"0.03"}]}`, nil)
	if diff := cmp.Diff(map[string]string{
		"api_key": "abcd1234", "api_secret": canary, "from": "+351211234567", "to": "351900000001", "text": "Olá <Ana> & {to}", "type": "unicode",
		"client-ref": attempt.String(), "callback": public + "/webhooks/fallback/sms/" + attempt.String(), "status-report-req": "1",
	}, formOf(t, got.body)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(wa.FallbackAnswer{Kind: wa.FallbackAccepted, ProviderID: "A", Segments: 2, Price: 0.06, Currency: "EUR"}, a); diff != "" || got.path != "/sms/json" {
		t.Error(diff, got.path)
	}
}

func TestGatewayRequest(t *testing.T) {
	got, a := capture(t, wa.ChannelSMS, settings(ProviderHTTP, wa.ChannelSMS, "/send"), 200, `{"result":{"state":"QUEUED","id":77}}`, nil)
	if got.body != `{"from":"+351211234567","lang":"pt-PT","report":"`+public+`/webhooks/fallback/sms/`+attempt.String()+
		`","text":"Olá \u003cAna\u003e \u0026 {to}","to":"+351900000001"}` {
		t.Error(got.body)
	}
	if got.header.Get("Authorization") != "Bearer "+canary || got.header.Get("X-Reference") != attempt.String() || got.header.Get("Content-Type") != "application/json" || a.ProviderID != "77" {
		t.Errorf("%+v, %+v", got, a)
	}

	set := Channel{Provider: ProviderHTTP, User: "shop", Password: wa.NewSecret(canary), Gateway: Gateway{
		Body: "to={digits}&text={text}&key={password}&flag=1&flag=2", Headers: []string{"Authorization: Basic {basic}"}, AnswerField: "status", Accepted: []string{"OK"}, IDField: "id",
	}}
	got, a = capture(t, wa.ChannelSMS, set, 200, "status=ok&id=9", func(m *wa.FallbackMessage) { m.Text = "a&to=1\r\n{password}" })
	if diff := cmp.Diff(map[string]string{"to": "351900000001", "text": "a&to=1\r\n{password}", "key": canary, "flag": "1 2"}, formOf(t, got.body)); diff != "" {
		t.Error(diff)
	}
	if got.header.Get("Authorization") != basicAuth("shop", wa.NewSecret(canary)) || a.Kind != wa.FallbackAccepted || a.ProviderID != "9" {
		t.Errorf("%+v, %+v", got, a)
	}

	set.Gateway = Gateway{Method: "GET", Body: "n={digits}&m={text}", Headers: []string{"X-Key: {password}"}, Accepted: []string{"OK*"}}
	got, a = capture(t, wa.ChannelSMS, set, 200, "ok: 123\nthanks", nil)
	if got.method != "GET" || got.path != "/?m=Ol%C3%A1+%3CAna%3E+%26+%7Bto%7D&n=351900000001" || got.body != "" || a.Kind != wa.FallbackAccepted {
		t.Errorf("%+v, %+v", got, a)
	}
}

// TestAnswers: what the codes of each provider mean.
func TestAnswers(t *testing.T) {
	for _, c := range []struct {
		provider string
		status   int
		body     string
		want     wa.FallbackAnswerKind
		code     string
	}{
		{ProviderKannel, 403, "Authorization failed for sendsms", wa.FallbackThrottled, ""},
		{ProviderKannel, 400, "Missing receiver number", wa.FallbackRejected, ""},
		{ProviderKannel, 202, "4: something", wa.FallbackUnknown, "4"},
		{ProviderKannel, 202, "Sent.", wa.FallbackUnknown, ""},
		{ProviderTwilio, 400, `{"code":21610,"message":"Attempt to send to unsubscribed recipient","status":400}`, wa.FallbackOptedOut, "21610"},
		{ProviderTwilio, 400, `{"code":21211,"message":"Invalid 'To' Phone Number","status":400}`, wa.FallbackRejected, "21211"},
		{ProviderTwilio, 400, `{"code":21606,"message":"The 'From' number is not valid","status":400}`, wa.FallbackThrottled, "21606"},
		{ProviderTwilio, 401, `{"code":20003,"message":"Authenticate","status":401}`, wa.FallbackThrottled, "20003"},
		{ProviderTwilio, 429, `{"code":20429,"message":"Too Many Requests","status":429}`, wa.FallbackThrottled, "20429"},
		{ProviderTwilio, 400, `{"code":20429,"message":"Too Many Requests","status":400}`, wa.FallbackThrottled, "20429"},
		{ProviderTwilio, 201, `{"sid":"SM1","status":"failed","error_code":21610}`, wa.FallbackOptedOut, "21610"},
		{ProviderTwilio, 201, `{"sid":"SM1","status":"failed","error_code":30005,"error_message":"Unknown destination handset"}`, wa.FallbackRejected, "30005"},
		{ProviderTwilio, 201, `{"status":"queued"}`, wa.FallbackUnknown, ""},
		{ProviderTwilio, 201, `{"sid":"SM\u0000","status":"queued"}`, wa.FallbackUnknown, ""},
		{ProviderBird, 422, `{"code":"InvalidPayload","message":"receiver: invalid phone number"}`, wa.FallbackRejected, "InvalidPayload"},
		{ProviderBird, 403, `{"code":"Forbidden","message":"no"}`, wa.FallbackThrottled, "Forbidden"},
		{ProviderBird, 202, `{"status":"accepted"}`, wa.FallbackUnknown, ""},
		{ProviderVonage, 200, `{"messages":[{"status":"1","error-text":"Throughput Rate Exceeded"}]}`, wa.FallbackThrottled, "1"},
		{ProviderVonage, 200, `{"messages":[{"status":"10"}]}`, wa.FallbackThrottled, "10"},
		{ProviderVonage, 200, `{"messages":[{"status":"4","error-text":"Bad Credentials"}]}`, wa.FallbackThrottled, "4"},
		{ProviderVonage, 200, `{"messages":[{"status":"9"}]}`, wa.FallbackThrottled, "9"},
		{ProviderVonage, 200, `{"messages":[{"status":"15"}]}`, wa.FallbackThrottled, "15"},
		{ProviderVonage, 200, `{"messages":[{"status":"5"}]}`, wa.FallbackUnknown, "5"},
		{ProviderVonage, 200, `{"messages":[{"status":"7","error-text":"Number barred"}]}`, wa.FallbackRejected, "7"},
		{ProviderVonage, 200, `{"messages":[{"status":"0","message-id":"A"},{"status":"1"}]}`, wa.FallbackUnknown, "1"},
		{ProviderVonage, 200, `{"messages":[{"status":"1"},{"status":"0","message-id":"A"}]}`, wa.FallbackUnknown, "1"},
		{ProviderVonage, 200, `{"messages":[{"status":0,"message-id":"A"}]}`, wa.FallbackAccepted, ""},
		{ProviderVonage, 200, `{"messages":[{"message-id":"A"}]}`, wa.FallbackUnknown, ""},
		{ProviderVonage, 200, `{"messages":[]}`, wa.FallbackUnknown, ""},
		{ProviderHTTP, 200, `{"result":{"state":"UNSUBSCRIBED"}}`, wa.FallbackOptedOut, "UNSUBSCRIBED"},
		{ProviderHTTP, 400, `{"result":{"state":"unsubscribed"}}`, wa.FallbackOptedOut, "unsubscribed"},
		{ProviderHTTP, 200, `{"result":{"state":"busy"}}`, wa.FallbackThrottled, "busy"},
		{ProviderHTTP, 200, `{"result":{"state":"bad number","why":"too short"}}`, wa.FallbackRejected, "bad number"},
		{ProviderHTTP, 200, `{"result":{"state":"who knows"}}`, wa.FallbackUnknown, "who knows"},
		{ProviderHTTP, 500, `{"result":{"state":"bad number"}}`, wa.FallbackUnknown, ""},
		{ProviderHTTP, 200, `{"result":[{"state":"queued"}]}`, wa.FallbackUnknown, ""},
	} {
		_, a := capture(t, wa.ChannelSMS, settings(c.provider, wa.ChannelSMS, ""), c.status, c.body, nil)
		if a.Kind != c.want || a.Code != c.code {
			t.Errorf("%s, HTTP %d %s: %+v, want kind %d with code %q", c.provider, c.status, c.body, a, c.want, c.code)
		}
	}
}
