package fallback

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"strings"

	"tickwatch/wa"
)

// Receive reads what the configuration says that a callback holds.
func (g *gateway) Receive(r *http.Request, body []byte) (Received, error) {
	attempt, reply, known := g.target(r)
	switch {
	case !known:
		return Received{}, ErrSignature
	case g.SignatureHeader != "" && !g.signed(r, body):
		return Received{}, ErrSignature
	case g.SignatureHeader == "" && reply && (g.token.Empty() || !g.token.Equal(wa.NewSecret(r.URL.Query().Get("token")))):
		return Received{}, ErrSignature
	}
	got := Received{Response: ok}
	query, inBody := r.URL.Query(), g.reader(body)
	said := func(path string) string {
		if v := inBody(path); v != "" || path == "" {
			return v
		}
		return query.Get(path)
	}
	if reply {
		from := e164(said(g.FromField))
		if from == "" {
			return got, notUnderstood("a reply without a sender")
		}
		one := wa.Reply{Channel: g.channel, From: from, Text: said(g.TextField)}
		if id := said(g.ReplyField); plausibleID(id) {
			one.ProviderID = id
		}
		got.Replies = []wa.Reply{one}
		return got, nil
	}
	state := g.state(said(g.StateField))
	if state == 0 {
		return got, notUnderstood("a receipt with the state %q", said(g.StateField))
	}
	receipt := wa.FallbackReceipt{Channel: g.channel, Attempt: attempt, State: state}
	if id := said(g.ReceiptID); plausibleID(id) {
		receipt.ProviderID = id
	}
	if state == wa.FallbackFailed {
		receipt.Code, receipt.Details = brief(said(g.StateField)), brief(said(g.ReceiptError))
	}
	got.Receipts = []wa.FallbackReceipt{receipt}
	return got, nil
}

// state is what a word of the gateway means; 0 = nothing that is known.
func (g *gateway) state(word string) wa.FallbackState {
	word = strings.TrimSpace(word)
	switch {
	case oneOf(g.StateDelivered, word):
		return wa.FallbackDelivered
	case oneOf(g.StateFailed, word):
		return wa.FallbackFailed
	case oneOf(g.StateSent, word):
		return wa.FallbackSent
	case oneOf(g.StateQueued, word):
		return wa.FallbackQueued
	}
	return 0
}

// signed checks the HMAC of the body, or of the query where there is none.
func (g *gateway) signed(r *http.Request, body []byte) bool {
	signatures := r.Header.Values(g.SignatureHeader)
	if len(signatures) != 1 {
		return false
	}
	text := strings.TrimPrefix(signatures[0], "sha256=")
	sent, err := hex.DecodeString(text)
	if err != nil {
		if sent, err = base64.StdEncoding.DecodeString(text); err != nil {
			return false
		}
	}
	if len(body) == 0 {
		body = []byte(r.URL.RawQuery)
	}
	signed := false
	for _, key := range g.keys {
		if key.Empty() {
			continue
		}
		mac := hmac.New(sha256.New, []byte(key.Reveal()))
		mac.Write(body)
		signed = hmac.Equal(sent, mac.Sum(nil)) || signed // and on: the time must not tell which key it was
	}
	return signed
}
