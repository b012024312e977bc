package store

import (
	"context"
	"database/sql"
	"fmt"

	"tickwatch/wa"
)

// load reads what the writer needs to know before its first commit.
func (w *writer) load(ctx context.Context) error {
	w.campaigns, w.byID, w.runs = map[string]*campaign{}, map[int64]*campaign{}, map[int64][]int64{}
	w.lone, w.numbers = map[int64]map[int64]*campaign{}, newNumbers()
	w.renamed, w.homeless = map[int64]int64{}, map[int64]wa.Instant{}
	w.wrote = map[int64]wa.Instant{}
	w.templates, w.titles = map[int64]wa.Template{}, map[int]string{}
	w.formers, w.limits = map[string][]former{}, map[string]accountLimit{}
	w.pending, w.people, w.lag = newPending(), newPeople(), map[int64]*Tally{}
	w.indexes = map[indexKind]*index{}
	if err := w.loadFallbacks(ctx); err != nil {
		return err
	}
	if err := w.loadSeeds(ctx); err != nil {
		return err
	}
	for _, kind := range indexKinds {
		w.indexes[kind] = &index{kind: kind}
	}
	for table, to := range map[string]*int64{
		"message": &w.nextID.message, "person": &w.nextID.person,
		"campaign": &w.nextID.campaign, "number": &w.nextID.number,
		"suppressed": &w.nextID.suppressed,
	} {
		if err := lastID(ctx, w.conn, "id", table, to); err != nil {
			return err
		}
	}
	if err := lastID(ctx, w.conn, "seq", "notice", &w.nextID.notice); err != nil {
		return err
	}
	if err := lastID(ctx, w.conn, "id", "journal", &w.nextID.deed); err != nil {
		return err
	}
	if err := w.conn.QueryRowContext(ctx, "SELECT last_raw, unsettled FROM feed").Scan(&w.nextID.raw, &w.replaying); err != nil {
		return err
	}
	if err := w.loadQueue(ctx); err != nil { // before campaigns, whose counts it mends
		return err
	}
	numbers, err := readNumbers(ctx, w.conn)
	if err != nil {
		return err
	}
	for _, n := range numbers {
		w.numbers.keep(n)
	}
	campaigns, err := readCampaigns(ctx, w.conn)
	if err != nil {
		return err
	}
	for _, c := range campaigns {
		w.keepCampaign(c)
	}
	if err := w.loadWatches(ctx); err != nil {
		return err
	}
	templates, err := readTemplates(ctx, w.conn)
	if err != nil {
		return err
	}
	for _, t := range templates {
		w.templates[t.ID] = t
	}
	if w.health, err = readHealth(ctx, w.conn); err != nil {
		return err
	}
	if w.titles, err = readTitles(ctx, w.conn); err != nil {
		return err
	}
	if w.feed, w.seq, err = readFeed(ctx, w.conn); err != nil {
		return err
	}
	if err := w.conn.QueryRowContext(ctx, "SELECT phones, hmacs, hashes, key FROM suppression").
		Scan(&w.list.counts[namedPhone], &w.list.counts[namedHMAC], &w.list.counts[namedSHA256], &w.list.key); err != nil {
		return err
	}
	if err := w.loadMoved(ctx); err != nil {
		return err
	}
	if err := w.loadRuns(ctx); err != nil {
		return err
	}
	if err := w.loadTails(ctx); err != nil {
		return err
	}
	now := wa.At(w.store.now())
	if _, err := query(ctx, w.conn, func(s scanner) (struct{}, error) {
		var who int64
		var at wa.Instant
		err := s.Scan(&who, &at)
		w.wrote[who] = at
		return struct{}{}, err
	}, "SELECT person, max(at) FROM inbound WHERE at > ? AND person <> 0 GROUP BY person", int64(now-unsettledFor)); err != nil {
		return err
	}
	_, err = query(ctx, w.conn, func(s scanner) (struct{}, error) {
		var who int64
		var at wa.Instant
		err := s.Scan(&who, &at)
		w.homeless[who] = at
		return struct{}{}, err
	}, "SELECT person, at FROM opt_out WHERE campaign = 0 AND at > ?", int64(now-attributable))
	return err
}

// loadMoved reads the names that people gave up, and the limits of accounts.
func (w *writer) loadMoved(ctx context.Context) error {
	if _, err := query(ctx, w.conn, func(s scanner) (struct{}, error) {
		var name string
		var f former
		err := s.Scan(&name, &f.person, &f.until)
		w.formers[name] = append(w.formers[name], f)
		return struct{}{}, err
	}, "SELECT name, person, until FROM former_name"); err != nil {
		return err
	}
	_, err := query(ctx, w.conn, func(s scanner) (struct{}, error) {
		var id string
		var l accountLimit
		err := s.Scan(&id, &l.limit, &l.at)
		w.limits[id] = l
		return struct{}{}, err
	}, "SELECT id, msg_limit, limit_at FROM account")
	return err
}

func lastID(ctx context.Context, c *sql.Conn, column, table string, to *int64) error {
	return c.QueryRowContext(ctx, "SELECT coalesce(max("+column+"), 0) FROM "+table).Scan(to)
}

// querier is a connection, of the writer or of a reader.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

func query[T any](ctx context.Context, q querier, read func(scanner) (T, error), text string, args ...any) ([]T, error) {
	rows, err := q.QueryContext(ctx, text, args...)
	if err != nil {
		return nil, err
	}
	return collect(rows, read)
}

