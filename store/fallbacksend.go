package store

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"time"

	"tickwatch/wa"
)

// Reasons why a fallback message does not go out. People read them.
const (
	reasonWithdrawn  = "the WhatsApp message arrived first"
	reasonTriedAgain = "is tried again by WhatsApp"
	reasonHours      = "outside the allowed hours"
	reasonRecalled   = "cancelled while it was on its way, and not sent"
)

// ClaimFallback takes fallback messages that may be sent now: their attempts are
// on disk when it returns. Whoever the WhatsApp message reached meanwhile is
// withdrawn, whoever must not be written to is left out.
func (s *Store) ClaimFallback(ctx context.Context, r wa.FallbackClaimRequest) (out wa.FallbackClaims, err error) {
	err = s.submit(ctx, &request{weight: int64(r.Limit), group: func(g *group) error {
		out = wa.FallbackClaims{}
		return g.claimFallback(&r, &out)
	}})
	if err != nil {
		return wa.FallbackClaims{}, fmt.Errorf("taking fallback messages to be sent: %w", err)
	}
	return out, nil
}

func (g *group) claimFallback(r *wa.FallbackClaimRequest, out *wa.FallbackClaims) error {
	run := g.fallbackRun(r.Run)
	if run == nil || run.State != wa.FallbackRunRunning && run.State != wa.FallbackRunLook {
		return nil
	}
	limit := r.Limit
	if run.State == wa.FallbackRunLook {
		limit = int(min(int64(limit), run.LookAfter-run.Taken))
	}
	for looked := 0; len(out.Messages) < limit && looked < maxLooked; {
		rows, err := query(g.ctx, g.conn, scanFallback,
			"SELECT "+fallbackColumns+" FROM fallback WHERE run = ? AND channel = ? AND state = 0 AND due <= ? ORDER BY due, id LIMIT ?",
			r.Run, r.Channel, int64(r.Now), limit-len(out.Messages))
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			break
		}
		looked += len(rows)
		for i := range rows {
			if err := g.takeFallback(&rows[i], r, out); err != nil {
				return err
			}
		}
	}
	if n := len(out.Messages); n > 0 {
		g.changeRun(r.Run).Taken += int64(n)
	}
	return g.conn.QueryRowContext(g.ctx, "SELECT count(*), coalesce(min(due), 0) FROM fallback WHERE run = ? AND channel = ? AND state = 0", r.Run, r.Channel).
		Scan(&out.Left, &out.Next)
}

// takeFallback claims a message, or says why it does not go out now.
func (g *group) takeFallback(f *fallback, r *wa.FallbackClaimRequest, out *wa.FallbackClaims) error {
	m, err := g.byID(f.message)
	if err != nil && !missing(err) {
		return err
	}
	if err == nil && m.now.progress.State() == wa.StateDelivered {
		return g.leaveFallback(f, fallbackWithdrawn, reasonWithdrawn)
	}
	reason, err := g.mustNotReach(f.campaign, g.is(f.person), f.address, f.channel, r.Now)
	if err != nil {
		return err
	}
	if reason == "" {
		again := false
		if err := g.conn.QueryRowContext(g.ctx, "SELECT EXISTS (SELECT 1 FROM recipient WHERE retry_of = ? AND state NOT IN (4, 5))", f.message).Scan(&again); err != nil {
			return err
		}
		if again {
			reason = reasonTriedAgain
		}
	}
	if reason != "" {
		return g.leaveFallback(f, fallbackLeftOut, reason)
	}
	if r.Hold != nil {
		if until := r.Hold(f.address); until > r.Now {
			return g.changeFallback(f, func(f *fallback) { f.due, f.reason = until, reasonHours })
		}
	}
	token := f.token
	if token == "" {
		var random [16]byte
		_, _ = rand.Read(random[:]) // never fails
		token = hex.EncodeToString(random[:])
	}
	if err := g.changeFallback(f, func(f *fallback) { f.state, f.token, f.at, f.reason = fallbackClaimed, token, r.Now, "" }); err != nil {
		return err
	}
	out.Messages = append(out.Messages, f.outgoing())
	return nil
}

// SettleFallback stores what became of claimed fallback messages. What a receipt
// has told before stands.
func (s *Store) SettleFallback(ctx context.Context, outcomes ...wa.FallbackOutcome) error {
	err := s.submit(ctx, &request{weight: int64(len(outcomes)), group: func(g *group) error {
		for i := range outcomes {
			if err := g.settleFallback(&outcomes[i]); err != nil {
				return err
			}
		}
		return nil
	}})
	if err != nil {
		return fmt.Errorf("storing what became of fallback messages: %w", err)
	}
	return nil
}

