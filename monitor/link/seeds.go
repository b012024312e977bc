package link

import "time"

// Seeds are the messages to the operator's own phones that went out among a
// campaign's. They are in none of its counts, rates and alarms but their own.
type Seeds struct {
	Sent            int64      `json:"sent"` // Meta has them, or refused them at once
	Delivered       int64      `json:"delivered"`
	Failed          int64      `json:"failed"`                   // and never arrived; refused ones included
	Unknown         int64      `json:"unknown,omitempty"`        // may have gone out: no answer came
	MedianSeconds   *float64   `json:"median_seconds,omitempty"` // from Meta's answer to the phone, of those that arrived
	LastSentAt      *time.Time `json:"last_sent_at,omitempty"`
	LastDeliveredAt *time.Time `json:"last_delivered_at,omitempty"`
	Problem         string     `json:"problem,omitempty"` // why none goes out; a clean sentence
}
