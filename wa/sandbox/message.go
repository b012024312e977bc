package sandbox

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"tickwatch/wa"
)

// Shares of the webhook updates that take a detour on their way out.
const (
	shareHeld  = 0.04 // come late, so that others overtake them
	shareTwice = 0.01 // come a second time
)

// life is a message that Meta accepted, and what becomes of it.
type life struct {
	message *Message // guarded by the ledger
	who     person
	number  *number
	price   string  // pricing category
	button  *button // what its opt-out button brings back; nil when it has none
	steps   []step

	told     chan struct{} // closed once its first status was taken
	tellOnce func()        // closes it; nil when nobody waits
}

// accept opens the books for a message and lets its life begin.
func (s *Sandbox) accept(q *send, t *template, strikes verdict) (*life, *graphError) {
	now := wa.At(s.opts.Now())
	nth, ok := s.ledger.meet(q.to, q.from, now)
	if !ok {
		return nil, refuse(codePair)
	}
	who := s.people.person(q.to)
	m := &Message{
		ID:        wamid(s.opts.Seed, q.to, "outbound", strconv.Itoa(nth)),
		Recipient: q.to, BSUID: who.bsuid, NumberID: q.from.ID,
		Template: t.Name, Language: t.Language, CallbackData: q.CallbackData, AcceptedAt: now,
	}
	l := &life{message: m, who: who, number: q.from, price: t.price(), button: q.button(t)}
	if q.marketing {
		l.price = "marketing_lite"
	}
	if strikes.webhookFirst {
		l.told = make(chan struct{})
		l.tellOnce = sync.OnceFunc(func() { close(l.told) })
	}
	l.steps = s.fate(l, nth, t, strikes)
	if err := s.journal.accept(m); err != nil {
		s.opts.Log.Error("a message could not be accepted", "error", err)
		return nil, &graphError{status: http.StatusInternalServerError, code: 131000, message: "Something went wrong", details: err.Error()}
	}
	s.ledger.open(m)
	s.follow(l, 0)
	return l, nil
}

// fate is what becomes of the nth message to a person. Who sent it, and with
// which callback data, has no part in it.
func (s *Sandbox) fate(l *life, nth int, t *template, strikes verdict) []step {
	to, now := l.message.Recipient, l.message.AcceptedAt

	// The list is judged by its plan, not by when its messages happened to get
	// through, so that a slow machine does not move anyone across an incident.
	// Another's list has no plan that is known here: it begins with its first message.
	s.first.CompareAndSwap(0, int64(now))
	moment := now.Sub(wa.Instant(s.first.Load()))
	if row, ok := s.people.rows[to]; ok && nth == 0 {
		moment = s.scenario.due(row, s.opts.Rate)
	}
	ph := s.scenario.at(moment, to)
	switch {
	case strikes.fail != 0:
		ph.fail = []odds{{strikes.fail, 1}}
	case american(to) && t.Category == wa.CategoryMarketing:
		ph.fail = []odds{{codeWithheld, 1}}
	}
	steps := live(stream(s.opts.Seed, "life", to, nth), l.who, ph)
	if h := strikes.hold; h != nil && h.Code != 0 {
		return []step{{after: h.Delay, kind: stepFailed, code: h.Code}}
	} else if h != nil {
		for i := range steps {
			steps[i].after += h.Delay
		}
	}
	return steps
}

// button is what the template's first quick reply brings back when it is
// pressed: the payload that was sent with it, else its text.
func (q *send) button(t *template) *button {
	stop := t.stop()
	if stop == nil {
		return nil
	}
	for _, c := range q.Template.Components {
		if strings.EqualFold(c.Type, "button") && strings.EqualFold(c.SubType, stop.Type) && len(c.Parameters) > 0 {
			return &button{Payload: c.Parameters[0].Payload, Text: stop.Text}
		}
	}
	return &button{Payload: stop.Text, Text: stop.Text}
}

// follow lets the steps of a life happen, each when its time has come.
func (s *Sandbox) follow(l *life, i int) {
	if i == len(l.steps) {
		return
	}
	due := l.message.AcceptedAt + millis(l.steps[i].after)
	s.agenda.at(due, func() {
		s.ledger.note(l.message, l.steps[i], due)
		s.tell(l, i, due)
		s.follow(l, i+1)
	})
}

