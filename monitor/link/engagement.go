package link

import "time"

// Engagement is what people did after a campaign's messages reached them, and how
// long they waited for an answer. Answers come from the help desk: they are messages
// of the same number to the same person within 24 hours, of no campaign and no
// template, or echoes of the WhatsApp Business app.
type Engagement struct {
	Inbound  int64    `json:"inbound"`            // messages, presses and reactions
	People   int64    `json:"people"`             // who sent them
	Answered *float64 `json:"answered,omitempty"` // share of the people who asked something and got an answer

	FirstResponseMS    *ResponseTimes `json:"first_response_ms,omitempty"` // how long people waited for the first answer
	MeanResponseMS     *int64         `json:"mean_response_ms,omitempty"`  // over every wait that ended
	Unanswered         int64          `json:"unanswered"`                  // people whose latest message has no answer
	OldestUnansweredAt *time.Time     `json:"oldest_unanswered_at,omitempty"`

	Steps     []EngagementStep `json:"steps"`
	PerMinute []int64          `json:"per_minute"` // what came in, the latest MaxTrend minutes, the last one under way; empty = nothing
	Spike     *Spike           `json:"spike,omitempty"`

	// Templates is the same by template, where tickwatch has sent more than one; at
	// most MaxStepLabels, what most people answered first.
	Templates []EngagementTemplate `json:"templates,omitempty"`
}

// EngagementTemplate is what people did after one template of a campaign. Its steps
// have no shares, and neither delivered nor read among them.
type EngagementTemplate struct {
	TemplateRef

	People          int64            `json:"people"`
	Answered        *float64         `json:"answered,omitempty"`
	FirstResponseMS *ResponseTimes   `json:"first_response_ms,omitempty"`
	MeanResponseMS  *int64           `json:"mean_response_ms,omitempty"`
	Unanswered      int64            `json:"unanswered"`
	Steps           []EngagementStep `json:"steps"`
}

// ResponseTimes are quantiles of people's waits, in milliseconds.
type ResponseTimes struct {
	P50 int64 `json:"p50"`
	P95 int64 `json:"p95"`
}

// Steps of an Engagement before those of wa.Step….
const (
	StepDelivered = "delivered"
	StepRead      = "read"
)

// MaxStepLabels is how many labels an Engagement tells apart.
const MaxStepLabels = 8

// EngagementStep is how many people took a step: delivered, read, reply, button,
// list, reaction. Of delivered and read it is messages.
type EngagementStep struct {
	Step   string   `json:"step"`
	Label  string   `json:"label,omitempty"` // of the button or the row of a list
	People int64    `json:"people"`
	Share  *float64 `json:"share,omitempty"` // of those that arrived; of delivered, of those handed over
}

// Spike is when far more comes in than usual.
type Spike struct {
	Since     time.Time `json:"since"`
	PerMinute int64     `json:"per_minute"` // in the strongest minute
	Usual     float64   `json:"usual"`      // a minute, by the half hour before
}

// tidied is a copy; nil of nil.
func (e *Engagement) tidied() *Engagement {
	if e == nil {
		return nil
	}
	t := *e
	t.Answered, t.OldestUnansweredAt = known(e.Answered), utc(e.OldestUnansweredAt)
	t.Steps = each(e.Steps, func(s *EngagementStep) { s.Share = known(s.Share) })
	if len(e.Templates) > 0 {
		t.Templates = each(e.Templates, func(x *EngagementTemplate) { x.Answered, x.Steps = known(x.Answered), each(x.Steps, nil) })
	}
	t.PerMinute = each(e.PerMinute, nil)
	if e.Spike != nil {
		t.Spike = &Spike{e.Spike.Since.UTC(), e.Spike.PerMinute, orZero(e.Spike.Usual)}
	}
	return &t
}
