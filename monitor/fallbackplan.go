package monitor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/mail"
	"slices"
	"strings"
	"time"

	"tickwatch/monitor/fallback"
	"tickwatch/monitor/link"
	"tickwatch/monitor/list"
	"tickwatch/store"
	"tickwatch/wa"
)

// planFallback says whom a fallback would reach, and orders it unless it is a dry run.
func (m *Monitor) planFallback(ctx context.Context, operator string, a link.FallbackArgs) (link.FallbackPlan, error) {
	p, err := m.planner(&a)
	if err != nil {
		return link.FallbackPlan{}, err
	}
	most := int64(1) << 62
	if !a.DryRun {
		if err := p.mayOrder(&a); err != nil {
			return link.FallbackPlan{}, err
		}
		most = a.Expect
	}
	run := wa.FallbackRun{
		Campaign: p.live.ID, Key: p.live.Key, By: operator, Channels: a.Channels, Codes: a.Codes,
		After: time.Duration(a.Undelivered) * time.Second, Currency: m.o.Fallback.Currency, Budget: m.o.Fallback.Budget,
		OrderedAt: wa.At(p.now), StartsAt: wa.At(p.starts), ExpiresAt: wa.At(p.starts.Add(m.o.Fallback.Expires)), LookAfter: m.o.Fallback.Look,
	}
	got, err := m.o.Store.PlanFallback(ctx, run, most, p.judge, a.DryRun)
	switch {
	case errors.Is(err, store.ErrPlanCancelled):
		return link.FallbackPlan{}, refused("%s", store.ErrPlanCancelled)
	case errors.Is(err, store.ErrFallbackOpen):
		return link.FallbackPlan{}, refused("%s: send the rest of that one (`tickwatch fallback go-on %s`) or cancel it (`tickwatch fallback cancel %s`) first", store.ErrFallbackOpen, p.live.Key, p.live.Key)
	case err != nil:
		return link.FallbackPlan{}, err
	}
	plan := p.view(&got)
	if a.DryRun {
		return plan, nil
	}
	m.mu.Lock()
	plan.Run = m.runView(&got.Run, got.Run.Planned)
	m.mu.Unlock()
	m.record(store.Action{
		Operator: operator, Verb: "fallback", Target: p.live.Key,
		Effect: fmt.Sprintf("%s by %s, %s %s; nothing leaves before %s", messageWord(got.Run.Planned), channelList(a.Channels),
			got.Run.Cost, run.Currency, got.Run.StartsAt.Time().In(m.zone()).Format("15:04:05")),
	})
	return plan, nil
}

func (m *Monitor) zone() *time.Location { return m.o.Fallback.Zone }

// fallbackPlanner judges who gets what.
type fallbackPlanner struct {
	o        *Fallback
	live     *live
	plan     wa.Plan // of one of our own; zero of another system's
	channels []string
	named    map[int]bool // codes that the operator chose; none = all
	consent  bool
	leaveOut bool // whoever must wait for an hour gets nothing
	now      time.Time
	starts   time.Time
	spent    wa.Money
	cost     wa.Money
	titles   map[int]string

	later       int64
	opens, last time.Time
	noZone      int64
	parts       map[string]*link.FallbackChannel
	samples     map[[2]string]link.FallbackSample
	examples    map[string]string // one masked phone a reason
	warnings    []string
	stalled     bool
}

// planner checks what is asked for.
func (m *Monitor) planner(a *link.FallbackArgs) (*fallbackPlanner, error) {
	o := &m.o.Fallback
	m.mu.Lock()
	defer m.mu.Unlock()
	l, err := m.find(a.Campaign)
	if err != nil {
		return nil, err
	}
	if len(o.Channels) == 0 {
		return nil, refused("no other channel is set up: give fallback.sms.provider, fallback.voice.provider or fallback.email.provider in the configuration")
	}
	if len(a.Channels) == 0 {
		return nil, usage("give the channels to reach people by, in their order: %s", strings.Join(slices.Sorted(maps.Keys(o.Channels)), ", "))
	}
	for i, channel := range a.Channels {
		switch {
		case channel == wa.ChannelWhatsApp:
			return nil, usage("WhatsApp is no other channel: `tickwatch retry` sends through it again")
		case channelNames[channel] == "":
			return nil, usage("%q is no channel: there are sms, voice and email", wa.Clean(channel))
		case o.Channels[channel] == nil:
			return nil, refused("%s is not set up: give fallback.%s.provider in the configuration", channelNames[channel], channel)
		case len(o.Texts[channel]) == 0:
			return nil, refused("%s has no text: give fallback.%s.text in the configuration", channelNames[channel], channel)
		case slices.Contains(a.Channels[:i], channel):
			return nil, usage("%s is named twice", channelNames[channel])
		}
	}
	if a.Hours != "" && a.Hours != link.HoursWait && a.Hours != link.HoursLeaveOut {
		return nil, usage("%q is no choice for the hours: give %s or %s", wa.Clean(a.Hours), link.HoursWait, link.HoursLeaveOut)
	}
	n := m.fallbackCounts[l.ID]
	p := &fallbackPlanner{
		o: o, live: l, channels: a.Channels, named: map[int]bool{}, consent: a.Consent, leaveOut: a.Hours == link.HoursLeaveOut,
		now: m.o.Now(), spent: n.Cost + n.Pending, titles: maps.Clone(m.titles),
		parts: map[string]*link.FallbackChannel{}, samples: map[[2]string]link.FallbackSample{}, examples: map[string]string{},
	}
	p.starts = p.now.Add(o.Undo)
	for _, code := range a.Codes {
		p.named[code] = true
	}
	if l.Own {
		p.plan = m.planOf(l)
	}
	p.stalled = m.unheard(wa.At(p.now))
	if a.Undelivered > 0 && p.stalled {
		return nil, refused("the webhooks are stalled, or were until just now: who got the message looks undelivered. Choose failures only, or wait until the feed is live again")
	}
	p.warn(m)
	return p, nil
}

