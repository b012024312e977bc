package store

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"tickwatch/wa"
)

// nothing is the work of a commit that only catches up.
func nothing(*group) error { return nil }

// behind tells whether rows have lagged too long.
func (w *writer) behind() bool {
	oldest, ok := w.pending.oldest()
	return ok && time.Since(oldest.at) >= lagLongest
}

// tend does, when nothing comes in, what commits else do on the side.
func (w *writer) tend() {
	if now := wa.At(w.store.now()); now-w.prunedAt > attributable/24 {
		w.prunedAt = now
		maps.DeleteFunc(w.homeless, func(_ int64, at wa.Instant) bool { return now-at > attributable })
		w.pruneAnswers(now)
	}
	for _, x := range w.indexes {
		if x.busy(w) {
			_, err := w.apply(nothing)
			w.judge(err)
			return
		}
	}
}

// catchUp writes some of the rows that lag, young ones too if in a hurry, and
// answers who waits for them.
func (w *writer) catchUp(hurry bool) error {
	w.hurry = hurry
	_, err := w.apply(nothing)
	w.hurry = false
	if faultOf(err) == faultOfContent {
		err = w.settleOneByOne()
	}
	if w.judge(err); err != nil {
		for _, s := range w.waiting {
			s.r.done <- err
		}
		w.waiting = nil
	}
	w.answerSettled()
	return err
}

// answerSettled answers those for whom the rows have caught up.
func (w *writer) answerSettled() {
	if len(w.waiting) == 0 {
		return
	}
	_, some := w.pending.oldest()
	w.waiting = slices.DeleteFunc(w.waiting, func(s settled) bool {
		if some && w.pending.passed < s.place {
			return false
		}
		s.r.done <- nil
		return true
	})
}

// settleAll writes every row that lags.
func (w *writer) settleAll() error {
	w.hurry = true
	defer func() { w.hurry = false }()
	for w.pending.len() > 0 {
		if err := w.store.Err(); err != nil {
			return err
		}
		_, err := w.apply(nothing)
		if faultOf(err) == faultOfContent {
			err = w.settleOneByOne()
		}
		if w.judge(err); err != nil {
			return err
		}
	}
	return nil
}

// settleOneByOne catches up with the messages that are due, each in a commit of
// its own, and gives up those whose rows cannot be written: what is known of
// them stays in the raw bodies. An error is of the disk or the moment.
func (w *writer) settleOneByOne() error {
	for _, id := range w.pending.first(time.Now().Add(lagTime), 0, max(w.store.sizes.lagStep, groupUpdates)) {
		_, err := w.applyOnly(func(g *group) error { return g.settle([]int64{id}) })
		if faultOf(err) == faultOfContent {
			err = w.giveUp(id, err)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// applyOnly makes a commit in which nothing else is caught up with.
func (w *writer) applyOnly(work func(g *group) error) (*Change, error) {
	w.resting = true
	defer func() { w.resting = false }()
	return w.apply(work)
}

// giveUp takes a message back to what its row holds of it, which may be nothing.
func (w *writer) giveUp(id int64, why error) error {
	m := w.pending.byID[id]
	w.store.log.Error("a message's row could not be written; what the webhooks tell of it is kept raw", "error", why)
	change, err := w.applyOnly(func(g *group) error {
		g.seq++
		g.tally(m.campaign).count(m.progress, -1)
		g.total(m.campaign) // which is not in them
		if m.stored {
			before := m.holds()
			g.tally(before.campaign).count(before.progress, 1)
		}
		g.feed.NotUnderstood++
		return nil
	})
	switch faultOf(err) {
	case faultNone:
		w.store.onCommit(change)
	case faultOfContent: // then its count stays, which is better than to stand still
	default:
		return err
	}
	w.pending.drop(id)
	return nil
}

// Settled waits until the tables hold everything that is known now.
func (s *Store) Settled(ctx context.Context) error {
	return s.submit(ctx, &request{settle: true, weight: 1})
}

// look runs f between two commits, when what the writer knows and what is on
// disk belong together.
func (s *Store) look(ctx context.Context, f func(w *writer) error) error {
	return s.submit(ctx, &request{look: f, weight: 1})
}

// tendIndexes does a little of the work that indexes leave behind.
func (w *writer) tendIndexes(ctx context.Context) (done []func(), err error) {
	for _, kind := range indexKinds {
		f, err := w.indexes[kind].tend(ctx, w)
		if err != nil {
			return nil, fmt.Errorf("keeping an index: %w", err)
		}
		if f != nil {
			done = append(done, f)
		}
	}
	return done, nil
}
