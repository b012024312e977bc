package link

import "time"

// Verbs about our own campaigns and what goes out, with the types of their
// arguments and results.
const (
	VerbPause    = "pause"    // GateArgs → Receipt
	VerbResume   = "resume"   // ResumeArgs → Receipt
	VerbForecast = "forecast" // ForecastArgs → Forecast
	VerbStart    = "start"    // StartArgs → Receipt
	VerbCancel   = "cancel"   // CampaignArgs → Receipt
	VerbPace     = "pace"     // PaceArgs → Sending
	VerbChoices  = "choices"  // CampaignArgs → Choices
	VerbSwap     = "swap"     // SwapArgs → Receipt
	VerbRetry    = "retry"    // RetryArgs → Retried
	VerbResolve  = "resolve"  // ResolveArgs → Resolved
	VerbNote     = "note"     // NoteArgs → Action
	VerbUpload   = "upload"   // UploadArgs → Uploaded
	VerbList     = "list"     // ListArgs → Job
	VerbJob      = "job"      // JobArgs → Job
	VerbTest     = "test"     // TestArgs → Job
	VerbRejected = "rejected" // RejectedArgs → RejectedPage
	VerbWatch    = "watch"    // WatchArgs → Card
)

// Scopes of a Gate.
const (
	ScopeAll      = "all"
	ScopeChannel  = "channel"
	ScopeNumber   = "number"
	ScopeCampaign = "campaign"
)

// States of a Gate.
const (
	GateOpen   = "open"
	GatePaused = "paused"
)

// GateArgs names a gate: everything when both are empty. ID is a campaign's id
// or name, a phone_number_id, or a channel.
type GateArgs struct {
	Scope  string `json:"scope,omitempty"` // one of the Scope constants; "" = ScopeAll
	ID     string `json:"id,omitempty"`
	Reason string `json:"reason,omitempty"`
}

// ResumeArgs opens that gate, and no other.
type ResumeArgs struct {
	GateArgs
	At *time.Time `json:"at,omitempty"` // nil = now
}

// Receipt answers what pauses, resumes, starts, swaps or cancels.
type Receipt struct {
	CommandID string `json:"command_id"`
	// ClosedMS runs from the daemon's receipt of the command to the closed gate, in
	// milliseconds; 0 where none was closed.
	ClosedMS          float64    `json:"closed_ms"`
	LastSendStartedAt *time.Time `json:"last_send_started_at,omitempty"` // the latest before the gate closed
	Waiting           int64      `json:"waiting"`                        // safe: not sent, and will not be while paused
	OpenRequests      int        `json:"open_requests"`                  // on their way to Meta, of another channel's pause by that: may still arrive
	OpenBeside        int        `json:"open_beside,omitempty"`          // on their way by other channels; not in OpenRequests, nor in Beside
	HandedOver        int64      `json:"handed_over"`
	Beside            []Beside   `json:"beside,omitempty"`       // of a pause or resume: what it concerns by other channels; of such a channel's own it is Waiting
	EndedBeside       int64      `json:"ended_beside,omitempty"` // of a campaign's cancel: do not go out by other channels either
	Unknown           int64      `json:"unknown"`
	Already           bool       `json:"already"` // it was so before
	Outside           string     `json:"outside"` // none, asked, confirmed, not_confirmed
	// Stored is false while the pause holds but is not on disk yet; it is tried on.
	Stored bool   `json:"stored"`
	Text   string `json:"text"` // one sentence for people
}

// ForecastArgs asks what would go out if a gate were opened, or a campaign started.
type ForecastArgs struct {
	GateArgs
	Start bool `json:"start,omitempty"` // of a campaign: what a start would send, else what a resume would
}

// Forecast says how many would go, to whom not, and why.
type Forecast struct {
	Going    int64      `json:"going"`
	Beside   []Beside   `json:"beside,omitempty"` // goes out by other channels; not in Going
	LeftOut  []LeftOut  `json:"left_out"`
	Closed   []Gate     `json:"closed"` // other gates that stay closed, so that it is paused on
	Held     string     `json:"held,omitempty"`
	Pace     string     `json:"pace,omitempty"`
	EndsAt   *time.Time `json:"ends_at,omitempty"`
	Findings []Finding  `json:"findings"` // of the pre-flight
	Word     string     `json:"word"`     // what the operator types to confirm
}

// LeftOut counts people who get nothing, and says why.
type LeftOut struct {
	Reason  string `json:"reason"`
	Count   int64  `json:"count"`
	Example string `json:"example,omitempty"` // one of them, masked, where their row of the list is to be mended
}

