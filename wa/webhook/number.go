package webhook

import (
	"cmp"
	"strconv"

	"tickwatch/wa"
)

// number reads phone_number_quality_update. Its newest limit key is the
// portfolio's; current_limit is the one that goes away.
func (d *decoder) number(v value) {
	u := wa.NumberUpdate{AccountID: d.account, At: d.at}
	var current wa.Limit
	for key, v := range v.members() {
		switch key := string(key); key {
		case "display_phone_number":
			u.Display = d.id(key, v)
		case "event":
			u.Event = d.text(key, v)
		case "old_limit":
			u.OldLimit = d.limit(key, v)
		case "current_limit":
			current = d.limit(key, v)
		case "max_daily_conversations_per_business":
			u.Limit = d.limit(key, v)
		}
	}
	u.Limit = cmp.Or(u.Limit, current)
	switch {
	case u.Display == "":
		d.miss("display_phone_number", "is missing")
		return
	case u.Event == "" && u.Limit == "":
		d.miss("", "has neither event nor limit")
		return
	}
	d.post.Numbers = append(d.post.Numbers, u)
}

// limit reads an optional messaging limit, which comes as text or as a number.
func (d *decoder) limit(key string, v value) wa.Limit {
	if n, ok := v.whole(); ok {
		return wa.ParseLimit(strconv.FormatInt(n, 10))
	}
	return wa.ParseLimit(d.id(key, v))
}

// numberName reads phone_number_name_update.
func (d *decoder) numberName(v value) {
	u := wa.NameUpdate{AccountID: d.account, At: d.at}
	for key, v := range v.members() {
		switch key := string(key); key {
		case "display_phone_number":
			u.Display = d.id(key, v)
		case "decision":
			u.Decision = d.text(key, v)
		case "requested_verified_name":
			u.Name = d.text(key, v)
		case "rejection_reason":
			u.Reason = d.text(key, v)
		}
	}
	if u.Decision == "" {
		d.miss("decision", "is missing")
		return
	}
	d.post.Names = append(d.post.Names, u)
}

// security reads the field of that name.
func (d *decoder) security(v value) {
	u := wa.SecurityUpdate{AccountID: d.account, At: d.at}
	for key, v := range v.members() {
		switch key := string(key); key {
		case "display_phone_number":
			u.Display = d.id(key, v)
		case "event":
			u.Event = d.text(key, v)
		case "requester":
			u.Requester = d.id(key, v)
		}
	}
	if u.Event == "" {
		d.miss("event", "is missing")
		return
	}
	d.post.Security = append(d.post.Security, u)
}
