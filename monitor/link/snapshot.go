package link

import (
	"strings"
	"time"
)

// Snapshot is everything a console draws, at one moment, bounded in size
// whatever the campaigns' size. Its JSON is what `tickwatch status --json`
// prints. Times are UTC; shares are fractions of one; a figure that is not
// known is nil, never zero; the lists are never nil.
type Snapshot struct {
	Rev       uint64     `json:"rev"` // grows with every published snapshot of one daemon
	Deed      int64      `json:"-"`   // the newest entry of the journal that it knows of: a recording's place, as Feed.Posts is
	At        time.Time  `json:"at"`
	Version   string     `json:"version"`
	Zone      string     `json:"zone,omitempty"` // of the daemon's clock, such as Europe/Lisbon; "" = not known
	Feed      Feed       `json:"feed"`
	Host      Host       `json:"host"`
	Channels  []string   `json:"channels"` // besides WhatsApp, that are set up: sms, voice, email
	Gates     []Gate     `json:"gates"`
	Campaigns []Campaign `json:"campaigns"` // running first, then the newest; at most MaxCampaigns
	// CampaignCount is how many campaigns there are, in Campaigns or not.
	CampaignCount int `json:"campaign_count"`

	Numbers   []Number   `json:"numbers"`
	Templates []Template `json:"templates"`
	Limits    []Limit    `json:"limits"`
	Alarms    []Alarm    `json:"alarms"`  // open first, then the latest cleared; at most MaxAlarms
	Actions   []Action   `json:"actions"` // the latest; at most MaxActions
}

// Bounds of a Snapshot's lists. Numbers, Templates and Limits are bounded by
// MaxCampaigns too; Errors of a campaign by MaxErrors.
const (
	MaxCampaigns = 20
	MaxAlarms    = 50
	MaxActions   = 50
	MaxErrors    = 20
	MaxClusters  = 5
)

// States of the feed. Idle is silence that nobody need fear; stalled is silence
// while answers are due.
const (
	FeedLive    = "live"
	FeedIdle    = "idle"
	FeedStalled = "stalled"
)

// Feed tells how the webhooks come in. Its counts are since the store was made.
type Feed struct {
	State         string     `json:"state"` // FeedLive, FeedIdle, FeedStalled
	LastEventAt   *time.Time `json:"last_event_at,omitempty"`
	Posts         int64      `json:"posts"`
	Refused       int64      `json:"refused"`        // answered 401: signature missing or wrong
	NotUnderstood int64      `json:"not_understood"` // signed, kept raw, not understood
	TurnedAway    int64      `json:"turned_away"`    // answered 503 since the daemon started: they could not be stored
	Updates       int64      `json:"updates"`
	Duplicates    int64      `json:"duplicates"`
	AnswerMS      *Quantiles `json:"answer_ms,omitempty"`     // our answer times, last minute, milliseconds
	CallbackRate  *float64   `json:"callback_rate,omitempty"` // own campaigns only
	PerSecond     float64    `json:"per_second"`              // updates a second, over the last ten

	// Trend is the daemon's latest minutes, oldest first, the last one still under
	// way: at most MaxTrend, and none from before it started.
	Trend []FeedMinute `json:"trend"`
}

// FeedMinute is what came in within one minute.
type FeedMinute struct {
	At          time.Time `json:"at"`
	Posts       int64     `json:"posts"`
	Updates     int64     `json:"updates"`
	Duplicates  int64     `json:"duplicates"`
	AnswerP99MS *float64  `json:"answer_p99_ms,omitempty"` // 99 in 100 answers took at most so long
}

// Quantiles of a duration, in milliseconds.
type Quantiles struct {
	P50 float64 `json:"p50"`
	P99 float64 `json:"p99"`
}

// Host is the load of the daemon's machine. CPU is the share of all cores in use.
type Host struct {
	CPU           *float64 `json:"cpu,omitempty"`
	MemoryBytes   *uint64  `json:"memory_bytes,omitempty"`    // of the daemon itself
	Memory        *float64 `json:"memory,omitempty"`          // share of the machine's memory in use
	Disk          *float64 `json:"disk,omitempty"`            // share of the data folder's disk in use
	Queue         *float64 `json:"queue,omitempty"`           // share of the messages that may wait for Meta's word; own campaigns only
	DiskFreeBytes *uint64  `json:"disk_free_bytes,omitempty"` // where the store lies
}

