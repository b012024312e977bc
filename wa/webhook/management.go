package webhook

import "tickwatch/wa"

// template reads message_template_status_update and
// message_template_quality_update, which have the template's names in common.
func (d *decoder) template(v value) {
	u := wa.TemplateUpdate{AccountID: d.account, At: d.at}
	var id value
	var event, quality, previous string
	for key, v := range v.members() {
		switch string(key) {
		case "message_template_id":
			id = v
		case "event":
			event = d.text("event", v)
		case "new_quality_score":
			quality = d.text("new_quality_score", v)
		case "previous_quality_score":
			previous = d.text("previous_quality_score", v)
		case "message_template_name":
			u.Name = d.text("message_template_name", v)
		case "message_template_language":
			u.Language = d.text("message_template_language", v)
		case "message_template_category":
			u.Category = d.text("message_template_category", v)
		case "reason":
			u.Reason = d.text("reason", v)
		case "other_info":
			d.fill("other_info", v, field{"title", &u.InfoTitle}, field{"description", &u.InfoDescription})
		case "disable_info":
			d.object("disable_info", v, func(key []byte, v value) {
				if string(key) == "disable_date" {
					u.DisableAt = d.instant("disable_date", v)
				}
			})
		}
	}
	u.Event, u.Quality, u.PreviousQuality = event, wa.Quality(quality), wa.Quality(previous)
	var ok bool
	if id != nil {
		u.ID, ok = id.whole()
	}
	switch {
	case !ok || u.ID <= 0:
		d.miss("message_template_id", "is missing or no number")
		return
	case event == "" && quality == "":
		d.miss("", "has neither event nor new_quality_score")
		return
	}
	d.post.Templates = append(d.post.Templates, u)
}

// number reads phone_number_quality_update. Its newest limit key is the
// portfolio's; current_limit is the one that goes away.
func (d *decoder) number(v value) {
	u := wa.NumberUpdate{AccountID: d.account, At: d.at}
	var current wa.Limit
	for key, v := range v.members() {
		switch string(key) {
		case "display_phone_number":
			u.Display = d.id("display_phone_number", v)
		case "event":
			u.Event = d.text("event", v)
		case "old_limit":
			u.OldLimit = wa.ParseLimit(d.id("old_limit", v))
		case "current_limit":
			current = wa.ParseLimit(d.id("current_limit", v))
		case "max_daily_conversations_per_business":
			u.Limit = wa.ParseLimit(d.id("max_daily_conversations_per_business", v))
		}
	}
	if u.Limit == "" {
		u.Limit = current
	}
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

func (d *decoder) accountUpdate(v value) {
	u := wa.AccountUpdate{AccountID: d.account, At: d.at}
	for key, v := range v.members() {
		switch string(key) {
		case "event":
			u.Event = d.text("event", v)
		case "violation_info":
			d.fill("violation_info", v, field{"violation_type", &u.Violation})
		case "ban_info":
			d.fill("ban_info", v, field{"waba_ban_state", &u.BanState}, field{"waba_ban_date", &u.BanDate})
		case "restriction_info":
			d.list("restriction_info", v, func(v value) {
				u.Restrictions = append(u.Restrictions, d.restriction(v))
			})
		}
	}
	if u.Event == "" {
		d.miss("event", "is missing")
		return
	}
	d.post.Accounts = append(d.post.Accounts, u)
}

func (d *decoder) restriction(v value) (r wa.Restriction) {
	for key, v := range v.members() {
		switch string(key) {
		case "restriction_type":
			r.Type = d.text("restriction_type", v)
		case "expiration":
			r.Expires = d.instant("expiration", v)
		case "remediation":
			r.Remedy = d.text("remediation", v)
		case "phone_number":
			r.NumberHint = d.id("phone_number", v)
		}
	}
	return r
}
