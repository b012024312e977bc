package monitor

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"

	"tickwatch/monitor/alarm"
	"tickwatch/monitor/link"
	"tickwatch/wa"
)

// judgeTemplate raises what Meta says of a template: paused and disabled ones
// cannot be sent, and a falling quality comes before that.
func (m *Monitor) judgeTemplate(now wa.Instant, t wa.Template) {
	name := wa.Clean(t.Name + "/" + t.Language)
	subject := fmt.Sprint(t.ID)
	status := finding{kind: "template", subject: subject}
	level := alarm.OK
	p := m.templatePast(t.ID)
	if used, ok := templateStatuses[t.Status]; ok && (used.always || m.templateInUse(now, subject)) {
		level = used.level
		status.text, status.advice = fmt.Sprintf(used.text, name), used.advice
	}
	if t.Status == "PAUSED" {
		status.until = t.PausedUntil
		status.text += pauseWords(&t, p)
	}
	if t.Status == "REJECTED" && t.Reason != "" {
		status.text += bracketed(wa.Clean(t.Reason))
	}
	if (t.PausedUntil != 0 && now > t.PausedUntil) || now-t.Since > staleNews {
		level = alarm.OK // it unpauses itself; and what is old news alarms nobody
	}
	m.incidents.fact(now, level, status)

	quality := finding{kind: "quality", subject: subject, advice: yellowAdvice}
	level = alarm.OK
	switch t.Quality {
	case wa.QualityYellow:
		level = alarm.Watch
		quality.text = fmt.Sprintf("The quality of the template %s fell to YELLOW", name)
	case wa.QualityRed:
		level = alarm.Act
		quality.text, quality.advice = fmt.Sprintf("The quality of the template %s is RED", name), redAdvice
		if status.text == "" {
			quality.text += ": Meta pauses it next"
		}
	case wa.QualityGreen, wa.QualityUnknown:
	}
	if now-t.Since > staleNews {
		level = alarm.OK
	}
	m.incidents.fact(now, level, quality)
	m.judgeCategory(now, &t, p, name)
	m.judgeEdit(now, &t, p, name)
}

// Advice on a template's falling quality, before Meta pauses it.
const (
	yellowAdvice = "Slow down (-): people block or report this message. Look at the opt-outs (enter on Reports).\n" +
		"Do not start another campaign with this template.\n" +
		"Have another approved template ready (t). RED comes next, and then Meta pauses it."
	redAdvice = "Pause (p), or send the rest with another approved template (t): many people block or report this message.\n" +
		"Do not start another campaign with this template.\n" +
		"Look at the list's consent and at the text; resume (u) with a better one."
)

// judgeCategory raises that Meta changes a template's category, or has lately: a
// marketing message costs more, and counts for the limits of marketing.
func (m *Monitor) judgeCategory(now wa.Instant, t *wa.Template, p *templatePast, name string) {
	level, f := alarm.OK, finding{kind: "template", subject: fmt.Sprint(t.ID, " category")}
	switch {
	case p.next != "" && p.next != t.Category && now-p.toldAt < longestRestriction:
		level = alarm.Watch
		f.text = fmt.Sprintf("Meta will make the template %s a %s one", name, categoryWord(p.next))
		if p.nextAt != 0 {
			f.text += " on " + p.nextAt.Time().Format("2 January 2006")
		}
		f.advice = "From then on it is priced and limited as such. Whoever disagrees asks for a review in WhatsApp Manager."
	case p.categoryAt != 0 && now-p.categoryAt < staleNews:
		level = alarm.Watch
		f.text = fmt.Sprintf("Meta changed the category of the template %s: %s, was %s", name, categoryWord(p.category), categoryWord(p.categoryWas))
		f.advice = "It is priced and limited as such now, and marketing needs consent to it. Whoever disagrees asks for a review in WhatsApp Manager."
	}
	m.incidents.fact(now, level, f)
}

// judgeEdit raises that the text of a template was edited while a campaign sends it.
func (m *Monitor) judgeEdit(now wa.Instant, t *wa.Template, p *templatePast, name string) {
	level, f := alarm.OK, finding{kind: "template", subject: fmt.Sprint(t.ID, " edited")}
	if p.editedAt != 0 && now-p.editedAt < staleNews && m.templateInUse(now, fmt.Sprint(t.ID)) {
		level = alarm.Watch
		f.text = fmt.Sprintf("Somebody edited the text of the template %s while a campaign sends it", name)
		f.advice = "What goes out from now on may read otherwise: look at it in WhatsApp Manager, and pause if it is wrong."
	}
	m.incidents.fact(now, level, f)
}

