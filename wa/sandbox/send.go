package sandbox

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"sync"
	"time"
)

// maxSend bounds the body of a send; maxCallback is Meta's bound of the
// callback data, in characters.
const (
	maxSend     = 1 << 20
	maxCallback = 512
)

// The body of POST /{number}/messages (whatsapp.md §3.1), as far as it is read.
type (
	sendRequest struct {
		Product       string        `json:"messaging_product"`
		RecipientType string        `json:"recipient_type,omitempty"`
		To            string        `json:"to"`
		Type          string        `json:"type"`
		CallbackData  string        `json:"biz_opaque_callback_data,omitempty"`
		Policy        string        `json:"product_policy,omitempty"` // of /marketing_messages
		Template      *sendTemplate `json:"template,omitempty"`
	}
	sendTemplate struct {
		Name       string          `json:"name"`
		Language   sendLanguage    `json:"language"`
		Components []sendComponent `json:"components,omitempty"`
	}
	sendLanguage struct {
		Code string `json:"code"`
	}
	sendComponent struct {
		Type       string          `json:"type"`
		SubType    string          `json:"sub_type,omitempty"`
		Index      json.RawMessage `json:"index,omitempty"` // Meta takes a text or a number
		Parameters []sendParameter `json:"parameters"`
	}
	sendParameter struct {
		Type     string          `json:"type"`
		Name     string          `json:"parameter_name,omitempty"`
		Text     string          `json:"text,omitempty"`
		Image    *sendMedia      `json:"image,omitempty"`
		Video    *sendMedia      `json:"video,omitempty"`
		Document *sendMedia      `json:"document,omitempty"`
		Location *sendLocation   `json:"location,omitempty"`
		Payload  string          `json:"payload,omitempty"`
		Code     string          `json:"coupon_code,omitempty"`
		Action   json.RawMessage `json:"action,omitempty"`
	}
	sendMedia struct {
		ID   string `json:"id,omitempty"`
		Link string `json:"link,omitempty"`
	}
	sendLocation struct {
		Latitude  json.RawMessage `json:"latitude"`
		Longitude json.RawMessage `json:"longitude"`
	}
)

// sendAnswer says that a message was accepted, which is not yet sent.
type sendAnswer struct {
	Product  string        `json:"messaging_product"`
	Contacts []sendContact `json:"contacts"`
	Messages []sendMessage `json:"messages"`
}

type sendContact struct {
	Input  string `json:"input"`
	WaID   string `json:"wa_id"`
	UserID string `json:"user_id,omitempty"`
}

type sendMessage struct {
	ID     string `json:"id"`
	Status string `json:"message_status"`
}

// send is a request to send a message, read and not yet judged.
type send struct {
	sendRequest
	marketing bool // came to /marketing_messages
	from      *number
	to        string // digits of the number that is really written to
}

// postMessage takes a message, or not, and answers as the faults let it.
func (s *Sandbox) postMessage(marketing bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := &send{marketing: marketing}
		problem := s.read(r, q)
		noted := Request{FirstByte: firstByte(r), LastByte: s.opts.Now(), From: r.PathValue("id"), To: q.To, CallbackData: q.CallbackData}
		if q.Template != nil {
			noted.Template = q.Template.Name
		}
		strikes := s.faults.onSend(noted.From, noted.Template, q.to)
		var l *life
		if problem == nil && strikes.accepts() {
			l, problem = s.take(q, strikes)
		}
		var answer any
		if l != nil {
			noted.WAMID = l.message.ID
			answer = l.answer(q.To, strikes.hold != nil)
		}
		if strikes.end != nil {
			if refusal := strikes.end.refusal(); refusal != nil {
				problem = refusal // before what else may be wrong with it
			}
		}
		if problem != nil {
			noted.Code = problem.code
			if l == nil {
				s.ledger.refused()
			}
		}
		s.journal.note(noted)
		if l != nil && strikes.webhookFirst {
			s.await(r.Context(), l.told)
		}
		s.reply(w, r, strikes, answer, problem)
	})
}

