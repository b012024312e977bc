package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"tickwatch/wa"
)

const (
	groupUpdates = 4000    // updates that one commit takes at the most
	queueLength  = 4096    // posts that may wait for the writer
	maxQueued    = 200_000 // updates that may wait: above it posts are turned away, and Meta retries
)

// request is one piece of work for the writer: a post, or a function.
type request struct {
	post   *wa.Post
	do     func(ctx context.Context, c *sql.Conn) error
	weight int64
	done   chan error
}

// Ingest stores a post: its raw body, its events, what they change, and the
// totals. It returns nil only when all of it is on disk. The post and its body
// are not kept after it returns. A context that ends does not stop a post that
// is queued: whether it is stored must not hang on the caller's patience.
func (s *Store) Ingest(_ context.Context, post *wa.Post) error {
	if s.queued.Load() > maxQueued {
		return ErrBusy
	}
	return s.submit(&request{post: post, weight: int64(1 + post.Updates())})
}

// write runs f inside the next commit.
func (s *Store) write(f func(ctx context.Context, c *sql.Conn) error) error {
	return s.submit(&request{do: f, weight: 1})
}

func (s *Store) submit(r *request) error {
	r.done = make(chan error, 1)
	s.mu.RLock()
	if s.closed {
		s.mu.RUnlock()
		return ErrClosed
	}
	s.queued.Add(r.weight)
	s.queue <- r
	s.mu.RUnlock()
	err := <-r.done
	s.queued.Add(-r.weight)
	return err
}

// writer is the one goroutine that changes the database. Its fields are what it
// remembers between commits; a commit that fails leaves them as they were.
type writer struct {
	store     *Store
	conn      *sql.Conn
	stmts     statements
	feed      Feed
	seq       int64                // of the latest commit
	campaigns map[string]*campaign // by key
	byID      map[int64]*campaign
	runs      map[int64][]int64             // campaigns of kind run, by number, oldest first
	lone      map[int64]map[int64]*campaign // campaigns of a single message, by number
	numbers   numbers
	templates map[int64]wa.Template
	titles    map[int]string
	recent    recent
	renamed   map[int64]int64      // people who turned out to be someone known, since this writer began
	homeless  map[int64]wa.Instant // people with an opt-out that no message explains yet, and when
	nextID    ids
}

// ids are the next row ids, counted here so that a group can use them before it is written.
type ids struct{ raw, message, person, campaign, number, event, notice int64 }

func newWriter(ctx context.Context, s *Store) (*writer, error) {
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("opening the store: %w", err)
	}
	w := &writer{store: s, conn: conn}
	if err := w.stmts.prepare(ctx, conn); err != nil {
		return nil, fmt.Errorf("opening the store: %w", err)
	}
	if err := w.load(ctx); err != nil {
		return nil, fmt.Errorf("reading the store: %w", err)
	}
	return w, nil
}

// run commits group after group until the store closes. There is no timer: what
// comes in during one commit makes up the next.
func (w *writer) run() {
	s := w.store
	defer close(s.done)
	defer w.conn.Close()
	group := make([]*request, 0, 64)
	for {
		group = group[:0]
		select {
		case r := <-s.queue:
			group = append(group, r)
		case <-s.stop:
			select { // nothing is queued after closed was set
			case r := <-s.queue:
				group = append(group, r)
			default:
				return
			}
		}
		for weight := group[0].weight; weight < groupUpdates; {
			select {
			case r := <-s.queue:
				group = append(group, r)
				weight += r.weight
				continue
			default:
			}
			break
		}
		w.commit(group)
	}
}

// commit applies a group in one transaction and answers its requests.
func (w *writer) commit(group []*request) {
	err := w.store.Err()
	var change *Change
	if err == nil {
		change, err = w.apply(group)
		w.judge(err)
	}
	if err == nil && change != nil {
		w.store.onCommit(change)
	}
	for _, r := range group {
		r.done <- err
	}
}

func (w *writer) apply(requests []*request) (change *Change, err error) {
	ctx := context.Background()
	refused := w.store.refused.Load()
	if _, err := w.conn.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return nil, fmt.Errorf("starting to write: %w", err)
	}
	defer func() {
		if err != nil {
			// SQLite may have rolled back by itself already; then this says so, and it does not matter.
			_, _ = w.conn.ExecContext(ctx, "ROLLBACK")
		}
	}()
	g := newGroup(ctx, w)
	g.feed.Refused = refused
	for _, r := range requests {
		if r.post != nil {
			err = g.post(r.post)
		} else {
			err = r.do(ctx, w.conn)
		}
		if err != nil {
			return nil, err
		}
	}
	if change, err = g.flush(); err != nil {
		return nil, err
	}
	start := time.Now()
	if _, err = w.conn.ExecContext(ctx, "COMMIT"); err != nil {
		return nil, fmt.Errorf("writing to disk: %w", err)
	}
	if d := time.Since(start); d > time.Second {
		w.store.log.Warn("the disk is slow", "commit", d.Round(time.Millisecond))
	}
	g.remember()
	w.store.refused.Add(-refused)
	return change, nil
}

// judge looks at why a group failed. A full or busy disk passes: the posts are
// turned away and come again. An I/O error leaves open what is on the disk, so
// nothing more may build on what this process believes.
func (w *writer) judge(err error) {
	if err == nil {
		return
	}
	w.store.log.Error("a commit failed", "error", err)
	var se *sqlite.Error
	if !errors.As(err, &se) {
		return
	}
	switch se.Code() & 0xff {
	case sqlite3.SQLITE_FULL, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_INTERRUPT:
		return
	}
	broken := fmt.Errorf("the disk failed under the store: %w; what was being written may or may not be there: mend the disk and start tickwatch again", err)
	if w.store.broken.CompareAndSwap(nil, &broken) {
		close(w.store.failed)
	}
}

// Ready tells whether the store can make something durable now, by doing it.
func (s *Store) Ready(ctx context.Context) error {
	if err := s.Err(); err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() {
		done <- s.write(func(ctx context.Context, c *sql.Conn) error {
			_, err := c.ExecContext(ctx, "UPDATE feed SET posts = posts WHERE one = 1")
			return err
		})
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return fmt.Errorf("the store did not answer in time: %w", ctx.Err())
	}
}
