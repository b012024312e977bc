package store

import (
	"context"
	"encoding/json"
	"fmt"

	"tickwatch/wa"
)

// ContactsAtOnce is of how many people a Contacts holds what it gathers, at 32
// bytes each.
const ContactsAtOnce = 1 << 20

// Contacts gathers what became of the messages to people of a range of ids. What
// it holds is bounded; a store with more people takes several, each of which reads
// all messages once. It is for one goroutine at a time.
type Contacts struct {
	s           *Store
	from, last  int64 // people
	read, until int64 // messages
	replies     int64 // up to which person they are read
	all         []contact
}

// contact is what is gathered of one person. Moments are Unix seconds; 0 = never.
type contact struct {
	first, wrote     uint32 // clocks of the first message and the latest
	arrived, replied uint32 // the latest of each
	failedAt         uint32 // of code
	code             int32
	tries, failed    uint16 // no more than fit
	faults           uint8
}

// Bits of contact.faults: what the failures speak of.
const (
	failedOfNumber = 1 << iota
	failedWithheld
	failedOfOthers
)

// Contact is how one person is reached.
type Contact struct {
	Person    int64
	Phone     string // digits
	BSUID     string
	OptedOut  bool
	Tries     int        // messages to them, refused ones included
	Failed    int        // of which failed or were refused, and did not arrive
	First     wa.Instant // clock of the first message; moments are in whole seconds
	Wrote     wa.Instant // of the latest
	Arrived   wa.Instant // the latest delivery or reading; 0 = nothing ever arrived
	Replied   wa.Instant // when they last wrote to us; 0 = never, as far as is known
	Code      int        // of the latest failure
	OfNumber  bool       // some failure speaks of the person's number or app, or is not in the catalogue
	Withheld  bool       // some failure says that Meta chose not to deliver
	OfNeither bool       // some failure was of neither kind
}

// LastPerson is the highest id of a person; 0 = there is none.
func (s *Store) LastPerson(ctx context.Context) (last int64, err error) {
	if err = s.readers.QueryRowContext(ctx, "SELECT coalesce(max(id), 0) FROM person").Scan(&last); err != nil {
		return 0, fmt.Errorf("reading people: %w", err)
	}
	return last, nil
}

// Contacts begins to gather of people with an id above after and up to last, of
// the first ContactsAtOnce of these, what messages with an id up to end tell.
func (s *Store) Contacts(after, last, end int64) *Contacts {
	last = min(last, after+ContactsAtOnce)
	return &Contacts{s: s, from: after + 1, last: last, until: end, replies: after, all: make([]contact, max(last-after, 0))}
}

// First is the first person of the range.
func (c *Contacts) First() int64 { return c.from }

// Last is the last person of the range.
func (c *Contacts) Last() int64 { return c.last }

// Share is how much of the reading is done, 0 to 1.
func (c *Contacts) Share() float64 {
	if c.until == 0 {
		return 1
	}
	return float64(c.read) / float64(c.until)
}

const (
	contactMessages = "SELECT " + messageColumns + " FROM message m WHERE m.id > ? AND m.id <= ? AND m.person >= ? AND m.person <= ?"
	contactReplies  = "SELECT person, max(at) FROM inbound WHERE person > ? AND person <= ? GROUP BY person"
)

