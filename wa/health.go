package wa

// Health says whether a number, a template or an account can take part in a send,
// and what stands in the way (whatsapp.md §3.7).
type Health struct {
	CanSend  string         `json:"can_send_message"` // one of the Can constants; open
	Entities []HealthEntity `json:"entities"`
}

// Values of CanSend.
const (
	CanSend     = "AVAILABLE"
	CanSendSome = "LIMITED"
	CannotSend  = "BLOCKED"
)

// Types of a HealthEntity; open.
const (
	HealthOfNumber   = "PHONE_NUMBER"
	HealthOfTemplate = "MESSAGE_TEMPLATE"
	HealthOfAccount  = "WABA"
)

// HealthEntity is one of those that a send depends on. Its texts are foreign.
type HealthEntity struct {
	Type    string        `json:"entity_type"` // PHONE_NUMBER, MESSAGE_TEMPLATE, WABA, BUSINESS, APP; open
	ID      string        `json:"id"`
	CanSend string        `json:"can_send_message"`
	Info    []string      `json:"additional_info,omitempty"`
	Errors  []HealthError `json:"errors,omitempty"`
}

// HealthError is why an entity cannot send, or not everything.
type HealthError struct {
	Code        int    `json:"error_code"`
	Description string `json:"error_description"`
	Solution    string `json:"possible_solution"`
}
