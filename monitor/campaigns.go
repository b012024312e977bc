package monitor

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"tickwatch/monitor/link"
	"tickwatch/store"
	"tickwatch/wa"
)

// live is a campaign. Its course is known only while somebody needs it: while
// it is on the screen, or runs and is large enough to be judged.
type live struct {
	store.Campaign // of it only Numbers, Latest and Counts ever change, under m.mu
	course         *course
	reading        bool // the course is being read; later changes wait in pending
	pending        []pendingChange
	card           *link.Card // what it was when it last was drawn up, unless it has changed since
	callbacks      callbacks  // of ours: what is heard of its messages
	sending        bool       // of ours, started, and not everything has gone out
	traits         traits     // of its failures
	engaged        engaged    // what people do after its messages
	seeds          seeding    // of ours: messages to own phones among its own
}

type pendingChange struct {
	tally *store.Tally
	seq   int64
}

// read brings the courses of some campaigns up to date: those that are not known,
// and those whose start has moved. want is called with m.mu held. The store is
// read without m.mu; what is committed meanwhile is added afterwards. m.reading is
// held, and while it is no course is let go.
func (m *Monitor) read(ctx context.Context, want func() []*live) {
	m.readSeeds(ctx)
	m.mu.Lock()
	missing := map[int64]*live{} // by id, which must not be looked at without m.mu
	for _, l := range want() {
		if l.course == nil || l.course.moved() {
			l.reading = true
			missing[l.ID] = l // once, though want may name it twice
		}
	}
	m.mu.Unlock()
	for id, l := range missing {
		stored, err := m.o.Store.Course(ctx, id, windowOf)
		m.mu.Lock()
		if err != nil {
			m.o.Log.Error("a campaign's course could not be read", "campaign", wa.Clean(l.Key), "error", err)
			l.course = nil // what waits in pending would be missing in it
		} else {
			l.course = newCourse(stored, m.lines())
			for _, p := range l.pending {
				if p.seq > stored.Seq {
					l.course.add(p.tally, p.seq)
				}
			}
		}
		l.reading, l.pending = false, nil
		m.mu.Unlock()
	}
}

// needed are the campaigns whose course somebody looks at; the others' are let go.
func (m *Monitor) needed() []*live {
	now := wa.At(m.o.Now())
	need := m.newest(now)
	for _, l := range m.campaigns {
		if m.judged(now, l) {
			need = append(need, l)
		}
	}
	keep := make(map[*live]bool, len(need))
	for _, l := range need {
		keep[l] = true
	}
	for _, l := range m.campaigns {
		if !keep[l] {
			l.course = nil
		}
	}
	return need
}

// judged tells whether a campaign's figures can raise an alarm: it runs, and has
// more messages than a test.
func (m *Monitor) judged(now wa.Instant, l *live) bool {
	return l.running(now) && l.Counts.Messages >= stretchSize
}

// newest are the campaigns that a snapshot shows: running ones first, each group
// by latest message.
func (m *Monitor) newest(now wa.Instant) []*live {
	all := make([]*live, 0, len(m.campaigns))
	for _, l := range m.campaigns {
		if l.seen() {
			all = append(all, l)
		}
	}
	newestFirst(all)
	return all[:min(len(all), link.MaxCampaigns)]
}

// newestFirst sorts by latest message. Of two the running one is also the one
// with the later message.
func newestFirst(all []*live) {
	slices.SortFunc(all, func(a, b *live) int { return cmp.Or(cmp.Compare(b.Latest, a.Latest), cmp.Compare(b.ID, a.ID)) })
}

// seen tells whether there is anything to show of a campaign.
func (l *live) seen() bool {
	return l.Own || l.Watched || l.Counts.Messages > 0 || l.Counts.OptOuts > 0
}

// running: a campaign of another system is over after two hours without a new
// message; one of ours is not while something waits that may go out.
func (l *live) running(now wa.Instant) bool { return now-l.Latest < runningSilence || l.sending }

// find gives a campaign by id or name.
func (m *Monitor) find(name string) (*live, error) {
	if l := m.byKey[name]; l != nil {
		return l, nil
	}
	var found *live
	for _, l := range m.campaigns {
		if l.Name == name {
			if found != nil {
				return nil, &link.Fault{Kind: link.FaultFailed, Text: fmt.Sprintf("several campaigns are named %q: give the id, as `tickwatch campaign list` shows it", wa.Clean(name))}
			}
			found = l
		}
	}
	if found == nil {
		return nil, &link.Fault{Kind: link.FaultFailed, Text: fmt.Sprintf("no campaign has the id or name %q: `tickwatch campaign list` lists them", wa.Clean(name))}
	}
	return found, nil
}
