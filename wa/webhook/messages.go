package webhook

import (
	"cmp"
	"math"
	"slices"

	"tickwatch/wa"
)

// messaging reads the value of the fields messages, standby and
// user_preferences. Its lists wait until metadata and contacts are read, which may come behind them.
func (d *decoder) messaging(v value) {
	d.sender = wa.Sender{AccountID: d.account}
	d.contacts.clear()
	var statuses, inbound, preferences, actions, errors []value
	quality := false
	for key, v := range v.members() {
		switch string(key) {
		case "metadata":
			d.object("metadata", v, d.metadata)
		case "contacts":
			d.list("contacts", v, d.contact)
		case "statuses":
			statuses = append(statuses, v)
		case "messages":
			inbound = append(inbound, v)
		case "user_preferences":
			preferences = append(preferences, v)
		case "user_actions":
			actions = append(actions, v)
		case "errors":
			errors = append(errors, v)
		case "new_quality_score":
			quality = true
		}
	}
	if statuses == nil && inbound == nil && preferences == nil && actions == nil && errors == nil {
		if quality {
			d.template(v)
		} else {
			d.miss("", "holds nothing that is known")
		}
		return
	}
	const leanStatus = 300 // bytes of JSON, so that the room made is seldom too large
	for _, v := range statuses {
		d.post.Statuses = slices.Grow(d.post.Statuses, len(v.raw())/leanStatus)
		d.list("statuses", v, d.status)
	}
	for _, v := range inbound {
		d.list("messages", v, d.inbound)
	}
	for _, v := range preferences {
		d.list("user_preferences", v, d.preference)
	}
	for _, v := range actions {
		d.list("user_actions", v, d.action)
	}
	for _, v := range errors {
		d.list("errors", v, d.fault)
	}
}

func (d *decoder) metadata(key []byte, v value) {
	switch string(key) {
	case "phone_number_id":
		d.sender.NumberID = d.id("phone_number_id", v)
	case "display_phone_number":
		d.sender.Display = d.id("display_phone_number", v)
	}
}

// contact keeps who a person is beside the messages that name them.
func (d *decoder) contact(v value) {
	var c contact
	for key, v := range v.members() {
		switch string(key) {
		case "wa_id":
			c.Phone = d.id("wa_id", v)
		case "user_id":
			c.BSUID = d.id("user_id", v)
		case "parent_user_id":
			c.ParentBSUID = d.id("parent_user_id", v)
		case "profile":
			d.object("profile", v, func(key []byte, v value) {
				if string(key) == "name" {
					c.name = d.text("name", v)
				}
			})
		}
	}
	d.contacts.add(c)
}

// status reads one element of statuses[]. Its id and status must be good; any
// other key that is not is counted and left empty.
func (d *decoder) status(v value) {
	u := wa.StatusUpdate{Sender: d.sender}
	var id, status value
	var recipient string
	var member wa.Person // of a group
	group := false
	for key, v := range v.members() {
		switch string(key) {
		case "id":
			id = v
		case "status":
			status = v
		case "timestamp":
			u.At = d.instant("timestamp", v)
		case "recipient_id":
			recipient = d.id("recipient_id", v)
		case "recipient_user_id":
			u.BSUID = d.id("recipient_user_id", v)
		case "parent_recipient_user_id", "parent_user_id", "recipient_parent_user_id": // Meta writes all three
			u.ParentBSUID = d.id("parent_recipient_user_id", v)
		case "recipient_type":
			group = d.text("recipient_type", v) == "group"
		case "recipient_participant_id":
			member.Phone = d.id("recipient_participant_id", v)
		case "recipient_participant_user_id":
			member.BSUID = d.id("recipient_participant_user_id", v)
		case "recipient_participant_parent_user_id":
			member.ParentBSUID = d.id("recipient_participant_parent_user_id", v)
		case "biz_opaque_callback_data":
			u.CallbackData = d.text("biz_opaque_callback_data", v)
		case "pricing":
			u.Pricing = d.pricing(v)
		case "errors":
			e := d.firstError(v)
			u.Code, u.Title, u.Details = e.Code, e.Title, e.Details
		}
	}
	var ok bool
	if u.MessageID, ok = d.messageID(id); !ok {
		return
	}
	if !status.missing() && string(status.raw()) == deleted {
		d.post.Deletions = append(d.post.Deletions, wa.Deletion{Sender: u.Sender, MessageID: u.MessageID, At: u.At})
		return
	}
	if u.Status, ok = d.step(status); !ok {
		return
	}
	if u.Phone = recipient; group || member != (wa.Person{}) {
		u.GroupID, u.Participant, u.Person = recipient, cmp.Or(member.Phone, member.BSUID), member
	}
	u.Person, _ = d.contacts.complete(u.Person)
	d.post.Statuses = append(d.post.Statuses, u)
}

// deleted is the one status of a message that we did not send: its sender took
// it back. On-Premises only (whatsapp.md §2.4).
const deleted = `"deleted"`

func (d *decoder) step(v value) (wa.Status, bool) {
	if v.missing() {
		d.miss("", "status is missing")
		return 0, false
	}
	s, ok := v.text()
	if !ok {
		d.miss("", "status is %s, not text", v.what())
		return 0, false
	}
	status, ok := wa.ParseStatus(s)
	if !ok {
		d.miss("", `status "%s" is not known`, shown(s))
	}
	return status, ok
}

func (d *decoder) pricing(v value) (p wa.Pricing) {
	d.object("pricing", v, func(key []byte, v value) {
		switch string(key) {
		case "pricing_model":
			p.Model = d.text("pricing_model", v)
		case "type":
			p.Type = d.text("type", v)
		case "category":
			p.Category = d.text("category", v)
		}
	})
	return p
}

// firstError is the first readable element of an errors list.
func (d *decoder) firstError(v value) (first wa.Fault) {
	found := false
	d.list("errors", v, func(v value) {
		if !found {
			first, found = d.readError(v), true
		}
	})
	return first
}

// readError reads one error as webhooks carry it; titles are going away, and
// older errors have their details outside of error_data.
func (d *decoder) readError(v value) wa.Fault {
	f := wa.Fault{Sender: d.sender}
	var message string
	for key, v := range v.members() {
		switch string(key) {
		case "code":
			n, ok := v.whole()
			if !ok || n < math.MinInt32 || n > math.MaxInt32 {
				d.miss("code", "%s is no error code", v.shown())
				continue
			}
			f.Code = int(n)
		case "title":
			f.Title = d.text("title", v)
		case "message":
			message = d.text("message", v)
		case "details":
			f.Details = d.text("details", v)
		case "error_data":
			d.object("error_data", v, func(key []byte, v value) {
				if string(key) == "details" {
					f.Details = d.text("details", v)
				}
			})
		}
	}
	f.Title = cmp.Or(f.Title, message)
	return f
}

// fault reads one element of value.errors[].
func (d *decoder) fault(v value) {
	f := d.readError(v)
	if f.Code == 0 && f.Title == "" && f.Details == "" {
		d.miss("", "has neither code nor title")
		return
	}
	d.post.Faults = append(d.post.Faults, f)
}
