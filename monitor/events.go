package monitor

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"tickwatch/monitor/link"
	"tickwatch/store"
	"tickwatch/wa"
)

// events tells what happened last, from the store: the same before and after a
// restart. Every source gives its latest ones, as many as are asked for, so the
// latest of all of them together have no gap.
func (m *Monitor) events(ctx context.Context, a link.EventsArgs) (link.Events, error) {
	limit := a.Limit
	if limit <= 0 || limit > link.MaxEvents {
		limit = link.MaxEvents
	}
	var all []link.Event
	more := false // there are older ones
	add := func(n int, events []link.Event) {
		all = append(all, events...)
		more = more || n == limit
	}
	kinds, want, err := m.kindsOf(ctx, a)
	if err != nil {
		return link.Events{}, err
	}
	news, err := m.o.Store.Notices(ctx, limit, want, kinds...)
	if err != nil {
		return link.Events{}, err
	}
	add(len(news), sentences(news))
	if a.Of == link.OfEverything {
		if err := m.ownEvents(ctx, limit, add); err != nil {
			return link.Events{}, err
		}
	}
	slices.SortStableFunc(all, func(a, b link.Event) int { return b.At.Compare(a.At) })
	all = folded(all)
	return link.Events{Events: all[:min(len(all), limit)], Complete: !more && len(all) <= limit}, nil
}

// kindsOf says which notices belong to what is asked about.
func (m *Monitor) kindsOf(ctx context.Context, a link.EventsArgs) (kinds []string, want func(*store.Notice) bool, err error) {
	account := []string{store.NoticeAccount, store.NoticeAlert, store.NoticeCapability, store.NoticeFault}
	template := []string{store.NoticeTemplate, store.NoticeEdit}
	number := []string{store.NoticeNumber, store.NoticeName, store.NoticeSecurity}
	polled := store.NoticePolled
	switch a.Of {
	case link.OfEverything:
		return slices.Concat(account, template, number, []string{polled}), nil, nil
	case link.OfAccount:
		return append(account, polled), func(n *store.Notice) bool {
			c, ok := n.News.(wa.Changed)
			return !ok || c.Entity != ""
		}, nil
	case link.OfTemplate:
		id, err := strconv.ParseInt(a.ID, 10, 64)
		if err != nil {
			return nil, nil, &link.Fault{Kind: link.FaultUsage, Text: fmt.Sprintf("%q is no template's id: `tickwatch status --json` lists them", wa.Clean(a.ID))}
		}
		return append(template, polled), func(n *store.Notice) bool { return templateOf(n) == id }, nil
	case link.OfNumber:
		m.mu.Lock()
		digits := cmp.Or(m.numbers[a.ID].Display, wa.Digits(a.ID))
		m.mu.Unlock()
		owner, err := m.o.Store.AccountOf(ctx, digits)
		if err != nil {
			return nil, nil, err
		}
		return append(number, store.NoticeCapability, polled), func(n *store.Notice) bool {
			if c, ok := n.News.(wa.CapabilityUpdate); ok { // the account's limit is its numbers'
				return owner != "" && c.AccountID == owner
			}
			return digits != "" && wa.Digits(displayOf(n)) == digits
		}, nil
	}
	return nil, nil, &link.Fault{Kind: link.FaultUsage, Text: fmt.Sprintf("there are no events of %q: ask for %s, %s or %s", wa.Clean(a.Of), link.OfNumber, link.OfTemplate, link.OfAccount)}
}

func templateOf(n *store.Notice) int64 {
	switch u := n.News.(type) {
	case wa.TemplateUpdate:
		return u.ID
	case wa.TemplateEdit:
		return u.ID
	case wa.Changed:
		return u.Template
	}
	return 0
}

func displayOf(n *store.Notice) string {
	switch u := n.News.(type) {
	case wa.NumberUpdate:
		return u.Display
	case wa.NameUpdate:
		return u.Display
	case wa.SecurityUpdate:
		return u.Display
	case wa.Changed:
		return u.Display
	}
	return ""
}

// ownEvents are those that are no news of Meta: alarms, actions, campaigns.
func (m *Monitor) ownEvents(ctx context.Context, limit int, add func(int, []link.Event)) error {
	alarms, err := m.o.Store.LatestAlarms(ctx, limit)
	if err != nil {
		return err
	}
	var events []link.Event
	for i := range alarms {
		events = append(events, m.alarmEvents(&alarms[i])...)
	}
	add(len(alarms), events)

	actions, err := m.o.Store.LatestActions(ctx, limit)
	if err != nil {
		return err
	}
	events = nil
	for i := range actions {
		events = append(events, actionEvent(&actions[i]))
	}
	add(len(actions), events)

	spans, err := m.o.Store.LatestSpans(ctx, limit)
	if err != nil {
		return err
	}
	events = nil
	now := wa.At(m.o.Now())
	for _, s := range spans {
		name := wa.Clean(cmp.Or(s.Name, s.Key))
		events = append(events, link.Event{At: s.First.Time(), Kind: link.EventCampaign, Text: name + ": first message"})
		if over := s.Latest + runningSilence; now >= over {
			events = append(events, link.Event{At: over.Time(), Kind: link.EventCampaign, Text: name + ": finished, no new message for two hours"})
		}
	}
	add(len(spans), events)
	return nil
}

