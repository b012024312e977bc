package store

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"runtime/debug"
	"slices"
	"time"

	"tickwatch/wa"
)

// errSettling marks a fault of rows that lag, not of what the group came with.
var errSettling = errors.New("catching up with what is known of messages")

// flush ends a group: it works out what is known now, writes the raw bodies and
// the rows that must not lag, catches up with some that have lagged long enough,
// and says what changed.
func (g *group) flush() (*Change, error) {
	if err := g.foldLoneKeys(); err != nil {
		return nil, fmt.Errorf("sorting out campaigns: %w", err)
	}
	if err := g.answerAll(); err != nil {
		return nil, fmt.Errorf("looking who was answered: %w", err)
	}
	if err := g.judgeMessages(); err != nil {
		return nil, fmt.Errorf("writing a message: %w", err)
	}
	if err := g.keepBodies(); err != nil {
		return nil, fmt.Errorf("keeping raw bodies: %w", err)
	}
	if err := g.strikeAll(); err != nil {
		return nil, fmt.Errorf("deleting messages that their senders deleted: %w", err)
	}
	if err := g.writePlans(); err != nil {
		return nil, fmt.Errorf("writing a campaign's plan: %w", err)
	}
	if err := g.writeRuns(); err != nil {
		return nil, fmt.Errorf("writing a fallback: %w", err)
	}
	if err := g.writeListed(); err != nil {
		return nil, fmt.Errorf("counting the suppression list: %w", err)
	}
	if err := g.settle(g.w.due(g)); err != nil {
		return nil, fmt.Errorf("%w: %w", errSettling, err)
	}
	return g.sumUp()
}

// keepBodies writes the group's raw bodies as one segment.
func (g *group) keepBodies() error {
	if len(g.bodies) == 0 {
		return nil
	}
	p := &g.w.packer
	defer p.reset()
	var latest wa.Instant
	for _, post := range g.bodies {
		p.add(post)
		latest = max(latest, post.ReceivedAt)
	}
	for _, t := range g.order {
		if t.fresh || t.now.campaign != t.was.campaign {
			p.decide(decision{t.now.wamid, t.now.id, t.now.campaign, t.now.number})
		}
	}
	first := g.next.raw - int64(len(g.bodies)) + 1
	_, err := g.w.stmts.raw.ExecContext(g.ctx, first, int64(latest), p.pack(), len(g.bodies))
	return err
}

// judgeMessages counts what the group's posts changed, and writes the rows of
// messages that other rows name.
func (g *group) judgeMessages() error {
	for _, t := range g.order {
		// What a merge of people changed is known of both sides.
		t.was.person, t.now.person = g.is(t.was.person), g.is(t.now.person)
		if t.fresh || t.now.campaign != t.was.campaign || t.now.progress != t.was.progress {
			if !t.fresh {
				g.tally(t.was.campaign).count(t.was.progress, -1)
			}
			g.tally(t.now.campaign).count(t.now.progress, 1)
			g.noteFailure(t)
			g.noteHeard(t)
			if t.now.progress.State() == wa.StateDelivered && (t.was.progress.State() != wa.StateDelivered || t.now.campaign != t.was.campaign) {
				if err := g.arrivedLate(&t.now); err != nil {
					return err
				}
			}
			if err := g.noteForSheet(t); err != nil {
				return err
			}
		}
		if !t.now.lags(&t.was) {
			t.now.since = 0
			continue
		}
		if t.now.since == 0 {
			t.now.since = t.raw
		}
		moved := t.now.row != nil && t.now.row.person != t.now.person // whom the row names may be no one now
		if t.pin || moved || g.w.store.decode == nil {
			if err := g.put(t); err != nil {
				return err
			}
		}
	}
	return nil
}

// noteFailure notes that a message which Meta had taken failed, or did so anew for
// another reason.
func (g *group) noteFailure(t *touched) {
	p, was := &t.now.progress, &t.was.progress
	if p.State() != wa.StateFailed || p.Refused() || was.State() == wa.StateFailed && was.Code == p.Code {
		return
	}
	by := g.failed[t.now.campaign]
	if by == nil {
		by = map[int]int64{}
		g.failed[t.now.campaign] = by
	}
	by[p.Code]++
}

// settle writes rows that lag, in order of their ids so that neighbours meet on
// the same page.
func (g *group) settle(ids []int64) (err error) {
	defer func() { // else the posts of the group would have to answer for it
		if p := recover(); p != nil {
			err = fmt.Errorf("a fault of tickwatch: %v\n%s", p, debug.Stack())
		}
	}()
	slices.Sort(ids)
	for _, id := range ids {
		t := g.byRow[id]
		if t == nil {
			var err error
			if t, err = g.byID(id); err != nil {
				return err
			}
		}
		if t.now.since == 0 {
			continue
		}
		if err := g.put(t); err != nil {
			return err
		}
	}
	return nil
}

