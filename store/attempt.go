package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"tickwatch/wa"
)

// Settle stores what became of claimed messages. What a webhook has told before
// stands: a message that was seen with Meta is handed over, whatever its request
// came to.
func (s *Store) Settle(ctx context.Context, outcomes ...wa.Outcome) error {
	err := s.submit(ctx, &request{weight: int64(len(outcomes)), group: func(g *group) error {
		var done noted
		for i := range outcomes {
			if err := g.settleAttempt(&outcomes[i], &done); err != nil {
				return err
			}
		}
		return g.noteAll(&done)
	}})
	if err != nil {
		return fmt.Errorf("storing what became of sends: %w", err)
	}
	return nil
}

func (g *group) settleAttempt(o *wa.Outcome, done *noted) error {
	a, open := g.attempt(o.Message)
	if !open {
		return g.acceptLate(o, done)
	}
	switch o.Kind {
	case wa.OutcomeAccepted:
		return g.accepted(a, o, done)
	case wa.OutcomeRefused:
		done.add(a.campaign, DeedRefused, "", DeedMessage{Message: a.message, At: o.At, Code: o.Code})
		return g.refused(a, o)
	case wa.OutcomeAgain:
		done.add(a.campaign, DeedAgain, "", DeedMessage{Message: a.message})
		row, err := g.closeAttempt(a)
		if err != nil {
			return err
		}
		row.tries++
		return g.backInQueue(&row, o.Due, bounded(o.Details))
	case wa.OutcomeUnknown:
		done.add(a.campaign, DeedUnknown, "", DeedMessage{Message: a.message})
		row, err := g.recipientByRow(a.recipient)
		if err != nil {
			return err
		}
		a.state = rowUnknown
		g.attempts[a.message] = &a
		return g.setState(&row, rowUnknown, bounded(o.Details))
	}
	return fmt.Errorf("%d is no outcome of a send", o.Kind)
}

// accepted hands a message over on the API's word.
func (g *group) accepted(a attempt, o *wa.Outcome, done *noted) error {
	who := wa.Person{Phone: a.phone}
	if digits(o.Accepted.Phone) != "" {
		who.Phone = digits(o.Accepted.Phone)
	}
	who.BSUID, who.ParentBSUID = o.Accepted.BSUID, o.Accepted.ParentBSUID
	t, err := g.handOverAttempt(a, o.Accepted.WAMID, who, o.At)
	if err != nil {
		return err
	}
	t.now.progress.AcceptedAt = o.At
	if o.Accepted.Paced {
		t.now.progress = t.now.progress.Hold()
	}
	m := DeedMessage{Message: a.message, At: o.At, Paced: o.Accepted.Paced}
	if t.now.id != a.message {
		m.Known = t.now.id
	}
	done.add(a.campaign, DeedAccepted, "", m)
	return nil
}

// acceptLate completes a message that a webhook told of before its own answer came.
func (g *group) acceptLate(o *wa.Outcome, done *noted) error {
	if o.Kind != wa.OutcomeAccepted {
		return nil
	}
	t, err := g.byID(o.Message)
	if missing(err) {
		return nil // it is known under another id, or waits again by the operator's word
	}
	if err != nil {
		return err
	}
	t.pin = true
	done.add(t.now.campaign, DeedAccepted, "", DeedMessage{Message: o.Message, At: o.At, Paced: o.Accepted.Paced})
	if t.now.progress.AcceptedAt == 0 {
		t.now.progress.AcceptedAt = o.At
	}
	if t.now.wamid == "" && o.Accepted.WAMID != "" {
		t.now.wamid = strings.Clone(o.Accepted.WAMID)
		g.messages[t.now.wamid] = t
	}
	return g.identify(t, wa.Person{BSUID: o.Accepted.BSUID}, o.At)
}

// refused keeps a message that the API refused, as one that failed.
func (g *group) refused(a attempt, o *wa.Outcome) error {
	row, err := g.closeAttempt(a)
	if err != nil {
		return err
	}
	t, err := g.newMessageOf(a, "", wa.Person{Phone: a.phone}, o.At)
	if err != nil {
		return err
	}
	t.now.progress = t.now.progress.Refuse(o.At, o.Code)
	t.now.details, t.now.told = bounded(o.Details), o.Details != ""
	return g.setState(&row, rowRefused, "")
}

