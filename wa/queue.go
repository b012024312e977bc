package wa

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// States of one of our own campaigns. Whether a running one is paused, its gates say.
const (
	PlanDraft     = "draft"     // imported, never started
	PlanReady     = "ready"     // starts at Plan.StartsAt
	PlanRunning   = "running"   // goes out, as far as gates, pace and windows let it
	PlanCancelled = "cancelled" // what still waited will not be sent
)

// Plan is what one of our own campaigns sends, from where, how fast and until when.
type Plan struct {
	Campaign  int64  // row id
	Key       string // its id outside, and its callback data
	Name      string
	State     string       // one of the Plan constants
	Form      TemplateForm // the template in use, as it was when it was chosen
	Columns   []string     // names of Claimed.Values
	Bind      map[string]int
	Contact   Contact  // which of Columns say how to reach people otherwise
	From      []string // phone_number_ids
	Marketing bool     // through the Marketing Messages API
	Pace      Pace
	StartsAt  Instant   // of a ready one
	ExpiresAt Instant   // what still waits then is cancelled; 0 = never
	Ramp      []float64 // shares of the list after which it pauses for a look, rising to 1; nil = none
	Step      int       // index into Ramp
	Rows      int64     // of the list; later attempts are not in it
	// Aside are the traits whose messages are set aside: what has one is not claimed.
	Aside []Trait `json:",omitempty"`
	// Against is what was found against the list when it was imported: a campaign
	// with any starts by force only.
	Against []Objection
}

// Contact names columns of a list that say how a person may be reached by other
// channels than WhatsApp; "" = the list has none.
type Contact struct {
	Email    string              `json:",omitempty"`
	Language string              `json:",omitempty"`
	Consent  map[string]string   `json:",omitempty"` // channel → column
	Refused  map[string][]string `json:",omitempty"` // channel → columns in which yes means no
}

// Column is what a row's values say in a column; "" where there is none of that name.
func (p *Plan) Column(values []string, name string) string {
	if i := slices.Index(p.Columns, name); name != "" && i >= 0 && i < len(values) {
		return values[i]
	}
	return ""
}

// Objection is something that speaks against sending to a list.
type Objection struct {
	Text  string // one clean sentence for people
	Count int64  // of what it speaks about; 0 where there is nothing to count
}

// Value is what a variable of the plan's template gets from a row's values; ""
// where no column is bound to it.
func (p *Plan) Value(values []string, variable string) string {
	if i, ok := p.Bind[variable]; ok && i < len(values) {
		return values[i]
	}
	return ""
}

// Pace is how many messages may go out within a span. The zero Pace is no limit.
type Pace struct {
	Messages int64
	Per      time.Duration // a second, a minute or an hour
}

// ParsePace reads "20/s", "600/m" or "1000/h"; "none" is no limit.
func ParsePace(s string) (Pace, error) {
	if s == "none" || s == "0" {
		return Pace{}, nil
	}
	count, unit, _ := strings.Cut(s, "/")
	n, err := strconv.ParseInt(count, 10, 64)
	per, ok := map[string]time.Duration{"s": time.Second, "m": time.Minute, "h": time.Hour}[unit]
	if err != nil || !ok || n <= 0 {
		return Pace{}, fmt.Errorf("%q is no pace: give one like 20/s, 600/m or 1000/h, or none", Clean(s))
	}
	return Pace{n, per}, nil
}

// String is the pace as ParsePace reads it.
func (p Pace) String() string {
	if p.Messages <= 0 || p.Per <= 0 {
		return "none"
	}
	unit := map[time.Duration]string{time.Second: "s", time.Minute: "m", time.Hour: "h"}[p.Per]
	if unit == "" {
		return fmt.Sprintf("%d/%s", p.Messages, p.Per)
	}
	return fmt.Sprintf("%d/%s", p.Messages, unit)
}

// PerSecond is the pace in messages a second; 0 is no limit.
func (p Pace) PerSecond() float64 {
	if p.Messages <= 0 || p.Per <= 0 {
		return 0
	}
	return float64(p.Messages) / p.Per.Seconds()
}

// ClaimRequest asks for messages of a campaign that may be sent now.
type ClaimRequest struct {
	Campaign int64  // row id
	From     string // phone_number_id that they will be sent from
	Limit    int    // at most so many
	Upto     int64  // rows of the list that may have been taken in all, for a ramp; 0 = all
	Now      Instant

	// Hold says until when a number must not be written to, for its sending window;
	// 0 = it may be. It is called by the store's writer: it must be quick and pure.
	Hold func(phone string) Instant
	// Aside names the trait that a row is set aside for; "" = for none. nil = nothing is
	// set aside. It is called as Hold is.
	Aside func(phone string, line int64, values []string) string
	// Cap bounds marketing to one person; zero = no cap.
	Cap FrequencyCap
}

// FrequencyCap bounds the marketing messages that one person gets: at most
// Messages Within a span, and none sooner than Apart after the one before.
// Failed ones do not count.
type FrequencyCap struct {
	Messages      int
	Within, Apart time.Duration
}

// Claims is what a claim gave.
type Claims struct {
	Messages []Claimed
	// Next is when, if nothing else changes, it is worth to ask again: when the
	// first of those that wait for a moment may go; 0 = nothing waits for a moment.
	Next Instant
	// Why is what that one waits for, a few words for people, ReasonCap among them.
	Why string
	// Left is how many still wait, whatever for.
	Left int64
}

// ReasonCap is why somebody waits who has had as much marketing as the cap allows.
const ReasonCap = "had a marketing message lately"

// Claimed is a message that is about to be sent: its attempt is on disk.
type Claimed struct {
	Message   int64 // its id, which its callback data carries
	Recipient int64 // its row of the queue
	Phone     string
	Values    []string // by Plan.Columns
	Data      string   // callback data
	Tries     int      // how often it has gone back to waiting before
}

// Outcome is what became of a claimed message.
type Outcome struct {
	Message  int64
	Kind     OutcomeKind
	At       Instant
	Accepted Accepted // of OutcomeAccepted
	Code     int      // of OutcomeRefused and OutcomeAgain; 0 = none
	Details  string   // foreign text
	Due      Instant  // of OutcomeAgain: not before
}

// OutcomeKind says what became of a claimed message.
type OutcomeKind uint8

// Kinds of an Outcome.
const (
	OutcomeAccepted OutcomeKind = iota + 1 // Meta took it
	OutcomeRefused                         // Meta refused it, for good
	OutcomeAgain                           // it certainly did not go out, and waits again
	OutcomeUnknown                         // it may have gone out: only a webhook or the operator can tell
)

// Gate is a place where sending can be paused (see link.Gate).
type Gate struct {
	Scope  string  `json:"scope"`        // all, channel, number, campaign
	ID     string  `json:"id,omitempty"` // campaign key, phone_number_id, channel; "" of all
	Closed bool    `json:"closed"`
	By     string  `json:"by,omitempty"`
	Reason string  `json:"reason,omitempty"`
	Since  Instant `json:"since"`
	// OpensAt is when it opens by itself, as a resume asked that named a time; 0 = it
	// does not.
	OpensAt Instant `json:"opens_at,omitempty"`
}

// ErrGateClosed is why a send that was about to leave did not.
var ErrGateClosed = errors.New("sending is paused")
