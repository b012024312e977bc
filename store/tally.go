package store

import (
	"tickwatch/wa"
)

// Ages are the ages, in seconds, for which it is counted how many messages had
// arrived by then. The last one is the span that every message is judged by.
var Ages = [...]int64{5, 30, 60, 300, 1800}

const judged = len(Ages) - 1 // index of the 30 minutes

// Counts are running totals of a campaign, in messages; OptOuts in people.
type Counts struct {
	Messages  int64 // known to be with Meta
	Sent      int64 // sent, delivered or read
	Delivered int64 // delivered or read
	Read      int64
	Failed    int64 // failed and never delivered
	Withheld  int64 // the part of Failed that Meta chose not to deliver
	Refusers  int64 // the part of Failed that had opted out before (131050)
	OptOuts   int64
	Paced     int64 // part of Messages: Meta has taken them and holds them back

	// Of our own campaigns, and not in Messages:
	Waiting   int64
	SetAside  int64
	Claimed   int64
	Unknown   int64 // may have gone out
	Cancelled int64
	Refused   int64 // by Meta, at once; part of Failed
}

// refuserCode: the person had stopped marketing messages before this one.
const refuserCode = 131050

// Pulse is what became of the messages whose clock started in one second.
type Pulse struct {
	Messages   int64
	Delivered  int64            // by now
	Failed     int64            // by now, and never delivered
	Withheld   int64            // part of Failed
	Refused    int64            // part of Failed: at once, so never with Meta
	Paced      int64            // held back by Meta
	Within     [len(Ages)]int64 // delivered within Ages of their own clock
	Failed30   int64            // failed within 30 minutes of it, and not delivered in them
	Withheld30 int64            // part of Failed30
}

// Add adds every figure of q to p.
func (p *Pulse) Add(q *Pulse) { p.add(q, 1) }

func (p *Pulse) add(q *Pulse, sign int64) {
	p.Messages += sign * q.Messages
	p.Delivered += sign * q.Delivered
	p.Failed += sign * q.Failed
	p.Withheld += sign * q.Withheld
	p.Refused += sign * q.Refused
	p.Paced += sign * q.Paced
	for i := range p.Within {
		p.Within[i] += sign * q.Within[i]
	}
	p.Failed30 += sign * q.Failed30
	p.Withheld30 += sign * q.Withheld30
}

func (c *Counts) add(d *Counts, sign int64) {
	c.Messages += sign * d.Messages
	c.Sent += sign * d.Sent
	c.Delivered += sign * d.Delivered
	c.Read += sign * d.Read
	c.Failed += sign * d.Failed
	c.Withheld += sign * d.Withheld
	c.Refusers += sign * d.Refusers
	c.OptOuts += sign * d.OptOuts
	c.Paced += sign * d.Paced
	c.Waiting += sign * d.Waiting
	c.SetAside += sign * d.SetAside
	c.Claimed += sign * d.Claimed
	c.Unknown += sign * d.Unknown
	c.Cancelled += sign * d.Cancelled
	c.Refused += sign * d.Refused
}

// CodeMinute is a failure's code and the minute it failed in (Unix minutes).
type CodeMinute struct {
	Code   int
	Minute int64
}

// Tally is a campaign's totals, or the difference that a commit makes to them.
// Zero entries of its maps may be there or not.
type Tally struct {
	Counts  Counts
	Pulses  map[int64]Pulse      // by second
	Errors  map[CodeMinute]int64 // messages by the last code and its minute
	OptOuts map[int64]int64      // people, by Unix minute
	Inbound map[int64]int64      // what people wrote and pressed, by Unix minute; not in the stored totals
}

// Add adds every figure of d to t.
func (t *Tally) Add(d *Tally) {
	t.init()
	t.Counts.add(&d.Counts, 1)
	for s, q := range d.Pulses {
		p := t.Pulses[s]
		p.Add(&q)
		t.Pulses[s] = p
	}
	for k, n := range d.Errors {
		t.Errors[k] += n
	}
	for m, n := range d.OptOuts {
		t.OptOuts[m] += n
	}
	for m, n := range d.Inbound {
		t.Inbound[m] += n
	}
}

func (t *Tally) init() {
	if t.Pulses == nil {
		t.Pulses = map[int64]Pulse{}
		t.Errors = map[CodeMinute]int64{}
		t.OptOuts = map[int64]int64{}
		t.Inbound = map[int64]int64{}
	}
}