// handOverAttempt makes a message of an attempt that Meta has.
func (g *group) handOverAttempt(a attempt, wamid string, who wa.Person, at wa.Instant) (*touched, error) {
	row, err := g.closeAttempt(a)
	if err != nil {
		return nil, err
	}
	if err := g.setState(&row, rowHandedOver, ""); err != nil {
		return nil, err
	}
	if wamid != "" {
		t, err := g.known(wamid)
		if err != nil {
			return nil, err
		}
		if t != nil { // its webhooks came without our callback data
			t.pin = true
			return t, g.join(t, g.campaign(a.campaign), g.numberByRow(a.number))
		}
	}
	return g.messageOf(a, wamid, who, at)
}

// messageOf makes the message of an attempt that Meta has.
func (g *group) messageOf(a attempt, wamid string, who wa.Person, at wa.Instant) (*touched, error) {
	t, err := g.newMessageOf(a, wamid, who, at)
	if err != nil {
		return nil, err
	}
	return t, g.claimOptOut(t, at)
}

// newMessageOf makes the message of an attempt, refused or not.
func (g *group) newMessageOf(a attempt, wamid string, who wa.Person, at wa.Instant) (*touched, error) {
	person, err := g.person(who, at)
	if err != nil {
		return nil, err
	}
	if who.Phone != a.phone { // WhatsApp knows some under another number than the one dialled
		if person, err = g.alias(a.phone, person); err != nil {
			return nil, err
		}
	}
	t := &touched{fresh: true, pin: true, raw: g.raw, now: message{
		id: a.message, number: a.number, person: person, hasPhone: who.Phone != "", hasBSUID: who.BSUID != "",
		wamid: strings.Clone(wamid),
	}}
	g.keep(t)
	return t, g.join(t, g.campaign(a.campaign), g.numberByRow(a.number))
}

// forGood is later than anything.
const forGood = wa.Instant(1 << 60)

// alias lets a person be found by a number that is not the one WhatsApp calls
// them by (whatsapp.md §3.1: input and wa_id), so that who opts out under the one
// is not written to under the other. Who was taken for somebody of their own under
// that number, as by a refusal, turns out to be this person. It gives the person's
// id, which may have become another.
func (g *group) alias(phone string, id int64) (int64, error) {
	if phone == "" || id == 0 {
		return id, nil
	}
	if p, err := g.formerly(phone, forGood-1); err != nil || p.id == id {
		return id, err
	}
	p, err := g.personByRow(id)
	if err != nil {
		return id, err
	}
	other, err := g.personByPhone(phone)
	if err != nil {
		return id, err
	}
	switch {
	case other.id == 0:
		if err := g.storePerson(id); err != nil {
			return id, err
		}
	case other.bsuid != "" && p.bsuid != "": // two people after all
		return id, nil
	default:
		if id, err = g.unite(id, other.id, person{phone: p.phone, bsuid: p.bsuid + other.bsuid}); err != nil {
			return id, err
		}
	}
	if err := g.followListed([]string{phone}, p.phone); err != nil {
		return id, err
	}
	phone = strings.Clone(phone)
	g.formers[phone] = append(g.formers[phone], former{id, forGood})
	_, err = g.conn.ExecContext(g.ctx, "INSERT OR REPLACE INTO former_name VALUES (?, ?, ?)", phone, int64(forGood), id)
	return id, err
}

// closeAttempt ends an open attempt, and gives its recipient.
func (g *group) closeAttempt(a attempt) (recipient, error) {
	g.attempts[a.message] = nil
	return g.recipientByRow(a.recipient)
}