// due are the messages whose rows the next commit should write: a step's worth,
// once so many have lagged for lagTime, or the oldest for half as long again.
func (w *writer) due(g *group) []int64 {
	p, now := &w.pending, time.Now()
	oldest, ok := p.oldest()
	if !ok || w.resting {
		return nil
	}
	step := max(w.store.sizes.lagStep, int(g.feed.Updates))
	if w.hurry {
		return p.first(now.Add(lagTime), w.store.sizes.lagMost, step)
	}
	before := now.Add(-lagTime)
	enough := len(p.queue)-p.head >= step && !p.queue[p.head+step-1].at.After(before)
	if !enough && oldest.at.After(now.Add(-lagLongest)) && p.len() <= w.store.sizes.lagMost {
		return nil
	}
	return p.first(before, w.store.sizes.lagMost, step)
}

// sumUp writes totals, and says what changed.
func (g *group) sumUp() (*Change, error) {
	change := &Change{
		Seq: g.seq, From: g.oldest, Deed: g.next.deed, Accounts: g.accounts, Alerts: g.alerts, Faults: g.faults, Titles: g.titles,
		Compared: g.compared, Edits: g.edits, Names: g.names, Security: g.security,
	}
	gone := map[int64]bool{}
	for _, c := range g.gone {
		change.Gone = append(change.Gone, c.id)
		gone[c.id] = true
	}
	for id := range g.engaged {
		if !gone[id] {
			change.Engaged = append(change.Engaged, id)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(g.tallies)) {
		if !gone[id] {
			change.Campaigns = append(change.Campaigns, g.addUp(id, g.tallies[id]))
		}
	}
	for _, id := range slices.Sorted(maps.Keys(g.totals)) {
		if gone[id] {
			continue
		}
		if err := g.writeTotals(g.campaign(id), g.totals[id]); err != nil {
			return nil, fmt.Errorf("writing totals: %w", err)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(g.numbers.row)) {
		change.Numbers = append(change.Numbers, g.numbers.row[id].Number)
	}
	for _, id := range slices.Sorted(maps.Keys(g.templates)) {
		change.Templates = append(change.Templates, g.templates[id])
	}
	for _, h := range g.health {
		change.Health = append(change.Health, h)
	}
	for id, diff := range g.fallbacks.counts {
		now := g.w.fallbacks.counts[id]
		now.Add(&diff, 1)
		if change.Fallbacks == nil {
			change.Fallbacks = map[int64]wa.FallbackCounts{}
		}
		change.Fallbacks[id] = now
	}
	for id, diff := range g.fallbacks.waits {
		if change.Waits == nil {
			change.Waits = map[int64]wa.FallbackWaits{}
		}
		change.Waits[id] = addWaits(g.w.fallbacks.waits[id], diff, 1)
	}
	for _, r := range g.fallbacks.runs {
		change.Runs = append(change.Runs, *r)
	}
	change.Seeded = slices.Sorted(maps.Keys(g.seeded))
	change.Feed = g.w.feed
	change.Feed.add(&g.feed)
	f := &change.Feed
	_, err := g.w.stmts.feed.ExecContext(g.ctx, change.Seq, f.Posts, f.Refused, f.NotUnderstood, f.Updates, f.Duplicates, int64(f.LastEventAt),
		g.next.raw, g.unsettled())
	return change, err
}

// unsettled is the id of the first post that some message's row lacks after this
// group; 0 = none lacks any.
func (g *group) unsettled() int64 {
	if g.w.replaying != 0 {
		return g.w.replaying
	}
	first := int64(0)
	for _, e := range g.w.pending.queue[g.w.pending.head:] {
		if !g.w.pending.valid(e) {
			continue
		}
		if t := g.byRow[e.id]; t == nil || t.now.since != 0 {
			first = e.since
			break
		}
	}
	for _, t := range g.order {
		if since := t.now.since; since != 0 && (first == 0 || since < first) {
			first = since
		}
	}
	return first
}

// addUp adds a difference to what is known of a campaign.
func (g *group) addUp(id int64, t *Tally) *CampaignChange {
	c := g.campaign(id)
	c.counts.add(&t.Counts, 1)
	for second, p := range t.Pulses {
		if p.Messages > 0 {
			c.latest = max(c.latest, wa.Instant(second*1000))
		}
	}
	return &CampaignChange{Campaign: c.view(), Tally: *t, Failed: g.failed[id], Heard: g.heard[id]}
}

// writeTotals adds a difference to a campaign's stored totals.
func (g *group) writeTotals(c *campaign, t *Tally) error {
	n := &t.Counts
	if _, err := g.w.stmts.campaign.ExecContext(g.ctx, int64(c.runFrom), int64(c.runTo), int64(c.latest), n.Messages, n.Sent, n.Delivered, n.Read,
		n.Failed, n.Withheld, n.Refusers, n.OptOuts, n.Paced,
		n.Waiting, n.SetAside, n.Claimed, n.Unknown, n.Cancelled, n.Refused, c.id); err != nil {
		return err
	}
	for _, second := range slices.Sorted(maps.Keys(t.Pulses)) {
		p := t.Pulses[second]
		if p == (Pulse{}) {
			continue
		}
		if _, err := g.w.stmts.pulse.ExecContext(g.ctx, c.id, second, p.Messages, p.Delivered, p.Failed, p.Withheld,
			p.Within[0], p.Within[1], p.Within[2], p.Within[3], p.Within[4], p.Failed30, p.Withheld30, p.Refused, p.Paced); err != nil {
			return err
		}
	}
	byCode := slices.SortedFunc(maps.Keys(t.Errors), func(a, b CodeMinute) int {
		return cmp.Or(cmp.Compare(a.Code, b.Code), cmp.Compare(a.Minute, b.Minute))
	})
	for _, k := range byCode {
		if t.Errors[k] == 0 {
			continue
		}
		if _, err := g.w.stmts.errorMinute.ExecContext(g.ctx, c.id, k.Code, k.Minute, t.Errors[k]); err != nil {
			return err
		}
	}
	return nil
}

// remember hands the group's changes to the writer, after the commit.
func (g *group) remember() {
	w := g.w
	w.nextID, w.seq = g.next, g.seq
	w.list = g.listNames()
	w.feed.add(&g.feed)
	now := time.Now()
	for _, t := range g.order {
		if t.now.since != 0 {
			w.pending.put(&t.now, now)
		} else {
			w.pending.drop(t.now.id)
			w.recent.put(t.now)
		}
	}
	w.pending.compact()
	for id, p := range g.people.byID {
		if p.stored {
			w.people.drop(id)
		} else {
			w.people.put(p)
		}
	}
	for id := range g.vanished {
		w.people.drop(id)
	}
	for kind, entries := range g.entries {
		for _, e := range entries {
			w.indexes[kind].tail.add(e)
		}
	}
	maps.Copy(w.seeds, g.seeds)
	w.rememberLag(g)
	maps.Copy(w.renamed, g.renamed)
	w.keepFormers(g.formers)
	maps.Copy(w.limits, g.limits)
	if len(w.renamed) > generation { // only messages in memory name people by what they were once
		w.forgetRenamed(g)
	}
	for person, at := range g.homeless {
		if at == 0 {
			delete(w.homeless, person)
		} else {
			w.homeless[person] = at
		}
	}
	for person, at := range g.wrote {
		person = g.is(person)
		w.wrote[person] = max(w.wrote[person], at)
	}
	for _, c := range g.campaigns {
		w.keepCampaign(c)
	}
	for _, c := range g.gone {
		w.dropCampaign(c)
		delete(w.lag, c.id)
	}
	for _, n := range g.numbers.row {
		w.numbers.keep(n)
	}
	maps.Copy(w.templates, g.templates)
	maps.Copy(w.health, g.health)
	maps.Copy(w.titles, g.titles)
	for id, x := range g.watches {
		w.watches[id] = x
	}
	for id, p := range g.plans {
		if p == nil {
			delete(w.plans, id)
		} else {
			w.plans[id] = p
		}
	}
	w.keepFallbacks(g)
	for id, a := range g.attempts {
		if a == nil {
			w.attempts.drop(id)
		} else {
			w.attempts.put(*a)
		}
	}
}

// rememberLag keeps, for each campaign, by how much what is known differs from
// what is stored.
func (w *writer) rememberLag(g *group) {
	if w.pending.len() == 0 {
		clear(w.lag)
		return
	}
	for id, t := range g.tallies {
		tallyOf(w.lag, id).merge(t, 1)
	}
	for id, t := range g.totals {
		tallyOf(w.lag, id).merge(t, -1)
	}
}

// forgetRenamed gives everybody in memory the id that they have now.
func (w *writer) forgetRenamed(g *group) {
	for _, all := range w.formers {
		for i := range all {
			all[i].person = g.is(all[i].person)
		}
	}
	for _, m := range w.pending.byID {
		if now := g.is(m.person); now != m.person {
			w.pending.leave(m)
			m.person = now
			w.pending.join(m)
		}
	}
	w.renamed, w.recent = map[int64]int64{}, recent{}
}
