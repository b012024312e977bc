package webhook

import "tickwatch/wa"

// preference reads one element of user_preferences[].
func (d *decoder) preference(v value) {
	p := wa.Preference{Sender: d.sender}
	for key, v := range v.members() {
		switch string(key) {
		case "wa_id":
			p.Phone = d.id("wa_id", v)
		case "user_id":
			p.BSUID = d.id("user_id", v)
		case "parent_user_id":
			p.ParentBSUID = d.id("parent_user_id", v)
		case "category":
			p.Category = d.text("category", v)
		case "value":
			p.Value = d.text("value", v)
		case "timestamp":
			p.At = d.instant("timestamp", v)
		}
	}
	switch {
	case p.Value == "":
		d.miss("value", "is missing")
		return
	case p.Phone == "" && p.BSUID == "":
		d.miss("", "names nobody")
		return
	}
	p.Person, _ = d.contacts.complete(p.Person)
	d.post.Preferences = append(d.post.Preferences, p)
}

// action reads one element of user_actions[].
func (d *decoder) action(v value) {
	a := wa.UserAction{Sender: d.sender}
	for key, v := range v.members() {
		switch key := string(key); key {
		case "action_type":
			a.Type = d.text(key, v)
		case "timestamp":
			a.At = d.instant(key, v)
		case "marketing_messages_link_click_data": // for a page seen too
			d.fill(key, v, field{"click_component", &a.Component}, field{"click_id", &a.ClickID},
				field{"tracking_token", &a.Token}, field{"product_id", &a.Product})
		}
	}
	if a.Type == "" {
		d.miss("action_type", "is missing")
		return
	}
	d.post.Actions = append(d.post.Actions, a)
}
