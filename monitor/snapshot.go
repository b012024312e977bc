package monitor

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"time"

	"tickwatch/monitor/alarm"
	"tickwatch/monitor/link"
	"tickwatch/monitor/queue"
	"tickwatch/store"
	"tickwatch/wa"
)

// snapshot draws up everything a console shows, with these campaigns. m.mu is held.
func (m *Monitor) snapshot(now wa.Instant, shown []*live, view *queue.View) *link.Snapshot {
	s := &link.Snapshot{
		Rev: m.rev, Deed: m.deed, At: now.Time(), Version: m.o.Version, Zone: m.o.Zone, Host: m.host,
		Gates: []link.Gate{}, Campaigns: []link.Campaign{}, Templates: []link.Template{},
		Alarms: m.advised(now, view, m.alarmViews(view)), Actions: m.actionsView(),
	}
	for _, l := range shown {
		if l.course != nil { // else it could not be read, and the log says why
			c := m.campaign(now, l)
			m.showQueue(now, l, view, &c)
			c.Blast = m.blastOf(now, l, view)
			s.Campaigns = append(s.Campaigns, c)
		}
	}
	for _, l := range m.campaigns {
		if l.seen() {
			s.CampaignCount++
		}
	}
	for _, channel := range wa.FallbackChannels {
		if m.o.Fallback.Channels[channel] != nil {
			s.Channels = append(s.Channels, channel)
		}
	}
	for _, g := range view.Gates {
		s.Gates = append(s.Gates, gateView(g))
	}
	s.Feed = m.feedView(now)
	s.Host.Queue = m.queueShare(now)
	s.Limits = m.limitViews(now)
	s.Numbers = m.shownNumbers(now, s.Limits)
	for _, t := range m.newestTemplates() {
		s.Templates = append(s.Templates, m.templateView(&t))
	}
	return s
}

func (m *Monitor) newestTemplates() []wa.Template {
	all := make([]wa.Template, 0, len(m.templates))
	for _, t := range m.templates {
		all = append(all, t)
	}
	slices.SortFunc(all, func(a, b wa.Template) int { return cmp.Or(cmp.Compare(b.Since, a.Since), cmp.Compare(a.ID, b.ID)) })
	return all[:min(len(all), link.MaxCampaigns)]
}

func (m *Monitor) feedView(now wa.Instant) link.Feed {
	return link.Feed{
		State: m.feedState(now), LastEventAt: moment(m.feed.LastEventAt),
		Posts: m.feed.Posts, Refused: m.feed.Refused + m.o.Store.Refused(), NotUnderstood: m.feed.NotUnderstood,
		TurnedAway: m.o.Store.TurnedAway(), Updates: m.feed.Updates, Duplicates: m.feed.Duplicates,
		CallbackRate: m.callbackRate(now),
		AnswerMS:     m.answers.quantiles(time.Now()), PerSecond: m.updates.perSecond(now), Trend: m.pace.view(now),
	}
}

// campaign draws up one campaign; its course is known.
func (m *Monitor) campaign(now wa.Instant, l *live) link.Campaign {
	n := &l.Counts
	c := link.Campaign{
		ID: l.Key, Name: l.Name, Origin: "external", State: "finished",
		Numbers: slices.Clone(l.Numbers[:min(len(l.Numbers), link.MaxCampaigns)]),
		Counts: link.Counts{
			Messages: n.Messages, HandedOver: n.Messages, Sent: n.Sent, Delivered: n.Delivered, Read: n.Read,
			Failed: n.Failed, Withheld: n.Withheld, InFlight: n.Messages - n.Delivered - n.Failed,
		},
		First30:  l.course.first30(now, m.o.Thresholds, &m.arrivals),
		Errors:   m.errors(now, l),
		Clusters: append([]link.Cluster{}, l.traits.found...), ClustersAt: moment(l.traits.at),
	}
	if l.running(now) {
		c.State = "running"
	}
	c.StartedAt = c.First30.From
	if m.judged(now, l) && now-l.Latest < sendingOver {
		c.First30.Verdict, c.First30.Reason = m.verdictNow(now, l)
	}
	c.Reports = m.reports(now, l)
	m.ageFigures(now, &c)
	c.Fallback = m.fallbackView(l)
	c.Engagement = m.engagementView(now, l)
	c.Seeds = l.seeds.view(m.planOf(l).Form.Name)
	first, last := l.course.trendSpan(now)
	for minute := first; minute <= last && first != 0; minute++ {
		p := l.course.minutes[minute]
		c.Trend = append(c.Trend, link.Minute{
			At: time.Unix(minute*60, 0).UTC(), Messages: p.Messages, Delivered: p.Delivered, Failed: p.Failed, Gap: m.inGap(now, minute, &p),
		})
		c.Reports.Trend = append(c.Reports.Trend, l.course.optOuts[minute])
	}
	return c
}

