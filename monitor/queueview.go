package monitor

import (
	"slices"
	"strings"

	"tickwatch/monitor/link"
	"tickwatch/monitor/queue"
	"tickwatch/wa"
)

// showQueue adds to a campaign of ours what only its queue knows. m.mu is held.
func (m *Monitor) showQueue(now wa.Instant, l *live, v *queue.View, c *link.Campaign) {
	if !l.Own {
		if l.Watched && l.Counts.Messages == 0 {
			c.State = "ready"
		}
		if name, language, _ := strings.Cut(l.Template, "/"); name != "" {
			c.Template = &link.TemplateRef{Name: name, Language: language}
		}
		if gateClosed(v, link.ScopeCampaign, l.Key) {
			c.State = externalState(c.State)
		}
		return
	}
	plan := m.planOf(l)
	n := &l.Counts
	c.Origin = "own"
	c.Numbers = slices.Clone(plan.From[:min(len(plan.From), link.MaxCampaigns)])
	c.Template = &link.TemplateRef{Name: plan.Form.Name, Language: plan.Form.Language}
	c.Counts.Waiting, c.Counts.SetAside, c.Counts.Claimed = n.Waiting, n.SetAside, n.Claimed
	c.Counts.Unknown, c.Counts.Cancelled, c.Counts.Refused, c.Counts.Paced = n.Unknown, n.Cancelled, n.Refused, n.Paced
	c.Counts.Messages = n.Messages + n.Waiting + n.SetAside + n.Claimed + n.Unknown + n.Cancelled + n.Refused
	c.Counts.InFlight = n.Messages - n.Delivered - (n.Failed - n.Refused) - n.Paced
	rest := n.Waiting + n.SetAside + n.Claimed
	m.noteSending(l)
	c.Sending = m.sendingView(now, l, *v)
	switch {
	case plan.State == wa.PlanDraft, plan.State == wa.PlanReady, plan.State == wa.PlanCancelled:
		c.State = plan.State
	case rest == 0 && (c.First30.Closed || n.Messages == 0):
		c.State = "finished"
	case rest > 0 && (v.StopFile || m.heldByGate(v, l, &plan)):
		c.State = "paused"
	default:
		c.State = "running"
	}
}

// noteSending notes whether a campaign of ours has more to send. m.mu is held.
func (m *Monitor) noteSending(l *live) {
	if l.Own {
		n := &l.Counts
		l.sending = !m.ended && m.planOf(l).State == wa.PlanRunning && n.Waiting+n.SetAside+n.Claimed > 0
	}
}

// externalState is the state of another system's campaign whose gate is closed:
// it says paused only when the outside has confirmed it, which nothing can yet.
func externalState(state string) string { return state }

// heldByGate tells whether a gate keeps all of a campaign back.
func (m *Monitor) heldByGate(v *queue.View, l *live, p *wa.Plan) bool {
	if gateClosed(v, link.ScopeAll, "") || gateClosed(v, link.ScopeChannel, channelWhatsApp) || gateClosed(v, link.ScopeCampaign, l.Key) {
		return true
	}
	for _, number := range p.From {
		if !gateClosed(v, link.ScopeNumber, number) {
			return false
		}
	}
	return len(p.From) > 0
}

func gateClosed(v *queue.View, scope, id string) bool {
	for _, g := range v.Gates {
		if g.Scope == scope && g.ID == id {
			return g.Closed
		}
	}
	return false
}

// sendingView is how a campaign of ours goes out. m.mu is held.
func (m *Monitor) sendingView(_ wa.Instant, l *live, v queue.View) *link.Sending {
	p := m.planOf(l)
	out := &link.Sending{Pace: p.Pace.String()}
	s, ok := v.Campaigns[l.ID]
	if ok {
		p = s.Plan
		out.PerSecond, out.Pace, out.OpenRequests, out.Held = s.PerSecond, p.Pace.String(), s.OpenRequests, s.Held
		out.EndsAt = moment(s.EndsAt)
	}
	if p.State == wa.PlanReady {
		out.StartsAt = moment(p.StartsAt)
	}
	out.ExpiresAt = moment(p.ExpiresAt)
	for _, t := range p.Aside {
		out.Aside = append(out.Aside, link.AsideTrait{Attribute: wa.Clean(t.Attribute), Value: wa.Clean(t.Value)})
	}
	if len(p.Ramp) > 0 {
		out.Ramp = &link.Ramp{Shares: p.Ramp, Step: p.Step}
	}
	return out
}

func gateView(g wa.Gate) link.Gate {
	state := link.GateOpen
	if g.Closed {
		state = link.GatePaused
	}
	return link.Gate{Scope: g.Scope, ID: g.ID, State: state, By: g.By, Reason: g.Reason, Since: g.Since.Time(), OpensAt: moment(g.OpensAt)}
}
