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
	"log/slog"
	"slices"
	"sync"
	"time"

	"tickwatch/monitor/alarm"
	"tickwatch/monitor/fallback"
	"tickwatch/monitor/link"
	"tickwatch/monitor/notify"
	"tickwatch/monitor/queue"
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
	Zone       string // name of the daemon's time zone; "" = not known
	Log        *slog.Logger
	Sending    Sending  // how our own campaigns go out
	Fallback   Fallback // and how people are reached otherwise
	Auto       Auto     // what is done without an operator; zero = nothing

	// CheckFeed looks whether webhooks can get here; nil = nobody can.
	CheckFeed func(ctx context.Context) link.FeedChecks

	// Sheet says how it stands with the operator's sheet; nil = there is none.
	Sheet func() notify.SheetState

	// Notify tells people of alarms; nil = nobody is told.
	Notify *notify.Notifier

	// Decode reads a raw body again; the export of a single campaign needs it.
	Decode func(source string, body []byte, received wa.Instant) *wa.Post
}

const (
	publishEvery   = 250 * time.Millisecond // at most
	idleEvery      = 5 * time.Second        // when nothing happens
	runningSilence = wa.Instant(2 * time.Hour / time.Millisecond)
)

// Monitor is the live state. New makes it, Run keeps it going.
type Monitor struct {
	o       Options
	changed chan struct{} // capacity 1: something happened since the last snapshot
	answers answers
	pace    pace // of the feed, by minute

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
	standing  standing // of the accounts
	incidents incidents
	arrivals  arrivals       // how late messages usually arrive
	listener  alarm.Feed     // what tells a sick feed from a quiet campaign
	quiet     feedGap        // the latest silence that nobody took for an outage
	heard     bool           // something came in since the start
	gaps      []feedGap      // stretches in which the feed was sick, oldest first
	ended     bool           // a recording is over: that nothing more comes says nothing
	listens   bool           // Run has begun: that nothing comes in says something
	actions   []store.Action // oldest first
	lastID    int64          // of an action

	typed          map[string][]wa.Reported // by campaign key: what operators read off WhatsApp Manager
	health         map[matter]store.Health  // by id and kind of whom it is of
	past           past                     // how numbers and templates came to stand as they do
	pastOld        bool                     // and there is more to read of it
	usage          limitUse
	comparedAt     map[[2]int64]wa.Instant // when Meta was asked to compare two templates
	queue          *queue.Queue
	silent         int    // polls in a row that told of no number
	silentWhy      string // the latest
	fallback       *fallback.Engine
	runs           map[int64]wa.FallbackRun    // of fallbacks
	fallbackCounts map[int64]wa.FallbackCounts // by campaign
	fallbackWaits  map[int64]wa.FallbackWaits  // by run
	sends          *stopwatch
	lists          lists
	gathering      gathering
	plans          map[int64]wa.Plan   // of our own campaigns, as they were last known
	gates          []wa.Gate           // of a recording; nil = the queue's
	deed           int64               // the newest of the store's journal
	gateCodes      map[[2]string]int   // why tickwatch closed a gate by itself: Meta's code
	asked          map[[2]string]asked // resumes that wait for a second operator, by gate
	told           []told              // for the queue, which has not heard it yet
	unrecorded     []store.Action      // not on the disk yet
	recording      sync.WaitGroup      // those who write actions
	ran            bool                // Run has ended

	reading sync.Mutex // one at a time reads courses; taken before mu
	saving  sync.Mutex // one at a time stores alarms; taken before mu
	unsaved bool       // the latest try to store alarms failed

	clustersDue time.Time // of a replay: when its failures are searched again
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
		numbers: map[string]wa.Number{}, templates: map[int64]wa.Template{}, standing: standing{},
		health: map[matter]store.Health{}, pastOld: true, comparedAt: map[[2]int64]wa.Instant{},
		plans: map[int64]wa.Plan{}, gateCodes: map[[2]string]int{}, asked: map[[2]string]asked{},
	}
	m.pace.start(wa.At(o.Now()))
	for _, a := range st.Actions {
		m.lastID = max(m.lastID, a.ID)
	}
	for _, n := range st.Numbers {
		m.keepNumber(n)
	}
	for _, t := range st.Templates {
		m.templates[t.ID] = t
	}
	for _, h := range st.Health {
		m.keepHealth(h)
	}
	for _, c := range st.Campaigns {
		l := &live{Campaign: c}
		m.campaigns[c.ID], m.byKey[c.Key] = l, l
	}
	m.incidents.load(st.Alarms, st.LastAlarm)
	if m.typed, err = o.Store.Reported(ctx); err != nil {
		return nil, err
	}
	if err := m.loadStanding(ctx); err != nil {
		return nil, err
	}
	if err := m.loadArrivals(ctx); err != nil {
		return nil, err
	}
	if m.incidents.stands("feed", "feed") {
		m.listener.Resume(st.Feed.LastEventAt)
	}
	m.loadGaps(st.Feed.LastEventAt)
	if err := m.openQueue(ctx); err != nil {
		return nil, err
	}
	if err := m.openFallback(ctx); err != nil {
		return nil, err
	}
	seeded, err := o.Store.Seeded(ctx)
	if err != nil {
		return nil, err
	}
	m.noteSeeds(seeded)
	m.lists.open(o.Sending.Folder)
	o.Store.OnCommit(m.apply)
	return m, nil
}

