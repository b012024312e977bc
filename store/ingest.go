package store

import (
	"context"
	"database/sql"
	"fmt"
	"sync/atomic"

	"tickwatch/wa"
)

// request is one piece of work for the writer: a post, or a function.
type request struct {
	post   *wa.Post
	do     func(ctx context.Context, c *sql.Conn) error // as part of a commit
	group  func(g *group) error                         // as part of a commit
	look   func(w *writer) error                        // between commits
	settle bool                                         // answered when no row lags behind what was known when it came
	weight int64
	done   chan error
	taken  atomic.Bool // by the writer, or by a caller who would not wait
}

// Ingest stores a post: its raw body, its events, what they change, and the
// totals. It returns nil only when all of it is on disk. The post and its body
// are not used after it returns. A post that still waits for the writer when ctx
// ends is not stored; one that the writer has begun with is waited for.
func (s *Store) Ingest(ctx context.Context, post *wa.Post) error {
	if s.queued.Load() > maxQueued {
		s.turnedAway.Add(1)
		return ErrBusy
	}
	err := s.submit(ctx, &request{post: post, weight: int64(1 + post.Updates())})
	if err != nil {
		s.turnedAway.Add(1)
	}
	return err
}

// write runs f inside the next commit.
func (s *Store) write(f func(ctx context.Context, c *sql.Conn) error) error {
	return s.submit(context.Background(), &request{do: f, weight: 1})
}

func (s *Store) submit(ctx context.Context, r *request) error {
	r.done = make(chan error, 1)
	if err := s.enqueue(ctx, r); err != nil {
		return err
	}
	defer s.queued.Add(-r.weight)
	select {
	case err := <-r.done:
		return err
	case <-ctx.Done():
		if r.taken.CompareAndSwap(false, true) {
			return fmt.Errorf("the store is behind: %w", ctx.Err())
		}
		return <-r.done
	}
}

func (s *Store) enqueue(ctx context.Context, r *request) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return ErrClosed
	}
	select {
	case s.queue <- r:
		s.queued.Add(r.weight)
		return nil
	case <-ctx.Done():
		return fmt.Errorf("the store is behind: %w", ctx.Err())
	}
}

// Queued is how many updates wait for the writer, or are being written.
func (s *Store) Queued() int64 { return s.queued.Load() }
