package monitor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"tickwatch/monitor/queue"
	"tickwatch/store"
	"tickwatch/wa"
)

// Seeds are own phones: after so many messages of a campaign that Meta has taken,
// the next of them gets one, too. The zero Seeds sends none.
type Seeds struct {
	Phones []string // E.164
	Every  int64    // messages; 0 = off
}

func (s *Seeds) off() bool { return s.Every <= 0 || len(s.Phones) == 0 }

const (
	seedLook  = 50 * time.Millisecond // how often it is looked who is due, real time
	seedAgain = 5 * time.Second       // after one that did not go out
	seedsLate = 10                    // of those that are due and have not gone out the others are left out
)

// seeding is how it stands with a campaign's messages to own phones. m.mu guards it.
type seeding struct {
	all   []store.Seed // as they were last read, oldest first
	stale bool         // there is news of them

	next    int64      // handed-over messages at which the next is due; 0 = not worked out yet
	turn    int        // of the phones
	owed    int        // were due and did not go out
	after   wa.Instant // not before, after one that did not
	problem string     // why none can go out; "" = they can
	unfit   string     // the template that this is about
}

// noteSeeds notes that there is news of the seeds of campaigns. m.mu is held, or
// nobody else knows m yet.
func (m *Monitor) noteSeeds(campaigns []int64) {
	for _, id := range campaigns {
		if l := m.campaigns[id]; l != nil {
			l.seeds.stale = true
		}
	}
}

// readSeeds reads the seeds that there is news of.
func (m *Monitor) readSeeds(ctx context.Context) {
	m.mu.Lock()
	var stale []int64
	for id, l := range m.campaigns {
		if l.seeds.stale {
			l.seeds.stale = false
			stale = append(stale, id)
		}
	}
	m.mu.Unlock()
	for _, id := range stale {
		all, err := m.o.Store.Seeds(ctx, id)
		m.mu.Lock()
		if l := m.campaigns[id]; l != nil {
			if err == nil {
				l.seeds.all = all
			} else {
				l.seeds.stale = true
			}
		}
		m.mu.Unlock()
		if err != nil && ctx.Err() == nil {
			m.o.Log.Error("the messages to own phones could not be read", "error", err)
		}
	}
}