// Gate is a place where sending can be paused.
type Gate struct {
	Scope   string     `json:"scope"` // all, channel, number, campaign
	ID      string     `json:"id"`
	State   string     `json:"state"` // open, paused
	By      string     `json:"by,omitempty"`
	Reason  string     `json:"reason,omitempty"`
	Since   time.Time  `json:"since"`
	OpensAt *time.Time `json:"opens_at,omitempty"` // of a paused one that resumes by itself
}

// Campaign is one send as the screen shows it.
type Campaign struct {
	ID        string       `json:"id"`
	Name      string       `json:"name"`
	Origin    string       `json:"origin"` // own, external
	State     string       `json:"state"`  // draft, ready, running, paused, cancelled, finished
	StartedAt *time.Time   `json:"started_at,omitempty"`
	Template  *TemplateRef `json:"template,omitempty"`
	Numbers   []string     `json:"numbers"` // phone_number_ids it was sent from
	Counts    Counts       `json:"counts"`
	First30   First30      `json:"first30"`
	Trend     []Minute     `json:"trend"` // up to MaxTrend minutes, oldest first, the last one still under way
	Reports   Reports      `json:"reports"`
	Errors    []Error      `json:"errors"`   // most messages first; at most MaxErrors
	Clusters  []Cluster    `json:"clusters"` // the best first; at most MaxClusters
	// ClustersAt is when the failures were last searched for what they have in
	// common; nil = there were too few so far. Without Clusters then nothing stands out.
	ClustersAt *time.Time `json:"clusters_at,omitempty"`
	Fallback   Fallback   `json:"fallback"`
	// Engagement is nil while nobody has answered the campaign.
	Engagement *Engagement `json:"engagement,omitempty"`
	Sending    *Sending    `json:"sending,omitempty"` // own campaigns only
	Blast      *Blast      `json:"blast,omitempty"`   // while it goes out, and enough is decided to say
	Seeds      *Seeds      `json:"seeds,omitempty"`   // once one went out
}

// Blast is what each minute of waiting costs while a campaign goes out, at the pace
// and with the failures of the last minutes.
type Blast struct {
	SentPerMinute int64    `json:"sent_per_minute"`
	FailuresLow   int64    `json:"failures_low"`          // of a minute's messages so many will fail at least,
	FailuresHigh  int64    `json:"failures_high"`         // and at most, in nine of ten cases or more
	LimitShare    *float64 `json:"limit_share,omitempty"` // of the people that Meta allows in 24 hours; nil = no limit, or not known
}

// MaxTrend is how many minutes of a campaign's course a Snapshot carries.
const MaxTrend = 30

// TemplateRef names a template.
type TemplateRef struct {
	Name     string `json:"name"`
	Language string `json:"language"`
}

// Counts are messages. Waiting, SetAside, Claimed, Unknown, Cancelled, Refused
// and HandedOver exclude each other and add up to Messages. Sent, Delivered and
// Read are cumulative within HandedOver. Failed is failed and never delivered,
// plus Refused; Withheld is a part of it.
type Counts struct {
	Messages   int64 `json:"messages"`
	Waiting    int64 `json:"waiting"`
	SetAside   int64 `json:"set_aside"`
	Claimed    int64 `json:"claimed"`
	Unknown    int64 `json:"unknown"`
	Cancelled  int64 `json:"cancelled"`
	Refused    int64 `json:"refused"`
	HandedOver int64 `json:"handed_over"`
	Paced      int64 `json:"paced"`
	Sent       int64 `json:"sent"`
	Delivered  int64 `json:"delivered"`
	Read       int64 `json:"read"`
	Failed     int64 `json:"failed"`
	Withheld   int64 `json:"withheld"`
	InFlight   int64 `json:"in_flight"`
}

// Verdicts on a figure.
const (
	VerdictOK     = "ok"
	VerdictWatch  = "watch"
	VerdictAct    = "act"
	VerdictUnsure = "unsure"
)