// trendSpan is the stretch of minutes that a trend shows: the latest half hour
// of a campaign, up to now while it sends.
func (c *course) trendSpan(now wa.Instant) (first, last int64) {
	end := c.lastMinute()
	if end == 0 {
		return 0, 0
	}
	if minute := now.Second() / 60; minute-end < link.MaxTrend/2 {
		end = max(end, minute)
	}
	return max(c.first, end-link.MaxTrend+1), end
}

func (m *Monitor) reports(now wa.Instant, l *live) (r link.Reports) {
	r = link.Reports{
		OptOuts: l.Counts.OptOuts, Rate: share(l.Counts.OptOuts, l.Counts.Delivered), Refusers: l.Counts.Refusers,
		Verdict: link.VerdictUnsure, Reason: "nobody was reached yet", Trend: []int64{}, Comparison: m.comparison(l),
	}
	defer m.showReported(l, &r)
	if l.Counts.Delivered == 0 || l.course == nil {
		return r // of one that is on no screen nothing is judged
	}
	j := l.course.present.judge(now)
	known, least := j.Known, j.Least
	r.Known, r.Least = &known, &least
	switch v := &j.Reports; {
	case v.Level != alarm.OK:
		r.Verdict, r.Reason = verdictOf(v.Level), optOutsNow(v, "")
	case v.Unsure && v.More > 0:
		r.Reason = fmt.Sprintf("about %s more must get it to say; %s", count(v.More), knownSoFar(j))
	case v.Unsure:
		r.Reason = knownSoFar(j)
	default:
		r.Verdict, r.Reason = link.VerdictOK, fmt.Sprintf("surely under %s; %s", line(m.o.Thresholds.ReportsAct), knownSoFar(j))
	}
	return r
}

// errors are a campaign's error codes, most messages first.
func (m *Monitor) errors(now wa.Instant, l *live) []link.Error {
	out := make([]link.Error, 0, len(l.course.errors))
	first, last := l.course.trendSpan(now)
	for code, e := range l.course.errors {
		if e.total <= 0 {
			continue
		}
		known := wa.Explain(code, m.titles[code])
		x := link.Error{
			Code: code, Title: known.Title, Category: known.Category, Count: e.total,
			Share: float64(e.total) / float64(max(l.Counts.Failed, 1)), Advice: known.Advice, Hint: known.Hint,
			Retry: known.Retry, SMS: known.Fallback, Trend: []int64{},
		}
		for minute := first; minute <= last && first != 0; minute++ {
			x.Trend = append(x.Trend, e.minutes[minute])
		}
		out = append(out, x)
	}
	slices.SortFunc(out, func(a, b link.Error) int { return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Code, b.Code)) })
	return out[:min(len(out), link.MaxErrors)]
}

func (m *Monitor) actionsView() []link.Action {
	out := []link.Action{}
	for _, a := range slices.Backward(m.actions) {
		out = append(out, actionView(&a))
		if len(out) == link.MaxActions {
			break
		}
	}
	return out
}

func actionView(a *store.Action) link.Action {
	return link.Action{
		ID: actionID(a.ID), At: a.At.Time(), Operator: a.Operator, Verb: a.Verb, Target: a.Target, Reason: a.Reason, Effect: a.Effect,
	}
}

func actionID(id int64) string { return "x" + strconv.FormatInt(id, 10) }

// display is a number's digits as people read them; "" when they are not known.
func display(digits string) string {
	if digits == "" {
		return ""
	}
	return "+" + digits
}

// moment is a time as a snapshot carries it; nil when it is not known.
func moment(i wa.Instant) *time.Time {
	if i == 0 {
		return nil
	}
	t := i.Time()
	return &t
}

// message is a stored message as people see it: its number masked.
func message(m *store.Message) link.Message {
	p := &m.Progress
	out := link.Message{
		MessageID: m.WAMID, Phone: wa.MaskPhone(cmp.Or(m.Phone, m.BSUID)), Campaign: m.Campaign,
		SentAt: moment(p.SentAt), DeliveredAt: moment(p.DeliveredAt), ReadAt: moment(p.ReadAt), FailedAt: moment(p.FailedAt),
	}
	switch {
	case p.ReadAt != 0:
		out.State = "read"
	case p.State() == wa.StateDelivered:
		out.State = "delivered"
	case p.State() == wa.StateFailed:
		out.State = "failed"
	default:
		out.State = "in flight"
	}
	if p.FailedAt != 0 {
		out.Code, out.Details = p.Code, m.Details
	}
	return out
}
