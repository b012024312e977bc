package monitor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"tickwatch/monitor/link"
	"tickwatch/monitor/queue"
	"tickwatch/store"
	"tickwatch/wa"
)

// send carries out the verbs about what goes out; ok is false for any other.
func (m *Monitor) send(ctx context.Context, operator string, cmd link.Command) (answer any, ok bool, err error) {
	came := time.Now()
	switch cmd.Verb {
	case link.VerbPause:
		answer, err = with(cmd, func(a link.GateArgs) (any, error) { return m.pause(ctx, cmd.ID, operator, came, a) })
	case link.VerbResume:
		answer, err = with(cmd, func(a link.ResumeArgs) (any, error) { return m.resume(ctx, cmd.ID, operator, a) })
	case link.VerbForecast:
		answer, err = with(cmd, func(a link.ForecastArgs) (any, error) { return m.forecast(ctx, a) })
	case link.VerbStart:
		answer, err = with(cmd, func(a link.StartArgs) (any, error) { return m.start(ctx, cmd.ID, operator, a) })
	case link.VerbCancel:
		answer, err = with(cmd, func(a link.CampaignArgs) (any, error) { return m.cancelRest(ctx, cmd.ID, operator, a) })
	case link.VerbPace:
		answer, err = with(cmd, func(a link.PaceArgs) (any, error) { return m.setPace(ctx, operator, a) })
	case link.VerbChoices:
		answer, err = with(cmd, func(a link.CampaignArgs) (any, error) { return m.choices(ctx, a) })
	case link.VerbSwap:
		answer, err = with(cmd, func(a link.SwapArgs) (any, error) { return m.swap(ctx, cmd.ID, operator, a) })
	case link.VerbRetry:
		answer, err = with(cmd, func(a link.RetryArgs) (any, error) { return m.retry(ctx, operator, a) })
	case link.VerbResolve:
		answer, err = with(cmd, func(a link.ResolveArgs) (any, error) { return m.resolve(ctx, operator, a) })
	case link.VerbNote:
		answer, err = with(cmd, func(a link.NoteArgs) (any, error) { return m.note(operator, a) })
	default:
		return nil, false, nil
	}
	return answer, true, err
}

func refused(format string, args ...any) error {
	return &link.Fault{Kind: link.FaultRefused, Text: fmt.Sprintf(format, args...)}
}

func failed(format string, args ...any) error {
	return &link.Fault{Kind: link.FaultFailed, Text: fmt.Sprintf(format, args...)}
}

func usage(format string, args ...any) error {
	return &link.Fault{Kind: link.FaultUsage, Text: fmt.Sprintf(format, args...)}
}

// place resolves what a command names, and the campaign if it is one.
func (m *Monitor) place(a link.GateArgs) (scope, id string, l *live, err error) {
	switch a.Scope {
	case "", link.ScopeAll:
		return link.ScopeAll, "", nil, nil
	case link.ScopeChannel:
		if channelNames[a.ID] == "" {
			return "", "", nil, usage("%q is no channel: there are whatsapp, sms, voice and email", wa.Clean(a.ID))
		}
		return a.Scope, a.ID, nil, nil
	case link.ScopeNumber:
		if id, ok := m.numberCalled(a.ID); ok {
			return a.Scope, id, nil, nil
		}
		return "", "", nil, failed("no number is known as %q: `tickwatch status --json` lists them", wa.Clean(a.ID))
	case link.ScopeCampaign:
		m.mu.Lock()
		defer m.mu.Unlock()
		if l, err = m.find(a.ID); err != nil {
			return "", "", nil, err
		}
		return a.Scope, l.Key, l, nil
	}
	return "", "", nil, usage("%q cannot be paused: give a campaign, a number, a channel, or nothing for everything", wa.Clean(a.Scope))
}

// pause closes a gate. Nothing here comes before that but finding which.
func (m *Monitor) pause(ctx context.Context, command, operator string, came time.Time, a link.GateArgs) (link.Receipt, error) {
	scope, id, l, err := m.place(a)
	if err != nil {
		return link.Receipt{}, err
	}
	found := time.Since(came)
	stopped, err := m.queue.Pause(ctx, scope, id, operator, wa.Clean(a.Reason))
	if err != nil {
		return link.Receipt{}, err
	}
	r := m.receiptOf(command, scope, id, l)
	r.Already, r.Stored, r.OpenRequests = stopped.Already, stopped.Stored, stopped.Open
	if ofOther(scope, id) {
		r.OpenRequests = stopped.Beside
	} else {
		r.OpenBeside, r.Beside = stopped.Beside, m.besideOf(scope, id)
		takeOff(r.Beside, int64(stopped.Beside))
	}
	r.Waiting -= min(r.Waiting, int64(r.OpenRequests)) // they are on their way
	if !stopped.Already {
		r.ClosedMS = float64((found + stopped.ClosedAfter).Microseconds()) / 1000
	}
	if !stopped.LastStarted.IsZero() {
		at := stopped.LastStarted.UTC()
		r.LastSendStartedAt = &at
	}
	r.Text = pauseText(scope, id, l, &r)
	if !stopped.Already {
		m.record(store.Action{Operator: operator, Verb: "pause", Target: gateName(scope, id), Reason: wa.Clean(a.Reason), Effect: r.Text})
	}
	return r, nil
}

