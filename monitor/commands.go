package monitor

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"tickwatch/monitor/link"
	"tickwatch/store"
	"tickwatch/wa"
)

// Handle carries out a console's command.
func (m *Monitor) Handle(ctx context.Context, peer link.Peer, cmd link.Command) (any, error) {
	if answer, ok, err := m.send(ctx, peer.Name, cmd); ok {
		return answer, err
	}
	if answer, ok, err := m.take(ctx, peer.Name, cmd); ok {
		return answer, err
	}
	if answer, ok, err := m.aside(ctx, peer.Name, cmd); ok {
		return answer, err
	}
	if answer, ok, err := m.orderFallback(ctx, peer.Name, cmd); ok {
		return answer, err
	}
	if answer, ok, err := m.suppression(ctx, peer.Name, cmd); ok {
		return answer, err
	}
	switch cmd.Verb {
	case link.VerbStatus:
		return with(cmd, func(a link.StatusArgs) (any, error) { return m.status(ctx, a) })
	case link.VerbAck:
		return with(cmd, func(a link.AckArgs) (any, error) { return m.acknowledge(a, peer.Name) })
	case link.VerbSnooze:
		return with(cmd, func(a link.SnoozeArgs) (any, error) { return m.snooze(a, peer.Name) })
	case link.VerbReported:
		return with(cmd, func(a link.ReportedArgs) (any, error) { return m.reported(ctx, a, peer.Name) })
	case link.VerbFind:
		return with(cmd, func(a link.FindArgs) (any, error) { return m.lookUp(ctx, a) })
	case link.VerbFailures:
		return with(cmd, func(a link.FailuresArgs) (any, error) { return m.failures(ctx, a) })
	case link.VerbExport:
		return with(cmd, func(a link.ExportArgs) (any, error) { return m.Export(ctx, a) })
	case link.VerbRows:
		return with(cmd, func(a link.RowsArgs) (any, error) { return m.rows(ctx, a) })
	case link.VerbCheckFeed:
		if m.o.CheckFeed == nil {
			return nil, refused("this is no daemon that takes webhooks: there is nothing to check")
		}
		return m.o.CheckFeed(ctx), nil
	case link.VerbEvents:
		return with(cmd, func(a link.EventsArgs) (any, error) { return m.events(ctx, a) })
	case link.VerbCampaigns:
		return with(cmd, func(a link.CampaignsArgs) (any, error) { return m.cards(ctx, a) })
	}
	return nil, &link.Fault{Kind: link.FaultUsage, Text: fmt.Sprintf("this daemon does not know %q: it may be older than the console, restart it with the same version", wa.Clean(cmd.Verb))}
}

func with[A any](cmd link.Command, do func(A) (any, error)) (any, error) {
	var a A
	if len(cmd.Args) > 0 {
		if err := json.Unmarshal(cmd.Args, &a); err != nil {
			return nil, &link.Fault{Kind: link.FaultUsage, Text: fmt.Sprintf("the arguments of %q cannot be read: %v", cmd.Verb, err)}
		}
	}
	return do(a)
}

// status gives the state of now, not that of the latest snapshot.
func (m *Monitor) status(ctx context.Context, a link.StatusArgs) (*link.Snapshot, error) {
	var only []*live
	if a.Campaign != "" {
		m.mu.Lock()
		l, err := m.find(a.Campaign)
		m.mu.Unlock()
		if err != nil {
			return nil, err
		}
		only = []*live{l}
	}
	show := func() []*live {
		if only != nil {
			return only
		}
		return m.newest(wa.At(m.o.Now()))
	}
	m.reading.Lock()
	defer m.reading.Unlock()
	m.read(ctx, show)
	m.mu.Lock()
	defer m.mu.Unlock()
	view := m.view()
	return m.snapshot(wa.At(m.o.Now()), show(), &view), nil
}