// mayOrder tells whether an order can be taken.
func (p *fallbackPlanner) mayOrder(a *link.FallbackArgs) error {
	switch {
	case p.o.Budget == 0:
		return refused("no budget is set: give fallback.budget in the configuration, such as \"50 EUR\"; nothing is sent")
	case a.Expect <= 0:
		return refused("nothing is sent without the number of people that was confirmed: run it as a dry run first")
	}
	return nil
}

// judge says what a candidate gets, or why nothing.
func (p *fallbackPlanner) judge(c *store.FallbackCandidate) (d store.FallbackDraft, leftOut string) {
	switch {
	case c.OptedOut:
		return d, "opted out"
	case c.Reached:
		return d, "had or gets another attempt already"
	case c.Retried:
		return d, "is tried again by WhatsApp"
	}
	if !c.Late {
		switch wa.Explain(c.Code, p.titles[c.Code]).Fallback {
		case wa.FallbackNo:
			return d, fmt.Sprintf("%d: another channel does not help, or must not be used", c.Code)
		case wa.FallbackMaybe:
			if !p.named[c.Code] {
				return d, fmt.Sprintf("%d: only if you choose this code", c.Code)
			}
		}
	}
	for _, channel := range p.channels {
		var why string
		if d, why = p.by(channel, c); why == "" {
			return d, ""
		}
		leftOut = cmp.Or(leftOut, why)
	}
	return store.FallbackDraft{}, leftOut
}

// by says what a candidate gets by a channel, or why they cannot be reached by it.
func (p *fallbackPlanner) by(channel string, c *store.FallbackCandidate) (d store.FallbackDraft, why string) {
	name := channelNames[channel]
	if why := p.consents(channel, c); why != "" {
		return d, why
	}
	to := c.Phone
	if channel == wa.ChannelEmail {
		to = strings.TrimSpace(p.plan.Column(c.Values, p.plan.Contact.Email))
		if a, err := mail.ParseAddress(to); err != nil || a.Address != to {
			return d, "no e-mail address"
		}
	}
	if to == "" {
		return d, "the number is not known"
	}
	language := cmp.Or(strings.TrimSpace(p.plan.Column(c.Values, p.plan.Contact.Language)), p.plan.Form.Language)
	text, ok := p.o.Texts[channel].in(language)
	if !ok {
		return d, fmt.Sprintf("no %s text in their language (%s)", name, wa.Clean(cmp.Or(language, "not known")))
	}
	m := wa.FallbackMessage{Channel: channel, To: to, Language: language}
	var err error
	if m.Text, err = text.Body.Fill(func(v string) string { return p.value(c, v) }); err == nil && text.Subject != nil {
		m.Subject, err = text.Subject.Fill(func(v string) string { return p.value(c, v) })
	}
	if missing, ok := errors.AsType[*fallback.MissingError](err); ok {
		why = fmt.Sprintf("no value for {%s} of the %s text", wa.Clean(missing.Variable), name)
		p.examples[why] = cmp.Or(p.examples[why], wa.MaskPhone(c.Phone))
		return d, why
	} else if err != nil {
		return d, err.Error()
	}
	q := p.o.Channels[channel].Quote(&m)
	if q.Unpriced != "" {
		return d, q.Unpriced
	}
	price := q.Price
	if p.o.Budget > 0 && p.spent+p.cost+price > p.o.Budget {
		return d, "over the budget"
	}
	d = store.FallbackDraft{
		Channel: channel, To: to, Subject: m.Subject, Text: m.Text, Language: language, Segments: int64(q.Segments), Cost: price,
	}
	if why := p.hour(c.Phone, &d); why != "" {
		return d, why
	}
	p.cost += price
	p.count(&d, &q)
	return d, ""
}

// consents says why a person must not be reached by a channel for want of consent;
// "" = they may be. Consent to WhatsApp is none to another channel, and what the
// operator declares is no answer to a no of the person.
func (p *fallbackPlanner) consents(channel string, c *store.FallbackCandidate) string {
	column := p.plan.Contact.Consent[channel]
	for _, refused := range p.plan.Contact.Refused[channel] {
		if list.Refused(p.plan.Column(c.Values, refused)) {
			return "opted out of " + channelNames[channel] + ", says the list"
		}
	}
	switch {
	case column != "" && !list.Consented(p.plan.Column(c.Values, column)):
		return "no consent to " + channelNames[channel]
	case column == "" && !p.consent:
		return "the list does not say who consented to " + channelNames[channel]
	}
	return ""
}

