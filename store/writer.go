package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"
	"time"

	"tickwatch/wa"
)

const (
	groupUpdates = 4000    // updates that one commit takes at the most
	queueLength  = 4096    // posts that may wait for the writer
	maxQueued    = 200_000 // updates that may wait: above it posts are turned away, and Meta retries
)

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
	pending   pending
	people    people
	lag       map[int64]*Tally // what is known of campaigns less what is stored
	indexes   map[indexKind]*index
	lastRun   int64 // id of the latest run of an index
	packer    packer
	hurry     bool                 // rows need not lag
	resting   bool                 // and no others are to be written
	starting  bool                 // the log and the rows are being read
	replaying int64                // id of the post from which on the log is still to be read again; 0 = none is
	waiting   []settled            // who waits for rows to catch up
	renamed   map[int64]int64      // people who turned out to be someone known, since this writer began
	prunedAt  wa.Instant           // when homeless last was
	homeless  map[int64]wa.Instant // people with an opt-out that no message explains yet, and when
	wrote     map[int64]wa.Instant // people who wrote lately, and when they last did
	formers   map[string][]former  // names that people gave up
	limits    map[string]accountLimit
	health    map[entity]Health
	nextID    ids
	name      string           // of the store, in our own callback data; in a replay the recorded one's
	watches   map[int64]*watch // by campaign
	plans     map[int64]*plan  // by campaign
	attempts  attempts
	fallbacks fallbacks
	list      listNames
	seeds     map[string]int64 // messages to own phones, by wamid; 0 = another store's
	importing int64            // first recipient of a list that is not wholly written; 0 = none is
}

// ids are the next row ids, counted here so that a group can use them before it is written.
type ids struct {
	raw, message, person, campaign, number, notice, recipient, deed, fallback, fallbackRun, suppressed, seed int64
}

// settled is a request that waits until a place in the queue of pending messages is passed.
type settled struct {
	r     *request
	place int64
}

func newWriter(ctx context.Context, s *Store) (_ *writer, err error) {
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("opening the store: %w", err)
	}
	w := &writer{store: s, name: s.name, conn: conn, starting: true}
	defer func() {
		if err != nil {
			w.close()
		}
	}()
	if err := w.stmts.prepare(ctx, conn); err != nil {
		return nil, fmt.Errorf("opening the store: %w", err)
	}
	if err := w.load(ctx); err != nil {
		return nil, fmt.Errorf("reading the store: %w", err)
	}
	if err := w.replay(ctx); err != nil {
		return nil, fmt.Errorf("reading what the log tells: %w", err)
	}
	w.starting = false
	return w, nil
}

func (w *writer) close() {
	w.stmts.close()
	_ = w.conn.Close()
}

// settleEvery is how often rows that lag are looked after when nothing comes in.
const settleEvery = 250 * time.Millisecond

// run commits group after group until the store closes. Posts wait for no timer:
// what comes in during one commit makes up the next.
func (w *writer) run() {
	s := w.store
	defer close(s.done)
	defer w.close()
	tick := time.NewTicker(settleEvery)
	defer tick.Stop()
	stuck := false // on a full disk, say: then it is tried again at the next tick
	for {
		select {
		case r := <-s.queue:
			w.commit(w.gather(r))
			continue
		default:
		}
		if !stuck && (len(w.waiting) > 0 || w.behind()) {
			stuck = w.catchUp(len(w.waiting) > 0) != nil
			continue
		}
		select {
		case r := <-s.queue:
			w.commit(w.gather(r))
		case <-tick.C:
			stuck = false
			w.tend()
		case <-s.stop:
			if len(s.queue) == 0 { // nothing is queued after closed was set
				err := w.settleAll()
				if err != nil {
					s.log.Warn("what the log tells will be read from it at the next start", "error", err)
				}
				for _, s := range w.waiting {
					s.r.done <- err
				}
				return
			}
		}
	}
}

// gather makes a group of a request and of what waits behind it. What is about to
// come comes too: as long as others get a little further while the writer steps
// back, it takes them along, for a commit costs nearly the same for one as for many.
func (w *writer) gather(first *request) []*request {
	var group []*request
	weight, taken := int64(0), 0
	for r := first; ; {
		if r.taken.CompareAndSwap(false, true) {
			group = append(group, r)
			weight += r.weight
		}
		if weight >= groupUpdates {
			return group
		}
		select {
		case r = <-w.store.queue:
			continue
		default:
		}
		if len(group) == taken {
			return group
		}
		taken = len(group)
		runtime.Gosched()
		select {
		case r = <-w.store.queue:
		default:
			return group
		}
	}
}

