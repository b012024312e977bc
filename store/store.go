// Package store keeps everything that tickwatch knows in one SQLite database:
// raw webhook bodies, events, the state of every message, and the running
// totals that the screen shows.
//
// What it guarantees:
//
//   - Durability. Ingest returns nil only when the post is on disk (WAL with
//     synchronous=FULL). A post that was answered 200 survives a SIGKILL and a
//     power cut.
//   - One writer. All changes go through one goroutine, which takes what waits
//     for it and commits it as one transaction. Posts are applied in the order in
//     which they were queued; each is applied wholly or not at all.
//   - The log first. What is durable at once are the raw bodies, packed, one row a
//     commit. What they say of messages is known at once, too, and published; the
//     rows that hold it follow about a second later, each written once for several
//     webhooks (pending.go). A start after a crash reads the log again from where
//     rows lagged (replay.go). All else is written with its post.
//   - Totals never drift. Stored counters change in the same transaction as the
//     rows of the messages they count, by the difference that each message makes,
//     so a restart reads the figures that were shown before it.
//   - Size does not slow it. Names and wamids, which come in no order, are found
//     by sorted runs (index.go) and not by B-trees that grow at every place.
//   - Any order. A campaign's totals depend on which updates came of its
//     messages, not on their order, repetition or grouping (see wa.Progress).
//     Which run a message without a key belongs to, and which message an opt-out
//     without a reference answers, is decided by what is known when it comes.
//   - A queue that a crash cannot shake (queue.go). An attempt to send is on disk
//     before Claim gives it out; what was given out and not settled when the daemon
//     died may have gone out, and waits for a webhook or the operator.
//   - Nobody is claimed whom a rule or the suppression list holds at that moment
//     (suppress.go), and the same is said beforehand of a list (suppression.go).
//   - One person, one history. Who changes number or BSUID keeps what was stored
//     under the former ones, whatever the order in which it is told. What a
//     customer deletes is removed, but for that they opted out by it.
//
// The function set by OnCommit is called from the writer after each commit, in
// commit order, before the commit is acknowledged; it must be quick, and must
// neither read the store nor write to it. Reads run on connections of their own and
// never hold up the writer. A Store is safe for concurrent use.
package store

import (
	"cmp"
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	_ "modernc.org/sqlite" // the driver; the store is the only room that knows it

	"tickwatch/wa"
)

// fileName is the database inside the data folder.
const fileName = "tickwatch.db"

// Options of a Store. Dir is needed; the rest has working zero values.
type Options struct {
	Dir string           // data folder; made 0700 when absent
	Now func() time.Time // the daemon's clock; nil = time.Now
	Log *slog.Logger     // nil = silent

	// Decode understands a raw body again, for what a crash kept from the tables.
	// With it, rows may lag behind the log for a second or so, which makes ingest
	// several times faster; nil = they never do.
	Decode func(source string, body []byte, received wa.Instant) *wa.Post

	// Rules say who is not written to, and StopWords by which words people opt out,
	// beside wa.StopWords; nil = wa.DefaultSuppressRules, and no others.
	Rules     wa.SuppressRules
	StopWords []string
	// Sheet has it noted what failed, for the operator's sheet (sheet.go).
	Sheet bool

	// Throwaway says that the store need not survive this process, as that of a
	// replay: nothing waits for the disk.
	Throwaway bool

	sizes sizes // zero = the usual ones
}

// sizes are how much the writer does at once; tests choose smaller ones.
type sizes struct {
	lagMost, lagStep int // see pending
	tail, fan, step  int // of an index: entries of its tail, runs that are merged, pages that a commit writes
}

// Store is an open database. Close it when done.
type Store struct {
	dir      string
	now      func() time.Time
	log      *slog.Logger
	lock     *lock
	db       *sql.DB // one connection, the writer's
	readers  *sql.DB
	queue    chan *request
	queued   atomic.Int64 // updates that wait for the writer
	refused  atomic.Int64 // POSTs refused since the last commit
	onCommit func(*Change)
	decode   func(source string, body []byte, received wa.Instant) *wa.Post
	sizes    sizes
	sheet    bool   // see Options.Sheet
	name     string // in the callback data of our own messages
	rules    wa.SuppressRules
	stops    []string     // see wa.FoldStopWord
	spread   atomic.Int32 // of message ids, where a recording is taken in (see redo.go); 0 = none is

	closing  sync.Once // also waits for whoever closes first
	closeErr error
	stop     chan struct{} // closed: take what is queued, then end
	done     chan struct{} // closed: the writer has ended
	mu       sync.RWMutex  // guards closed against sends on queue
	closed   bool
	broken   atomic.Pointer[error] // the disk failed under a commit: nothing more is taken
	failed   chan struct{}         // closed when broken is set
	trouble  atomic.Pointer[error] // why nothing can be stored for now

	importing  sync.Mutex // one list at a time is written
	turnedAway atomic.Int64
	readyMu    sync.Mutex
	readyAt    time.Time // when Ready last looked, and what it found
	readyErr   error
}

// ErrClosed is returned for work that comes after Close.
var ErrClosed = errors.New("the store is closed")

// ErrBusy is returned when more updates wait for the disk than memory should hold.
var ErrBusy = errors.New("the store is behind: too many updates wait for the disk")

