package sandbox

import (
	"strings"
	"time"

	"tickwatch/wa"
)

// smsFate is what becomes of one text message, for ever the same for the same
// seed, person and how many they had before.
type smsFate struct {
	refused bool // at once: the number is none that gets messages
	steps   []smsStep
	silent  int // steps from this one on are told by no receipt; -1: all are told
	answer  string
	answers time.Duration // after the delivery
}

// smsStep is one thing that happens to a message after it was taken.
type smsStep struct {
	after time.Duration // since then
	state string
	error string // of a failure
}

// States of a receipt.
const (
	smsQueued    = "queued"
	smsSent      = "sent"
	smsDelivered = "delivered"
	smsFailed    = "failed"
)

// Shares of the people, and of what happens to a message. People without WhatsApp
// have phones all the same; a dead block of numbers is dead for everyone.
const (
	shareSMSRefused = 0.02 // landlines
	shareSMSFails   = 0.06
	shareSMSDead    = 0.90 // of numbers in a block that a scenario spoils
	shareSMSSilent  = 0.03 // no receipt tells of the end
	shareSMSStops   = 0.015
	shareSMSAnswers = 0.01
)

// Delays of a message, since it was taken, and of what people answer.
var (
	smsSentDelays      = curve{{0, 0.3}, {0.9, 2}, {1, 6}}
	smsDeliveredDelays = curve{{0, 0.8}, {0.85, 6}, {0.97, 40}, {1, 240}}
	smsFailedDelays    = curve{{0, 1}, {0.8, 10}, {1, 90}}
)

// smsProblems are what providers say of a failure.
var smsProblems = [...]string{"absent_subscriber", "unknown_subscriber", "barred_by_operator", "expired"}

// smsFate plans what becomes of the nth message to a phone. The draws are made in
// a fixed order, whether they are needed or not.
func (s *Sandbox) smsFate(to string, nth int, fails bool) smsFate {
	r, who := stream(s.opts.Seed, "sms life", to, nth), s.people.person(to)
	var (
		refused, fate, told, reacts = float64(hash(s.opts.Seed, "landline", to)>>11) / (1 << 53), r.Float64(), r.Float64(), r.Float64()
		sent                        = smsSentDelays.at(r.Float64())
		arrival                     = sent + smsDeliveredDelays.at(r.Float64())
		failure                     = sent + smsFailedDelays.at(r.Float64())
		reaction                    = reactionDelays.at(r.Float64())
		choice                      = r.IntN(1 << 20)
	)
	f := smsFate{silent: -1}
	share := shareSMSFails
	if s.scenario.spoils(to) {
		share = shareSMSDead
	}
	f.refused = refused < shareSMSRefused && !fails
	f.steps = []smsStep{{after: sent / 3, state: smsQueued}, {after: sent, state: smsSent}}
	if fate < share || fails || who.off {
		f.steps = append(f.steps, smsStep{after: failure, state: smsFailed, error: smsProblems[choice%len(smsProblems)]})
	} else {
		f.steps = append(f.steps, smsStep{after: arrival, state: smsDelivered})
		switch {
		case reacts < shareSMSStops:
			f.answer, f.answers = stopTexts[choice%len(stopTexts)], reaction
		case reacts < shareSMSStops+shareSMSAnswers:
			f.answer, f.answers = replies[choice%len(replies)], reaction
		}
	}
	if told < shareSMSSilent {
		f.silent = 1 + choice%2
	}
	return f
}

// spoils tells whether a number lies in a block, of numbers or of the list, that is dead.
func (s Scenario) spoils(phone string) bool {
	for _, p := range s.phases {
		if p.prefix != "" && strings.HasPrefix(phone, p.prefix) || p.rows != nil && p.rows.run == 0 && p.phones[phone] {
			return true
		}
	}
	return false
}

// smsReceipt is what is posted to a message's callback.
type smsReceipt struct {
	ID    string `json:"id"`
	To    string `json:"to"`
	State string `json:"state"`
	Error string `json:"error,omitempty"`
	At    string `json:"at"`
}

// followSMS lets the steps of a message happen, each when its time has come.
func (s *Sandbox) followSMS(m *SMS, callback string, f smsFate) {
	for i, step := range f.steps {
		due := wa.At(m.At) + millis(step.after)
		untold := f.silent >= 0 && i >= f.silent
		s.agenda.at(due, func() {
			s.enterStep(step.state, untold || callback == "")
			if !untold && callback != "" {
				s.tellSMS(m, callback, step, i, due)
			}
			if step.state == smsDelivered && f.answer != "" {
				at := due + millis(f.answers)
				s.agenda.at(at, func() { s.write(wa.Digits(m.To), f.answer, at) })
			}
		})
	}
}

func (s *Sandbox) enterStep(state string, untold bool) {
	s.texting.mu.Lock()
	defer s.texting.mu.Unlock()
	b := &s.texting.books
	switch state {
	case smsDelivered:
		b.Delivered++
	case smsFailed:
		b.Failed++
	default:
		return
	}
	if untold {
		b.Untold++
	}
}

// tellSMS posts a receipt, by a detour at times: late, so that others overtake it,
// or twice.
func (s *Sandbox) tellSMS(m *SMS, callback string, step smsStep, i int, at wa.Instant) {
	r := stream(s.opts.Seed, "sms way", m.ID, i)
	held, twice := r.Float64() < shareHeld, r.Float64() < shareTwice*3
	late := time.Duration(500+r.IntN(6000)) * time.Millisecond
	again := time.Duration(1000+r.IntN(30_000)) * time.Millisecond
	lost, slow := s.faults.onReceipt(m.ID, i)
	if lost {
		return
	}
	if !held {
		late = 0
	}
	receipt := smsReceipt{ID: m.ID, To: m.To, State: step.state, Error: step.error, At: at.Time().UTC().Format(time.RFC3339)}
	s.agenda.at(at+millis(late+slow), func() { s.courier.post(callback, receipt) })
	if twice {
		s.agenda.at(at+millis(again), func() { s.courier.post(callback, receipt) })
	}
}

// smsInbound is what is posted when a person writes.
type smsInbound struct {
	ID   string `json:"id"`
	From string `json:"from"`
	To   string `json:"to"`
	Text string `json:"text"`
	At   string `json:"at"`
}

// write has a person answer by SMS. Whoever says stop gets no more from this
// provider.
func (s *Sandbox) write(digits, text string, at wa.Instant) {
	t := s.texting
	t.mu.Lock()
	t.inbound++
	said := smsInbound{
		ID: "mo-" + wa.Digits(at.Time().Format("150405.000")) + "-" + digits[max(len(digits)-4, 0):], From: "+" + digits, To: t.senders[digits],
		Text: text, At: at.Time().UTC().Format(time.RFC3339),
	}
	if (&wa.InboundMessage{Type: "text", Text: text}).OptsOut() && !t.stopped[digits] {
		t.stopped[digits] = true
		t.books.Stopped = append(t.books.Stopped, "+"+digits)
	}
	t.mu.Unlock()
	if t.replies != "" {
		s.courier.post(t.replies, said)
	}
}
