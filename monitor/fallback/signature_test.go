package fallback

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"tickwatch/wa"
)

// mangled are spellings of a signature that must not pass. A base64 text's last
// letter can hold bits that do not count, so the first is changed.
func mangled(signature string) []string {
	first := "A"
	if strings.HasPrefix(signature, "A") {
		first = "B"
	}
	return []string{"", first + signature[1:], signature[:len(signature)-4], signature + "AAAA", strings.Repeat(signature, 2)}
}

type twilioVectors struct {
	Token   string `json:"token"`
	Vectors []struct {
		Name, Method, URL, JSON, Signature string
		Form                               map[string]any
	} `json:"vectors"`
	Bare []struct {
		URL, JSON, Signature string
		Form                 map[string]string
	} `json:"bare"`
}

// TestTwilioSignature: by vectors that Twilio's own library made.
func TestTwilioSignature(t *testing.T) {
	var v twilioVectors
	read(t, "twilio.json", &v)
	set := settings(ProviderTwilio, wa.ChannelSMS, "")
	set.SigningKeys = secrets("an old one", v.Token)
	p := speak(t, wa.ChannelSMS, set)
	if len(v.Vectors) < 9 || len(v.Bare) != 2 {
		t.Fatal("vectors are missing")
	}
	for _, c := range v.Vectors {
		form := url.Values{}
		for name, value := range c.Form {
			switch value := value.(type) {
			case string:
				form.Set(name, value)
			case []any:
				for _, one := range value {
					form.Add(name, one.(string))
				}
			}
		}
		receive := func(signature, body string, change func(*http.Request)) error {
			kind := formType
			if c.JSON != "" {
				kind = "application/json"
			}
			r := call(c.Method, c.URL, kind, body)
			r.Header.Set("X-Twilio-Signature", signature)
			if change != nil {
				change(r)
			}
			_, err := p.Receive(r, []byte(body))
			return err
		}
		body := c.JSON
		if len(form) > 0 {
			body = form.Encode()
		}
		if err := receive(c.Signature, body, nil); errors.Is(err, ErrSignature) {
			t.Errorf("%s: %v", c.Name, err)
		}
		for _, signature := range mangled(c.Signature) {
			if err := receive(signature, body, nil); !errors.Is(err, ErrSignature) {
				t.Errorf("%s passes with the signature %q: %v", c.Name, signature, err)
			}
		}
		if err := receive(c.Signature, body+"&x=1 ", nil); !errors.Is(err, ErrSignature) {
			t.Errorf("%s passes with more in it: %v", c.Name, err)
		}
		if err := receive(c.Signature, body, func(r *http.Request) { r.URL.RawQuery += "&y=1" }); !errors.Is(err, ErrSignature) {
			t.Errorf("%s passes at another address: %v", c.Name, err)
		}
		if err := receive(c.Signature, body, func(r *http.Request) { r.Header.Add("X-Twilio-Signature", c.Signature) }); !errors.Is(err, ErrSignature) {
			t.Errorf("%s passes with two signatures: %v", c.Name, err)
		}
	}
	for _, c := range v.Bare { // at addresses that are not ours: the rule alone
		form := url.Values{}
		for name, value := range c.Form {
			form.Set(name, value)
		}
		if !p.(*twilio).signs(c.URL, form, c.Signature) {
			t.Errorf("%s: not signed", c.URL)
		}
	}
}

// TestVonageSignature: by vectors that Vonage's own library confirmed.
func TestVonageSignature(t *testing.T) {
	var v struct {
		Secret  string `json:"secret"`
		Vectors []struct {
			Name, Method, Sig string
			Params            map[string]string
		} `json:"vectors"`
	}
	read(t, "vonage.json", &v)
	if len(v.Vectors) != 10 {
		t.Fatal("vectors are missing")
	}
	for _, c := range v.Vectors {
		set := settings(ProviderVonage, wa.ChannelSMS, "")
		set.SigningKeys, set.SignatureMethod = secrets("an old one", v.Secret), c.Method
		p := speak(t, wa.ChannelSMS, set)
		target := Path + wa.ChannelSMS + "/" + attempt.String()
		if c.Params["text"] != "" {
			target = Path + wa.ChannelSMS + "/" + Reply
		}
		receive := func(sig string, change map[string]string) []error {
			all := url.Values{"sig": {sig}}
			for name, value := range c.Params {
				all.Set(name, value)
			}
			for name, value := range change {
				all.Set(name, value)
			}
			object := map[string]string{}
			for name := range all {
				object[name] = all.Get(name)
			}
			body := string(marshal(t, object))
			var errs []error
			for _, how := range []struct {
				r    *http.Request
				body string
			}{
				{call("GET", target+"?"+all.Encode(), "", ""), ""},
				{call("POST", target, formType, all.Encode()), all.Encode()},
				{call("POST", target, "application/json; charset=utf-8", body), body},
			} {
				_, err := p.Receive(how.r, []byte(how.body))
				errs = append(errs, err)
			}
			return errs
		}
		for _, err := range append(receive(c.Sig, nil), receive(strings.ToUpper(c.Sig), nil)...) {
			if err != nil {
				t.Errorf("%s: %v", c.Name, err)
			}
		}
		for _, sig := range mangled(c.Sig) {
			for _, err := range receive(sig, nil) {
				if !errors.Is(err, ErrSignature) {
					t.Errorf("%s passes with the signature %q: %v", c.Name, sig, err)
				}
			}
		}
		for _, err := range receive(c.Sig, map[string]string{"status": "failed", "text": "STOP"}) {
			if !errors.Is(err, ErrSignature) {
				t.Errorf("%s passes with another text: %v", c.Name, err)
			}
		}
	}
}

