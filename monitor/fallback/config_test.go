package fallback

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"tickwatch/wa"
)

// TestNew: every channel gets the provider that it is given to, and none without one.
func TestNew(t *testing.T) {
	all, err := New(Config{
		PublicURL: public + "/",
		SMS:       settings(ProviderKannel, wa.ChannelSMS, "http://127.0.0.1:13013/cgi-bin/sendsms"),
		Email:     mailSettings("smtp.example.org", ""),
	})
	if err != nil || len(all) != 2 || all[wa.ChannelVoice] != nil {
		t.Fatalf("%v, %v", all, err)
	}
	defer all.Close()
	if got := all[wa.ChannelSMS].(*kannel).callback(attempt); got != public+"/webhooks/fallback/sms/"+attempt.String() {
		t.Error(got)
	}
	m := all[wa.ChannelEmail].(*mailer)
	if m.host != "smtp.example.org" || m.port != 587 || m.security != securityStart {
		t.Errorf("%s:%d by %s", m.host, m.port, m.security)
	}
	if none, err := New(Config{}); err != nil || len(none) != 0 {
		t.Errorf("no channel: %v, %v", none, err)
	}
	for _, one := range served {
		base := map[string]string{ProviderKannel: "http://127.0.0.1:1", ProviderHTTP: "https://g.example"}[one.provider] // the others have their own
		p := speak(t, one.channel, settings(one.provider, one.channel, base))
		if base == "" && !strings.HasPrefix(lineOf(p).wire.Base(), "https://") {
			t.Errorf("%s is at %s", one.provider, lineOf(p).wire.Base())
		}
		if q := p.Quote(message(one.channel)); q.Unpriced == "" {
			t.Errorf("%s without a price table quotes %+v", one.provider, q)
		}
	}
}

