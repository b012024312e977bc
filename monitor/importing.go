package monitor

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"tickwatch/monitor/link"
	"tickwatch/monitor/list"
	"tickwatch/store"
	"tickwatch/wa"
)

// list judges a list, or makes a campaign of it.
func (m *Monitor) list(operator string, a link.ListArgs) (link.Job, error) {
	if a.Import && (a.Template == nil || a.Name == "" || len(a.From) == 0) {
		return link.Job{}, usage("a campaign needs a name, a template and a number to be sent from")
	}
	if a.Template != nil && m.o.Sending.Meta == nil {
		return link.Job{}, refused("templates cannot be asked for: set graph.access_token and graph.waba_id, and start the daemon again")
	}
	return m.begin(a.Upload, "reading the list", func(ctx context.Context, u *upload, j *job) error {
		var form *wa.TemplateForm
		if a.Template != nil {
			f, err := m.o.Sending.Meta.Template(ctx, a.Template.Name, a.Template.Language)
			if err != nil {
				return err
			}
			form = &f
		}
		if a.Import {
			if err := m.knownNumbers(ctx, a.From); err != nil {
				return err
			}
		}
		return m.judgeList(ctx, operator, u, j, form, &a)
	})
}

// knownNumbers refuses numbers that are not the account's: Meta would refuse each
// message. Where Meta does not say, they are taken.
func (m *Monitor) knownNumbers(ctx context.Context, from []string) error {
	if m.o.Sending.Numbers == nil {
		return nil
	}
	news, err := m.o.Sending.Numbers(ctx)
	if err != nil || len(news) == 0 {
		return nil //nolint:nilerr // the first message will tell
	}
	names := make([]string, len(news))
	for i := range news {
		names[i] = wa.Clean(news[i].ID) + " (" + display(news[i].Display) + ")"
	}
	for _, id := range from {
		if !slices.ContainsFunc(news, func(n NumberNews) bool { return n.ID == id }) {
			return usage("%q is not the phone_number_id of a number of this account; it has %s", wa.Clean(id), strings.Join(names, ", "))
		}
	}
	return nil
}

// judgeList reads a list to its end.
func (m *Monitor) judgeList(ctx context.Context, operator string, u *upload, j *job, form *wa.TemplateForm, a *link.ListArgs) error {
	held, err := m.o.Store.Suppression(ctx, wa.At(m.o.Now()))
	if err != nil {
		return err
	}
	defer held.Close()
	facts, err := m.listFacts(ctx, form, a.From)
	if err != nil {
		return err
	}
	facts.OptedOut = func(phone string) bool { return held.HeldBy(phone, wa.RuleOptedOut) }
	facts.Refuser = func(phone string) bool { return held.HeldBy(phone, wa.RuleRefuser) }
	marketing := form == nil || form.Category == wa.CategoryMarketing
	facts.Suppressed = func(phone string) string {
		if h, yes := held.Hold(phone, wa.ChannelWhatsApp, marketing); yes {
			return h.Why()
		}
		return ""
	}
	r, err := list.Open(u.path, u.name)
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }()
	judge, err := list.NewJudge(r, list.Options{
		Phone: a.Phone, Consent: a.Consent, Country: a.Country, Form: form, Map: a.Map, Attributes: a.Attributes,
		InvalidAct: m.o.Thresholds.InvalidAct, RefusersAct: m.o.Thresholds.RefusersAct,
	}, facts)
	if err != nil {
		return err
	}
	var into *store.Import
	if a.Import {
		plan := wa.Plan{
			Name: a.Name, Form: *form, Columns: judge.Columns(), Bind: judge.Bind(), Contact: judge.Contact(), From: a.From, Marketing: a.Marketing, Pace: m.o.Sending.Pace,
		}
		if into, err = m.o.Store.Import(plan, a.InOrder); err != nil {
			return err
		}
		defer into.Abort()
	}
	if err := errors.Join(eachVerdict(ctx, r, judge, j, m.o.Sending.Folder, into), held.Err()); err != nil {
		return err
	}
	held.Close() // writing the campaign takes its time
	check := judge.Check()
	found := checkView(&check)
	j.update(func(s *link.Job) { s.Check = &found })
	if into == nil {
		return nil
	}
	for _, phone := range judge.Withdrawn() {
		into.LeaveOut(phone)
	}
	into.Object(objections(check.Findings))
	return m.finishImport(ctx, operator, j, into, &check)
}

