package notify

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"tickwatch/wa"
)

const (
	// sheetRows is how many rows one request appends: about 250 kB, where Google
	// recommends at most 2 MB (https://developers.google.com/workspace/sheets/api/limits).
	sheetRows = 1000
	// sheetEvery is the time between two requests: Google takes 60 of one account a
	// minute, of writing and of reading each (likewise).
	sheetEvery = 2 * time.Second
	// sheetPatience is how long is waited at most before a request that failed is
	// tried again, as Google asks of clients (likewise), and for one that an operator
	// has to mend first.
	sheetPatience = 64 * time.Second
	sheetMending  = 5 * time.Minute
)

// SheetQueue is where the rows wait, on disk.
type SheetQueue interface {
	// SheetMark is what is known of the sheet.
	SheetMark(ctx context.Context) (wa.SheetMark, error)
	// SheetRows gives the rows that wait longest, at most limit, and the place of the
	// last one; 0 = none waits.
	SheetRows(ctx context.Context, limit int) (rows []wa.Rejected, last int64, err error)
	// SaveSheet keeps what is known, and takes the rows up to a place out of the queue.
	SaveSheet(ctx context.Context, m wa.SheetMark, done int64) error
	// SheetBehind is how many rows wait, and since when the oldest does.
	SheetBehind(ctx context.Context) (rows int64, since wa.Instant, err error)
}

// SheetOptions of a Sheet. Queue, Spreadsheet, Range and Account are needed.
type SheetOptions struct {
	Queue       SheetQueue
	Spreadsheet string // its id
	Range       string // where the table is, in A1 notation: A:E, Rejected!A:E
	Account     *Account
	URL         string           // of the API; "" = SheetURL. Plain http is for loopback only
	Now         func() time.Time // the daemon's clock, for State; nil = time.Now
	Log         *slog.Logger     // nil = silent

	every, patience, mending time.Duration // 0 = the usual ones; tests choose shorter ones
	batch                    int           // 0 = sheetRows
}

// Sheet appends the rejected list to a Google Sheet, as rows come.
type Sheet struct {
	o      SheetOptions
	api    *sheetAPI
	target string

	mu    sync.Mutex
	state SheetState
}

// SheetState is how the sheet stands.
type SheetState struct {
	Behind   int64      // rows that wait
	Since    wa.Instant // since when the oldest does; 0 = none waits
	Appended int64      // rows, since the daemon began
	Latest   wa.Instant // when the latest were; 0 = none yet

	Trouble      string     // what hinders it and what helps, in one clean line; "" = nothing does
	TroubleSince wa.Instant // of this row of failures
	Lasting      bool       // an operator has to mend it: it will not pass
}

// NewSheet checks the options. Nothing is dialled before Run.
func NewSheet(o SheetOptions) (*Sheet, error) {
	if o.Spreadsheet == "" || o.Range == "" || o.Account == nil {
		return nil, errors.New("a sheet needs sheet.spreadsheet_id, sheet.range and sheet.service_account_file")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	o.every, o.patience, o.mending = cmp.Or(o.every, sheetEvery), cmp.Or(o.patience, sheetPatience), cmp.Or(o.mending, sheetMending)
	o.batch = cmp.Or(o.batch, sheetRows)
	api, err := newSheetAPI(o.URL, o.Spreadsheet, o.Range, o.Account)
	if err != nil {
		return nil, err
	}
	return &Sheet{o: o, api: api, target: o.Spreadsheet + " " + o.Range}, nil
}

// Probe asks once whether the sheet can be read; the error says what to do.
func (s *Sheet) Probe(ctx context.Context) error { return s.api.probe(ctx) }

// State is how the sheet stands.
func (s *Sheet) State() SheetState {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state
}

// Run appends until ctx ends.
func (s *Sheet) Run(ctx context.Context) {
	defer s.api.wire.CloseIdleConnections()
	failures := 0
	for {
		err := s.step(ctx)
		if ctx.Err() != nil {
			return
		}
		pause := s.o.every
		if err != nil {
			pause = s.pauseAfter(err, failures)
			failures++
		} else {
			failures = 0
		}
		s.note(ctx, err)
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return
		}
	}
}

// pauseAfter is how long to wait after a failure; failures says how many in a row
// were before it.
func (s *Sheet) pauseAfter(err error, failures int) time.Duration {
	e := (*sheetError)(nil)
	if errors.As(err, &e) && e.lasting {
		return max(s.o.mending, e.after)
	}
	pause := min(s.o.every<<min(failures, 10), s.o.patience)
	pause += time.Duration(rand.Int64N(int64(pause)/2 + 1)) // so that many do not come back at once
	if e != nil {
		pause = max(pause, e.after)
	}
	return pause
}

