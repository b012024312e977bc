package webhook

import "tickwatch/wa"

// echoes reads what people of the business wrote to customers by hand.
func (d *decoder) echoes(v value) {
	d.sender = wa.Sender{AccountID: d.account}
	d.contacts.clear()
	var lists []value
	for key, v := range v.members() {
		switch string(key) {
		case "metadata":
			d.object("metadata", v, d.metadata)
		case "contacts":
			d.list("contacts", v, d.contact)
		case "message_echoes":
			lists = append(lists, v)
		}
	}
	before := len(d.post.Echoes) + d.post.NotUnderstood
	for _, v := range lists {
		d.list("message_echoes", v, d.echo)
	}
	if len(d.post.Echoes)+d.post.NotUnderstood == before {
		d.post.Unused++
	}
}

func (d *decoder) echo(v value) {
	e := wa.Echo{Sender: d.sender}
	var id value
	for key, v := range v.members() {
		switch key := string(key); key {
		case "id":
			id = v
		case "to":
			e.Phone = d.id(key, v)
		case "to_user_id":
			e.BSUID = d.id(key, v)
		case "timestamp":
			e.At = d.instant(key, v)
		case "type":
			e.Type = d.text(key, v)
		}
	}
	var ok bool
	if e.MessageID, ok = d.messageID(id); !ok {
		return
	}
	e.Person, _ = d.contacts.complete(e.Person)
	d.post.Echoes = append(d.post.Echoes, e)
}
