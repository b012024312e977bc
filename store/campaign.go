package store

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"tickwatch/wa"
)

// Kinds of a campaign; another system sends those of key and run.
const (
	kindKey = "key" // its messages carry its key in their callback data
	kindRun = "run" // a number's messages without a key, until two hours of silence
	kindOwn = "own" // tickwatch sends it

	kindWatch = "watch" // declared by an operator: a number's messages without a key, from a moment on
)

const (
	// runSilence ends a number's run.
	runSilence = wa.Instant(2 * time.Hour / time.Millisecond)
	// loneKeys is how many campaigns of a single message a number may have before its
	// callback data counts as unique to each message, which is no key.
	loneKeys = 8
)

// campaign is a campaign as the writer knows it.
type campaign struct {
	id           int64
	key, name    string
	kind         string
	number       int64 // of the first message
	firstMessage int64
	runFrom      wa.Instant // run only: clocks of its first and last message
	runTo        wa.Instant
	latest       wa.Instant // latest clock of a message
	counts       Counts
	numbers      []int64  // it is sent from
	senders      []string // phone_number_ids of those that have one
	template     string   // of a watch: what the operator said it sends
}

func (w *writer) keepCampaign(c *campaign) {
	w.campaigns[c.key] = c
	w.byID[c.id] = c
	if c.kind == kindRun && !slices.Contains(w.runs[c.number], c.id) {
		w.runs[c.number] = append(w.runs[c.number], c.id)
	}
	lone := w.lone[c.number]
	if c.kind == kindKey && c.counts.Messages == 1 && c.counts.OptOuts == 0 {
		if lone == nil {
			lone = map[int64]*campaign{}
			w.lone[c.number] = lone
		}
		lone[c.id] = c
	} else {
		delete(lone, c.id)
	}
}

func (w *writer) dropCampaign(c *campaign) {
	delete(w.campaigns, c.key)
	delete(w.byID, c.id)
	delete(w.lone[c.number], c.id)
}

// campaign gives the group's copy of a campaign, which it may change.
func (g *group) campaign(id int64) *campaign {
	if c := g.campaigns[id]; c != nil {
		return c
	}
	c := *g.w.byID[id]
	c.senders, c.numbers = slices.Clone(c.senders), slices.Clone(c.numbers)
	g.campaigns[id], g.byKey[c.key] = &c, &c
	return &c
}

// look gives a campaign to read.
func (g *group) look(id int64) *campaign {
	return cmp.Or(g.campaigns[id], g.w.byID[id])
}

// campaignByKey finds a campaign, made in this group or before; nil when there is none.
func (g *group) campaignByKey(key string) *campaign {
	if c := g.byKey[key]; c != nil {
		return c
	}
	if c := g.w.campaigns[key]; c != nil {
		return g.campaign(c.id)
	}
	return nil
}

// assign gives a new message its campaign: by its callback data, else its
// number's current run.
func (g *group) assign(t *touched, callback string, n *number, at wa.Instant) error {
	if key, ok := wa.CampaignKey(callback); ok {
		if joined, err := g.toKey(t, key, n); joined || err != nil {
			return err
		}
	}
	return g.toRun(t, n, at)
}

// adopt moves a message whose first status came without a key, or with one that
// was no campaign then, to the campaign that a later one names.
func (g *group) adopt(t *touched, callback string) error {
	if t.now.lone {
		return nil
	}
	key, ok := wa.CampaignKey(callback)
	if !ok {
		return nil
	}
	_, err := g.toKey(t, key, g.numberByRow(t.now.number))
	return err
}

