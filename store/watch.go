package store

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"tickwatch/wa"
)

// Watch declares a campaign of another system whose messages do not say that
// they are its: those that leave a number from a moment on, perhaps to the people
// of a list only, and whose callback data names no campaign. It ends after two
// hours of silence.
type Watch struct {
	Number   string // phone_number_id
	Name     string
	Template string // NAME or NAME/LANG, to be shown: webhooks do not name it
	Started  wa.Instant
	Phones   []string // E.164 or digits; none = whoever is written to
}

// watch is a declared campaign as the writer knows it.
type watch struct {
	campaign, number int64
	started          wa.Instant // 0 = it is still being declared
	listed           bool
	template         string
}

// rowListed is the state of a row that only says that somebody is on a watch's list.
const rowListed = 7

// watchStep is how many rows one commit of a declaration writes or moves.
const watchStep = 512

// Watch declares a campaign. Messages that have come already and belong to it
// leave their number's run.
func (s *Store) Watch(ctx context.Context, w Watch) (Campaign, error) {
	if w.Started <= 0 {
		return Campaign{}, errors.New("a watch begins at some moment")
	}
	w.Started -= w.Started % 1000 // Meta tells whole seconds
	if err := s.Settled(ctx); err != nil {
		return Campaign{}, fmt.Errorf("declaring a campaign: %w", err)
	}
	id, runs, err := s.declare(ctx, &w)
	if err == nil {
		err = s.listWatched(ctx, id, w.Phones)
	}
	if err == nil {
		err = s.submit(ctx, &request{weight: 1, group: func(g *group) error { return g.openWatch(id, w.Started) }})
	}
	for _, run := range runs {
		if err == nil {
			err = s.moveWatched(ctx, run, id, w.Started)
		}
	}
	if err == nil { // so that a start after a crash need not decide it again
		err = s.Settled(ctx)
	}
	var c Campaign
	if err == nil {
		err = s.look(ctx, func(w *writer) error { c = w.byID[id].view(); return nil })
	}
	if err != nil {
		return Campaign{}, fmt.Errorf("declaring a campaign: %w", err)
	}
	return c, nil
}

// declare makes the campaign, which takes no message yet, and names the runs of
// its number that may have some of it.
func (s *Store) declare(ctx context.Context, w *Watch) (id int64, runs []int64, err error) {
	err = s.submit(ctx, &request{weight: 1, group: func(g *group) error {
		n, err := g.number(wa.Sender{NumberID: w.Number})
		if err != nil {
			return err
		}
		name := w.Name
		if name == "" {
			name = "sent from " + n.label()
		}
		c, err := g.newCampaign(kindWatch, g.freeKey(name), bounded(name), n, 0)
		if err != nil {
			return err
		}
		c.template = bounded(w.Template)
		id, runs = c.id, nil
		for _, run := range g.w.runs[n.id] {
			if r := g.look(run); r != nil && r.runTo >= w.Started {
				runs = append(runs, run)
			}
		}
		g.watches[c.id] = &watch{campaign: c.id, number: n.id, listed: len(w.Phones) > 0, template: bounded(w.Template)}
		g.tally(c.id) // so that it is told of
		return g.writeWatch(g.watches[c.id])
	}})
	return id, runs, err
}

func (g *group) writeWatch(w *watch) error {
	_, err := g.conn.ExecContext(g.ctx, "INSERT OR REPLACE INTO watch VALUES (?, ?, ?, ?, ?)", w.campaign, w.number, int64(w.started), w.listed, w.template)
	return err
}

// listWatched writes who is on a watch's list.
func (s *Store) listWatched(ctx context.Context, campaign int64, phones []string) error {
	for step := range slices.Chunk(phones, watchStep) {
		if err := s.submit(ctx, &request{weight: int64(len(step)), group: func(g *group) error {
			for _, phone := range step {
				id := take(&g.next.recipient)
				phone := digits(phone)
				if _, err := g.conn.ExecContext(g.ctx, "INSERT INTO recipient VALUES (?, ?, ?, ?, 0, 0, 0, 0, 0, 0, '', '[]')", id, campaign, phone, rowListed); err != nil {
					return err
				}
				if err := g.indexRow(indexRecipient, hashOf(phone), id); err != nil {
					return err
				}
			}
			return nil
		}}); err != nil {
			return err
		}
	}
	return nil
}

