package store

import (
	"cmp"
	"context"
	"database/sql"
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
	Inbound map[int64]int64      // what people wrote and pressed, by Unix minute
	Latest  map[int64]Pulse      // by Unix second: the newest ones, at most LatestSeconds
}

// LatestSeconds is how many seconds in which messages started a Course has of the newest.
const LatestSeconds = 4096

const pulseSums = `sum(messages), sum(delivered), sum(failed), sum(withheld), sum(within_5), sum(within_30), sum(within_60),
	sum(within_300), sum(within_1800), sum(failed_1800), sum(withheld_1800), sum(refused), sum(paced)`

// Course reads a campaign's course. window is called with its minutes and says
// for which seconds, from and up to but without to, it wants the single seconds.
// A reader that also follows OnCommit adds the changes newer than Seq, and no others.
func (s *Store) Course(ctx context.Context, campaign int64, window func(minutes map[int64]Pulse) (from, to int64)) (*Course, error) {
	c := &Course{Errors: map[CodeMinute]int64{}, OptOuts: map[int64]int64{}, Inbound: map[int64]int64{}}
	var lag Tally // what the stored course lacks
	lag.init()
	tx, err := s.view(ctx, func(w *writer) error {
		c.Seq = w.seq
		if t := w.lag[campaign]; t != nil {
			lag.Add(t)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading a campaign: %w", err)
	}
	defer tx.end()
	if c.Minutes, err = readPulses(ctx, tx, "SELECT second / 60, "+pulseSums+" FROM pulse WHERE campaign = ? AND messages > 0 GROUP BY 1", campaign); err != nil {
		return nil, fmt.Errorf("reading a campaign's course: %w", err)
	}
	for second, p := range lag.Pulses {
		addPulse(c.Minutes, second/60, &p)
	}
	from, to := window(c.Minutes)
	if c.Seconds, err = readPulses(ctx, tx, "SELECT second, "+pulseSums+
		" FROM pulse WHERE campaign = ? AND messages > 0 AND second >= ? AND second < ? GROUP BY 1", campaign, from, to); err != nil {
		return nil, fmt.Errorf("reading a campaign's course: %w", err)
	}
	for second, p := range lag.Pulses {
		if second >= from && second < to {
			addPulse(c.Seconds, second, &p)
		}
	}
	if c.Latest, err = readPulses(ctx, tx, "SELECT second, "+pulseSums+
		" FROM pulse WHERE campaign = ? AND messages > 0 GROUP BY second ORDER BY second DESC LIMIT ?", campaign, LatestSeconds); err != nil {
		return nil, fmt.Errorf("reading a campaign's latest course: %w", err)
	}
	for second, p := range lag.Pulses {
		addPulse(c.Latest, second, &p)
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
	mergeInto(c.Errors, lag.Errors, 1)
	if _, err := query(ctx, tx, func(s scanner) (none, error) {
		var minute, n int64
		err := s.Scan(&minute, &n)
		c.OptOuts[minute] = n
		return none{}, err
	}, "SELECT at / 60000, count(*) FROM opt_out WHERE campaign = ? GROUP BY 1", campaign); err != nil {
		return nil, fmt.Errorf("reading a campaign's opt-outs: %w", err)
	}
	if _, err := query(ctx, tx, func(s scanner) (none, error) {
		var minute, n int64
		err := s.Scan(&minute, &n)
		c.Inbound[minute] = n
		return none{}, err
	}, "SELECT at / 60000, count(*) FROM inbound WHERE campaign = ? AND campaign <> 0 AND step <> '' GROUP BY 1", campaign); err != nil {
		return nil, fmt.Errorf("reading what people wrote to a campaign: %w", err)
	}
	return c, nil
}

// arrivalsOf is how many of the newest campaigns Arrivals looks at.
const arrivalsOf = 20

// Arrivals is how many messages of the newest campaigns had arrived by each of Ages,
// of those that were half an hour old at a moment, in Unix seconds.
func (s *Store) Arrivals(ctx context.Context, now int64) (within [len(Ages)]int64, err error) {
	err = s.readers.QueryRowContext(ctx, `SELECT coalesce(sum(within_5), 0), coalesce(sum(within_30), 0), coalesce(sum(within_60), 0),
		coalesce(sum(within_300), 0), coalesce(sum(within_1800), 0)
		FROM pulse WHERE campaign IN (SELECT id FROM campaign ORDER BY id DESC LIMIT ?) AND second < ?`, arrivalsOf, now-Ages[len(Ages)-1]).
		Scan(&within[0], &within[1], &within[2], &within[3], &within[4])
	if err != nil {
		return within, fmt.Errorf("reading how late messages arrive: %w", err)
	}
	return within, nil
}

// addPulse adds to one of a course's pulses; one of no message is left out, as
// those are that are stored.
func addPulse(all map[int64]Pulse, at int64, p *Pulse) {
	sum := all[at]
	if sum.Add(p); sum.Messages == 0 {
		delete(all, at)
	} else {
		all[at] = sum
	}
}

func readPulses(ctx context.Context, q querier, text string, args ...any) (map[int64]Pulse, error) {
	all := map[int64]Pulse{}
	_, err := query(ctx, q, func(s scanner) (struct{}, error) {
		var key int64
		var p Pulse
		err := s.Scan(&key, &p.Messages, &p.Delivered, &p.Failed, &p.Withheld,
			&p.Within[0], &p.Within[1], &p.Within[2], &p.Within[3], &p.Within[4], &p.Failed30, &p.Withheld30, &p.Refused, &p.Paced)
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
	person   int64
}

const messageSelect = "SELECT " + messageColumns + `, coalesce(p.phone, ''), coalesce(p.bsuid, ''), coalesce(c.key, ''), coalesce(f.details, '')
	FROM message m LEFT JOIN person p ON p.id = m.person LEFT JOIN campaign c ON c.id = m.campaign
	LEFT JOIN failure_text f ON f.message = m.id `

func readMessage(s scanner) (Message, error) {
	var m message
	var out Message
	p := &m.progress
	err := s.Scan(&m.id, &m.campaign, &m.number, &m.person, &m.wamid, &p.Seen,
		&p.SentAt, &p.DeliveredAt, &p.ReadAt, &p.FailedAt, &p.Code, &p.CodeAt, &p.AcceptedAt, &out.Phone, &out.BSUID, &out.Campaign, &out.Details)
	out.ID, out.WAMID, out.Progress, out.person = m.id, m.wamid, m.progress, m.person
	return out, err
}

// Failures reads one page of a campaign's messages that failed with a code,
// newest first: those with an id below before (0 = from the newest on).
func (s *Store) Failures(ctx context.Context, campaignKey string, code int, before int64, limit int) ([]Message, error) {
	if before <= 0 {
		before = 1<<63 - 1
	}
	if err := s.Settled(ctx); err != nil {
		return nil, fmt.Errorf("reading failed messages: %w", err)
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
	if err := s.Settled(ctx); err != nil {
		return Person{}, fmt.Errorf("looking up: %w", err)
	}
	messages, err := s.messages(ctx, indexWAMID, hashOf(text), func(m *Message) bool { return m.WAMID == text }, 1)
	if err != nil {
		return Person{}, fmt.Errorf("looking up a message: %w", err)
	}
	name := text
	if strings.Trim(text, "+0123456789 ()-./") == "" {
		name = digits(text)
	}
	if len(messages) > 0 {
		name = cmp.Or(messages[0].Phone, messages[0].BSUID)
	}
	p, err := s.personNamed(ctx, name)
	if err == nil && p.ID == 0 && len(messages) == 0 { // a name that somebody had before
		p, err = s.personOnceNamed(ctx, name)
	}
	if err != nil {
		return Person{}, fmt.Errorf("looking up a person: %w", err)
	}
	if p.Messages = messages; p.ID == 0 || len(messages) > 0 {
		return p, nil
	}
	if p.Messages, err = s.messages(ctx, indexPerson, hashOfRow(p.ID), func(m *Message) bool { return m.person == p.ID }, limit); err != nil {
		return Person{}, fmt.Errorf("looking up a person's messages: %w", err)
	}
	return p, nil
}

// rows asks an index.
func (s *Store) rows(ctx context.Context, kind indexKind, hash uint64) (rows []int64, err error) {
	return rows, s.look(ctx, func(w *writer) error {
		rows, err = w.indexes[kind].find(ctx, w.stmts.readPage, hash)
		return err
	})
}

// messages reads the newest messages that an index names and that are meant.
func (s *Store) messages(ctx context.Context, kind indexKind, hash uint64, meant func(*Message) bool, limit int) ([]Message, error) {
	rows, err := s.rows(ctx, kind, hash)
	if err != nil {
		return nil, err
	}
	var all []Message
	for _, id := range rows {
		m, err := readMessage(s.readers.QueryRowContext(ctx, messageSelect+"WHERE m.id = ?", id))
		if missing(err) || (err == nil && !meant(&m)) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if all = append(all, m); len(all) == limit {
			break
		}
	}
	return all, nil
}

func (s *Store) personNamed(ctx context.Context, name string) (Person, error) {
	if name == "" {
		return Person{}, nil
	}
	rows, err := s.rows(ctx, indexName, hashOf(name))
	if err != nil {
		return Person{}, err
	}
	for _, id := range rows {
		p, err := readPerson(s.readers.QueryRowContext(ctx, "SELECT id, phone, bsuid, opted_out FROM person WHERE id = ?", id))
		if err == nil && (p.Phone == name || p.BSUID == name) {
			return p, nil
		}
		if err != nil && !missing(err) {
			return Person{}, err
		}
	}
	return Person{}, nil
}

func (s *Store) personOnceNamed(ctx context.Context, name string) (Person, error) {
	p, err := readPerson(s.readers.QueryRowContext(ctx, "SELECT p.id, p.phone, p.bsuid, p.opted_out FROM former_name f JOIN person p ON p.id = f.person"+
		" WHERE f.name = ? ORDER BY f.until DESC LIMIT 1", name))
	if missing(err) {
		return Person{}, nil
	}
	return p, err
}

// view is one state of the database, for reading.
type view struct {
	*sql.Conn
}

// view begins to read at a moment between two commits, at which f is run too.
func (s *Store) view(ctx context.Context, f func(w *writer) error) (*view, error) {
	conn, err := s.readers.Conn(ctx) // waits here, if for a connection, and not in the writer
	if err != nil {
		return nil, err
	}
	v := &view{conn}
	err = s.look(ctx, func(w *writer) error {
		if err := f(w); err != nil {
			return err
		}
		if _, err := conn.ExecContext(ctx, "BEGIN"); err != nil {
			return err
		}
		var commits int64 // the first read fixes what the others see
		return conn.QueryRowContext(ctx, "SELECT commits FROM feed").Scan(&commits)
	})
	if err != nil {
		v.end()
		return nil, err
	}
	return v, nil
}

func (v *view) end() {
	_, _ = v.ExecContext(context.Background(), "ROLLBACK") // without a BEGIN it says so, and it does not matter
	_ = v.Close()
}
