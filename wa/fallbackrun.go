package wa

import "time"

// FallbackRun is one order to reach people whose message failed by other channels.
type FallbackRun struct {
	ID        int64
	Campaign  int64  // row id
	Key       string // the campaign's id outside
	State     string // one of the Fallback run states
	By        string // the operator
	Channels  []string
	Codes     []int         // whose failures; none = all that allow it
	After     time.Duration // also those that are undelivered for so long; 0 = only failures
	OrderedAt Instant
	StartsAt  Instant // nothing leaves before; until then it can be undone
	ExpiresAt Instant // what was due at its start expires then; each later one, as much later; 0 = never
	LookAfter int64   // so many go out first, and wait for a look; 0 = no look
	Taken     int64   // that have begun to go out, or more
	Planned   int64   // people
	Segments  int64   // of all their messages
	Cost      Money   // of all, by the price table
	Currency  string  // ISO 4217
	Budget    Money   // of the campaign: what would go over it does not go out; 0 = not limited
}

// States of a FallbackRun.
const (
	FallbackRunPlanning  = "planning"  // people are being added; nobody sees it yet
	FallbackRunPending   = "pending"   // nothing leaves yet: it can be undone
	FallbackRunLook      = "look"      // the first ones go out, or are out and wait for a look
	FallbackRunRunning   = "running"   // goes out, as far as gates, hours and the provider let it
	FallbackRunCancelled = "cancelled" // what still waited does not go out
)

// FallbackClaimRequest asks for fallback messages of a run that may be sent now.
type FallbackClaimRequest struct {
	Run     int64
	Channel string
	Limit   int
	Now     Instant
	Stalled bool // nobody hears what arrives: who only looks undelivered waits

	// Hold says until when the person of a phone, which is told also of e-mails, must
	// not be written to, for the hours that are allowed at their place; 0 = they may
	// be, Never = there are none. It is called by the store's writer: it must be quick
	// and pure.
	Hold func(phone string) Instant
}

// ReasonNoHour is why nobody is reached whose number tells several time zones that have
// no allowed hour in common.
const ReasonNoHour = "no hour is allowed in all time zones that their number may be in"

// FallbackClaims is what a claim gave: their attempts are on disk.
type FallbackClaims struct {
	Messages []FallbackMessage
	Left     int64   // of the run, on any channel, that wait
	Next     Instant // when the first of those that wait for a moment may go; 0 = none does
	Stalled  int64   // that wait from now on, for they only look undelivered
}

// FallbackOutcome is what became of a claimed fallback message.
type FallbackOutcome struct {
	Attempt FallbackAttempt
	At      Instant
	Answer  FallbackAnswer
	Due     Instant // of a throttled one and one not sent: not before
}

// FallbackDoubt is a fallback message that may have gone out.
type FallbackDoubt struct {
	FallbackMessage
	ProviderID string // "" = the provider's answer was lost
	Begun      Instant
}

// FallbackWaits counts what waits of a run, or is going out just now, by channel: as
// FallbackChannels has them.
type FallbackWaits [3]int64

// FallbackCounts are a campaign's fallback messages.
type FallbackCounts struct {
	Waiting    int64 // for their moment, or going out just now
	Accepted   int64 // by a provider, at least; what arrived or failed later is in it
	Delivered  int64
	Failed     int64 // rejected at once, or failed later
	Unknown    int64 // may have gone out
	Withdrawn  int64 // the WhatsApp message arrived before
	LeftOut    int64 // cancelled, opted out meanwhile, or came twice
	Expired    int64
	DoubleHits int64 // of Delivered: the WhatsApp message arrived, too
	Segments   int64 // of those accepted
	Cost       Money // of those accepted, as billed where the provider says so
	Pending    Money // the price of those that wait, or may have gone out
	Begun      Money // of Pending: of those that are going out just now, or may have
}

// Add adds (sign 1) or takes away (sign -1).
func (c *FallbackCounts) Add(d *FallbackCounts, sign int64) {
	c.Waiting += sign * d.Waiting
	c.Accepted += sign * d.Accepted
	c.Delivered += sign * d.Delivered
	c.Failed += sign * d.Failed
	c.Unknown += sign * d.Unknown
	c.Withdrawn += sign * d.Withdrawn
	c.LeftOut += sign * d.LeftOut
	c.Expired += sign * d.Expired
	c.DoubleHits += sign * d.DoubleHits
	c.Segments += sign * d.Segments
	c.Cost += Money(sign) * d.Cost
	c.Pending += Money(sign) * d.Pending
	c.Begun += Money(sign) * d.Begun
}
