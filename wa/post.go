package wa

// Post is one webhook delivery of a provider: its raw body and what was
// understood of it. A decoder fills it, the store keeps it.
//
// What was signed and not understood stands in Body alone and is counted in
// NotUnderstood; it never costs its neighbours their place.
type Post struct {
	Source     string  // provider, "meta"
	ReceivedAt Instant // when the last byte of the body was read
	Body       []byte  // the bytes as they were signed

	Statuses    []StatusUpdate
	Inbound     []InboundMessage
	Preferences []Preference
	Templates   []TemplateUpdate
	Numbers     []NumberUpdate
	Accounts    []AccountUpdate
	Faults      []Fault

	NotUnderstood int    // parts (or the whole body) that were kept raw only
	Problem       string // the first thing not understood: where and what, for the log
}

// Updates is how many single pieces of news the post holds.
func (p *Post) Updates() int {
	return len(p.Statuses) + len(p.Inbound) + len(p.Preferences) + len(p.Templates) +
		len(p.Numbers) + len(p.Accounts) + len(p.Faults)
}

// Sender is the business number that an update speaks of.
type Sender struct {
	AccountID string // WhatsApp Business Account
	NumberID  string // phone_number_id
	Display   string // display_phone_number as it came
}

// Person is how a webhook names a customer. Either part may be missing: since
// usernames exist the phone can be withheld, and old payloads have no BSUID.
type Person struct {
	Phone string // wa_id: digits without the plus
	BSUID string // business-scoped user id, "PT.8400012345"; never strip it to digits

	ParentBSUID string // the id shared by linked portfolios, "PT.ENT.8400012345"; rarely there
}

// StatusUpdate is one entry of statuses[] (whatsapp.md §2.3).
type StatusUpdate struct {
	Sender
	Person
	MessageID    string // wamid
	Status       Status
	At           Instant // provider's timestamp; 0 when absent or unreadable
	CallbackData string  // biz_opaque_callback_data
	GroupID      string  // set for messages to a group; Phone and BSUID are then the participant's
	Participant  string  // group member whose receipt this is; "" outside groups
	Code         int     // first error of a failure; 0 when none was given
	Title        string  // its title, or message
	Details      string  // its error_data.details
	Pricing      Pricing
}

// Pricing is what Meta says a message costs by; every value is an open enumeration.
type Pricing struct {
	Model    string // CBP until 2025-07-01, then PMP
	Type     string // regular, free_customer_service, free_entry_point; absent under CBP
	Category string // marketing, utility, authentication, service, …
}

// InboundMessage is one entry of messages[]: what a customer wrote (whatsapp.md §2.5).
type InboundMessage struct {
	Sender
	Person
	MessageID string // the inbound wamid
	At        Instant
	Type      string // text, button, interactive, reaction, image, …, as it came
	Text      string // body, or the text of the pressed button
	Payload   string // payload or id of the pressed button
	ReplyTo   string // context.id: the wamid of ours that is answered
	GroupID   string
	Name      string // profile name, foreign text
	Code      int    // for unsupported messages
}

// Preference is one entry of user_preferences[]: a customer stopped or resumed
// marketing messages inside WhatsApp.
type Preference struct {
	Sender
	Person
	Category string // marketing_messages
	Value    string // stop, resume
	At       Instant
}

// TemplateUpdate is news of one template: of its status, or of its quality.
// Fields that the webhook did not carry are empty.
type TemplateUpdate struct {
	AccountID       string
	ID              int64 // message_template_id, may exceed 2^53
	Name            string
	Language        string
	Category        string
	Event           string // APPROVED, PAUSED, DISABLED, …; "" for a quality update
	Reason          string
	InfoTitle       string // FIRST_PAUSE, SECOND_PAUSE, …
	InfoDescription string
	DisableAt       Instant
	Quality         Quality // new_quality_score; "" for a status update
	PreviousQuality Quality
	At              Instant // entry.time; 0 when absent
}

// NumberUpdate is one phone_number_quality_update. Since October 2025 it speaks
// of throughput and limits only; older events are still read.
type NumberUpdate struct {
	AccountID string
	Display   string // the only name of the number it carries
	Event     string // ONBOARDING, THROUGHPUT_UPGRADE; before: UPGRADE, DOWNGRADE, FLAGGED, UNFLAGGED
	OldLimit  Limit
	Limit     Limit // the newest of the fields that carry one
	At        Instant
}

// AccountUpdate is one account_update: violations, restrictions, bans and the rest.
type AccountUpdate struct {
	AccountID    string
	Event        string
	Violation    string // violation_info.violation_type
	BanState     string // SCHEDULE_FOR_DISABLE, DISABLE, REINSTATE
	BanDate      string // as Meta writes it, "April 17, 2025"
	Restrictions []Restriction
	At           Instant
}

// Restriction is one thing an account may not do, and until when.
type Restriction struct {
	Type       string
	Expires    Instant // 0 when none was given
	Remedy     string  // remediation, as it came
	NumberHint string  // phone_number of older samples
}

// Fault is an error of the app or account that came by webhook without a
// message (value.errors[]).
type Fault struct {
	Sender
	Code    int
	Title   string
	Details string
}