// note keeps how the sheet stands after a step.
func (s *Sheet) note(ctx context.Context, err error) {
	behind, since, unread := s.o.Queue.SheetBehind(ctx)
	now := wa.At(s.o.Now())
	s.mu.Lock()
	defer s.mu.Unlock()
	if unread == nil {
		s.state.Behind, s.state.Since = behind, since
	}
	before := s.state.Trouble
	if err == nil {
		s.state.Trouble, s.state.TroubleSince, s.state.Lasting = "", 0, false
		if before != "" {
			s.o.Log.Info("rows are appended to the sheet again")
		}
		return
	}
	e := (*sheetError)(nil)
	s.state.Trouble, s.state.Lasting = wa.Clean(err.Error()), errors.As(err, &e) && e.lasting
	if before == "" {
		s.state.TroubleSince = now
	}
	if before != s.state.Trouble {
		s.o.Log.Warn("rows wait for the sheet", "rows", behind, "error", s.state.Trouble)
	}
}

// step appends one batch, if there is one, after it has found out what became of
// the one before.
func (s *Sheet) step(ctx context.Context) error {
	mark, err := s.o.Queue.SheetMark(ctx)
	if err != nil {
		return err
	}
	if mark.Target != s.target { // another sheet: what was known is of no use
		mark = wa.SheetMark{Target: s.target}
	}
	if mark.Upto != 0 {
		if done, err := s.recover(ctx, &mark); done || err != nil {
			return err
		}
	}
	rows, last, err := s.o.Queue.SheetRows(ctx, s.o.batch)
	if err != nil || last == 0 {
		return err
	}
	if len(rows) == 0 { // all of them were delivered after all
		return s.o.Queue.SaveSheet(ctx, wa.SheetMark{Target: s.target, Row: mark.Row}, last)
	}
	cells := make([][]string, len(rows))
	for i := range rows {
		cells[i] = rows[i].Cells()
	}
	begun := wa.SheetMark{Target: s.target, Row: mark.Row, Upto: last, Rows: len(cells), Digest: digest(cells)}
	if err := s.o.Queue.SaveSheet(ctx, begun, 0); err != nil { // before it leaves
		return err
	}
	row, err := s.api.append(ctx, cells)
	if err != nil && !errors.Is(err, errSheetTooLong) {
		return s.failed(ctx, err, mark.Row)
	}
	return s.appended(ctx, row, last, len(cells))
}

// appended takes a batch out of the queue that is in the sheet.
func (s *Sheet) appended(ctx context.Context, row, last int64, rows int) error {
	// The rows are there: this must be kept even if the daemon is about to end.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), connectWithin)
	defer cancel()
	if err := s.o.Queue.SaveSheet(ctx, wa.SheetMark{Target: s.target, Row: row}, last); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state.Appended += int64(rows)
	s.state.Latest = wa.At(s.o.Now())
	return nil
}

// failed notes of a batch that was certainly not appended that it was not.
func (s *Sheet) failed(ctx context.Context, why error, row int64) error {
	e := (*sheetError)(nil)
	if !errors.As(why, &e) || e.doubtful {
		return why
	}
	if e.expired {
		s.api.token = nil
	}
	if err := s.o.Queue.SaveSheet(ctx, wa.SheetMark{Target: s.target, Row: row}, 0); err != nil {
		return err
	}
	return why
}

// recover looks for a batch of which no answer came. Where it is in the sheet it is
// done with; else, or where that cannot be told, it is to be appended again.
func (s *Sheet) recover(ctx context.Context, mark *wa.SheetMark) (done bool, err error) {
	below, err := s.api.below(ctx, mark.Row)
	if errors.Is(err, errSheetTooLong) {
		s.o.Log.Warn("rows may be in the sheet twice: it is too long to look for those that were last appended", "rows", mark.Rows)
		return false, nil
	}
	if err != nil {
		e := (*sheetError)(nil)
		if errors.As(err, &e) && e.expired {
			s.api.token = nil
		}
		return false, fmt.Errorf("looking for rows that may be in the sheet: %w", err)
	}
	at := find(below, mark.Rows, mark.Digest)
	if at < 0 {
		return false, nil
	}
	row := int64(0) // not known where the range begins
	if mark.Row != 0 {
		row = mark.Row + int64(at+mark.Rows)
	}
	return true, s.appended(ctx, row, mark.Upto, mark.Rows)
}

// find looks for a batch among rows; -1 = it is not there.
func find(rows [][]string, n int, want []byte) int {
	for at := 0; at+n <= len(rows) && n > 0; at++ {
		if bytes.HasPrefix(want, firstOf(rows[at])) && bytes.Equal(digest(rows[at:at+n]), want) {
			return at
		}
	}
	return -1
}

// digest tells a batch from every other one, and begins with what tells its first row.
func digest(rows [][]string) []byte {
	sum := sha256.New()
	for _, cells := range rows {
		_, _ = sum.Write(rowSum(cells))
	}
	return sum.Sum(firstOf(rows[0]))
}

// firstOf tells a row from most others.
func firstOf(cells []string) []byte { return rowSum(cells)[:8] }

func rowSum(cells []string) []byte {
	sum := sha256.New()
	var length [binary.MaxVarintLen64]byte
	for _, c := range cells {
		_, _ = sum.Write(binary.AppendUvarint(length[:0], uint64(len(c))))
		_, _ = sum.Write([]byte(c))
	}
	return sum.Sum(nil)
}
