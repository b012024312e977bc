package store

import (
	"context"
	"fmt"
	"strings"

	"tickwatch/wa"
)

// Course is a campaign over time.
type Course struct {
	Seq     int64                // the commit that it stands at
	Minutes map[int64]Pulse      // by Unix minute of the messages' clocks
	Seconds map[int64]Pulse      // by Unix second, those of the window that was asked for
	Errors  map[CodeMinute]int64 // messages by their last code and its minute
	OptOuts map[int64]int64      // people, by Unix minute
}

const pulseSums = `sum(messages), sum(delivered), sum(failed), sum(withheld), sum(within_5), sum(within_30), sum(within_60),
	sum(within_300), sum(within_1800), sum(failed_1800), sum(withheld_1800)`

// Course reads a campaign's course. window is called with its minutes and says
// for which seconds, from and up to but without to, it wants the single seconds.
// A reader that also follows OnCommit adds the changes newer than Seq, and no others.
func (s *Store) Course(ctx context.Context, campaign int64, window func(minutes map[int64]Pulse) (from, to int64)) (*Course, error) {
	tx, err := s.readers.BeginTx(ctx, nil) // one view of everything
	if err != nil {
		return nil, fmt.Errorf("reading a campaign: %w", err)
	}
	defer func() { _ = tx.Rollback() }()
	c := &Course{Errors: map[CodeMinute]int64{}, OptOuts: map[int64]int64{}}
	if _, c.Seq, err = readFeed(ctx, tx); err != nil {
		return nil, fmt.Errorf("reading a campaign: %w", err)
	}
	if c.Minutes, err = readPulses(ctx, tx, "SELECT second / 60, "+pulseSums+" FROM pulse WHERE campaign = ? AND messages > 0 GROUP BY 1", campaign); err != nil {
		return nil, fmt.Errorf("reading a campaign's course: %w", err)
	}
	from, to := window(c.Minutes)
	if c.Seconds, err = readPulses(ctx, tx, "SELECT second, "+pulseSums+
		" FROM pulse WHERE campaign = ? AND messages > 0 AND second >= ? AND second < ? GROUP BY 1", campaign, from, to); err != nil {
		return nil, fmt.Errorf("reading a campaign's course: %w", err)
	}
	type none struct{}
	if _, err := query(ctx, tx, func(s scanner) (none, error) {
		var k CodeMinute
		var n int64
		err := s.Scan(&k.Code, &k.Minute, &n)
		c.Errors[k] = n
		return none{}, err
	}, "SELECT code, minute, messages FROM error_minute WHERE campaign = ? AND messages <> 0", campaign); err != nil {
		return nil, fmt.Errorf("reading a campaign's errors: %w", err)
	}
	if _, err := query(ctx, tx, func(s scanner) (none, error) {
		var minute, n int64
		err := s.Scan(&minute, &n)
		c.OptOuts[minute] = n
		return none{}, err
	}, "SELECT at / 60000, count(*) FROM opt_out WHERE campaign = ? GROUP BY 1", campaign); err != nil {
		return nil, fmt.Errorf("reading a campaign's opt-outs: %w", err)
	}
	return c, nil
}

func readPulses(ctx context.Context, q querier, text string, args ...any) (map[int64]Pulse, error) {
	all := map[int64]Pulse{}
	_, err := query(ctx, q, func(s scanner) (struct{}, error) {
		var key int64
		var p Pulse
		err := s.Scan(&key, &p.Messages, &p.Delivered, &p.Failed, &p.Withheld,
			&p.Within[0], &p.Within[1], &p.Within[2], &p.Within[3], &p.Within[4], &p.Failed30, &p.Withheld30)
		all[key] = p
		return struct{}{}, err
	}, text, args...)
	return all, err
}

// Message is a stored message.
type Message struct {
	ID       int64
	WAMID    string
	Campaign string // key
	Phone    string // digits, in full
	BSUID    string
	Progress wa.Progress
	Details  string // Meta's words on its failure, as they came
}