// Open opens the store in a folder, making both where they are missing, and
// brings an older schema up to date. It refuses a folder that another daemon
// holds, one on a network file system, files that others may read, a schema
// newer than this program, and an SQLite with the WAL-reset bug.
func Open(ctx context.Context, o Options) (_ *Store, err error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	s := &Store{
		dir: o.Dir, now: o.Now, log: o.Log, decode: o.Decode, rules: o.Rules, sheet: o.Sheet,
		sizes: cmp.Or(o.sizes, sizes{lagMost: lagMost, lagStep: lagStep, tail: tailEntries, fan: runsToMerge, step: mergeStep}),
		queue: make(chan *request, queueLength), stop: make(chan struct{}), done: make(chan struct{}),
		failed:   make(chan struct{}),
		onCommit: func(*Change) {},
	}
	if s.rules == nil {
		s.rules = wa.DefaultSuppressRules()
	}
	for _, word := range o.StopWords {
		s.stops = append(s.stops, wa.FoldStopWord(word))
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the data folder: %w; set data.dir to a folder you may write to", err)
	}
	if err := refuseNetwork(o.Dir); err != nil {
		return nil, err
	}
	if s.lock, err = acquire(filepath.Join(o.Dir, "tickwatch.lock")); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.closeFiles())
		}
	}()
	path := filepath.Join(o.Dir, fileName)
	if err := secureFile(path); err != nil {
		return nil, err
	}
	if err := s.connect(ctx, path, o.Throwaway); err != nil {
		return nil, err
	}
	if err := s.nameIt(ctx); err != nil {
		return nil, err
	}
	if err := s.keyIt(ctx); err != nil {
		return nil, err
	}
	w, err := newWriter(ctx, s)
	if err != nil {
		return nil, err
	}
	sweepLists(o.Dir)
	var unfinished []int64
	for _, p := range w.plans {
		if p.State == planImporting {
			unfinished = append(unfinished, p.Campaign)
		}
	}
	go w.run()
	if len(unfinished) > 0 {
		go s.dropLists(context.WithoutCancel(ctx), unfinished)
	}
	return s, nil
}

// connect opens the writer's connection and the readers', checks SQLite and
// brings the schema up to date.
func (s *Store) connect(ctx context.Context, path string, throwaway bool) (err error) {
	durable := "FULL"
	if throwaway {
		durable = "OFF"
	}
	write := "?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(" + durable + ")" +
		"&_pragma=cache_size(-8192)&_pragma=wal_autocheckpoint(4000)&_pragma=temp_store(MEMORY)"
	const read = "?_pragma=busy_timeout(5000)&_pragma=query_only(1)&_pragma=cache_size(-8192)&_pragma=temp_store(MEMORY)"
	uri := "file:" + escapePath(path)
	if s.db, err = sql.Open("sqlite", uri+write); err != nil {
		return fmt.Errorf("opening %s: %w", path, err)
	}
	s.db.SetMaxOpenConns(1)
	if err := checkVersion(ctx, s.db, path); err != nil {
		return err
	}
	if err := migrate(ctx, s.db, path); err != nil {
		return err
	}
	if s.readers, err = sql.Open("sqlite", uri+read); err != nil {
		return fmt.Errorf("opening %s: %w", path, err)
	}
	s.readers.SetMaxOpenConns(4)
	return nil
}

// nameIt reads the store's name, or gives it one.
func (s *Store) nameIt(ctx context.Context) error {
	if _, err := s.db.ExecContext(ctx, "UPDATE feed SET store = ? WHERE store = ''", strings.ToLower(rand.Text()[:8])); err != nil {
		return fmt.Errorf("naming the store: %w", err)
	}
	if err := s.db.QueryRowContext(ctx, "SELECT store FROM feed").Scan(&s.name); err != nil {
		return fmt.Errorf("reading the store's name: %w", err)
	}
	return nil
}

// keyIt gives the store the key by which it hashes names of the suppression list,
// unless it has one.
func (s *Store) keyIt(ctx context.Context) error {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails
	if _, err := s.db.ExecContext(ctx, "UPDATE suppression SET key = ? WHERE key = x''", key); err != nil {
		return fmt.Errorf("making the key of the suppression list: %w", err)
	}
	return nil
}

// Name tells this store from every other one, in the callback data of our own
// messages (see wa.OwnData).
func (s *Store) Name() string { return s.name }

// OnCommit sets the function that learns of every commit. Call it before the
// first Ingest.
func (s *Store) OnCommit(f func(*Change)) { s.onCommit = f }

// CountRefused counts a POST that was refused for its signature. It costs no
// write of its own: an attacker must not make the disk busy.
func (s *Store) CountRefused() { s.refused.Add(1) }

// Failed is closed when the disk failed under a commit. What was on its way may
// or may not be stored; nothing more is taken, and only a restart tells. Err
// says why.
func (s *Store) Failed() <-chan struct{} { return s.failed }

// Err is why the store failed; nil while it works.
func (s *Store) Err() error {
	if p := s.broken.Load(); p != nil {
		return *p
	}
	return nil
}

// Close lets the writer finish what is queued, and closes the files. Work that
// comes later gets ErrClosed.
func (s *Store) Close() error {
	s.closing.Do(func() {
		s.mu.Lock()
		s.closed = true
		s.mu.Unlock()
		close(s.stop)
		<-s.done
		s.closeErr = s.closeFiles()
	})
	return s.closeErr
}

func (s *Store) closeFiles() error {
	var errs []error
	if s.readers != nil {
		errs = append(errs, s.readers.Close())
	}
	if s.db != nil {
		errs = append(errs, s.db.Close())
	}
	if s.lock != nil {
		errs = append(errs, s.lock.release())
	}
	return errors.Join(errs...)
}

// Refused is how many refused POSTs are counted and not yet in a commit.
func (s *Store) Refused() int64 { return s.refused.Load() }
