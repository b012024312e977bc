package store

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"tickwatch/wa"
)

// Health is whether something that a send depends on can take part in it, and since
// when that is so.
type Health struct {
	wa.HealthEntity
	Since wa.Instant
}

// entity names what has a Health.
type entity struct{ kind, id string }

// Bounds of what is kept of one answer about health, and of answers.
const (
	maxHealth  = 2000
	maxReasons = 8
)

// Poll takes over what Meta answered about numbers, templates and the account. What
// it finds changed is an entry of the history each; the poll is one of the journal,
// so that a recording has it. What a webhook told later stands.
func (s *Store) Poll(ctx context.Context, p *wa.Poll) error {
	if err := s.submit(ctx, &request{weight: 1, group: func(g *group) error {
		if err := g.poll(p); err != nil {
			return err
		}
		return g.note(0, &Deed{Kind: DeedPolled, Poll: p})
	}}); err != nil {
		return fmt.Errorf("keeping what Meta answered: %w", err)
	}
	return nil
}

// redoPoll takes over a poll that a recording tells of.
func (g *group) redoPoll(d *Deed) error {
	p := d.Poll
	if p == nil { // as older recordings have it
		p = &wa.Poll{}
		for _, n := range d.Numbers {
			p.At = n.Since
			p.Numbers = append(p.Numbers, wa.PolledNumber{
				ID: n.ID, Display: n.Display, Quality: n.Quality, Status: n.Status, Limit: n.Limit, Throughput: n.Throughput,
			})
		}
	}
	if err := g.poll(p); err != nil {
		return err
	}
	return g.note(0, d)
}

func (g *group) poll(p *wa.Poll) error {
	for i := range p.Numbers {
		if err := g.polledNumber(p, &p.Numbers[i]); err != nil {
			return err
		}
	}
	for i := range p.Templates {
		if err := g.polledTemplate(p, &p.Templates[i]); err != nil {
			return err
		}
	}
	for i := range p.Health {
		if err := g.polledHealth(p, p.Health[i]); err != nil {
			return err
		}
	}
	for _, c := range p.Compared {
		c.Its.Reason, c.Others.Reason = bounded(c.Its.Reason), bounded(c.Others.Reason)
		if err := g.notice(0, NoticeCompared, p.At, c); err != nil {
			return err
		}
		g.compared++
	}
	return nil
}

func (g *group) polledNumber(p *wa.Poll, a *wa.PolledNumber) error {
	if a.ID == "" {
		return nil
	}
	n, err := g.number(wa.Sender{AccountID: p.Account, NumberID: a.ID, Display: a.Display})
	if err != nil {
		return err
	}
	told := *a
	told.Quality, told.Status, told.Limit = wa.Quality(bounded(string(a.Quality))), bounded(a.Status), wa.Limit(bounded(string(a.Limit)))
	was := n.Number
	n.Number = n.Answered(&told, p.Word())
	if n.Number == was {
		return nil
	}
	if err := g.writeNumber(n); err != nil {
		return err
	}
	return g.changes(p, wa.Changed{AccountID: p.Account, Number: n.ID, Display: n.Display}, []change{
		{wa.ChangedQuality, string(was.Quality), string(n.Quality)},
		{wa.ChangedStatus, was.Status, n.Status},
		{wa.ChangedLimit, string(was.Limit), string(n.Limit)},
		{wa.ChangedThroughput, perSecond(was.Throughput), perSecond(n.Throughput)},
	})
}

