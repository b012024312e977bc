package queue_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"tickwatch/wa"
)

// rowState is where a row of a memory stands.
type rowState string

const (
	waiting   rowState = "waiting"
	claimed   rowState = "claimed"
	accepted  rowState = "handed over"
	refused   rowState = "refused"
	unknown   rowState = "unknown"
	cancelled rowState = "cancelled"
)

type row struct {
	campaign int64
	phone    string
	state    rowState
	due      wa.Instant
	tries    int
	message  int64
	code     int
	why      string
	attempts int
}

// memory is a store for tests of time, which run on a clock of their own where no
// disk can be waited for. It keeps the contract of queue.Store, can be slow, and
// can fail; it fails the test when the queue breaks its part.
type memory struct {
	t testing.TB

	mu       sync.Mutex
	rows     []*row
	byID     map[int64]*row
	plans    map[int64]wa.Plan
	gates    map[[2]string]wa.Gate
	saves    []wa.Gate             // in order
	slow     time.Duration         // every call, before it does anything
	late     time.Duration         // every claim, when it has done its work
	fail     func(op string) error // nil = nothing fails
	refuses  func(wa.Outcome) bool // outcomes that cannot be stored
	largest  int                   // claimed at once
	settling int
}

func newMemory(t testing.TB) *memory {
	return &memory{t: t, byID: map[int64]*row{}, plans: map[int64]wa.Plan{}, gates: map[[2]string]wa.Gate{}}
}

// add makes a campaign of n rows.
func (m *memory) add(p wa.Plan, n int) wa.Plan {
	m.mu.Lock()
	defer m.mu.Unlock()
	p.Rows = int64(n)
	m.plans[p.Campaign] = p
	for i := range n {
		m.rows = append(m.rows, &row{campaign: p.Campaign, phone: fmt.Sprintf("+3519%02d%06d", p.Campaign, i), state: waiting})
	}
	return p
}

func (m *memory) call(op string) error {
	m.mu.Lock()
	slow, fail := m.slow, m.fail
	m.mu.Unlock()
	if slow > 0 {
		time.Sleep(slow)
	}
	if fail != nil {
		return fail(op)
	}
	return nil
}

func (m *memory) set(do func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	do()
}

func (m *memory) Claim(_ context.Context, r wa.ClaimRequest) (c wa.Claims, err error) {
	if err := m.call("claim"); err != nil {
		return c, err
	}
	defer func() { time.Sleep(m.late) }()
	m.mu.Lock()
	defer m.mu.Unlock()
	place := int64(0) // in the list
	for i, w := range m.rows {
		if w.campaign != r.Campaign || w.state != waiting {
			if w.campaign == r.Campaign {
				place++
			}
			continue
		}
		place++
		if w.due <= r.Now && r.Hold != nil {
			w.due = max(w.due, r.Hold(w.phone))
		}
		if w.due > r.Now {
			c.Left++
			if c.Next == 0 || w.due < c.Next {
				c.Next, c.Why = w.due, w.why
			}
			continue
		}
		if len(c.Messages) >= r.Limit || r.Upto > 0 && place > r.Upto {
			c.Left++
			continue
		}
		w.state, w.message = claimed, int64(len(m.byID)+1)
		w.attempts++
		m.byID[w.message] = w
		c.Messages = append(c.Messages, wa.Claimed{
			Message: w.message, Recipient: int64(i), Phone: w.phone, Values: []string{"Ana"}, Tries: w.tries,
			Data: wa.OwnData(m.plans[r.Campaign].Key, "m", w.message),
		})
	}
	if len(c.Messages) > 64 || r.Limit > 64 {
		m.t.Errorf("%d messages were claimed at once", len(c.Messages))
	}
	m.largest = max(m.largest, len(c.Messages))
	return c, nil
}

func (m *memory) Settle(_ context.Context, outcomes ...wa.Outcome) error {
	m.mu.Lock()
	m.settling++
	if m.settling > 1 {
		m.t.Error("two settlements at once")
	}
	m.mu.Unlock()
	err := m.call("settle")
	m.mu.Lock()
	defer m.mu.Unlock()
	m.settling--
	if err != nil {
		return err
	}
	for _, o := range outcomes {
		if m.refuses != nil && m.refuses(o) {
			return errors.New("this outcome cannot be stored")
		}
	}
	for _, o := range outcomes {
		w := m.byID[o.Message]
		if w == nil || w.state != claimed || w.message != o.Message {
			m.t.Errorf("message %d was settled and is not claimed", o.Message)
			continue
		}
		w.code = o.Code
		switch o.Kind {
		case wa.OutcomeAccepted:
			w.state = accepted
		case wa.OutcomeRefused:
			w.state = refused
		case wa.OutcomeAgain:
			w.state, w.due, w.why = waiting, o.Due, o.Details
			w.tries++
			if m.plans[w.campaign].State == wa.PlanCancelled {
				w.state = cancelled
			}
		case wa.OutcomeUnknown:
			w.state = unknown
		}
	}
	return nil
}

func (m *memory) Plans(context.Context) (all []wa.Plan, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, p := range m.plans {
		all = append(all, p)
	}
	return all, nil
}

func (m *memory) SavePlan(_ context.Context, p wa.Plan) error {
	if err := m.call("plan"); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.plans[p.Campaign] = p
	return nil
}

func (m *memory) CancelRest(_ context.Context, campaign int64) (n int64, err error) {
	if err := m.call("cancel"); err != nil {
		return 0, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, w := range m.rows {
		if w.campaign == campaign && w.state == waiting {
			w.state = cancelled
			n++
		}
	}
	p := m.plans[campaign]
	p.State = wa.PlanCancelled
	m.plans[campaign] = p
	return n, nil
}

func (m *memory) Gates(context.Context) (all []wa.Gate, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, g := range m.gates {
		all = append(all, g)
	}
	return all, nil
}

func (m *memory) SaveGate(_ context.Context, g wa.Gate) error {
	if err := m.call("gate"); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.gates[[2]string{g.Scope, g.ID}] = g
	m.saves = append(m.saves, g)
	return nil
}

// count is how many rows stand somewhere.
func (m *memory) count(s rowState) (n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, w := range m.rows {
		if w.state == s {
			n++
		}
	}
	return n
}

// gate is one as it is stored.
func (m *memory) gate(scope, id string) wa.Gate {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.gates[[2]string{scope, id}]
}
