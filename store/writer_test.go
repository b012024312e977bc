package store

import (
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"tickwatch/wa"
)

// TestMain gives each property fewer draws than rapid would by itself, for each
// draw here writes to a disk: -rapid.checks=1000 gives more.
func TestMain(m *testing.M) {
	flag.Parse()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "rapid.checks" })
	if !given {
		_ = flag.Set("rapid.checks", "40")
	}
	goleak.VerifyTestMain(m)
}

// limitPages makes SQLite itself say that the disk is full.
func limitPages(t *testing.T, s *Store, pages string) {
	t.Helper()
	if err := s.write(func(ctx context.Context, c *sql.Conn) error {
		var now int
		return c.QueryRowContext(ctx, "PRAGMA max_page_count = "+pages).Scan(&now)
	}); err != nil {
		t.Fatal(err)
	}
}

// A full disk turns posts away, whole; what was taken before stays; and once
// there is room again everything goes on, with books that agree.
func TestFullDisk(t *testing.T) {
	s := open(t, t.TempDir())
	random := rand.NewChaCha8([32]byte{})
	post := func(i int) error {
		p := &wa.Post{Source: "meta", ReceivedAt: received, Body: make([]byte, 20_000)}
		_, _ = random.Read(p.Body)
		for k := range 5 {
			p.Statuses = append(p.Statuses, status(fmt.Sprintf("m%d", i*5+k), wa.StatusDelivered, at(int64(i)), "autumn:1"))
		}
		return s.Ingest(context.Background(), p)
	}
	if err := post(0); err != nil {
		t.Fatal(err)
	}
	limitPages(t, s, "90")
	taken := []int{0}
	var refused []int
	for i := 1; i < 40; i++ {
		if err := post(i); err != nil {
			refused = append(refused, i)
		} else {
			taken = append(taken, i)
		}
	}
	if len(refused) == 0 || len(taken) < 2 {
		t.Fatalf("%d taken, %d refused: the disk was never full, or always", len(taken), len(refused))
	}
	if err := s.Err(); err != nil {
		t.Fatalf("a full disk is no broken one: %v", err)
	}
	if s.Trouble() == nil || s.TurnedAway() != int64(len(refused)) {
		t.Errorf("trouble %v, %d turned away of %d", s.Trouble(), s.TurnedAway(), len(refused))
	}
	if got := campaigns(t, s)["autumn"].Counts.Messages; got != int64(5*len(taken)) {
		t.Errorf("%d messages stored, %d posts were taken", got, len(taken))
	}
	limitPages(t, s, "100000")
	for _, i := range refused { // Meta sends them again
		if err := post(i); err != nil {
			t.Fatal(err)
		}
	}
	if s.Trouble() != nil {
		t.Errorf("still in trouble: %v", s.Trouble())
	}
	if got := campaigns(t, s)["autumn"].Counts.Messages; got != 5*40 {
		t.Errorf("%d messages in the end", got)
	}
	checkBooks(t, s)
}

