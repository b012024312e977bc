package queue_test

import (
	"context"
	"fmt"
	"slices"
	"time"

	"tickwatch/wa"
)

// truth is a message as Meta knows it.
type truth struct {
	phone, data, wamid string
	campaign           int64
	template           string
}

// weather is how likely each answer is, in percent; the rest is accepted.
type weather struct{ refuse, slow, pair, platform, silentTaken, silentLost, unsent, early, account, template int }

func (m *machine) problem(format string, args ...any) {
	m.problems = append(m.problems, fmt.Sprintf(format, args...))
}

// Send is Meta.
func (m *machine) Send(ctx context.Context, from string, o *wa.Outgoing, begin func() error) (wa.Accepted, error) {
	m.mu.Lock()
	dial := time.Duration(m.random.IntN(40)) * time.Millisecond
	takes := time.Duration(m.random.IntN(200)) * time.Millisecond
	hangs := m.random.IntN(50) == 0
	dice, w := m.random.IntN(100), m.weather
	m.mu.Unlock()
	fate := func(share int) bool {
		dice -= share
		return dice < 0
	}
	if fate(w.unsent) {
		return wa.Accepted{}, fmt.Errorf("%w: connection refused", wa.ErrNotSent)
	}
	if !rest(ctx, dial) {
		return wa.Accepted{}, fmt.Errorf("%w: %w", wa.ErrNotSent, ctx.Err())
	}
	if err := begin(); err != nil {
		return wa.Accepted{}, fmt.Errorf("%w: %w", wa.ErrNotSent, err)
	}
	t := m.began(from, o)
	o.Written()
	switch {
	case fate(w.refuse):
		rest(ctx, takes)
		return wa.Accepted{}, &wa.Refusal{Code: 131026, Details: "not on WhatsApp"}
	case fate(w.slow):
		return wa.Accepted{}, &wa.Refusal{Code: 130429, HTTP: 429, RetryAfter: 2 * time.Second}
	case fate(w.pair):
		return wa.Accepted{}, &wa.Refusal{Code: 131056}
	case fate(w.platform):
		return wa.Accepted{}, &wa.Refusal{Code: 131000}
	case fate(w.account):
		return wa.Accepted{}, &wa.Refusal{Code: 190, HTTP: 401}
	case fate(w.template):
		return wa.Accepted{}, &wa.Refusal{Code: 132015}
	case fate(w.silentLost):
		rest(ctx, 5*time.Second)
		return wa.Accepted{}, fmt.Errorf("%w: no answer", wa.ErrMayHaveGone)
	case fate(w.silentTaken):
		m.accept(t)
		rest(ctx, 5*time.Second)
		return wa.Accepted{}, fmt.Errorf("%w: no answer", wa.ErrMayHaveGone)
	case fate(w.early): // its webhook comes before its answer
		m.accept(t)
		m.tell(t, wa.StatusSent)
	default:
		m.accept(t)
	}
	if hangs {
		takes = 4 * time.Second
	}
	if !rest(ctx, takes) {
		return wa.Accepted{}, fmt.Errorf("%w: %w", wa.ErrMayHaveGone, ctx.Err())
	}
	return wa.Accepted{WAMID: t.wamid, Person: wa.Person{Phone: wa.Digits(o.To)}}, nil
}

// began holds what must be true of every request at the moment when it begins.
func (m *machine) began(from string, o *wa.Outgoing) *truth {
	m.mu.Lock()
	defer m.mu.Unlock()
	t := &truth{phone: o.To, data: o.CallbackData, template: o.Template.Name, wamid: "wamid." + o.CallbackData}
	for _, p := range m.plans {
		if key, _ := wa.CampaignKey(o.CallbackData); key == p.Key {
			t.campaign = p.Campaign
			for _, gate := range [][2]string{{"all", ""}, {"channel", "whatsapp"}, {"number", from}, {"campaign", p.Key}} {
				if m.closed[gate] {
					m.problem("a request began though %v is paused", gate)
				}
			}
		}
	}
	switch {
	case t.campaign == 0:
		m.problem("a request of no campaign began: %q", o.CallbackData)
	case m.cancelled[t.campaign]:
		m.problem("a request of a cancelled campaign began")
	case m.template[t.campaign] != "" && m.template[t.campaign] != t.template:
		m.problem("a request began with the template %s after a swap to %s", t.template, m.template[t.campaign])
	}
	if out, ok := m.outs[o.To]; ok && time.Since(out) > 2*time.Second {
		m.problem("%s opted out %v ago and is written to", o.To, time.Since(out))
	}
	if had := m.taken[o.To]; had != nil {
		m.problem("%s got %s and is written to again: %s", o.To, had.data, t.data)
	}
	if before := m.begun[o.To]; before != nil && before.data == t.data {
		m.problem("the request of %s began twice", t.data)
	}
	m.begun[o.To] = t
	return t
}

func (m *machine) accept(t *truth) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.taken[t.phone] = t
	m.webhooks = append(m.webhooks, t)
}

// has is what Meta has taken.
func (m *machine) has() []*truth {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.webhooks)
}

// tell sends a webhook.
func (m *machine) tell(t *truth, s wa.Status) {
	u := wa.StatusUpdate{
		Sender: wa.Sender{AccountID: "1", NumberID: "100", Display: "100"}, Person: wa.Person{Phone: wa.Digits(t.phone)},
		MessageID: t.wamid, Status: s, At: wa.At(time.Now()), CallbackData: t.data,
	}
	if s == wa.StatusFailed {
		u.Code = 131026
	}
	m.ingest(&wa.Post{Statuses: []wa.StatusUpdate{u}})
}

func (m *machine) ingest(p *wa.Post) {
	p.Source, p.ReceivedAt, p.Body = "meta", wa.At(time.Now()), []byte("{}")
	if err := m.store.Ingest(context.Background(), p); err != nil {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.problem("a webhook was not stored: %v", err)
	}
}
