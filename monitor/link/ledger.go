package link

import (
	"crypto/sha256"
	"encoding/json"
	"sync"
	"time"
)

// Bounds of what a ledger remembers of answered commands.
const (
	ledgerCount = 256
	ledgerBytes = 16 << 20
	ledgerAge   = 10 * time.Minute
)

// ledger remembers the commands under way and the latest answers, so that a
// repeated command runs once. The oldest answers are forgotten first; a
// command under way is never forgotten.
type ledger struct {
	now func() time.Time

	mu       sync.Mutex
	entries  map[commandKey]*entry
	answered []*entry // oldest first
	bytes    int      // held by answered
}

// commandKey names a command; IDs of different users do not meet.
type commandKey struct {
	uid int
	id  string
}

// entry is one command. frame and at hold once done is closed.
type entry struct {
	key    commandKey
	digest [sha256.Size]byte
	done   chan struct{}
	frame  []byte
	at     time.Time
}

func newLedger(now func() time.Time) *ledger {
	return &ledger{now: now, entries: make(map[commandKey]*entry)}
}

// claim finds the entry of a command, and tells whether the caller is the one
// to carry it out and settle it.
func (l *ledger) claim(key commandKey, digest [sha256.Size]byte) (e *entry, mine bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.forget()
	if e := l.entries[key]; e != nil {
		return e, false
	}
	e = &entry{key: key, digest: digest, done: make(chan struct{})}
	l.entries[key] = e
	return e, true
}

// settle records the answer and lets those go who wait for it.
func (l *ledger) settle(e *entry, frame []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e.frame, e.at = frame, l.now()
	l.answered = append(l.answered, e)
	l.bytes += len(frame)
	close(e.done)
	l.forget()
}

// give lets those go who wait for an answer that is not to be remembered.
func (l *ledger) give(e *entry, frame []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e.frame = frame
	delete(l.entries, e.key)
	close(e.done)
}

// repeatable tells the commands that do no harm when they are carried out again:
// those that only look, and pieces of an upload, which name their place, but for
// the first. A list has thousands of pieces, and a job is asked after again and
// again: remembered, their answers would drive out those that must be.
func repeatable(cmd *Command) bool {
	switch cmd.Verb {
	case VerbStatus, VerbFind, VerbFailures, VerbEvents, VerbCampaigns, VerbExport,
		VerbForecast, VerbChoices, VerbJob, VerbRejected, VerbRows:
		return true
	case VerbUpload:
		var piece struct {
			Upload string `json:"upload"`
		}
		return json.Unmarshal(cmd.Args, &piece) == nil && piece.Upload != ""
	}
	return false
}

func (l *ledger) forget() {
	oldest := l.now().Add(-ledgerAge)
	for len(l.answered) > 0 {
		e := l.answered[0]
		if len(l.answered) <= ledgerCount && l.bytes <= ledgerBytes && !e.at.Before(oldest) {
			return
		}
		delete(l.entries, e.key)
		l.bytes -= len(e.frame)
		l.answered[0] = nil
		l.answered = l.answered[1:]
	}
}
