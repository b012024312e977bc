package monitor

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"

	"tickwatch/monitor/alarm"
	"tickwatch/monitor/link"
	"tickwatch/monitor/queue"
	"tickwatch/wa"
)

// judgeTemplate raises what Meta says of a template: paused and disabled ones
// cannot be sent, and a falling quality comes before that.
func (m *Monitor) judgeTemplate(now wa.Instant, v *queue.View, t wa.Template) {
	name := wa.Clean(t.Name + "/" + t.Language)
	id := fmt.Sprint(t.ID)
	status := finding{kind: "template", subject: id}
	level := alarm.OK
	p := m.templatePast(t.ID)
	may := func(l *live) bool { return m.mayUse(l, &t) }
	who := m.sendersOf(now, v, may)
	highest := alarm.Watch // nothing goes out with it that could be paused
	if m.anyRuns(now, may) {
		highest = alarm.Act
	}
	if s, ok := templateStatuses[t.Status]; ok && (s.always || m.templateInUse(now, &t)) {
		level = min(s.level, highest)
		status.text, status.advice = fmt.Sprintf(s.text, name), s.advice
	}
	if stopsTemplate(t.Status) {
		status.advice = who.withoutTemplate(t.Status).Lines()
	}
	statusAt, qualityAt := cmp.Or(t.StatusAt, t.Since), cmp.Or(t.QualityAt, t.Since)
	if t.Status == "FLAGGED" {
		statusAt = t.Since // Meta's answers do not tell of a flag, so none confirms it
	}
	overran := t.PausedUntil != 0 && statusAt > t.PausedUntil // Meta has said since that it is paused still
	if t.Status == "PAUSED" {
		if !overran {
			status.until = t.PausedUntil
		}
		status.text += pauseWords(&t, p, overran)
	}
	if (t.Status == "REJECTED" || t.Status == "LOCKED") && t.Reason != "" {
		status.text += bracketed(wa.Clean(t.Reason))
	}
	if (t.PausedUntil != 0 && now > t.PausedUntil && !overran) || now-statusAt > staleNews {
		level = alarm.OK // it unpauses itself; and what is old news alarms nobody
	}
	m.incidents.fact(now, level, status)
	stopped := level != alarm.OK && stopsTemplate(t.Status)

	quality := finding{kind: "quality", subject: id, advice: yellowAdvice}
	level = alarm.OK
	switch t.Quality {
	case wa.QualityYellow:
		level = alarm.Watch
		quality.text = fmt.Sprintf("The quality of the template %s fell to YELLOW", name)
	case wa.QualityRed:
		level = highest
		quality.text, quality.advice = fmt.Sprintf("The quality of the template %s is RED", name), who.onRed().Lines()
		if status.text == "" {
			quality.text += ": Meta pauses it next"
		}
	case wa.QualityGreen, wa.QualityUnknown:
	}
	if now-qualityAt > staleNews {
		level = alarm.OK
	}
	if stopped && level != alarm.OK { // its alarm says more of the same
		m.incidents.merge(now, subject{quality.kind, quality.subject}, fmt.Sprintf("The quality of the template %s is still poor: that goes on as the alarm about its status", name))
	} else {
		m.incidents.fact(now, level, quality)
	}
	m.judgeCategory(now, &t, p, name)
	m.judgeEdit(now, &t, p, name)
}

// yellowAdvice is on a template's falling quality, before Meta pauses it.
const yellowAdvice = "Slow down (-): people block or report this message. Look at the opt-outs (enter on Reports).\n" +
	"Do not start another campaign with this template.\n" +
	"Have another approved template ready (t). RED comes next, and then Meta pauses it."

// onRed is the advice on a template whose quality is RED.
func (s senders) onRed() wa.Advice {
	a := wa.Advice{Not: "Do not start another campaign with this template.", After: "Look at the list's consent and at the text."}
	switch {
	case s.open:
		a.Now = "Pause (p), or send the rest with another approved template (t)."
	case s.paused:
		a.Now = "Its campaigns are paused. Send the rest with another approved template (t)."
	case !s.outside:
		a.Now = "Nothing goes out with it now."
	}
	if s.own() {
		a.After = "Look at the list's consent and at the text; resume (u) with a better one."
	}
	if s.outside {
		a.Now = join(a.Now, "Stop it where it is sent from, or go on there with another approved template.")
	}
	a.Now = join(a.Now, "Many people block or report this message.")
	return a
}

// stopsTemplate tells whether Meta takes no message of a template with a status. Of a
// locked one Meta says only that it cannot be edited, and tells it like a pause
// (whatsapp.md §2.6): it is taken for one.
func stopsTemplate(status string) bool {
	return status == "PAUSED" || status == "DISABLED" || status == "LOCKED"
}

// withoutTemplate is the advice on a template that Meta stops.
func (s senders) withoutTemplate(status string) wa.Advice {
	refuses := "Meta refuses every message."
	if status == "LOCKED" {
		refuses = "Meta may refuse every message."
	}
	a := wa.Advice{Not: "Do not send with this template: " + refuses}
	switch {
	case s.open:
		a.Now = "Pause (p): it goes out with this template still, and " + refuses
	case s.paused:
		a.Now, a.Not = "Its campaigns are paused.", "Do not resume with this template: "+refuses
	case !s.outside:
		a.Now = "Nothing goes out with it now."
	}
	if s.outside {
		a.Now = join(a.Now, "Stop it where it is sent from: "+refuses)
	}
	switch {
	case !s.own():
		a.Now = join(a.Now, "Use another approved template.")
	case status == "PAUSED":
		a.Now = join(a.Now, "Send the rest with another approved template (t), then resume (u); else wait until the pause is over.")
	default:
		a.Now = join(a.Now, "Send the rest with another approved template (t), then resume (u).")
	}
	if status == "PAUSED" {
		a.After = "Mend the text before it is used again: the next pause lasts longer."
	}
	return a
}

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
	if p.editedAt != 0 && now-p.editedAt < staleNews && m.templateInUse(now, t) {
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
func pauseWords(t *wa.Template, p *templatePast, overran bool) string {
	switch {
	case overran:
		return ". The pause should be over by now, but Meta says that it still stands"
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
// the template. None is ACT while no campaign does. Those that stop it are advised on by
// who sends it.
var templateStatuses = map[string]struct {
	level        alarm.Level
	always       bool
	text, advice string
}{
	"PAUSED":           {alarm.Act, true, "Meta paused the template %s: nothing goes out with it", ""},
	"DISABLED":         {alarm.Act, true, "Meta disabled the template %s: it cannot be sent any more", ""},
	"LOCKED":           {alarm.Act, true, "Meta locked the template %s: its text cannot be changed, and messages with it may be refused", ""},
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

// staleNews is when the standing of a template that nobody has confirmed since stops
// being an incident; the Quality pane goes on showing it.
const staleNews = wa.Instant(24 * time.Hour / time.Millisecond)
