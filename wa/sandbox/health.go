package sandbox

import (
	"slices"
	"strconv"

	"tickwatch/wa"
)

// Who else takes part in a send (whatsapp.md §3.7).
const (
	businessID = "600100200300400"
	appID      = "700100200300400"
)

// Whether what is asked about can take part in a send, from good to bad.
const (
	canSend    = "AVAILABLE"
	mayNotSend = "LIMITED"
	cannotSend = "BLOCKED"
)

// codeNotApproved stands only in a health status.
const codeNotApproved = 141002

// entity is one that takes part in a send, and how it stands.
type entity struct {
	Kind   string        `json:"entity_type"`
	ID     string        `json:"id"`
	Can    string        `json:"can_send_message"`
	Errors []healthError `json:"errors,omitempty"`
}

type healthError struct {
	Code     int    `json:"error_code"`
	Text     string `json:"error_description"`
	Solution string `json:"possible_solution"`
}

// blocked is how one stands that cannot send, for the reason of a code.
func (e entity) blocked(code int, can string) entity {
	title, details := errorText(code)
	e.Can, e.Errors = can, []healthError{{code, title + ": " + details, "See the details of the error"}}
	return e
}

// healthOf is the health_status of the first of the entities, with all that
// stand above it.
func (s *Sandbox) healthOf(first ...entity) map[string]any {
	account := entity{Kind: "WABA", ID: AccountID, Can: canSend}
	if code := s.faults.blocks(wa.ClassAccount, "", ""); code != 0 {
		account = account.blocked(code, cannotSend)
	}
	above := []entity{account, {Kind: "BUSINESS", ID: businessID, Can: canSend}, {Kind: "APP", ID: appID, Can: canSend}}
	all := slices.Concat(first, above)
	worst := canSend
	for _, e := range all {
		if e.Can == cannotSend || e.Can == mayNotSend && worst == canSend {
			worst = e.Can
		}
	}
	return map[string]any{"can_send_message": worst, "entities": all}
}

func (s *Sandbox) healthOfNumber(n wa.Number) map[string]any {
	e := entity{Kind: "PHONE_NUMBER", ID: n.ID, Can: canSend}
	switch code := s.faults.blocks(wa.ClassNumber, n.ID, ""); {
	case code != 0:
		e = e.blocked(code, cannotSend)
	case n.Status == "FLAGGED" || n.Status == "RATE_LIMITED" || n.Status == "RESTRICTED":
		e = e.blocked(131048, mayNotSend)
	case n.Status != "CONNECTED":
		e = e.blocked(133010, cannotSend)
	}
	return s.healthOf(e)
}

func (s *Sandbox) healthOfTemplate(t wa.Template) map[string]any {
	e := entity{Kind: "MESSAGE_TEMPLATE", ID: strconv.FormatInt(t.ID, 10), Can: canSend}
	code := s.faults.blocks(wa.ClassTemplate, "", t.Name)
	switch t.Status {
	case statusPaused:
		code = codePaused
	case statusDisabled:
		code = codeDisabled
	case statusPending, statusRejected:
		code = codeNotApproved
	}
	if code != 0 {
		e = e.blocked(code, cannotSend)
	}
	return s.healthOf(e)
}
