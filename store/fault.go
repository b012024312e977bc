package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// Kinds of fault that a commit can meet.
type fault uint8

const (
	faultNone      fault = iota
	faultOfMoment        // a full or busy disk passes: posts are turned away and come again
	faultOfDisk          // leaves open what is on the disk: nothing more may build on what this process believes
	faultOfContent       // anything else lies in what was to be written
)

func faultOf(err error) fault {
	if err == nil {
		return faultNone
	}
	var se *sqlite.Error
	if !errors.As(err, &se) {
		return faultOfContent
	}
	switch se.Code() & 0xff {
	case sqlite3.SQLITE_FULL, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_INTERRUPT:
		return faultOfMoment
	case sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_READONLY,
		sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_AUTH, sqlite3.SQLITE_PROTOCOL:
		return faultOfDisk
	}
	return faultOfContent
}

// Trouble is why nothing can be stored for now, a full disk mostly; nil when the
// latest commit went well.
func (s *Store) Trouble() error {
	if p := s.trouble.Load(); p != nil {
		return *p
	}
	return nil
}

// TurnedAway is how many posts were not stored since the store was opened.
func (s *Store) TurnedAway() int64 { return s.turnedAway.Load() }

// readyFor is how long an answer of Ready stands, so that whoever asks often does
// not make the disk busy.
const readyFor = time.Second

// Ready tells whether the store can make something durable now, by doing it,
// at most once a second.
func (s *Store) Ready(ctx context.Context) error {
	if err := s.Err(); err != nil {
		return err
	}
	s.readyMu.Lock()
	defer s.readyMu.Unlock()
	if time.Since(s.readyAt) < readyFor {
		return s.readyErr
	}
	s.readyErr = s.submit(ctx, &request{weight: 1, do: func(ctx context.Context, c *sql.Conn) error {
		_, err := c.ExecContext(ctx, "UPDATE feed SET posts = posts WHERE one = 1")
		return err
	}})
	if ctx.Err() != nil { // who asked went away: that says nothing of the store
		return s.readyErr
	}
	s.readyAt = time.Now()
	return s.readyErr
}
