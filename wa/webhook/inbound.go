package webhook

import (
	"cmp"

	"tickwatch/wa"
)

// inbound reads one element of messages[]. Any type is taken; of the types that
// can carry an answer or an opt-out, its text and payload too.
func (d *decoder) inbound(v value) {
	m := wa.InboundMessage{Sender: d.sender}
	var id value
	for key, v := range v.members() {
		switch string(key) {
		case "id":
			id = v
		case "from":
			m.Phone = d.id("from", v)
		case "from_user_id":
			m.BSUID = d.id("from_user_id", v)
		case "from_parent_user_id":
			m.ParentBSUID = d.id("from_parent_user_id", v)
		case "timestamp":
			m.At = d.instant("timestamp", v)
		case "type":
			m.Type = d.text("type", v)
		case "group_id":
			m.GroupID = d.id("group_id", v)
		case "context":
			d.object("context", v, func(key []byte, v value) {
				if string(key) == "id" {
					m.ReplyTo = d.id("id", v)
				}
			})
		case "errors":
			m.Code = d.firstError(v).Code
		}
	}
	var ok bool
	if m.MessageID, ok = d.messageID(id); !ok {
		return
	}
	if m.Type == "" {
		d.miss("type", "is missing")
	}
	for key, v := range v.members() { // the object that is named for the type
		if m.Type != "" && string(key) == m.Type {
			d.body(&m, m.Type, v)
		}
	}
	if m.Type != "system" { // which speaks of its person as they were
		m.Person, m.Name = d.contacts.complete(m.Person)
	}
	d.post.Inbound = append(d.post.Inbound, m)
}

// body reads what a message of one type holds.
func (d *decoder) body(m *wa.InboundMessage, kind string, v value) {
	switch kind {
	case "text":
		d.fill(kind, v, field{"body", &m.Text})
	case "system":
		d.system(m, v)
	case "unsupported":
		d.fill(kind, v, field{"type", &m.Subtype})
	case "revoke":
		gone := wa.Deletion{Sender: m.Sender, At: m.At}
		d.fill(kind, v, field{"original_message_id", &gone.MessageID})
		if gone.MessageID != "" && len(gone.MessageID) <= maxID {
			d.post.Deletions = append(d.post.Deletions, gone)
		}
	case "button":
		d.fill(kind, v, field{"text", &m.Text}, field{"payload", &m.Payload})
	case "interactive":
		d.object(kind, v, func(key []byte, v value) {
			switch key := string(key); key {
			case "button_reply", "list_reply":
				m.Subtype = key
				d.fill(key, v, field{"title", &m.Text}, field{"id", &m.Payload})
			case "nfm_reply":
				m.Subtype = key
				d.fill(key, v, field{"body", &m.Text})
			}
		})
	case "reaction":
		d.fill(kind, v, field{"emoji", &m.Text}, field{"message_id", &m.ReplyTo})
	case "image", "video", "document":
		d.fill(kind, v, field{"caption", &m.Text})
	}
}

// system reads a system message: a person has another number or BSUID from now
// on. Person is then how they were named before.
func (d *decoder) system(m *wa.InboundMessage, v value) {
	var was, is wa.Person
	d.object("system", v, func(key []byte, v value) {
		switch key := string(key); key {
		case "body":
			m.Text = d.text(key, v)
		case "type":
			m.Subtype = d.text(key, v)
		case "wa_id", "new_wa_id":
			is.Phone = d.id(key, v)
		case "user_id":
			is.BSUID = d.id(key, v)
		case "parent_user_id":
			is.ParentBSUID = d.id(key, v)
		case "customer":
			was.Phone = d.id(key, v)
		case "previous_user_id":
			was.BSUID = d.id(key, v)
		case "previous_parent_user_id":
			was.ParentBSUID = d.id(key, v)
		}
	})
	switch m.Subtype {
	case "user_changed_number", "customer_changed_number", "user_changed_user_id":
	default:
		return
	}
	if m.BSUID == is.BSUID { // from_user_id is the new one here
		m.BSUID, m.ParentBSUID = "", ""
	}
	m.Phone = cmp.Or(m.Phone, was.Phone)
	m.BSUID = cmp.Or(was.BSUID, m.BSUID)
	m.ParentBSUID = cmp.Or(was.ParentBSUID, m.ParentBSUID)
	m.Became = is
}

// field is the name of a text within an object and where it goes.
type field struct {
	key string
	to  *string
}

// fill reads texts out of an object.
func (d *decoder) fill(name string, v value, fields ...field) {
	d.object(name, v, func(key []byte, v value) {
		for _, f := range fields {
			if string(key) == f.key {
				*f.to = d.text(f.key, v)
			}
		}
	})
}
