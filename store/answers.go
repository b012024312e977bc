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

// Answers. What a customer writes is answered by whoever works at the help desk, not
// by tickwatch: such a message shows by its statuses, or by an echo, alone. It is
// taken for an answer when it goes to that person, from the number that they wrote
// to, within answerWindow, names no campaign and is not priced as a template. It
// stays where its statuses have put it: a number's run, or a watch.
//
// Nothing says in which order webhooks come. So whenever one of them changes what
// bears on a person who wrote lately, what they wrote is judged anew: which campaign
// it belongs to, and when it was answered.

const (
	// answerWindow is how long a business may answer freely (whatsapp.md §2.5).
	answerWindow = wa.Instant(24 * time.Hour / time.Millisecond)
	// unsettledFor is how long after somebody wrote it is looked for what bears on
	// it: Meta repeats for seven days.
	unsettledFor = attributable + answerWindow
	// latestInbound is how much of what a person wrote is judged anew, and
	// latestMessages by how many of the messages to them.
	latestInbound  = 100
	latestMessages = 100
)

const noAnswer = -1 // in answered_at: nobody waits for one

// written is an inbound message as it is judged.
type written struct {
	wamid, step, replyTo string
	at                   wa.Instant
	number, campaign     int64
	message              int64 // of ours, that it belongs to
	answeredAt           wa.Instant
}

// bearing is what of a message bears on what its person wrote.
type bearing struct {
	campaign, person int64
	clock, answersAt wa.Instant
	refused          bool
}

func (m *message) bearing() bearing {
	return bearing{m.campaign, m.person, m.progress.Clock(), m.progress.AnswersAt(), m.progress.Refused()}
}

// lately tells whether a person wrote so lately that their messages bear on it.
func (g *group) lately(person int64) bool {
	if person == 0 {
		return false
	}
	if _, ok := g.wrote[person]; ok {
		return true
	}
	_, ok := g.w.wrote[person]
	return ok
}

// answerAll judges anew what people wrote on whom the group bears.
func (g *group) answerAll() error {
	if len(g.wrote)+len(g.w.wrote)+len(g.again) == 0 {
		return nil
	}
	for _, t := range g.order {
		if !t.fresh && t.was.bearing() == t.now.bearing() {
			continue
		}
		for _, who := range [...]int64{t.was.person, t.now.person} {
			if who = g.is(who); g.lately(who) {
				g.rejudge(who)
			}
		}
	}
	people := map[int64]bool{}
	for who := range g.again {
		people[g.is(who)] = true
	}
	for _, who := range slices.Sorted(maps.Keys(people)) {
		if err := g.answer(who); err != nil {
			return err
		}
	}
	return nil
}

// rejudge notes that what a person wrote is to be judged anew.
func (g *group) rejudge(person int64) {
	if person != 0 {
		g.again[person] = true
	}
}

const latestWords = "SELECT wamid, step, reply_to, at, number, campaign, message, answered_at FROM inbound WHERE person = ? ORDER BY at DESC, wamid LIMIT ?"

// conversation is what of late a person wrote, newest first, what they were sent, and
// what of that was in answer.
type conversation struct {
	words   []written
	sends   []*touched
	answers []answerTo
}

// answerTo is an answer from a number.
type answerTo struct {
	number int64
	at     wa.Instant
}

func (g *group) conversation(who int64) (*conversation, error) {
	words, err := query(g.ctx, g.conn, func(s scanner) (r written, err error) {
		return r, s.Scan(&r.wamid, &r.step, &r.replyTo, &r.at, &r.number, &r.campaign, &r.message, &r.answeredAt)
	}, latestWords, who, latestInbound)
	if err != nil {
		return nil, err
	}
	messages, err := g.messagesOf(who, latestMessages)
	if err != nil {
		return nil, err
	}
	c := &conversation{words: words}
	for _, t := range messages {
		if at := c.answeredWith(t); at != 0 {
			c.answers = append(c.answers, answerTo{t.now.number, at})
		} else {
			c.sends = append(c.sends, t)
		}
	}
	return c, nil
}

// answer judges what a person wrote of late.
func (g *group) answer(who int64) error {
	c, err := g.conversation(who)
	if err != nil || len(c.words) == 0 {
		return err
	}
	all, answers := c.words, c.answers
	echoes, err := query(g.ctx, g.conn, func(s scanner) (e answerTo, err error) { return e, s.Scan(&e.number, &e.at) },
		"SELECT number, at FROM echo WHERE person = ? AND at >= ? ORDER BY at", who, int64(all[len(all)-1].at))
	if err != nil {
		return err
	}
	answers = append(answers, echoes...)
	slices.SortFunc(answers, func(a, b answerTo) int { return cmp.Compare(a.at, b.at) })
	for i := range all {
		r := &all[i]
		if r.at < all[0].at-unsettledFor {
			break
		}
		next := *r
		if next.campaign, next.message, err = g.writtenTo(r, c); err != nil {
			return err
		}
		if r.answeredAt != noAnswer {
			next.answeredAt = 0
			if first := slices.IndexFunc(answers, func(a answerTo) bool { return a.number == r.number && a.at >= r.at }); first >= 0 && answers[first].at-r.at <= answerWindow {
				next.answeredAt = answers[first].at
			}
		}
		if err := g.keepWritten(r, &next); err != nil {
			return err
		}
	}
	return nil
}