// categoryWord is a category as people write it; another one as it came.
func categoryWord(category string) string {
	switch category {
	case wa.CategoryMarketing, wa.CategoryUtility, "AUTHENTICATION":
		return strings.ToLower(category)
	}
	return wa.Clean(category)
}

func (m *Monitor) templatePast(id int64) *templatePast {
	return cmp.Or(m.past.templates[id], &templatePast{})
}

// pauseWords say which pause it is: the first lasts three hours, the second six, and
// then Meta disables the template (whatsapp.md §4).
func pauseWords(t *wa.Template, p *templatePast) string {
	switch {
	case t.Reason == "RATE_LIMITING_PAUSE":
		return ". Meta held part of it back and people did not want it; it stays paused until somebody lifts it"
	case t.Reason == "FIRST_PAUSE":
		return ". It is the first pause, for 3 hours; the next one lasts 6"
	case t.Reason == "SECOND_PAUSE":
		return ". It is the second pause, for 6 hours; the next time Meta disables it"
	case p.pauses > 1:
		return fmt.Sprintf(". It is the pause number %d that is known of, and Meta has not told its end", p.pauses)
	}
	return ". Meta has not told until when: the first pause lasts 3 hours, the second 6"
}

// templateStatuses are the statuses that alarm: always, or only while a campaign uses
// the template.
var templateStatuses = map[string]struct {
	level        alarm.Level
	always       bool
	text, advice string
}{
	"PAUSED": {
		alarm.Act, true, "Meta paused the template %s: nothing goes out with it",
		"Its campaigns are paused. Send the rest with another approved template (t), then resume (u); else wait until the pause is over.\n" +
			"Do not resume with this template: Meta refuses every message.\n" +
			"Mend the text before it is used again: the next pause lasts longer.",
	},
	"DISABLED":         {alarm.Act, true, "Meta disabled the template %s: it cannot be sent any more", "Its campaigns are paused. Send the rest with another approved template (t), then resume (u).\nDo not resume with this template: Meta refuses every message."},
	"LOCKED":           {alarm.Act, true, "Meta locked the template %s: nothing goes out with it", "Send the rest with another approved template (t)."},
	"DELETED":          {alarm.Watch, true, "The template %s is deleted: what is sent with it fails", "If a campaign uses it, send the rest with another approved template (t)."},
	"PENDING_DELETION": {alarm.Watch, true, "The template %s is about to be deleted: what is sent with it then fails", "If a campaign uses it, send the rest with another approved template (t)."},
	"FLAGGED":          {alarm.Watch, true, "Meta flagged the template %s: its quality is falling", "Slow down, and have another approved template ready."},
	"REJECTED":         {alarm.Watch, true, "Meta rejected the template %s: it cannot be sent", "Mend its text in WhatsApp Manager and hand it in again; until then send with another approved template (t)."},
	"ARCHIVED":         {alarm.Watch, false, "The template %s was archived while a campaign uses it", "Bring it back in WhatsApp Manager, or send the rest with another approved template (t)."},
	"PENDING":          {alarm.Watch, false, "Meta reviews the template %s again while a campaign uses it", "What goes out meanwhile may be refused: send the rest with another approved template (t)."},
	"IN_APPEAL":        {alarm.Watch, false, "The template %s is under appeal while a campaign uses it", "It may not be sent until Meta decides: send the rest with another approved template (t)."},
	"LIMIT_EXCEEDED":   {alarm.Watch, true, "The account has too many templates: %s was not taken", "Delete templates that nobody uses in WhatsApp Manager, and hand it in again."},
}

// templateView is a template as a snapshot carries it. m.mu is held.
func (m *Monitor) templateView(t *wa.Template) link.Template {
	id, p := strconv.FormatInt(t.ID, 10), m.templatePast(t.ID)
	out := link.Template{
		ID: id, Name: t.Name, Language: t.Language, Category: t.Category,
		Status: t.Status, Reason: t.Reason, Quality: string(t.Quality), PausedUntil: moment(t.PausedUntil),
		Pauses: p.pauses, QualityWas: string(p.qualityWas), QualitySince: moment(p.qualitySince), CategoryWas: p.categoryWas,
	}
	if p.next != t.Category {
		out.NextCategory = p.next
		if p.next != "" {
			out.NextCategoryAt = moment(p.nextAt)
		}
	}
	out.Health, out.HealthReason = m.healthView(wa.HealthOfTemplate, id)
	return out
}

// staleNews is when the standing of a template stops being an incident; the
// Quality pane goes on showing it.
const staleNews = wa.Instant(24 * time.Hour / time.Millisecond)