func readCampaigns(ctx context.Context, q querier) ([]*campaign, error) {
	all, err := query(ctx, q, func(s scanner) (*campaign, error) {
		c := &campaign{}
		n := &c.counts
		return c, s.Scan(&c.id, &c.key, &c.name, &c.kind, &c.number, &c.firstMessage, &c.runFrom, &c.runTo, &c.latest,
			&n.Messages, &n.Sent, &n.Delivered, &n.Read, &n.Failed, &n.Withheld, &n.Refusers, &n.OptOuts,
			&n.Paced, &n.Waiting, &n.SetAside, &n.Claimed, &n.Unknown, &n.Cancelled, &n.Refused, &c.template)
	}, `SELECT id, key, name, kind, number, first_message, run_from, run_to, latest,
		messages, sent, delivered, read, failed, withheld, refusers, opt_outs,
		paced, waiting, set_aside, claimed, unknown, cancelled, refused, coalesce((SELECT template FROM watch WHERE campaign = c.id), '') FROM campaign c ORDER BY id`)
	if err != nil {
		return nil, err
	}
	byID := make(map[int64]*campaign, len(all))
	for _, c := range all {
		byID[c.id] = c
	}
	_, err = query(ctx, q, func(s scanner) (struct{}, error) {
		var id int64
		var row int64
		var number string
		err := s.Scan(&id, &row, &number)
		if c := byID[id]; c != nil {
			c.numbers = append(c.numbers, row)
			if number != "" {
				c.senders = append(c.senders, number)
			}
		}
		return struct{}{}, err
	}, "SELECT cn.campaign, n.id, n.number_id FROM campaign_number cn JOIN number n ON n.id = cn.number ORDER BY cn.campaign, cn.number")
	return all, err
}

func readNumbers(ctx context.Context, q querier) ([]*number, error) {
	return query(ctx, q, func(s scanner) (*number, error) {
		n := &number{}
		return n, s.Scan(&n.id, &n.ID, &n.Display, &n.Quality, &n.Status, &n.Limit, &n.Since, &n.StatusAt, &n.LimitAt, &n.folding, &n.account,
			&n.Throughput, &n.QualityAt)
	}, `SELECT id, number_id, display, quality, status, msg_limit, since, status_at, limit_at, folding, account, throughput, quality_at FROM number ORDER BY id`)
}

func readTemplates(ctx context.Context, q querier) ([]wa.Template, error) {
	return query(ctx, q, func(s scanner) (t wa.Template, err error) {
		return t, s.Scan(&t.ID, &t.Name, &t.Language, &t.Category, &t.Status, &t.Reason, &t.Quality, &t.PausedUntil, &t.Since, &t.StatusAt, &t.QualityAt, &t.CategoryAt)
	}, `SELECT id, name, language, category, status, reason, quality, paused_until, since, status_at, quality_at, category_at FROM template ORDER BY id`)
}

func readTitles(ctx context.Context, q querier) (map[int]string, error) {
	titles := map[int]string{}
	_, err := query(ctx, q, func(s scanner) (struct{}, error) {
		var code int
		var title string
		err := s.Scan(&code, &title)
		titles[code] = title
		return struct{}{}, err
	}, "SELECT code, title FROM code_title")
	return titles, err
}

func readFeed(ctx context.Context, q querier) (f Feed, seq int64, err error) {
	return f, seq, q.QueryRowContext(ctx, "SELECT commits, posts, refused, not_understood, updates, duplicates, last_event_at FROM feed").
		Scan(&seq, &f.Posts, &f.Refused, &f.NotUnderstood, &f.Updates, &f.Duplicates, &f.LastEventAt)
}

// State is everything that a monitor starts from.
type State struct {
	Seq       int64 // of the latest commit
	Feed      Feed
	Campaigns []Campaign
	Numbers   []wa.Number
	Templates []wa.Template
	Health    []Health
	Titles    map[int]string // titles of error codes, as Meta gave them
	Alarms    []Alarm        // open ones, and the latest cleared
	LastAlarm int64          // the highest ID that any alarm has
	Actions   []Action       // the latest
}

// Load reads the state as of the latest commit.
func (s *Store) Load(ctx context.Context) (st State, err error) {
	tx, err := s.view(ctx, func(w *writer) error { st.Seq = w.seq; return w.settleAll() })
	if err != nil {
		return st, fmt.Errorf("reading the store: %w", err)
	}
	defer tx.end()
	campaigns, err := readCampaigns(ctx, tx)
	if err != nil {
		return st, fmt.Errorf("reading campaigns: %w", err)
	}
	for _, c := range campaigns {
		st.Campaigns = append(st.Campaigns, c.view())
	}
	numbers, err := readNumbers(ctx, tx)
	if err != nil {
		return st, fmt.Errorf("reading numbers: %w", err)
	}
	for _, n := range numbers {
		st.Numbers = append(st.Numbers, n.Number)
	}
	if st.Templates, err = readTemplates(ctx, tx); err != nil {
		return st, fmt.Errorf("reading templates: %w", err)
	}
	health, err := readHealth(ctx, tx)
	if err != nil {
		return st, fmt.Errorf("reading health: %w", err)
	}
	for _, h := range health {
		st.Health = append(st.Health, h)
	}
	if st.Titles, err = readTitles(ctx, tx); err != nil {
		return st, fmt.Errorf("reading error titles: %w", err)
	}
	if st.Feed, _, err = readFeed(ctx, tx); err != nil {
		return st, fmt.Errorf("reading the feed's counts: %w", err)
	}
	if st.Alarms, err = readAlarms(ctx, tx); err != nil {
		return st, fmt.Errorf("reading alarms: %w", err)
	}
	if err := tx.QueryRowContext(ctx, "SELECT coalesce(max(id), 0) FROM alarm").Scan(&st.LastAlarm); err != nil {
		return st, fmt.Errorf("reading alarms: %w", err)
	}
	if st.Actions, err = readActions(ctx, tx); err != nil {
		return st, fmt.Errorf("reading actions: %w", err)
	}
	return st, nil
}
