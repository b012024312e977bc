package monitor

import (
	"context"
	"strconv"

	"tickwatch/monitor/link"
	"tickwatch/store"
	"tickwatch/wa"
)

// Why somebody is on the list for clean-up.
const (
	cleanupNumber   = "never_delivered"
	cleanupWithheld = "never_delivered_withheld"
	cleanupOther    = "never_delivered_other"
	cleanupSilent   = "silent_30_days"
)

// silence is how long nothing arrives, is read or comes back before somebody
// counts as silent. Meta gives a message up after as long.
const silence = wa.Instant(30 * 24 * 3600 * 1000)

// cleanupReason is why a person is on the list for clean-up, as code and in words;
// "" when they are not.
func cleanupReason(c *store.Contact, now wa.Instant) (reason, meaning string) {
	alive := max(c.Arrived, c.Replied)
	since := alive
	if alive == 0 {
		since = c.First
	}
	switch {
	case c.Arrived == 0 && c.OfNumber:
		return cleanupNumber, "nothing ever arrived, and Meta says that it cannot be delivered: take the number off, or correct it"
	case c.Arrived == 0 && c.Withheld:
		return cleanupWithheld, "nothing ever arrived, because Meta chose not to deliver: the number may be right"
	case c.Arrived == 0 && c.OfNeither:
		return cleanupOther, "nothing ever arrived, for faults that are not this person's: the number may be right"
	case since != 0 && now-since >= silence && (alive == 0 || c.Wrote > alive):
		return cleanupSilent, "written to, and for 30 days nothing arrived, was read or came back"
	}
	return "", ""
}

var cleanupColumns = []link.RowsColumn{
	{Name: "phone"},
	{Name: "bsuid"},
	{Name: "reason"},
	{Name: "meaning"},
	{Name: "tries", Number: true},
	{Name: "failed", Number: true},
	{Name: "last_code", Number: true},
	{Name: "last_code_title"},
	{Name: "first_written_at"},
	{Name: "last_written_at"},
	{Name: "last_arrived_at"},
	{Name: "last_reply_at"},
	{Name: "opted_out"},
}

// cleanup lists people whom messages do not reach. What is gathered of them waits
// in the monitor for the next page; if it is gone by then it is gathered again.
func (p *rowsPage) cleanup(ctx context.Context) (err error) {
	p.columns = cleanupColumns
	if err := p.begin(ctx); err != nil {
		return err
	}
	if !p.mark.Began {
		if p.mark.LastPerson, err = p.m.o.Store.LastPerson(ctx); err != nil {
			return err
		}
	}
	if p.mark.Person >= p.mark.LastPerson {
		p.over = true
		return nil
	}
	c, err := p.m.gathering.take(&p.mark, p.m.o.Store)
	if err != nil {
		return err
	}
	defer func() { p.m.gathering.give(p.mark.Key, c, p.over || err != nil) }() // a read that broke off has counted some twice
	done := false
	for i := 0; i < readsAtOnce && !done; i++ {
		if done, err = c.Read(ctx); err != nil {
			return err
		}
	}
	if done {
		if err := p.cleanupRows(ctx, c); err != nil {
			return err
		}
		p.over = p.mark.Person >= p.mark.LastPerson
	}
	ahead := float64(c.Last()-p.mark.Person) * c.Share()
	p.share = (float64(p.mark.Person) + 0.9*ahead) / float64(p.mark.LastPerson)
	return nil
}

// cleanupRows fills the page from what was gathered.
func (p *rowsPage) cleanupRows(ctx context.Context, c *store.Contacts) error {
	now := wa.Instant(p.mark.At)
	people, upto, err := c.Next(ctx, p.mark.Person, rowsAtOnce, func(c *store.Contact) bool {
		reason, _ := cleanupReason(c, now)
		return reason != ""
	})
	if err != nil {
		return err
	}
	p.mark.Person = upto
	for i := range people {
		c := &people[i]
		reason, meaning := cleanupReason(c, now)
		code, title := "", ""
		if c.Failed > 0 {
			code, title = strconv.Itoa(c.Code), p.m.titleOf(c.Code)
		}
		optedOut := ""
		if c.OptedOut {
			optedOut = "yes"
		}
		bsuid := wa.Clean(c.BSUID)
		if p.args.Masked {
			bsuid = wa.MaskPhone(bsuid)
		}
		p.add([]string{
			p.phone(c.Phone), bsuid, reason, meaning, strconv.Itoa(c.Tries), strconv.Itoa(c.Failed), code, title,
			c.First.Text(), c.Wrote.Text(), c.Arrived.Text(), c.Replied.Text(), optedOut,
		})
	}
	return nil
}

// titleOf is what a code is called.
func (m *Monitor) titleOf(code int) string {
	m.mu.Lock()
	title := m.titles[code]
	m.mu.Unlock()
	return wa.Explain(code, title).Title
}

// errGathering says that another export is under way.
func errGathering() error {
	return refused("another export of people to clean up is under way: wait for it to end")
}
