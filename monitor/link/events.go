package link

import (
	"encoding/json"
	"time"
)

// What an EventsArgs can ask about.
const (
	OfEverything = ""
	OfNumber     = "number"   // ID is the number's id or its display
	OfTemplate   = "template" // ID is the template's
	OfAccount    = "account"  // all accounts together; ID is not looked at
)

// EventsArgs asks for what happened last: everything, or the news of one number,
// of one template, or of the account.
type EventsArgs struct {
	Of    string `json:"of,omitempty"`
	ID    string `json:"id,omitempty"`
	Limit int    `json:"limit,omitempty"` // at most MaxEvents; 0 = MaxEvents
}

// MaxEvents bounds the answer to an EventsArgs.
const MaxEvents = 300

// Events are what happened, newest first.
type Events struct {
	Events   []Event `json:"events"`
	Complete bool    `json:"complete"` // there is nothing older than the last one
}

// Kinds of an Event.
const (
	EventAlarm    = "alarm"
	EventAction   = "action" // an operator's, or tickwatch's own
	EventCampaign = "campaign"
	EventTemplate = "template"
	EventNumber   = "number"
	EventAccount  = "account"
)

// EventCleared is the Severity of an alarm's end.
const EventCleared = "cleared"

// Event is one thing that happened, as a sentence.
type Event struct {
	At       time.Time  `json:"at"`
	Kind     string     `json:"kind"`
	Severity string     `json:"severity,omitempty"` // of an alarm: watch, act, or EventCleared
	Text     string     `json:"text"`
	Until    *time.Time `json:"until,omitempty"` // until when it holds, where that was told
	Times    int        `json:"times,omitempty"` // how often in a row it happened, if more than once; At is the latest
}

// MarshalJSON writes Events as an array, never null, and times in UTC.
func (e Events) MarshalJSON() ([]byte, error) {
	type plain Events
	e.Events = each(e.Events, func(v *Event) { v.At, v.Until = v.At.UTC(), utc(v.Until) })
	return json.Marshal(plain(e))
}
