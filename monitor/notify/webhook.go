package notify

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"tickwatch/wa"
	"tickwatch/wa/wire"
)

// Headers of the webhook. The signature is "sha256=" and the HMAC-SHA-256, in hex,
// of the timestamp, a full stop and the body.
const (
	HeaderTimestamp = "X-Tickwatch-Timestamp" // of this try, Unix seconds
	HeaderSignature = "X-Tickwatch-Signature"
	HeaderID        = "X-Tickwatch-Id" // the same when the same is sent again
)

// answersWithin bounds the wait for a webhook's answer, and a ping's.
const answersWithin = 10 * time.Second

// place is an address of which everything but the host may be a secret.
type place struct {
	address wa.Secret
	wire    *wire.Wire
}

// newPlace takes an https address, or one of plain http on loopback.
func newPlace(key, name, shows string, address wa.Secret) (place, error) {
	u, err := url.Parse(address.Reveal())
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" {
		return place{}, fmt.Errorf("%s is no address of %s: give one like https://hooks.example/tickwatch", key, name)
	}
	w, err := wire.New(wire.Options{
		Place: wire.Place{Key: key, Name: name, Secret: shows, Example: "https://hooks.example/tickwatch"},
		Base:  u.Scheme + "://" + u.Host, Within: answersWithin,
	})
	return place{address, w}, err
}

// do makes one request; every answer but 2xx is an error. Errors show the host alone.
func (p place) do(ctx context.Context, method string, header http.Header, body []byte) error {
	answer, err := p.wire.Do(ctx, &wire.Request{
		Method: method, URL: p.address.Reveal(), Header: header, Body: body, Repeat: true, Secrets: []wa.Secret{p.address},
	})
	switch {
	case answer.Status/100 == 2: // whatever became of its body
		return nil
	case answer.Status != 0:
		return fmt.Errorf("%s answered %d %s", p.wire.Host(), answer.Status, http.StatusText(answer.Status))
	}
	return fmt.Errorf("%s: %w", p.wire.Host(), err)
}

// Webhook tells a program of ours or others by a signed POST.
type Webhook struct {
	place  place
	secret wa.Secret
}

// NewWebhook checks the address; nothing is dialled before the first message.
func NewWebhook(address, secret wa.Secret) (*Webhook, error) {
	if secret.Empty() {
		return nil, errors.New("notify.webhook_secret is missing: by it the receiver knows that a message is ours")
	}
	p, err := newPlace("notify.webhook_url", "a webhook", "what is told", address)
	return &Webhook{p, secret}, err
}

// Name implements Target.
func (*Webhook) Name() string { return "webhook" }

// ID implements Target.
func (w *Webhook) ID() string { return targetID("webhook", w.place.address) }

// Single implements Target.
func (*Webhook) Single() bool { return false }

// Send implements Target.
func (w *Webhook) Send(ctx context.Context, m *Message) error {
	body, err := m.json()
	if err != nil {
		return err
	}
	stamp := strconv.FormatInt(time.Now().Unix(), 10) // not the campaign's clock: the receiver compares it with its own
	return w.place.do(ctx, http.MethodPost, http.Header{
		"Content-Type": {"application/json"}, HeaderID: {m.id()}, HeaderTimestamp: {stamp}, HeaderSignature: {Sign(w.secret, stamp, body)},
	}, body)
}

// Sign is the signature of a body that was sent at a moment.
func Sign(secret wa.Secret, timestamp string, body []byte) string {
	sum := hmac.New(sha256.New, []byte(secret.Reveal()))
	_, _ = sum.Write([]byte(timestamp + "."))
	_, _ = sum.Write(body)
	return "sha256=" + hex.EncodeToString(sum.Sum(nil))
}

// targetID tells a place from others of its kind without showing its secret.
func targetID(kind string, secret wa.Secret) string {
	sum := sha256.Sum256([]byte("tickwatch target " + secret.Reveal()))
	return kind + " " + hex.EncodeToString(sum[:8])
}
