package store

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"tickwatch/wa"
)

// Recipient is a row of a list that is to be sent to.
type Recipient struct {
	Phone  string   // digits or E.164
	Line   int64    // of the list, counted from 1
	Values []string // by Plan.Columns
}

// RejectedRow is a row of a list that no message comes of.
type RejectedRow struct {
	Line   int64
	Value  string // foreign text
	Reason string
}

// importStep is how many rows a commit of an import writes: webhooks wait behind it.
const importStep = 256

// Import is a list on its way into the store. Its rows wait in files beside the
// database until all of it is read; only then is a campaign made of them, which
// nobody sees before it is whole. It is for one goroutine.
type Import struct {
	s        *Store
	plan     wa.Plan
	rows     *shuffle
	rejected []RejectedRow
	left     map[string]bool // phones of rows that are left out
	done     bool
}

// Import begins to make one of our own campaigns of a list. The plan's Name, Form,
// Columns, Bind, From, Marketing and Pace are kept; its key is made of its name.
// With inOrder the list is sent in its own order, else in a random one, so that a
// bad block of it does not come all at once. Only one list is written at a time.
// End it with Finish or Abort.
func (s *Store) Import(plan wa.Plan, inOrder bool) (*Import, error) {
	if len(plan.From) == 0 {
		return nil, errors.New("a campaign needs a number to be sent from")
	}
	rows, err := newShuffle(s.dir, inOrder)
	if err != nil {
		return nil, fmt.Errorf("making room for a list: %w", err)
	}
	return &Import{s: s, plan: plan, rows: rows, left: map[string]bool{}}, nil
}

// Add takes a row.
func (i *Import) Add(r Recipient) error {
	values, err := json.Marshal(r.Values)
	if err != nil {
		return err
	}
	phone := digits(r.Phone)
	row := binary.AppendUvarint(nil, uint64(r.Line)) //nolint:gosec // lines are counted from 1
	row = binary.AppendUvarint(row, uint64(len(phone)))
	row = append(row, phone...)
	row = append(row, values...)
	if err := i.rows.add(row); err != nil {
		return fmt.Errorf("keeping a row of the list: %w", err)
	}
	return nil
}

// maxRejected bounds the rejected rows that are kept of one list.
const maxRejected = 100_000

// Reject keeps a row that no message comes of.
func (i *Import) Reject(r RejectedRow) {
	if len(i.rejected) < maxRejected {
		r.Value, r.Reason = bounded(r.Value), bounded(r.Reason)
		i.rejected = append(i.rejected, r)
	}
}

// LeaveOut takes back the row of a phone, of which a later one says that it must
// not be sent to. Each phone is added once.
func (i *Import) LeaveOut(phone string) { i.left[digits(phone)] = true }

// Object keeps in the plan what was found against the list (see wa.Plan.Against).
func (i *Import) Object(against []wa.Objection) { i.plan.Against = against }

// Abort forgets what was added. After Finish it does nothing.
func (i *Import) Abort() {
	if !i.done {
		i.done = true
		i.rows.close()
	}
}

// Finish makes the campaign, a draft, and gives its plan. progress, which may be
// nil, is told how many rows are written. When it fails nothing is left of the list.
func (i *Import) Finish(ctx context.Context, progress func(rows int64)) (_ wa.Plan, err error) {
	defer i.Abort()
	i.s.importing.Lock()
	defer i.s.importing.Unlock()
	if i.rows.count <= int64(len(i.left)) {
		return wa.Plan{}, errors.New("the list has no row that can be sent to")
	}
	p, err := i.begin(ctx)
	if err != nil {
		return wa.Plan{}, fmt.Errorf("beginning to write a list: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, i.s.dropList(context.WithoutCancel(ctx), p.Campaign))
		}
	}()
	next := p.first
	if err := i.rows.each(importStep, func(rows [][]byte) error {
		if len(i.left) > 0 {
			rows = slices.DeleteFunc(rows, i.leftOut)
		}
		if err := i.write(ctx, &p, next, rows); err != nil {
			return fmt.Errorf("writing a list: %w", err)
		}
		next += int64(len(rows))
		if progress != nil {
			progress(next - p.first)
		}
		return ctx.Err()
	}); err != nil {
		return wa.Plan{}, err
	}
	if err := i.end(ctx, &p); err != nil {
		return wa.Plan{}, fmt.Errorf("making a campaign of a list: %w", err)
	}
	return p.Plan, nil
}

// begin gives out the ids of the campaign and of its rows.
func (i *Import) begin(ctx context.Context) (p plan, err error) {
	err = i.s.submit(ctx, &request{weight: 1, group: func(g *group) error {
		p = plan{Plan: i.plan, first: g.next.recipient + 1, next: g.next.recipient + 1}
		p.Campaign, p.Rows, p.State = take(&g.next.campaign), i.rows.count-int64(len(i.left)), planImporting
		p.Key = g.freeKey(i.plan.Name)
		g.next.recipient += p.Rows
		g.plans[p.Campaign] = &p
		g.w.importing = p.first // if this fails, nothing is written behind it
		return nil
	}})
	return p, err
}