// First30 is about the messages whose clock started in a campaign's first
// thirty minutes, each judged by what happened within thirty minutes of it.
type First30 struct {
	From      *time.Time `json:"from,omitempty"`
	To        *time.Time `json:"to,omitempty"`
	Closed    bool       `json:"closed"`
	Messages  int64      `json:"messages"`
	Delivered int64      `json:"delivered"`
	Failed    int64      `json:"failed"`
	Withheld  int64      `json:"withheld"`
	InFlight  int64      `json:"in_flight"`
	Observed  *float64   `json:"observed,omitempty"` // delivered / handed over; low early on
	Settled   *float64   `json:"settled,omitempty"`  // delivered / (delivered + failed)
	ByAge     []AgeShare `json:"by_age"`
	Projected *float64   `json:"projected,omitempty"` // nil = too early to say
	Low       *float64   `json:"low,omitempty"`
	High      *float64   `json:"high,omitempty"`
	Verdict   string     `json:"verdict"` // of the rate at present, while the campaign sends; of all of them afterwards
	Reason    string     `json:"reason"`  // one sentence
	Plain     *Plain     `json:"plain,omitempty"`
	// Provisional says that webhooks of these messages are missing, or were until just
	// now: the figures may still change a lot.
	Provisional bool `json:"provisional,omitempty"`
}

// Plain is what the plain rule says: the share that arrived of those decided, against
// the lines. It never acts.
type Plain struct {
	Verdict string `json:"verdict"`
	Reason  string `json:"reason"`
}

// AgeShare is the share of messages that had arrived at an age, of those that are that old.
type AgeShare struct {
	Seconds  int64   `json:"seconds"`
	Share    float64 `json:"share"`
	Messages int64   `json:"messages"` // that are so old: how much the share is worth
}

// Minute is one minute of a campaign's course: the messages whose clock started
// in it, and what has become of them by now.
type Minute struct {
	At        time.Time `json:"at"`
	Messages  int64     `json:"messages"`
	Delivered int64     `json:"delivered"`
	Failed    int64     `json:"failed"`
	// Gap says that no webhooks came of this minute's messages: what is missing of
	// them was not heard.
	Gap bool `json:"gap,omitempty"`
}

// Reports stands in for the report rate, which Meta does not publish: opt-outs
// per delivery, a proxy.
type Reports struct {
	OptOuts  int64    `json:"opt_outs"`
	Rate     *float64 `json:"rate,omitempty"`
	Refusers int64    `json:"refusers"` // had opted out before: a fault of the list
	Reported *int64   `json:"reported,omitempty"`
	Source   string   `json:"source,omitempty"`

	ReportedBy string     `json:"reported_by,omitempty"` // who typed Reported
	ReportedAt *time.Time `json:"reported_at,omitempty"`
	Blocked    *int64     `json:"blocked,omitempty"` // people who blocked the number, by WhatsApp Manager
	BlockedBy  string     `json:"blocked_by,omitempty"`
	BlockedAt  *time.Time `json:"blocked_at,omitempty"`

	Verdict string   `json:"verdict"`
	Reason  string   `json:"reason"`                // one sentence
	Known   *float64 `json:"known,omitempty"`       // how much of the opt-outs of those who got it can have come in yet, if people opt out soon
	Least   *float64 `json:"known_least,omitempty"` // the same, if they do late: both are assumptions
	Trend   []int64  `json:"trend"`                 // opt-outs a minute, aligned with Campaign.Trend

	Comparison *Comparison `json:"comparison,omitempty"` // of the campaign's template with the one before
}

// Comparison is Meta's word on which of two templates people block less. It is an order
// and the most frequent reasons: Meta publishes no rate.
type Comparison struct {
	Other       string    `json:"other"`                  // the other template
	Days        int       `json:"days"`                   // the latest so many were compared
	BlockedMore *bool     `json:"blocked_more,omitempty"` // the campaign's is blocked more; nil = not told
	Reason      string    `json:"reason,omitempty"`       // why it is blocked, as Meta names it
	OtherReason string    `json:"other_reason,omitempty"`
	At          time.Time `json:"at"` // when Meta was asked
}

