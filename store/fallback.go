package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"tickwatch/wa"
)

// States of a fallback message, as they are stored.
const (
	fallbackWaiting   = iota
	fallbackClaimed   // its attempt is on disk; its request may be under way
	fallbackUnknown   // it may have gone out
	fallbackAccepted  // the provider has it
	fallbackSent      // the network has it
	fallbackDelivered // it arrived
	fallbackFailed    // rejected, or failed later
	fallbackWithdrawn // the WhatsApp message arrived first
	fallbackLeftOut   // does not go out: cancelled, opted out, twice
	fallbackExpired   // waited too long
)

// fallback is one message by another channel.
type fallback struct {
	id, run, campaign, person, message int64
	channel, address                   string
	language, subject, text            string
	token                              string
	state                              int
	accepted, doubled                  bool
	due                                wa.Instant
	tries                              int
	at, toldAt                         wa.Instant
	segments                           int64
	cost                               wa.Money
	providerID, code, reason           string
}

const fallbackColumns = `id, run, campaign, person, message, channel, address, language, subject, body, token, state,
	accepted, doubled, due, tries, at, told_at, segments, cost, provider_id, code, reason`

func scanFallback(s scanner) (f fallback, err error) {
	return f, s.Scan(&f.id, &f.run, &f.campaign, &f.person, &f.message, &f.channel, &f.address, &f.language, &f.subject, &f.text, &f.token, &f.state,
		&f.accepted, &f.doubled, &f.due, &f.tries, &f.at, &f.toldAt, &f.segments, &f.cost, &f.providerID, &f.code, &f.reason)
}

// free tells whether the person may be planned for anew: nothing of this message
// was ever on its way, and it ended for a reason that speaks of the order and not
// of the person. It says the same as freeFallback.
func (f *fallback) free() bool {
	return f.token == "" && (f.state == fallbackLeftOut || f.state == fallbackExpired) && f.reason != reasonTwice
}

// freeFallback is a condition on rows of fallback f.
var freeFallback = fmt.Sprintf("(f.token = '' AND f.state IN (%d, %d) AND f.reason <> '%s')", fallbackLeftOut, fallbackExpired, strings.ReplaceAll(reasonTwice, "'", "''"))

// counts is what the message contributes to its campaign's.
func (f *fallback) counts() (c wa.FallbackCounts) {
	if f.accepted {
		c.Accepted, c.Segments, c.Cost = 1, f.segments, f.cost
	}
	if f.doubled {
		c.DoubleHits = 1
	}
	switch f.state {
	case fallbackWaiting, fallbackClaimed:
		c.Waiting, c.Pending = 1, f.cost
	case fallbackUnknown:
		c.Unknown, c.Pending = 1, f.cost
	case fallbackDelivered:
		c.Delivered = 1
	case fallbackFailed:
		c.Failed = 1
	case fallbackWithdrawn:
		c.Withdrawn = 1
	case fallbackLeftOut:
		c.LeftOut = 1
	case fallbackExpired:
		c.Expired = 1
	}
	return c
}

// personIn is a person in a campaign.
type personIn struct{ campaign, person int64 }

// fallbacks are what the writer knows of them without looking: the runs, the
// counts, and which people and messages have one.
type fallbacks struct {
	runs      map[int64]*wa.FallbackRun
	counts    map[int64]wa.FallbackCounts // by campaign
	byPerson  map[personIn]int64
	byMessage map[int64]int64
}

func newFallbacks() fallbacks {
	return fallbacks{map[int64]*wa.FallbackRun{}, map[int64]wa.FallbackCounts{}, map[personIn]int64{}, map[int64]int64{}}
}

// fallbackRun gives a run to read; nil = there is none of that id.
func (g *group) fallbackRun(id int64) *wa.FallbackRun {
	if r, ok := g.fallbacks.runs[id]; ok {
		return r
	}
	return g.w.fallbacks.runs[id]
}

// changeRun gives the group's copy of a run, which it may change.
func (g *group) changeRun(id int64) *wa.FallbackRun {
	if r := g.fallbacks.runs[id]; r != nil {
		return r
	}
	r := *g.w.fallbacks.runs[id]
	g.fallbacks.runs[id] = &r
	return &r
}

// fallbackTo finds the fallback of a person in a campaign; 0 = there is none.
func (g *group) fallbackTo(campaign, person int64) int64 {
	key := personIn{campaign, person}
	if id, ok := g.fallbacks.byPerson[key]; ok {
		return id
	}
	return g.w.fallbacks.byPerson[key]
}

// fallbackFor finds the fallback that a WhatsApp message has; 0 = none.
func (g *group) fallbackFor(message int64) int64 {
	if id, ok := g.fallbacks.byMessage[message]; ok {
		return id
	}
	return g.w.fallbacks.byMessage[message]
}