func perSecond(f float64) string {
	if f == 0 {
		return ""
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}

func (g *group) polledTemplate(p *wa.Poll, a *wa.PolledTemplate) error {
	if a.ID <= 0 {
		return nil
	}
	told := *a
	told.Quality = wa.Quality(bounded(string(a.Quality)))
	for _, text := range [...]*string{&told.Name, &told.Language, &told.Category, &told.Status} {
		*text = bounded(*text)
	}
	was := g.templateNow(a.ID)
	is := was.Answered(&told, p.Word())
	if is == was {
		return nil
	}
	if err := g.writeTemplate(&is); err != nil {
		return err
	}
	return g.changes(p, wa.Changed{AccountID: p.Account, Template: is.ID, Name: is.Name, Language: is.Language}, []change{
		{wa.ChangedQuality, string(was.Quality), string(is.Quality)},
		{wa.ChangedStatus, was.Status, is.Status},
		{wa.ChangedCategory, was.Category, is.Category},
	})
}

type change struct{ what, was, is string }

// changes notes what is otherwise than it was.
func (g *group) changes(p *wa.Poll, c wa.Changed, all []change) error {
	for _, x := range all {
		if x.was == x.is {
			continue
		}
		c.What, c.Was, c.Is = x.what, x.was, x.is
		if err := g.notice(0, NoticePolled, p.At, c); err != nil {
			return err
		}
	}
	return nil
}

// polledHealth keeps whether something can take part in a send.
func (g *group) polledHealth(p *wa.Poll, e wa.HealthEntity) error {
	key := entity{bounded(e.Type), bounded(e.ID)}
	was, known := g.health[key]
	if !known {
		was, known = g.w.health[key]
	}
	if e.CanSend == "" || !known && len(g.w.health)+len(g.health) >= maxHealth {
		return nil
	}
	is := wa.HealthEntity{Type: key.kind, ID: key.id, CanSend: bounded(e.CanSend)}
	for _, s := range e.Info[:min(len(e.Info), maxReasons)] {
		is.Info = append(is.Info, bounded(s))
	}
	for _, f := range e.Errors[:min(len(e.Errors), maxReasons)] {
		is.Errors = append(is.Errors, wa.HealthError{Code: f.Code, Description: bounded(f.Description), Solution: bounded(f.Solution)})
	}
	if known && reflect.DeepEqual(was.HealthEntity, is) {
		return nil
	}
	now := Health{is, p.Word()}
	g.health[key] = now
	body, err := json.Marshal(is)
	if err != nil {
		return err
	}
	if _, err := g.conn.ExecContext(g.ctx, "INSERT OR REPLACE INTO health VALUES (?, ?, ?, ?)", key.kind, key.id, int64(now.Since), string(body)); err != nil {
		return err
	}
	if !known && is.CanSend == wa.CanSend {
		return nil // that all is well is no news
	}
	return g.notice(0, NoticePolled, p.At, g.healthChange(p, &was.HealthEntity, &is))
}

func (g *group) healthChange(p *wa.Poll, was, is *wa.HealthEntity) wa.Changed {
	c := wa.Changed{AccountID: p.Account, What: wa.ChangedHealth, Was: was.CanSend, Is: is.CanSend}
	var why []string
	for _, f := range is.Errors {
		why = append(why, f.Description)
	}
	c.Why = bounded(strings.Join(append(why, is.Info...), "; "))
	switch is.Type {
	case wa.HealthOfNumber:
		c.Number = is.ID
		if n := g.lookUpNumber(is.ID, ""); n != nil {
			c.Display = n.Display
		}
	case wa.HealthOfTemplate:
		c.Template, _ = strconv.ParseInt(is.ID, 10, 64)
		t := g.templateNow(c.Template)
		c.Name, c.Language = t.Name, t.Language
	default:
		c.Entity = is.Type
	}
	return c
}

// readHealth reads what is known of who can take part in a send.
func readHealth(ctx context.Context, q querier) (map[entity]Health, error) {
	all := map[entity]Health{}
	_, err := query(ctx, q, func(s scanner) (struct{}, error) {
		var k entity
		var h Health
		var body []byte
		err := s.Scan(&k.kind, &k.id, &h.Since, &body)
		if err == nil {
			err = json.Unmarshal(body, &h.HealthEntity)
		}
		all[k] = h
		return struct{}{}, err
	}, "SELECT kind, id, since, body FROM health")
	return all, err
}
