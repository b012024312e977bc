package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"tickwatch/wa"
)

// group is the work of one commit. Everything it changes it changes in copies;
// remember hands them to the writer once they are on disk.
type group struct {
	w    *writer
	ctx  context.Context //nolint:containedctx // a group lives for one call
	conn *sql.Conn
	next ids

	feed      Feed                // difference
	messages  map[string]*touched // by wamid
	byRow     map[int64]*touched
	campaigns map[int64]*campaign // changed or new
	gone      []*campaign
	numbers   numbers // changed or new
	templates map[int64]wa.Template
	titles    map[int]string
	accounts  []wa.AccountUpdate
	faults    []wa.Fault
	tallies   map[int64]*Tally // differences, by campaign
	renamed   map[int64]int64  // people who turned out to be someone known
	byPerson  map[int64][]*touched
	byKey     map[string]*campaign      // campaigns, by key
	newRuns   map[int64][]int64         // campaigns of kind run, by number
	homeless  map[int64]wa.Instant      // see writer; 0 = found a campaign
	formers   map[string][]former       // names given up
	struck    map[int64]map[string]bool // messages to take out of raw bodies
	alerts    []wa.AccountAlert
	limits    map[string]accountLimit // changed, by account
}

// touched is a message before and after the group.
type touched struct {
	was   message // as stored; was.progress.Seen == 0 for a new one
	now   message
	fresh bool // not stored yet
}

func newGroup(ctx context.Context, w *writer) *group {
	return &group{
		w: w, ctx: ctx, conn: w.conn, next: w.nextID,
		messages:  map[string]*touched{},
		byRow:     map[int64]*touched{},
		campaigns: map[int64]*campaign{},
		numbers:   newNumbers(),
		templates: map[int64]wa.Template{},
		titles:    map[int]string{},
		tallies:   map[int64]*Tally{},
		renamed:   map[int64]int64{},
		byPerson:  map[int64][]*touched{},
		byKey:     map[string]*campaign{},
		newRuns:   map[int64][]int64{},
		homeless:  map[int64]wa.Instant{},
		formers:   map[string][]former{},
		struck:    map[int64]map[string]bool{},
		limits:    map[string]accountLimit{},
	}
}

// post applies one webhook delivery.
func (g *group) post(p *wa.Post) error {
	raw := take(&g.next.raw)
	if _, err := g.w.stmts.raw.ExecContext(g.ctx, raw, int64(p.ReceivedAt), p.Source, p.Body); err != nil {
		return fmt.Errorf("keeping the raw body: %w", err)
	}
	g.feed.add(&Feed{Posts: 1, NotUnderstood: int64(p.NotUnderstood), Updates: int64(p.Updates()), LastEventAt: p.ReceivedAt})
	for i := range p.Statuses {
		if err := g.status(raw, p.ReceivedAt, &p.Statuses[i]); err != nil {
			return fmt.Errorf("storing a status: %w", err)
		}
	}
	for i := range p.Inbound {
		if err := g.inbound(raw, p.ReceivedAt, &p.Inbound[i]); err != nil {
			return fmt.Errorf("storing an inbound message: %w", err)
		}
	}
	for i := range p.Deletions {
		if err := g.deletion(raw, p.ReceivedAt, &p.Deletions[i]); err != nil {
			return fmt.Errorf("deleting a message that its sender deleted: %w", err)
		}
	}
	for i := range p.Preferences {
		if err := g.preference(raw, p.ReceivedAt, &p.Preferences[i]); err != nil {
			return fmt.Errorf("storing a preference: %w", err)
		}
	}
	if err := g.standing(raw, p); err != nil {
		return fmt.Errorf("storing news of a template, number or account: %w", err)
	}
	return nil
}

// status applies one status to its message.
func (g *group) status(raw int64, received wa.Instant, u *wa.StatusUpdate) error {
	at := wa.Believe(u.At, received)
	m, err := g.message(u, at)
	if err != nil {
		return err
	}
	before := m.now.progress
	next, fresh := before.Climb(u.Status, at, u.Code)
	m.now.progress = next
	if next.Code != before.Code || next.CodeAt != before.CodeAt { // the text goes with the code
		if err := g.failureText(m.now.id, u); err != nil {
			return err
		}
	}
	if u.Participant != "" {
		if fresh, err = g.participant(m.now.id, u); err != nil {
			return err
		}
	}
	if !toGroup(u) {
		if err := g.identify(m, u.Person, at); err != nil {
			return err
		}
	}
	if !fresh {
		g.feed.Duplicates++
		return nil
	}
	_, err = g.w.stmts.event.ExecContext(g.ctx, take(&g.next.event), raw, m.now.id, int(u.Status), int64(at), u.Code)
	return err
}

// participant notes a group member's receipt; false when it was known.
func (g *group) participant(id int64, u *wa.StatusUpdate) (fresh bool, err error) {
	var seen int
	err = g.conn.QueryRowContext(g.ctx, "SELECT seen FROM group_receipt WHERE message = ? AND participant = ?", id, u.Participant).Scan(&seen)
	if err != nil && !missing(err) {
		return false, err
	}
	bit := 1 << u.Status
	if seen&bit != 0 {
		return false, nil
	}
	_, err = g.conn.ExecContext(g.ctx, "INSERT OR REPLACE INTO group_receipt VALUES (?, ?, ?)", id, u.Participant, seen|bit)
	return true, err
}

