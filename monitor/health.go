package monitor

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"tickwatch/monitor/alarm"
	"tickwatch/store"
	"tickwatch/wa"
)

// keepHealth takes over whether something can take part in a send. m.mu is held, or
// nobody else has m yet.
func (m *Monitor) keepHealth(h store.Health) { m.health[matter{h.ID, h.Type}] = h }

// healthView is the health of something, and why it is not better; "" = not told.
func (m *Monitor) healthView(kind, id string) (can, why string) {
	h, ok := m.health[matter{id, kind}]
	if !ok {
		return "", ""
	}
	return h.CanSend, whyNot(&h)
}

func whyNot(h *store.Health) string {
	switch {
	case len(h.Errors) > 0:
		return h.Errors[0].Description
	case len(h.Info) > 0:
		return h.Info[0]
	}
	return ""
}

// judgeHealth raises what Meta says stands in the way of a send, unless an alarm about
// the same number or template says already why.
func (m *Monitor) judgeHealth(now wa.Instant) {
	keys := slices.SortedFunc(maps.Keys(m.health), func(a, b matter) int {
		return cmp.Or(cmp.Compare(a.what, b.what), cmp.Compare(a.account, b.account))
	})
	used := m.numbersInUse(now)
	for _, key := range keys {
		h := m.health[key]
		f := finding{kind: "limit", subject: "health " + h.Type + " " + h.ID}
		level := alarm.OK
		switch h.CanSend {
		case wa.CannotSend:
			level = alarm.Act
		case wa.CanSendSome:
			level = alarm.Watch
		}
		name, told := m.healthOf(&h)
		if told || h.Type == wa.HealthOfNumber && !used[h.ID] || h.Type == wa.HealthOfTemplate && !m.templateInUse(now, m.templateCalled(h.ID)) {
			level = alarm.OK
		}
		f.text = fmt.Sprintf("%s %s", name, healthWords(h.CanSend))
		if why := whyNot(&h); why != "" {
			f.text += ": " + wa.Clean(excerpt(why))
		}
		f.advice = askMeta
		if len(h.Errors) > 0 && h.Errors[0].Solution != "" {
			f.advice = "Meta advises: " + wa.Clean(excerpt(h.Errors[0].Solution))
		}
		m.incidents.fact(now, level, f)
	}
}

// healthOf names what a health is of, and tells whether another alarm speaks of it.
func (m *Monitor) healthOf(h *store.Health) (name string, told bool) {
	switch h.Type {
	case wa.HealthOfNumber:
		n := m.numbers[h.ID]
		return "Number " + cmp.Or(display(n.Display), wa.Clean(h.ID)), m.incidents.stands("quality", numberSubject("status", &n))
	case wa.HealthOfTemplate:
		t := m.templateCalled(h.ID)
		return "Template " + wa.Clean(templateName(t.Name, t.Language, t.ID)), m.incidents.stands("template", h.ID)
	case wa.HealthOfAccount:
		return "The WhatsApp account", false
	case "BUSINESS":
		return "The business at Meta", false
	case "APP":
		return "The app that sends", false
	}
	return wa.Clean(h.Type), false
}

// templateCalled is the template with an id; one that nothing is known of has nothing else.
func (m *Monitor) templateCalled(text string) *wa.Template {
	id, _ := strconv.ParseInt(text, 10, 64)
	t := m.templates[id]
	t.ID = id
	return &t
}

// templateInUse tells whether a campaign that runs uses a template, ours or another
// system's that was said to. m.mu is held.
func (m *Monitor) templateInUse(now wa.Instant, t *wa.Template) bool {
	return m.anyRuns(now, func(l *live) bool { return m.uses(l, t) })
}

// anyRuns tells whether one of some campaigns runs. m.mu is held.
func (m *Monitor) anyRuns(now wa.Instant, of func(l *live) bool) bool {
	for _, l := range m.campaigns {
		if l.running(now) && of(l) {
			return true
		}
	}
	return false
}

func (m *Monitor) uses(l *live, t *wa.Template) bool {
	if l.Own {
		return m.plans[l.ID].Form.ID == t.ID
	}
	return l.sends(t)
}

// mayUse tells whether a campaign uses a template as far as is known: of another
// system's nobody may have said which it sends.
func (m *Monitor) mayUse(l *live, t *wa.Template) bool {
	return m.uses(l, t) || !l.Own && l.Template == ""
}
