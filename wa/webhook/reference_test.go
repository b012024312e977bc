package webhook_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"tickwatch/wa"
)

const (
	// metaObject is the only kind of body that speaks of WhatsApp.
	metaObject = "whatsapp_business_account"

	// maxID bounds an identifier in bytes. Meta's are below 200; a longer one
	// would only swell the store's index.
	maxID = 1024

	// maxShown bounds a piece of foreign text within Post.Problem, in bytes.
	maxShown = 80
)

// reference is what Decode is held against: the decoder as it was before it had
// a scanner of its own, over encoding/json and with a copy of every text. It
// shares no code with Decode. What Decode learns has to be taught here as well,
// or the fuzz tests tell them apart.
func reference(source string, body []byte, received wa.Instant) *wa.Post {
	d := refDecoder{post: &wa.Post{Source: source, ReceivedAt: received, Body: body}}
	if v, ok := d.document(body); ok {
		d.envelope(v)
	}
	return d.post
}

// refDecoder fills one Post.
type refDecoder struct {
	post *wa.Post
	path []step // where the reading is

	// What the enclosing entry and value say of everything within.
	account   string
	at        wa.Instant // entry.time
	sender    wa.Sender
	contacts  contacts
	rejection refValue // rejection_info beside value; nil = none
}

// step is one key on the way to a value, with the index if it holds a list.
type step struct {
	key   string
	index int // -1 = no list
}

// document finds the body's JSON. What comes behind it is counted and left.
func (d *refDecoder) document(body []byte) (refValue, bool) {
	if json.Valid(body) {
		return bytes.TrimSpace(body), true
	}
	var raw json.RawMessage
	if err := json.NewDecoder(bytes.NewReader(body)).Decode(&raw); err != nil {
		d.miss("", "the body is no JSON: %s", shown(err.Error()))
		return nil, false
	}
	d.miss("", "more follows behind the JSON")
	return bytes.TrimSpace(raw), true
}

func (d *refDecoder) envelope(v refValue) {
	if v.kind() != '{' {
		d.miss("", "the body is %s, not an object", v.what())
		return
	}
	object := ""
	var entries []refValue // more than one only where the key is repeated
	for key, v := range v.members() {
		switch string(key) {
		case "object":
			object, _ = v.text()
		case "entry":
			entries = append(entries, v)
		}
	}
	switch {
	case object != metaObject:
		d.miss("object", "%q is not known", shown(object))
		return
	case entries == nil:
		d.miss("entry", "is missing")
		return
	}
	for _, v := range entries {
		d.list("entry", v, d.entry)
	}
}

func (d *refDecoder) entry(v refValue) {
	d.account, d.at = "", 0
	field := ""
	var changes []refValue
	for key, v := range v.members() {
		switch string(key) {
		case "id":
			d.account = d.id("id", v)
		case "time":
			d.at = d.instant("time", v)
		case "field":
			field, _ = v.text()
		case "changes":
			changes = append(changes, v)
		}
	}
	if changes == nil {
		d.miss("changes", "is missing")
		return
	}
	for _, v := range changes {
		d.list("changes", v, func(v refValue) { d.change(v, field) })
	}
}

// change reads one element of changes[]. Some of Meta's samples have the field's
// name beside changes or within value, so it is looked for there as well.
func (d *refDecoder) change(v refValue, outer string) {
	var field, inner string
	var content refValue
	d.rejection = nil
	for key, v := range v.members() {
		switch string(key) {
		case "field":
			field = d.text("field", v)
		case "value":
			content = v
		case "rejection_info":
			d.rejection = v
		}
	}
	if content == nil || content.kind() != '{' {
		d.miss("value", "is no object")
		return
	}
	quality := false
	if field != "messages" { // whose many statuses need not be passed over for this
		for key, v := range content.members() {
			switch string(key) {
			case "field":
				inner, _ = v.text()
			case "new_quality_score":
				quality = true
			}
		}
	}
	for _, f := range [...]string{inner, outer} {
		if field == "" {
			field = f
		}
	}
	if quality { // Meta's own sample comes under the wrong field
		field = "message_template_quality_update"
	}
	d.push("value", -1)
	known := d.content(field, content)
	d.pop()
	if !known {
		d.miss("field", "%q is not known", shown(field))
	}
}

