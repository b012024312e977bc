package webhook_test

import (
	"cmp"
	"math"
	"slices"

	"tickwatch/wa"
)

// messaging reads the value of the fields messages, standby and
// user_preferences. Its lists wait until metadata and contacts are read, which may come behind them.
func (d *refDecoder) messaging(v refValue) {
	d.sender = wa.Sender{AccountID: d.account}
	d.contacts.clear()
	var statuses, inbound, preferences, actions, errors []refValue
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
		d.post.Statuses = slices.Grow(d.post.Statuses, len(v)/leanStatus)
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

func (d *refDecoder) metadata(key []byte, v refValue) {
	switch string(key) {
	case "phone_number_id":
		d.sender.NumberID = d.id("phone_number_id", v)
	case "display_phone_number":
		d.sender.Display = d.id("display_phone_number", v)
	}
}

// contact keeps who a person is beside the messages that name them.
func (d *refDecoder) contact(v refValue) {
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
			d.object("profile", v, func(key []byte, v refValue) {
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
func (d *refDecoder) status(v refValue) {
	u := wa.StatusUpdate{Sender: d.sender}
	var id, status refValue
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
	if string(status) == deleted {
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

func (d *refDecoder) step(v refValue) (wa.Status, bool) {
	if v == nil {
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

func (d *refDecoder) pricing(v refValue) (p wa.Pricing) {
	d.object("pricing", v, func(key []byte, v refValue) {
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
func (d *refDecoder) firstError(v refValue) (first wa.Fault) {
	found := false
	d.list("errors", v, func(v refValue) {
		if !found {
			first, found = d.readError(v), true
		}
	})
	return first
}

// readError reads one error as webhooks carry it; titles are going away, and
// older errors have their details outside of error_data.
func (d *refDecoder) readError(v refValue) wa.Fault {
	f := wa.Fault{Sender: d.sender}
	var message string
	for key, v := range v.members() {
		switch string(key) {
		case "code":
			n, ok := v.whole()
			if !ok || n < math.MinInt32 || n > math.MaxInt32 {
				d.miss("code", "%s is no error code", shown(string(v[:min(len(v), maxShown)])))
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
			d.object("error_data", v, func(key []byte, v refValue) {
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
func (d *refDecoder) fault(v refValue) {
	f := d.readError(v)
	if f.Code == 0 && f.Title == "" && f.Details == "" {
		d.miss("", "has neither code nor title")
		return
	}
	d.post.Faults = append(d.post.Faults, f)
}

// contact is one element of contacts[].
type contact struct {
	wa.Person
	name string
}

// contacts are those of one value. Looking a person up does not slow down with
// their number.
type contacts struct {
	all  []contact
	byID map[string]int // phone or BSUID to the index in all; made when there are many
}

func (c *contacts) clear() { c.all, c.byID = c.all[:0], nil }

func (c *contacts) add(one contact) {
	c.all = append(c.all, one)
	c.byID = nil
}

// complete adds to a person what the contacts know of them, and gives the
// name that they use. Nobody is completed from a contact that only might be theirs.
func (c *contacts) complete(p wa.Person) (wa.Person, string) {
	i, ok := c.find(p)
	if !ok {
		return p, ""
	}
	of := c.all[i]
	if differ(p.Phone, of.Phone) || differ(p.BSUID, of.BSUID) {
		return p, of.name // a number that changed hands, or the like: the message's own word counts
	}
	p.Phone = cmp.Or(p.Phone, of.Phone)
	p.BSUID = cmp.Or(p.BSUID, of.BSUID)
	p.ParentBSUID = cmp.Or(p.ParentBSUID, of.ParentBSUID)
	return p, of.name
}

func differ(a, b string) bool { return a != "" && b != "" && a != b }

// find prefers the BSUID: it is the person, the phone only where they are reached.
func (c *contacts) find(p wa.Person) (int, bool) {
	const few = 4
	if len(c.all) <= few {
		for _, id := range [...]string{p.BSUID, p.Phone} {
			for i := range c.all {
				if id != "" && (c.all[i].BSUID == id || c.all[i].Phone == id) {
					return i, true
				}
			}
		}
		return 0, false
	}
	if c.byID == nil {
		c.byID = make(map[string]int, 2*len(c.all))
		for i := len(c.all) - 1; i >= 0; i-- { // the first of several wins
			c.byID[c.all[i].Phone] = i
			c.byID[c.all[i].BSUID] = i
		}
	}
	for _, id := range [...]string{p.BSUID, p.Phone} {
		if i, ok := c.byID[id]; ok && id != "" {
			return i, true
		}
	}
	return 0, false
}