// alarmEvents are the turns of an alarm. Its stored text is that of its latest
// or worst moment, so the earlier turns are told without figures.
func (m *Monitor) alarmEvents(a *store.Alarm) []link.Event {
	what := m.alarmTitle(a)
	event := func(at wa.Instant, severity, text string) link.Event {
		return link.Event{At: at.Time(), Kind: link.EventAlarm, Severity: severity, Text: text}
	}
	var out []link.Event
	if a.ActedAt != a.RaisedAt {
		out = append(out, event(a.RaisedAt, link.VerdictWatch, what))
	}
	if a.ActedAt != 0 {
		text := what
		if a.ActedAt != a.RaisedAt {
			text = "Grew worse: " + lowerFirst(what)
		}
		out = append(out, event(a.ActedAt, link.VerdictAct, text))
	}
	if a.ClearedAt != 0 {
		out = append(out, event(a.ClearedAt, link.EventCleared, fmt.Sprintf("After %s: %s", lasted(a.ClearedAt.Sub(a.RaisedAt)), m.campaignPrefix(a)+wa.Clean(a.Text))))
	}
	slices.Reverse(out) // of two in the same moment the later one comes first
	return out
}

// alarmTitle says what an alarm is about, in words that held all the while.
func (m *Monitor) alarmTitle(a *store.Alarm) string {
	switch a.Kind {
	case "delivery":
		if strings.HasSuffix(a.Subject, seedsSubject) {
			return m.campaignPrefix(a) + "Messages to your own phones do not arrive"
		}
		return m.campaignPrefix(a) + "Too few messages arrive"
	case "withheld":
		return m.campaignPrefix(a) + "Meta chooses not to deliver many messages"
	case "reports":
		switch {
		case strings.HasSuffix(a.Subject, repliesSubject):
			return m.campaignPrefix(a) + "Many replies"
		case strings.HasSuffix(a.Subject, typedSubject):
			return m.campaignPrefix(a) + "Many people report or block it, by a figure that was typed in"
		}
		return m.campaignPrefix(a) + "Many people opt out"
	case "callbacks":
		return m.campaignPrefix(a) + "Many messages get no status"
	case "feed":
		return "No webhook comes in although answers are due"
	case "host":
		if title := hostTitles[a.Subject]; title != "" {
			return title
		}
	case "quality":
		m.mu.Lock()
		defer m.mu.Unlock()
		if id, err := strconv.ParseInt(a.Subject, 10, 64); err == nil && m.templates[id].Name != "" {
			t := m.templates[id]
			return "Quality of the template " + templateName(t.Name, t.Language, t.ID)
		}
		if id, ok := strings.CutPrefix(a.Subject, "number "); ok {
			return "Quality of the number " + cmp.Or(display(m.numbers[id].Display), wa.Clean(id))
		}
	case "limit":
		if strings.HasPrefix(a.Subject, usedSubject) {
			return "The messaging limit is running out"
		}
	}
	return m.campaignPrefix(a) + wa.Clean(a.Text)
}

// hostTitles are what alarms about the machine are about, by subject.
var hostTitles = map[string]string{
	"cpu":     "This machine is very busy",
	"memory":  "This machine's memory fills up",
	"disk":    "The disk of the data folder fills up",
	"queue":   "Many messages wait for Meta's word",
	"answers": "Webhooks are answered late",
	"store":   "Webhooks cannot be stored and are turned away",
	"sheet":   "Rows wait for the sheet",
	"notify":  "Alarms do not reach everybody who should be told",
}

func (m *Monitor) campaignPrefix(a *store.Alarm) string {
	if a.Campaign == "" {
		return ""
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if l := m.byKey[a.Campaign]; l != nil && l.Name != "" {
		return wa.Clean(l.Name) + ": "
	}
	return wa.Clean(a.Campaign) + ": "
}

func actionEvent(a *store.Action) link.Event {
	text := a.Operator + ": " + a.Verb + " " + a.Target
	if a.Verb == "ack" {
		text = a.Operator + " has seen the alarm: " + a.Effect
	} else if a.Verb == link.VerbSnooze {
		return link.Event{At: a.At.Time(), Kind: link.EventAction, Text: wa.Clean(a.Operator + " keeps an alarm quiet " + a.Reason + ": " + a.Effect)}
	} else if a.Effect != "" {
		text += ": " + a.Effect
	}
	if a.Reason != "" {
		text += " (" + a.Reason + ")"
	}
	return link.Event{At: a.At.Time(), Kind: link.EventAction, Text: wa.Clean(text)}
}

// folded makes one event of those that follow each other and say the same.
func folded(all []link.Event) []link.Event {
	out := all[:0]
	for _, e := range all {
		if n := len(out) - 1; n >= 0 && out[n].Kind == e.Kind && out[n].Severity == e.Severity && out[n].Text == e.Text {
			out[n].Times = max(out[n].Times, 1) + 1
			continue
		}
		out = append(out, e)
	}
	return out
}
