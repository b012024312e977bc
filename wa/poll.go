package wa

// Poll is what Meta answered when it was asked how an account stands. It is the
// only way to learn of a number's quality and status, which no webhook tells
// (whatsapp.md §2.7).
type Poll struct {
	Account   string           `json:"account,omitempty"` // WhatsApp Business Account
	At        Instant          `json:"at"`                // when Meta was asked
	Numbers   []PolledNumber   `json:"numbers,omitempty"`
	Templates []PolledTemplate `json:"templates,omitempty"`
	Health    []HealthEntity   `json:"health,omitempty"` // of all that were asked about, each once
	Compared  []Comparison     `json:"compared,omitempty"`
}

// PolledNumber is how a number stands, by Meta's answer. What is empty or zero was
// not told: it may be that this token may not ask for it.
type PolledNumber struct {
	ID         string  `json:"id"` // phone_number_id
	Display    string  `json:"display,omitempty"`
	Quality    Quality `json:"quality,omitempty"`
	Status     string  `json:"status,omitempty"`
	Limit      Limit   `json:"limit,omitempty"`
	Throughput float64 `json:"throughput,omitempty"` // messages a second
}

// PolledTemplate is how a template stands, by Meta's answer.
type PolledTemplate struct {
	ID       int64   `json:"id"`
	Name     string  `json:"name,omitempty"`
	Language string  `json:"language,omitempty"`
	Category string  `json:"category,omitempty"`
	Status   string  `json:"status,omitempty"`
	Quality  Quality `json:"quality,omitempty"`
}

// pollDoubt is how much older than its question a poll's word is taken to be.
// Webhooks tell their moment in whole seconds and by Meta's clock: of a webhook and
// a poll so close together the webhook is believed, and the next poll corrects it.
const pollDoubt Instant = 5000

// Word is the moment from which on a poll's word holds against webhooks.
func (p *Poll) Word() Instant { return p.At - pollDoubt }