type birdVectors struct {
	Key, URL string
	Vectors  []struct{ Name, Timestamp, Body, Signature string }
}

// TestBirdSignature: by vectors that were made by Bird's documented rule, in another
// language.
func TestBirdSignature(t *testing.T) {
	var v birdVectors
	read(t, "bird.json", &v)
	set := settings(ProviderBird, wa.ChannelSMS, "")
	set.SigningKeys = secrets("an old one", v.Key)
	p := speak(t, wa.ChannelSMS, set)
	if len(v.Vectors) != 3 {
		t.Fatal("vectors are missing")
	}
	for _, c := range v.Vectors {
		receive := func(signature, body, timestamp, target string) error {
			r := call("POST", target, "application/json", body)
			r.Header.Set("messagebird-signature", signature)
			r.Header.Set("messagebird-request-timestamp", timestamp)
			_, err := p.Receive(r, []byte(body))
			return err
		}
		if err := receive(c.Signature, c.Body, c.Timestamp, v.URL); err != nil {
			t.Errorf("%s: %v", c.Name, err)
		}
		for _, signature := range mangled(c.Signature) {
			if err := receive(signature, c.Body, c.Timestamp, v.URL); !errors.Is(err, ErrSignature) {
				t.Errorf("%s passes with the signature %q: %v", c.Name, signature, err)
			}
		}
		for name, err := range map[string]error{
			"another body":    receive(c.Signature, c.Body+" ", c.Timestamp, v.URL),
			"another time":    receive(c.Signature, c.Body, c.Timestamp+"0", v.URL),
			"another address": receive(c.Signature, c.Body, c.Timestamp, v.URL+"?a=1"),
			"no time":         receive(c.Signature, c.Body, "", v.URL),
		} {
			if !errors.Is(err, ErrSignature) {
				t.Errorf("%s passes with %s: %v", c.Name, name, err)
			}
		}
	}
}

// TestGatewaySignature: by vectors of `openssl dgst -sha256 -hmac 'gateway secret'`.
func TestGatewaySignature(t *testing.T) {
	p := speak(t, wa.ChannelSMS, settings(ProviderHTTP, wa.ChannelSMS, "http://127.0.0.1:1"))
	const body, query = `{"state":"DELIVRD","id":"g-1"}`, "state=DELIVRD&id=g-1"
	target := Path + wa.ChannelSMS + "/" + attempt.String()
	for _, c := range []struct {
		signature string
		r         *http.Request
		body      string
		ok        bool
	}{
		{gatewayBodyHex, call("POST", target, "application/json", body), body, true},
		{strings.ToUpper(gatewayBodyHex), call("POST", target, "application/json", body), body, true},
		{"sha256=" + gatewayBodyHex, call("POST", target, "application/json", body), body, true},
		{gatewayBodyBase64, call("POST", target, "application/json", body), body, true},
		{gatewayQueryHex, call("GET", target+"?"+query, "", ""), "", true},
		{gatewayBodyHex, call("GET", target+"?"+query, "", ""), "", false},
		{gatewayBodyHex, call("POST", target, "application/json", body), body + " ", false},
		{gatewayBodyHex[1:], call("POST", target, "application/json", body), body, false},
		{"", call("POST", target, "application/json", body), body, false},
	} {
		c.r.Header.Set("X-Signature", c.signature)
		got, err := p.Receive(c.r, []byte(c.body))
		if c.ok != (err == nil) || c.ok != (len(got.Receipts) == 1) || !c.ok && !errors.Is(err, ErrSignature) {
			t.Errorf("%s %q: %+v, %v", c.r.Method, c.signature, got, err)
		}
	}
}

const (
	gatewayBodyHex    = "e0d57660febf7d9a12683a49f3948d8caad9904a39ccf44b00fd0cdc75891ec8"
	gatewayBodyBase64 = "4NV2YP6/fZoSaDpJ85SNjKrZkEo5zPRLAP0M3HWJHsg="
	gatewayQueryHex   = "a46d88df4c01b0f4f5d77cfdb95a077426c7f271c821014ab721873fbf68f80c"
)