// Another process that holds the database locked costs posts a 503, not a loss.
func TestLockedByAnother(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	if err := s.write(func(ctx context.Context, c *sql.Conn) error { return nil }); err != nil {
		t.Fatal(err)
	}
	other, err := sql.Open("sqlite", "file:"+escapePath(dir)+"/"+fileName)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	ctx := context.Background()
	conn, err := other.Conn(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	if err := s.Ingest(ctx, &wa.Post{Source: "meta", ReceivedAt: received, Body: []byte("{}"), Statuses: []wa.StatusUpdate{status("1", wa.StatusSent, at(0), "x:1")}}); err == nil {
		t.Error("stored beside another writer")
	}
	if s.Err() != nil {
		t.Errorf("a locked database is no broken one: %v", s.Err())
	}
	if _, err := conn.ExecContext(ctx, "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	ingest(t, s, statuses(status("1", wa.StatusSent, at(0), "x:1")))
	checkBooks(t, s)
}

// Many at once: every post that was taken is in, changes arrive in order, and
// their differences add up to the stored totals.
func TestManyAtOnce(t *testing.T) {
	s := open(t, t.TempDir())
	var sum Tally
	var last int64
	s.OnCommit(func(c *Change) {
		if c.Seq != last+1 {
			t.Errorf("change %d after %d", c.Seq, last)
		}
		last = c.Seq
		for _, cc := range c.Campaigns {
			sum.Add(&cc.Tally)
			if sum.Counts != cc.Campaign.Counts {
				t.Errorf("differences add up to %+v, totals say %+v", sum.Counts, cc.Campaign.Counts)
			}
		}
	})
	var wg sync.WaitGroup
	const workers, posts = 16, 40
	for w := range workers {
		wg.Go(func() {
			for i := range posts {
				id := fmt.Sprintf("m%d", w*posts+i)
				ingest(t, s, statuses(status(id, wa.StatusSent, at(int64(i)), "autumn:1")),
					statuses(status(id, wa.StatusDelivered, at(int64(i+w)), "autumn:1"), failed(id, at(int64(i)), "autumn:1", 131026)))
			}
		})
	}
	wg.Wait()
	if c := campaigns(t, s)["autumn"].Counts; c.Messages != workers*posts || c.Delivered != workers*posts || c.Failed != 0 {
		t.Errorf("%+v", c)
	}
	checkBooks(t, s)
}

// Close lets everything that was queued finish, and turns away what comes later.
func TestCloseDrains(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	var taken atomic.Int64
	var wg sync.WaitGroup
	begun := make(chan struct{}, 64)
	for w := range 8 {
		wg.Go(func() {
			for i := range 500 {
				err := s.Ingest(context.Background(), &wa.Post{
					Source: "meta", ReceivedAt: received, Body: []byte("{}"),
					Statuses: []wa.StatusUpdate{status(fmt.Sprintf("m%d", w*1000+i), wa.StatusSent, at(0), "x:1")},
				})
				if err != nil {
					if !errors.Is(err, ErrClosed) {
						t.Error(err)
					}
					return
				}
				taken.Add(1)
				select {
				case begun <- struct{}{}:
				default:
				}
			}
		})
	}
	for range 20 {
		<-begun
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	wg.Wait()
	s = open(t, dir)
	if got := campaigns(t, s)["x"].Counts.Messages; got != taken.Load() {
		t.Errorf("%d taken, %d stored", taken.Load(), got)
	}
	checkBooks(t, s)
}

// With the two generations of recent messages full and forgotten, a message is
// found on disk again.
func TestForgottenMessages(t *testing.T) {
	s := open(t, t.TempDir())
	ingest(t, s, statuses(status("1", wa.StatusSent, at(0), "x:1")))
	if err := s.write(func(context.Context, *sql.Conn) error { return nil }); err != nil {
		t.Fatal(err)
	}
	_ = s.Close()
	s = open(t, s.dir) // a new writer remembers nothing
	ingest(t, s, statuses(status("1", wa.StatusDelivered, at(9), "x:1")), statuses(status("1", wa.StatusDelivered, at(9), "x:1")))
	if c := campaigns(t, s)["x"].Counts; c.Messages != 1 || c.Delivered != 1 {
		t.Errorf("%+v", c)
	}
	st, err := s.Load(context.Background())
	if err != nil || st.Feed.Duplicates != 1 {
		t.Errorf("%+v, %v", st.Feed, err)
	}
}

func TestRecentKeepsTwoGenerations(t *testing.T) {
	var r recent
	for i := range 3 * generation {
		r.put(message{id: int64(i), wamid: fmt.Sprint(i)})
	}
	if n := len(r.young.byID) + len(r.old.byID); n > 2*generation {
		t.Errorf("%d messages are kept", n)
	}
	if r.get(fmt.Sprint(3*generation-1)) == nil || r.byRow(3*generation-1) == nil {
		t.Error("the newest is forgotten")
	}
	if r.get("0") != nil || r.byRow(0) != nil {
		t.Error("the oldest is kept")
	}
}

// Refused POSTs are counted without a write of their own, and the count
// survives as soon as anything is written.
func TestRefusedAreCounted(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	s.CountRefused()
	s.CountRefused()
	if s.Refused() != 2 {
		t.Errorf("%d pending", s.Refused())
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := s.Ready(ctx); err != nil {
		t.Fatal(err)
	}
	_ = s.Close()
	st, err := open(t, dir).Load(ctx)
	if err != nil || st.Feed.Refused != 2 {
		t.Errorf("%+v, %v", st.Feed, err)
	}
}

// A post that cannot be applied spoils none of its group, is kept raw, counted,
// and does not come back for ever.
func TestAPostThatCannotBeApplied(t *testing.T) {
	s := open(t, t.TempDir())
	ingest(t, s, statuses(status("1", wa.StatusSent, at(0), "x:1")))
	if err := s.write(func(ctx context.Context, c *sql.Conn) error { // takes the row that the next campaign would get
		_, err := c.ExecContext(ctx, "INSERT INTO campaign (id, key, name, kind, number, first_message) SELECT id + 1, 'taken', name, kind, number, first_message FROM campaign")
		return err
	}); err != nil {
		t.Fatal(err)
	}
	errs := oneGroup(t, s,
		statuses(status("1", wa.StatusDelivered, at(1), "x:1")),
		statuses(status("2", wa.StatusDelivered, at(1), "y:1"), status("3", wa.StatusDelivered, at(1), "y:1")),
		statuses(status("1", wa.StatusRead, at(2), "x:1")))
	for i, err := range errs {
		if err != nil {
			t.Errorf("post %d: %v", i, err)
		}
	}
	checkNeighbours(t, s, Counts{Messages: 1, Sent: 1, Delivered: 1, Read: 1}, 2)
}

// A row that cannot be written is given up, alone: the messages whose rows lag
// with it get theirs, and nothing stands still.
func TestARowThatCannotBeWritten(t *testing.T) {
	s := open(t, t.TempDir())
	ingest(t, s, statuses(status("1", wa.StatusSent, at(0), "x:1")))
	if err := s.write(func(ctx context.Context, c *sql.Conn) error { // takes the row that the next message would get
		_, err := c.ExecContext(ctx, "INSERT INTO message SELECT id + 1, campaign, number, person, 'taken', seen, state, sent_at, delivered_at, read_at, failed_at, code, code_at, accepted_at FROM message")
		return err
	}); err != nil {
		t.Fatal(err)
	}
	ingest(t, s,
		statuses(status("1", wa.StatusDelivered, at(1), "x:1")),
		statuses(status("2", wa.StatusDelivered, at(1), "x:1"), status("3", wa.StatusDelivered, at(1), "x:1")),
		statuses(status("1", wa.StatusRead, at(2), "x:1")))
	checkNeighbours(t, s, Counts{Messages: 2, Sent: 2, Delivered: 2, Read: 1}, 1)
}

func checkNeighbours(t *testing.T, s *Store, want Counts, notUnderstood int64) {
	t.Helper()
	st, err := s.Load(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if s.Err() != nil || s.Trouble() != nil {
		t.Errorf("no fault of the disk: %v, %v", s.Err(), s.Trouble())
	}
	if c := st.Campaigns[0].Counts; c != want {
		t.Errorf("its neighbours: %+v", c)
	}
	if st.Feed.Posts != 4 || st.Feed.NotUnderstood != notUnderstood {
		t.Errorf("%+v", st.Feed)
	}
	raw := 0
	if err := s.EachPost(t.Context(), 0, func(RawPost) error { raw++; return nil }); err != nil || raw != 4 {
		t.Errorf("%d raw bodies, %v", raw, err)
	}
}

// oneGroup puts posts into one commit: the writer is held until all are queued.
func oneGroup(t testing.TB, s *Store, posts ...*wa.Post) []error {
	t.Helper()
	hold, held := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		_ = s.write(func(context.Context, *sql.Conn) error { close(held); <-hold; return nil })
	})
	<-held
	errs := make([]error, len(posts))
	for i, p := range posts {
		p.ReceivedAt, p.Source = received, "meta"
		keepable(t, p)
		before := len(s.queue)
		wg.Go(func() { errs[i] = s.Ingest(context.Background(), p) })
		for len(s.queue) == before {
			runtime.Gosched()
		}
	}
	close(hold)
	wg.Wait()
	return errs
}

// Who stops waiting before the writer has begun is told so, and nothing of the
// post is stored.
func TestWhoStopsWaiting(t *testing.T) {
	s := open(t, t.TempDir())
	hold, held := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		_ = s.write(func(context.Context, *sql.Conn) error { close(held); <-hold; return nil })
	})
	<-held
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := s.Ingest(ctx, statuses(status("1", wa.StatusSent, at(0), "x:1"))); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	close(hold)
	wg.Wait()
	ingest(t, s, statuses(status("2", wa.StatusSent, at(0), "x:1")))
	if c := campaigns(t, s)["x"].Counts; c.Messages != 1 {
		t.Errorf("%+v", c)
	}
	if s.TurnedAway() != 1 {
		t.Errorf("%d turned away", s.TurnedAway())
	}
}
