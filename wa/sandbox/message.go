package sandbox

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"strconv"
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
	price   string // pricing category
	steps   []step
}

// accept opens the books for a message and lets its life begin.
func (s *Sandbox) accept(to string, n *number, t *template, callback string) *Message {
	now := wa.At(s.opts.Now())
	who := s.people.person(to)
	m := &Message{
		Recipient: to, BSUID: who.bsuid, NumberID: n.ID,
		Template: t.Name, Language: t.Language, CallbackData: callback, AcceptedAt: now,
	}
	nth := s.ledger.open(m, func(nth int) string {
		return wamid(s.opts.Seed, to, "outbound", strconv.Itoa(nth))
	})

	// The list is judged by its plan, not by when its messages happened to get
	// through, so that a slow machine does not move anyone across an incident.
	moment := now.Sub(s.begin)
	if row, ok := s.people.rows[to]; ok && nth == 0 {
		moment = s.scenario.due(row, s.opts.Rate)
	}
	l := &life{message: m, who: who, number: n, price: t.price()}
	l.steps = live(stream(s.opts.Seed, "life", to, nth), who, s.scenario.at(moment, to))
	s.follow(l, 0)
	return m
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
	if held {
		s.agenda.at(at+millis(late), func() { s.feed.queue(u, false) })
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
		if st.kind == stepStopButton {
			u.inbound.Type = "button"
			u.inbound.Context = &replyContext{From: l.number.Display, ID: l.message.ID}
			u.inbound.Button = &button{Payload: stopPayload, Text: stopButton}
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
