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
	folding bool // its callback data proved unique to each message
}

// label names the number for people.
func (n *number) label() string {
	if n.Display != "" {
		return "+" + n.Display
	}
	return cmp.Or(n.ID, "an unknown number")
}

func (w *writer) keepNumber(n *number) {
	w.numberRow[n.id] = n
	if n.ID != "" {
		w.numbers["id:"+n.ID] = n
	}
	if n.Display != "" || n.ID == "" {
		w.numbers["display:"+n.Display] = n
	}
}

// numberByRow gives the group's copy of a number.
func (g *group) numberByRow(id int64) *number {
	if n := g.numbers[id]; n != nil {
		return n
	}
	n := *g.w.numberRow[id]
	return &n
}

// lookUpNumber finds a number by phone_number_id, or by its digits.
func (g *group) lookUpNumber(id, display string) *number {
	for _, n := range g.numbers {
		if (id != "" && n.ID == id) || (n.Display == display && (id == "" || n.ID == "")) {
			return n
		}
	}
	if id != "" {
		if n := g.w.numbers["id:"+id]; n != nil {
			return g.numberByRow(n.id)
		}
	}
	if n := g.w.numbers["display:"+display]; n != nil && (id == "" || n.ID == "") {
		return g.numberByRow(n.id)
	}
	return nil
}

// number finds or makes the row of the business number that a webhook names. A
// number that was known by its digits only learns its id here.
func (g *group) number(s wa.Sender) (*number, error) {
	display := digits(s.Display)
	n := g.lookUpNumber(s.NumberID, display)
	if n == nil {
		n = &number{id: take(&g.next.number), Number: wa.Number{ID: strings.Clone(s.NumberID), Display: display}}
		g.numbers[n.id] = n
		_, err := g.conn.ExecContext(g.ctx, "INSERT INTO number (id, number_id, display) VALUES (?, ?, ?)", n.id, n.ID, n.Display)
		return n, err
	}
	if (n.ID == "" && s.NumberID != "") || (n.Display == "" && display != "") {
		n.ID, n.Display = cmp.Or(n.ID, s.NumberID), cmp.Or(n.Display, display)
		return n, g.writeNumber(n)
	}
	return n, nil
}

func (g *group) writeNumber(n *number) error {
	g.numbers[n.id] = n
	_, err := g.conn.ExecContext(g.ctx, "UPDATE number SET number_id = ?, display = ?, quality = ?, status = ?, msg_limit = ?, since = ?, status_at = ?, limit_at = ? WHERE id = ?",
		n.ID, n.Display, string(n.Quality), n.Status, string(n.Limit), int64(n.Since), int64(n.StatusAt), int64(n.LimitAt), n.id)
	return err
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
		n, err := g.number(wa.Sender{Display: u.Display})
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
	for _, u := range p.Accounts {
		u.At = wa.Believe(u.At, p.ReceivedAt)
		g.accounts = append(g.accounts, u)
		if err := g.notice(raw, "account", u.At, u); err != nil {
			return err
		}
	}
	for _, f := range p.Faults {
		g.faults = append(g.faults, f)
		if err := g.notice(raw, "fault", p.ReceivedAt, f); err != nil {
			return err
		}
	}
	return nil
}

func (g *group) template(raw int64, u wa.TemplateUpdate) error {
	before, known := g.templates[u.ID]
	if !known {
		before = g.w.templates[u.ID]
	}
	after := before.With(u)
	after.ID = u.ID
	if after == before {
		g.feed.Duplicates++
		return nil
	}
	g.templates[u.ID] = after
	if _, err := g.conn.ExecContext(g.ctx, "INSERT OR REPLACE INTO template VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		after.ID, after.Name, after.Language, after.Category, after.Status, after.Reason, string(after.Quality), int64(after.PausedUntil), int64(after.Since),
		int64(after.StatusAt), int64(after.QualityAt)); err != nil {
		return err
	}
	return g.notice(raw, "template", u.At, u)
}
