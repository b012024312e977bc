package webhook

import "tickwatch/wa"

// accountUpdate reads account_update. Of its blocks those that keep an account
// from sending have a place of their own; the rest are facts, as they came.
func (d *decoder) accountUpdate(v value) {
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
			d.list(key, v, func(v value) {
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

func (d *decoder) restriction(v value) (r wa.Restriction) {
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
func facts(all []wa.Fact, key string, v value, depth int) []wa.Fact {
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
			text = v.digits()
		}
		if len(all) < maxFacts && len(text) <= maxID {
			all = append(all, wa.Fact{Key: key, Value: text})
		}
	}
	return all
}

// review reads account_review_update.
func (d *decoder) review(v value) {
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
func (d *decoder) alert(v value) {
	u := wa.AccountAlert{AccountID: d.account, At: d.at}
	take := func(key []byte, v value) {
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
func (d *decoder) capability(v value) {
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