// resume opens a gate.
func (m *Monitor) resume(ctx context.Context, command, operator string, a link.ResumeArgs) (link.Receipt, error) {
	scope, id, l, err := m.place(a.GateArgs)
	if err != nil {
		return link.Receipt{}, err
	}
	first, err := m.second(operator, scope, id, l)
	if err != nil {
		return link.Receipt{}, err
	}
	var at time.Time
	if a.At != nil {
		at = *a.At
	}
	res, err := m.queue.Resume(ctx, scope, id, operator, at)
	if errors.Is(err, queue.ErrStopFile) {
		return link.Receipt{}, refused("%v", err)
	}
	if err != nil {
		return link.Receipt{}, err
	}
	r := m.receiptOf(command, scope, id, l)
	r.Already = res.Already
	beside := m.besideOf(scope, id)
	if !ofOther(scope, id) {
		r.Beside = beside
	}
	r.Text = m.resumeText(scope, id, l, &r, beside, a.At)
	if first != "" {
		r.Text += fmt.Sprintf(" Asked for by %s, confirmed by %s.", first, operator)
	}
	if !r.Already {
		m.record(store.Action{Operator: operator, Verb: "resume", Target: gateName(scope, id), Effect: r.Text})
	}
	return r, nil
}

// own finds one of our own campaigns, and its plan.
func (m *Monitor) own(name string) (*live, wa.Plan, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	l, err := m.find(name)
	if err != nil {
		return nil, wa.Plan{}, err
	}
	if !l.Own {
		return nil, wa.Plan{}, refused("%s is sent by another system: tickwatch only watches it", wa.Clean(l.Name))
	}
	return l, m.planOf(l), nil
}

// planOf is a campaign's plan as the queue has it, or had it. m.mu is held.
func (m *Monitor) planOf(l *live) wa.Plan {
	if p, ok := m.queue.Plan(l.ID); ok {
		m.plans[l.ID] = p
	}
	return m.plans[l.ID]
}

// cancelRest ends a campaign, and what goes out for it by other channels.
func (m *Monitor) cancelRest(ctx context.Context, command, operator string, a link.CampaignArgs) (link.Receipt, error) {
	l, _, err := m.own(a.Campaign)
	if err != nil {
		return link.Receipt{}, err
	}
	n, already, err := m.queue.Cancel(ctx, l.ID)
	stored := err == nil
	if err != nil && errors.Is(err, queue.ErrNoCampaign) {
		already, stored = true, true
	} else if err != nil {
		m.o.Log.Error("a cancelled campaign is not on the disk yet; it is tried on", "campaign", wa.Clean(l.Key), "error", err)
	}
	beside, endErr := m.endFallbacks(ctx, l.ID, operator)
	r := m.receipt(command, l)
	r.Already, r.Stored, r.EndedBeside = already && beside.ended == 0, stored, beside.ended
	name := placeName(link.ScopeCampaign, l.Key, l)
	r.Text = fmt.Sprintf("%s is cancelled: %s that waited will not be sent.", name, count(n))
	if already {
		r.Text = name + " was over already."
	}
	if beside.ended > 0 {
		r.Text += fmt.Sprintf(" By other channels %s that waited will not be sent either.", messageWord(beside.ended))
	}
	if endErr != nil {
		m.o.Log.Error("what a cancelled campaign sends by other channels could not be ended", "campaign", wa.Clean(l.Key), "error", endErr)
		r.Stored, r.Text = false, r.Text+" What waits by other channels could not be cancelled: pause it, then try again."
	}
	if !r.Already {
		m.record(store.Action{Operator: operator, Verb: "cancel", Target: l.Key, Effect: r.Text})
	}
	return r, nil
}

// paces are the steps of + and -.
var paces = []wa.Pace{
	{Messages: 60, Per: time.Hour},
	{Messages: 120, Per: time.Hour},
	{Messages: 250, Per: time.Hour},
	{Messages: 500, Per: time.Hour},
	{Messages: 1000, Per: time.Hour},
	{Messages: 2000, Per: time.Hour},
	{Messages: 5000, Per: time.Hour},
	{Messages: 10_000, Per: time.Hour},
	{Messages: 5, Per: time.Second},
	{Messages: 10, Per: time.Second},
	{Messages: 20, Per: time.Second},
	{Messages: 40, Per: time.Second},
	{Messages: 80, Per: time.Second},
	{},
}

