package sandbox

import (
	"slices"
	"sync"
	"time"

	"tickwatch/wa"
)

// Books is what really happened up to the moment they were read. Times are of
// the campaign's clock to the millisecond; webhooks tell them cut to the second.
type Books struct {
	Messages []Message // accepted, in order of acceptance
	Refused  int       // sends that the Graph API answered with an error
	OptOuts  []OptOut
	Replies  int // ordinary answers that people wrote

	Numbers   []wa.Number   // as they stand; quality and status are told by no webhook
	Templates []wa.Template // as they stand

	Updates  int       // webhook updates due for delivery so far, repetitions and news of the account included
	Repeated int       // those of them that had been sent before on purpose
	Waiting  int       // those of them that were not answered 200 yet
	Attempts []Attempt // deliveries tried, the latest 100,000
	Ahead    int       // steps and deliveries still to come; with Waiting 0 too, all is told
}

// Message is what became of one accepted message. A moment of 0 has not come.
type Message struct {
	ID           string // wamid
	Recipient    string // digits, no plus
	BSUID        string // "" for who has none
	NumberID     string
	Template     string
	Language     string
	CallbackData string

	AcceptedAt  wa.Instant
	SentAt      wa.Instant
	DeliveredAt wa.Instant
	ReadAt      wa.Instant
	FailedAt    wa.Instant
	Code        int // error code of the failure
}

// OptOut is one person who asked for no more messages.
type OptOut struct {
	Recipient string
	MessageID string // the message that drew it
	Kind      string // "reply", "button" or "preference"
	At        wa.Instant
}

// Attempt is one delivery of a webhook.
type Attempt struct {
	Post    int // number of the body, the same in every attempt
	Try     int // 1 for the first
	Updates int
	At      wa.Instant
	Answer  int    // HTTP status; 0 when none came
	Problem string // why none came
	Took    time.Duration
}

// keepAttempts bounds the log of deliveries, should a receiver be away for long.
const keepAttempts = 100_000

// ledger keeps the books.
type ledger struct {
	mu       sync.Mutex
	messages []*Message
	people   map[string]acquaintance // by phone, digits
	books    Books                   // all that is not in messages or elsewhere
}

func newLedger() *ledger { return &ledger{people: map[string]acquaintance{}} }

// open enters an accepted message.
func (l *ledger) open(m *Message) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.messages = append(l.messages, m)
}

// note enters what happened to a message.
func (l *ledger) note(m *Message, s step, at wa.Instant) {
	l.mu.Lock()
	defer l.mu.Unlock()
	optOut := func(kind string) {
		l.books.OptOuts = append(l.books.OptOuts, OptOut{Recipient: m.Recipient, MessageID: m.ID, Kind: kind, At: at})
	}
	switch s.kind {
	case stepSent:
		m.SentAt = at
	case stepDelivered:
		m.DeliveredAt = at
	case stepRead:
		m.ReadAt = at
	case stepFailed:
		m.FailedAt, m.Code = at, s.code
	case stepReply:
		l.books.Replies++
	case stepStopText:
		optOut("reply")
	case stepStopButton:
		optOut("button")
	case stepStopPreference:
		optOut("preference")
	}
}

func (l *ledger) refused() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.books.Refused++
}

func (l *ledger) queued(repeated bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.books.Updates++
	l.books.Waiting++
	if repeated {
		l.books.Repeated++
	}
}

func (l *ledger) attempted(a Attempt) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.books.Attempts) == keepAttempts {
		l.books.Attempts = slices.Delete(l.books.Attempts, 0, keepAttempts/4)
	}
	l.books.Attempts = append(l.books.Attempts, a)
	if a.Answer == 200 {
		l.books.Waiting -= a.Updates
	}
}

// Books reads the books; the copy is the caller's.
func (s *Sandbox) Books() Books {
	// Read first: whatever has happened by then is in the ledger.
	ahead := s.agenda.remaining()
	s.ledger.mu.Lock()
	defer s.ledger.mu.Unlock()
	b := s.ledger.books
	b.Ahead = ahead
	b.Numbers, b.Templates = s.account.state()
	b.OptOuts = slices.Clone(b.OptOuts)
	b.Attempts = slices.Clone(b.Attempts)
	b.Messages = make([]Message, len(s.ledger.messages))
	for i, m := range s.ledger.messages {
		b.Messages[i] = *m
	}
	return b
}
