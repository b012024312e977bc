package webhook_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"

	"tickwatch/wa"
	"tickwatch/wa/webhook"
)

const secret = "spring-secret"

func sign(secret string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

// The vectors come from other implementations:
//
//	printf '%s' '{"object":"whatsapp_business_account","entry":[]}' | openssl dgst -sha256 -hmac spring-secret
//	printf '%s' '{"object":"whatsapp_business_account","entry":[]}' | openssl dgst -sha256 -hmac autumn-secret
//	printf '%s' '{"name":"In\u00eas \ud83d\udc4b"}' | openssl dgst -sha256 -hmac spring-secret
//	printf '' | openssl dgst -sha256 -hmac spring-secret
//	python3 -c 'import hmac; print(hmac.new(b"k"*100, bytes(range(256)), "sha256").hexdigest())'
func TestVerifyVectors(t *testing.T) {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	const envelope = `{"object":"whatsapp_business_account","entry":[]}`
	for _, tc := range []struct{ secret, body, hex string }{
		{"spring-secret", envelope, "96211308aced3cce025e559b97fcd7c2c5e54d76dc5383edaf8d5ff41c8ae809"},
		{"autumn-secret", envelope, "a227681f15b8c2b05acdf8e6f1928d3886f7b9e28e85224b24371789adf6dc1c"},
		{"spring-secret", `{"name":"In\u00eas \ud83d\udc4b"}`, "cf427fd31738c96ba691ebdb67f1fbfc05da97b38e65bcb871edcbf6953aaba2"},
		{"spring-secret", "", "414a8925672f3375919e60a31647c3f5ef7706e88839277c8655fe0fec2c1c4b"},
		{strings.Repeat("k", 100), string(all), "8d122ff30588a023f0a5eddb0d2f237d150dd0a5c39aea336ca452067d4efe69"},
	} {
		// The secret that signed is the second of three, as during a rotation.
		v := webhook.NewVerifier(wa.NewSecret("another"), wa.NewSecret(tc.secret), wa.NewSecret("a third"))
		for range 2 { // a state that was used before must serve as well
			if err := v.Verify([]string{"sha256=" + tc.hex}, []byte(tc.body)); err != nil {
				t.Errorf("%.20q: %v", tc.body, err)
			}
		}
		if err := webhook.NewVerifier(wa.NewSecret("another")).Verify([]string{"sha256=" + tc.hex}, []byte(tc.body)); err == nil {
			t.Errorf("%.20q: passes with a secret that did not sign", tc.body)
		}
	}
}

func TestVerifyHeaderForms(t *testing.T) {
	body := []byte(`{"a":1}`)
	good := sign(secret, body)
	digits := strings.TrimPrefix(good, "sha256=")
	verifier := webhook.NewVerifier(wa.NewSecret(secret))
	for _, tc := range []struct {
		name   string
		values []string
		passes bool
	}{
		{"as Meta writes it", []string{good}, true},
		{"upper-case digits", []string{"sha256=" + strings.ToUpper(digits)}, true},
		{"no header", nil, false},
		{"an empty header", []string{""}, false},
		{"twice the same", []string{good, good}, false},
		{"good behind bad", []string{"sha256=00", good}, false},
		{"two in one", []string{good + ", " + good}, false},
		{"without the prefix", []string{digits}, false},
		{"another prefix", []string{"sha1=" + digits}, false},
		{"an upper-case prefix", []string{"SHA256=" + digits}, false},
		{"a space before", []string{" " + good}, false},
		{"a digit short", []string{good[:len(good)-1]}, false},
		{"two digits short", []string{good[:len(good)-2]}, false},
		{"two digits long", []string{good + "00"}, false},
		{"prefix only", []string{"sha256="}, false},
		{"no hexadecimal", []string{"sha256=" + strings.Repeat("zz", 32)}, false},
	} {
		if err := verifier.Verify(tc.values, body); (err == nil) != tc.passes {
			t.Errorf("%s: %v", tc.name, err)
		} else if err != nil && (strings.Contains(err.Error(), digits) || strings.Contains(err.Error(), secret)) {
			t.Errorf("%s: the error tells too much: %v", tc.name, err)
		}
	}
}

// Every bit counts, of the body and of the signature.
func TestVerifyRefusesEveryFlippedBit(t *testing.T) {
	body := []byte(`{"object":"whatsapp_business_account","entry":[]}`)
	v := webhook.NewVerifier(wa.NewSecret("old"), wa.NewSecret(secret))
	good := sign(secret, body)
	raw, err := hex.DecodeString(strings.TrimPrefix(good, "sha256="))
	if err != nil {
		t.Fatal(err)
	}
	for bit := range len(body) * 8 {
		forged := bytes.Clone(body)
		forged[bit/8] ^= 1 << (bit % 8)
		if v.Verify([]string{good}, forged) == nil {
			t.Errorf("body with bit %d flipped passes", bit)
		}
	}
	for bit := range len(raw) * 8 {
		forged := bytes.Clone(raw)
		forged[bit/8] ^= 1 << (bit % 8)
		if v.Verify([]string{"sha256=" + hex.EncodeToString(forged)}, body) == nil {
			t.Errorf("signature with bit %d flipped passes", bit)
		}
	}
}

// Anybody can sign with an empty secret.
func TestVerifyWithoutSecretRefusesAll(t *testing.T) {
	body := []byte("{}")
	for _, v := range []*webhook.Verifier{webhook.NewVerifier(), webhook.NewVerifier(wa.Secret{}, wa.NewSecret(""))} {
		if err := v.Verify([]string{sign("", body)}, body); err == nil || !strings.Contains(err.Error(), "webhook.app_secret") {
			t.Errorf("got %v, want a refusal that names webhook.app_secret", err)
		}
	}
}

func FuzzVerify(f *testing.F) {
	f.Add("sha256=", []byte("{}"))
	f.Add(sign("other", []byte("{}")), []byte("{}"))
	v := webhook.NewVerifier(wa.NewSecret(secret), wa.NewSecret("old"))
	f.Fuzz(func(t *testing.T, header string, body []byte) {
		passes := v.Verify([]string{header}, body) == nil
		digits, _ := strings.CutPrefix(header, "sha256=")
		lower := "sha256=" + strings.ToLower(digits)
		if passes != (lower == sign(secret, body) || lower == sign("old", body)) && strings.HasPrefix(header, "sha256=") {
			t.Errorf("%q passes: %v", header, passes)
		}
	})
}