// sendSeeds sends them until ctx ends.
func (m *Monitor) sendSeeds(ctx context.Context) {
	if m.o.Sending.Seeds.off() || m.o.Sending.Sender == nil {
		return
	}
	tick := time.NewTicker(seedLook)
	defer tick.Stop()
	for {
		for _, l := range m.seedsDue() {
			if m.queue.Seed(l.ID, m.seed(l)) {
				m.mu.Lock()
				l.seeds.took(m.o.Sending.Seeds.Every)
				m.mu.Unlock()
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// seedsDue are the campaigns among whose messages one to an own phone is due. Those
// of a test have none: they go to own phones themselves.
func (m *Monitor) seedsDue() (due []*live) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := wa.At(m.o.Now())
	for _, l := range m.campaigns {
		if l.Own && !l.seeds.stale && !m.sends.times(l.Key) && l.seeds.due(now, l.Counts.Messages, m.o.Sending.Seeds.Every) {
			due = append(due, l)
		}
	}
	return due
}

// due tells whether one is, at so many messages that Meta has taken. What was due
// while nobody looked, before a start or a change of the configuration, is not made
// up for.
func (s *seeding) due(now wa.Instant, messages, every int64) bool {
	late := int64(seedsLate)
	if s.next == 0 {
		late = 1
		s.next, s.turn = every, len(s.all)
		if n := len(s.all); n > 0 {
			s.next = s.all[n-1].After + every
		}
	}
	if messages >= s.next+late*every {
		s.next = messages/every*every + every
	}
	return (s.owed > 0 || messages >= s.next) && now >= s.after
}

// took notes that one is on its way.
func (s *seeding) took(every int64) {
	if s.owed > 0 {
		s.owed--
	} else {
		s.next += every
	}
}

// errNoSeed: none can go out, and nothing is owed.
var errNoSeed = errors.New("no message to an own phone can go out")

// seed is the next message to an own phone among a campaign's.
func (m *Monitor) seed(l *live) queue.Seed {
	var id int64
	owed := true
	return queue.Seed{
		Claim: func(ctx context.Context, from string, p *wa.Plan) (out *wa.Outgoing, err error) {
			id, out, err = m.claimSeed(ctx, l, from, p)
			owed = !errors.Is(err, errNoSeed)
			return out, err
		},
		Settle: func(ctx context.Context, o wa.Outcome) {
			o.Message = id
			if err := m.o.Store.SettleSeed(ctx, o); err != nil { // it is unknown at the next start
				m.o.Log.Error("what became of a message to an own phone could not be stored", "error", err)
			}
		},
		Over: func(left bool) {
			m.mu.Lock()
			defer m.mu.Unlock()
			if !left && owed {
				l.seeds.owed++
				l.seeds.after = wa.At(m.o.Now().Add(seedAgain))
			}
		},
	}
}

// claimSeed puts the next message to an own phone on the disk, and gives it.
func (m *Monitor) claimSeed(ctx context.Context, l *live, from string, p *wa.Plan) (int64, *wa.Outgoing, error) {
	filled, err := m.fillSeed(ctx, l, p)
	if err != nil {
		return 0, nil, err
	}
	seeds := &m.o.Sending.Seeds
	for range seeds.Phones {
		m.mu.Lock()
		phone := seeds.Phones[l.seeds.turn%len(seeds.Phones)]
		l.seeds.turn++
		after := l.Counts.Messages / seeds.Every * seeds.Every
		m.mu.Unlock()
		id, data, held, err := m.o.Store.ClaimSeed(ctx, store.SeedClaim{
			Campaign: l.ID, From: from, Phone: phone, Marketing: p.Form.Category == wa.CategoryMarketing, After: after, Now: wa.At(m.o.Now()),
		})
		if err != nil {
			return 0, nil, err
		}
		if held == "" {
			m.seedProblem(l, p, "")
			return id, &wa.Outgoing{To: phone, Template: filled, CallbackData: data, Marketing: p.Marketing}, nil
		}
		m.o.Log.Warn("an own phone gets no message", "phone", wa.MaskPhone(phone), "reason", held)
	}
	m.seedProblem(l, p, "none of your own phones may be written to: they opted out, or are on the suppression list")
	return 0, nil, errNoSeed
}

// seedProblem notes why none can go out with a plan's template.
func (m *Monitor) seedProblem(l *live, p *wa.Plan, why string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	l.seeds.problem, l.seeds.unfit = why, p.Form.Name
}

// seedRows is how many rows of a list are looked at for what is the same for all.
const seedRows = 20

// fillSeed fills a plan's template in for an own phone: with what is the same for all
// of a list's first people, such as a picture, and with the names of the columns in
// place of what is somebody's own.
func (m *Monitor) fillSeed(ctx context.Context, l *live, p *wa.Plan) (wa.Filled, error) {
	rows, err := m.o.Store.SampleRows(ctx, l.ID, seedRows)
	if err != nil {
		return wa.Filled{}, err
	}
	kinds := map[string]string{}
	for _, v := range p.Form.Variables() {
		kinds[v.Name] = v.Kind
	}
	filled, err := p.Form.Fill(func(variable string) string {
		i, bound := p.Bind[variable]
		if bound && alike(rows, i) {
			return rows[0][i]
		}
		switch kinds[variable] {
		case wa.VariableText:
			if bound && i < len(p.Columns) {
				return p.Columns[i]
			}
			return variable
		case wa.VariableURL, wa.VariableCode:
			return "sample"
		}
		return ""
	})
	if err != nil {
		m.seedProblem(l, p, fmt.Sprintf("the template cannot be filled in without somebody's own data: %v", err))
		return wa.Filled{}, fmt.Errorf("%w: %w", errNoSeed, err)
	}
	return filled, nil
}

// alike tells whether a column says the same in every row, of two at least.
func alike(rows [][]string, i int) bool {
	return len(rows) > 1 && !slices.ContainsFunc(rows, func(r []string) bool {
		return i >= len(r) || i >= len(rows[0]) || r[i] != rows[0][i]
	})
}

// times tells whether a campaign's sends are timed, as those of a test are.
func (w *stopwatch) times(campaign string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	_, yes := w.since[campaign]
	return yes
}