// tell sends a webhook update about a step on its way, by a detour at times.
func (s *Sandbox) tell(l *life, i int, at wa.Instant) {
	u := l.update(s.opts.Seed, i, at)
	r := stream(s.opts.Seed, "way", l.message.ID, i)
	held, twice := r.Float64() < shareHeld, r.Float64() < shareTwice
	late := time.Duration(200+r.IntN(4000)) * time.Millisecond
	again := time.Duration(1000+r.IntN(90_000)) * time.Millisecond
	if !held || l.tellOnce != nil && i == 0 {
		late = 0
	}
	lost, slow := s.faults.onUpdate(l.message.ID, i)
	if lost {
		return
	}
	if late+slow > 0 {
		s.agenda.at(at+millis(late+slow), func() { s.feed.queue(u, false) })
	} else {
		s.feed.queue(u, false)
	}
	switch {
	case s.scenario.everyMany:
		s.repeat(u, at, r)
	case twice:
		s.agenda.at(at+millis(again), func() { s.feed.queue(u, true) })
	}
}

// repeat queues an update two to four times more, at any moment of the next
// minutes, so that its copies mix with what others do meanwhile.
func (s *Sandbox) repeat(u update, at wa.Instant, r *rand.Rand) {
	for range 2 + r.IntN(3) {
		again := time.Duration(1000+r.IntN(240_000)) * time.Millisecond
		s.agenda.at(at+millis(again), func() { s.feed.queue(u, true) })
	}
}

// update is what Meta's webhook says of a step.
func (l *life) update(seed uint64, i int, at wa.Instant) update {
	u := update{field: fieldMessages, number: l.number, at: at}
	if i == 0 {
		u.taken = l.tellOnce
	}
	u.contact = &contact{Profile: &profile{Name: l.who.name}, WaID: l.who.phone, UserID: l.who.bsuid}
	st := l.steps[i]
	switch st.kind {
	case stepSent:
		u.status = l.status(wa.StatusSent, at, true)
	case stepDelivered:
		u.status = l.status(wa.StatusDelivered, at, true)
	case stepRead:
		u.status = l.status(wa.StatusRead, at, !l.has(stepDelivered))
	case stepFailed:
		u.contact = nil
		u.status = l.status(wa.StatusFailed, at, false)
		u.status.Errors = []errorItem{errorOf(st.code)}
	case stepStopPreference:
		u.field = fieldPreferences
		u.contact.Profile = nil
		u.preference = &preference{
			WaID: l.who.phone, UserID: l.who.bsuid, Detail: "User requested to stop marketing messages",
			Category: "marketing_messages", Value: "stop", Timestamp: at.Second(),
		}
	default:
		u.inbound = &inbound{
			From: l.who.phone, FromUserID: l.who.bsuid, Timestamp: unix(at),
			ID: wamid(seed, l.who.phone, "inbound", l.message.ID), Type: "text",
		}
		if st.kind == stepStopButton && l.button != nil {
			u.inbound.Type = "button"
			u.inbound.Context = &replyContext{From: l.number.Display, ID: l.message.ID}
			u.inbound.Button = l.button
		} else {
			u.inbound.Text = &text{Body: st.text}
		}
	}
	return u
}

func (l *life) status(s wa.Status, at wa.Instant, priced bool) *status {
	out := &status{
		ID: l.message.ID, Status: s.String(), Timestamp: unix(at),
		RecipientID: l.who.phone, RecipientUserID: l.who.bsuid, CallbackData: l.message.CallbackData,
	}
	if priced {
		out.Pricing = &pricing{Billable: true, Model: "PMP", Type: "regular", Category: l.price}
	}
	return out
}

func (l *life) has(k kind) bool {
	for _, s := range l.steps {
		if s.kind == k {
			return true
		}
	}
	return false
}

// unix is a moment as webhooks of messages write it: whole seconds, as text.
func unix(at wa.Instant) string { return strconv.FormatInt(at.Second(), 10) }

// wamid makes a message id as Meta does: a small binary record that names the
// person's number, in base64.
func wamid(seed uint64, phone string, words ...any) string {
	words = append([]any{"wamid", phone}, words...)
	unique := fmt.Sprintf("%016X%02X", hash(seed, words...), byte(hash(seed+1, words...)))
	raw := append([]byte{0x1c, 0x18, byte(len(phone))}, phone...)
	raw = append(raw, 0x15, 0x02, 0x00, 0x11, 0x18, byte(len(unique)))
	raw = append(raw, unique...)
	return "wamid." + base64.StdEncoding.EncodeToString(append(raw, 0))
}
