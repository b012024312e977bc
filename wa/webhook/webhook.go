// Package webhook receives what Meta reports: it checks signatures, decodes
// bodies and answers over HTTP.
//
// Nothing that was signed is lost. A body is answered 200 only after the Sink
// has made it durable, whether it was understood or not; everything else than
// 200 makes Meta send it again, for days. Deliveries come concurrently, in any
// order and more than once; this package neither orders nor deduplicates them,
// the store does.
//
// What is not understood costs nothing but itself: each element of each list is
// judged alone, and so is each key of an element. What could not be taken over
// is counted in the Post and stays readable in its Body.
package webhook

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"sync"

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

	// maxDecoded bounds a body in bytes, far above what Meta sends; places in it
	// are counted in 32 bits.
	maxDecoded = 1 << 30
)

// Decode turns a body of Meta's webhooks into the news it holds. It never
// fails: NotUnderstood counts the parts that were left to the raw body, and
// Problem names the first of them. Identifiers and texts are given as they
// came, unclean; Post.Body is the body itself, not a copy, and nothing else of
// the Post refers to it. Decode may run concurrently with itself.
//
// Keys are taken to the letter: unlike encoding/json, which would let "ID" pass
// for "id", since two keys of one object that differ in case may both be Meta's.
// Of a key that is repeated the last value counts, and of a list all of them.
func Decode(source string, body []byte, received wa.Instant) *wa.Post {
	post := &wa.Post{}
	decode(post, source, body, received)
	return post
}

// decode fills an empty Post, whose lists may lend it their room.
func decode(post *wa.Post, source string, body []byte, received wa.Instant) {
	post.Source, post.ReceivedAt, post.Body = source, received, body
	if wa.Beside(source) { // its provider's client reads it; of Meta's messages it says nothing
		return
	}
	d := decoders.Get().(*decoder)
	d.post = post
	if v, ok := d.document(body); ok {
		d.envelope(v)
	}
	d.release()
}

var decoders = sync.Pool{New: func() any { return new(decoder) }}

// keptTokens bounds what a decoder keeps for the next body: 1 MiB, which
// suffices for a body of 2,000 statuses.
const keptTokens = 1 << 16

// decoder fills one Post. What it needed room for it keeps for the next.
type decoder struct {
	post *wa.Post
	json document
	path []step // where the reading is

	// What the enclosing entry and value say of everything within.
	account   string
	at        wa.Instant // entry.time
	sender    wa.Sender
	contacts  contacts
	rejection value // rejection_info beside value
}

// release gives the decoder back, without what was the Post's or its body's.
func (d *decoder) release() {
	d.post, d.json.body, d.rejection = nil, nil, value{}
	d.account, d.sender = "", wa.Sender{}
	if cap(d.json.tokens) > keptTokens {
		d.json.tokens = nil
	}
	d.contacts.release()
	decoders.Put(d)
}

// step is one key on the way to a value, with the index if it holds a list.
type step struct {
	key   string
	index int // -1 = no list
}

// document finds the body's JSON. What comes behind it is counted and left.
func (d *decoder) document(body []byte) (value, bool) {
	if len(body) > maxDecoded {
		d.miss("", "the body is longer than %d bytes", maxDecoded)
		return value{}, false
	}
	end := d.json.scan(body)
	if end < 0 {
		d.miss("", "the body is no JSON: %s", shown(whyNoJSON(body)))
		return value{}, false
	}
	if skipSpace(body, end) < len(body) {
		d.miss("", "more follows behind the JSON")
	}
	return value{&d.json, 0}, true
}

// whyNoJSON has encoding/json say what is wrong with a body, and where.
func whyNoJSON(body []byte) string {
	var v json.RawMessage
	return fmt.Sprint(json.NewDecoder(bytes.NewReader(body)).Decode(&v))
}

func (d *decoder) envelope(v value) {
	if v.kind() != '{' {
		d.miss("", "the body is %s, not an object", v.what())
		return
	}
	object := ""
	var entries []value // more than one only where the key is repeated
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

func (d *decoder) entry(v value) {
	d.account, d.at = "", 0
	field := ""
	var changes []value
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
		d.list("changes", v, func(v value) { d.change(v, field) })
	}
}

// change reads one element of changes[]. Some of Meta's samples have the field's
// name beside changes or within value, so it is looked for there as well.
func (d *decoder) change(v value, outer string) {
	var field, inner string
	var content value
	d.rejection = value{}
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
	if content.missing() || content.kind() != '{' {
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
func (d *decoder) content(field string, v value) bool {
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
func (d *decoder) miss(key, format string, args ...any) {
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

func (d *decoder) push(key string, index int) { d.path = append(d.path, step{key, index}) }
func (d *decoder) pop()                       { d.path = d.path[:len(d.path)-1] }

// list hands each object of a list to one. What is no object is counted.
func (d *decoder) list(key string, v value, one func(value)) {
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
func (d *decoder) object(key string, v value, one func(key []byte, v value)) {
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
func (d *decoder) text(key string, v value) string {
	s, ok := v.text()
	if !ok {
		d.miss(key, "is %s, not text", v.what())
	}
	return s
}

// id reads an optional identifier, which may come as a whole number.
func (d *decoder) id(key string, v value) string {
	if v.kind() != '"' {
		if _, ok := v.whole(); ok {
			return v.digits()
		}
	}
	s := d.text(key, v)
	if len(s) > maxID {
		d.miss(key, "is longer than %d bytes", maxID)
		return ""
	}
	return s
}

// instant reads an optional moment; 0 when it is none, which is counted.
func (d *decoder) instant(key string, v value) wa.Instant {
	at, ok := v.instant()
	if !ok {
		d.miss(key, "%s is no moment", v.shown())
	}
	return at
}

// messageID checks the one key that a status or message cannot do without.
func (d *decoder) messageID(v value) (string, bool) {
	if v.missing() {
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
