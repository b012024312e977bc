package sandbox

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"tickwatch/wa"
)

// Fault is something that goes wrong on purpose, from Inject on until it has
// struck as often as it may, or is cleared. Several can be in force at once:
// their latencies add up, and of those that end a request the oldest does.
type Fault struct {
	Kind string `json:"kind"` // one of the Fault constants

	// Which sends it strikes; what is empty leaves no send out.
	Number   string  `json:"number,omitempty"`   // phone_number_id
	Template string  `json:"template,omitempty"` // its name
	Person   string  `json:"person,omitempty"`   // phone, with or without the plus
	Share    float64 `json:"share,omitempty"`    // strikes this share of them; 0 means all
	Next     int     `json:"next,omitempty"`     // strikes so often; 0 means until it is cleared
	Reads    bool    `json:"reads,omitempty"`    // strikes what is read from the Graph API, and no send
	SMS      bool    `json:"sms,omitempty"`      // strikes the provider of SMS, and nothing of WhatsApp

	// How. In JSON spans are texts like "50ms".
	Delay      time.Duration `json:"-"`
	Code       int           `json:"code,omitempty"`    // Graph error
	HTTP       int           `json:"http,omitempty"`    // status of the answer; 0 means the usual one
	Details    string        `json:"details,omitempty"` // of the error; "" means some that fit the code
	RetryAfter time.Duration `json:"-"`                 // header of a refusal, in whole seconds; 0 means none
	Taken      bool          `json:"taken,omitempty"`   // the message is accepted all the same, if it would have been
}

// Kinds of a Fault. Those up to webhook_first strike requests, each by a draw of
// its own; hold and fail strike people, for ever the same ones; the last two
// strike webhook updates, whosever. Of SMS, fail is a failure whatever its code,
// and the last two strike receipts. Spans are of the campaign's clock, except for
// the latency.
const (
	FaultLatency      = "latency"       // the answer comes Delay of real time later
	FaultHang         = "hang"          // no answer comes, the connection stays open
	FaultDrop         = "drop"          // the connection is closed without an answer
	FaultCut          = "cut"           // the connection is closed in the middle of the answer
	FaultRefuse       = "refuse"        // the error Code is answered; no JSON with an HTTP status and no code
	FaultServer       = "server_error"  // a 5xx is answered: with the error Code, or no JSON without one
	FaultToken        = "token"         // everything, reads included, is answered 401 with code 190
	FaultWebhookFirst = "webhook_first" // the answer waits until the first status was taken by the webhook's receiver
	FaultHold         = "hold"          // accepted and held for quality assessment; after Delay sent, or failed with Code
	FaultFail         = "fail"          // accepted, and fails with Code
	FaultSlowWebhooks = "slow_webhooks" // updates come Delay later
	FaultLostWebhooks = "lost_webhooks" // updates never come
)

var faultKinds = []string{
	FaultLatency, FaultHang, FaultDrop, FaultCut, FaultRefuse, FaultServer, FaultToken, FaultWebhookFirst,
	FaultHold, FaultFail, FaultSlowWebhooks, FaultLostWebhooks,
}

// InForce is a fault that was injected.
type InForce struct {
	ID     int   `json:"id"`
	Struck int   `json:"struck"` // how often
	Fault  Fault `json:"fault"`
}

// complete fills in the defaults and refuses what cannot go wrong that way.
func (f *Fault) complete() error {
	f.Person = wa.Digits(f.Person)
	bare := f.Kind == FaultRefuse && f.HTTP != 0 // as from a machine in front of the API
	usual := map[string]int{FaultRefuse: 400, FaultServer: 500, FaultToken: 401}[f.Kind]
	if f.HTTP == 0 {
		f.HTTP = usual
	}
	if f.Kind == FaultToken {
		f.Code = 190
	}
	switch {
	case !slices.Contains(faultKinds, f.Kind):
		return fmt.Errorf("sandbox: there is no fault %q; choose one of: %s", wa.Clean(f.Kind), strings.Join(faultKinds, ", "))
	case !(f.Share >= 0 && f.Share <= 1):
		return fmt.Errorf("sandbox: a share of %g is none; give one from 0 to 1", f.Share)
	case f.Next < 0 || f.Delay < 0 || f.RetryAfter < 0:
		return errors.New("sandbox: a fault cannot strike less than never, or wait less than no time")
	case f.Code == 0 && !bare && !f.SMS && (f.Kind == FaultRefuse || f.Kind == FaultFail):
		return fmt.Errorf("sandbox: the fault %s needs a code, like 131026", f.Kind)
	case f.HTTP != 0 && usual == 0:
		return fmt.Errorf("sandbox: the fault %s answers no HTTP status of its own", f.Kind)
	case f.HTTP != 0 && (f.HTTP < 400 || f.HTTP > 599) || f.Kind == FaultServer && f.HTTP < 500:
		return fmt.Errorf("sandbox: %d is no HTTP status of the fault %s", f.HTTP, f.Kind)
	case f.Reads && slices.Contains([]string{FaultWebhookFirst, FaultHold, FaultFail, FaultSlowWebhooks, FaultLostWebhooks}, f.Kind):
		return fmt.Errorf("sandbox: the fault %s does not strike reads", f.Kind)
	case f.SMS && (f.Reads || f.Number != "" || f.Template != "" || slices.Contains([]string{FaultWebhookFirst, FaultHold}, f.Kind)):
		return fmt.Errorf("sandbox: the fault %s does not strike SMS, or not what it was to strike of it", f.Kind)
	}
	return nil
}

// faultText is a fault as JSON has it: spans are texts.
type faultText struct {
	plainFault
	Delay      string `json:"delay,omitempty"`
	RetryAfter string `json:"retry_after,omitempty"`
}

type plainFault Fault

// MarshalJSON writes spans as texts.
func (f Fault) MarshalJSON() ([]byte, error) {
	text := faultText{plainFault: plainFault(f)}
	if f.Delay != 0 {
		text.Delay = f.Delay.String()
	}
	if f.RetryAfter != 0 {
		text.RetryAfter = f.RetryAfter.String()
	}
	return json.Marshal(text)
}

// UnmarshalJSON reads spans from texts, and refuses what a fault does not have.
func (f *Fault) UnmarshalJSON(raw []byte) error {
	var text faultText
	read := json.NewDecoder(bytes.NewReader(raw))
	read.DisallowUnknownFields()
	if err := read.Decode(&text); err != nil {
		return err
	}
	*f = Fault(text.plainFault)
	var errs [2]error
	f.Delay, errs[0] = spanOf(text.Delay)
	f.RetryAfter, errs[1] = spanOf(text.RetryAfter)
	return errors.Join(errs[:]...)
}

func spanOf(s string) (time.Duration, error) {
	if s == "" {
		return 0, nil
	}
	d, err := time.ParseDuration(s)
	if err != nil {
		return 0, fmt.Errorf("%q is no span of time: give one like 50ms", wa.Clean(s))
	}
	return d, nil
}