// answeredWith is when a message answers something that its person wrote; 0 when it
// does not.
func (c *conversation) answeredWith(t *touched) wa.Instant {
	at := t.now.progress.AnswersAt()
	if at == 0 || t.now.keyed {
		return 0
	}
	for i := range c.words {
		if r := &c.words[i]; r.number == t.now.number && r.step != "" && r.at <= at && at-r.at <= answerWindow {
			return at
		}
	}
	return 0
}

// writtenTo is the campaign and the message that somebody's message belongs to: the
// one which it answers, else of the latest that they got from that number before; 0 =
// none. Our own answers are in no campaign, whatever run holds them.
func (g *group) writtenTo(r *written, c *conversation) (campaign, message int64, err error) {
	if r.replyTo != "" {
		m, err := g.known(r.replyTo)
		if err != nil {
			return 0, 0, err
		}
		if m != nil && c.answeredWith(m) == 0 {
			return m.now.campaign, m.now.id, nil
		}
	}
	latest := latestBefore(r, c.sends)
	if latest == nil {
		return 0, 0, nil
	}
	return latest.campaign, latest.id, nil
}

// latestBefore is the latest message that somebody got, from the number that they
// wrote to, before they wrote; nil when there is none.
func latestBefore(r *written, sends []*touched) (latest *message) {
	for _, t := range sends {
		m := &t.now
		clock := m.progress.Clock()
		if m.number != r.number || m.progress.Refused() || clock > r.at || r.at-clock > attributable {
			continue
		}
		if latest == nil || clock > latest.progress.Clock() || clock == latest.progress.Clock() && m.wamid > latest.wamid {
			latest = m
		}
	}
	return latest
}

// keepWritten writes what has become of an inbound message.
func (g *group) keepWritten(was, now *written) error {
	if *now == *was {
		return nil
	}
	if _, err := g.conn.ExecContext(g.ctx, "UPDATE inbound SET campaign = ?, message = ?, answered_at = ? WHERE wamid = ?", now.campaign, now.message, int64(now.answeredAt), was.wamid); err != nil {
		return err
	}
	if was.step == "" {
		return nil
	}
	g.engage(now.campaign)
	if now.campaign != was.campaign {
		g.countInbound(was.campaign, was.at, -1)
		g.countInbound(now.campaign, was.at, 1)
	}
	return nil
}

// engage notes that other is known of what people do after a campaign's messages.
func (g *group) engage(campaign int64) {
	if campaign != 0 {
		g.engaged[campaign] = true
	}
}

func (g *group) countInbound(campaign int64, at wa.Instant, sign int64) {
	if campaign == 0 || g.look(campaign) == nil {
		return
	}
	g.engage(campaign)
	g.tally(campaign).Inbound[at.Second()/60] += sign
}

// longestLabel is what is kept of a label, in bytes; WhatsApp's are shorter.
const longestLabel = 120

func boundedLabel(s string) string {
	return strings.Clone(strings.ToValidUTF8(s[:min(len(s), longestLabel)], ""))
}

// echo keeps what somebody of the business wrote by hand. It becomes no message of
// ours: nothing is known of how it fared.
func (g *group) echo(received wa.Instant, e *wa.Echo) error {
	if !e.Answers() {
		return nil
	}
	at := wa.Believe(e.At, received)
	who, err := g.person(e.Person, at)
	if err != nil || who == 0 {
		return err
	}
	if err := g.storePerson(who); err != nil {
		return err
	}
	n, err := g.number(e.Sender)
	if err != nil {
		return err
	}
	done, err := g.conn.ExecContext(g.ctx, "INSERT OR IGNORE INTO echo VALUES (?, ?, ?)", who, n.id, int64(at))
	if err != nil {
		return err
	}
	if rows, _ := done.RowsAffected(); rows == 0 {
		g.feed.Duplicates++
		return nil
	}
	if g.lately(who) {
		g.rejudge(who)
	}
	return nil
}

// pruneAnswers forgets who wrote so long ago that nothing bears on it any more, and
// old echoes.
func (w *writer) pruneAnswers(now wa.Instant) {
	maps.DeleteFunc(w.wrote, func(_ int64, at wa.Instant) bool { return now-at > unsettledFor })
	_, err := w.apply(func(g *group) error {
		if _, err := g.conn.ExecContext(g.ctx, "DELETE FROM echo WHERE at < ?", int64(now-unsettledFor)); err != nil {
			return fmt.Errorf("forgetting old echoes: %w", err)
		}
		return nil
	})
	w.judge(err)
}
