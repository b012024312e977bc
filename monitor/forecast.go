package monitor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"tickwatch/monitor/link"
	"tickwatch/monitor/list"
	"tickwatch/monitor/queue"
	"tickwatch/store"
	"tickwatch/wa"
)

// forecast says what would go out if a gate were opened, or a campaign started.
func (m *Monitor) forecast(ctx context.Context, a link.ForecastArgs) (link.Forecast, error) {
	scope, id, l, err := m.place(a.GateArgs)
	if err != nil {
		return link.Forecast{}, err
	}
	out := link.Forecast{LeftOut: []link.LeftOut{}, Closed: []link.Gate{}, Findings: []link.Finding{}, Word: "resume"}
	if a.Start {
		out.Word = "start"
	}
	for _, g := range m.closed(scope, id, l) {
		out.Closed = append(out.Closed, gateView(g))
	}
	if !a.Start { // which opens no gate
		out.Beside = m.besideOf(scope, id)
	}
	if l != nil && !l.Own {
		return out, nil
	}
	now := m.o.Now()
	facts, err := m.o.Store.ListFacts(ctx, wa.At(now), FrequencyCap)
	if err != nil {
		return out, err
	}
	held, err := m.o.Store.Suppression(ctx, wa.At(now))
	if err != nil {
		return out, err
	}
	defer held.Close()
	left, later := map[string]int64{}, int64(0)
	for _, c := range m.goingOut(scope, id, l) {
		if l != nil && !a.Start && c.State == wa.PlanDraft {
			out.Held = "it was never started (tickwatch campaign start " + wa.Clean(c.Key) + ")"
			continue
		}
		marketing := c.Form.Category == wa.CategoryMarketing
		if err := m.o.Store.EachWaiting(ctx, c.Campaign, func(phone string) error {
			if h, yes := held.Hold(phone, wa.ChannelWhatsApp, marketing); yes {
				left[h.Class()]++
				return nil
			}
			if marketing && facts.Capped.Has(phone) {
				later++
			}
			out.Going++
			return held.Err()
		}); err != nil {
			return out, err
		}
		if l != nil {
			if c.State == wa.PlanReady && !a.Start {
				out.Held = "it starts at " + c.StartsAt.Time().UTC().Format("2006-01-02 15:04 UTC")
			}
			out.Pace = c.Pace.String()
			out.Findings = append(out.Findings, m.preflight(ctx, &c, &facts, out.Going)...)
			if perSecond := c.Pace.PerSecond(); perSecond > 0 {
				ends := now.Add(time.Duration(float64(out.Going) / perSecond * float64(time.Second))).UTC()
				out.EndsAt = &ends
			}
		}
	}
	if later > 0 {
		out.Findings = append(out.Findings, link.Finding{
			Severity: list.Watch, Text: fmt.Sprintf("%s of them had marketing lately and get theirs when they may, not at once", count(later)), Count: later,
		})
	}
	if m.queue.View().StopFile {
		out.Held = "the file STOP is in the data folder: remove it first"
	}
	out.LeftOut = leftOut(left)
	return out, nil
}

// goingOut are the plans of a campaign, or of all those running ones that would
// send if another gate were open.
func (m *Monitor) goingOut(scope, id string, only *live) (plans []wa.Plan) {
	view := m.queue.View()
	view.Gates = slices.DeleteFunc(slices.Clone(view.Gates), func(g wa.Gate) bool { return g.Scope == scope && g.ID == id })
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, l := range m.campaigns {
		if !l.Own || only != nil && l != only || !m.holds(scope, id, l) {
			continue
		}
		if p := m.planOf(l); only != nil || p.State == wa.PlanRunning && !m.heldByGate(&view, l, &p) {
			plans = append(plans, p)
		}
	}
	return plans
}