// Read reads on, a short stretch at a time; done says that all is read.
func (c *Contacts) Read(ctx context.Context) (done bool, err error) {
	switch {
	case c.read < c.until:
		upto := min(c.until, c.read+listingWindow<<c.s.spread.Load())
		_, err = query(ctx, c.s.readers, func(s scanner) (struct{}, error) {
			var m message
			p := &m.progress
			err := s.Scan(&m.id, &m.campaign, &m.number, &m.person, &m.wamid, &p.Seen,
				&p.SentAt, &p.DeliveredAt, &p.ReadAt, &p.FailedAt, &p.Code, &p.CodeAt, &p.AcceptedAt)
			if err == nil {
				c.all[m.person-c.from].add(p)
			}
			return struct{}{}, err
		}, contactMessages, c.read, upto, c.from, c.last)
		c.read = upto
	case c.replies < c.last:
		upto := min(c.last, c.replies+listingWindow)
		_, err = query(ctx, c.s.readers, func(s scanner) (struct{}, error) {
			var who int64
			var at wa.Instant
			err := s.Scan(&who, &at)
			if err == nil {
				c.all[who-c.from].replied = second(at)
			}
			return struct{}{}, err
		}, contactReplies, c.replies, upto)
		c.replies = upto
	default:
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("reading who was written to: %w", err)
	}
	return false, nil
}

// second is a moment as contact has it.
func second(at wa.Instant) uint32 {
	return uint32(min(max(at.Second(), 0), 1<<32-1))
}

func (c *contact) add(p *wa.Progress) {
	if clock := second(p.Clock()); clock != 0 {
		if c.first == 0 || clock < c.first {
			c.first = clock
		}
		c.wrote = max(c.wrote, clock)
	}
	if c.tries < 1<<16-1 {
		c.tries++
	}
	c.arrived = max(c.arrived, second(p.DeliveredAt), second(p.ReadAt))
	if p.State() != wa.StateFailed {
		return
	}
	if c.failed < 1<<16-1 {
		c.failed++
	}
	if at := second(p.CodeAt); at >= c.failedAt {
		c.failedAt, c.code = at, int32(p.Code) //nolint:gosec // Meta's codes have seven digits
	}
	switch e := wa.Explain(p.Code, ""); {
	case e.Withheld():
		c.faults |= failedWithheld
	case e.Category == wa.CategoryRecipient, e.Category == wa.CategoryUnknown:
		c.faults |= failedOfNumber
	default:
		c.faults |= failedOfOthers
	}
}

// Next gives people with an id above after whom keep wants, at most limit, and up
// to whom it looked. Everything must be read. keep is not told of names.
func (c *Contacts) Next(ctx context.Context, after int64, limit int, keep func(*Contact) bool) (page []Contact, upto int64, err error) {
	upto = max(after, c.from-1)
	at := map[int64]int{}
	var ids []int64
	for upto < c.last && len(ids) < limit {
		upto++
		if p := c.all[upto-c.from].view(upto); p.Tries > 0 && keep(&p) {
			at[upto] = len(page)
			ids, page = append(ids, upto), append(page, p)
		}
	}
	list, err := json.Marshal(ids)
	if err != nil {
		return nil, 0, err
	}
	named, err := query(ctx, c.s.readers, func(s scanner) (p Contact, err error) { return p, s.Scan(&p.Person, &p.Phone, &p.BSUID, &p.OptedOut) },
		"SELECT p.id, p.phone, p.bsuid, p.opted_out FROM json_each(?) JOIN person p ON p.id = value ORDER BY p.id", string(list))
	if err != nil {
		return nil, 0, fmt.Errorf("reading who was written to: %w", err)
	}
	for i := range named { // who is not there turned out to be somebody else
		p := page[at[named[i].Person]]
		p.Phone, p.BSUID, p.OptedOut = named[i].Phone, named[i].BSUID, named[i].OptedOut
		named[i] = p
	}
	return named, upto, nil
}

func (c *contact) view(person int64) Contact {
	moment := func(second uint32) wa.Instant { return wa.Instant(second) * 1000 }
	return Contact{
		Person: person, Tries: int(c.tries), Failed: int(c.failed), First: moment(c.first), Wrote: moment(c.wrote),
		Arrived: moment(c.arrived), Replied: moment(c.replied), Code: int(c.code),
		OfNumber: c.faults&failedOfNumber != 0, Withheld: c.faults&failedWithheld != 0, OfNeither: c.faults&failedOfOthers != 0,
	}
}