// count adds (sign 1) or takes back (sign -1) everything that one message
// contributes to the totals. It is the only place that says what a message
// counts for.
func (t *Tally) count(p wa.Progress, sign int64) {
	t.init()
	c := Counts{Messages: 1}
	pulse := Pulse{Messages: 1}
	clock, arrived := p.Clock(), p.ArrivedAt()
	span := func(at wa.Instant) int64 { return int64(at-clock) / 1000 }

	if p.SentAt != 0 || arrived != 0 {
		c.Sent = 1
	}
	if p.ReadAt != 0 {
		c.Read = 1
	}
	switch {
	case p.Refused():
		c.Messages, c.Refused, pulse.Refused = 0, 1, 1
	case p.Paced():
		c.Paced, pulse.Paced = 1, 1
	}
	withheld := withheldCode(p.Code)
	switch p.State() {
	case wa.StateDelivered:
		c.Delivered, pulse.Delivered = 1, 1
		for i, age := range Ages {
			if span(arrived) <= age {
				pulse.Within[i] = 1
			}
		}
	case wa.StateFailed:
		c.Failed, pulse.Failed = 1, 1
		if withheld {
			c.Withheld, pulse.Withheld = 1, 1
		}
		if p.Code == refuserCode {
			c.Refusers = 1
		}
		t.Errors[CodeMinute{p.Code, p.FailedAt.Second() / 60}] += sign
	case wa.StateInFlight:
	}
	// A failure within the 30 minutes counts for them even if another device was reached later.
	if p.FailedAt != 0 && pulse.Within[judged] == 0 && span(p.FailedAt) <= Ages[judged] {
		pulse.Failed30 = 1
		if withheld {
			pulse.Withheld30 = 1
		}
	}
	t.Counts.add(&c, sign)
	sum := t.Pulses[clock.Second()]
	sum.add(&pulse, sign)
	t.Pulses[clock.Second()] = sum
}

func withheldCode(code int) bool {
	if code == 0 {
		return false
	}
	e, ok := wa.LookUp(code)
	return ok && e.Withheld()
}

// Feed are running totals of what came in.
type Feed struct {
	Posts         int64
	Refused       int64 // signature missing or wrong
	NotUnderstood int64
	Updates       int64
	Duplicates    int64
	LastEventAt   wa.Instant // receipt of the newest signed post
}

func (f *Feed) add(d *Feed) {
	f.Posts += d.Posts
	f.Refused += d.Refused
	f.NotUnderstood += d.NotUnderstood
	f.Updates += d.Updates
	f.Duplicates += d.Duplicates
	f.LastEventAt = max(f.LastEventAt, d.LastEventAt)
}

// Campaign is a campaign's identity and totals.
type Campaign struct {
	ID       int64
	Key      string // its id outside
	Name     string
	Own      bool       // tickwatch sends it
	Watched  bool       // declared by an operator
	Template string     // of a watched one: what it is said to send
	Numbers  []string   // phone_number_ids it was sent from
	Latest   wa.Instant // latest clock of a message, as far as was known when it came
	Counts   Counts
}

// CampaignChange is what one commit changed of a campaign. Its embedded Tally
// is the difference; Campaign.Counts are the totals after it.
type CampaignChange struct {
	Campaign
	Tally
	Heard  map[int64]Heard // the difference to what is heard of our own, by the second in which Meta took them
	Failed map[int]int64   // messages that Meta had taken and that failed in this commit, by code
}

// Change is what one commit changed.
type Change struct {
	Seq       int64      // grows by one a commit
	Deed      int64      // the newest of the journal
	From      wa.Instant // receipt of its oldest signed post; 0 = it has none
	Feed      Feed       // totals after the commit
	Campaigns []*CampaignChange
	Engaged   []int64 // campaigns of which other is known of what people do after their messages
	Gone      []int64 // campaigns that turned out to be none; their messages moved elsewhere
	Numbers   []wa.Number
	Templates []wa.Template
	Health    []Health // as it has become
	Compared  int      // comparisons of templates that are new
	Edits     []wa.TemplateEdit
	Names     []wa.NameUpdate
	Security  []wa.SecurityUpdate
	Accounts  []wa.AccountUpdate
	Alerts    []wa.AccountAlert
	Faults    []wa.Fault
	Titles    map[int]string              // titles of error codes seen for the first time
	Fallbacks map[int64]wa.FallbackCounts // of campaigns, by row id
	Waits     map[int64]wa.FallbackWaits  // of runs of fallbacks
	Runs      []wa.FallbackRun            // new or changed
	Seeded    []int64                     // campaigns whose messages to own phones changed
}

// merge adds (sign 1) or takes away (sign -1) a tally, and keeps nothing that is zero.
func (t *Tally) merge(d *Tally, sign int64) {
	t.Counts.add(&d.Counts, sign)
	for s, q := range d.Pulses {
		p := t.Pulses[s]
		if p.add(&q, sign); p == (Pulse{}) {
			delete(t.Pulses, s)
		} else {
			t.Pulses[s] = p
		}
	}
	mergeInto(t.Errors, d.Errors, sign)
	mergeInto(t.OptOuts, d.OptOuts, sign)
}

func mergeInto[K comparable](sum, d map[K]int64, sign int64) {
	for k, n := range d {
		if sum[k] += sign * n; sum[k] == 0 {
			delete(sum, k)
		}
	}
}
