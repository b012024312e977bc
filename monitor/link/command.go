package link

import (
	"encoding/json"
	"time"
)

// Command is what a console asks of the daemon. The console makes up the ID;
// the same ID twice has the effect of once, so a command may be repeated after
// a lost link.
type Command struct {
	ID   string          `json:"id"`
	Verb string          `json:"verb"`
	Args json.RawMessage `json:"args,omitempty"`
}

// Verbs of a Command, with the types of their arguments and results.
const (
	VerbStatus   = "status"   // StatusArgs → Snapshot
	VerbAck      = "ack"      // AckArgs → Alarm
	VerbFind     = "find"     // FindArgs → Found
	VerbFailures = "failures" // FailuresArgs → Failures
	VerbEvents   = "events"   // EventsArgs → Events

	VerbCampaigns = "campaigns" // CampaignsArgs → Cards
)

// Ack answers one Command.
type Ack struct {
	CommandID string          `json:"command_id"`
	Result    json.RawMessage `json:"result,omitempty"`
	Error     *Fault          `json:"error,omitempty"`
}

// Kinds of a Fault; the command line turns them into exit codes.
const (
	FaultFailed  = "failed"  // exit 1
	FaultUsage   = "usage"   // exit 2
	FaultRefused = "refused" // exit 4
)

// Fault says why a command was not carried out and what to do next.
type Fault struct {
	Kind string `json:"kind"`
	Text string `json:"text"`
}

// Error makes a Fault an error.
func (f *Fault) Error() string { return f.Text }

// StatusArgs asks for a snapshot; with Campaign, that campaign is in it,
// whatever its age, and is the only one.
type StatusArgs struct {
	Campaign string `json:"campaign,omitempty"` // id or name
}

// AckArgs acknowledges an alarm.
type AckArgs struct {
	Alarm string `json:"alarm"`
}

// FindArgs looks up a person by phone number (any spelling) or BSUID, or a
// message by wamid.
type FindArgs struct {
	Query string `json:"query"`
}

// Found is what is known of a person; nobody has no Messages, nothing Queued and
// no Phone.
type Found struct {
	Query    string    `json:"query"`
	Phone    string    `json:"phone,omitempty"` // masked
	BSUID    string    `json:"bsuid,omitempty"`
	OptedOut bool      `json:"opted_out"`
	Messages []Message `json:"messages"` // newest first, at most MaxFound
	Held     []Held    `json:"held"`     // why they are not written to; nobody in particular is named in it
	Queued   []Queued  `json:"queued"`   // what our own campaigns hold for them, newest first, at most MaxFound
	Beside   []Reached `json:"beside"`   // by other channels, newest first, at most MaxFound
}

// Reached is a message by another channel than WhatsApp, and what became of it.
type Reached struct {
	Campaign string     `json:"campaign"`
	Channel  string     `json:"channel"`
	State    string     `json:"state"`            // waiting, going out, may have gone out, accepted, sent, delivered, failed, withdrawn, left out, expired
	Code     string     `json:"code,omitempty"`   // the provider's, foreign text
	Reason   string     `json:"reason,omitempty"` // its words, foreign text, or ours
	Due      *time.Time `json:"due,omitempty"`    // of a waiting one: not before
	TriedAt  *time.Time `json:"tried_at,omitempty"`
	ToldAt   *time.Time `json:"told_at,omitempty"` // the provider's latest news
}

// Queued is a message of one of our own campaigns that is not with Meta.
type Queued struct {
	Campaign string     `json:"campaign"`
	State    string     `json:"state"` // waiting, set aside, going out, may have gone out, cancelled
	Reason   string     `json:"reason,omitempty"`
	Due      *time.Time `json:"due,omitempty"` // of a waiting one: not before
}

// MaxFound bounds the messages of a Found, and what is queued.
const MaxFound = 50

// FailuresArgs asks for one page of a campaign's failed messages, newest first.
type FailuresArgs struct {
	Campaign string `json:"campaign"`
	Code     int    `json:"code"`
	Before   int64  `json:"before,omitempty"` // Next of the page before; 0 = first page
	Limit    int    `json:"limit,omitempty"`  // at most MaxPage; 0 = MaxPage
}

// MaxPage bounds a page of failed messages.
const MaxPage = 100

// Failures is one page of failed messages.
type Failures struct {
	Messages []Message `json:"messages"`
	Next     int64     `json:"next,omitempty"` // 0 = this was the last page
}

// Message is one message as people see it.
type Message struct {
	MessageID   string     `json:"message_id"` // wamid
	Phone       string     `json:"phone"`      // masked
	Campaign    string     `json:"campaign"`
	State       string     `json:"state"` // in flight, delivered, read, failed
	SentAt      *time.Time `json:"sent_at,omitempty"`
	DeliveredAt *time.Time `json:"delivered_at,omitempty"`
	ReadAt      *time.Time `json:"read_at,omitempty"`
	FailedAt    *time.Time `json:"failed_at,omitempty"`
	Code        int        `json:"code,omitempty"`
	Details     string     `json:"details,omitempty"` // Meta's words, foreign text
}
