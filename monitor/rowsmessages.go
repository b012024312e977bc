package monitor

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"tickwatch/monitor/link"
	"tickwatch/monitor/list"
	"tickwatch/store"
	"tickwatch/wa"
)

// messageColumns are those that every message has; those of its list follow.
var messageColumns = []link.RowsColumn{
	{Name: "message_id"},
	{Name: "campaign"},
	{Name: "from"},
	{Name: "phone"},
	{Name: "bsuid"},
	{Name: "state"},
	{Name: "handed_over_at"},
	{Name: "sent_at"},
	{Name: "delivered_at"},
	{Name: "read_at"},
	{Name: "failed_at"},
	{Name: "code", Number: true},
	{Name: "title"},
	{Name: "details"},
	{Name: "attempt", Number: true},
	{Name: "line", Number: true},
}

// What a RowsWhere can ask of a phone number.
const (
	whereCountry = "country"
	wherePrefix  = "prefix"
)

// messageRows draws up messages.
type messageRows struct {
	*rowsPage
	plans map[int64]wa.Plan
	lists map[int64][]int // by campaign: the column of the table that each of Plan.Columns has; -1 = none
}

// messages lists messages, and those of our own campaigns that are not with Meta,
// unless it is asked for what these do not have: a moment, a code, a sender.
func (p *rowsPage) messages(ctx context.Context) error {
	r := &messageRows{rowsPage: p, lists: map[int64][]int{}}
	only := &p.args.Only
	r.layOut()
	if err := r.check(); err != nil {
		return err
	}
	if err := p.begin(ctx); err != nil {
		return err
	}
	queued := only.From == nil && only.To == nil && len(only.Codes) == 0 && only.Number == ""
	if queued && !p.mark.Began {
		var err error
		if p.mark.LastRecipient, err = p.m.o.Store.LastRecipient(ctx); err != nil {
			return err
		}
	}
	f := store.MessageFilter{Campaign: p.campaign, Codes: only.Codes, Number: strings.TrimSpace(only.Number)}
	if only.From != nil {
		f.From = wa.At(*only.From)
	}
	if only.To != nil {
		f.To = wa.At(*only.To)
	}
	if err := p.list(ctx, f, r.message); err != nil {
		return err
	}
	if p.mark.Message >= p.mark.LastMessage {
		if err := r.queue(ctx); err != nil {
			return err
		}
	}
	p.over = p.mark.Message >= p.mark.LastMessage && p.mark.Recipient >= p.mark.LastRecipient
	p.share = float64(p.mark.Message+p.mark.Recipient) / float64(max(p.mark.LastMessage+p.mark.LastRecipient, 1))
	return nil
}

// queue adds what is not with Meta.
func (r *messageRows) queue(ctx context.Context) error {
	for range readsAtOnce {
		if r.mark.Recipient >= r.mark.LastRecipient || r.full() {
			return nil
		}
		page, upto, err := r.m.o.Store.ListRecipients(ctx, r.campaign, r.mark.Recipient, r.mark.LastRecipient, rowsAtOnce)
		if err != nil {
			return err
		}
		for i := range page {
			r.mark.Recipient = page[i].ID
			if r.recipient(&page[i]) {
				return nil
			}
		}
		r.mark.Recipient = upto
	}
	return nil
}

// layOut finds the table's columns: those of every message, and those of the list,
// or, where no campaign is named, of all lists by their names.
func (r *messageRows) layOut() {
	r.m.mu.Lock()
	r.plans = maps.Clone(r.m.plans)
	r.m.mu.Unlock()
	r.columns = slices.Clone(messageColumns)
	if !r.mark.Began { // lists that come meanwhile must not add columns
		r.mark.LastCampaign = slices.Max(append(slices.Collect(maps.Keys(r.plans)), 0))
	}
	at := map[string]int{}
	for _, id := range slices.Sorted(maps.Keys(r.plans)) {
		if r.campaign != 0 && id != r.campaign || id > r.mark.LastCampaign {
			continue
		}
		plan := r.plans[id]
		for _, name := range plan.Columns {
			i, ok := at[name]
			if !ok && !r.args.Masked {
				i = r.column(name)
				at[name] = i
			} else if !ok {
				i = -1
			}
			r.lists[id] = append(r.lists[id], i)
		}
	}
}

// column adds a list's column; one that is called like one of ours says that it is
// the list's.
func (r *messageRows) column(name string) int {
	name = wa.Clean(name)
	for slices.ContainsFunc(r.columns, func(c link.RowsColumn) bool { return strings.EqualFold(c.Name, name) }) {
		name += " (list)"
	}
	r.columns = append(r.columns, link.RowsColumn{Name: name})
	return len(r.columns) - 1
}