func (g *group) settleFallback(o *wa.FallbackOutcome) error {
	f, err := g.fallbackByRow(o.Attempt.ID)
	if err != nil {
		return err
	}
	answer := &o.Answer
	if f.state != fallbackClaimed && f.state != fallbackUnknown {
		if answer.Kind == wa.FallbackAccepted && f.providerID == "" { // its receipt was quicker
			return g.changeFallback(&f, func(f *fallback) { f.providerID = bounded(answer.ProviderID) })
		}
		return nil
	}
	if answer.Kind == wa.FallbackOptedOut {
		if err := g.setOptedOut(g.is(f.person), true, o.At); err != nil {
			return err
		}
	}
	if again := answer.Kind == wa.FallbackThrottled || answer.Kind == wa.FallbackNotSent; again {
		if run := g.fallbackRun(f.run); run != nil && run.Taken > 0 {
			g.changeRun(f.run).Taken--
		}
	}
	return g.changeFallback(&f, func(f *fallback) {
		f.toldAt, f.code, f.reason = o.At, bounded(answer.Code), bounded(answer.Details)
		switch answer.Kind {
		case wa.FallbackAccepted:
			f.state, f.accepted, f.providerID = fallbackAccepted, true, bounded(answer.ProviderID)
			f.billed(answer.Segments, answer.Price)
		case wa.FallbackRejected, wa.FallbackOptedOut:
			f.state = fallbackFailed
		case wa.FallbackThrottled, wa.FallbackNotSent:
			f.tries++
			g.waitsAgain(f, max(o.Due, o.At+backOff(f.tries)))
		default:
			f.state = fallbackUnknown
		}
	})
}

// Tries of a message after which it waits longer each time, up to a longest: a
// mailbox that puts everybody off (greylisting, RFC 6647) is not asked each second.
const (
	triesAtOnce    = 3
	longestBetween = wa.Instant(5 * time.Minute / time.Millisecond)
)

// backOff is how long a message waits after so many tries in vain.
func backOff(tries int) wa.Instant {
	if tries <= triesAtOnce {
		return 0
	}
	return min(wa.Instant(time.Second/time.Millisecond)<<min(tries, 10), longestBetween)
}

// waitsAgain has a message wait that was on its way and did not go out. Of a run that
// was cancelled meanwhile nothing waits.
func (g *group) waitsAgain(f *fallback, due wa.Instant) {
	if run := g.fallbackRun(f.run); run != nil && run.State == wa.FallbackRunCancelled {
		f.state, f.reason = fallbackLeftOut, reasonRecalled
		return
	}
	f.state, f.due = fallbackWaiting, due
}

// billed takes over what a provider says of the segments and the price.
func (f *fallback) billed(segments int, price float64) {
	if segments > 0 {
		f.segments = int64(segments)
	}
	if price > 0 {
		f.cost = wa.MoneyOf(price)
	}
}

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
	arrived, err := g.arrived(f.message)
	if err != nil {
		return err
	}
	return g.changeFallback(&f, func(f *fallback) {
		f.accepted = f.accepted || state != fallbackFailed || f.state == fallbackUnknown || f.state == fallbackClaimed
		if f.providerID == "" {
			f.providerID = bounded(r.ProviderID)
		}
		f.billed(r.Segments, r.Price)
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

func (g *group) arrived(message int64) (bool, error) {
	m, err := g.byID(message)
	if missing(err) {
		return false, nil
	}
	return err == nil && m.now.progress.State() == wa.StateDelivered, err
}

// arrivedLate tells the fallback of a WhatsApp message, if it has one, that this
// has arrived after all: it is withdrawn if it has not gone out, else it may have
// reached the person twice.
func (g *group) arrivedLate(message int64) error {
	id := g.fallbackFor(message)
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
	who, err := g.whoReplied(r, at)
	if err != nil || who == 0 {
		return err
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
	return g.setOptedOut(who, true, at)
}

// whoReplied is the person of a phone, or of an address that a fallback went to.
func (g *group) whoReplied(r *wa.Reply, at wa.Instant) (int64, error) {
	if r.Attempt.ID != 0 {
		f, ok, err := g.fallbackOf(&wa.FallbackReceipt{Attempt: r.Attempt})
		if err != nil || ok {
			return g.is(f.person), err
		}
	}
	if r.Channel != wa.ChannelEmail {
		phone := wa.Digits(r.From)
		if phone == "" {
			return 0, nil
		}
		return g.person(wa.Person{Phone: phone}, at)
	}
	var who int64
	err := g.conn.QueryRowContext(g.ctx, "SELECT person FROM fallback WHERE channel = ? AND lower(address) = lower(?) ORDER BY id DESC LIMIT 1", r.Channel, r.From).Scan(&who)
	if missing(err) {
		err = nil
	}
	return g.is(who), err
}

// ResolveFallback is the operator's word on the messages of a campaign that may have
// gone out by a channel: those that did are with the provider, the others wait
// again. It says how many.
func (s *Store) ResolveFallback(ctx context.Context, campaign int64, channel string, sent bool) (resolved int64, err error) {
	for {
		n := 0
		err = s.submit(ctx, &request{weight: fallbackStep, group: func(g *group) error {
			rows, err := query(g.ctx, g.conn, scanFallback, "SELECT "+fallbackColumns+" FROM fallback WHERE state = 2 AND state IN (1, 2) AND campaign = ? AND channel = ? LIMIT ?",
				campaign, channel, fallbackStep)
			if err != nil {
				return err
			}
			for i := range rows {
				if err := g.changeFallback(&rows[i], func(f *fallback) {
					if sent {
						f.state, f.accepted, f.reason = fallbackAccepted, true, "sent, by the operator's word"
					} else {
						f.reason = "not sent, by the operator's word"
						g.waitsAgain(f, 0)
					}
				}); err != nil {
					return err
				}
			}
			n = len(rows)
			return nil
		}})
		if err != nil {
			return resolved, fmt.Errorf("resolving fallback messages that may have gone out: %w", err)
		}
		resolved += int64(n)
		if n < fallbackStep {
			return resolved, nil
		}
	}
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
