package wa

import (
	"cmp"
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

	// Written, where it is set, is called once for every send whose begin let it
	// pass: when its request is with the system, or could not be handed to it. A
	// pause that waits for those that passed waits for this, not for Meta's answer.
	Written func()
}

// Accepted is the Cloud API's word that it took a message, which is not yet sent.
type Accepted struct {
	WAMID string
	Person
	Paced bool // held for quality assessment: Meta waits before it sends it
}

// Refusal is the Cloud API's word that it did not take a message (§3.3), or
// that it did not answer what was asked. Its texts are foreign.
type Refusal struct {
	Code       int // 0 also where the answer had none; see Class
	Subcode    int
	HTTP       int // status of the answer; 0 = Meta was not asked, for it could not have taken it
	Message    string
	Details    string
	RetryAfter time.Duration // 0 = not said
}

// Error names the code and what Meta says of it; texts are cleaned.
func (r *Refusal) Error() string {
	entry, _ := LookUp(r.Code)
	text := cmp.Or(r.Details, r.Message, entry.Title, "no reason given")
	switch {
	case r.HTTP == 0:
		return Clean(fmt.Sprintf("not asked, for Meta would refuse it with code %d: %s", r.Code, text))
	case r.Code == 0:
		return Clean("refused: " + text)
	}
	return Clean(fmt.Sprintf("refused with code %d: %s", r.Code, text))
}

// Class is what the refusal means for the queue. It is ClassOf its code, and
// beyond that knows what only a whole answer can tell: HTTP 429 and 401 mean the
// same whatever code comes with them, known or none, and code 100 with subcode 33
// says that there is no such sending number. Without an answer and a code the fault
// is the row's.
func (r *Refusal) Class() Class {
	const noSuchNode = 33
	class := ClassOf(r.Code)
	vague := class == ClassRecipient || r.Code == 0
	switch {
	case r.HTTP == 0 && r.Code == 0: // it could not even be put together
		return ClassRecipient
	case vague && r.HTTP == http429:
		return ClassSlow
	case vague && r.HTTP == http401:
		return ClassAccount
	case r.Code == 100 && r.Subcode == noSuchNode:
		return ClassNumber
	}
	return class
}

// Statuses of an answer that say enough without a code.
const (
	http401 = 401
	http429 = 429
)

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

// What Meta refuses messages with while it pauses their template, and once it has
// disabled it.
const (
	CodeTemplatePaused   = 132015
	CodeTemplateDisabled = 132016
)

// ClassOf tells what a refusal with a code means for the queue. A code that is
// not known fails its recipient, visibly; so does one that speaks of this row's
// values or of where this person lives, for one row must not halt the others.
func ClassOf(code int) Class {
	switch code {
	case 131056:
		return ClassPair
	case 1, 2, 4, 80007, 130429, 131000, 131016, 131027, 131057, 133004, 2494100:
		return ClassSlow
	case 33, 131037, 131045, 131048, 133006, 133010:
		return ClassNumber
	case 0, 3, 10, 104, 190, 368, 131005, 131031, 131042, 131064:
		return ClassAccount
	case 132000, 132001, 132007, 132012, CodeTemplatePaused, CodeTemplateDisabled, 132068, 132069, // the template itself
		131055, 131061, 131063, 134100, 134101, 134102: // the path it is sent by
		return ClassTemplate
	}
	if code >= 200 && code <= 299 {
		return ClassAccount
	}
	return ClassRecipient
}