// preflight looks again at what has changed since the list was imported.
func (m *Monitor) preflight(ctx context.Context, p *wa.Plan, facts *store.ListFacts, going int64) []link.Finding {
	out := []link.Finding{}
	add := func(severity, text string, n int64) {
		out = append(out, link.Finding{Severity: severity, Text: text, Count: n})
	}
	if m.o.Sending.Meta == nil {
		add(list.Act, "no access to Meta is configured: set graph.access_token and graph.waba_id", 0)
		return out
	}
	forms, err := m.o.Sending.Meta.Templates(ctx)
	if err != nil {
		add(list.Watch, "Meta does not say how the template stands: "+wa.Clean(err.Error()), 0)
	} else {
		i := slices.IndexFunc(forms, func(f wa.TemplateForm) bool { return f.Name == p.Form.Name && f.Language == p.Form.Language })
		spares := 0
		for k := range forms {
			if k != i && swappable(p, &forms[k]) == nil {
				spares++
			}
		}
		switch {
		case i < 0:
			add(list.Act, fmt.Sprintf("the template %s is not there any more", ref(&p.Form)), 0)
		case forms[i].Status != wa.StatusApproved:
			add(list.Act, fmt.Sprintf("the template %s is %s: Meta would refuse every message", ref(&p.Form), wa.Clean(forms[i].Status)), 0)
		case forms[i].Quality == wa.QualityRed:
			add(list.Act, fmt.Sprintf("the template %s has quality RED: Meta is about to pause it", ref(&p.Form)), 0)
		case forms[i].Quality == wa.QualityYellow:
			add(list.Watch, fmt.Sprintf("the template %s has quality YELLOW", ref(&p.Form)), 0)
		}
		if spares == 0 {
			add(list.Watch, "no other approved template has the same variables: none could take its place", 0)
		}
	}
	m.mu.Lock()
	limit, known := m.limitOf(p.From)
	m.mu.Unlock()
	if left := int64(limit) - facts.Used24h; known && going > left {
		add(list.Watch, fmt.Sprintf("Meta lets you write to %s people in 24 hours, %s of them are used: the list is larger than what is left", count(int64(limit)), count(facts.Used24h)), going-left)
	}
	for _, o := range p.Against {
		add(list.Act, o.Text, o.Count)
	}
	return out
}

// limitOf is the messaging limit of numbers: the highest known, for it is the
// portfolio's. m.mu is held.
func (m *Monitor) limitOf(numbers []string) (people int, known bool) {
	take := func(limit wa.Limit) {
		if p, ok := limit.People(); ok && p > people {
			people, known = p, true
		}
	}
	for _, n := range m.joinedNumbers() {
		if slices.Contains(numbers, n.ID) {
			take(n.Limit)
		}
	}
	return people, known
}

func ref(f *wa.TemplateForm) string { return wa.Clean(f.Name + "/" + f.Language) }

// start lets a campaign go out, after the pre-flight.
func (m *Monitor) start(ctx context.Context, command, operator string, a link.StartArgs) (link.Receipt, error) {
	l, plan, err := m.own(a.Campaign)
	if err != nil {
		return link.Receipt{}, err
	}
	if m.o.Sending.Meta == nil {
		return link.Receipt{}, refused("nothing can be sent: set graph.access_token and graph.waba_id, and start the daemon again")
	}
	f, err := m.forecast(ctx, link.ForecastArgs{GateArgs: link.GateArgs{Scope: link.ScopeCampaign, ID: l.Key}, Start: true})
	if err != nil {
		return link.Receipt{}, err
	}
	var against []string
	for _, x := range f.Findings {
		if x.Severity == list.Act {
			against = append(against, x.Text)
		}
	}
	if len(against) > 0 && !a.Force {
		return link.Receipt{}, refused("%s does not start: %s. Mend it, or start with --force", placeName(link.ScopeCampaign, l.Key, l), strings.Join(against, "; "))
	}
	if plan.State == wa.PlanCancelled {
		return link.Receipt{}, refused("%s is cancelled: import the list again to send it", placeName(link.ScopeCampaign, l.Key, l))
	}
	launch := queue.Launch{Ramp: a.Ramp}
	if a.At != nil {
		launch.At = *a.At
	}
	if a.Expires != nil {
		launch.Expires = *a.Expires
	}
	already, err := m.queue.Start(ctx, plan.Campaign, launch)
	if errors.Is(err, queue.ErrNoCampaign) {
		return link.Receipt{}, refused("%s is over: nothing of it waits", placeName(link.ScopeCampaign, l.Key, l))
	}
	if err != nil {
		return link.Receipt{}, err
	}
	r := m.receipt(command, l)
	r.Already = already
	r.Text = m.startText(l, &plan, &r, &a)
	if !already {
		reason := ""
		if len(against) > 0 {
			reason = "forced, despite: " + strings.Join(against, "; ")
		}
		m.record(store.Action{Operator: operator, Verb: "start", Target: l.Key, Reason: reason, Effect: r.Text})
	}
	return r, nil
}