// fallbackByRow reads a fallback message.
func (g *group) fallbackByRow(id int64) (fallback, error) {
	return scanFallback(g.w.stmts.fallbackByID.QueryRowContext(g.ctx, id))
}

// changeFallback changes a fallback message, and the counts with it.
func (g *group) changeFallback(f *fallback, change func(f *fallback)) error {
	before := f.counts()
	change(f)
	now := f.counts()
	diff := g.fallbacks.counts[f.campaign]
	diff.Add(&before, -1)
	diff.Add(&now, 1)
	g.fallbacks.counts[f.campaign] = diff
	_, err := g.w.stmts.updateFallback.ExecContext(g.ctx, f.token, f.state, f.accepted, f.doubled, int64(f.due), f.tries, int64(f.at), int64(f.toldAt),
		f.segments, int64(f.cost), f.providerID, f.code, f.reason, f.id)
	return err
}

// leaveFallback ends a message that has not gone out, for a reason.
func (g *group) leaveFallback(f *fallback, state int, reason string) error {
	return g.changeFallback(f, func(f *fallback) { f.state, f.reason = state, reason })
}

// writeRuns writes the runs that the group changed.
func (g *group) writeRuns() error {
	for id, r := range g.fallbacks.runs {
		body, err := json.Marshal(r)
		if err != nil {
			return err
		}
		if _, err := g.conn.ExecContext(g.ctx, "INSERT OR REPLACE INTO fallback_run VALUES (?, ?, ?, ?)", id, r.Campaign, r.State, string(body)); err != nil {
			return err
		}
	}
	return nil
}

// keepFallbacks hands the group's changes to the writer, after the commit.
func (w *writer) keepFallbacks(g *group) {
	for id, r := range g.fallbacks.runs {
		w.fallbacks.runs[id] = r
	}
	for campaign, diff := range g.fallbacks.counts {
		now := w.fallbacks.counts[campaign]
		now.Add(&diff, 1)
		w.fallbacks.counts[campaign] = now
	}
	for key, id := range g.fallbacks.byPerson {
		w.fallbacks.byPerson[key] = id
	}
	for message, id := range g.fallbacks.byMessage {
		w.fallbacks.byMessage[message] = id
	}
}

// loadFallbacks reads what a start must know of them. What a crash left claimed
// may have gone out; a run that was still being planned is none.
func (w *writer) loadFallbacks(ctx context.Context) error {
	w.fallbacks = newFallbacks()
	for _, text := range []string{
		fmt.Sprintf("UPDATE fallback SET state = %d WHERE state = %d AND state IN (1, 2)", fallbackUnknown, fallbackClaimed),
		"DELETE FROM fallback WHERE run IN (SELECT id FROM fallback_run WHERE state = '" + wa.FallbackRunPlanning + "')",
		"DELETE FROM fallback_run WHERE state = '" + wa.FallbackRunPlanning + "'",
	} {
		if _, err := w.conn.ExecContext(ctx, text); err != nil {
			return err
		}
	}
	if err := lastID(ctx, w.conn, "id", "fallback", &w.nextID.fallback); err != nil {
		return err
	}
	if err := lastID(ctx, w.conn, "id", "fallback_run", &w.nextID.fallbackRun); err != nil {
		return err
	}
	runs, err := query(ctx, w.conn, func(s scanner) (r *wa.FallbackRun, err error) {
		var body []byte
		if err := s.Scan(&body); err != nil {
			return nil, err
		}
		r = &wa.FallbackRun{}
		return r, json.Unmarshal(body, r)
	}, "SELECT body FROM fallback_run")
	if err != nil {
		return err
	}
	for _, r := range runs {
		w.fallbacks.runs[r.ID] = r
	}
	_, err = query(ctx, w.conn, func(s scanner) (struct{}, error) {
		f := fallback{}
		err := s.Scan(&f.id, &f.campaign, &f.person, &f.message, &f.state, &f.accepted, &f.doubled, &f.segments, &f.cost)
		c, n := w.fallbacks.counts[f.campaign], f.counts()
		c.Add(&n, 1)
		w.fallbacks.counts[f.campaign] = c
		w.fallbacks.byPerson[personIn{f.campaign, f.person}] = f.id
		w.fallbacks.byMessage[f.message] = f.id
		return struct{}{}, err
	}, "SELECT id, campaign, person, message, state, accepted, doubled, segments, cost FROM fallback")
	return err
}