// Error is one error code of a campaign.
type Error struct {
	Code     int     `json:"code"`
	Title    string  `json:"title"`
	Category string  `json:"category"`
	Count    int64   `json:"count"`
	Share    float64 `json:"share"` // of the campaign's failed messages
	Advice   string  `json:"advice"`
	Hint     string  `json:"hint"` // the advice in two or three words
	Retry    string  `json:"retry"`
	SMS      string  `json:"sms"` // yes, no, maybe
	Trend    []int64 `json:"trend"`
}

// Cluster is a trait that the failures share.
type Cluster struct {
	// Attribute is country, prefix (digits that a number begins with), template,
	// language, number, carrier (to whose range numbers belong), a column of the list, word (of a filled-in variable), lines (of
	// the list) or minute.
	Attribute string  `json:"attribute"`
	Value     string  `json:"value"`
	Code      int     `json:"code,omitempty"` // Failed counts this code alone; 0 = any
	Sent      int64   `json:"sent"`           // of them it is known, or long due, what became of them
	Failed    int64   `json:"failed"`
	Lift      float64 `json:"lift"`       // failed share of Sent over that of all messages
	PAdjusted float64 `json:"p_adjusted"` // how likely by chance, corrected for all that was looked at
	Explains  float64 `json:"explains"`   // Failed as a share of all failures
	Sends     float64 `json:"sends"`      // Sent as a share of all messages that were judged
	MainCode  int     `json:"main_code"`  // the commonest code of Failed
	Action    string  `json:"action"`     // what to do, one sentence

	Examples []ClusterExample `json:"examples"` // the newest failures, at most five
}

// ClusterExample is one failed message of a cluster.
type ClusterExample struct {
	Phone  string     `json:"phone"` // masked
	Code   int        `json:"code"`
	SentAt *time.Time `json:"sent_at,omitempty"`
}

// Fallback counts people and their second attempts over other channels. Waiting,
// Accepted, Unknown, Withdrawn, LeftOut, Expired and what was rejected at once
// exclude each other.
type Fallback struct {
	Eligible   int64   `json:"eligible"` // failed, by a code that allows it
	Waiting    int64   `json:"waiting"`  // for their hour, or going out just now
	Accepted   int64   `json:"accepted"` // by a provider; Delivered is a part of it
	Delivered  int64   `json:"delivered"`
	Failed     int64   `json:"failed"` // rejected at once, or later
	Unknown    int64   `json:"unknown"`
	DoubleHits int64   `json:"double_hits"` // of Delivered: the WhatsApp message arrived, too
	Withdrawn  int64   `json:"withdrawn"`   // the WhatsApp message arrived before
	LeftOut    int64   `json:"left_out"`    // cancelled, or opted out meanwhile
	Expired    int64   `json:"expired"`
	Segments   int64   `json:"segments"` // of those accepted
	Cost       float64 `json:"cost"`     // of those accepted, as billed where the provider says so
	Currency   string  `json:"currency,omitempty"`

	Run *FallbackRun `json:"run,omitempty"` // the newest
}

// Number is a business phone number and its standing with Meta.
type Number struct {
	ID            string     `json:"id"`
	Display       string     `json:"display"`
	Quality       string     `json:"quality,omitempty"`
	Status        string     `json:"status,omitempty"`
	Limit         string     `json:"limit,omitempty"`
	Used24h       *int64     `json:"used_24h,omitempty"` // people, of the limit that all numbers of the account share
	ThroughputMPS *float64   `json:"throughput_mps,omitempty"`
	Since         *time.Time `json:"since,omitempty"`

	LimitReachedAt *time.Time `json:"limit_reached_at,omitempty"` // at the present pace; nil = not before what waits is out
	AskedAt        *time.Time `json:"asked_at,omitempty"`         // when Meta last said its quality
	QualityWas     string     `json:"quality_was,omitempty"`
	QualitySince   *time.Time `json:"quality_since,omitempty"` // when it was first seen to be so
	Health         string     `json:"health,omitempty"`        // AVAILABLE, LIMITED, BLOCKED; open
	HealthReason   string     `json:"health_reason,omitempty"` // Meta's words on why it is not better
}

