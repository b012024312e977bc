package monitor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"tickwatch/monitor/link"
	"tickwatch/monitor/list"
	"tickwatch/monitor/queue"
	"tickwatch/store"
	"tickwatch/wa"
)

// own phones of a test send.
const (
	minTest, maxTest = 100, 200
	testPatience     = 2 * time.Minute // of the daemon's clock, for the callbacks of the last message
	testSlow         = time.Second
	testCallbacks    = 0.99
)

// test sends a campaign's template to own phones and judges how that went.
func (m *Monitor) test(operator string, a link.TestArgs) (link.Job, error) {
	l, plan, err := m.own(a.Campaign)
	if err != nil {
		return link.Job{}, err
	}
	if m.o.Sending.Meta == nil {
		return link.Job{}, refused("nothing can be sent: set graph.access_token and graph.waba_id, and start the daemon again")
	}
	if paused := m.stillPaused(link.ScopeCampaign, l.Key, l); paused != "" {
		return link.Job{}, refused("a test cannot go out now.%s Resume it first", paused)
	}
	values, err := m.o.Store.Sample(context.Background(), l.ID)
	if err != nil {
		return link.Job{}, err
	}
	return m.begin(a.Upload, "reading the phones", func(ctx context.Context, u *upload, j *job) error {
		return m.runTest(ctx, operator, u, j, &plan, values)
	})
}

func (m *Monitor) runTest(ctx context.Context, operator string, u *upload, j *job, plan *wa.Plan, values []string) error {
	r, err := list.Open(u.path, u.name)
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }()
	judge, err := list.NewJudge(r, list.Options{}, list.Facts{Now: m.o.Now()})
	if err != nil {
		return err
	}
	trial := *plan
	trial.Name, trial.Pace, trial.Against = plan.Name+" test", wa.Pace{Messages: 20, Per: time.Second}, nil
	into, err := m.o.Store.Import(trial, true)
	if err != nil {
		return err
	}
	defer into.Abort()
	known, err := m.o.Store.ListFacts(ctx, wa.At(m.o.Now()), FrequencyCap)
	if err != nil {
		return err
	}
	phones, lately := int64(0), int64(0)
	for {
		v, err := judge.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		switch {
		case v.Reason != "":
			continue
		case plan.Form.Category == wa.CategoryMarketing && known.Capped.Has(v.Phone):
			lately++ // they would get it hours from now
			continue
		}
		phones++
		if err := into.Add(store.Recipient{Phone: v.Phone, Line: v.Line, Values: values}); err != nil {
			return err
		}
	}
	if phones < minTest || phones > maxTest {
		left := ""
		if lately > 0 {
			left = fmt.Sprintf(" that may be written to now: %s had marketing in the last hours; take other phones, or test again later", count(lately))
		}
		return usage("a test goes to between %d and %d own phones, and this list has %d%s", minTest, maxTest, phones, left)
	}
	made, err := into.Finish(ctx, nil)
	if err != nil {
		return err
	}
	m.sends.watch(made.Key)
	m.mu.Lock()
	m.plans[made.Campaign] = made
	m.mu.Unlock()
	m.queue.Add(made)
	defer m.sends.slowest(made.Key)
	defer m.endTest(ctx, made.Campaign)
	if _, err := m.start(ctx, "", operator, link.StartArgs{Campaign: made.Key, Force: true}); err != nil {
		return err
	}
	tested, err := m.awaitTest(ctx, j, made.Key, phones)
	if err != nil {
		return err
	}
	j.update(func(s *link.Job) { s.Tested = &tested })
	verdict := "failed"
	if tested.Pass {
		verdict = "passed"
	}
	m.record(store.Action{Operator: operator, Verb: "test", Target: plan.Key, Effect: fmt.Sprintf("%s: %s sent, %s arrived", verdict, count(tested.Sent), count(tested.Arrived))})
	return nil
}

// endTest cancels what of a test did not go out, in time or because it was called
// off: it must not come later.
func (m *Monitor) endTest(ctx context.Context, campaign int64) {
	m.mu.Lock()
	c := m.campaigns[campaign].Counts
	m.mu.Unlock()
	if c.Waiting+c.SetAside+c.Claimed == 0 {
		return
	}
	if _, _, err := m.queue.Cancel(context.WithoutCancel(ctx), campaign); err != nil && !errors.Is(err, queue.ErrNoCampaign) {
		m.o.Log.Warn("the rest of a test is not cancelled on the disk yet; it is tried on", "error", err)
	}
}

// awaitTest waits until every message of a test has an answer, or long enough.
func (m *Monitor) awaitTest(ctx context.Context, j *job, key string, phones int64) (link.Tested, error) {
	j.update(func(s *link.Job) { s.Stage = "sending to the phones" })
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	handed, before := false, int64(0)
	moved := m.o.Now() // when the last message went out
	var c store.Counts
	for {
		m.mu.Lock()
		c = m.byKey[key].Counts
		m.mu.Unlock()
		gone := c.Messages + c.Refused + c.Cancelled + c.Unknown
		answered := c.Delivered + c.Failed
		j.update(func(s *link.Job) { s.Rows, s.Share = gone, float64(gone+answered)/float64(2*phones) })
		if gone >= phones && !handed {
			handed = true
			j.update(func(s *link.Job) { s.Stage = "waiting for the callbacks" })
		}
		if gone > before {
			before, moved = gone, m.o.Now()
		}
		if answered+c.Cancelled >= phones || m.o.Now().Sub(moved) > testPatience {
			break
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return link.Tested{}, fmt.Errorf("the daemon ended: %w", ctx.Err())
		}
	}
	t := judgeTest(c, m.sends.slowest(key))
	if rest := c.Waiting + c.Claimed; rest > 0 {
		t.Pass = false
		t.Findings = append(t.Findings, link.Finding{Severity: list.Act, Text: "messages that did not go out in time and are given up: see the alarms", Count: rest})
	}
	return t, nil
}

// judgeTest holds a test against what a send should be like.
func judgeTest(c store.Counts, slowest time.Duration) link.Tested {
	t := link.Tested{Sent: c.Messages, Arrived: c.Delivered, SlowMS: float64(slowest.Microseconds()) / 1000, Findings: []link.Finding{}}
	told := c.Sent + max(c.Failed-c.Refused, 0)
	t.Callback = min(float64(told)/float64(max(c.Messages, 1)), 1)
	add := func(severity, text string, n int64) {
		t.Findings = append(t.Findings, link.Finding{Severity: severity, Text: text, Count: n})
	}
	if slowest >= testSlow {
		add(list.Act, fmt.Sprintf("the slowest send took %s; each should take under a second", slowest.Round(10*time.Millisecond)), 0)
	}
	if t.Callback <= testCallbacks {
		add(list.Act, "webhooks are missing: see that the subscription and the public address are right (tickwatch doctor)", c.Messages-told)
	}
	if c.Refused > 0 {
		add(list.Act, "messages that Meta refused at once", c.Refused)
	}
	if c.Unknown > 0 {
		add(list.Act, "sends without an answer", c.Unknown)
	}
	if failed := c.Failed - c.Refused; failed > 0 {
		add(list.Act, "messages that failed: see the errors of the test campaign", failed)
	}
	if rest := c.Messages - c.Delivered - (c.Failed - c.Refused); rest > 0 {
		add(list.Watch, "messages that have not arrived yet", rest)
	}
	t.Pass = cmp.Compare(t.Sent, 0) > 0
	for _, f := range t.Findings {
		t.Pass = t.Pass && f.Severity != list.Act
	}
	return t
}