// toKey puts a message into its key's campaign, making it if need be. False
// when the key is no campaign: its number's keys are unique to each message, and
// no other message has carried this one.
func (g *group) toKey(t *touched, key string, n *number) (bool, error) {
	c := g.campaignByKey(key)
	first := t.now.id
	if c == nil { // perhaps one other message has carried the key, from whatever number
		err := g.conn.QueryRowContext(g.ctx, "SELECT message FROM lone_key WHERE key = ?", key).Scan(&first)
		switch {
		case missing(err) && n.folding:
			t.now.lone, t.pin = true, true
			_, err = g.conn.ExecContext(g.ctx, "INSERT INTO lone_key (key, message) VALUES (?, ?)", key, t.now.id)
			return false, err
		case missing(err):
		case err != nil || first == t.now.id:
			t.now.lone = true
			return false, err
		default: // then it is a campaign, and that message comes along
			if _, err := g.conn.ExecContext(g.ctx, "DELETE FROM lone_key WHERE key = ?", key); err != nil {
				return false, err
			}
		}
	}
	if c == nil {
		var err error
		key = strings.Clone(key)
		if c, err = g.newCampaign(kindKey, key, key, n, first); err != nil {
			return false, err
		}
		t.pin = true
	}
	if first != t.now.id {
		m, err := g.byID(first)
		if err != nil {
			return false, err
		}
		m.pin = true // no post of its own tells this
		if err := g.join(m, c, g.numberByRow(m.now.number)); err != nil {
			return false, err
		}
	}
	return true, g.join(t, c, n)
}

// join puts a message of a number into a campaign.
func (g *group) join(t *touched, c *campaign, n *number) error {
	t.now.campaign, t.now.keyed, t.now.lone = c.id, c.keyed(), t.now.lone && !c.keyed()
	if n.ID != "" && !slices.Contains(c.senders, n.ID) {
		c.senders = append(c.senders, n.ID)
	}
	if slices.Contains(c.numbers, n.id) {
		return nil
	}
	c.numbers = append(c.numbers, n.id)
	_, err := g.conn.ExecContext(g.ctx, "INSERT OR IGNORE INTO campaign_number VALUES (?, ?)", c.id, n.id)
	return err
}

// keyed tells whether a campaign's messages say themselves that they are its.
func (c *campaign) keyed() bool { return c.kind == kindKey || c.kind == kindOwn }

// toRun puts a message into the watch that its number has declared, else into the
// run of its number that its clock falls into, or starts one.
func (g *group) toRun(t *touched, n *number, at wa.Instant) error {
	if c, err := g.watched(t, n, at); c != nil || err != nil {
		if err != nil {
			return err
		}
		return g.join(t, c, n)
	}
	run := g.runAt(n.id, at)
	if run == nil {
		key := fmt.Sprintf("run-%s-%s", cmp.Or(n.ID, n.Display, "unknown"), at.Time().Format("20060102T150405"))
		if run = g.campaignByKey(key); run == nil || run.kind != kindRun {
			if run != nil { // somebody named a campaign so
				key += fmt.Sprintf("-%d", t.now.id)
			}
			var err error
			if run, err = g.newCampaign(kindRun, key, "sent from "+n.label(), n, t.now.id); err != nil {
				return err
			}
			t.pin = true
			run.runFrom, run.runTo = at, at
			g.newRuns[n.id] = append(g.newRuns[n.id], run.id)
		}
	}
	run.runFrom, run.runTo = min(run.runFrom, at), max(run.runTo, at)
	return g.join(t, run, n)
}

// latestRuns is how many of a number's runs are looked at for a message that
// comes late.
const latestRuns = 30

// runAt is the run of a number that a moment falls into, the newest if several
// do; nil when there is none.
func (g *group) runAt(number int64, at wa.Instant) *campaign {
	looked := 0
	for _, ids := range [...][]int64{g.newRuns[number], g.w.runs[number]} {
		for _, id := range slices.Backward(ids) {
			c := g.look(id)
			if at >= c.runFrom-runSilence && at <= c.runTo+runSilence {
				return g.campaign(id)
			}
			if looked++; looked == latestRuns {
				return nil
			}
		}
	}
	return nil
}

func (g *group) newCampaign(kind, key, name string, n *number, first int64) (*campaign, error) {
	c := &campaign{id: take(&g.next.campaign), key: key, name: name, kind: kind, number: n.id, firstMessage: first}
	return c, g.addCampaign(c)
}