// commit applies a group in one transaction and answers its requests. Where the
// fault is not the disk's, each is tried alone, so that none can spoil its
// neighbours; and a post that cannot be applied even so is kept raw and counted
// as not understood, for to turn it away would bring it back for days.
func (w *writer) commit(group []*request) {
	group = w.lookFirst(group)
	if len(group) == 0 {
		w.answerSettled()
		return
	}
	err := w.store.Err()
	if err == nil {
		err = w.attempt(group)
	}
	if faultOf(err) == faultOfContent {
		if len(group) > 1 {
			for _, r := range group {
				w.commit([]*request{r})
			}
			return
		}
		if p := group[0].post; p != nil {
			w.store.log.Error("a webhook could not be applied; it is kept raw", "error", err)
			err = w.attempt([]*request{{post: &wa.Post{
				Source: p.Source, ReceivedAt: p.ReceivedAt, Body: p.Body, NotUnderstood: max(p.NotUnderstood+p.Updates(), 1),
			}}})
		}
	}
	for _, r := range group {
		r.done <- err
	}
	w.answerSettled()
}

// lookFirst deals with the requests of a group that are no part of a commit, and
// leaves the others.
func (w *writer) lookFirst(group []*request) []*request {
	return slices.DeleteFunc(group, func(r *request) bool {
		switch {
		case r.look != nil:
			r.done <- r.look(w)
		case r.settle:
			w.waiting = append(w.waiting, settled{r, w.pending.place()})
		default:
			return false
		}
		return true
	})
}

// attempt applies a group, and tells the world of it.
func (w *writer) attempt(requests []*request) error {
	refused := w.store.refused.Load()
	change, err := w.apply(func(g *group) error {
		g.seq++
		g.feed.Refused = refused
		for _, r := range requests {
			var err error
			switch {
			case r.post != nil:
				err = g.post(r.post)
			case r.group != nil:
				err = r.group(g)
			default:
				err = r.do(g.ctx, w.conn)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	if errors.Is(err, errSettling) && faultOf(err) == faultOfContent {
		if err = w.settleOneByOne(); err == nil {
			return w.attempt(requests)
		}
	}
	w.judge(err)
	if err == nil {
		w.store.onCommit(change)
		w.store.refused.Add(-refused) // told, so that whoever adds both up is never short
	}
	return err
}

// judge notes what a commit's error says of the disk.
func (w *writer) judge(err error) {
	s := w.store
	switch faultOf(err) {
	case faultNone:
		s.trouble.Store(nil)
	case faultOfMoment:
		if s.trouble.Swap(&err) == nil { // a line for the first of a row
			s.log.Error("nothing can be stored for now; webhooks are turned away, and come again", "error", err)
		}
	case faultOfDisk:
		broken := fmt.Errorf("the disk failed under the store: %w; what was being written may or may not be there: mend the disk and start tickwatch again", err)
		if s.broken.CompareAndSwap(nil, &broken) {
			close(s.failed)
		}
	case faultOfContent:
	}
}

// apply makes one commit of some work, and of what else is due.
func (w *writer) apply(work func(g *group) error) (change *Change, err error) {
	if err := w.store.Err(); err != nil {
		return nil, err
	}
	ctx := context.Background()
	if _, err := w.conn.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return nil, fmt.Errorf("starting to write: %w", err)
	}
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("a fault of tickwatch: %v\n%s", p, debug.Stack())
		}
		if err != nil {
			// SQLite may have rolled back by itself already; then this says so, and it does not matter.
			_, _ = w.conn.ExecContext(ctx, "ROLLBACK")
			for _, x := range w.indexes {
				x.abandon()
			}
		}
	}()
	tended, err := w.tendIndexes(ctx)
	if err != nil {
		return nil, err
	}
	g := newGroup(ctx, w)
	if err := work(g); err != nil {
		return nil, err
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
	for _, done := range tended {
		done()
	}
	g.remember()
	return change, nil
}
