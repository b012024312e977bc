package store

import (
	"cmp"
	"strings"

	"tickwatch/wa"
)

// number is a business number as the writer knows it.
type number struct {
	wa.Number
	id      int64
	account string // WhatsApp Business Account that it belongs to; "" = not told
	folding bool   // its callback data proved unique to each message
}

// label names the number for people.
func (n *number) label() string {
	if n.Display != "" {
		return "+" + n.Display
	}
	return cmp.Or(n.ID, "an unknown number")
}

// numbers finds business numbers. One that was told of by its digits alone, as
// a quality webhook does, learns its id from the first message that names both.
type numbers struct {
	row    map[int64]*number
	byID   map[string]*number // phone_number_id
	digits map[string]*number // with an id or without; "" for the one that nobody named
}

func newNumbers() numbers {
	return numbers{map[int64]*number{}, map[string]*number{}, map[string]*number{}}
}

func (all *numbers) keep(n *number) {
	all.row[n.id] = n
	if n.ID != "" {
		all.byID[n.ID] = n
	}
	// Of two with the same digits, the one that has an id stands for them.
	if had := all.digits[n.Display]; had == nil || had.id == n.id || had.ID == "" {
		all.digits[n.Display] = n
	}
	if had := all.digits[""]; had != nil && had.id == n.id && (n.ID != "" || n.Display != "") {
		delete(all.digits, "")
	}
}

// numberByRow gives the group's copy of a number.
func (g *group) numberByRow(id int64) *number {
	if n := g.numbers.row[id]; n != nil {
		return n
	}
	n := *g.w.numbers.row[id]
	return &n
}

// lookUpNumber finds a number by id, else one with these digits that has no
// other id; nil when there is none.
func (g *group) lookUpNumber(id, digits string) *number {
	if id != "" {
		if n := cmp.Or(g.numbers.byID[id], g.w.numbers.byID[id]); n != nil {
			return g.numberByRow(n.id)
		}
		if digits == "" {
			return nil // the nameless number is not this one
		}
	}
	n := cmp.Or(g.numbers.digits[digits], g.w.numbers.digits[digits])
	if n == nil {
		return nil
	}
	// The group may know more of it than the writer.
	if n = g.numberByRow(n.id); (id != "" && n.ID != "") || (digits == "" && (n.ID != "" || n.Display != "")) {
		return nil
	}
	return n
}

// number finds or makes the row of the business number that a webhook names.
func (g *group) number(s wa.Sender) (*number, error) {
	display := bounded(digits(s.Display))
	n := g.lookUpNumber(s.NumberID, display)
	if n == nil {
		n = &number{id: take(&g.next.number), Number: wa.Number{ID: strings.Clone(s.NumberID), Display: display}}
		g.numbers.keep(n)
		if _, err := g.conn.ExecContext(g.ctx, "INSERT INTO number (id, number_id, display) VALUES (?, ?, ?)", n.id, n.ID, n.Display); err != nil {
			return n, err
		}
	}
	if n.account == "" && s.AccountID != "" {
		if err := g.joinAccount(n, strings.Clone(s.AccountID)); err != nil {
			return n, err
		}
	}
	if (n.ID == "" && s.NumberID != "") || (n.Display == "" && display != "") {
		if n.Display == "" {
			if err := g.inherit(n, display); err != nil {
				return n, err
			}
		}
		n.ID, n.Display = cmp.Or(n.ID, strings.Clone(s.NumberID)), cmp.Or(n.Display, display)
		return n, g.writeNumber(n)
	}
	return n, nil
}

// inherit gives a number that was known by its id alone, as a campaign of ours
// names it, what webhooks told meanwhile of one with its digits alone.
func (g *group) inherit(n *number, digits string) error {
	other := cmp.Or(g.numbers.digits[digits], g.w.numbers.digits[digits])
	if digits == "" || other == nil || other.id == n.id || other.ID != "" {
		return nil
	}
	other = g.numberByRow(other.id)
	n.Quality, n.Limit, n.LimitAt = cmp.Or(n.Quality, other.Quality), cmp.Or(n.Limit, other.Limit), max(n.LimitAt, other.LimitAt)
	n.Status, n.StatusAt, n.Since = cmp.Or(n.Status, other.Status), max(n.StatusAt, other.StatusAt), max(n.Since, other.Since)
	_, err := g.conn.ExecContext(g.ctx, `DELETE FROM number WHERE id = ?1
		AND NOT EXISTS (SELECT 1 FROM campaign_number WHERE number = ?1) AND NOT EXISTS (SELECT 1 FROM inbound WHERE number = ?1)`, other.id)
	return err
}

