// Package monitor holds the live state of every campaign, judges it, and
// publishes snapshots of it.
//
// It starts from the store and follows the store's commits; it keeps no figure
// that the store could not give again, so a restart shows what was shown before.
// Changes arrive in commit order from the store's writer, which they hold up
// for microseconds only. Snapshots are published from one goroutine: the first
// change of a burst at once, then at most four a second, and once a second
// while a campaign runs because figures by age move by themselves.
package monitor

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"tickwatch/monitor/link"
	"tickwatch/store"
	"tickwatch/wa"
)

// Options of a Monitor. Store and Publish are needed.
type Options struct {
	Store      *store.Store
	Publish    func(*link.Snapshot)
	Thresholds Thresholds
	Now        func() time.Time                    // the daemon's clock; nil = time.Now
	Host       func(ctx context.Context) link.Host // nil = no host figures
	Version    string
	Log        *slog.Logger
}

const (
	publishEvery   = 250 * time.Millisecond // at most
	idleEvery      = 5 * time.Second        // when nothing happens
	runningSilence = wa.Instant(2 * time.Hour / time.Millisecond)
	liveCourses    = 50 // campaigns whose course is read at start, by latest message
)

// Monitor is the live state. New makes it, Run keeps it going.
type Monitor struct {
	o       Options
	changed chan struct{} // capacity 1: something happened since the last snapshot
	answers answers

	mu        sync.Mutex
	rev       uint64
	feed      store.Feed
	updates   rate
	campaigns map[int64]*live
	byKey     map[string]*live
	numbers   map[string]wa.Number // by id, else digits
	templates map[int64]wa.Template
	titles    map[int]string
	host      link.Host
	incidents incidents
	actions   []store.Action // oldest first
	lastID    int64          // of an action
}

// live is a campaign and its course; no course means that it must be read first.
type live struct {
	store.Campaign
	course *course
}

// New reads the store's state and follows its commits from here on. It must be
// called before the first webhook is taken in.
func New(ctx context.Context, o Options) (*Monitor, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Host == nil {
		o.Host = func(context.Context) link.Host { return link.Host{} }
	}
	st, err := o.Store.Load(ctx)
	if err != nil {
		return nil, err
	}
	m := &Monitor{
		o: o, changed: make(chan struct{}, 1), feed: st.Feed, titles: st.Titles, actions: st.Actions,
		campaigns: map[int64]*live{}, byKey: map[string]*live{},
		numbers: map[string]wa.Number{}, templates: map[int64]wa.Template{},
	}
	for _, a := range st.Actions {
		m.lastID = max(m.lastID, a.ID)
	}
	for _, n := range st.Numbers {
		m.keepNumber(n)
	}
	for _, t := range st.Templates {
		m.templates[t.ID] = t
	}
	slices.SortFunc(st.Campaigns, func(a, b store.Campaign) int { return cmp.Compare(b.Latest, a.Latest) })
	for i, c := range st.Campaigns {
		l := &live{Campaign: c}
		m.campaigns[c.ID], m.byKey[c.Key] = l, l
		if i < liveCourses && c.Counts.Messages > 0 {
			if err := m.read(ctx, l); err != nil {
				return nil, err
			}
		}
	}
	m.incidents.load(st.Alarms, st.LastAlarm)
	o.Store.OnCommit(m.apply)
	return m, nil
}

// read loads a campaign's course. With m.mu held the store's writer cannot get
// past its next commit, so no change is missed and none is added twice.
func (m *Monitor) read(ctx context.Context, l *live) error {
	all, seq, err := m.o.Store.Course(ctx, l.ID)
	if err != nil {
		return err
	}
	l.course = newCourse(all, seq)
	return nil
}

// apply takes over one commit; the store's writer calls it.
func (m *Monitor) apply(c *store.Change) {
	m.mu.Lock()
	m.updates.add(wa.At(m.o.Now()), c.Feed.Updates-m.feed.Updates)
	m.feed = c.Feed
	for _, id := range c.Gone {
		if l := m.campaigns[id]; l != nil {
			delete(m.byKey, l.Key)
			delete(m.campaigns, id)
		}
	}
	for _, cc := range c.Campaigns {
		l := m.campaigns[cc.ID]
		if l == nil {
			l = &live{}
			m.campaigns[cc.ID], m.byKey[cc.Key] = l, l
		}
		l.Campaign = cc.Campaign
		switch {
		case l.course != nil && c.Seq > l.course.seq:
			l.course.add(&cc.Tally, c.Seq)
		case l.course == nil && cc.Tally.Counts == cc.Campaign.Counts: // all of it is in this commit
			l.course = newCourse(&cc.Tally, c.Seq)
		}
	}
	for _, n := range c.Numbers {
		m.keepNumber(n)
	}
	for _, t := range c.Templates {
		m.templates[t.ID] = t
	}
	for code, title := range c.Titles {
		m.titles[code] = title
	}
	m.mu.Unlock()
	m.wake()
}