// TestNewRefuses: each error names the key, says what to write, and shows no secret.
func TestNewRefuses(t *testing.T) {
	const sms, voice, email = wa.ChannelSMS, wa.ChannelVoice, wa.ChannelEmail
	gateway := func(change func(*Gateway)) func(*Channel) { return func(c *Channel) { change(&c.Gateway) } }
	for _, c := range []struct {
		provider, channel string
		change            func(*Channel)
		want              []string
	}{
		{ProviderKannel, sms, func(c *Channel) { c.Provider = "kanel" }, []string{"fallback.sms.provider", "bird, http, kannel, twilio, vonage"}},
		{ProviderKannel, voice, func(*Channel) {}, []string{"fallback.voice.provider", "bird, http, twilio"}},
		{ProviderSMTP, sms, func(*Channel) {}, []string{"fallback.sms.provider"}},
		{ProviderTwilio, email, func(*Channel) {}, []string{"fallback.email.provider", "smtp"}},
		{ProviderKannel, sms, func(c *Channel) { c.URL = "" }, []string{"fallback.sms.url", "give one like http://127.0.0.1:13013"}},
		{ProviderKannel, sms, func(c *Channel) { c.URL = "http://kannel.example:13013" }, []string{"fallback.sms.url", "in the clear", "https"}},
		{ProviderKannel, sms, func(c *Channel) { c.URL = "https://169.254.169.254" }, []string{"fallback.sms.url"}},
		{ProviderKannel, sms, func(c *Channel) { c.URL = "https://u:p@kannel.example" }, []string{"fallback.sms.url"}},
		{ProviderKannel, sms, func(c *Channel) { c.User = "" }, []string{"fallback.sms.user is needed for kannel"}},
		{ProviderKannel, sms, func(c *Channel) { c.Password = wa.Secret{} }, []string{"fallback.sms.password is needed"}},
		{ProviderKannel, sms, func(c *Channel) { c.Password = wa.NewSecret(canary + "\r\nX-Evil: 1") }, []string{"fallback.sms", "copy it again"}},
		{ProviderKannel, sms, func(c *Channel) { c.Sender = "Shop\r\nX-Evil: 1" }, []string{"fallback.sms.sender"}},
		{ProviderKannel, sms, func(c *Channel) { c.ReplyToken = wa.NewSecret("short") }, []string{"fallback.sms.reply_token", "16"}},
		{ProviderTwilio, sms, func(c *Channel) { c.Account = "AC1" }, []string{"fallback.sms.account", "AC"}},
		{ProviderTwilio, voice, func(c *Channel) { c.Sender = "" }, []string{"fallback.voice.sender"}},
		{ProviderTwilio, sms, func(c *Channel) { c.User = "SK1" }, []string{"fallback.sms.signing_key", "auth token"}},
		{ProviderBird, sms, func(c *Channel) { c.Account = "x" }, []string{"fallback.sms.account", "workspace"}},
		{ProviderBird, sms, func(c *Channel) { c.ChannelID = "../x" }, []string{"fallback.sms.channel_id"}},
		{ProviderBird, sms, func(c *Channel) { c.SigningKeys = nil }, []string{"fallback.sms.signing_key"}},
		{ProviderBird, voice, func(c *Channel) { c.Voice = "robot" }, []string{"fallback.voice.voice", "female"}},
		{ProviderVonage, sms, func(c *Channel) { c.SignatureMethod = "md4" }, []string{"fallback.sms.signature_method", "sha256"}},
		{ProviderHTTP, sms, func(c *Channel) { c.URL = "" }, []string{"fallback.sms.url is needed"}},
		{ProviderHTTP, sms, gateway(func(g *Gateway) { g.Body = "" }), []string{"fallback.sms.gateway.body", "to={digits}"}},
		{ProviderHTTP, sms, gateway(func(g *Gateway) { g.Body = `{"to":{to}}` }), []string{"fallback.sms.gateway.body", "quotes"}},
		{ProviderHTTP, sms, gateway(func(g *Gateway) { g.Body = `{"to":["{too}"]}` }), []string{"fallback.sms.gateway.body", "{too}", "{to}"}},
		{ProviderHTTP, sms, gateway(func(g *Gateway) { g.Body = "to={to}&text={message}" }), []string{"fallback.sms.gateway.body", "{message}"}},
		{ProviderHTTP, sms, gateway(func(g *Gateway) { g.Method, g.Body = "GET", "to={to}&key={password}" }), []string{"fallback.sms.gateway.body", "{password}"}},
		{ProviderHTTP, sms, gateway(func(g *Gateway) { g.Method = "PUT" }), []string{"fallback.sms.gateway.method", "POST or GET"}},
		{ProviderHTTP, sms, gateway(func(g *Gateway) { g.Headers = []string{"X-Text: {text}"} }), []string{"fallback.sms.gateway.headers", "{text}"}},
		{ProviderHTTP, sms, gateway(func(g *Gateway) { g.Headers = []string{"no header"} }), []string{"fallback.sms.gateway.headers", "Name: value"}},
		{ProviderHTTP, sms, gateway(func(g *Gateway) { g.Throttled = []string{"503"} }), []string{"fallback.sms.gateway.throttled", "503"}},
		{ProviderHTTP, voice, func(c *Channel) { c.SigningKeys = nil }, []string{"fallback.voice.signing_key"}},
		{ProviderSMTP, email, func(c *Channel) { c.URL = "" }, []string{"fallback.email.url"}},
		{ProviderSMTP, email, func(c *Channel) { c.URL = "https://smtp.example.org" }, []string{"fallback.email.url", "host:port"}},
		{ProviderSMTP, email, func(c *Channel) { c.URL = "smtp.example.org:0" }, []string{"fallback.email.url"}},
		{ProviderSMTP, email, func(c *Channel) { c.URL = "169.254.169.254:25" }, []string{"fallback.email.url"}},
		{ProviderSMTP, email, func(c *Channel) { c.TLS = "none" }, []string{"fallback.email.tls", "starttls"}},
		{ProviderSMTP, email, func(c *Channel) { c.TLS = "ssl" }, []string{"fallback.email.tls", "starttls"}},
		{ProviderSMTP, email, func(c *Channel) { c.Sender = "Shop" }, []string{"fallback.email.sender", "news@shop.example"}},
		{ProviderSMTP, email, func(c *Channel) { c.ReplyTo = "Shop" }, []string{"fallback.email.reply_to"}},
		{ProviderSMTP, email, func(c *Channel) { c.User = "" }, []string{"fallback.email.user", "password"}},
		{ProviderSMTP, email, func(c *Channel) { c.UnsubscribeText = "a\nb" }, []string{"fallback.email.unsubscribe_text"}},
	} {
		set := settings(c.provider, c.channel, "https://g.example")
		if c.provider == ProviderSMTP {
			set = mailSettings("smtp.example.org:587", "")
		}
		c.change(&set)
		all := Config{PublicURL: public}
		*map[string]*Channel{sms: &all.SMS, voice: &all.Voice, email: &all.Email}[c.channel] = set
		_, err := New(all)
		if err == nil {
			t.Errorf("%s for %s is taken, want an error with %q", c.provider, c.channel, c.want)
			continue
		}
		missing := func(part string) bool { return !strings.Contains(err.Error(), part) }
		if slices.ContainsFunc(c.want, missing) || err.Error() != wa.Clean(err.Error()) {
			t.Errorf("%v, want %q", err, c.want)
		}
		shows(t, fmt.Sprint(err))
	}
	for _, address := range []string{"", "ops.example.org", "http://ops.example.org", "https://u@ops.example.org", "https://ops.example.org?a=1", "https://ops.example.org/a%20b"} {
		_, err := New(Config{PublicURL: address, SMS: settings(ProviderTwilio, sms, "")})
		if err == nil || !strings.Contains(err.Error(), "webhook.public_url") {
			t.Errorf("%q: %v", address, err)
		}
	}
}