const messageSelect = "SELECT " + messageColumns + `, coalesce(p.phone, ''), coalesce(p.bsuid, ''), coalesce(c.key, ''), coalesce(f.details, '')
	FROM message m LEFT JOIN person p ON p.id = m.person LEFT JOIN campaign c ON c.id = m.campaign
	LEFT JOIN failure_text f ON f.message = m.id `

func readMessage(s scanner) (Message, error) {
	var m message
	var out Message
	p := &m.progress
	err := s.Scan(&m.id, &m.campaign, &m.number, &m.person, &m.wamid, &p.Seen,
		&p.SentAt, &p.DeliveredAt, &p.ReadAt, &p.FailedAt, &p.Code, &p.CodeAt, &out.Phone, &out.BSUID, &out.Campaign, &out.Details)
	out.ID, out.WAMID, out.Progress = m.id, m.wamid, m.progress
	return out, err
}

// Failures reads one page of a campaign's messages that failed with a code,
// newest first: those with an id below before (0 = from the newest on).
func (s *Store) Failures(ctx context.Context, campaignKey string, code int, before int64, limit int) ([]Message, error) {
	if before <= 0 {
		before = 1<<63 - 1
	}
	page, err := query(ctx, s.readers, readMessage, messageSelect+
		`WHERE m.campaign = (SELECT id FROM campaign WHERE key = ?) AND m.code = ? AND m.state = 2 AND m.id < ? ORDER BY m.id DESC LIMIT ?`,
		campaignKey, code, before, limit)
	if err != nil {
		return nil, fmt.Errorf("reading failed messages: %w", err)
	}
	return page, nil
}

// Person is what is stored of one person; ID 0 is nobody.
type Person struct {
	ID       int64
	Phone    string // digits, in full
	BSUID    string
	OptedOut bool
	Messages []Message // newest first
}

func readPerson(s scanner) (p Person, err error) {
	return p, s.Scan(&p.ID, &p.Phone, &p.BSUID, &p.OptedOut)
}

// Find looks up a message by wamid, or a person by phone digits or BSUID, with
// their latest messages; by one that they had before, too. Nobody found is no error.
func (s *Store) Find(ctx context.Context, text string, limit int) (Person, error) {
	byID, err := query(ctx, s.readers, readMessage, messageSelect+"WHERE m.wamid_key = ? AND m.wamid = ?", wamidKey(text), text)
	if err != nil {
		return Person{}, fmt.Errorf("looking up a message: %w", err)
	}
	where, arg := "bsuid = ? AND bsuid <> ''", text
	if strings.Trim(text, "+0123456789 ()-./") == "" {
		where, arg = "phone = ? AND phone <> ''", digits(text)
	}
	if len(byID) > 0 {
		m := byID[0]
		where, arg = "bsuid = ? AND bsuid <> ''", m.BSUID
		if m.Phone != "" {
			where, arg = "phone = ? AND phone <> ''", m.Phone
		}
	}
	people, err := query(ctx, s.readers, readPerson, "SELECT id, phone, bsuid, opted_out FROM person WHERE "+where, arg)
	if err != nil {
		return Person{}, fmt.Errorf("looking up a person: %w", err)
	}
	if len(people) == 0 && len(byID) == 0 { // a name that somebody had before
		if people, err = query(ctx, s.readers, readPerson, "SELECT p.id, p.phone, p.bsuid, p.opted_out FROM former_name f JOIN person p ON p.id = f.person"+
			" WHERE f.name = ? ORDER BY f.until DESC LIMIT 1", arg); err != nil {
			return Person{}, fmt.Errorf("looking up a person by a former name: %w", err)
		}
	}
	if len(people) == 0 {
		return Person{Messages: byID}, nil // a message to a group, or to nobody named
	}
	p := people[0]
	if len(byID) > 0 {
		p.Messages = byID
		return p, nil
	}
	p.Messages, err = query(ctx, s.readers, readMessage, messageSelect+"WHERE m.person = ? ORDER BY m.id DESC LIMIT ?", p.ID, limit)
	if err != nil {
		return Person{}, fmt.Errorf("looking up a person's messages: %w", err)
	}
	return p, nil
}