// step is the pace one step faster or slower. No limit is the fastest.
func step(p wa.Pace, by int) wa.Pace {
	fast := func(p wa.Pace) float64 {
		if p.PerSecond() == 0 {
			return 1e9
		}
		return p.PerSecond()
	}
	if by > 0 {
		for _, next := range paces {
			if fast(next) > fast(p)*1.001 {
				return next
			}
		}
		return p
	}
	for _, next := range slices.Backward(paces) {
		if fast(next) < fast(p)*0.999 {
			return next
		}
	}
	return p
}

func (m *Monitor) setPace(ctx context.Context, operator string, a link.PaceArgs) (link.Sending, error) {
	l, plan, err := m.own(a.Campaign)
	if err != nil {
		return link.Sending{}, err
	}
	pace := step(plan.Pace, a.Step)
	if a.Rate != "" {
		if pace, err = wa.ParsePace(a.Rate); err != nil {
			return link.Sending{}, usage("%v", err)
		}
	}
	if pace != plan.Pace {
		if err := m.queue.SetPace(ctx, l.ID, pace); err != nil {
			return link.Sending{}, err
		}
		m.record(store.Action{Operator: operator, Verb: "pace", Target: l.Key, Effect: plan.Pace.String() + " → " + pace.String()})
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return *m.sendingView(wa.At(m.o.Now()), l, m.queue.View()), nil
}

func (m *Monitor) resolve(ctx context.Context, operator string, a link.ResolveArgs) (link.Resolved, error) {
	if a.As != "sent" && a.As != "not-sent" {
		return link.Resolved{}, usage("%q is neither sent nor not-sent", wa.Clean(a.As))
	}
	if a.Channel != "" && a.Channel != channelWhatsApp {
		return m.resolveFallback(ctx, operator, a)
	}
	l, _, err := m.own(a.Campaign)
	if err != nil {
		return link.Resolved{}, err
	}
	n, err := m.o.Store.Resolve(ctx, l.ID, a.As == "sent")
	if err != nil {
		return link.Resolved{}, err
	}
	if n > 0 {
		m.record(store.Action{Operator: operator, Verb: "resolve", Target: l.Key, Effect: fmt.Sprintf("%s that may have gone out: %s", count(n), a.As)})
		m.queue.Wake(l.ID)
	}
	return link.Resolved{Resolved: n}, nil
}

// maxNote bounds a note, in bytes.
const maxNote = 500

func (m *Monitor) note(operator string, a link.NoteArgs) (link.Action, error) {
	text := strings.TrimSpace(wa.Clean(a.Text))
	if text == "" || len(text) > maxNote {
		return link.Action{}, usage("a note has between 1 and %d characters", maxNote)
	}
	return m.record(store.Action{Operator: operator, Verb: "note", Target: wa.Clean(a.Campaign), Effect: text}), nil
}

// retryRule is who may be tried again through WhatsApp: where the catalogue and
// the suppression rules both allow it, the stricter wins.
func retryRule(now wa.Instant) store.RetryRule {
	return func(f store.Failed) string {
		known := wa.Explain(f.Code, "")
		since := now.Sub(f.At)
		switch {
		case f.Retried:
			return "tried again already"
		case f.Held != "":
			return f.Held
		case known.Retry == wa.RetryNever, known.Suppression == wa.SuppressPermanent, known.Suppression == wa.SuppressUntilUnblocked:
			return fmt.Sprintf("%d is never tried again", f.Code)
		case known.Suppression == wa.SuppressUntilInbound && f.WroteAt <= f.At:
			return fmt.Sprintf("%d: not before the person writes to us", f.Code)
		case (known.Suppression == wa.Suppress24h || known.Retry == wa.RetryLater) && since < 24*time.Hour:
			return fmt.Sprintf("%d: not within 24 hours", f.Code)
		}
		return ""
	}
}

func (m *Monitor) retry(ctx context.Context, operator string, a link.RetryArgs) (link.Retried, error) {
	l, plan, err := m.own(a.Campaign)
	if err != nil {
		return link.Retried{}, err
	}
	if plan.State == wa.PlanCancelled {
		return link.Retried{}, refused("%s is cancelled: nothing of it is sent any more", wa.Clean(l.Name))
	}
	got, err := m.o.Store.Retry(ctx, l.ID, a.Codes, retryRule(wa.At(m.o.Now())), a.DryRun)
	if err != nil {
		return link.Retried{}, err
	}
	out := link.Retried{Eligible: got.Queued, LeftOut: leftOut(got.LeftOut)}
	if a.DryRun {
		return out, nil
	}
	out.Queued = got.Queued
	if got.Queued > 0 {
		m.queue.Add(plan)
		m.queue.Wake(l.ID)
		m.record(store.Action{Operator: operator, Verb: "retry", Target: l.Key, Effect: count(got.Queued) + " failed messages are tried again"})
	}
	return out, nil
}

func leftOut(by map[string]int64) []link.LeftOut {
	out := []link.LeftOut{}
	for reason, n := range by {
		if n > 0 {
			out = append(out, link.LeftOut{Reason: reason, Count: n})
		}
	}
	slices.SortFunc(out, func(a, b link.LeftOut) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Reason, b.Reason))
	})
	return out
}
