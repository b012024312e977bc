package wa

import (
	"strconv"
	"strings"
	"time"
)

// Channels by which people are reached.
const (
	ChannelWhatsApp = "whatsapp"
	ChannelSMS      = "sms"
	ChannelVoice    = "voice"
	ChannelEmail    = "email"
)

// FallbackChannels are those besides WhatsApp.
var FallbackChannels = []string{ChannelSMS, ChannelVoice, ChannelEmail}

// FallbackMessage is one message on its way to a person by another channel than
// WhatsApp.
type FallbackMessage struct {
	Channel  string
	Attempt  FallbackAttempt
	To       string // E.164 with the plus, or an e-mail address
	Subject  string // of an e-mail
	Text     string // what is sent, or spoken
	Language string // of the text, as templates name it (pt_PT); "" = not known
}

// FallbackAttempt names one attempt to the provider, and in the address that its
// receipts come to. Its token is random: where a provider signs nothing, it is what
// tells a receipt from a forgery.
type FallbackAttempt struct {
	ID    int64
	Token string // lower-case hexadecimal digits
}

// String is the attempt as it stands in a URL's path.
func (a FallbackAttempt) String() string { return strconv.FormatInt(a.ID, 10) + "-" + a.Token }

// ParseFallbackAttempt reads what String wrote; ok is false for anything else.
func ParseFallbackAttempt(s string) (a FallbackAttempt, ok bool) {
	id, token, _ := strings.Cut(s, "-")
	n, err := strconv.ParseInt(id, 10, 64)
	if err != nil || n <= 0 || len(token) < 16 || len(token) > 64 || strings.Trim(token, "0123456789abcdef") != "" || strconv.FormatInt(n, 10) != id {
		return FallbackAttempt{}, false
	}
	return FallbackAttempt{ID: n, Token: token}, true
}

// FallbackAnswer is what came of handing a message to a provider. Its texts are
// foreign.
type FallbackAnswer struct {
	Kind       FallbackAnswerKind
	ProviderID string        // the provider's name for the message; "" = it gave none
	Code       string        // the provider's, of anything but an acceptance
	Details    string        // in the provider's words
	RetryAfter time.Duration // of a throttled one; 0 = not said
	Segments   int           // as the provider counts them; 0 = it did not say
	Price      float64       // of all segments; 0 = it did not say
	Currency   string        // ISO 4217
}

// FallbackAnswerKind says what an answer means for the message. No provider knows
// an idempotency key, so only throttled and not sent are tried again by themselves.
type FallbackAnswerKind uint8

// Kinds of a FallbackAnswer.
const (
	FallbackAccepted  FallbackAnswerKind = iota + 1 // the provider took it: not yet sent
	FallbackRejected                                // for good
	FallbackOptedOut                                // for good, because the person asked not to be written to
	FallbackThrottled                               // certainly not taken, for now
	FallbackNotSent                                 // nothing of it left this machine
	FallbackUnknown                                 // it may have been taken: a time-out, a reset, a 5xx after writing
)

// FallbackReceipt is a provider's later word on a message it took. Receipts come
// doubled, in any order, or never.
type FallbackReceipt struct {
	Channel    string
	Attempt    FallbackAttempt // zero = told by ProviderID only
	ProviderID string
	State      FallbackState
	At         Instant // 0 = not said
	Code       string  // of a failure; foreign
	Details    string  // foreign
	Segments   int     // 0 = not said
	Price      float64 // 0 = not said
	Currency   string
}

// FallbackState is how far a fallback message got, by the provider's word. A
// higher one is never undone by a lower one; a delivery wins over a failure.
type FallbackState uint8

// States of a FallbackReceipt.
const (
	FallbackQueued    FallbackState = iota + 1 // with the provider
	FallbackSent                               // with the network, or ringing
	FallbackFailed                             // did not arrive, and will not
	FallbackDelivered                          // arrived; a call was answered; a mail was taken by its server
)

// Reply is what a person sent back by another channel than WhatsApp.
type Reply struct {
	Channel    string
	ProviderID string          // names it, so that a repetition is known; "" = it has no name
	Attempt    FallbackAttempt // that it answers; zero = not said
	From       string          // E.164 with the plus, or an e-mail address
	Text       string          // foreign
	At         Instant
	OptedOut   bool // the provider itself says that they opted out, whatever the text
}