// freeKey makes a campaign's id of its name.
func (g *group) freeKey(name string) string {
	key := strings.Trim(strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		}
		return '-'
	}, name), "-")
	for strings.Contains(key, "--") {
		key = strings.ReplaceAll(key, "--", "-")
	}
	if key == "" {
		key = "campaign"
	}
	key = key[:min(len(key), 60)]
	free := key
	for n := 2; g.keyTaken(free); n++ {
		free = fmt.Sprintf("%s-%d", key, n)
	}
	return free
}

func (g *group) keyTaken(key string) bool {
	for _, p := range g.w.plans {
		if p.Key == key {
			return true
		}
	}
	return g.byKey[key] != nil || g.w.campaigns[key] != nil
}

// phoneOf reads the line and the phone of a row, and what follows them.
func phoneOf(row []byte) (line int64, phone string, rest []byte, ok bool) {
	l, n := binary.Uvarint(row)
	if n <= 0 {
		return 0, "", nil, false
	}
	length, m := binary.Uvarint(row[n:])
	if m <= 0 || length > uint64(len(row)-n-m) { //nolint:gosec // what is left of a row is not negative
		return 0, "", nil, false
	}
	row = row[n+m:]
	return int64(l), string(row[:length]), row[length:], true //nolint:gosec // a line of a file
}

func (i *Import) leftOut(row []byte) bool {
	_, phone, _, _ := phoneOf(row)
	return i.left[phone]
}

// write writes some rows, from an id on.
func (i *Import) write(ctx context.Context, p *plan, first int64, rows [][]byte) error {
	return i.s.submit(ctx, &request{weight: int64(len(rows)), group: func(g *group) error {
		for k, row := range rows {
			line, phone, values, ok := phoneOf(row)
			if !ok {
				return errors.New("the list changed on the disk while it was read")
			}
			id := first + int64(k)
			if _, err := g.w.stmts.insertRecipient.ExecContext(g.ctx, id, p.Campaign, phone, 0, 0, line, string(values)); err != nil {
				return err
			}
			g.index(indexRecipient, hashOf(phone), id)
		}
		g.w.importing = first // what is behind it is written, once this is
		return nil
	}})
}

// end makes the campaign of a list that is wholly written.
func (i *Import) end(ctx context.Context, p *plan) error {
	return i.s.submit(ctx, &request{weight: int64(len(i.rejected)), group: func(g *group) error {
		for _, r := range i.rejected {
			if _, err := g.conn.ExecContext(g.ctx, "INSERT INTO rejected VALUES (?, ?, ?, ?)", p.Campaign, r.Line, r.Value, r.Reason); err != nil {
				return err
			}
		}
		p.State = wa.PlanDraft
		if err := g.makeCampaign(p); err != nil {
			return err
		}
		g.w.importing = 0
		return nil
	}})
}

// makeCampaign makes the campaign of a plan, whose list is in the queue.
func (g *group) makeCampaign(p *plan) error {
	n, err := g.number(wa.Sender{NumberID: p.From[0]})
	if err != nil {
		return err
	}
	done := *p
	g.plans[p.Campaign] = &done
	c := &campaign{id: p.Campaign, key: p.Key, name: p.Name, kind: kindOwn, number: n.id}
	if err := g.addCampaign(c); err != nil {
		return err
	}
	g.recount(p.Campaign, rowWaiting, p.Rows)
	return g.notePlan(DeedImported, p, &DeedList{Store: g.w.name, First: p.first, Rows: p.Rows})
}

// dropStep is how many rows of a list that is given up a commit deletes.
const dropStep = 2000

// dropList removes a list that was not wholly written.
func (s *Store) dropList(ctx context.Context, campaign int64) error {
	for more := true; more; {
		if err := s.submit(ctx, &request{weight: dropStep, group: func(g *group) error {
			p := g.plan(campaign)
			if p == nil || p.State != planImporting {
				more = false
				return nil
			}
			done, err := g.conn.ExecContext(g.ctx, "DELETE FROM recipient WHERE id IN (SELECT id FROM recipient WHERE id >= ? AND id <= ? LIMIT ?)", p.first, p.last(), dropStep)
			if err != nil {
				return err
			}
			n, err := done.RowsAffected()
			if err != nil || n == dropStep {
				return err
			}
			more = false
			g.w.importing = 0
			g.plans[campaign] = nil
			return nil
		}}); err != nil {
			return fmt.Errorf("removing a list that was not wholly written: %w", err)
		}
	}
	return nil
}

// dropLists removes the lists that a crash left unfinished.
func (s *Store) dropLists(ctx context.Context, campaigns []int64) {
	for _, id := range campaigns {
		if err := s.dropList(ctx, id); err != nil && !errors.Is(err, ErrClosed) {
			s.log.Warn("a list that was not wholly imported takes up room until the next start", "error", err)
		}
	}
}

// Rejected reads a page of the rows of a campaign's list that no message came of,
// by line, those after one.
func (s *Store) Rejected(ctx context.Context, campaign, after int64, limit int) ([]RejectedRow, error) {
	all, err := query(ctx, s.readers, func(s scanner) (r RejectedRow, err error) { return r, s.Scan(&r.Line, &r.Value, &r.Reason) },
		"SELECT line, value, reason FROM rejected WHERE campaign = ? AND line > ? ORDER BY line LIMIT ?", campaign, after, limit)
	if err != nil {
		return nil, fmt.Errorf("reading rejected rows: %w", err)
	}
	return all, nil
}
