package wa

// ErrorCode is one entry of the error catalogue (errors.csv): what a code of
// the Cloud API means and what helps, in the marketer's words.
type ErrorCode struct {
	Code        int
	Last        int    // last code of an entry that stands for a range; else 0
	Title       string // Meta's title, or ours where Meta gives none
	Category    string // one of the Category constants
	Cause       string // why it happens
	Retry       string // one of the Retry constants
	Advice      string // what to do, in a few short sentences
	Hint        string // the advice in at most 20 characters, for a narrow pane
	Suppression string // one of the Suppress constants
	Fallback    string // may SMS reach the person instead: yes, no, maybe
	Source      string // where the entry comes from: addresses and their dates
}

// Categories of error codes: whose fault it is, or whose decision.
const (
	CategoryAuth       = "auth"       // access token and permissions
	CategoryPolicy     = "policy"     // Meta's rules were broken
	CategoryAccount    = "account"    // state of the account or the sending number
	CategoryPayment    = "payment"    // billing
	CategoryTemplate   = "template"   // the template, or the values filled into it
	CategoryMedia      = "media"      // picture, video or document
	CategoryRequest    = "request"    // how the message was put together
	CategoryRateLimit  = "rate_limit" // too fast, too often
	CategoryQuality    = "quality"    // people blocked or reported earlier messages
	CategoryPlatform   = "platform"   // a fault or upkeep on Meta's side
	CategoryRecipient  = "recipient"  // this person's number or app
	CategoryWindow     = "window"     // free text more than 24 h after the person last wrote
	CategoryOptOut     = "opt_out"    // the person refuses marketing
	CategoryEngagement = "engagement" // Meta holds marketing back from this person
	CategoryExperiment = "experiment" // Meta keeps this person out of marketing for a test
	CategoryUnknown    = "unknown"    // not in the catalogue
)

// Whether a message may be tried again.
const (
	RetryNever    = "never"
	RetryLater    = "later"     // after hours; the advice says how many
	RetryBackoff  = "backoff"   // soon, with growing pauses
	RetryAfterFix = "after_fix" // once what the advice names is mended
)

// Who is not written to again, and until when.
const (
	SuppressNone           = "none"
	Suppress24h            = "24h"
	SuppressUntilInbound   = "until_inbound"   // until the person writes to us
	SuppressUntilUnblocked = "until_unblocked" // until we unblock the person
	SuppressPermanent      = "permanent"
)

// Whether an SMS may reach the person instead.
const (
	FallbackYes   = "yes"
	FallbackNo    = "no"
	FallbackMaybe = "maybe"
)

// Withheld tells whether the code says that Meta chose not to deliver (131049,
// 130472): no list clean-up and no pause mends these failures.
func (e ErrorCode) Withheld() bool {
	return e.Category == CategoryEngagement || e.Category == CategoryExperiment
}