// ownAttempt finds what a webhook with our callback data speaks of where the
// message has no row yet: an attempt whose answer has not come or never will, or
// an earlier one of a row that has gone back to waiting. nil = nothing of ours.
func (g *group) ownAttempt(id int64, u *wa.StatusUpdate, at wa.Instant) (*touched, error) {
	a, open := g.attempt(id)
	if !open {
		err := g.conn.QueryRowContext(g.ctx, "SELECT a.message, a.recipient, a.number, a.at, r.campaign, r.phone FROM attempt a JOIN recipient r ON r.id = a.recipient WHERE a.message = ?", id).
			Scan(&a.message, &a.recipient, &a.number, &a.at, &a.campaign, &a.phone)
		if missing(err) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
	}
	who := wa.Person{Phone: a.phone}
	if !toGroup(u) && (u.Phone != "" || u.BSUID != "") {
		who = u.Person
		if who.Phone == "" {
			who.Phone = a.phone
		}
	}
	if open {
		return g.handOverAttempt(a, u.MessageID, who, at)
	}
	row, err := g.recipientByRow(a.recipient)
	if err != nil {
		return nil, err
	}
	if err := g.wentOut(&row); err != nil {
		return nil, err
	}
	if t, err := g.known(u.MessageID); t != nil || err != nil {
		return t, err
	}
	return g.messageOf(a, u.MessageID, who, at)
}

// wentOut notes of a recipient that an attempt of theirs which was taken for not
// sent went out after all: there is not to be another one. The one that may be
// under way by now cannot be called back, but it must not come back to waiting.
func (g *group) wentOut(row *recipient) error {
	switch row.state {
	case rowWaiting, rowAside, rowCancelled:
		return g.setState(row, rowHandedOver, "")
	case rowClaimed, rowUnknown:
		row.due = forGood
		return g.writeRecipient(row)
	}
	return nil
}

// backInQueue lets a recipient whose attempt certainly did not go out wait again,
// unless an earlier one did.
func (g *group) backInQueue(row *recipient, due wa.Instant, reason string) error {
	if row.due == forGood {
		row.due = 0
		return g.setState(row, rowHandedOver, "")
	}
	row.due = due
	return g.waitAgain(row, reason)
}

// resolveStep is how many sends one commit of a Resolve decides on.
const resolveStep = 256

// Resolve is the operator's word on the sends of a campaign that may have gone
// out: those that did are handed over, the others wait again. It says how many;
// after an error, of the others it can be said again.
func (s *Store) Resolve(ctx context.Context, campaign int64, sent bool) (resolved int64, err error) {
	var open []attempt
	err = s.look(ctx, func(w *writer) error {
		if w.plans[campaign] == nil {
			return errNoPlan
		}
		for _, a := range w.attempts.byMessage {
			if a.campaign == campaign && a.state == rowUnknown {
				open = append(open, a)
			}
		}
		return nil
	})
	slices.SortFunc(open, func(a, b attempt) int { return cmp.Compare(a.message, b.message) })
	for step := range slices.Chunk(open, resolveStep) {
		if err != nil {
			break
		}
		var n int64
		err = s.submit(ctx, &request{weight: int64(len(step)), group: func(g *group) (err error) {
			n, err = g.resolveStill(step, sent)
			return err
		}})
		if err == nil {
			resolved += n
		}
	}
	if err != nil {
		return resolved, fmt.Errorf("resolving sends that may have gone out: %w", err)
	}
	return resolved, nil
}

// resolveStill decides on those that are still unknown, and says how many these are.
func (g *group) resolveStill(step []attempt, sent bool) (resolved int64, err error) {
	var done noted
	for _, a := range step {
		if now, ok := g.attempt(a.message); !ok || now.state != rowUnknown {
			continue // a webhook has told meanwhile
		}
		if err := g.resolve(a, sent, &done); err != nil {
			return 0, err
		}
		resolved++
	}
	return resolved, g.noteAll(&done)
}

// What a resolution can say.
const (
	resolvedSent    = "sent"
	resolvedNotSent = "not-sent"
)

// resolve is the operator's word on one send.
func (g *group) resolve(a attempt, sent bool, done *noted) error {
	if sent {
		done.add(a.campaign, DeedResolved, resolvedSent, DeedMessage{Message: a.message})
		t, err := g.handOverAttempt(a, "", wa.Person{Phone: a.phone}, a.at)
		if err != nil {
			return err
		}
		t.now.progress.AcceptedAt = a.at
		return nil
	}
	done.add(a.campaign, DeedResolved, resolvedNotSent, DeedMessage{Message: a.message})
	row, err := g.closeAttempt(a)
	if err != nil {
		return err
	}
	return g.backInQueue(&row, 0, "not sent, by the operator's word")
}
