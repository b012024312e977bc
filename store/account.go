package store

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"tickwatch/wa"
)

// accountLimit is what a business may do, by Meta's latest word.
type accountLimit struct {
	limit wa.Limit
	at    wa.Instant
}

// joinAccount notes whose a number is, and gives it the account's limit.
func (g *group) joinAccount(n *number, account string) error {
	n.account = account
	l, ok := g.limits[account]
	if !ok {
		l, ok = g.w.limits[account]
	}
	if ok {
		n.Number = n.With(wa.NumberUpdate{Limit: l.limit, At: l.at})
	}
	return g.writeNumber(n)
}

// maxParts bounds the restrictions of an account and the buttons of a template
// that are kept beside the raw body.
const maxParts = 64

func bound(texts ...*string) {
	for _, text := range texts {
		*text = bounded(*text)
	}
}

// accountNews applies news of accounts, and of templates and numbers that
// change no state of them.
func (g *group) accountNews(raw int64, p *wa.Post) error {
	for _, u := range p.Accounts {
		u.At = wa.Believe(u.At, p.ReceivedAt)
		bound(&u.AccountID, &u.Event, &u.Decision, &u.Violation, &u.BanState, &u.BanDate)
		u.Facts = slices.Clone(u.Facts[:min(len(u.Facts), maxParts)])
		for i := range u.Facts {
			bound(&u.Facts[i].Key, &u.Facts[i].Value)
		}
		u.Restrictions = slices.Clone(u.Restrictions[:min(len(u.Restrictions), maxParts)])
		for i := range u.Restrictions {
			r := &u.Restrictions[i]
			bound(&r.Type, &r.Remedy, &r.NumberHint)
		}
		fresh, err := g.newNotice(raw, "account", u.At, u)
		if err != nil {
			return err
		}
		if fresh {
			g.accounts = append(g.accounts, u)
		}
	}
	for _, u := range p.Alerts {
		u.At = wa.Believe(u.At, p.ReceivedAt)
		bound(&u.AccountID, &u.EntityID, &u.EntityType, &u.Severity, &u.Status, &u.Type, &u.Description)
		fresh, err := g.newNotice(raw, "alert", u.At, u)
		if err != nil {
			return err
		}
		if fresh {
			g.alerts = append(g.alerts, u)
		}
	}
	for _, u := range p.Capabilities {
		u.At = wa.Believe(u.At, p.ReceivedAt)
		fresh, err := g.newNotice(raw, "capability", u.At, u)
		if err == nil && fresh {
			err = g.capability(u)
		}
		if err != nil {
			return err
		}
	}
	for _, u := range p.Edits {
		u.At = wa.Believe(u.At, p.ReceivedAt)
		bound(&u.Name, &u.Language, &u.Title, &u.Body, &u.Footer)
		u.Buttons = slices.Clone(u.Buttons[:min(len(u.Buttons), maxParts)])
		for i := range u.Buttons {
			b := &u.Buttons[i]
			bound(&b.Type, &b.Text, &b.URL, &b.Phone)
		}
		fresh, err := g.newNotice(raw, "components", u.At, u)
		if err != nil {
			return err
		}
		if fresh {
			g.edits = append(g.edits, u)
		}
	}
	for _, u := range p.Names {
		u.At = wa.Believe(u.At, p.ReceivedAt)
		bound(&u.AccountID, &u.Display, &u.Decision, &u.Name, &u.Reason)
		fresh, err := g.newNotice(raw, "number_name", u.At, u)
		if err != nil {
			return err
		}
		if fresh {
			g.names = append(g.names, u)
		}
	}
	for _, u := range p.Security {
		u.At = wa.Believe(u.At, p.ReceivedAt)
		bound(&u.AccountID, &u.Display, &u.Event, &u.Requester)
		fresh, err := g.newNotice(raw, "security", u.At, u)
		if err != nil {
			return err
		}
		if fresh {
			g.security = append(g.security, u)
		}
	}
	for _, u := range p.Actions {
		u.At = wa.Believe(u.At, p.ReceivedAt)
		bound(&u.Type, &u.Component, &u.ClickID, &u.Token, &u.Product)
		if _, err := g.newNotice(raw, "action", u.At, u); err != nil {
			return err
		}
	}
	return nil
}

// capability gives an account's numbers the limit that it has now.
func (g *group) capability(u wa.CapabilityUpdate) error {
	l := accountLimit{wa.Limit(bounded(string(cmp.Or(u.Limit, u.NumberLimit)))), u.At}
	if before, ok := g.limits[u.AccountID]; l.limit == "" || u.AccountID == "" || (ok && before.at > l.at) || g.w.limits[u.AccountID].at > l.at {
		return nil
	}
	g.limits[strings.Clone(u.AccountID)] = l
	if _, err := g.conn.ExecContext(g.ctx, "INSERT OR REPLACE INTO account VALUES (?, ?, ?)", u.AccountID, string(l.limit), int64(l.at)); err != nil {
		return err
	}
	rows := maps.Clone(g.w.numbers.row)
	maps.Copy(rows, g.numbers.row)
	for _, id := range slices.Sorted(maps.Keys(rows)) {
		n := g.numberByRow(id)
		if n.account != u.AccountID {
			continue
		}
		n.Number = n.With(wa.NumberUpdate{Limit: l.limit, At: l.at})
		if err := g.writeNumber(n); err != nil {
			return err
		}
	}
	return nil
}