// Limit is an account's messaging limit, how much of it is used, and what the next
// one takes.
type Limit struct {
	Account   string     `json:"account,omitempty"` // WhatsApp Business Account
	Limit     string     `json:"limit"`
	Used24h   int64      `json:"used_24h"` // different people written to outside of open conversations
	CountedAt time.Time  `json:"counted_at"`
	ReachedAt *time.Time `json:"reached_at,omitempty"` // as Number.LimitReachedAt
	Next      string     `json:"next,omitempty"`       // the limit that follows
	Needs     []Need     `json:"needs,omitempty"`      // what Meta asks for it
}

// Need is one thing that Meta asks for a higher limit, as a sentence.
type Need struct {
	Text string `json:"text"`
	Met  *bool  `json:"met,omitempty"` // nil = it cannot be known
}

// Template is a message template and its standing with Meta.
type Template struct {
	ID          string     `json:"id"`
	Name        string     `json:"name"`
	Language    string     `json:"language"`
	Category    string     `json:"category,omitempty"`
	Status      string     `json:"status,omitempty"`
	Reason      string     `json:"reason,omitempty"`
	Quality     string     `json:"quality,omitempty"`
	PausedUntil *time.Time `json:"paused_until,omitempty"`

	Pauses         int        `json:"pauses,omitempty"`      // that Meta has laid on it: three hours, then six, then it is disabled
	QualityWas     string     `json:"quality_was,omitempty"` // before its latest change
	QualitySince   *time.Time `json:"quality_since,omitempty"`
	CategoryWas    string     `json:"category_was,omitempty"`
	NextCategory   string     `json:"next_category,omitempty"` // what Meta will make of its category
	NextCategoryAt *time.Time `json:"next_category_at,omitempty"`
	Health         string     `json:"health,omitempty"` // AVAILABLE, LIMITED, BLOCKED; open
	HealthReason   string     `json:"health_reason,omitempty"`
}

// Alarm is one incident. It keeps its RaisedAt when it grows from watch to act.
type Alarm struct {
	ID        string     `json:"id"`
	Kind      string     `json:"kind"`     // delivery, withheld, reports, quality, template, feed, callbacks, host, account, limit, list
	Severity  string     `json:"severity"` // watch, act
	Campaign  string     `json:"campaign,omitempty"`
	Subject   string     `json:"subject,omitempty"` // of a host alarm: cpu, memory, disk, queue, answers, store, sheet
	Text      string     `json:"text"`
	Advice    string     `json:"advice,omitempty"` // what to do now; a key of the console stands in brackets, "(p)"
	DoNot     string     `json:"do_not,omitempty"` // what not to do
	After     string     `json:"after,omitempty"`  // what to do once that is done
	Pause     string     `json:"pause,omitempty"`  // what was paused by itself because of it, or which key pauses; one sentence
	Until     *time.Time `json:"until,omitempty"`  // when it ends by itself, where Meta has told
	RaisedAt  time.Time  `json:"raised_at"`
	ActedAt   *time.Time `json:"acted_at,omitempty"` // when it became act
	ClearedAt *time.Time `json:"cleared_at,omitempty"`
	AckedBy   string     `json:"acked_by,omitempty"`

	SnoozedBy    string     `json:"snoozed_by,omitempty"`    // who wants it quiet; "" = it is not
	SnoozedUntil *time.Time `json:"snoozed_until,omitempty"` // nil of a quiet one = until it grows
}

// Open tells whether the alarm still stands.
func (a *Alarm) Open() bool { return a.ClearedAt == nil }

// WhatNow is the advice with what is paused, or which key pauses, unless it says so.
func (a *Alarm) WhatNow() string {
	byKey := strings.HasPrefix(a.Pause, "p pauses it")
	switch {
	case byKey && strings.Contains(a.Advice, "(p)"):
		return a.Advice
	case byKey:
		return strings.TrimSpace(a.Advice + " " + a.Pause)
	}
	return strings.TrimSpace(a.Pause + " " + a.Advice)
}

// Action is something an operator, or tickwatch itself, did.
type Action struct {
	ID       string    `json:"id"`
	At       time.Time `json:"at"`
	Operator string    `json:"operator"`
	Verb     string    `json:"verb"`
	Target   string    `json:"target"`
	Reason   string    `json:"reason,omitempty"`
	Effect   string    `json:"effect,omitempty"`
}
