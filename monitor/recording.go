package monitor

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"tickwatch/wa"
)

// OwnSource is the source of the lines of a recording that hold our own side.
const OwnSource = "tickwatch"

// receiptLayout is how a recording writes moments.
const receiptLayout = "2006-01-02T15:04:05.000000Z07:00"

// Line is one line of a recording: a provider's body, or, where Source is
// OwnSource, something that happened on our side.
type Line struct {
	ReceivedAt wa.Instant
	Source     string
	Body       []byte // as it was signed; of our own side, an Own as JSON
}

// lineJSON is a Line as it is written.
type lineJSON struct {
	ReceivedAt *string         `json:"received_at"`
	Source     string          `json:"source"`
	Body       json.RawMessage `json:"body"`
	Base64     []byte          `json:"body_base64,omitempty"` // the bytes, where a text cannot hold them
}

// Append writes the line to the end of b, with its line break. A body that is
// JSON stands in it as it came, except that line breaks between its parts and
// space around it are left out. Any other is a string that holds its text; so is
// one that is a bare JSON string, whose text includes the quotes, which keeps
// the two apart. The bytes of a body that is no UTF-8 follow as body_base64.
func (l *Line) Append(b []byte) []byte {
	b = append(b, `{"received_at":"`...)
	b = l.ReceivedAt.Time().AppendFormat(b, receiptLayout)
	b = append(b, `","source":`...)
	b = appendText(b, l.Source)
	b = append(b, `,"body":`...)
	body := bytes.TrimSpace(l.Body)
	switch {
	case !json.Valid(body) || body[0] == '"' || !utf8.Valid(body):
		b = appendText(b, string(l.Body))
		if !utf8.Valid(l.Body) {
			b = append(b, `,"body_base64":`...)
			text, _ := json.Marshal(l.Body) // bytes always encode
			b = append(b, text...)
		}
	case bytes.ContainsAny(body, "\r\n"):
		var one bytes.Buffer
		_ = json.Compact(&one, body) // it is valid
		b = append(b, one.Bytes()...)
	default:
		b = append(b, body...)
	}
	return append(b, "}\n"...)
}

func appendText(b []byte, text string) []byte {
	var w bytes.Buffer
	e := json.NewEncoder(&w)
	e.SetEscapeHTML(false)
	_ = e.Encode(text) // a text always encodes
	return append(b, bytes.TrimRight(w.Bytes(), "\n")...)
}

// ParseLine reads what Append wrote. Its errors say in a few words what is wrong
// with the line.
func ParseLine(text []byte) (Line, error) {
	var raw lineJSON
	if err := json.Unmarshal(text, &raw); err != nil {
		return Line{}, fmt.Errorf("is no line of a recording: %w", err)
	}
	switch {
	case raw.ReceivedAt == nil:
		return Line{}, errors.New(`has no "received_at"`)
	case raw.Source == "":
		return Line{}, errors.New(`has no "source"`)
	case raw.Body == nil:
		return Line{}, errors.New(`has no "body"`)
	}
	at, err := time.Parse(time.RFC3339, *raw.ReceivedAt)
	if err != nil || at.Year() < 2009 { // before there was WhatsApp
		return Line{}, fmt.Errorf("has %.40q for received_at: write a moment as 2026-11-20T08:00:00.123456Z", *raw.ReceivedAt)
	}
	l := Line{ReceivedAt: wa.At(at), Source: raw.Source, Body: raw.Body}
	switch {
	case raw.Base64 != nil:
		l.Body = raw.Base64
	case raw.Body[0] == '"':
		var words string
		if err := json.Unmarshal(raw.Body, &words); err != nil {
			return Line{}, fmt.Errorf("has a body that cannot be read: %w", err)
		}
		l.Body = []byte(words)
	}
	return l, nil
}

// Own is the body of a line of our own side; what the queue did stands in lines
// of another body, a store.Deed, whose kinds are others. Kinds that are not known
// are for newer versions.
type Own struct {
	Kind     string   `json:"kind"` // OwnAction, OwnEnd
	Operator string   `json:"operator,omitempty"`
	Verb     string   `json:"verb,omitempty"`
	Target   string   `json:"target,omitempty"`
	Reason   string   `json:"reason,omitempty"`
	Effect   string   `json:"effect,omitempty"`
	Alarm    *OwnMark `json:"alarm,omitempty"` // what an acknowledgement or a snooze is of: ids differ from store to store
}

// Kinds of an Own.
const (
	OwnAction = "action" // what an operator did
	OwnEnd    = "end"    // up to this moment the daemon listened: what is not above did not come
)

// OwnMark names an alarm by what it is about.
type OwnMark struct {
	Kind    string `json:"kind"`
	Subject string `json:"subject"`
}
