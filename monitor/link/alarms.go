package link

// Verbs about alarms and what people read off elsewhere, with the types of their
// arguments and results. VerbAck stands in command.go.
const (
	VerbSnooze   = "snooze"   // SnoozeArgs → Alarm
	VerbReported = "reported" // ReportedArgs → Reports
)

// SnoozeArgs keeps an open alarm quiet: it stays where it is shown, and nobody is
// told of it, until the time is over or it grows from watch to act.
type SnoozeArgs struct {
	Alarm   string `json:"alarm"`
	Seconds int64  `json:"seconds"` // 0 = until it grows
}

// ReportedArgs is a figure that somebody read off WhatsApp Manager.
type ReportedArgs struct {
	Campaign string `json:"campaign"`
	Count    int64  `json:"count"`            // of people; the whole, not what was added
	Blocks   bool   `json:"blocks,omitempty"` // people who blocked the number, else who reported a message
	Source   string `json:"source,omitempty"` // where it was read; "" = WhatsApp Manager
}