// FallbackRuns reads all runs that were ordered, oldest first.
func (s *Store) FallbackRuns(ctx context.Context) (all []wa.FallbackRun, err error) {
	err = s.look(ctx, func(w *writer) error {
		for _, r := range w.fallbacks.runs {
			if r.State != wa.FallbackRunPlanning {
				all = append(all, *r)
			}
		}
		return nil
	})
	slices.SortFunc(all, func(a, b wa.FallbackRun) int { return int(a.ID - b.ID) })
	if err != nil {
		return nil, fmt.Errorf("reading fallback runs: %w", err)
	}
	return all, nil
}

// FallbackCounts reads the counts of all campaigns that have a fallback, by row id.
func (s *Store) FallbackCounts(ctx context.Context) (all map[int64]wa.FallbackCounts, err error) {
	all = map[int64]wa.FallbackCounts{}
	err = s.look(ctx, func(w *writer) error {
		for campaign, c := range w.fallbacks.counts {
			all[campaign] = c
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("counting fallback messages: %w", err)
	}
	return all, nil
}

// ErrNoRun is what a fallback is refused with that is not there.
var ErrNoRun = fmt.Errorf("there is no such fallback")

// SetFallbackRun gives a run another state: a cancelled one stays so. Its look is
// over once it is running.
func (s *Store) SetFallbackRun(ctx context.Context, id int64, state string) (r wa.FallbackRun, err error) {
	err = s.submit(ctx, &request{weight: 1, group: func(g *group) error {
		have := g.fallbackRun(id)
		if have == nil {
			return ErrNoRun
		}
		if have.State != wa.FallbackRunCancelled && have.State != state {
			g.changeRun(id).State = state
		}
		r = *g.fallbackRun(id)
		return nil
	}})
	if err != nil {
		return r, fmt.Errorf("storing a fallback's state: %w", err)
	}
	return r, nil
}

// fallbackStep is how many fallback messages one commit of a longer work changes.
const fallbackStep = 256

// EndFallback ends what waits of a run: of a cancelled one as left out, else (at
// its age limit) as expired. What is on its way is not touched. It says how many.
func (s *Store) EndFallback(ctx context.Context, run int64, reason string, expired bool) (ended int64, err error) {
	state := fallbackLeftOut
	if expired {
		state = fallbackExpired
	}
	for {
		n := 0
		err = s.submit(ctx, &request{weight: fallbackStep, group: func(g *group) error {
			rows, err := query(g.ctx, g.conn, scanFallback, "SELECT "+fallbackColumns+" FROM fallback WHERE run = ? AND state = 0 LIMIT ?", run, fallbackStep)
			if err != nil {
				return err
			}
			for i := range rows {
				if err := g.leaveFallback(&rows[i], state, reason); err != nil {
					return err
				}
			}
			n = len(rows)
			return nil
		}})
		if err != nil {
			return ended, fmt.Errorf("ending a fallback: %w", err)
		}
		ended += int64(n)
		if n < fallbackStep {
			return ended, nil
		}
	}
}

// unansweredFor is how long a fallback may be unknown before its provider is asked.
const unansweredFor = wa.Instant(time.Minute / time.Millisecond)

// UnknownFallbacks reads fallback messages that may have gone out, tried a minute
// ago or longer, the oldest first.
func (s *Store) UnknownFallbacks(ctx context.Context, now wa.Instant, limit int) ([]wa.FallbackDoubt, error) {
	all, err := query(ctx, s.readers, scanFallback, "SELECT "+fallbackColumns+" FROM fallback WHERE state = 2 AND state IN (1, 2) AND at <= ? ORDER BY at LIMIT ?",
		int64(now-unansweredFor), limit)
	if err != nil {
		return nil, fmt.Errorf("reading fallback messages that may have gone out: %w", err)
	}
	out := make([]wa.FallbackDoubt, len(all))
	for i := range all {
		out[i] = wa.FallbackDoubt{FallbackMessage: all[i].outgoing(), ProviderID: all[i].providerID, Begun: all[i].at}
	}
	return out, nil
}

// outgoing is the message as a provider takes it.
func (f *fallback) outgoing() wa.FallbackMessage {
	return wa.FallbackMessage{
		Channel: f.channel, Attempt: wa.FallbackAttempt{ID: f.id, Token: f.token}, To: f.address,
		Subject: f.subject, Text: f.text, Language: f.language,
	}
}

// reachedBeside says that a person has a campaign's message by another channel, or
// may have or is to get it; "" = they have not.
func (g *group) reachedBeside(campaign, person int64) (string, error) {
	id := g.fallbackTo(campaign, person)
	if id == 0 {
		return "", nil
	}
	f, err := g.fallbackByRow(id)
	if missing(err) {
		return "", nil
	}
	switch f.state {
	case fallbackWaiting, fallbackClaimed, fallbackUnknown, fallbackAccepted, fallbackSent, fallbackDelivered:
		return "is reached by another channel", err
	}
	return "", err
}