func (g *group) writeNumber(n *number) error {
	g.numbers.keep(n)
	_, err := g.conn.ExecContext(g.ctx, "UPDATE number SET number_id = ?, display = ?, quality = ?, status = ?, msg_limit = ?, since = ?, status_at = ?, limit_at = ?, account = ?, throughput = ?, quality_at = ? WHERE id = ?",
		n.ID, n.Display, string(n.Quality), n.Status, string(n.Limit), int64(n.Since), int64(n.StatusAt), int64(n.LimitAt), n.account, n.Throughput, int64(n.QualityAt), n.id)
	return err
}

// maxText bounds the foreign texts that are kept beside the raw body, in bytes.
const maxText = 512

// bounded cuts a foreign text to maxText, and copies it: what a decoder gives
// may point into a body that is not ours to keep.
func bounded(s string) string {
	if len(s) <= maxText {
		return strings.Clone(s)
	}
	return strings.ToValidUTF8(s[:maxText], "") + "…"
}

func digits(s string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, s)
}

// standing applies news of templates, numbers and the account.
func (g *group) standing(raw int64, p *wa.Post) error {
	for _, u := range p.Templates {
		u.At = wa.Believe(u.At, p.ReceivedAt)
		if err := g.template(raw, u); err != nil {
			return err
		}
	}
	for _, u := range p.Numbers {
		u.At = wa.Believe(u.At, p.ReceivedAt)
		u.Limit, u.OldLimit, u.Event = wa.Limit(bounded(string(u.Limit))), wa.Limit(bounded(string(u.OldLimit))), bounded(u.Event)
		n, err := g.number(wa.Sender{AccountID: u.AccountID, Display: u.Display})
		if err != nil {
			return err
		}
		after := n.With(u)
		if after == n.Number {
			g.feed.Duplicates++
			continue
		}
		n.Number = after
		if err := g.writeNumber(n); err != nil {
			return err
		}
		if err := g.notice(raw, "number", u.At, u); err != nil {
			return err
		}
	}
	if err := g.accountNews(raw, p); err != nil {
		return err
	}
	for _, f := range p.Faults {
		bound(&f.AccountID, &f.NumberID, &f.Display, &f.Title, &f.Details)
		g.faults = append(g.faults, f)
		if err := g.notice(raw, "fault", p.ReceivedAt, f); err != nil {
			return err
		}
	}
	return nil
}

// templateNow is what the group knows of a template.
func (g *group) templateNow(id int64) wa.Template {
	t, changed := g.templates[id]
	if !changed {
		t = g.w.templates[id]
	}
	t.ID = id
	return t
}

func (g *group) writeTemplate(t *wa.Template) error {
	g.templates[t.ID] = *t
	_, err := g.conn.ExecContext(g.ctx, "INSERT OR REPLACE INTO template VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		t.ID, t.Name, t.Language, t.Category, t.Status, t.Reason, string(t.Quality), int64(t.PausedUntil), int64(t.Since),
		int64(t.StatusAt), int64(t.QualityAt), int64(t.CategoryAt))
	return err
}

func (g *group) template(raw int64, u wa.TemplateUpdate) error {
	before := g.templateNow(u.ID)
	for _, text := range [...]*string{
		&u.Name, &u.Language, &u.Category, &u.Event, &u.Reason, &u.InfoTitle, &u.InfoDescription,
		&u.Rejection, &u.Recommendation, &u.PreviousCategory, &u.NextCategory,
	} {
		*text = bounded(*text)
	}
	u.Quality = wa.Quality(bounded(string(u.Quality)))
	after := before.With(u)
	if after == before && u.NextCategory == "" {
		g.feed.Duplicates++
		return nil
	}
	if err := g.writeTemplate(&after); err != nil {
		return err
	}
	_, err := g.newNotice(raw, "template", u.At, u)
	return err
}
