package wa

import "strings"

// Post is one webhook delivery of a provider: its raw body and what was
// understood of it. A decoder fills it, the store keeps it.
//
// What was signed and not understood stands in Body alone and is counted in
// NotUnderstood; it never costs its neighbours their place.
//
// Its texts are never parts of Body, but many may share one piece of memory: who
// keeps a few of them for long keeps clones (strings.Clone).
type Post struct {
	Source     string  // provider, "meta"
	ReceivedAt Instant // when the last byte of the body was read
	Body       []byte  // the bytes as they were signed

	Statuses    []StatusUpdate
	Inbound     []InboundMessage
	Echoes      []Echo
	Preferences []Preference
	Templates   []TemplateUpdate
	Numbers     []NumberUpdate
	Accounts    []AccountUpdate
	Faults      []Fault

	Deletions    []Deletion
	Actions      []UserAction
	Edits        []TemplateEdit
	Capabilities []CapabilityUpdate
	Alerts       []AccountAlert
	Names        []NameUpdate
	Security     []SecurityUpdate

	// Of other channels' providers (see Beside).
	Receipts []FallbackReceipt
	Replies  []Reply

	Unused        int    // parts that are known by name, of no use here, and kept raw only
	NotUnderstood int    // parts (or the whole body) that were kept raw only
	Problem       string // the first thing not understood: where and what, for the log
}

// Updates is how many single pieces of news the post holds.
func (p *Post) Updates() int {
	return len(p.Statuses) + len(p.Inbound) + len(p.Echoes) + len(p.Preferences) + len(p.Templates) +
		len(p.Numbers) + len(p.Accounts) + len(p.Faults) + len(p.Deletions) + len(p.Actions) +
		len(p.Edits) + len(p.Capabilities) + len(p.Alerts) + len(p.Names) + len(p.Security)
}

// besideSources begins the Source of posts of other channels' providers.
const besideSources = "fallback/"

// BesideSource is the Source of a post of a channel's provider.
func BesideSource(channel string) string { return besideSources + channel }

// Beside tells whether a post comes from the provider of another channel: it says
// nothing of how Meta's webhooks come in.
func Beside(source string) bool { return strings.HasPrefix(source, besideSources) }

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
	Subtype   string // of a system message: user_changed_number, user_changed_user_id; of an unsupported one: edit, poll, …; of an interactive one: button_reply, list_reply, nfm_reply
	Text      string // body, or the text of the pressed button
	Payload   string // payload or id of the pressed button
	ReplyTo   string // context.id: the wamid of ours that is answered
	GroupID   string
	Name      string // profile name, foreign text
	Code      int    // for unsupported messages
	Became    Person // of a system message: how the person is named from now on; Person is how they were
}

// Echo tells of a message that somebody of the business wrote to a customer by
// hand, in the WhatsApp Business app or another app of the same number.
type Echo struct {
	Sender
	Person           // whom it was written to
	MessageID string // wamid
	Type      string // text, image, …, as it came
	At        Instant
}

// Deletion says that a customer deleted a message that they had sent.
type Deletion struct {
	Sender
	MessageID string // the inbound wamid
	At        Instant
}

// UserAction is one entry of user_actions[]: a click on a marketing message, or
// the page behind it seen. Meta does not say whose it is.
type UserAction struct {
	Sender
	Type      string // marketing_messages_link_click, landing_page_view; open
	Component string // cta, body
	ClickID   string
	Token     string // tracking_token
	Product   string // product_id
	At        Instant
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

// TemplateUpdate is news of one template: of its status, its quality or its
// category. Fields that the webhook did not carry are empty.
type TemplateUpdate struct {
	AccountID       string
	ID              int64 // message_template_id, may exceed 2^53
	Name            string
	Language        string
	Category        string // as it is now
	Event           string // APPROVED, PAUSED, DISABLED, …; "" for an update of quality or category
	Reason          string
	Rejection       string // rejection_info: what is wrong with the template
	Recommendation  string // and what Meta advises
	InfoTitle       string // FIRST_PAUSE, SECOND_PAUSE, …
	InfoDescription string
	DisableAt       Instant
	Quality         Quality // new_quality_score; "" for a status update
	PreviousQuality Quality

	PreviousCategory string
	NextCategory     string  // correct_category: what Meta holds for right, and will make it
	NextCategoryAt   Instant // when it does; 0 = not told

	At Instant // entry.time; 0 when absent
}

// TemplateEdit is one message_template_components_update: what a template says
// since somebody edited it.
type TemplateEdit struct {
	AccountID string
	ID        int64
	Name      string
	Language  string
	Title     string
	Body      string // message_template_element
	Footer    string
	Buttons   []TemplateButton
	At        Instant
}

// TemplateButton is a button of a template.
type TemplateButton struct {
	Type  string // URL, PHONE_NUMBER, QUICK_REPLY, …; open
	Text  string
	URL   string
	Phone string
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

// CapabilityUpdate is one business_capability_update: what a business may do
// now. A limit that was not told is "", a count 0.
type CapabilityUpdate struct {
	AccountID   string
	Limit       Limit // of the whole business
	NumberLimit Limit // of each of its numbers; goes away
	MaxNumbers  int64 // phone numbers that it may have
	At          Instant
}

// NameUpdate is one phone_number_name_update: Meta's word on a display name.
type NameUpdate struct {
	AccountID string
	Display   string // the number
	Decision  string // APPROVED, REJECTED, …; open
	Name      string // requested_verified_name
	Reason    string // rejection_reason
	At        Instant
}

// SecurityUpdate is one security webhook: somebody touches a number's PIN.
type SecurityUpdate struct {
	AccountID string
	Display   string // the number
	Event     string // PIN_CHANGED, PIN_RESET_REQUEST, PIN_RESET_SUCCESS; open
	Requester string // id of the Meta user who asked
	At        Instant
}

// AccountAlert is one account_alerts webhook.
type AccountAlert struct {
	AccountID   string
	EntityType  string // BUSINESS, PHONE_NUMBER, …; open
	EntityID    string
	Severity    string // CRITICAL, WARNING, INFORMATIONAL; open
	Status      string // ACTIVE, NONE; open
	Type        string // OBA_REJECTED, PROFILE_PICTURE_LOST, …; open
	Description string
	At          Instant
}

// AccountUpdate is one account_update (violations, restrictions, bans and the
// rest), or one account_review_update.
type AccountUpdate struct {
	AccountID    string
	Event        string // "" for a review
	Decision     string // of a review: APPROVED, REJECTED, PENDING, DEFERRED; open
	Violation    string // violation_info.violation_type
	BanState     string // SCHEDULE_FOR_DISABLE, DISABLE, REINSTATE
	BanDate      string // as Meta writes it, "April 17, 2025"
	Restrictions []Restriction
	Facts        []Fact // what else the update says
	At           Instant
}

// Fact is a key that an account_update carries beside those with a place of
// their own, and its value, both as they came.
type Fact struct {
	Key   string // with the key of the block that it stands in: volume_tier_info.region
	Value string
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
