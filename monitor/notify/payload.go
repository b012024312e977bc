package notify

import (
	"encoding/json"
	"time"

	"tickwatch/wa"
)

// payload is a message as programs get it. Keys may be added.
type payload struct {
	Event  string        `json:"event"` // alarms, test
	ID     string        `json:"id"`    // the same when the same is sent again
	At     time.Time     `json:"at"`
	Title  string        `json:"title"`
	Text   string        `json:"text"` // for people
	Alarms []alarmRecord `json:"alarms"`
}

// alarmRecord is one alarm of a payload, with clean texts.
type alarmRecord struct {
	ID        string     `json:"id"`
	Change    Change     `json:"change"`
	Kind      string     `json:"kind"`
	Severity  string     `json:"severity"`
	Campaign  string     `json:"campaign,omitempty"`
	Name      string     `json:"name,omitempty"` // of the campaign
	Text      string     `json:"text"`
	Advice    string     `json:"advice,omitempty"`
	Paused    string     `json:"paused,omitempty"`  // that and why it is paused already
	Command   string     `json:"command,omitempty"` // what helps, from a shell
	RaisedAt  time.Time  `json:"raised_at"`
	ActedAt   *time.Time `json:"acted_at,omitempty"`
	ClearedAt *time.Time `json:"cleared_at,omitempty"`
}

func (m *Message) payload() payload {
	p := payload{Event: "alarms", ID: m.id(), At: m.At.UTC(), Title: m.Title(), Text: m.Text(), Alarms: []alarmRecord{}}
	if m.Test {
		p.Event = "test"
	}
	for i := range m.Items {
		p.Alarms = append(p.Alarms, m.Items[i].record())
	}
	return p
}

func (i *Item) record() alarmRecord {
	r := alarmRecord{
		ID: i.ref(), Change: i.Change, Kind: i.Kind, Severity: i.Severity, Campaign: wa.Clean(i.Campaign), Name: wa.Clean(i.Name),
		Text: plainText(i.Text), Advice: plainText(i.Advice), Paused: plainText(i.Paused), RaisedAt: i.RaisedAt.Time(), ActedAt: moment(i.ActedAt), ClearedAt: moment(i.ClearedAt),
	}
	if i.Change != Cleared {
		_, r.Command = i.help()
	}
	return r
}

func moment(i wa.Instant) *time.Time {
	if i == 0 {
		return nil
	}
	t := i.Time()
	return &t
}

func (m *Message) json() ([]byte, error) { return json.Marshal(m.payload()) }