func (g *group) addCampaign(c *campaign) error {
	g.campaigns[c.id], g.byKey[c.key] = c, c
	_, err := g.conn.ExecContext(g.ctx, "INSERT INTO campaign (id, key, name, kind, number, first_message) VALUES (?, ?, ?, ?, ?, ?)",
		c.id, c.key, c.name, c.kind, c.number, c.firstMessage)
	return err
}

// foldLoneKeys looks, before the totals are written, for numbers with too many
// campaigns of a single message. Their callback data is unique to each message,
// which makes it no key: those messages belong to the number's run.
func (g *group) foldLoneKeys() error {
	if g.decided != nil { // that was decided, and sizes are not what they were
		return nil
	}
	touched := map[int64]bool{}
	for _, c := range g.campaigns {
		if c.kind == kindKey && c.counts.Messages <= 1 {
			touched[c.number] = true
		}
	}
	for _, id := range slices.Sorted(maps.Keys(touched)) {
		n := g.numberByRow(id)
		if n.folding {
			continue
		}
		lone := g.loneCampaigns(id)
		if len(lone) < loneKeys {
			continue
		}
		n.folding = true
		g.numbers.keep(n)
		if _, err := g.conn.ExecContext(g.ctx, "UPDATE number SET folding = 1 WHERE id = ?", n.id); err != nil {
			return err
		}
		for _, c := range lone {
			if err := g.fold(c, n); err != nil {
				return err
			}
		}
	}
	return nil
}

// loneCampaigns are a number's campaigns that have a single message once this
// group is applied.
func (g *group) loneCampaigns(number int64) []*campaign {
	size := map[int64]int64{} // difference that this group makes
	for _, t := range g.order {
		if !t.fresh {
			size[t.was.campaign]--
		}
		size[t.now.campaign]++
	}
	candidates := maps.Clone(g.w.lone[number])
	if candidates == nil {
		candidates = map[int64]*campaign{}
	}
	for id, c := range g.campaigns {
		if c.kind == kindKey && c.number == number && c.counts.OptOuts == 0 {
			candidates[id] = c
		}
	}
	var lone []*campaign
	for _, id := range slices.Sorted(maps.Keys(candidates)) {
		if t := g.tallies[id]; candidates[id].counts.Messages+size[id] == 1 && (t == nil || t.Counts.OptOuts == 0) {
			lone = append(lone, candidates[id])
		}
	}
	return lone
}

// fold dissolves a campaign of one message into its number's run.
func (g *group) fold(c *campaign, n *number) error {
	t, err := g.byID(c.firstMessage)
	if err != nil {
		return err
	}
	if err := g.toRun(t, n, t.now.progress.Clock()); err != nil {
		return err
	}
	t.now.lone, t.pin = true, true
	if _, err := g.conn.ExecContext(g.ctx, "INSERT OR IGNORE INTO lone_key VALUES (?, ?)", c.key, t.now.id); err != nil {
		return err
	}
	moved, err := query(g.ctx, g.conn, func(s scanner) (at wa.Instant, err error) { return at, s.Scan(&at) },
		"UPDATE inbound SET campaign = ? WHERE campaign = ? AND person = ? RETURNING iif(step = '', 0, at)", t.now.campaign, c.id, t.now.person)
	if err != nil {
		return err
	}
	for _, at := range moved {
		if at != 0 {
			g.countInbound(t.now.campaign, at, 1)
		}
	}
	g.gone = append(g.gone, c)
	delete(g.campaigns, c.id)
	delete(g.byKey, c.key)
	for _, text := range []string{
		"DELETE FROM campaign WHERE id = ?", "DELETE FROM pulse WHERE campaign = ?",
		"DELETE FROM error_minute WHERE campaign = ?", "DELETE FROM campaign_number WHERE campaign = ?",
	} {
		if _, err := g.conn.ExecContext(g.ctx, text, c.id); err != nil {
			return err
		}
	}
	return nil
}

// view is the campaign as others see it.
func (c *campaign) view() Campaign {
	return Campaign{ID: c.id, Key: c.key, Name: c.name, Own: c.kind == kindOwn, Watched: c.kind == kindWatch, Template: c.template, Numbers: slices.Clone(c.senders), Latest: c.latest, Counts: c.counts}
}
