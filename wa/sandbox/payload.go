package sandbox

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"unicode/utf16"
	"unicode/utf8"

	"tickwatch/wa"
)

// Webhook fields that the stand-in speaks of.
const (
	fieldMessages        = "messages"
	fieldPreferences     = "user_preferences"
	fieldTemplateStatus  = "message_template_status_update"
	fieldTemplateQuality = "message_template_quality_update"
	fieldNumber          = "phone_number_quality_update"
)

// update is one piece of news that a webhook can carry.
type update struct {
	field      string
	number     *number // for what belongs to a number
	at         wa.Instant
	status     *status
	inbound    *inbound
	preference *preference
	contact    *contact // of any of these three; nil on failures
	value      any      // the whole value, for news of the account
	taken      func()   // called when it was answered 200; nil for nothing
}

// The shapes of whatsapp.md §2, in the order of Meta's keys.
type (
	envelope struct {
		Object string          `json:"object"`
		Entry  []*webhookEntry `json:"entry"`
	}
	webhookEntry struct {
		ID      string    `json:"id"`
		Time    int64     `json:"time,omitempty"`
		Changes []*change `json:"changes"`
	}
	change struct {
		Value any    `json:"value"`
		Field string `json:"field"`
	}
	messagesValue struct {
		Product     string        `json:"messaging_product"`
		Metadata    metadata      `json:"metadata"`
		Contacts    []*contact    `json:"contacts,omitempty"`
		Messages    []*inbound    `json:"messages,omitempty"`
		Statuses    []*status     `json:"statuses,omitempty"`
		Preferences []*preference `json:"user_preferences,omitempty"`
	}
	metadata struct {
		Display  string `json:"display_phone_number"`
		NumberID string `json:"phone_number_id"`
	}
	contact struct {
		Profile *profile `json:"profile,omitempty"`
		WaID    string   `json:"wa_id"`
		UserID  string   `json:"user_id,omitempty"`
	}
	profile struct {
		Name string `json:"name"`
	}
	status struct {
		ID              string      `json:"id"`
		Status          string      `json:"status"`
		Timestamp       string      `json:"timestamp"`
		RecipientID     string      `json:"recipient_id"`
		RecipientUserID string      `json:"recipient_user_id,omitempty"`
		CallbackData    string      `json:"biz_opaque_callback_data,omitempty"`
		Pricing         *pricing    `json:"pricing,omitempty"`
		Errors          []errorItem `json:"errors,omitempty"`
	}
	pricing struct {
		Billable bool   `json:"billable"`
		Model    string `json:"pricing_model"`
		Type     string `json:"type"`
		Category string `json:"category"`
	}
	errorItem struct {
		Code    int         `json:"code"`
		Title   string      `json:"title"`
		Message string      `json:"message"`
		Data    errorDetail `json:"error_data"`
		Href    string      `json:"href"`
	}
	errorDetail struct {
		Details string `json:"details"`
	}
	inbound struct {
		Context    *replyContext `json:"context,omitempty"`
		From       string        `json:"from"`
		FromUserID string        `json:"from_user_id,omitempty"`
		ID         string        `json:"id"`
		Timestamp  string        `json:"timestamp"`
		Type       string        `json:"type"`
		Text       *text         `json:"text,omitempty"`
		Button     *button       `json:"button,omitempty"`
	}
	replyContext struct {
		From string `json:"from"`
		ID   string `json:"id"`
	}
	text struct {
		Body string `json:"body"`
	}
	button struct {
		Payload string `json:"payload"`
		Text    string `json:"text"`
	}
	preference struct {
		WaID      string `json:"wa_id"`
		UserID    string `json:"user_id,omitempty"`
		Detail    string `json:"detail"`
		Category  string `json:"category"`
		Value     string `json:"value"`
		Timestamp int64  `json:"timestamp"` // a number here, unlike everywhere else
	}
	templateValue struct {
		Event    string `json:"event,omitempty"`
		Previous string `json:"previous_quality_score,omitempty"`
		Quality  string `json:"new_quality_score,omitempty"`
		ID       int64  `json:"message_template_id"`
		Name     string `json:"message_template_name"`
		Language string `json:"message_template_language"`
		Category string `json:"message_template_category,omitempty"`
		Reason   string `json:"reason,omitempty"`

		Info *otherInfo `json:"other_info,omitempty"` // of a pause only
	}
	otherInfo struct {
		Title       string `json:"title"`
		Description string `json:"description"`
	}
	numberValue struct {
		Display string   `json:"display_phone_number"`
		Event   string   `json:"event"`
		Current wa.Limit `json:"current_limit"`
		Limit   wa.Limit `json:"max_daily_conversations_per_business"`
	}
)

// newEntry is how often a further entry is begun where the present one would do.
const newEntry = 0.25

// compose writes one webhook body. What belongs together shares an entry and a
// value; where entries begin is left to chance, as Meta promises nothing.
func compose(updates []update, r *rand.Rand) []byte {
	var (
		body    = envelope{Object: "whatsapp_business_account"}
		current *webhookEntry
		values  map[valueKey]*messagesValue
	)
	for _, u := range updates {
		if u.value != nil {
			body.Entry = append(body.Entry, &webhookEntry{ID: AccountID, Time: u.at.Second(), Changes: []*change{{u.value, u.field}}})
			continue
		}
		if current == nil || r.Float64() < newEntry {
			current = &webhookEntry{ID: AccountID}
			body.Entry = append(body.Entry, current)
			values = map[valueKey]*messagesValue{}
		}
		key := valueKey{u.field, u.number, u.inbound != nil, u.contact != nil}
		v := values[key]
		if v == nil {
			v = &messagesValue{Product: "whatsapp", Metadata: metadata{u.number.Display, u.number.ID}}
			values[key] = v
			current.Changes = append(current.Changes, &change{v, u.field})
		}
		v.add(u)
	}
	raw, err := json.Marshal(body)
	if err != nil {
		panic(err) // our own types, and none of them can fail to be written
	}
	return escaped(raw)
}

// valueKey tells which updates may share a value: Meta mixes neither statuses
// and messages nor failures, which name no contact, and the rest.
type valueKey struct {
	field   string
	number  *number
	inbound bool
	contact bool
}

func (v *messagesValue) add(u update) {
	switch {
	case u.status != nil:
		v.Statuses = append(v.Statuses, u.status)
	case u.inbound != nil:
		v.Messages = append(v.Messages, u.inbound)
	case u.preference != nil:
		v.Preferences = append(v.Preferences, u.preference)
	}
	if u.contact == nil {
		return
	}
	for _, known := range v.Contacts {
		if known.WaID == u.contact.WaID {
			return
		}
	}
	v.Contacts = append(v.Contacts, u.contact)
}

// escaped is JSON as Meta writes it: ASCII only, with the slash escaped too. A
// receiver that parses and writes it again before it checks the signature finds
// out here (whatsapp.md §1).
func escaped(raw []byte) []byte {
	var b bytes.Buffer
	b.Grow(len(raw) + len(raw)/8)
	for i := 0; i < len(raw); {
		c := raw[i]
		if c < utf8.RuneSelf {
			if c == '/' {
				b.WriteByte('\\')
			}
			b.WriteByte(c)
			i++
			continue
		}
		r, size := utf8.DecodeRune(raw[i:])
		for _, unit := range utf16.Encode([]rune{r}) {
			fmt.Fprintf(&b, `\u%04x`, unit)
		}
		i += size
	}
	return b.Bytes()
}
