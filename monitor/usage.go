package monitor

import (
	"context"
	"slices"
	"strings"
	"time"

	"tickwatch/monitor/link"
	"tickwatch/store"
	"tickwatch/wa"
)

// limitUse is how much of their messaging limits the accounts use. Counting it reads a
// day's messages, so it is done now and then, and never for long: the next count waits
// until a hundred times as long has passed as the last one took.
type limitUse struct {
	at       wa.Instant // of the latest count; 0 = none yet
	stale    bool       // numbers have come since
	accounts []accountUsage

	reachAt wa.Instant // of the latest count of reach; 0 = none yet
	reach   map[string]store.Reach
}

// accountUsage is one account's.
type accountUsage struct {
	store.Usage
	samples []sample // of the last minutes, oldest first
}

type sample struct {
	at     wa.Instant
	people int64
}

const (
	usageLook  = time.Second
	usageEvery = 10 * time.Second // while a campaign runs, by the daemon's clock
	usageIdle  = 5 * time.Minute
	usageEnded = 25 * time.Minute // more between two counts after a recording's last line
	usageShare = 100
	// paceSpan is the stretch over which the pace of a limit's use is measured.
	paceSpan = wa.Instant(5 * time.Minute / time.Millisecond)
)

// watchUsage counts until ctx ends.
func (m *Monitor) watchUsage(ctx context.Context) {
	tick := time.NewTicker(m.real(usageLook))
	defer tick.Stop()
	var rest time.Time
	for {
		if began := time.Now(); !began.Before(rest) && m.usageDue(0) {
			m.countUsage(ctx)
			rest = began.Add(usageShare * time.Since(began))
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// recountUsage counts for a replay, by the recording's clock alone: the more there is
// to count, the more rarely. Where no limit is known nothing is.
func (m *Monitor) recountUsage(ctx context.Context) {
	m.mu.Lock()
	limited, most := false, int64(0)
	var more time.Duration
	if m.ended {
		more = usageEnded
	}
	for _, n := range m.numbers {
		_, known := n.Limit.People()
		limited = limited || known
	}
	for i := range m.usage.accounts {
		most = max(most, m.usage.accounts[i].People)
	}
	m.mu.Unlock()
	if !limited || !m.usageDue(more+time.Duration(most/1000)*time.Second) {
		return
	}
	if m.o.Store.Settled(ctx) == nil { // a replay is too quick for rows that lag
		m.countUsage(ctx)
	}
}

// usageDue tells whether it is time to count again, with so much more time between.
func (m *Monitor) usageDue(more time.Duration) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := wa.At(m.o.Now())
	every := usageIdle
	for _, l := range m.campaigns {
		if l.running(now) {
			every = usageEvery
		}
	}
	return m.usage.at == 0 || m.usage.stale || now-m.usage.at >= ms(every+more) || now < m.usage.at
}

// countUsage counts once.
func (m *Monitor) countUsage(ctx context.Context) {
	now := wa.At(m.o.Now())
	m.mu.Lock()
	m.usage.stale = false // numbers that come from here on are told apart
	m.mu.Unlock()
	counted, err := m.o.Store.Usage(ctx, now)
	reach, reachAt := m.countReach(ctx, now)
	m.mu.Lock()
	defer m.mu.Unlock()
	if err != nil {
		m.usage.stale, m.usage.reach, m.usage.reachAt = true, reach, reachAt
		if ctx.Err() == nil {
			m.o.Log.Error("how much of the messaging limit is used could not be counted", "error", err)
		}
		return
	}
	fresh := limitUse{at: now, stale: m.usage.stale, reach: reach, reachAt: reachAt}
	for _, u := range counted {
		a := accountUsage{Usage: u}
		if before := m.usage.of(u.Account); before != nil {
			a.samples = before.samples
		}
		for len(a.samples) > 0 && now-a.samples[0].at > paceSpan {
			a.samples = a.samples[1:]
		}
		a.samples = append(slices.Clone(a.samples), sample{now, u.People})
		fresh.accounts = append(fresh.accounts, a)
	}
	m.usage = fresh
}

// reachEvery is how often the longer stretches are counted.
const reachEvery = wa.Instant(30 * time.Minute / time.Millisecond)

// countReach counts the longer stretches, when it is time to.
func (m *Monitor) countReach(ctx context.Context, now wa.Instant) (map[string]store.Reach, wa.Instant) {
	m.mu.Lock()
	reach, at := m.usage.reach, m.usage.reachAt
	m.mu.Unlock()
	if at != 0 && now-at < reachEvery && now >= at {
		return reach, at
	}
	fresh, err := m.o.Store.Reach(ctx, now)
	if err != nil {
		if ctx.Err() == nil {
			m.o.Log.Error("what a higher limit is measured by could not be counted", "error", err)
		}
		return reach, at
	}
	return fresh, now
}

func (u *limitUse) of(account string) *accountUsage {
	for i := range u.accounts {
		if u.accounts[i].Account == account {
			return &u.accounts[i]
		}
	}
	return nil
}

// ofNumber is the account's to which a number belongs; nil when it is not known.
func (u *limitUse) ofNumber(id string) *accountUsage {
	for i := range u.accounts {
		if slices.Contains(u.accounts[i].Numbers, id) && id != "" {
			return &u.accounts[i]
		}
	}
	return nil
}

// perMinute is how many people more are used a minute, lately; 0 = none, or it is too
// early to say.
func (a *accountUsage) perMinute() float64 {
	n := len(a.samples)
	if n < 2 {
		return 0
	}
	first, last := a.samples[0], a.samples[n-1]
	if last.at-first.at < ms(usageEvery) {
		return 0
	}
	return max(float64(last.people-first.people)/last.at.Sub(first.at).Minutes(), 0)
}

// limitFor is the limit of an account in people, by the newest word on any of its
// numbers, which share it since October 2025 (whatsapp.md §4); false where it is
// unlimited or not known. m.mu is held.
func (m *Monitor) limitFor(a *accountUsage) (limit wa.Limit, people int64, ok bool) {
	var at wa.Instant
	for _, id := range a.Numbers {
		if n := m.numbers[id]; n.Limit != "" && (limit == "" || n.LimitAt > at) {
			limit, at = n.Limit, n.LimitAt
		}
	}
	n, ok := limit.People()
	return limit, int64(n), ok
}

// load is what still goes out of an account: how many of ours wait, and whether
// another system sends. m.mu is held.
func (m *Monitor) load(now wa.Instant, a *accountUsage) (waiting int64, others bool) {
	shares := func(numbers []string) bool {
		return slices.ContainsFunc(numbers, func(id string) bool { return slices.Contains(a.Numbers, id) })
	}
	for _, l := range m.campaigns {
		switch {
		case l.Own && l.sending && shares(m.plans[l.ID].From):
			waiting += l.Counts.Waiting + l.Counts.Claimed
		case !l.Own && now-l.Latest < sendingOver && shares(l.Numbers):
			others = true
		}
	}
	return waiting, others
}

// reachedIn is how long it takes at the present pace until a limit is used up; false
// where it is not going to be.
func (a *accountUsage) reachedIn(limit int64) (time.Duration, bool) {
	left, pace := limit-a.People, a.perMinute()
	if left <= 0 {
		return 0, true
	}
	if pace <= 0 || float64(left)/pace > 24*60 {
		return 0, false
	}
	return time.Duration(float64(left) / pace * float64(time.Minute)), true
}

// limitViews draws up the limits. m.mu is held.
func (m *Monitor) limitViews(now wa.Instant) []link.Limit {
	out := []link.Limit{}
	for i := range m.usage.accounts {
		a := &m.usage.accounts[i]
		limit, people, known := m.limitFor(a)
		if limit == "" || len(out) == link.MaxCampaigns {
			continue
		}
		v := link.Limit{Account: a.Account, Limit: string(limit), Used24h: a.People, CountedAt: m.usage.at.Time()}
		if known {
			waiting, others := m.load(now, a)
			if in, ok := a.reachedIn(people); ok && (waiting > people-a.People || others || in == 0) {
				at := now.Time().Add(in)
				v.ReachedAt = &at
			}
		}
		v.Next, v.Needs = m.nextTier(a, limit)
		out = append(out, v)
	}
	slices.SortFunc(out, func(a, b link.Limit) int { return strings.Compare(a.Account, b.Account) })
	return out
}

// delivered30 and used7 are what the next limit is measured by; see store.Reach.
func (u *limitUse) delivered30(account string) int64 { return u.reach[account].Delivered30d }

// used7 is how many people were written to in seven days: counted now and then, and
// never fewer than those of the last one.
func (u *limitUse) used7(account string) int64 {
	n := u.reach[account].People7d
	if a := u.of(account); a != nil {
		n = max(n, a.People)
	}
	return n
}