func (g *group) failureText(id int64, u *wa.StatusUpdate) error {
	if _, known := g.w.titles[u.Code]; !known && u.Title != "" && g.titles[u.Code] == "" {
		g.titles[u.Code] = bounded(u.Title)
		if _, err := g.conn.ExecContext(g.ctx, "INSERT OR IGNORE INTO code_title VALUES (?, ?)", u.Code, g.titles[u.Code]); err != nil {
			return err
		}
	}
	_, err := g.w.stmts.failureText.ExecContext(g.ctx, id, bounded(u.Details))
	return err
}

// knownNotice names the terms of the index notice_standing.
const knownNotice = `SELECT EXISTS (SELECT 1 FROM notice
	WHERE kind NOT IN ('inbound', 'preference') AND kind = ? AND at = ? AND body = ?)`

// newNotice appends an event, unless Meta repeats it: the same was told of the
// same moment. It cannot be for inbound messages and preferences.
func (g *group) newNotice(raw int64, kind string, at wa.Instant, v any) (bool, error) {
	body, err := json.Marshal(v)
	if err != nil {
		return false, err
	}
	var known bool
	if err := g.conn.QueryRowContext(g.ctx, knownNotice, kind, int64(at), string(body)).Scan(&known); err != nil {
		return false, err
	}
	if known {
		g.feed.Duplicates++
		return false, nil
	}
	return true, g.notice(raw, kind, at, v)
}

// notice appends an event that is no status.
func (g *group) notice(raw int64, kind string, at wa.Instant, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = g.w.stmts.notice.ExecContext(g.ctx, take(&g.next.notice), raw, kind, int64(at), string(body))
	return err
}

// flush writes what the group changed, messages in order of their ids so that
// neighbours meet on the same page, and says what changed.
func (g *group) flush() (*Change, error) {
	if err := g.strikeAll(); err != nil {
		return nil, fmt.Errorf("deleting messages that their senders deleted: %w", err)
	}
	if err := g.foldLoneKeys(); err != nil {
		return nil, fmt.Errorf("sorting out campaigns: %w", err)
	}
	changed := make([]*touched, 0, len(g.messages))
	for _, m := range g.messages {
		// What a merge of people changed of a stored message is stored already.
		m.was.person, m.now.person = g.is(m.was.person), g.is(m.now.person)
		if m.fresh || m.now != m.was {
			changed = append(changed, m)
		}
	}
	slices.SortFunc(changed, func(a, b *touched) int { return cmp.Compare(a.now.id, b.now.id) })
	for _, m := range changed {
		if err := g.writeMessage(m); err != nil {
			return nil, fmt.Errorf("writing a message: %w", err)
		}
		if !m.fresh {
			g.tally(m.was.campaign).count(m.was.progress, -1)
		}
		g.tally(m.now.campaign).count(m.now.progress, 1)
	}
	change := &Change{Seq: g.w.seq + 1, Accounts: g.accounts, Alerts: g.alerts, Faults: g.faults, Titles: g.titles}
	gone := map[int64]bool{}
	for _, c := range g.gone {
		change.Gone = append(change.Gone, c.id)
		gone[c.id] = true
	}
	for _, id := range slices.Sorted(maps.Keys(g.tallies)) {
		if gone[id] {
			continue
		}
		cc, err := g.writeTally(id, g.tallies[id])
		if err != nil {
			return nil, fmt.Errorf("writing totals: %w", err)
		}
		change.Campaigns = append(change.Campaigns, cc)
	}
	for _, id := range slices.Sorted(maps.Keys(g.numbers.row)) {
		change.Numbers = append(change.Numbers, g.numbers.row[id].Number)
	}
	for _, id := range slices.Sorted(maps.Keys(g.templates)) {
		change.Templates = append(change.Templates, g.templates[id])
	}
	change.Feed = g.w.feed
	change.Feed.add(&g.feed)
	f := &change.Feed
	_, err := g.w.stmts.feed.ExecContext(g.ctx, change.Seq, f.Posts, f.Refused, f.NotUnderstood, f.Updates, f.Duplicates, int64(f.LastEventAt))
	return change, err
}

// remember hands the group's changes to the writer, after the commit.
func (g *group) remember() {
	w := g.w
	w.nextID = g.next
	w.seq++
	w.feed.add(&g.feed)
	for _, m := range g.messages {
		w.recent.put(m.now)
	}
	maps.Copy(w.renamed, g.renamed)
	w.keepFormers(g.formers)
	maps.Copy(w.limits, g.limits)
	if len(w.renamed) > generation { // only recent messages name people by what they were once
		for _, all := range w.formers {
			for i := range all {
				all[i].person = g.is(all[i].person)
			}
		}
		w.renamed, w.recent = map[int64]int64{}, recent{}
	}
	for person, at := range g.homeless {
		if at == 0 {
			delete(w.homeless, person)
		} else {
			w.homeless[person] = at
		}
	}
	for _, c := range g.campaigns {
		w.keepCampaign(c)
	}
	for _, c := range g.gone {
		w.dropCampaign(c)
	}
	for _, n := range g.numbers.row {
		w.numbers.keep(n)
	}
	maps.Copy(w.templates, g.templates)
	maps.Copy(w.titles, g.titles)
}

func (g *group) tally(campaign int64) *Tally {
	t := g.tallies[campaign]
	if t == nil {
		t = &Tally{}
		t.init()
		g.tallies[campaign] = t
	}
	return t
}

func take(next *int64) int64 {
	*next++
	return *next
}
