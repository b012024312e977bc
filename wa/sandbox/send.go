package sandbox

import (
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"unicode/utf8"
)

// maxSend bounds the body of a send; maxCallback is Meta's bound of the
// callback data, in characters.
const (
	maxSend     = 1 << 20
	maxCallback = 512
)

// Statuses in which a template cannot be sent, and the errors that it then draws.
const (
	statusPaused   = "PAUSED"
	statusDisabled = "DISABLED"
	codePaused     = 132015
	codeDisabled   = 132016
)

// The body of POST /{number}/messages (whatsapp.md §3.1), as far as it is read.
type (
	sendRequest struct {
		Product       string        `json:"messaging_product"`
		RecipientType string        `json:"recipient_type,omitempty"`
		To            string        `json:"to"`
		Type          string        `json:"type"`
		CallbackData  string        `json:"biz_opaque_callback_data,omitempty"`
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
		Type       string           `json:"type"`
		SubType    string           `json:"sub_type,omitempty"`
		Index      any              `json:"index,omitempty"` // Meta takes a text or a number
		Parameters []map[string]any `json:"parameters"`
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

func (s *Sandbox) postMessage(r *http.Request) (any, *graphError) {
	answer, problem := s.takeMessage(r)
	if problem != nil {
		s.ledger.refused()
		return nil, problem
	}
	return answer, nil
}

func (s *Sandbox) takeMessage(r *http.Request) (*sendAnswer, *graphError) {
	from := s.account.number(r.PathValue("id"))
	if from == nil {
		return nil, noSuchNode(r.PathValue("id"))
	}
	raw, err := io.ReadAll(io.LimitReader(r.Body, maxSend+1))
	if err != nil || len(raw) > maxSend {
		return nil, &graphError{code: 100, message: "Invalid parameter", details: "The body could not be read or is too long"}
	}
	var q sendRequest
	if err := json.Unmarshal(raw, &q); err != nil {
		return nil, &graphError{code: 100, message: "Invalid parameter", details: "The body is not the JSON that is expected: " + err.Error()}
	}
	to, problem := recipient(q.To, from.calling)
	if problem != nil {
		return nil, problem
	}
	t, problem := s.check(&q)
	if problem != nil {
		return nil, problem
	}
	m := s.accept(to, from, t, q.CallbackData)
	return &sendAnswer{
		Product:  "whatsapp",
		Contacts: []sendContact{{Input: q.To, WaID: m.Recipient, UserID: m.BSUID}},
		Messages: []sendMessage{{ID: m.ID, Status: "accepted"}},
	}, nil
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
		return "", &graphError{code: 131008, message: "Required parameter is missing", details: "Parameter 'to' is missing"}
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

// check judges everything but the recipient, and finds the template.
func (s *Sandbox) check(q *sendRequest) (*template, *graphError) {
	switch {
	case q.Product != "whatsapp":
		return nil, &graphError{code: 100, message: "The parameter messaging_product is required."}
	case utf8.RuneCountInString(q.CallbackData) > maxCallback:
		return nil, &graphError{code: 100, message: "Param biz_opaque_callback_data must be at most 512 characters long."}
	case q.Type != "template":
		return nil, &graphError{
			code: 131047, message: "Re-engagement message",
			details: "Message failed to send because more than 24 hours have passed since the customer last replied to this number.",
		}
	case q.Template == nil || q.Template.Name == "" || q.Template.Language.Code == "":
		return nil, &graphError{code: 131008, message: "Required parameter is missing", details: "A template needs a name and a language code"}
	}
	t, status := s.account.template(q.Template.Name, q.Template.Language.Code)
	if t == nil {
		return nil, &graphError{
			status: http.StatusNotFound, code: 132001, message: "Template name does not exist in the translation",
			details: "template name (" + q.Template.Name + ") does not exist in " + q.Template.Language.Code,
		}
	}
	switch status {
	case statusPaused:
		return nil, &graphError{code: codePaused, message: "Template is paused", details: "The template is paused due to low quality"}
	case statusDisabled:
		return nil, &graphError{code: codeDisabled, message: "Template is disabled", details: "The template was paused too many times"}
	}
	variables := 0
	for _, c := range q.Template.Components {
		if c.Type == "body" {
			variables += len(c.Parameters)
		}
	}
	if variables != t.variables {
		return nil, &graphError{
			code: 132000, message: "Number of parameters does not match the expected number of params",
			details: "body: the number of parameters differs from the template's",
		}
	}
	return t, nil
}