// apply takes over one commit; the store's writer calls it.
func (m *Monitor) apply(c *store.Change) {
	m.mu.Lock()
	now := wa.At(m.o.Now())
	m.updates.add(now, c.Feed.Updates-m.feed.Updates)
	m.pace.add(now, c.Feed.Posts-m.feed.Posts, c.Feed.Updates-m.feed.Updates, c.Feed.Duplicates-m.feed.Duplicates)
	m.listenTo(now, c)
	m.feed, m.deed = c.Feed, c.Deed
	for _, id := range c.Gone {
		if l := m.campaigns[id]; l != nil {
			delete(m.byKey, l.Key)
			delete(m.campaigns, id)
		}
	}
	for _, cc := range c.Campaigns {
		l := m.campaigns[cc.ID]
		if l == nil {
			l = &live{Campaign: cc.Campaign}
			m.campaigns[cc.ID], m.byKey[cc.Key] = l, l
		}
		l.Numbers, l.Latest, l.Counts, l.card = cc.Numbers, cc.Latest, cc.Campaign.Counts, nil
		if l.Own {
			l.callbacks.add(now.Second(), cc.Heard)
			m.listen(cc)
		}
		switch {
		case l.reading:
			l.pending = append(l.pending, pendingChange{&cc.Tally, c.Seq})
		case l.course != nil && c.Seq > l.course.seq: // a commit can be read before it is told of
			l.course.add(&cc.Tally, c.Seq)
		}
	}
	for _, id := range c.Engaged {
		if l := m.campaigns[id]; l != nil {
			l.engaged.fresh = false
		}
	}
	for _, n := range c.Numbers {
		m.keepNumber(n)
	}
	for _, t := range c.Templates {
		if stopsTemplate(t.Status) && m.templates[t.ID].Status != t.Status {
			m.told = append(m.told, told{template: &t})
		}
		m.templates[t.ID] = t
	}
	for _, h := range c.Health {
		m.keepHealth(h)
	}
	m.usage.stale = m.usage.stale || len(c.Numbers) > 0
	m.pastOld = m.pastOld || len(c.Numbers)+len(c.Templates)+len(c.Edits)+len(c.Health)+c.Compared > 0
	for i := range c.Accounts {
		account := c.Accounts[i].AccountID
		before := m.standing.stopped(account, now)
		m.standing.update(&c.Accounts[i])
		if why := m.standing.stopped(account, now); why != "" && why != before {
			m.told = append(m.told, told{account: account, why: why})
		}
	}
	for i := range c.Alerts {
		m.standing.alert(&c.Alerts[i])
	}
	for i := range c.Names {
		m.standing.name(&c.Names[i])
	}
	for i := range c.Security {
		m.standing.security(&c.Security[i])
	}
	for i := range c.Faults {
		m.standing.fault(&c.Faults[i], c.Feed.LastEventAt)
	}
	for code, title := range c.Titles {
		m.titles[code] = title
	}
	m.keepFallback(c)
	m.noteSeeds(c.Seeded)
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
func (m *Monitor) Answered(took time.Duration) {
	m.answers.add(time.Now(), took)
	m.pace.answered(wa.At(m.o.Now()), took)
}

// Refused tells that the store has counted a refused POST, so that it shows
// soon even if nothing else comes in.
func (m *Monitor) Refused() { m.wake() }

// Run judges and publishes until ctx ends, and once more then. It publishes once
// before it waits.
func (m *Monitor) Run(ctx context.Context) {
	var parts sync.WaitGroup
	defer m.endRecording()
	defer m.lists.close()
	parts.Go(func() { m.queue.Run(ctx) })
	parts.Go(func() { m.fallback.Run(ctx) })
	parts.Go(func() { m.poll(ctx) })
	parts.Go(func() { m.o.Notify.Run(ctx) })
	parts.Go(func() { m.watchUsage(ctx) })
	parts.Go(func() { m.compareTemplates(ctx) })
	parts.Go(func() { m.searchClusters(ctx) })
	parts.Go(func() { m.watchEngagement(ctx) })
	parts.Go(func() { m.sendSeeds(ctx) })
	host := time.NewTicker(hostEvery)
	defer host.Stop()
	m.mu.Lock()
	m.listens = true
	m.mu.Unlock()
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
	parts.Wait()
	m.readEngagement(context.WithoutCancel(ctx))
	m.publish(ctx) // what came last is not left out, nor what became of open requests
}

func (m *Monitor) lookAtHost(ctx context.Context) {
	h := m.o.Host(ctx)
	m.mu.Lock()
	m.host = h
	m.mu.Unlock()
}

// publish judges, hands a snapshot on, and stores what alarms have changed. It
// tells whether a campaign is running.
func (m *Monitor) publish(ctx context.Context) (running bool) {
	m.tellQueue(ctx)
	m.reading.Lock()
	m.read(context.WithoutCancel(ctx), m.needed) // a short read; ending must not cut it off
	m.readPast(context.WithoutCancel(ctx))
	m.reading.Unlock()
	m.mu.Lock()
	now := wa.At(m.o.Now())
	view := m.view()
	shown := m.newest(now)
	m.judge(now, &view)
	m.judgeQueue(now, &view)
	orders := m.orders(now, &view)
	m.rev++
	snap := m.snapshot(now, shown, &view)
	m.mu.Unlock()
	m.o.Publish(snap) // before anything waits for the disk
	m.carryOut(ctx, orders)
	m.mu.Lock()
	view = m.view() // people are told what has just been paused
	notices := m.notices(now, &view)
	m.mu.Unlock()
	_ = m.save(nil) // it has said so in the log
	running = slices.ContainsFunc(snap.Campaigns, func(c link.Campaign) bool { return c.State == "running" })
	m.o.Notify.Look(now, notices, running)
	return running
}

// save stores the alarms that have changed, and an action if there is one. It
// waits for the store's writer, which may be waiting for m.mu: that must be free.
func (m *Monitor) save(action *store.Action) error {
	m.saving.Lock()
	defer m.saving.Unlock()
	m.mu.Lock()
	alarms := m.incidents.unsaved()
	m.mu.Unlock()
	if len(alarms) == 0 && action == nil {
		return nil
	}
	err := m.o.Store.SaveAlarms(alarms, action)
	m.mu.Lock()
	defer m.mu.Unlock()
	if err != nil {
		m.incidents.markUnsaved(alarms)
		if !m.unsaved {
			m.o.Log.Error("alarms cannot be stored; they are shown all the same", "error", err)
		}
	}
	m.unsaved = err != nil
	return err
}