func (g *group) openWatch(campaign int64, started wa.Instant) error {
	w := *g.watchOf(campaign)
	w.started = started
	g.watches[campaign] = &w
	return g.writeWatch(&w)
}

func (g *group) watchOf(campaign int64) *watch {
	if w := g.watches[campaign]; w != nil {
		return w
	}
	return g.w.watches[campaign]
}

// moveWatched moves the messages of a run that belong to a watch.
func (s *Store) moveWatched(ctx context.Context, run, to int64, started wa.Instant) error {
	for after := int64(0); ; {
		ids, err := query(ctx, s.readers, func(s scanner) (id int64, err error) { return id, s.Scan(&id) },
			"SELECT id FROM message WHERE id > max(?, (SELECT first_message - 1 FROM campaign WHERE id = ?)) AND campaign = ? ORDER BY id LIMIT ?", after, run, run, watchStep)
		if err != nil {
			return err
		}
		if len(ids) == 0 {
			return nil
		}
		after = ids[len(ids)-1]
		if err := s.submit(ctx, &request{weight: int64(len(ids)), group: func(g *group) error {
			for _, id := range ids {
				t, err := g.byID(id)
				if err != nil {
					return err
				}
				clock := t.now.progress.Clock()
				if t.now.campaign != run || clock < started {
					continue
				}
				if ours, err := g.onList(g.watchOf(to), t); err != nil || !ours {
					if err != nil {
						return err
					}
					continue
				}
				t.pin = true // no post of its own tells this
				if err := g.join(t, g.campaign(to), g.numberByRow(t.now.number)); err != nil {
					return err
				}
			}
			return nil
		}}); err != nil {
			return err
		}
	}
}

// onList tells whether a watch's list, if it has one, has the person of a message.
func (g *group) onList(w *watch, t *touched) (bool, error) {
	if !w.listed {
		return true, nil
	}
	p, err := g.personByRow(t.now.person)
	if err != nil || p.phone == "" {
		return false, err
	}
	rows, err := g.w.indexes[indexRecipient].find(g.ctx, g.w.stmts.readPage, hashOf(p.phone))
	if err != nil {
		return false, err
	}
	for _, id := range rows {
		r, err := g.recipientByRow(id)
		if err == nil && r.campaign == w.campaign && r.phone == p.phone {
			return true, nil
		}
		if err != nil && !missing(err) {
			return false, err
		}
	}
	return false, nil
}

// watched is the watch that a message without a key belongs to, the one declared
// last if several fit; nil when none does.
func (g *group) watched(t *touched, n *number, at wa.Instant) (*campaign, error) {
	var found *campaign
	for id, w := range g.w.watches {
		if now := g.watches[id]; now != nil {
			w = now
		}
		if w.number != n.id || w.started == 0 || at < w.started || found != nil && found.id > id {
			continue
		}
		c := g.look(id)
		if c == nil || c.latest != 0 && at > c.latest+runSilence {
			continue
		}
		ours, err := g.onList(w, t)
		if err != nil {
			return nil, err
		}
		if ours {
			found = c
		}
	}
	if found == nil {
		return nil, nil
	}
	return g.campaign(found.id), nil
}

func (w *writer) loadWatches(ctx context.Context) error {
	w.watches = map[int64]*watch{}
	all, err := query(ctx, w.conn, func(s scanner) (*watch, error) {
		x := &watch{}
		return x, s.Scan(&x.campaign, &x.number, &x.started, &x.listed, &x.template)
	}, "SELECT campaign, number, started, listed, template FROM watch")
	for _, x := range all {
		w.watches[x.campaign] = x
	}
	return err
}