// content reads a value by its field; false when the field is not known.
func (d *refDecoder) content(field string, v refValue) bool {
	switch field {
	case "messages", "user_preferences", "standby": // standby: receipts while Meta's own agent answers
		d.messaging(v)
	case "message_template_status_update", "message_template_quality_update",
		"template_category_update", "template_correct_category_detection":
		d.template(v)
	case "message_template_components_update":
		d.templateEdit(v)
	case "phone_number_quality_update":
		d.number(v)
	case "phone_number_name_update":
		d.numberName(v)
	case "security":
		d.security(v)
	case "account_update":
		d.accountUpdate(v)
	case "account_review_update":
		d.review(v)
	case "account_alerts":
		d.alert(v)
	case "business_capability_update":
		d.capability(v)
	case "smb_message_echoes", "message_echoes": // what people of the business write by hand
		d.echoes(v)
	case "history", "smb_app_state_sync": // of other apps of the business
		d.post.Unused++
	default:
		return false
	}
	return true
}

// miss counts one part that stays in the raw body only, and keeps where and
// what the first one is.
func (d *refDecoder) miss(key, format string, args ...any) {
	d.post.NotUnderstood++
	if d.post.Problem != "" {
		return
	}
	var b strings.Builder
	for _, s := range append(d.path, step{key, -1}) {
		if s.key == "" {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('.')
		}
		b.WriteString(s.key)
		if s.index >= 0 {
			b.WriteString("[" + strconv.Itoa(s.index) + "]")
		}
	}
	if b.Len() > 0 {
		b.WriteString(": ")
	}
	fmt.Fprintf(&b, format, args...)
	d.post.Problem = b.String()
}

// shown makes foreign text fit for Problem.
func shown(s string) string {
	if len(s) > maxShown {
		s = strings.ToValidUTF8(s[:maxShown], "") + "…"
	}
	return wa.Clean(s)
}

func (d *refDecoder) push(key string, index int) { d.path = append(d.path, step{key, index}) }
func (d *refDecoder) pop()                       { d.path = d.path[:len(d.path)-1] }

// list hands each object of a list to one. What is no object is counted.
func (d *refDecoder) list(key string, v refValue, one func(refValue)) {
	if v.kind() != '[' {
		d.miss(key, "is %s, not a list", v.what())
		return
	}
	for i, v := range v.elements() {
		d.push(key, i)
		if v.kind() == '{' {
			one(v)
		} else {
			d.miss("", "is %s, not an object", v.what())
		}
		d.pop()
	}
}

// object hands each member of an object to one.
func (d *refDecoder) object(key string, v refValue, one func(key []byte, v refValue)) {
	if v.kind() != '{' {
		d.miss(key, "is %s, not an object", v.what())
		return
	}
	d.push(key, -1)
	for key, v := range v.members() {
		one(key, v)
	}
	d.pop()
}

// text reads an optional text; "" when it is none, which is counted.
func (d *refDecoder) text(key string, v refValue) string {
	s, ok := v.text()
	if !ok {
		d.miss(key, "is %s, not text", v.what())
	}
	return s
}

// id reads an optional identifier, which may come as a whole number.
func (d *refDecoder) id(key string, v refValue) string {
	if _, ok := v.whole(); ok && v.kind() != '"' {
		return string(v)
	}
	s := d.text(key, v)
	if len(s) > maxID {
		d.miss(key, "is longer than %d bytes", maxID)
		return ""
	}
	return s
}

// instant reads an optional moment; 0 when it is none, which is counted.
func (d *refDecoder) instant(key string, v refValue) wa.Instant {
	at, ok := v.instant()
	if !ok {
		d.miss(key, "%s is no moment", shown(string(v[:min(len(v), maxShown)])))
	}
	return at
}

// messageID checks the one key that a status or message cannot do without.
func (d *refDecoder) messageID(v refValue) (string, bool) {
	if v == nil {
		d.miss("id", "is missing")
		return "", false
	}
	s, ok := v.text()
	switch {
	case !ok:
		d.miss("id", "is %s, not text", v.what())
	case s == "":
		d.miss("id", "is empty")
		ok = false
	case len(s) > maxID:
		d.miss("id", "is longer than %d bytes", maxID)
		ok = false
	}
	return s, ok
}
