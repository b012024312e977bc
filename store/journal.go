package store

import (
	"context"
	"encoding/json"
	"fmt"

	"tickwatch/wa"
)

// Deed is something that our own side did about our own campaigns. The journal
// keeps every one, in the commit that did it and in its place among the posts:
// both together, done again in order in another store, give the same state (see
// Redo). On disk it names people by row ids only.
type Deed struct {
	Kind     string        `json:"kind"`               // one of the Deed constants
	Campaign string        `json:"campaign,omitempty"` // key; "" = none alone
	Number   string        `json:"number,omitempty"`   // of DeedClaimed: phone_number_id that it goes out from
	Since    wa.Instant    `json:"since,omitempty"`    // of DeedClaimed: the sender's clock, milliseconds
	Reason   string        `json:"reason,omitempty"`   // of DeedLeftOut; of DeedAside the trait
	As       string        `json:"as,omitempty"`       // of DeedResolved: sent, not-sent
	Messages []DeedMessage `json:"messages,omitempty"` // at most deedMost
	List     *DeedList     `json:"list,omitempty"`     // of DeedList
	Plan     *wa.Plan      `json:"plan,omitempty"`     // of DeedImported and DeedPlanned
	Gate     *wa.Gate      `json:"gate,omitempty"`     // of DeedGate
	Poll     *wa.Poll      `json:"poll,omitempty"`     // of DeedPolled
	Numbers  []DeedNumber  `json:"numbers,omitempty"`  // of DeedPolled, as older recordings have it
	Reported *wa.Reported  `json:"reported,omitempty"` // of DeedReported
	Seed     *DeedOfSeed   `json:"seed,omitempty"`     // of DeedSeed
}

// Kinds of a Deed.
const (
	DeedImported  = "imported"   // a list became a campaign
	DeedPlanned   = "planned"    // its state, template, pace or moments changed
	DeedCancelled = "cancelled"  // what waited of it will not be sent
	DeedClaimed   = "claimed"    // messages are about to be sent
	DeedLeftOut   = "left_out"   // people get none, for a reason
	DeedAside     = "set_aside"  // messages wait no more, for a trait that they have
	DeedReleased  = "released"   // they wait again
	DeedAccepted  = "accepted"   // Meta took messages
	DeedRefused   = "refused"    // Meta refused them
	DeedAgain     = "again"      // they did not go out, and wait again
	DeedUnknown   = "unknown"    // they may have gone out
	DeedRetried   = "retried"    // failed ones are tried again
	DeedResolved  = "resolved"   // an operator said whether they went out
	DeedGate      = "gate"       // sending was paused or resumed somewhere
	DeedBroken    = "broken_off" // a crash left what was claimed as unknown
	DeedPolled    = "polled"     // Meta was asked how our numbers stand
	DeedReported  = "reported"   // an operator typed a figure
	DeedSeed      = "seed"       // a message to an own phone was about to be sent, or has an answer
)

// DeedMessage is a message that a Deed is about.
type DeedMessage struct {
	Message   int64      `json:"message,omitempty"`   // its id; of DeedRetried, that of the failed one
	Recipient int64      `json:"recipient,omitempty"` // row of the queue
	At        wa.Instant `json:"at,omitempty"`        // of Meta's answer, milliseconds
	Code      int        `json:"code,omitempty"`
	Paced     bool       `json:"paced,omitempty"` // Meta took it and holds it back
	Known     int64      `json:"known,omitempty"` // the id under which webhooks had told of it, where that is another

	// Not on disk here: read off the message's row. Who was never written to, or
	// was refused, is not named.
	WAMID   string `json:"wamid,omitempty"`
	Phone   string `json:"phone,omitempty"` // digits
	BSUID   string `json:"bsuid,omitempty"`
	Details string `json:"details,omitempty"` // Meta's words on a refusal
}

// DeedList says where a list's rows lie in the queue.
type DeedList struct {
	Store string `json:"store"` // as its messages' callback data names it
	First int64  `json:"first"` // recipients, from this one on
	Rows  int64  `json:"rows"`
}

// DeedNumber is how one of our numbers stands, by Meta's answer.
type DeedNumber struct {
	ID         string     `json:"id"` // phone_number_id
	Display    string     `json:"display,omitempty"`
	Quality    wa.Quality `json:"quality,omitempty"`
	Status     string     `json:"status,omitempty"`
	Limit      wa.Limit   `json:"limit,omitempty"`
	Throughput float64    `json:"throughput,omitempty"` // messages a second
	Since      wa.Instant `json:"since"`                // of the answer, milliseconds
}

// deedMost bounds the messages of one deed, and with them a line of a recording.
const deedMost = 256

// noted gathers what one call does to many messages, to be noted together.
type noted struct {
	all  []*Deed
	open map[notedAs]*Deed
	of   map[*Deed]int64 // campaign
}

type notedAs struct {
	campaign     int64
	kind, detail string
}