func (m *Monitor) keepNumber(n wa.Number) {
	if n.ID != "" {
		delete(m.numbers, n.Display)
	}
	m.numbers[cmp.Or(n.ID, n.Display)] = n
}

func (m *Monitor) wake() {
	select {
	case m.changed <- struct{}{}:
	default:
	}
}

// Answered counts one answer to a signed webhook and how long it took.
func (m *Monitor) Answered(took time.Duration) { m.answers.add(time.Now(), took) }

// Refused tells that the store has counted a refused POST, so that it shows
// soon even if nothing else comes in.
func (m *Monitor) Refused() { m.wake() }

// Run judges and publishes until ctx ends. It publishes once before it waits.
func (m *Monitor) Run(ctx context.Context) {
	host := time.NewTicker(hostEvery)
	defer host.Stop()
	m.lookAtHost(ctx)
	for ctx.Err() == nil {
		pause := idleEvery
		if running := m.publish(ctx); running {
			pause = time.Second
		}
		soonest := time.NewTimer(publishEvery)
		latest := time.NewTimer(pause)
		select { // no two snapshots closer than publishEvery
		case <-soonest.C:
		case <-ctx.Done():
		}
		select {
		case <-m.changed:
		case <-latest.C:
		case <-host.C:
			m.lookAtHost(ctx)
		case <-ctx.Done():
		}
		soonest.Stop()
		latest.Stop()
	}
}

func (m *Monitor) lookAtHost(ctx context.Context) {
	h := m.o.Host(ctx)
	m.mu.Lock()
	m.host = h
	m.mu.Unlock()
}

// publish judges, stores what alarms have changed, and hands a snapshot on. It
// tells whether a campaign is running.
func (m *Monitor) publish(ctx context.Context) (running bool) {
	m.mu.Lock()
	m.readMissing(ctx)
	now := wa.At(m.o.Now())
	m.judge(now)
	save := m.incidents.unsaved()
	m.rev++
	snap := m.snapshot(now, "")
	m.mu.Unlock()

	for _, a := range save { // without the lock: the writer may be waiting for it
		if err := m.o.Store.SaveAlarm(a, nil); err != nil {
			m.o.Log.Error("an alarm could not be stored; it is shown all the same", "alarm", a.Text, "error", err)
			m.mu.Lock()
			m.incidents.dirty(a.ID)
			m.mu.Unlock()
		}
	}
	m.o.Publish(snap)
	return slices.ContainsFunc(snap.Campaigns, func(c link.Campaign) bool { return c.State == "running" })
}

// readMissing reads the courses that are not known, or whose start has moved.
func (m *Monitor) readMissing(ctx context.Context) {
	for _, l := range m.newest() {
		if l.course != nil && !l.course.moved() {
			continue
		}
		if err := m.read(ctx, l); err != nil {
			m.o.Log.Error("a campaign's course could not be read", "campaign", wa.Clean(l.Key), "error", err)
			m.wake()
		}
	}
}

// newest are the campaigns that a snapshot shows: running ones first, each group
// by latest message.
func (m *Monitor) newest() []*live {
	now := wa.At(m.o.Now())
	all := make([]*live, 0, len(m.campaigns))
	for _, l := range m.campaigns {
		if l.Counts.Messages > 0 || l.Counts.OptOuts > 0 {
			all = append(all, l)
		}
	}
	slices.SortFunc(all, func(a, b *live) int {
		if ra, rb := a.running(now), b.running(now); ra != rb {
			if ra {
				return -1
			}
			return 1
		}
		return cmp.Or(cmp.Compare(b.Latest, a.Latest), cmp.Compare(b.ID, a.ID))
	})
	return all[:min(len(all), link.MaxCampaigns)]
}

// running: a campaign of another system is over after two hours without a new message.
func (l *live) running(now wa.Instant) bool { return now-l.Latest < runningSilence }

// find gives a campaign by id or name.
func (m *Monitor) find(name string) (*live, error) {
	if l := m.byKey[name]; l != nil {
		return l, nil
	}
	var found *live
	for _, l := range m.campaigns {
		if l.Name == name {
			if found != nil {
				return nil, &link.Fault{Kind: link.FaultFailed, Text: fmt.Sprintf("several campaigns are named %q: give the id, as `tickwatch status` shows it", wa.Clean(name))}
			}
			found = l
		}
	}
	if found == nil {
		return nil, &link.Fault{Kind: link.FaultFailed, Text: fmt.Sprintf("no campaign has the id or name %q: `tickwatch status` lists them", wa.Clean(name))}
	}
	return found, nil
}
