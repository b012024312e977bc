// Package fallback reaches people by SMS, voice and e-mail, through whichever
// provider the configuration names for each channel (fallback.md).
//
// Guarantees of a send:
//
//   - Its begin is called at most once, when a connection stands and before any
//     byte of the message is written to it. When begin returns an error nothing of
//     the message ever leaves; once Send has returned, begin is not called any more.
//     By SMTP it is asked right before DATA, when the server has taken both addresses.
//   - A message is written at most once: nothing repeats it.
//   - FallbackNotSent and FallbackThrottled are certain: the provider did not take
//     the message. Everything that leaves room for doubt is FallbackUnknown: a
//     time-out, a reset or a 5xx after the message was written, an answer that cannot
//     be read, a redirect.
//   - An account that is not accepted (log-in, credit, sender, address) is
//     FallbackThrottled for a minute, with the key to check: nothing is wrong with the
//     person, and what is refused to one is refused to all.
//
// Guarantees of a callback: nothing of it is looked at before it is known to be
// the provider's, as far as the provider gives a means to know. Kannel signs
// nothing, and other gateways may not: a receipt is then told from a forgery by its
// attempt's token, which the store compares, and a reply by the configured token.
//
// All providers dial only the host that the configuration names, follow no
// redirect and no proxy of the environment, and read at most 1 MiB of an answer.
// Their secrets appear in no error and no log; texts of providers are cleaned and
// short. All may be used concurrently.
package fallback

import (
	"context"
	"errors"
	"net/http"

	"tickwatch/wa"
)

// Provider reaches people over one channel.
type Provider interface {
	// Quote says what a message would cost. It does no I/O.
	Quote(m *wa.FallbackMessage) Quote

	// Send hands a message to the provider. begin is the gate: see the package's
	// guarantees; it must be quick, and may be nil. The error is begin's own, wrapped,
	// and the answer is then FallbackNotSent; otherwise it is nil and the answer tells
	// all.
	Send(ctx context.Context, m *wa.FallbackMessage, begin func() error) (wa.FallbackAnswer, error)

	// Receive reads a callback: a GET or POST below /webhooks/fallback/{channel}/,
	// whose body was read whole. The error is ErrSignature for one that is not the
	// provider's, and ErrNotUnderstood, wrapped, for one that is and says nothing that
	// is known: it is to be kept raw and answered as Received.Response says.
	Receive(r *http.Request, body []byte) (Received, error)
}

// Asked is a Provider that can be asked; most cannot.
type Asked interface {
	// LookUp asks the provider what became of a message that may have gone out. The
	// error is ErrNoLookUp where it cannot be asked of this one, ErrNotFound where it
	// knows of no such message: which proves nothing soon after the send.
	LookUp(ctx context.Context, m Attempted) (wa.FallbackReceipt, error)
}

// Errors of a Provider.
var (
	ErrSignature     = errors.New("the callback does not prove that it is the provider's")
	ErrNotUnderstood = errors.New("the callback is the provider's and cannot be understood")
	ErrNoLookUp      = errors.New("the provider cannot be asked what became of a message")
	ErrNotFound      = errors.New("the provider knows of no such message")
)

// Attempted is a message of which it is not known whether the provider took it.
type Attempted struct {
	Message    *wa.FallbackMessage
	ProviderID string     // "" = the provider's answer was lost
	Begun      wa.Instant // when its begin passed
}

// Received is what one callback told.
type Received struct {
	Receipts []wa.FallbackReceipt // Instants as the provider gave them, to be believed or not
	Replies  []wa.Reply

	// OptedOut are attempts whose people asked by a link not to be written to. As
	// with a receipt of a provider that signs nothing, the token is the proof.
	OptedOut []wa.FallbackAttempt

	// Response is what the provider wants to hear once all of this is stored. It is
	// set with ErrNotUnderstood too.
	Response Response
}

// Response is an answer to a callback.
type Response struct {
	Status      int    // of HTTP
	ContentType string // "" = there is no body
	Body        string
}

// Reply is the last part of the path that replies come to:
// {public_url}/webhooks/fallback/{channel}/reply. Receipts come to one that ends in
// their attempt; those of Bird come to Reply too, for it has one address for all.
const Reply = "reply"

// Path begins the paths of callbacks; channel and attempt, or Reply, follow.
const Path = "/webhooks/fallback/"

// Channels are the providers by channel (wa.ChannelSMS, …). A channel without one
// is off.
type Channels map[string]Provider

// Close closes the connections that are not in use. The providers stay usable.
func (c Channels) Close() {
	for _, p := range c {
		if closer, ok := p.(interface{ Close() }); ok {
			closer.Close()
		}
	}
}
