package store

import (
	"cmp"
	"context"
	"crypto/subtle"
	"fmt"
	"slices"
	"strings"

	"tickwatch/wa"
)

// KnowsFallback tells whether an attempt was made under that name. It takes the
// same time whatever of the token is right.
func (s *Store) KnowsFallback(ctx context.Context, a wa.FallbackAttempt) (bool, error) {
	var token string
	err := s.readers.QueryRowContext(ctx, "SELECT token FROM fallback WHERE id = ?", a.ID).Scan(&token)
	if missing(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("looking up a fallback message: %w", err)
	}
	return token != "" && subtle.ConstantTimeCompare([]byte(token), []byte(a.Token)) == 1, nil
}

// fallbackOf finds the message that a receipt speaks of; not ok = none of ours.
func (g *group) fallbackOf(r *wa.FallbackReceipt) (f fallback, ok bool, err error) {
	if r.Attempt.ID != 0 {
		f, err = g.fallbackByRow(r.Attempt.ID)
		ok = err == nil && f.token != "" && subtle.ConstantTimeCompare([]byte(f.token), []byte(r.Attempt.Token)) == 1
	} else if r.ProviderID != "" {
		f, err = scanFallback(g.conn.QueryRowContext(g.ctx, "SELECT "+fallbackColumns+" FROM fallback WHERE provider_id = ? AND provider_id <> '' AND channel = ?", r.ProviderID, r.Channel))
		ok = err == nil
	}
	if missing(err) {
		err = nil
	}
	return f, ok, err
}

// receipt applies a provider's word on a fallback message. States only climb, and
// a delivery wins over everything, whatever the order.
func (g *group) receipt(received wa.Instant, r *wa.FallbackReceipt) error {
	f, ok, err := g.fallbackOf(r)
	if err != nil || !ok {
		return err
	}
	at := wa.Believe(r.At, received)
	if at == 0 {
		at = received
	}
	state := map[wa.FallbackState]int{
		wa.FallbackQueued: fallbackAccepted, wa.FallbackSent: fallbackSent, wa.FallbackFailed: fallbackFailed, wa.FallbackDelivered: fallbackDelivered,
	}[r.State]
	if state == 0 {
		return nil
	}
	arrived, err := g.arrived(f.campaign, g.is(f.person), f.message)
	if err != nil {
		return err
	}
	return g.changeFallback(&f, func(f *fallback) {
		f.accepted = f.accepted || state != fallbackFailed || f.state == fallbackUnknown || f.state == fallbackClaimed
		if f.providerID == "" {
			f.providerID = bounded(r.ProviderID)
		}
		g.billed(f, r.Segments, r.Price, r.Currency)
		if !f.climbs(state) {
			return
		}
		f.state, f.toldAt, f.code, f.reason = state, at, bounded(r.Code), bounded(r.Details)
		f.doubled = state == fallbackDelivered && arrived
	})
}

// climbs tells whether a state is news after the one it is in. What was withdrawn,
// left out or expired before it went out, and turns out to have gone, went out.
func (f *fallback) climbs(state int) bool {
	switch f.state {
	case fallbackDelivered:
		return false
	case fallbackFailed:
		return state == fallbackDelivered
	case fallbackAccepted, fallbackSent:
		return state > f.state
	}
	return true
}

// arrived tells whether a person has a campaign's message by WhatsApp: the one given,
// or another that was sent to them.
func (g *group) arrived(campaign, person, message int64) (bool, error) {
	t, err := g.byID(message)
	if err == nil && t.now.progress.State() == wa.StateDelivered {
		return true, nil
	}
	if err != nil && !missing(err) {
		return false, err
	}
	had, err := g.messagesOf(person, capMessages)
	return slices.ContainsFunc(had, func(t *touched) bool {
		return t.now.campaign == campaign && t.now.progress.State() == wa.StateDelivered
	}), err
}

// arrivedLate tells the fallback to whoever got a campaign's message by WhatsApp after
// all, if they have one, for whichever of their messages: it is withdrawn if it has
// not gone out, else it may have reached the person twice.
func (g *group) arrivedLate(m *message) error {
	id := cmp.Or(g.fallbackFor(m.id), g.fallbackTo(m.campaign, m.person))
	if id == 0 {
		return nil
	}
	f, err := g.fallbackByRow(id)
	if missing(err) {
		return nil
	}
	if err != nil {
		return err
	}
	switch f.state {
	case fallbackWaiting:
		return g.leaveFallback(&f, fallbackWithdrawn, reasonWithdrawn)
	case fallbackDelivered:
		return g.changeFallback(&f, func(f *fallback) { f.doubled = true })
	}
	return nil
}

// reply applies what a person sent back by another channel: whoever asks to be
// left alone is, on every channel, before the next message goes out.
func (g *group) reply(raw int64, received wa.Instant, r *wa.Reply) error {
	if !r.OptedOut && !wa.SaysStop(r.Text, g.w.store.stops...) {
		return nil
	}
	at := wa.Believe(r.At, received)
	if at == 0 {
		at = received
	}
	f, answered, err := fallback{}, false, error(nil)
	if r.Attempt.ID != 0 {
		f, answered, err = g.fallbackOf(&wa.FallbackReceipt{Attempt: r.Attempt})
	}
	who := g.is(f.person)
	if err == nil && !answered {
		who, err = g.whoWrote(r, at)
	}
	if err != nil {
		return err
	}
	if who == 0 {
		g.feed.NotUnderstood++
		g.w.store.log.Warn("somebody asked not to be written to, and their number does not tell who they are: look it up with `tickwatch export webhooks`, and keep them from messages with `tickwatch suppress add`",
			"channel", r.Channel, "from", wa.MaskPhone(r.From))
		return nil
	}
	if err := g.storePerson(who); err != nil {
		return err
	}
	if err := g.notice(raw, "reply", at, struct {
		Person  int64
		Channel string
		OptsOut bool
	}{who, bounded(r.Channel), true}); err != nil {
		return err
	}
	if answered {
		return g.optOutBeside(&f, at)
	}
	return g.setOptedOut(who, true, at)
}

// whoWrote is the person of the phone that a reply came from; 0 = nobody.
func (g *group) whoWrote(r *wa.Reply, at wa.Instant) (int64, error) {
	if r.Channel == wa.ChannelEmail { // mails are answered by their link, which names the attempt
		return 0, nil
	}
	phone := wa.Digits(r.From)
	if strings.HasPrefix(r.From, "+") && phone != "" {
		return g.person(wa.Person{Phone: phone}, at)
	}
	return g.whoEndsIn(strings.TrimLeft(phone, "0"))
}

// whoEndsIn is the only person whose number ends in the digits of a national one, of
// those who were written to by another channel, else of all; 0 = there is none, or
// there are several.
func (g *group) whoEndsIn(national string) (int64, error) {
	const fewest = 7 // digits that name somebody; a short code has fewer
	if len(national) < fewest {
		return 0, nil
	}
	for _, text := range [...]string{
		"SELECT DISTINCT person FROM fallback WHERE channel <> '" + wa.ChannelEmail + "' AND address LIKE '%' || ? LIMIT 10",
		"SELECT id FROM person WHERE phone LIKE '%' || ? LIMIT 10",
	} {
		found, err := query(g.ctx, g.conn, func(s scanner) (id int64, err error) { err = s.Scan(&id); return g.is(id), err }, text, national)
		if err != nil {
			return 0, err
		}
		slices.Sort(found)
		if found = slices.Compact(found); len(found) == 1 {
			return found[0], nil
		}
		if len(found) > 1 {
			break
		}
	}
	return 0, nil
}
