package store

import (
	"context"
	"errors"
	"slices"
)

// replay applies what the raw bodies tell from the first post on that some
// message's row lacks: those rows lagged when the daemon died. All else that
// came with those posts was written with them.
func (w *writer) replay(ctx context.Context) error {
	if w.replaying == 0 {
		return nil
	}
	if w.store.decode == nil {
		return errors.New("messages lag behind the log, and this program was not told how to read it")
	}
	// Where a message belongs can depend on what had come before it and is changed
	// since; the latest that was decided holds.
	decided := map[string]decision{}
	if err := w.eachSegment(ctx, w.replaying, func(s *segment) error {
		for _, d := range s.decisions {
			decided[d.wamid] = d
			w.nextID.message = max(w.nextID.message, d.id)
		}
		return nil
	}); err != nil {
		return err
	}
	if err := w.eachSegment(ctx, w.replaying, func(s *segment) error { return w.replaySegment(s, decided) }); err != nil {
		return err
	}
	w.replaying = 0
	return w.settleAll()
}

// eachSegment reads the log from a post on.
func (w *writer) eachSegment(ctx context.Context, from int64, do func(*segment) error) error {
	for from <= w.nextID.raw {
		s, err := readSegment(ctx, w.conn, from)
		if missing(err) || (err == nil && s.last() < from) { // dropped: the next one that is kept
			s, err = scanSegment(w.conn.QueryRowContext(ctx, "SELECT "+rawColumns+" FROM raw WHERE id > ? ORDER BY id LIMIT 1", from))
		}
		if missing(err) {
			return nil
		}
		if err != nil {
			return err
		}
		last := s.last()
		s.posts = slices.DeleteFunc(s.posts, func(r RawPost) bool { return r.ID < from })
		if err := do(&s); err != nil {
			return err
		}
		from = last + 1
	}
	return nil
}

// replaySegment applies the statuses of a segment's posts.
func (w *writer) replaySegment(s *segment, decided map[string]decision) error {
	again := func(posts []RawPost) error {
		_, err := w.applyOnly(func(g *group) error {
			g.decided = decided
			before := g.feed
			for _, r := range posts {
				g.raw = r.ID
				if err := g.statuses(w.store.decode(r.Source, r.Body, r.ReceivedAt)); err != nil {
					return err
				}
			}
			g.feed = before // they have been counted
			return nil
		})
		return err
	}
	err := again(s.posts)
	if faultOf(err) != faultOfContent {
		return err
	}
	for i := range s.posts { // as when it came, each alone
		if err := again(s.posts[i : i+1]); faultOf(err) == faultOfContent {
			w.store.log.Error("a webhook could not be applied; it is kept raw", "error", err)
		} else if err != nil {
			return err
		}
	}
	return nil
}
