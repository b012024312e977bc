package webhook_test

import (
	"cmp"
	"strconv"

	"tickwatch/wa"
)

// template reads news of a template: message_template_status_update,
// message_template_quality_update, template_category_update and
// template_correct_category_detection, which have the template's names in common.
func (d *refDecoder) template(v refValue) {
	u := wa.TemplateUpdate{AccountID: d.account, At: d.at}
	var id refValue
	var now, changed string // the category, by its two names
	if d.rejection != nil {
		d.rejected(&u, d.rejection)
	}
	for key, v := range v.members() {
		switch key := string(key); key {
		case "message_template_id":
			id = v
		case "event":
			u.Event = d.text(key, v)
		case "new_quality_score":
			u.Quality = wa.Quality(d.text(key, v))
		case "previous_quality_score":
			u.PreviousQuality = wa.Quality(d.text(key, v))
		case "message_template_name":
			u.Name = d.text(key, v)
		case "message_template_language":
			u.Language = d.text(key, v)
		case "message_template_category", "category", "current_category":
			now = d.text(key, v)
		case "new_category":
			changed = d.text(key, v)
		case "previous_category":
			u.PreviousCategory = d.text(key, v)
		case "correct_category", "suggested_category":
			u.NextCategory = d.text(key, v)
		case "category_update_timestamp":
			u.NextCategoryAt = d.instant(key, v)
		case "reason":
			u.Reason = d.text(key, v)
		case "rejection_info":
			d.rejected(&u, v)
		case "other_info":
			d.fill(key, v, field{"title", &u.InfoTitle}, field{"description", &u.InfoDescription})
		case "disable_info":
			d.object(key, v, func(key []byte, v refValue) {
				if string(key) == "disable_date" {
					u.DisableAt = d.instant("disable_date", v)
				}
			})
		}
	}
	u.Category = cmp.Or(changed, now)
	var ok bool
	if u.ID, ok = d.templateID(id); !ok {
		return
	}
	if u.Event == "" && u.Quality == "" && changed == "" && u.NextCategory == "" {
		d.miss("", "has neither event nor quality nor category")
		return
	}
	d.post.Templates = append(d.post.Templates, u)
}

// rejected reads rejection_info, which Meta writes within value or beside it.
func (d *refDecoder) rejected(u *wa.TemplateUpdate, v refValue) {
	d.fill("rejection_info", v, field{"reason", &u.Rejection}, field{"recommendation", &u.Recommendation})
}

// templateID checks the one key that news of a template cannot do without.
func (d *refDecoder) templateID(v refValue) (id int64, ok bool) {
	if v != nil {
		id, ok = v.whole()
	}
	if !ok || id <= 0 {
		d.miss("message_template_id", "is missing or no number")
		return 0, false
	}
	return id, true
}

// templateEdit reads message_template_components_update.
func (d *refDecoder) templateEdit(v refValue) {
	u := wa.TemplateEdit{AccountID: d.account, At: d.at}
	var id refValue
	for key, v := range v.members() {
		switch key := string(key); key {
		case "message_template_id":
			id = v
		case "message_template_name":
			u.Name = d.text(key, v)
		case "message_template_language":
			u.Language = d.text(key, v)
		case "message_template_title":
			u.Title = d.text(key, v)
		case "message_template_element":
			u.Body = d.text(key, v)
		case "message_template_footer":
			u.Footer = d.text(key, v)
		case "message_template_buttons":
			d.list(key, v, func(v refValue) { u.Buttons = append(u.Buttons, d.templateButton(v)) })
		}
	}
	var ok bool
	if u.ID, ok = d.templateID(id); ok {
		d.post.Edits = append(d.post.Edits, u)
	}
}

func (d *refDecoder) templateButton(v refValue) (b wa.TemplateButton) {
	for key, v := range v.members() {
		switch key := string(key); key {
		case "message_template_button_type":
			b.Type = d.text(key, v)
		case "message_template_button_text":
			b.Text = d.text(key, v)
		case "message_template_button_url":
			b.URL = d.text(key, v)
		case "message_template_button_phone_number":
			b.Phone = d.id(key, v)
		}
	}
	return b
}

