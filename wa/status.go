package wa

// Status is one step of a message's way to its reader, as Meta reports it.
type Status uint8

// The statuses of the Cloud API. Zero is no status.
const (
	StatusSent      Status = iota + 1 // with Meta's servers: one tick
	StatusDelivered                   // on the phone: two ticks
	StatusRead                        // opened: two blue ticks
	StatusPlayed                      // a voice message was played; counts as read
	StatusFailed                      // Meta gave up, with an error code
)

var statusNames = [...]string{"", "sent", "delivered", "read", "played", "failed"}

// ParseStatus reads the status text of a webhook; false when it is none that
// the Cloud API documents.
func ParseStatus(s string) (Status, bool) {
	for i := 1; i < len(statusNames); i++ {
		if statusNames[i] == s {
			return Status(i), true
		}
	}
	return 0, false
}

// String is the status as Meta writes it.
func (s Status) String() string {
	if int(s) < len(statusNames) {
		return statusNames[s]
	}
	return "unknown"
}

// State is where a message that Meta has accepted stands.
type State uint8

// States of a handed-over message, from the least to the best known, with
// failure apart. Their numbers are stored: append only.
const (
	StateInFlight  State = 0 // with Meta, no answer yet, or only sent
	StateDelivered State = 1 // arrived, perhaps read
	StateFailed    State = 2 // failed and never delivered
)

// Progress is what is known of one handed-over message. It is a value: Climb
// gives the next one. Whatever the order, repetition or grouping in which the
// same updates are applied, the same Progress comes out.
type Progress struct {
	AcceptedAt  Instant // when the API took it; 0 for messages that another system sent
	SentAt      Instant // earliest known moment of each step; 0 = not seen
	DeliveredAt Instant
	ReadAt      Instant // read or played
	FailedAt    Instant
	CodeAt      Instant // latest failure, the one whose Code is kept
	Code        int     // error code of the latest failure; 0 = none
	Seen        uint8   // one bit per Status, and those below
}

// Bits of Progress.Seen that no Status has.
const (
	seenRefused = 1 << 0
	seenPaced   = 1 << 6
)

// Refuse is the progress of a message that the API refused at once, which
// starts and ends its clock.
func (p Progress) Refuse(at Instant, code int) Progress {
	if p.AcceptedAt == 0 {
		p.AcceptedAt = at
	}
	p, _ = p.Climb(StatusFailed, at, code)
	p.Seen |= seenRefused
	return p
}

// Refused tells that the API refused the message at once, and that nothing shows
// that it arrived all the same.
func (p Progress) Refused() bool { return p.Seen&seenRefused != 0 && p.State() == StateFailed }

// Hold is the progress of a message that the API took, and that Meta holds for
// quality assessment before it sends it.
func (p Progress) Hold() Progress { p.Seen |= seenPaced; return p }

// Paced tells that Meta still holds the message back.
func (p Progress) Paced() bool { return p.Seen == seenPaced }

// Heard tells whether any status of the message has come.
func (p Progress) Heard() bool { return p.Seen&^(seenRefused|seenPaced) != 0 }

// Climb applies one status; at is the moment that Believe gave, 0 when it is
// not known. fresh is false when this status was known of this
// message already, which Meta's at-least-once delivery makes common; an earlier
// timestamp is still taken over.
func (p Progress) Climb(s Status, at Instant, code int) (next Progress, fresh bool) {
	next = p
	bit := uint8(1) << s
	fresh = p.Seen&bit == 0
	next.Seen |= bit
	switch s {
	case StatusSent:
		next.SentAt = earliest(p.SentAt, at)
	case StatusDelivered:
		next.DeliveredAt = earliest(p.DeliveredAt, at)
	case StatusRead, StatusPlayed:
		next.ReadAt = earliest(p.ReadAt, at)
	case StatusFailed:
		next.FailedAt = earliest(p.FailedAt, at)
		// The last code counts; at the same second the larger one, so that order does not matter.
		if at > p.CodeAt || (at == p.CodeAt && code > p.Code) {
			next.CodeAt, next.Code = at, code
		}
	}
	return next, fresh
}

func earliest(a, b Instant) Instant {
	if a == 0 || (b != 0 && b < a) {
		return b
	}
	return a
}

func (p Progress) saw(s Status) bool { return p.Seen&(1<<s) != 0 }

// State is where the message stands. Any delivery wins over a failure, before
// or after it: a person may have several devices (whatsapp.md §2.4).
func (p Progress) State() State {
	switch {
	case p.saw(StatusDelivered), p.saw(StatusRead), p.saw(StatusPlayed):
		return StateDelivered
	case p.saw(StatusFailed):
		return StateFailed
	}
	return StateInFlight
}

// ArrivedAt is the earliest proof of arrival: a message read in an open chat
// never gets a delivered status. 0 when it has not arrived.
func (p Progress) ArrivedAt() Instant {
	if p.DeliveredAt == 0 {
		return p.ReadAt
	}
	if p.ReadAt == 0 {
		return p.DeliveredAt
	}
	return min(p.DeliveredAt, p.ReadAt)
}

// Clock is the moment from which the message's age is counted: when the API
// accepted it, else its sent timestamp, else its first status. 0 when nothing is known.
func (p Progress) Clock() Instant {
	if p.AcceptedAt != 0 {
		return p.AcceptedAt
	}
	if p.SentAt != 0 {
		return p.SentAt
	}
	var first Instant
	for _, at := range [...]Instant{p.DeliveredAt, p.ReadAt, p.FailedAt} {
		if at != 0 {
			first = earliest(first, at)
		}
	}
	return first
}
