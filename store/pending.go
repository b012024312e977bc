package store

import (
	"slices"
	"time"
)

// Rows of messages lag behind what is known of the messages: webhooks tell of one
// message several times within seconds, and its row is best written once. What
// the rows lack is in memory, and in the raw bodies, which are on disk before a
// webhook is answered: a start after a crash reads them again (see replay.go).
const (
	lagTime    = time.Second     // how long a row lags at least, unless somebody waits for it
	lagLongest = lagTime * 3 / 2 // how long, where few do
	lagMost    = 64_000          // how many rows may
	lagStep    = 512             // rows that one commit catches up with, or as many as it has updates
)

// pending are the messages whose rows lag.
type pending struct {
	byWAMID  map[string]*message
	byID     map[int64]*message
	byPerson map[int64][]int64
	queue    []waiting // the longest waiting first
	head     int       // queue before it is done with
	passed   int64     // how many have ever left the queue
}

// waiting is a message's place in the queue. It is void when the message is not
// pending any more, or is so again since a later post.
type waiting struct {
	id    int64
	since int64 // id of the first post that the row lacks
	at    time.Time
}

func newPending() pending {
	return pending{byWAMID: map[string]*message{}, byID: map[int64]*message{}, byPerson: map[int64][]int64{}}
}

func (p *pending) len() int { return len(p.byID) }

// put makes a message pending, or renews one that is.
func (p *pending) put(m *message, at time.Time) {
	if had := p.byID[m.id]; had != nil {
		if had.person != m.person {
			p.leave(had)
			p.join(m)
		}
		if had.wamid != m.wamid {
			delete(p.byWAMID, had.wamid)
			p.byWAMID[m.wamid] = had
		}
		again := had.since != m.since
		*had = *m
		if !again {
			return
		}
	} else {
		c := *m
		p.byID[m.id] = &c
		if m.wamid != "" {
			p.byWAMID[m.wamid] = &c
		}
		p.join(m)
	}
	p.queue = append(p.queue, waiting{m.id, m.since, at})
}

// drop ends a message's wait.
func (p *pending) drop(id int64) {
	m := p.byID[id]
	if m == nil {
		return
	}
	delete(p.byID, id)
	delete(p.byWAMID, m.wamid)
	p.leave(m)
}

func (p *pending) join(m *message) {
	if m.person != 0 {
		p.byPerson[m.person] = append(p.byPerson[m.person], m.id)
	}
}

func (p *pending) leave(m *message) {
	of := p.byPerson[m.person]
	if at := slices.Index(of, m.id); at >= 0 && len(of) > 1 {
		p.byPerson[m.person] = slices.Delete(of, at, at+1)
	} else if at >= 0 {
		delete(p.byPerson, m.person)
	}
}

func (p *pending) valid(e waiting) bool {
	m := p.byID[e.id]
	return m != nil && m.since == e.since
}

// oldest is the longest waiting message's place; false when none waits.
func (p *pending) oldest() (waiting, bool) {
	for p.head < len(p.queue) {
		if e := p.queue[p.head]; p.valid(e) {
			return e, true
		}
		p.head++
		p.passed++
	}
	p.queue, p.head = p.queue[:0], 0
	return waiting{}, false
}

// compact gives memory back, now and then, that the done part of the queue takes.
func (p *pending) compact() {
	if p.head > 1024 && p.head > len(p.queue)/2 {
		p.queue = append(p.queue[:0], p.queue[p.head:]...)
		p.head = 0
	}
}

// place is how many will have left the queue when all that wait now have.
func (p *pending) place() int64 { return p.passed + int64(len(p.queue)-p.head) }

// first are the messages that have waited longest and are not to wait on: those
// since before, and as many as are more than most; at most limit.
func (p *pending) first(before time.Time, most, limit int) (ids []int64) {
	if _, ok := p.oldest(); !ok {
		return nil
	}
	over := p.len() - most
	for _, e := range p.queue[p.head:] {
		if len(ids) == limit || len(ids) >= over && e.at.After(before) {
			return ids
		}
		if p.valid(e) {
			ids = append(ids, e.id)
		}
	}
	return ids
}