// read reads a request and the two numbers in it.
func (s *Sandbox) read(r *http.Request, q *send) (problem *graphError) {
	if q.from = s.account.number(r.PathValue("id")); q.from == nil {
		return noSuchNode(r.PathValue("id"))
	}
	raw, err := io.ReadAll(io.LimitReader(r.Body, maxSend+1))
	if err != nil || len(raw) > maxSend {
		return invalid("The body could not be read or is too long")
	}
	if err := json.Unmarshal(raw, &q.sendRequest); err != nil {
		return invalid("The body is not the JSON that is expected: " + err.Error())
	}
	q.to, problem = recipient(q.To, q.from.calling)
	return problem
}

var (
	filler = regexp.MustCompile(`[ ()\-]`)
	phone  = regexp.MustCompile(`^\+?[1-9][0-9]{6,14}$`)
)

// recipient is the number that is really written to. One given without its plus
// gets the sender's country code before it, and so becomes another number: the
// trap that Meta lays (whatsapp.md §3.1).
func recipient(to, calling string) (string, *graphError) {
	if to == "" {
		return "", missing("Parameter 'to' is missing")
	}
	full := filler.ReplaceAllString(to, "")
	if full != "" && full[0] != '+' {
		full = "+" + calling + full
	}
	if !phone.MatchString(full) {
		return "", &graphError{code: 131009, message: "Parameter value is not valid", details: "Parameter 'to' is no phone number"}
	}
	return full[1:], nil
}

// take judges a send and, when it is good, accepts its message.
func (s *Sandbox) take(q *send, strikes verdict) (*life, *graphError) {
	t, problem := s.check(&q.sendRequest, q.marketing)
	if problem != nil {
		return nil, problem
	}
	if q.to == q.from.Display {
		return nil, &graphError{code: 131021, message: "Recipient cannot be sender", details: "Sender and recipient phone number is the same"}
	}
	if problem := s.tooFast(q.from); problem != nil {
		return nil, problem
	}
	return s.accept(q, t, strikes)
}

func (l *life) answer(input string, held bool) *sendAnswer {
	status := "accepted"
	if held {
		status = "held_for_quality_assessment"
	}
	return &sendAnswer{
		Product:  "whatsapp",
		Contacts: []sendContact{{Input: input, WaID: l.message.Recipient, UserID: l.message.BSUID}},
		Messages: []sendMessage{{ID: l.message.ID, Status: status}},
	}
}

// reply answers a request, or ends it in another way, as faults will have it.
func (s *Sandbox) reply(w http.ResponseWriter, r *http.Request, strikes verdict, answer any, problem *graphError) {
	s.impede(w, r, strikes, http.StatusOK, answer)
	if problem != nil {
		problem.write(w)
		return
	}
	writeJSON(w, http.StatusOK, answer)
}

// impede lets a request wait, or ends it without its whole answer, as faults will
// have it; else it returns.
func (s *Sandbox) impede(w http.ResponseWriter, r *http.Request, strikes verdict, status int, answer any) {
	if strikes.latency > 0 {
		s.rest(r.Context(), strikes.latency)
	}
	if end := strikes.end; end != nil {
		switch end.Kind {
		case FaultHang:
			s.await(r.Context(), nil)
			panic(http.ErrAbortHandler)
		case FaultDrop:
			panic(http.ErrAbortHandler)
		case FaultCut:
			whole, _ := json.Marshal(answer) // our own types
			w.Header().Set("Content-Type", jsonType)
			w.Header().Set("Content-Length", strconv.Itoa(len(whole)))
			w.WriteHeader(status)
			_, _ = w.Write(whole[:len(whole)/2])
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}
	}
}

// await waits until something is done, the caller goes away or the sandbox stops.
func (s *Sandbox) await(ctx context.Context, done <-chan struct{}) {
	select {
	case <-done:
	case <-ctx.Done():
	case <-s.stopped:
	}
}

// timers are those of requests that wait, to be used again.
var timers = sync.Pool{New: func() any { return time.NewTimer(time.Hour) }}

// rest waits for a span of real time, as await does.
func (s *Sandbox) rest(ctx context.Context, span time.Duration) {
	timer := timers.Get().(*time.Timer)
	timer.Reset(span)
	select {
	case <-timer.C:
	case <-ctx.Done():
	case <-s.stopped:
	}
	timer.Stop()
	timers.Put(timer)
}