// eachVerdict hands the rows of a list on.
func eachVerdict(ctx context.Context, r *list.Reader, judge *list.Judge, j *job, folder string, into *store.Import) error {
	file, err := os.CreateTemp(folder, uploadFile)
	if err != nil {
		return fmt.Errorf("making room for rejected rows: %w", err)
	}
	_ = os.Remove(file.Name())
	j.rejected = file
	rejects := csv.NewWriter(file)
	for n := int64(0); ; n++ {
		v, err := judge.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		switch {
		case v.Reason != "":
			if len(v.Value) > maxRejected { // a page of them has to fit into a message
				v.Value = strings.ToValidUTF8(v.Value[:maxRejected], "") + "…"
			}
			if err := rejects.Write([]string{fmt.Sprint(v.Line), v.Value, v.Reason}); err != nil {
				return fmt.Errorf("keeping a rejected row: %w", err)
			}
			if into != nil {
				into.Reject(store.RejectedRow{Line: v.Line, Value: wa.Clean(v.Value), Reason: v.Reason})
			}
		case into != nil:
			if err := into.Add(store.Recipient{Phone: v.Phone, Line: v.Line, Values: v.Values}); err != nil {
				return err
			}
		}
		if n%1024 == 0 {
			if err := ctx.Err(); err != nil {
				return fmt.Errorf("broken off: %w", err)
			}
			j.update(func(s *link.Job) { s.Rows, s.Share = n, r.Done()*0.6 })
		}
	}
	rejects.Flush()
	return rejects.Error()
}

// finishImport writes the campaign.
func (m *Monitor) finishImport(ctx context.Context, operator string, j *job, into *store.Import, check *list.Check) error {
	j.update(func(s *link.Job) { s.Stage = "writing the campaign" })
	plan, err := into.Finish(ctx, func(rows int64) {
		j.update(func(s *link.Job) { s.Rows, s.Share = rows, 0.6+0.4*float64(rows)/float64(max(check.Valid, 1)) })
	})
	if err != nil {
		return err
	}
	m.mu.Lock()
	m.plans[plan.Campaign] = plan
	twin := false // an impatient second try looks just like the first
	for _, l := range m.campaigns {
		twin = twin || l.Name == plan.Name && l.Key != plan.Key
	}
	m.mu.Unlock()
	if twin {
		j.update(func(s *link.Job) {
			found := *s.Check // others may be reading the one that was shown
			found.Findings = append(slices.Clone(found.Findings), link.Finding{
				Severity: list.Watch, Text: fmt.Sprintf("another campaign is called %s, too: this one goes by its id, %s", wa.Clean(plan.Name), plan.Key),
			})
			s.Check = &found
		})
	}
	m.queue.Add(plan)
	j.campaign = plan.Campaign
	j.update(func(s *link.Job) {
		s.Imported = &link.Import{ID: plan.Key, Waiting: plan.Rows, Rejected: check.Rows - plan.Rows}
	})
	m.record(store.Action{Operator: operator, Verb: "import", Target: plan.Key, Effect: fmt.Sprintf("%s waiting, %s rejected", count(plan.Rows), count(check.Rows-plan.Rows))})
	return nil
}

// objections are the findings that keep a campaign from starting, which stay with
// its plan; the others are looked at anew.
func objections(all []list.Finding) (act []wa.Objection) {
	for _, f := range all {
		if f.Severity == list.Act {
			act = append(act, wa.Objection{Text: f.Text, Count: f.Count})
		}
	}
	return act
}

// listFacts is what is known of people, the account and the template.
func (m *Monitor) listFacts(ctx context.Context, form *wa.TemplateForm, from []string) (list.Facts, error) {
	known, err := m.o.Store.ListFacts(ctx, wa.At(m.o.Now()), FrequencyCap)
	if err != nil {
		return list.Facts{}, err
	}
	f := list.Facts{Used: int(known.Used24h), Pace: m.o.Sending.Pace, Now: m.o.Now()}
	if form == nil || form.Category == wa.CategoryMarketing {
		f.Capped = known.Capped.Has
	}
	m.mu.Lock()
	f.People, _ = m.limitOf(from)
	m.mu.Unlock()
	if form == nil {
		f.NoTemplate = true
		return f, nil
	}
	forms, err := m.o.Sending.Meta.Templates(ctx)
	if err != nil {
		f.NoTemplate = true
		return f, nil //nolint:nilerr // the list is judged without
	}
	for i := range forms {
		if (forms[i].Name != form.Name || forms[i].Language != form.Language) && forms[i].Status == wa.StatusApproved && forms[i].SameVariables(form) {
			f.Spares++
		}
	}
	return f, nil
}

func checkView(c *list.Check) link.Check {
	out := link.Check{
		OK: c.OK(), Rows: c.Rows, Valid: c.Valid, Invalid: c.Invalid, Duplicates: c.Duplicates,
		Suppressed: c.Suppressed, Refusers: c.Refusers, Capped: c.Capped, Findings: []link.Finding{},
	}
	for _, f := range c.Findings {
		out.Findings = append(out.Findings, link.Finding{Severity: f.Severity, Text: f.Text, Count: f.Count})
	}
	return out
}