// add takes in a message that something was done about, and gives the deed that
// tells of it; detail is the deed's number, reason or word.
func (n *noted) add(campaign int64, kind, detail string, m DeedMessage) *Deed {
	if n.open == nil {
		n.open, n.of = map[notedAs]*Deed{}, map[*Deed]int64{}
	}
	key := notedAs{campaign, kind, detail}
	d := n.open[key]
	if d == nil || len(d.Messages) == deedMost {
		d = &Deed{Kind: kind}
		switch kind {
		case DeedClaimed:
			d.Number = detail
		case DeedLeftOut, DeedAside:
			d.Reason = detail
		case DeedResolved:
			d.As = detail
		}
		n.open[key], n.of[d] = d, campaign
		n.all = append(n.all, d)
	}
	d.Messages = append(d.Messages, m)
	return d
}

// noteAll appends what was gathered to the journal.
func (g *group) noteAll(n *noted) error {
	for _, d := range n.all {
		if err := g.note(n.of[d], d); err != nil {
			return err
		}
	}
	return nil
}

// note appends a deed to the journal.
func (g *group) note(campaign int64, d *Deed) error {
	at := g.redoing
	if at == 0 {
		at = wa.At(g.w.store.now())
	}
	body, err := json.Marshal(d)
	if err != nil {
		return err
	}
	_, err = g.w.stmts.journal.ExecContext(g.ctx, take(&g.next.deed), g.next.raw, int64(at), campaign, string(body))
	return err
}

// notePlan appends what a campaign's plan has become.
func (g *group) notePlan(kind string, p *plan, list *DeedList) error {
	body := p.Plan
	body.Campaign, body.Key = 0, "" // which the deed says
	return g.note(p.Campaign, &Deed{Kind: kind, Plan: &body, List: list})
}

// JournalEntry is a deed and its place.
type JournalEntry struct {
	ID   int64 // grows in the order in which things were done
	Post int64 // the latest post before it
	At   wa.Instant
	Deed
}

// LastDeed is the ID of the newest entry of the journal; 0 = there is none. The
// rows of the messages that entries up to it speak of are written when it returns.
func (s *Store) LastDeed(ctx context.Context) (last int64, err error) {
	if err = s.look(ctx, func(w *writer) error { last = w.nextID.deed; return nil }); err == nil && last > 0 {
		err = s.Settled(ctx)
	}
	if err != nil {
		return 0, fmt.Errorf("reading the journal: %w", err)
	}
	return last, nil
}

// Deeds reads the journal's entries with an ID above after and up to last, at
// most limit: those of a campaign and of none alone, or with campaign 0 all.
func (s *Store) Deeds(ctx context.Context, campaign, after, last int64, limit int) ([]JournalEntry, error) {
	all, err := query(ctx, s.readers, func(s scanner) (e JournalEntry, err error) {
		var body []byte
		var key string
		if err = s.Scan(&e.ID, &e.Post, &e.At, &key, &body); err == nil {
			err = json.Unmarshal(body, &e.Deed)
		}
		e.Campaign = key
		return e, err
	}, `SELECT j.id, j.post, j.at, coalesce(c.key, ''), j.body FROM journal j LEFT JOIN campaign c ON c.id = j.campaign
		WHERE j.id > ? AND j.id <= ? AND (? IN (0, j.campaign) OR j.campaign = 0) ORDER BY j.id LIMIT ?`, after, last, campaign, limit)
	if err != nil {
		return nil, fmt.Errorf("reading the journal: %w", err)
	}
	for i := range all {
		if err := s.nameMessages(ctx, &all[i].Deed); err != nil {
			return nil, fmt.Errorf("reading the messages of the journal: %w", err)
		}
		for k := range all[i].Messages {
			all[i].Messages[k].Message >>= s.spread.Load()
		}
	}
	return all, nil
}

// nameMessages adds what is not on disk in the journal.
func (s *Store) nameMessages(ctx context.Context, d *Deed) error {
	switch d.Kind {
	case DeedClaimed, DeedAccepted, DeedRefused:
	default:
		return nil
	}
	ids := make([]int64, len(d.Messages))
	at := map[int64]*DeedMessage{}
	for i := range d.Messages {
		m := &d.Messages[i]
		ids[i] = m.Message
		if m.Known != 0 {
			ids[i], m.Known = m.Known, 0
		}
		at[ids[i]] = m
	}
	list, err := json.Marshal(ids)
	if err != nil {
		return err
	}
	_, err = query(ctx, s.readers, func(s scanner) (struct{}, error) {
		var details string
		m, phone, bsuid, err := scanMessage(scanMore{s, &details})
		to := at[m.id]
		switch {
		case err != nil:
		case d.Kind == DeedRefused:
			to.Details = details
		case m.progress.Refused():
		case d.Kind == DeedClaimed:
			to.Phone = phone
		default:
			to.WAMID, to.BSUID = m.wamid, bsuid
		}
		return struct{}{}, err
	}, `SELECT `+messageColumns+`, coalesce(p.phone, ''), coalesce(p.bsuid, ''), coalesce(f.details, '')
		FROM json_each(?) JOIN message m ON m.id = value LEFT JOIN person p ON p.id = m.person LEFT JOIN failure_text f ON f.message = m.id`, string(list))
	return err
}

// scanMore scans one column more.
type scanMore struct {
	scanner
	last any
}

// Scan implements scanner.
func (s scanMore) Scan(to ...any) error { return s.scanner.Scan(append(to, s.last)...) }