// check refuses a filter that cannot hold, for its names are not known.
func (r *messageRows) check() error {
	only := &r.args.Only
	if only.From != nil && only.To != nil && !only.From.Before(*only.To) {
		return usage("the messages wanted end before they begin: the first moment must be the earlier")
	}
	if only.Number != "" {
		if err := r.m.knownNumber(strings.TrimSpace(only.Number)); err != nil {
			return err
		}
	}
	for _, w := range only.Where {
		if strings.EqualFold(w.Column, whereCountry) || strings.EqualFold(w.Column, wherePrefix) {
			continue
		}
		var names []string
		for _, id := range slices.Sorted(maps.Keys(r.lists)) {
			names = append(names, r.plans[id].Columns...)
		}
		if indexFold(names, w.Column) < 0 {
			slices.Sort(names)
			names = append(slices.Compact(names), whereCountry, wherePrefix)
			return &link.Fault{Kind: link.FaultUsage, Text: wa.Clean(fmt.Sprintf("no list has a column %q; there are %.300s", w.Column, strings.Join(names, ", ")))}
		}
	}
	return nil
}

// wanted tells whether a message is one of those asked for by its list's values
// and its number.
func (r *messageRows) wanted(campaign int64, phone string, values []string) bool {
	for _, w := range r.args.Only.Where {
		if i := indexFold(r.plans[campaign].Columns, w.Column); i >= 0 {
			if i >= len(values) || !strings.EqualFold(strings.TrimSpace(wa.Clean(values[i])), strings.TrimSpace(w.Value)) {
				return false
			}
			continue
		}
		switch strings.ToLower(w.Column) {
		case whereCountry:
			if phone == "" || !strings.EqualFold(list.CountryOf("+"+phone), w.Value) {
				return false
			}
		case wherePrefix:
			if prefix := wa.Digits(w.Value); prefix == "" || !strings.HasPrefix(phone, prefix) {
				return false
			}
		default: // another campaign's column
			return false
		}
	}
	return true
}

// indexFold finds a name, whatever its case; -1 = it is not there.
func indexFold(names []string, name string) int {
	return slices.IndexFunc(names, func(n string) bool { return strings.EqualFold(n, name) })
}

func valuesOf(body []byte) []string {
	var values []string
	if len(body) > 0 && json.Unmarshal(body, &values) != nil {
		return nil // a row of a campaign that was redone has none
	}
	return values
}

// message adds a message's row, if it is wanted.
func (r *messageRows) message(l *store.ListedMessage) (full bool) {
	values, phone := valuesOf(l.Values), cmp.Or(l.Phone, l.Listed)
	if !r.wanted(l.CampaignID, phone, values) {
		return false
	}
	p := &l.Progress
	cells := make([]string, len(r.columns))
	id, bsuid := wa.Clean(l.WAMID), wa.Clean(l.BSUID)
	if r.args.Masked {
		id, bsuid = "", wa.MaskPhone(bsuid) // the id has the number in it, in base64
	}
	copy(cells, []string{
		id, wa.Clean(l.Campaign), wa.Clean(cmp.Or(wa.E164(l.From), l.FromID)), r.phone(phone), bsuid, stateOf(p),
		p.Clock().Text(), p.SentAt.Text(), p.DeliveredAt.Text(), p.ReadAt.Text(), p.FailedAt.Text(),
	})
	if p.FailedAt != 0 || p.State() == wa.StateFailed {
		cells[11], cells[12], cells[13] = strconv.Itoa(p.Code), wa.Explain(p.Code, l.Title).Title, wa.Clean(l.Details)
	}
	r.fromList(cells, l.CampaignID, l.Attempt, l.Line, values)
	return r.add(cells)
}

// recipient adds the row of a message that is not with Meta, if it is wanted.
func (r *messageRows) recipient(l *store.ListedRecipient) (full bool) {
	values := valuesOf(l.Values)
	if !r.wanted(l.CampaignID, l.Listed, values) {
		return false
	}
	cells := make([]string, len(r.columns))
	copy(cells, []string{"", wa.Clean(l.Campaign), "", r.phone(l.Listed), "", l.State})
	cells[13] = wa.Clean(l.Reason)
	r.fromList(cells, l.CampaignID, l.Attempt, l.Line, values)
	return r.add(cells)
}

// fromList fills in what is known of a row of a list.
func (r *messageRows) fromList(cells []string, campaign int64, attempt int, line int64, values []string) {
	if attempt > 0 {
		cells[14] = strconv.Itoa(attempt)
	}
	if line > 0 {
		cells[15] = strconv.FormatInt(line, 10)
	}
	for i, column := range r.lists[campaign] {
		if column >= 0 && i < len(values) {
			cells[column] = wa.Clean(values[i])
		}
	}
}

// stateOf is where a message stands that Meta has or refused, in a word.
func stateOf(p *wa.Progress) string {
	switch {
	case p.Refused():
		return "refused"
	case p.ReadAt != 0:
		return "read"
	case p.State() == wa.StateDelivered:
		return "delivered"
	case p.State() == wa.StateFailed:
		return "failed"
	case p.Paced():
		return "paced"
	}
	return "in flight"
}
