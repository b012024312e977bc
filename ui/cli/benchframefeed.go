package cli

import (
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"strings"
	"time"

	"tickwatch/wa"
	"tickwatch/wa/webhook"
)

// frameFeed makes up the webhooks of one campaign under way, as small as Meta's.
type frameFeed struct {
	secret   wa.Secret
	messages int // sent so far
}

func newFrameFeed(secret wa.Secret) *frameFeed { return &frameFeed{secret: secret} }

func (f *frameFeed) status(message int, status string) string {
	failure := ""
	if status == "failed" {
		failure = `,"errors":[` + benchErrors[message%len(benchErrors)] + `]`
	}
	return fmt.Sprintf(`{"id":"wamid.%032x","status":"%s","timestamp":"%d","recipient_id":"351%09d","biz_opaque_callback_data":"autumn:%d"%s}`,
		message, status, time.Now().Unix(), message, message, failure)
}

// warmUp is a request that sends so many messages; most of them arrive at once.
func (f *frameFeed) warmUp(messages int) []byte {
	var statuses []string
	for range messages {
		f.messages++
		statuses = append(statuses, f.status(f.messages, "sent"))
		if last := f.last(); last != "" {
			statuses = append(statuses, last)
		}
	}
	return f.request(statuses)
}

// news is a request that sends one more message, and tells what became of the
// one before.
func (f *frameFeed) news() []byte {
	f.messages++
	return f.request([]string{f.status(f.messages, "sent"), f.last()})
}

// last is what becomes of the message before the newest.
func (f *frameFeed) last() string {
	switch m := f.messages - 1; {
	case m < 1:
		return ""
	case m%33 == 0:
		return f.status(m, "failed")
	case m%2 == 0:
		return f.status(m, "read")
	default:
		return f.status(m, "delivered")
	}
}

func (f *frameFeed) request(statuses []string) []byte {
	body := `{"object":"whatsapp_business_account","entry":[{"id":"102290129340398","changes":[{"field":"messages",` +
		`"value":{"messaging_product":"whatsapp","metadata":{"display_phone_number":"351210000000","phone_number_id":"106540352242922"},"statuses":[` +
		strings.Join(statuses, ",") + `]}}]}]}`
	mac := hmac.New(sha256.New, []byte(f.secret.Reveal()))
	mac.Write([]byte(body))
	return fmt.Appendf(nil, "POST /webhooks/meta HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n%s: sha256=%x\r\n\r\n%s",
		len(body), webhook.SignatureHeader, mac.Sum(nil), body)
}