// Finding is something that the pre-flight found. Severity is ok, watch or act;
// act keeps a campaign from starting without force.
type Finding struct {
	Severity string `json:"severity"`
	Text     string `json:"text"`
	Count    int64  `json:"count"`
}

// CampaignArgs names a campaign by id or name.
type CampaignArgs struct {
	Campaign string `json:"campaign"`
}

// StartArgs starts one of our own campaigns.
type StartArgs struct {
	Campaign string     `json:"campaign"`
	At       *time.Time `json:"at,omitempty"`
	Expires  *time.Time `json:"expires,omitempty"` // what still waits then is cancelled
	Force    bool       `json:"force,omitempty"`   // despite the pre-flight; recorded
	Ramp     []float64  `json:"ramp,omitempty"`    // shares of the list at which it pauses for a look, rising, the last 1
}

// PaceArgs changes a campaign's pace, live: to Rate ("20/s", "600/m", "1000/h",
// "none"), or by one step up or down from what it is.
type PaceArgs struct {
	Campaign string `json:"campaign"`
	Rate     string `json:"rate,omitempty"`
	Step     int    `json:"step,omitempty"` // 1 faster, -1 slower
}

// Choices are the templates that a campaign's rest could go out with, usable
// ones first.
type Choices struct {
	Campaign string   `json:"campaign"`
	Current  Choice   `json:"current"`
	Others   []Choice `json:"others"` // at most MaxChoices
	Waiting  int64    `json:"waiting"`
}

// MaxChoices bounds Choices.Others.
const MaxChoices = 50

// Choice is one template, and its text as one recipient of the campaign would see it.
type Choice struct {
	TemplateRef
	Category string `json:"category"`
	Status   string `json:"status"`
	Quality  string `json:"quality,omitempty"`
	Usable   bool   `json:"usable"`
	Why      string `json:"why,omitempty"`     // not usable because …; or what to know before
	Preview  string `json:"preview,omitempty"` // with a real row; foreign text
}

// SwapArgs sends the rest of a campaign with another template.
type SwapArgs struct {
	Campaign string      `json:"campaign"`
	Template TemplateRef `json:"template"`
}

// RetryArgs queues new attempts through WhatsApp for failed messages of these
// codes; none = of all that may be tried again.
type RetryArgs struct {
	Campaign string `json:"campaign"`
	Codes    []int  `json:"codes,omitempty"`
	DryRun   bool   `json:"dry_run,omitempty"`
}

// Retried says what a retry queued, or would.
type Retried struct {
	Eligible int64     `json:"eligible"`
	LeftOut  []LeftOut `json:"left_out"`
	Segments int64     `json:"segments"` // of other channels; 0 here
	Cost     float64   `json:"cost"`
	Currency string    `json:"currency"`
	Queued   int64     `json:"queued"` // 0 on a dry run
}

// ResolveArgs is the operator's word on sends that may have gone out.
type ResolveArgs struct {
	Campaign string `json:"campaign"`
	As       string `json:"as"`                // sent, not-sent
	Channel  string `json:"channel,omitempty"` // by which they may have gone out; none = whatsapp
}

// Resolved counts them.
type Resolved struct {
	Resolved int64 `json:"resolved"`
}

// NoteArgs leaves a note for the next operator.
type NoteArgs struct {
	Text     string `json:"text"`
	Campaign string `json:"campaign,omitempty"`
}

// MaxUpload bounds UploadArgs.Data, so that a frame stays small.
const MaxUpload = 40 << 10

// UploadArgs is a piece of a recipient list on its way to the daemon. The first
// has no Upload and gets one; pieces come in order.
type UploadArgs struct {
	Upload string `json:"upload,omitempty"`
	Name   string `json:"name,omitempty"` // the file's name, for messages and its format
	Offset int64  `json:"offset"`
	Data   []byte `json:"data"`
	Drop   bool   `json:"drop,omitempty"` // gives the upload up: nothing is left of it
}

// Uploaded says how much of it the daemon has.
type Uploaded struct {
	Upload string `json:"upload"`
	Size   int64  `json:"size"`
}

// ListArgs judges an uploaded list (Import false) or makes a campaign of it.
type ListArgs struct {
	Upload string `json:"upload"`
	Import bool   `json:"import"`

	Name       string            `json:"name,omitempty"`     // of the campaign
	Template   *TemplateRef      `json:"template,omitempty"` // needed to import
	From       []string          `json:"from,omitempty"`     // phone_number_ids
	Map        map[string]string `json:"map,omitempty"`      // variable → column; others are bound to the column of their name
	Phone      string            `json:"phone,omitempty"`    // column; "" = the one that looks like it
	Country    string            `json:"country,omitempty"`  // ISO 3166 code, for numbers without one
	Consent    string            `json:"consent,omitempty"`  // column; "" = the one that is called so
	InOrder    bool              `json:"in_order,omitempty"` // not shuffled
	Marketing  bool              `json:"marketing,omitempty"`
	Attributes []string          `json:"attributes,omitempty"` // columns to keep; none = all
}

