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
	expires                            wa.Instant // what waits then expires; 0 = never
	tries                              int
	at, toldAt                         wa.Instant
	segments                           int64
	cost                               wa.Money
	providerID, code, reason           string
}

const fallbackColumns = `id, run, campaign, person, message, channel, address, language, subject, body, token, state,
	accepted, doubled, due, tries, at, told_at, segments, cost, provider_id, code, reason, expires`

func scanFallback(s scanner) (f fallback, err error) {
	return f, s.Scan(&f.id, &f.run, &f.campaign, &f.person, &f.message, &f.channel, &f.address, &f.language, &f.subject, &f.text, &f.token, &f.state,
		&f.accepted, &f.doubled, &f.due, &f.tries, &f.at, &f.toldAt, &f.segments, &f.cost, &f.providerID, &f.code, &f.reason, &f.expires)
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
	case fallbackWaiting:
		c.Waiting, c.Pending = 1, f.cost
	case fallbackClaimed:
		c.Waiting, c.Pending, c.Begun = 1, f.cost, f.cost
	case fallbackUnknown:
		c.Unknown, c.Pending, c.Begun = 1, f.cost, f.cost
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

// waits is what the message contributes to its run's.
func (f *fallback) waits() (n wa.FallbackWaits) {
	if i := slices.Index(wa.FallbackChannels, f.channel); i >= 0 && (f.state == fallbackWaiting || f.state == fallbackClaimed) {
		n[i] = 1
	}
	return n
}

// personIn is a person in a campaign.
type personIn struct{ campaign, person int64 }

// fallbacks are what the writer knows of them without looking: the runs, the
// counts, and which people and messages have one.
type fallbacks struct {
	runs      map[int64]*wa.FallbackRun
	counts    map[int64]wa.FallbackCounts // by campaign
	waits     map[int64]wa.FallbackWaits  // by run
	byPerson  map[personIn]int64
	byMessage map[int64]int64
}

func newFallbacks() fallbacks {
	return fallbacks{map[int64]*wa.FallbackRun{}, map[int64]wa.FallbackCounts{}, map[int64]wa.FallbackWaits{}, map[personIn]int64{}, map[int64]int64{}}
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

// count adds (sign 1) or takes away (sign -1) a message.
func (b *fallbacks) count(f *fallback, sign int64) {
	sum, n := b.counts[f.campaign], f.counts()
	sum.Add(&n, sign)
	b.counts[f.campaign] = sum
	b.waits[f.run] = addWaits(b.waits[f.run], f.waits(), sign)
}

func addWaits(sum, d wa.FallbackWaits, sign int64) wa.FallbackWaits {
	for i := range sum {
		sum[i] += sign * d[i]
	}
	return sum
}

// changeFallback changes a fallback message, and the counts with it.
func (g *group) changeFallback(f *fallback, change func(f *fallback)) error {
	g.fallbacks.count(f, -1)
	change(f)
	g.fallbacks.count(f, 1)
	_, err := g.w.stmts.updateFallback.ExecContext(g.ctx, f.token, f.state, f.accepted, f.doubled, int64(f.due), f.tries, int64(f.at), int64(f.toldAt),
		f.segments, int64(f.cost), f.providerID, f.code, f.reason, int64(f.expires), f.id)
	return err
}

// leaveFallback ends a message that has not gone out, for a reason.
func (g *group) leaveFallback(f *fallback, state int, reason string) error {
	return g.changeFallback(f, func(f *fallback) { f.state, f.reason = state, reason })
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
	for run, diff := range g.fallbacks.waits {
		w.fallbacks.waits[run] = addWaits(w.fallbacks.waits[run], diff, 1)
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
		err := s.Scan(&f.id, &f.run, &f.campaign, &f.person, &f.message, &f.channel, &f.state, &f.accepted, &f.doubled, &f.segments, &f.cost)
		w.fallbacks.count(&f, 1)
		w.fallbacks.byPerson[personIn{f.campaign, f.person}] = f.id
		w.fallbacks.byMessage[f.message] = f.id
		return struct{}{}, err
	}, "SELECT id, run, campaign, person, message, channel, state, accepted, doubled, segments, cost FROM fallback")
	return err
}

// unansweredFor is how long a fallback may be unknown before its provider is asked.
const unansweredFor = wa.Instant(time.Minute / time.Millisecond)

// UnknownFallbacks reads fallback messages by some channels that may have gone out,
// tried a minute ago or longer: those after one that was read before, the oldest
// first. The zero FallbackDoubt begins with the oldest.
func (s *Store) UnknownFallbacks(ctx context.Context, channels []string, after wa.FallbackDoubt, now wa.Instant, limit int) ([]wa.FallbackDoubt, error) {
	names, err := json.Marshal(channels)
	if err != nil {
		return nil, err
	}
	all, err := query(ctx, s.readers, scanFallback, "SELECT "+fallbackColumns+` FROM fallback WHERE state = 2 AND state IN (1, 2) AND at <= ? AND (at, id) > (?, ?)
		AND channel IN (SELECT value FROM json_each(?)) ORDER BY at, id LIMIT ?`,
		int64(now-unansweredFor), int64(after.Begun), after.Attempt.ID, string(names), limit)
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

// uniteFallbacks gives the fallback messages of a person to another who is the
// same. Where both have one in a campaign, what has not gone out of the second does not.
func (g *group) uniteFallbacks(keep, drop int64) error {
	rows, err := query(g.ctx, g.conn, scanFallback, "SELECT "+fallbackColumns+" FROM fallback WHERE person = ?", drop)
	if err != nil {
		return err
	}
	for i := range rows {
		f := &rows[i]
		other := g.fallbackTo(f.campaign, keep)
		if other == 0 {
			if _, err := g.conn.ExecContext(g.ctx, "UPDATE fallback SET person = ? WHERE id = ?", keep, f.id); err != nil {
				return err
			}
			g.fallbacks.byPerson[personIn{f.campaign, keep}] = f.id
			continue
		}
		second := f
		if f.state != fallbackWaiting && !f.free() { // it went out, so the other one must not
			o, err := g.fallbackByRow(other)
			if err != nil {
				return err
			}
			second = &o
		}
		if second.state == fallbackWaiting || second.free() {
			if err := g.leaveFallback(second, fallbackLeftOut, reasonTwice); err != nil {
				return err
			}
		}
	}
	return nil
}
