package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"tickwatch/wa"
)

// group is the work of one commit. Everything it changes it changes in copies;
// remember hands them to the writer once they are on disk.
type group struct {
	w    *writer
	ctx  context.Context //nolint:containedctx // a group lives for one call
	conn *sql.Conn
	next ids
	seq  int64 // of this commit; the latest one's, when there is no news in it

	feed      Feed                // difference
	raw       int64               // id of the post that is being applied; 0 = none is
	bodies    []*wa.Post          // those to be kept
	decided   map[string]decision // by wamid, when posts are read again after a crash; else nil
	messages  map[string]*touched // by wamid
	byRow     map[int64]*touched
	order     []*touched // as they became part of the group
	people    people     // read, changed or new
	vanished  map[int64]bool
	campaigns map[int64]*campaign // changed or new
	gone      []*campaign
	numbers   numbers // changed or new
	templates map[int64]wa.Template
	titles    map[int]string
	accounts  []wa.AccountUpdate
	faults    []wa.Fault
	tallies   map[int64]*Tally          // differences to what is known, by campaign
	totals    map[int64]*Tally          // differences to what is stored
	oldest    wa.Instant                // receipt of its oldest signed post
	heard     map[int64]map[int64]Heard // see CampaignChange.Heard, by campaign
	failed    map[int64]map[int]int64   // see CampaignChange.Failed, by campaign
	entries   map[indexKind][]entry
	renamed   map[int64]int64 // people who turned out to be someone known
	byPerson  map[int64][]*touched
	byKey     map[string]*campaign      // campaigns, by key
	newRuns   map[int64][]int64         // campaigns of kind run, by number
	homeless  map[int64]wa.Instant      // see writer; 0 = found a campaign
	wrote     map[int64]wa.Instant      // people who wrote, and when they last did
	again     map[int64]bool            // people of whom it is judged anew what they wrote
	engaged   map[int64]bool            // campaigns of which other is known of what people do after their messages
	formers   map[string][]former       // names given up
	struck    map[int64]map[string]bool // messages to take out of raw bodies
	alerts    []wa.AccountAlert
	edits     []wa.TemplateEdit
	names     []wa.NameUpdate
	security  []wa.SecurityUpdate
	health    map[entity]Health       // changed
	compared  int                     // comparisons of templates that were told
	limits    map[string]accountLimit // changed, by account
	watches   map[int64]*watch        // changed, by campaign
	plans     map[int64]*plan         // changed, by campaign
	attempts  map[int64]*attempt      // opened or changed; nil = closed
	fallbacks fallbacks               // changed; counts are differences
	listed    [nameKinds]int64        // by how many the entries of the suppression list change, by kind
	listing   map[uint64][]int64      // those that are added, by hash
	seeds     map[string]int64        // see writer
	seeded    map[int64]bool          // campaigns whose seeds changed
	redoing   wa.Instant              // the moment of the deed that is done again; 0 = of now
}

// touched is a message before and after the group.
type touched struct {
	was   message // as it was known; was.progress.Seen == 0 for a new one
	now   message
	raw   int64 // the post by which it became part of the group
	fresh bool  // not known before
	pin   bool  // other rows of this commit name it: its own must not lag
}

func newGroup(ctx context.Context, w *writer) *group {
	return &group{
		w: w, ctx: ctx, conn: w.conn, next: w.nextID, seq: w.seq,
		messages:  map[string]*touched{},
		byRow:     map[int64]*touched{},
		people:    newPeople(),
		vanished:  map[int64]bool{},
		totals:    map[int64]*Tally{},
		heard:     map[int64]map[int64]Heard{},
		failed:    map[int64]map[int]int64{},
		entries:   map[indexKind][]entry{},
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
		wrote:     map[int64]wa.Instant{},
		again:     map[int64]bool{},
		engaged:   map[int64]bool{},
		formers:   map[string][]former{},
		struck:    map[int64]map[string]bool{},
		limits:    map[string]accountLimit{},
		health:    map[entity]Health{},
		watches:   map[int64]*watch{},
		plans:     map[int64]*plan{},
		attempts:  map[int64]*attempt{},
		fallbacks: newFallbacks(),
		listing:   map[uint64][]int64{},
		seeds:     map[string]int64{},
		seeded:    map[int64]bool{},
	}
}

