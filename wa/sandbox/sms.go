package sandbox

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"tickwatch/wa"
)

// A provider of SMS stands beside the Graph API, of the kind that many gateways
// are: a bearer token, JSON, receipts posted to the address that came with the
// message.
//
//	POST /sms/messages   {"to":"+351…","text":"…","from":"Shop","callback":"http://127.0.0.1:…"}
//	202                  {"id":"sms-…","status":"accepted"}
//	400, 403, 429        {"status":"rejected|opted_out|throttled","error":"…"}
//
// A receipt is {"id":"sms-…","to":"+351…","state":"queued|sent|delivered|failed","error":"…","at":"…"},
// an answer of a person {"id":"mo-…","from":"+351…","to":"Shop","text":"STOP","at":"…"}.

// SMS is one text message that the provider took: there is one for each time that
// it was asked to send one, and did not refuse.
type SMS struct {
	At   time.Time `json:"time"`
	ID   string    `json:"id"`
	To   string    `json:"to"` // E.164, with the plus
	From string    `json:"from"`
	Text string    `json:"text"`
}

// SMSBooks is what really happened by SMS up to the moment they were read.
type SMSBooks struct {
	Accepted  int
	Refused   int // requests that were answered with an error, throttled ones included
	Throttled int
	Delivered int      // arrived, whether a receipt told of it or not
	Failed    int      // will never arrive
	Untold    int      // of both: of whose end no receipt tells
	Stopped   []string // phones of people who answered STOP, with the plus, in that order
	Callbacks int      // posted so far, and answered 2xx
	Waiting   int      // receipts and answers that are due and were not answered 2xx yet
}

// texting is the provider of SMS. What is not fixed is guarded by mu.
type texting struct {
	token   wa.Secret
	replies string // where what people write goes; "" = nowhere. Set before Run
	pace    meter

	mu      sync.Mutex
	taken   []SMS
	count   map[string]int    // messages so far, by phone
	senders map[string]string // who wrote to a phone last
	stopped map[string]bool
	books   SMSBooks
	inbound int
}

func newTexting(seed uint64) *texting {
	return &texting{
		token: wa.NewSecret(fmt.Sprintf("sms-%016x", hash(seed, "sms token"))),
		count: map[string]int{}, senders: map[string]string{}, stopped: map[string]bool{},
	}
}

// SMSURL is where the provider of SMS takes messages.
func (s *Sandbox) SMSURL() string { return s.URL() + "/sms/messages" }

// SMSToken is the bearer token that the provider of SMS takes.
func (s *Sandbox) SMSToken() wa.Secret { return s.texting.token }

// TellReplies says where it posts what people answer by SMS, token and all.
// Without it their answers are lost. Call it before Run.
func (s *Sandbox) TellReplies(address string) error {
	if err := loopback(address); err != nil {
		return err
	}
	s.texting.replies = address
	return nil
}

// AcceptedSMS lists the messages that the provider took, in that order. It is
// complete: a message stands in it before its answer leaves.
func (s *Sandbox) AcceptedSMS() []SMS {
	s.texting.mu.Lock()
	defer s.texting.mu.Unlock()
	return slices.Clone(s.texting.taken)
}

// SMSBooks reads the books; the copy is the caller's.
func (s *Sandbox) SMSBooks() SMSBooks {
	callbacks, waiting := s.courier.state()
	s.texting.mu.Lock()
	defer s.texting.mu.Unlock()
	b := s.texting.books
	b.Stopped = slices.Clone(b.Stopped)
	b.Callbacks, b.Waiting = callbacks, waiting
	return b
}

// WriteSMS has somebody write a text, to whom they had an SMS from last.
func (s *Sandbox) WriteSMS(phone, text string) {
	s.write(wa.Digits(phone), text, wa.At(s.opts.Now()))
}

// smsRequest is the body of a request to send.
type smsRequest struct {
	To       string `json:"to"`
	Text     string `json:"text"`
	From     string `json:"from"`
	Callback string `json:"callback"`
}

// smsAnswer is what a request to send is answered with.
type smsAnswer struct {
	ID     string `json:"id,omitempty"`
	Status string `json:"status"`
	Error  string `json:"error,omitempty"`

	http       int
	retryAfter time.Duration // header, in whole seconds; 0 for none
	bare       bool          // no JSON at all, as from a machine in front of the provider
}

// Statuses of an answer.
const (
	smsAccepted  = "accepted"
	smsRejected  = "rejected"
	smsOptedOut  = "opted_out"
	smsThrottled = "throttled"
)

func smsRefusal(status int, word, text string) smsAnswer {
	return smsAnswer{http: status, Status: word, Error: text}
}

// isSMS tells whether a path is one of the provider of SMS.
func isSMS(path string) bool { return strings.HasPrefix(path, "/sms/") }