// choices lists the templates that a campaign's rest could go out with.
func (m *Monitor) choices(ctx context.Context, a link.CampaignArgs) (link.Choices, error) {
	l, plan, err := m.own(a.Campaign)
	if err != nil {
		return link.Choices{}, err
	}
	if m.o.Sending.Meta == nil {
		return link.Choices{}, refused("templates cannot be asked for: set graph.access_token and graph.waba_id, and start the daemon again")
	}
	forms, err := m.o.Sending.Meta.Templates(ctx)
	if err != nil {
		return link.Choices{}, err
	}
	values, err := m.o.Store.Sample(ctx, l.ID)
	if err != nil {
		return link.Choices{}, err
	}
	value := func(variable string) string { return plan.Value(values, variable) }
	out := link.Choices{Campaign: l.Key, Current: choice(&plan.Form, nil, value), Others: []link.Choice{}, Waiting: m.receipt("", l).Waiting}
	for i := range forms {
		f := &forms[i]
		if f.Name == plan.Form.Name && f.Language == plan.Form.Language {
			out.Current.Status, out.Current.Quality = f.Status, string(f.Quality)
			continue
		}
		out.Others = append(out.Others, choice(f, &plan, value))
	}
	slices.SortStableFunc(out.Others, func(a, b link.Choice) int {
		rank := func(c link.Choice) string {
			usable, language := "1", "1"
			if c.Usable {
				usable = "0"
			}
			if c.Language == plan.Form.Language {
				language = "0"
			}
			return usable + language + c.Name + c.Language
		}
		return strings.Compare(rank(a), rank(b))
	})
	out.Others = out.Others[:min(len(out.Others), link.MaxChoices)]
	return out, nil
}

// choice draws up a template; with the plan whose rest it might send.
func choice(f *wa.TemplateForm, plan *wa.Plan, value func(string) string) link.Choice {
	c := link.Choice{
		TemplateRef: link.TemplateRef{Name: f.Name, Language: f.Language},
		Category:    f.Category, Status: f.Status, Quality: string(f.Quality), Usable: true,
	}
	if plan != nil {
		if err := swappable(plan, f); err != nil {
			c.Usable, c.Why = false, err.Error()
		}
	}
	filled, err := f.Fill(value)
	if err == nil {
		c.Preview = f.Preview(filled)
	} else {
		c.Preview = f.Preview(wa.Filled{})
	}
	return c
}

// swappable tells whether what waits of a campaign can be sent with a template.
func swappable(p *wa.Plan, f *wa.TemplateForm) error {
	switch {
	case f.Status != wa.StatusApproved:
		return fmt.Errorf("it is %s", strings.ToLower(wa.Clean(f.Status)))
	case len(f.Unfillable) > 0:
		return fmt.Errorf("tickwatch cannot fill %s", wa.Clean(f.Unfillable[0]))
	case !f.SameVariables(&p.Form):
		return errors.New("its variables are others")
	case p.Form.Category != wa.CategoryMarketing && f.Category == wa.CategoryMarketing:
		return errors.New("it is marketing, and the campaign is not")
	}
	return nil
}

// swap sends the rest of a campaign with another template.
func (m *Monitor) swap(ctx context.Context, command, operator string, a link.SwapArgs) (link.Receipt, error) {
	l, plan, err := m.own(a.Campaign)
	if err != nil {
		return link.Receipt{}, err
	}
	if m.o.Sending.Meta == nil {
		return link.Receipt{}, refused("templates cannot be asked for: set graph.access_token and graph.waba_id, and start the daemon again")
	}
	r := m.receipt(command, l)
	if plan.Form.Name == a.Template.Name && plan.Form.Language == a.Template.Language {
		r.Already, r.Text = true, fmt.Sprintf("%s goes out with %s already.", placeName(link.ScopeCampaign, l.Key, l), ref(&plan.Form))
		return r, nil
	}
	form, err := m.o.Sending.Meta.Template(ctx, a.Template.Name, a.Template.Language)
	if err != nil {
		return link.Receipt{}, err
	}
	if err := swappable(&plan, &form); err != nil {
		return link.Receipt{}, refused("%s cannot take its place: %v", ref(&form), err)
	}
	if err := m.queue.Swap(ctx, plan.Campaign, form, plan.Bind); err != nil {
		return link.Receipt{}, err
	}
	r = m.receipt(command, l)
	r.Text = fmt.Sprintf("%s goes on with %s: %s waiting.", placeName(link.ScopeCampaign, l.Key, l), ref(&form), count(r.Waiting))
	if m.going(link.ScopeCampaign, l.Key) == 0 {
		r.Text = fmt.Sprintf("%s has the template %s now: %s waiting. Nothing was resumed or started.", placeName(link.ScopeCampaign, l.Key, l), ref(&form), count(r.Waiting))
	}
	m.record(store.Action{Operator: operator, Verb: "swap", Target: l.Key, Effect: ref(&plan.Form) + " → " + ref(&form)})
	return r, nil
}
