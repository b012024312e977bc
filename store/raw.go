package store

import (
	"context"
	"fmt"

	"tickwatch/wa"
)

// RawPost is a post as it was taken in.
type RawPost struct {
	ID         int64 // grows in the order in which posts were taken in
	Source     string
	ReceivedAt wa.Instant
	Body       []byte // as it was signed, but for messages that their senders deleted
}

// EachPost gives the stored posts with an ID above after to yield, in the order
// in which they were taken in, until yield returns an error, which it returns.
//
// It reads the posts of one commit at a time and holds no read open while yield
// runs: however long that takes, it keeps nothing from being tidied up behind
// it. What is stored meanwhile comes too.
func (s *Store) EachPost(ctx context.Context, after int64, yield func(RawPost) error) error {
	segment, err := readSegment(ctx, s.readers, after+1) // the one that holds the next, or ends before it
	for {
		if err == nil {
			for _, p := range segment.posts {
				if p.ID <= after {
					continue
				}
				if err := yield(p); err != nil {
					return err
				}
			}
			after = max(after, segment.last())
		} else if !missing(err) {
			return fmt.Errorf("reading raw bodies: %w", err)
		}
		segment, err = scanSegment(s.readers.QueryRowContext(ctx, "SELECT "+rawColumns+" FROM raw WHERE id > ? ORDER BY id LIMIT 1", after))
		if missing(err) {
			return nil
		}
	}
}

// PostRange gives the IDs of the oldest and the newest post that is kept; both
// are 0 when there is none.
func (s *Store) PostRange(ctx context.Context) (oldest, newest int64, err error) {
	err = s.readers.QueryRowContext(ctx, `SELECT coalesce((SELECT min(id) FROM raw), 0),
		coalesce((SELECT id + max(posts, 1) - 1 FROM raw ORDER BY id DESC LIMIT 1), 0)`).Scan(&oldest, &newest)
	if err != nil {
		return 0, 0, fmt.Errorf("reading raw bodies: %w", err)
	}
	return oldest, newest, nil
}
