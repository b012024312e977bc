package link

import (
	"fmt"
	"strings"
	"time"
)

// Verbs about second attempts over other channels, with the types of their
// arguments and results.
const (
	VerbFallback       = "fallback"        // FallbackArgs → FallbackPlan
	VerbFallbackCancel = "fallback_cancel" // CampaignArgs → Receipt
	VerbFallbackGoOn   = "fallback_go_on"  // GoOnArgs → Receipt
)

// What becomes of people who must not be reached at this hour.
const (
	HoursWait     = "wait"      // they wait for their next allowed hours
	HoursLeaveOut = "leave-out" // they get nothing
)

// FallbackArgs plans second attempts for a campaign's failures, and orders them
// unless it is a dry run.
type FallbackArgs struct {
	Campaign    string   `json:"campaign"`
	Channels    []string `json:"channels"`              // sms, voice, email, in the order in which they are tried
	Codes       []int    `json:"codes,omitempty"`       // none = all whose failures allow it
	Undelivered int64    `json:"undelivered,omitempty"` // also who is undelivered for so many seconds; 0 = failures only
	Hours       string   `json:"hours,omitempty"`       // HoursWait, which is the default, or HoursLeaveOut
	Consent     bool     `json:"consent,omitempty"`     // the operator declares that people consented, where the list does not say
	DryRun      bool     `json:"dry_run,omitempty"`
	Expect      int64    `json:"expect,omitempty"` // the number that was confirmed: nobody beyond it gets one
}

// FallbackPlan says who would be reached, at what cost, and who not.
type FallbackPlan struct {
	Eligible    int64             `json:"eligible"`
	LeftOut     []LeftOut         `json:"left_out"`
	Segments    int64             `json:"segments"`
	Cost        float64           `json:"cost"`
	Currency    string            `json:"currency"`
	UndoSeconds int64             `json:"undo_seconds"` // nothing leaves for so long after the order
	First       int64             `json:"first"`        // so many go out before the look; 0 = all go out at once
	Budget      float64           `json:"budget"`       // for the campaign; what it has cost so far is in Spent
	Spent       float64           `json:"spent"`
	Channels    []FallbackChannel `json:"channels"`
	Codes       []FallbackCode    `json:"codes"`
	Later       int64             `json:"later"`              // of Eligible: wait for their allowed hours
	OpensAt     *time.Time        `json:"opens_at,omitempty"` // the first of those
	LastAt      *time.Time        `json:"last_at,omitempty"`  // the last of those
	NoZone      int64             `json:"no_zone"`            // of Eligible: their number tells no time zone, Zone is used
	Zone        string            `json:"zone"`               // "" = the daemon's
	Samples     []FallbackSample  `json:"samples"`            // one a channel and language
	Warnings    []string          `json:"warnings"`
	Run         *FallbackRun      `json:"run,omitempty"` // what was ordered
}

// FallbackChannel is a plan's part of one channel.
type FallbackChannel struct {
	Channel  string  `json:"channel"`
	Eligible int64   `json:"eligible"`
	Segments int64   `json:"segments"`
	Cost     float64 `json:"cost"`
}

// FallbackCode is a plan's part of one error code; 0 with the title "undelivered" =
// they did not fail, but are undelivered for too long.
type FallbackCode struct {
	Code  int    `json:"code"`
	Title string `json:"title"`
	Count int64  `json:"count"`
}

// FallbackSample is what one person would get. Its text is foreign.
type FallbackSample struct {
	Channel  string `json:"channel"`
	Language string `json:"language,omitempty"`
	To       string `json:"to"` // masked
	Text     string `json:"text"`
	Segments int64  `json:"segments"`
	Unicode  string `json:"unicode,omitempty"` // characters for which it takes more segments
}

// States of a FallbackRun.
const (
	FallbackPending   = "pending"   // nothing leaves before StartsAt: it can be undone
	FallbackLooking   = "look"      // the first ones go out, or wait for a look
	FallbackSending   = "sending"   // it goes out
	FallbackFinished  = "finished"  // nothing waits
	FallbackCancelled = "cancelled" // what waited does not go out
)

// FallbackRun is one order of second attempts.
type FallbackRun struct {
	ID       string    `json:"id"`
	State    string    `json:"state"`
	By       string    `json:"by"`
	Channels []string  `json:"channels"`
	Ordered  time.Time `json:"ordered_at"`
	StartsAt time.Time `json:"starts_at"`
	Planned  int64     `json:"planned"`
	First    int64     `json:"first"`          // so many go out before the look; 0 = there is none
	Looked   bool      `json:"looked"`         // the first ones are out, and it waits for somebody to look
	Held     string    `json:"held,omitempty"` // why nothing goes out now, a few words
}

// GoOnArgs ends the look of a campaign's fallback: the rest goes out.
type GoOnArgs struct {
	Campaign string `json:"campaign"`
}

// Beside counts what waits by a channel other than WhatsApp.
type Beside struct {
	Channel string `json:"channel"`
	Waiting int64  `json:"waiting"`
	Going   int64  `json:"going"` // of Waiting: goes out once what is asked about is open; the rest waits for a look, or another pause
}

// Noun is what n messages by the channel are called.
func (b *Beside) Noun(n int64) string {
	noun := map[string]string{"sms": "SMS", "voice": "call", "email": "e-mail"}[b.Channel]
	if n == 1 || b.Channel == "sms" {
		return noun
	}
	return noun + "s"
}

// WaitingBeside lists what waits by other channels: "418 SMS, 2 calls"; "" = nothing.
func WaitingBeside(all []Beside, count func(int64) string) string {
	names := make([]string, len(all))
	for i := range all {
		names[i] = count(all[i].Waiting) + " " + all[i].Noun(all[i].Waiting)
	}
	return strings.Join(names, ", ")
}

// GoingBeside says in sentences what goes out by other channels once it may, after
// what goes out by WhatsApp if there is some; "" = nothing waits.
func GoingBeside(all []Beside, afterSome bool, count func(int64) string) string {
	too := ""
	if afterSome {
		too = " too"
	}
	said := make([]string, len(all))
	for i := range all {
		b := &all[i]
		what, wait := count(b.Waiting)+" "+b.Noun(b.Waiting), "wait"
		if b.Waiting == 1 {
			wait = "waits"
		}
		switch b.Going {
		case b.Waiting:
			said[i] = fmt.Sprintf("%s %s and will go out%s.", what, wait, too)
		case 0:
			said[i] = fmt.Sprintf("%s still %s.", what, wait)
		default:
			said[i] = fmt.Sprintf("Of %s that wait %s will go out%s.", what, count(b.Going), too)
		}
	}
	return strings.Join(said, " ")
}
