package webhook

import (
	"cmp"

	"tickwatch/wa"
)

// template reads news of a template: message_template_status_update,
// message_template_quality_update, template_category_update and
// template_correct_category_detection, which have the template's names in common.
func (d *decoder) template(v value) {
	u := wa.TemplateUpdate{AccountID: d.account, At: d.at}
	var id value
	var now, changed string // the category, by its two names
	if !d.rejection.missing() {
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
			d.object(key, v, func(key []byte, v value) {
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
func (d *decoder) rejected(u *wa.TemplateUpdate, v value) {
	d.fill("rejection_info", v, field{"reason", &u.Rejection}, field{"recommendation", &u.Recommendation})
}

// templateID checks the one key that news of a template cannot do without.
func (d *decoder) templateID(v value) (id int64, ok bool) {
	if !v.missing() {
		id, ok = v.whole()
	}
	if !ok || id <= 0 {
		d.miss("message_template_id", "is missing or no number")
		return 0, false
	}
	return id, true
}

// templateEdit reads message_template_components_update.
func (d *decoder) templateEdit(v value) {
	u := wa.TemplateEdit{AccountID: d.account, At: d.at}
	var id value
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
			d.list(key, v, func(v value) { u.Buttons = append(u.Buttons, d.templateButton(v)) })
		}
	}
	var ok bool
	if u.ID, ok = d.templateID(id); ok {
		d.post.Edits = append(d.post.Edits, u)
	}
}

func (d *decoder) templateButton(v value) (b wa.TemplateButton) {
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