// JobArgs asks for a job's state.
type JobArgs struct {
	Job    string `json:"job"`
	Cancel bool   `json:"cancel,omitempty"` // and ends it, unless it is done: nothing is left of its work then
}

// Job is a longer piece of the daemon's work: a list being read, a test send.
type Job struct {
	ID       string  `json:"id"`
	Stage    string  `json:"stage"` // what it does, in a word or two
	Rows     int64   `json:"rows"`
	Share    float64 `json:"share"` // done
	Done     bool    `json:"done"`
	Problem  *Fault  `json:"problem,omitempty"`
	Check    *Check  `json:"check,omitempty"`    // of a list, once done
	Imported *Import `json:"imported,omitempty"` // once imported
	Tested   *Tested `json:"tested,omitempty"`   // of a test send, once done

	Suppressed *SuppressImport `json:"suppressed,omitempty"` // of a list of people never to be written to, once done
}

// Check is what was found of a list.
type Check struct {
	OK         bool      `json:"ok"`
	Rows       int64     `json:"rows"`
	Valid      int64     `json:"valid"`
	Invalid    int64     `json:"invalid"`
	Duplicates int64     `json:"duplicates"`
	Suppressed int64     `json:"suppressed"`
	Refusers   int64     `json:"refusers"`
	Capped     int64     `json:"capped"`
	Findings   []Finding `json:"findings"`
}

// Import is a list that became a campaign.
type Import struct {
	ID       string `json:"id"`
	Waiting  int64  `json:"waiting"`
	Rejected int64  `json:"rejected"`
}

// TestArgs sends a campaign's template to own phones first.
type TestArgs struct {
	Campaign string `json:"campaign"`
	Upload   string `json:"upload"` // 100 to 200 own phones
}

// Tested is the judgement of a test send.
type Tested struct {
	Pass     bool      `json:"pass"`
	Sent     int64     `json:"sent"`
	SlowMS   float64   `json:"slow_ms"`   // the slowest send
	Callback float64   `json:"callbacks"` // share of sends with a status
	Arrived  int64     `json:"arrived"`
	Findings []Finding `json:"findings"`
}

// RejectedArgs asks for a page of the rows that a job rejected, or a campaign's import.
type RejectedArgs struct {
	Job      string `json:"job,omitempty"`
	Campaign string `json:"campaign,omitempty"`
	After    int64  `json:"after,omitempty"` // line of the last row of the page before
}

// RejectedPage is a page of rejected rows.
type RejectedPage struct {
	Rows []Rejected `json:"rows"`
	More bool       `json:"more"`
}

// Rejected is a row of a list that no message comes of.
type Rejected struct {
	Line   int64  `json:"line"` // of the file, counted from 1
	Value  string `json:"value"`
	Reason string `json:"reason"`
}

// WatchArgs declares a campaign that another system sends: the messages that
// leave a number from a moment on belong to it, where their callback data names
// no other.
type WatchArgs struct {
	Number   string       `json:"number"` // phone_number_id
	Name     string       `json:"name,omitempty"`
	Template *TemplateRef `json:"template,omitempty"` // to be shown: webhooks do not name it
	Upload   string       `json:"upload,omitempty"`   // a list: only messages to its people
	Phone    string       `json:"phone,omitempty"`    // its column; "" = the one that looks like it
	Country  string       `json:"country,omitempty"`  // ISO 3166 code, for its numbers without one
	Started  *time.Time   `json:"started,omitempty"`  // nil = now
}

// Sending is how one of our own campaigns goes out.
type Sending struct {
	PerSecond    float64    `json:"per_second"` // requests begun, over the last ten seconds
	Pace         string     `json:"pace"`       // "1000/h", or "none" of our own
	OpenRequests int        `json:"open_requests"`
	StartsAt     *time.Time `json:"starts_at,omitempty"`
	ExpiresAt    *time.Time `json:"expires_at,omitempty"`
	EndsAt       *time.Time `json:"ends_at,omitempty"` // at the current pace
	Held         string     `json:"held,omitempty"`    // why nothing goes out though it runs, a few words
	Ramp         *Ramp      `json:"ramp,omitempty"`

	Aside []AsideTrait `json:"aside,omitempty"` // traits whose messages are set aside
}

// Ramp is a start in steps.
type Ramp struct {
	Shares []float64 `json:"shares"`
	Step   int       `json:"step"` // index of the share that is being sent, or has been
}