// number reads phone_number_quality_update. Its newest limit key is the
// portfolio's; current_limit is the one that goes away.
func (d *refDecoder) number(v refValue) {
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
func (d *refDecoder) limit(key string, v refValue) wa.Limit {
	if n, ok := v.whole(); ok {
		return wa.ParseLimit(strconv.FormatInt(n, 10))
	}
	return wa.ParseLimit(d.id(key, v))
}

// numberName reads phone_number_name_update.
func (d *refDecoder) numberName(v refValue) {
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
func (d *refDecoder) security(v refValue) {
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

// accountUpdate reads account_update. Of its blocks those that keep an account
// from sending have a place of their own; the rest are facts, as they came.
func (d *refDecoder) accountUpdate(v refValue) {
	u := wa.AccountUpdate{AccountID: d.account, At: d.at}
	for key, v := range v.members() {
		switch key := string(key); key {
		case "event":
			u.Event = d.text(key, v)
		case "violation_info":
			d.fill(key, v, field{"violation_type", &u.Violation})
		case "ban_info":
			d.fill(key, v, field{"waba_ban_state", &u.BanState}, field{"waba_ban_date", &u.BanDate})
		case "restriction_info":
			d.list(key, v, func(v refValue) {
				u.Restrictions = append(u.Restrictions, d.restriction(v))
			})
		case "field": // Meta's samples have it here
		default:
			u.Facts = facts(u.Facts, key, v, 0)
		}
	}
	if u.Event == "" {
		d.miss("event", "is missing")
		return
	}
	d.post.Accounts = append(d.post.Accounts, u)
}

func (d *refDecoder) restriction(v refValue) (r wa.Restriction) {
	for key, v := range v.members() {
		switch key := string(key); key {
		case "restriction_type":
			r.Type = d.text(key, v)
		case "expiration":
			r.Expires = d.instant(key, v)
		case "remediation":
			r.Remedy = d.text(key, v)
		case "phone_number":
			r.NumberHint = d.id(key, v)
		}
	}
	return r
}

// Bounds of the facts that are taken from one update.
const (
	maxFacts     = 64
	maxFactDepth = 4
)

// facts adds what a value says: itself, or what it holds.
func facts(all []wa.Fact, key string, v refValue, depth int) []wa.Fact {
	if depth > maxFactDepth || len(key) > maxID {
		return all
	}
	switch v.kind() {
	case '{':
		for inner, v := range v.members() {
			all = facts(all, key+"."+string(inner), v, depth+1)
		}
	case '[':
		for _, v := range v.elements() {
			all = facts(all, key, v, depth+1)
		}
	case 'n':
	default:
		text, ok := v.text()
		if !ok {
			text = string(v)
		}
		if len(all) < maxFacts && len(text) <= maxID {
			all = append(all, wa.Fact{Key: key, Value: text})
		}
	}
	return all
}

// review reads account_review_update.
func (d *refDecoder) review(v refValue) {
	u := wa.AccountUpdate{AccountID: d.account, At: d.at}
	for key, v := range v.members() {
		if string(key) == "decision" {
			u.Decision = d.text("decision", v)
		}
	}
	if u.Decision == "" {
		d.miss("decision", "is missing")
		return
	}
	d.post.Accounts = append(d.post.Accounts, u)
}

// alert reads account_alerts. Older samples have its info beside the entity.
func (d *refDecoder) alert(v refValue) {
	u := wa.AccountAlert{AccountID: d.account, At: d.at}
	take := func(key []byte, v refValue) {
		switch key := string(key); key {
		case "entity_type":
			u.EntityType = d.text(key, v)
		case "entity_id":
			u.EntityID = d.id(key, v)
		case "alert_severity":
			u.Severity = d.text(key, v)
		case "alert_status":
			u.Status = d.text(key, v)
		case "alert_type":
			u.Type = d.text(key, v)
		case "alert_description":
			u.Description = d.text(key, v)
		}
	}
	for key, v := range v.members() {
		if string(key) == "alert_info" {
			d.object("alert_info", v, take)
		} else {
			take(key, v)
		}
	}
	if u.Type == "" && u.Description == "" {
		d.miss("alert_info", "has neither type nor description")
		return
	}
	d.post.Alerts = append(d.post.Alerts, u)
}

// capability reads business_capability_update.
func (d *refDecoder) capability(v refValue) {
	u := wa.CapabilityUpdate{AccountID: d.account, At: d.at}
	for key, v := range v.members() {
		switch key := string(key); key {
		case "max_daily_conversations_per_business":
			u.Limit = d.limit(key, v)
		case "max_daily_conversation_per_phone":
			u.NumberLimit = d.limit(key, v)
		case "max_phone_numbers_per_business", "max_phone_numbers_per_waba":
			n, ok := v.whole()
			if !ok {
				d.miss(key, "is no whole number")
				continue
			}
			u.MaxNumbers = n
		}
	}
	if u.Limit == "" && u.NumberLimit == "" && u.MaxNumbers == 0 {
		d.miss("", "has no limit")
		return
	}
	d.post.Capabilities = append(d.post.Capabilities, u)
}
