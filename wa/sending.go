package wa

import (
	"errors"
	"fmt"
	"time"
)

// Outgoing is one template message on its way to the Cloud API (whatsapp.md §3.1).
type Outgoing struct {
	To           string // E.164, with the plus: without it Meta prepends the sender's country
	Template     Filled
	CallbackData string // see OwnData
	Marketing    bool   // through the Marketing Messages API (§3.2)
}

// Accepted is the Cloud API's word that it took a message, which is not yet sent.
type Accepted struct {
	WAMID string
	Person
	Paced bool // held for quality assessment: Meta waits before it sends it
}

// Refusal is the Cloud API's word that it did not take a message (§3.3). Its
// texts are foreign.
type Refusal struct {
	Code       int
	Subcode    int
	HTTP       int // status of the answer
	Message    string
	Details    string
	RetryAfter time.Duration // 0 = not said
}

// Error names the code; texts are cleaned.
func (r *Refusal) Error() string {
	text := r.Details
	if text == "" {
		text = r.Message
	}
	return Clean(fmt.Sprintf("refused with code %d: %s", r.Code, text))
}

// What may be known of a send that was neither accepted nor refused. Errors of
// sends wrap one of them.
var (
	// ErrNotSent: nothing of the request left this machine, so it may be sent again.
	ErrNotSent = errors.New("not sent")
	// ErrMayHaveGone: the request left, and no answer tells what became of it. It
	// must never be sent again by itself.
	ErrMayHaveGone = errors.New("may have gone out")
)

// Class is what a refusal means for the queue, on the synchronous path and on
// the status path alike.
type Class uint8

// Classes of a refusal.
const (
	ClassRecipient Class = iota // this message fails, and the next one goes on
	ClassSlow                   // a rate limit, or Meta is overloaded: the number slows down, nothing is lost
	ClassPair                   // too many messages to one person: that person waits, 4^n seconds
	ClassAccount                // token, permission or account: nothing goes out until it is mended
	ClassTemplate               // the template cannot be sent: its campaigns stop, their rows wait
	ClassNumber                 // the sending number is restricted: it stops, the others go on
)

// ClassOf tells what a refusal with a code means for the queue. A code that is
// not known fails its recipient, visibly.
func ClassOf(code int) Class {
	switch code {
	case 131056:
		return ClassPair
	case 4, 80007, 130429, 131016, 131057, 131000, 1, 2:
		return ClassSlow
	case 131048, 131037, 131045, 133010, 131063:
		return ClassNumber
	case 0, 3, 10, 190, 368, 130497, 131005, 131031, 131042, 131064:
		return ClassAccount
	case 132000, 132001, 132005, 132007, 132012, 132015, 132016, 132068, 132069:
		return ClassTemplate
	}
	if code >= 200 && code <= 299 {
		return ClassAccount
	}
	return ClassRecipient
}