// postSMS takes a text message, or not, and answers as the faults let it.
func (s *Sandbox) postSMS(w http.ResponseWriter, r *http.Request) {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	switch {
	case r.Method != http.MethodPost || r.URL.Path != "/sms/messages":
		s.answerSMS(w, smsRefusal(http.StatusNotFound, "not_found", "send with POST /sms/messages"))
		return
	case !ok || token != s.texting.token.Reveal():
		s.answerSMS(w, smsRefusal(http.StatusUnauthorized, "unauthorized", "the token is not known"))
		return
	}
	q, answer := s.readSMS(r)
	strikes := s.faults.onSMS(wa.Digits(q.To))
	if answer.http == 0 && strikes.accepts() {
		answer = s.takeSMS(q, strikes)
	}
	if strikes.end != nil {
		if refused, ok := strikes.end.smsRefusal(); ok {
			answer = refused // before what else may be wrong with it
		}
	}
	s.enterAnswer(answer)
	s.impede(w, r, strikes, cmp.Or(answer.http, http.StatusAccepted), answer)
	s.answerSMS(w, answer)
}

func (s *Sandbox) enterAnswer(a smsAnswer) {
	s.texting.mu.Lock()
	defer s.texting.mu.Unlock()
	if a.http >= http.StatusBadRequest {
		s.texting.books.Refused++
	}
	if a.http == http.StatusTooManyRequests {
		s.texting.books.Throttled++
	}
}

// answerSMS writes an answer.
func (s *Sandbox) answerSMS(w http.ResponseWriter, a smsAnswer) {
	if a.retryAfter > 0 {
		seconds := (a.retryAfter + time.Second - 1) / time.Second
		w.Header().Set("Retry-After", strconv.Itoa(int(seconds)))
	}
	if a.bare {
		writeSorry(w, a.http)
		return
	}
	writeJSON(w, a.http, a)
}

// readSMS reads a request; an answer with a status is what is wrong with it.
func (s *Sandbox) readSMS(r *http.Request) (q smsRequest, wrong smsAnswer) {
	raw, err := io.ReadAll(io.LimitReader(r.Body, maxSend))
	if err == nil {
		err = json.Unmarshal(raw, &q)
	}
	callback, problem := url.Parse(q.Callback)
	switch {
	case err != nil:
		return q, smsRefusal(http.StatusBadRequest, smsRejected, "the body is not the JSON that is expected")
	case !phone.MatchString(q.To) || q.To[0] != '+':
		return q, smsRefusal(http.StatusBadRequest, smsRejected, "to is no phone number with its plus")
	case strings.TrimSpace(q.Text) == "":
		return q, smsRefusal(http.StatusBadRequest, smsRejected, "text is empty")
	case q.Callback != "" && (problem != nil || callback.Host == "" || loopback(q.Callback) != nil):
		return q, smsRefusal(http.StatusBadRequest, smsRejected, "callback is no address on loopback")
	}
	return q, smsAnswer{}
}

// takeSMS judges a request and, when nothing is in its way, takes its message.
func (s *Sandbox) takeSMS(q smsRequest, strikes verdict) smsAnswer {
	now, t, to := s.opts.Now(), s.texting, wa.Digits(q.To)
	if s.opts.SMSRate > 0 && !t.pace.pass(now, s.opts.SMSRate) {
		a := smsRefusal(http.StatusTooManyRequests, smsThrottled, "too many messages a second")
		a.retryAfter = time.Second
		return a
	}
	t.mu.Lock()
	if t.stopped[to] {
		t.mu.Unlock()
		return smsRefusal(http.StatusForbidden, smsOptedOut, "the recipient has opted out")
	}
	nth := t.count[to]
	fate := s.smsFate(to, nth, strikes.fail != 0)
	if fate.refused {
		t.mu.Unlock()
		return smsRefusal(http.StatusBadRequest, smsRejected, "the number cannot receive messages")
	}
	m := SMS{At: now, ID: fmt.Sprintf("sms-%016x", hash(s.opts.Seed, "sms", to, nth)), To: q.To, From: q.From, Text: q.Text}
	t.count[to]++
	t.senders[to] = q.From
	t.taken = append(t.taken, m)
	t.books.Accepted++
	t.mu.Unlock()
	s.followSMS(&m, q.Callback, fate)
	return smsAnswer{http: http.StatusAccepted, ID: m.ID, Status: smsAccepted}
}

// smsRefusal is the answer of a fault; not ok for one that answers nothing.
func (f *fault) smsRefusal() (a smsAnswer, ok bool) {
	switch f.Kind {
	case FaultRefuse, FaultServer, FaultToken:
		a = smsRefusal(f.HTTP, smsRejected, f.Details)
		if f.HTTP == http.StatusTooManyRequests {
			a.Status = smsThrottled
		}
		a.retryAfter, a.bare = f.RetryAfter, f.Kind == FaultServer
		return a, true
	}
	return a, false
}