// value is a variable of a text for a person: one of the template's, else a column
// of the list.
func (p *fallbackPlanner) value(c *store.FallbackCandidate, variable string) string {
	if v := p.plan.Value(c.Values, variable); v != "" {
		return v
	}
	for i, name := range p.plan.Columns {
		if i < len(c.Values) && strings.EqualFold(name, variable) {
			return c.Values[i]
		}
	}
	return ""
}

// hour sees to it that nobody is reached at an hour that is not allowed.
func (p *fallbackPlanner) hour(phone string, d *store.FallbackDraft) (why string) {
	opens, known := p.o.Allowed.OpenAt(phone, p.starts, p.o.Zone)
	if opens.IsZero() {
		return wa.ReasonNoHour
	}
	if !known {
		p.noZone++
	}
	if !opens.After(p.starts) {
		return ""
	}
	if p.leaveOut {
		return "outside the allowed hours at their place"
	}
	d.Due = wa.At(opens)
	p.later++
	if p.opens.IsZero() || opens.Before(p.opens) {
		p.opens = opens
	}
	if opens.After(p.last) {
		p.last = opens
	}
	return ""
}

// zoneName is what people call a time zone; "" = it is the daemon's.
func zoneName(zone *time.Location) string {
	if zone == time.Local {
		return ""
	}
	return zone.String()
}

// maxSamples bounds the texts that a plan shows.
const maxSamples = 12

func (p *fallbackPlanner) count(d *store.FallbackDraft, q *fallback.Quote) {
	part := p.parts[d.Channel]
	if part == nil {
		part = &link.FallbackChannel{Channel: d.Channel}
		p.parts[d.Channel] = part
	}
	part.Eligible++
	part.Segments += d.Segments
	part.Cost += d.Cost.Float()
	key := [2]string{d.Channel, d.Language}
	if _, had := p.samples[key]; had || len(p.samples) == maxSamples {
		return
	}
	text := d.Text
	if d.Subject != "" {
		text = d.Subject + "\n\n" + text
	}
	p.samples[key] = link.FallbackSample{
		Channel: d.Channel, Language: d.Language, To: maskTo(d.Channel, d.To), Text: text, Segments: d.Segments, Unicode: wa.Clean(string(q.Forced)),
	}
}

// maskAddress keeps of an e-mail address its first letter and its domain.
func maskAddress(s string) string {
	at := strings.LastIndexByte(s, '@')
	if at < 1 {
		return "***"
	}
	first := []rune(s[:at])[0]
	return string(first) + "***" + s[at:]
}

// first is how many go out before the look; 0 = there is none, for all do at once.
func (p *fallbackPlanner) first(planned int64) int64 {
	if p.o.Look >= planned {
		return 0
	}
	return p.o.Look
}

// view is the plan as an operator sees it.
func (p *fallbackPlanner) view(got *store.FallbackPlanned) link.FallbackPlan {
	v := link.FallbackPlan{
		Eligible: got.Run.Planned, LeftOut: leftOut(got.LeftOut), Segments: got.Run.Segments, Cost: got.Run.Cost.Float(), Currency: got.Run.Currency,
		UndoSeconds: int64(p.o.Undo.Seconds()), First: p.first(got.Run.Planned),
		Budget: p.o.Budget.Float(), Spent: p.spent.Float(), Channels: []link.FallbackChannel{}, Codes: []link.FallbackCode{},
		Zone: zoneName(p.o.Zone), Later: min(p.later, got.Run.Planned), NoZone: min(p.noZone, got.Run.Planned), Samples: []link.FallbackSample{}, Warnings: p.warnings,
	}
	for i := range v.LeftOut {
		v.LeftOut[i].Example = p.examples[v.LeftOut[i].Reason]
	}
	if v.Warnings == nil {
		v.Warnings = []string{}
	}
	if v.Later > 0 {
		v.OpensAt, v.LastAt = moment(wa.At(p.opens)), moment(wa.At(p.last))
	}
	for _, channel := range p.channels {
		if part := p.parts[channel]; part != nil {
			v.Channels = append(v.Channels, *part)
		}
	}
	for code, n := range got.ByCode {
		v.Codes = append(v.Codes, link.FallbackCode{Code: code, Title: wa.Explain(code, p.titles[code]).Title, Count: n})
	}
	if got.Late > 0 {
		v.Codes = append(v.Codes, link.FallbackCode{Title: "undelivered", Count: got.Late})
	}
	slices.SortFunc(v.Codes, func(a, b link.FallbackCode) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Code, b.Code))
	})
	for _, s := range p.samples {
		v.Samples = append(v.Samples, s)
	}
	slices.SortFunc(v.Samples, func(a, b link.FallbackSample) int {
		return cmp.Or(cmp.Compare(slices.Index(p.channels, a.Channel), slices.Index(p.channels, b.Channel)), cmp.Compare(a.Language, b.Language))
	})
	return v
}
