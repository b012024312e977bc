package monitor

import (
	"context"
	"errors"
	"fmt"
	"io"

	"tickwatch/monitor/link"
	"tickwatch/monitor/list"
	"tickwatch/store"
	"tickwatch/wa"
)

// watch declares a campaign that another system sends.
func (m *Monitor) watch(ctx context.Context, operator string, a link.WatchArgs) (link.Card, error) {
	w := store.Watch{Number: a.Number, Name: a.Name, Started: wa.At(m.o.Now())}
	if !phoneNumberID(a.Number) {
		return link.Card{}, usage("%q is no phone_number_id: `tickwatch status` lists the numbers", wa.Clean(a.Number))
	}
	if a.Started != nil {
		w.Started = wa.At(*a.Started)
	}
	if w.Started <= 0 {
		return link.Card{}, usage("a campaign starts after 1970")
	}
	if a.Template != nil {
		w.Template = a.Template.Name
		if a.Template.Language != "" {
			w.Template += "/" + a.Template.Language
		}
	}
	if a.Upload != "" {
		var err error
		if w.Phones, err = m.phonesOf(ctx, a); err != nil {
			return link.Card{}, err
		}
		if len(w.Phones) == 0 {
			return link.Card{}, refused("the list has no number that could be right: nothing would belong to the campaign")
		}
	}
	c, err := m.o.Store.Watch(ctx, w)
	if err != nil {
		return link.Card{}, err
	}
	effect := fmt.Sprintf("messages from %s since %s", wa.Clean(a.Number), w.Started.Time().Format("2006-01-02 15:04 UTC"))
	if len(w.Phones) > 0 {
		effect += fmt.Sprintf(", to %s people of a list", count(int64(len(w.Phones))))
	}
	m.record(store.Action{Operator: operator, Verb: "watch", Target: c.Key, Effect: effect})
	m.mu.Lock()
	l := m.byKey[c.Key]
	m.mu.Unlock()
	if l == nil {
		return link.Card{}, errors.New("the campaign was declared, and is not there: look at the daemon's log")
	}
	if card := m.card(ctx, l); card != nil {
		return *card, nil
	}
	return link.Card{ID: c.Key, Name: c.Name}, nil
}

func phoneNumberID(s string) bool { return s != "" && len(s) <= 32 && wa.Digits(s) == s }

// phonesOf reads the numbers of an uploaded list, which is gone then.
func (m *Monitor) phonesOf(ctx context.Context, a link.WatchArgs) ([]string, error) {
	var phones []string
	job, err := m.begin(a.Upload, "reading the list", func(ctx context.Context, u *upload, _ *job) error {
		r, err := list.Open(u.path, u.name)
		if err != nil {
			return err
		}
		defer func() { _ = r.Close() }()
		judge, err := list.NewJudge(r, list.Options{Phone: a.Phone, Country: a.Country}, list.Facts{Now: m.o.Now()})
		if err != nil {
			return err
		}
		for ctx.Err() == nil {
			v, err := judge.Next()
			if errors.Is(err, io.EOF) {
				return nil
			}
			if err != nil {
				return err
			}
			if v.Phone != "" { // whether they may be written to is the other system's business
				phones = append(phones, v.Phone)
			}
		}
		return ctx.Err()
	})
	if err != nil {
		return nil, err
	}
	m.lists.mu.Lock()
	j := m.lists.jobs[job.ID]
	m.lists.mu.Unlock()
	select {
	case <-j.over:
	case <-ctx.Done():
		j.callOff()
		return nil, ctx.Err()
	}
	if f := j.view().Problem; f != nil {
		return nil, f
	}
	return phones, nil
}