// acknowledge notes who has seen an alarm. Doing it twice changes nothing.
func (m *Monitor) acknowledge(a link.AckArgs, operator string) (link.Alarm, error) {
	id, err := strconv.ParseInt(strings.TrimPrefix(a.Alarm, "a"), 10, 64)
	m.mu.Lock()
	i := m.incidents.byID(id)
	if err != nil || i == nil {
		m.mu.Unlock()
		return link.Alarm{}, &link.Fault{Kind: link.FaultFailed, Text: fmt.Sprintf("there is no alarm %q: `tickwatch status` lists them", wa.Clean(a.Alarm))}
	}
	if i.AckedBy != "" {
		defer m.mu.Unlock()
		return i.view(), nil
	}
	i.AckedBy, i.dirty = operator, true
	m.lastID++
	action := store.Action{ID: m.lastID, At: wa.At(m.o.Now()), Operator: operator, Verb: "ack", Target: alarmID(id), Effect: i.Text}
	view := i.view()
	m.mu.Unlock()

	if err := m.save(&action); err != nil {
		m.mu.Lock()
		defer m.mu.Unlock()
		i.AckedBy = ""
		return link.Alarm{}, err
	}
	m.mu.Lock()
	m.actions = append(m.actions, action)
	m.actions = m.actions[max(0, len(m.actions)-link.MaxActions):]
	m.mu.Unlock()
	m.wake()
	return view, nil
}

func (m *Monitor) lookUp(ctx context.Context, a link.FindArgs) (link.Found, error) {
	text := strings.TrimSpace(a.Query)
	if text == "" {
		return link.Found{}, &link.Fault{Kind: link.FaultUsage, Text: "give a phone number with its country code, a BSUID or a wamid"}
	}
	p, err := m.o.Store.Find(ctx, text, link.MaxFound)
	if err != nil {
		return link.Found{}, err
	}
	out := link.Found{Query: text, BSUID: p.BSUID, Messages: []link.Message{}, Queued: []link.Queued{}, Held: []link.Held{}, Beside: []link.Reached{}}
	if p.Phone != "" {
		out.Phone = wa.MaskPhone(p.Phone)
	}
	for i := range p.Messages {
		out.Messages = append(out.Messages, message(&p.Messages[i]))
	}
	if p.ID != 0 {
		if out.Beside, err = m.besideTo(ctx, p.ID); err != nil {
			return link.Found{}, err
		}
	}
	holds, err := m.o.Store.Holds(ctx, cmp.Or(p.Phone, p.BSUID, text), wa.At(m.o.Now()))
	if err != nil {
		return link.Found{}, err
	}
	for _, h := range holds {
		out.Held = append(out.Held, m.heldView(&store.Held{Hold: h}))
	}
	out.OptedOut = slices.ContainsFunc(holds, func(h wa.Hold) bool { return h.Rule == wa.RuleOptedOut })
	phones := []string{p.Phone}
	if spelt := wa.Digits(text); strings.Trim(text, "+0123456789 ()-./") == "" && spelt != p.Phone {
		phones = append(phones, spelt) // a list may know them by another number than WhatsApp does
	}
	for _, phone := range phones {
		if err := m.queuedTo(ctx, phone, &out); err != nil {
			return link.Found{}, err
		}
	}
	return out, nil
}

// queuedTo adds to what was found what our own campaigns hold for a phone.
func (m *Monitor) queuedTo(ctx context.Context, phone string, out *link.Found) error {
	room := link.MaxFound - len(out.Queued)
	if phone == "" || room <= 0 {
		return nil
	}
	all, err := m.o.Store.QueuedTo(ctx, phone, room)
	if err != nil {
		return err
	}
	for _, q := range all {
		held := link.Queued{Campaign: q.Campaign, State: q.State, Reason: q.Reason}
		if q.State == "waiting" {
			held.Due = moment(q.Due)
		}
		out.Queued = append(out.Queued, held)
	}
	if out.Phone == "" && len(all) > 0 {
		out.Phone = wa.MaskPhone(phone)
	}
	return nil
}

func (m *Monitor) failures(ctx context.Context, a link.FailuresArgs) (link.Failures, error) {
	limit := a.Limit
	if limit <= 0 || limit > link.MaxPage {
		limit = link.MaxPage
	}
	m.mu.Lock()
	l, err := m.find(a.Campaign)
	key := ""
	if err == nil {
		key = l.Key
	}
	m.mu.Unlock()
	if err != nil {
		return link.Failures{}, err
	}
	page, err := m.o.Store.Failures(ctx, key, a.Code, a.Before, limit)
	if err != nil {
		return link.Failures{}, err
	}
	out := link.Failures{Messages: []link.Message{}}
	for i := range page {
		out.Messages = append(out.Messages, message(&page[i]))
	}
	if len(page) == limit {
		out.Next = page[len(page)-1].ID
	}
	return out, nil
}