// post applies one webhook delivery.
func (g *group) post(p *wa.Post) error {
	g.raw = take(&g.next.raw)
	raw := g.raw
	g.bodies = append(g.bodies, p)
	if wa.Beside(p.Source) {
		return g.beside(raw, p)
	}
	if g.oldest == 0 || p.ReceivedAt < g.oldest {
		g.oldest = p.ReceivedAt
	}
	g.feed.add(&Feed{Posts: 1, NotUnderstood: int64(p.NotUnderstood), Updates: int64(p.Updates()), LastEventAt: p.ReceivedAt})
	if err := g.statuses(p); err != nil {
		return err
	}
	for i := range p.Inbound {
		if err := g.inbound(raw, p.ReceivedAt, &p.Inbound[i]); err != nil {
			return fmt.Errorf("storing an inbound message: %w", err)
		}
	}
	for i := range p.Echoes {
		if err := g.echo(p.ReceivedAt, &p.Echoes[i]); err != nil {
			return fmt.Errorf("storing an echo: %w", err)
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

// beside applies a delivery of another channel's provider.
func (g *group) beside(raw int64, p *wa.Post) error {
	for i := range p.Receipts {
		if err := g.receipt(p.ReceivedAt, &p.Receipts[i]); err != nil {
			return fmt.Errorf("storing a receipt: %w", err)
		}
	}
	for i := range p.Replies {
		if err := g.reply(raw, p.ReceivedAt, &p.Replies[i]); err != nil {
			return fmt.Errorf("storing a reply: %w", err)
		}
	}
	return nil
}

func (g *group) statuses(p *wa.Post) error {
	for i := range p.Statuses {
		if err := g.status(p.ReceivedAt, &p.Statuses[i]); err != nil {
			return fmt.Errorf("storing a status: %w", err)
		}
	}
	return nil
}

// status applies one status to its message.
func (g *group) status(received wa.Instant, u *wa.StatusUpdate) error {
	at := wa.Believe(u.At, received)
	if seed, err := g.seedStatus(u, at); seed || err != nil {
		return err
	}
	m, err := g.message(u, at)
	if err != nil {
		return err
	}
	before := m.now.progress
	next, fresh := before.Climb(u.Status, at, u.Code)
	if u.Pricing.Template() {
		next = next.Template()
	}
	m.now.progress = next
	if next.Code != before.Code || next.CodeAt != before.CodeAt { // the text goes with the code
		if err := g.failureText(m, u); err != nil {
			return err
		}
	}
	if u.Participant != "" {
		m.pin = true
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
	}
	return nil
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

func (g *group) failureText(t *touched, u *wa.StatusUpdate) error {
	t.now.details, t.now.told = bounded(u.Details), true
	if _, known := g.w.titles[u.Code]; known || u.Title == "" || g.titles[u.Code] != "" {
		return nil
	}
	g.titles[u.Code] = bounded(u.Title)
	_, err := g.conn.ExecContext(g.ctx, "INSERT OR IGNORE INTO code_title VALUES (?, ?)", u.Code, g.titles[u.Code])
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

// tally is what the group changes of what is known of a campaign, total of what is stored.
func (g *group) tally(campaign int64) *Tally { return tallyOf(g.tallies, campaign) }
func (g *group) total(campaign int64) *Tally { return tallyOf(g.totals, campaign) }

func tallyOf(all map[int64]*Tally, campaign int64) *Tally {
	t := all[campaign]
	if t == nil {
		t = &Tally{}
		t.init()
		all[campaign] = t
	}
	return t
}

// index adds an entry for a row that this group writes; indexLate, for one that
// may have been written before.
func (g *group) index(kind indexKind, hash uint64, row int64) {
	g.entries[kind] = append(g.entries[kind], entry{hash, row})
}

// indexRow adds the entry of a row that is being written. An id may have been
// given out long before its row is written, and the index gone on beyond it.
func (g *group) indexRow(kind indexKind, hash uint64, row int64) error {
	if x := g.w.indexes[kind]; row <= max(x.mark, x.marking) {
		return g.indexLate(kind, hash, row)
	}
	g.index(kind, hash, row)
	return nil
}

func (g *group) indexLate(kind indexKind, hash uint64, row int64) error {
	g.index(kind, hash, row)
	_, err := g.conn.ExecContext(g.ctx, "INSERT OR IGNORE INTO index_late VALUES (?, ?, ?)", int(kind), int64(hash), row) //nolint:gosec // all 64 bits, as SQLite keeps them
	return err
}

func take(next *int64) int64 {
	*next++
	return *next
}
