package monitor

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"tickwatch/monitor/link"
	"tickwatch/monitor/list"
	"tickwatch/store"
	"tickwatch/wa"
)

// suppression carries out the verbs about who is never written to; ok is false for
// any other.
func (m *Monitor) suppression(ctx context.Context, operator string, cmd link.Command) (answer any, ok bool, err error) {
	switch cmd.Verb {
	case link.VerbSuppress:
		answer, err = with(cmd, func(a link.SuppressArgs) (any, error) { return m.suppress(ctx, operator, a) })
	case link.VerbSuppressImport:
		answer, err = with(cmd, func(a link.SuppressImportArgs) (any, error) { return m.suppressImport(operator, a) })
	case link.VerbRelease:
		answer, err = with(cmd, func(a link.ReleaseArgs) (any, error) { return m.release(ctx, operator, a) })
	case link.VerbSuppressed:
		answer, err = with(cmd, func(a link.SuppressedArgs) (any, error) { return m.suppressed(ctx, a) })
	case link.VerbSuppression:
		answer, err = m.suppressionNow(ctx)
	default:
		return nil, false, nil
	}
	return answer, true, err
}

// listing is an entry as an operator asks for it.
func listing(operator string, as *link.SuppressAs, now time.Time) (store.Listing, error) {
	l := store.Listing{By: operator, Reason: wa.Clean(strings.TrimSpace(as.Reason))}
	var err error
	if l.Channels, err = wa.ChannelsOf(as.Channels...); err != nil {
		return l, usage("%v", err)
	}
	if as.Until != nil {
		if !as.Until.After(now) {
			return l, usage("%s is over already: give a later moment, or none for ever", as.Until.UTC().Format("2006-01-02 15:04 UTC"))
		}
		l.Until = wa.At(*as.Until)
	}
	return l, nil
}

func (m *Monitor) suppress(ctx context.Context, operator string, a link.SuppressArgs) (link.Suppressed, error) {
	out := link.Suppressed{}
	if len(a.Numbers) == 0 || len(a.Numbers) > link.MaxSuppress {
		return out, usage("give between 1 and %d numbers at once", link.MaxSuppress)
	}
	as, err := listing(operator, &a.SuppressAs, m.o.Now())
	if err != nil {
		return out, err
	}
	numbers, err := list.NewNumbers("")
	if err != nil {
		return out, err
	}
	var all []store.Listing
	for i, text := range a.Numbers {
		n, fault := numbers.Read(text, "")
		if fault != list.NumberOK {
			out.Rejected = append(out.Rejected, link.Rejected{Line: int64(i + 1), Value: wa.Clean(text), Reason: fault.String()})
			continue
		}
		as.Number = n.E164
		all = append(all, as)
	}
	if len(all) == 0 {
		return out, nil
	}
	if out.Added, out.Renewed, err = m.o.Store.Suppress(ctx, all); err != nil {
		return out, err
	}
	target := count(int64(len(all))) + " numbers"
	if len(all) == 1 {
		target = wa.MaskPhone(all[0].Number)
	}
	m.record(store.Action{Operator: operator, Verb: "suppress", Target: target, Reason: as.Reason, Effect: "not written to" + untilText(as.Until) + ": " + as.Channels.String()})
	return out, nil
}

func untilText(at wa.Instant) string {
	if at == 0 {
		return " for ever"
	}
	return " until " + at.Time().Format("2006-01-02 15:04 UTC")
}

// release lets people be written to again.
func (m *Monitor) release(ctx context.Context, operator string, a link.ReleaseArgs) (link.Released, error) {
	rules := m.o.Store.Rules()
	if a.Rule != "" && rules.Named(a.Rule) == nil {
		var names []string
		for _, r := range rules {
			names = append(names, r.Name)
		}
		return link.Released{}, usage("%q is no rule in force: there are %s", wa.Clean(a.Rule), strings.Join(names, ", "))
	}
	switch {
	case a.Number != "" && !a.All:
		return m.releaseOne(ctx, operator, a, rules)
	case a.Number == "" && a.All:
		return m.releaseAll(ctx, operator, a, rules)
	}
	return link.Released{}, usage("give one number, or a rule and all whom it holds")
}

func (m *Monitor) releaseOne(ctx context.Context, operator string, a link.ReleaseArgs, rules wa.SuppressRules) (link.Released, error) {
	var from []string // who asked not to be written to is released by that rule's name only
	for _, r := range rules {
		if a.Rule == r.Name || a.Rule == "" && !r.Wish {
			from = append(from, r.Name)
		}
	}
	entries := a.Rule == ""
	now := wa.At(m.o.Now())
	lifts := func(h wa.Hold) bool { return h.Rule == "" && entries || slices.Contains(from, h.Rule) }
	holds, err := m.o.Store.Holds(ctx, a.Number, now)
	if err != nil {
		return link.Released{}, err
	}
	if !a.DryRun {
		if _, err := m.o.Store.Release(ctx, a.Number, entries, from); err != nil {
			return link.Released{}, err
		}
	}
	out := link.Released{}
	var names []string
	for _, h := range holds {
		view := m.heldView(&store.Held{Hold: h})
		if lifts(h) {
			out.Lifted = append(out.Lifted, view)
			names = append(names, h.Why())
		} else {
			out.Kept = append(out.Kept, view)
		}
	}
	if len(out.Lifted) > 0 {
		out.People = 1
		if !a.DryRun {
			m.record(store.Action{Operator: operator, Verb: "release", Target: wa.MaskPhone(a.Number), Effect: "may be written to again: " + strings.Join(names, "; ")})
		}
	}
	return out, nil
}

func (m *Monitor) releaseAll(ctx context.Context, operator string, a link.ReleaseArgs, rules wa.SuppressRules) (out link.Released, err error) {
	if r := rules.Named(a.Rule); r != nil && r.Wish {
		return out, refused("whom %s holds asked not to be written to: they are released one by one, by their number", r.Name)
	}
	target := cmp.Or(a.Rule, "the suppression list")
	switch {
	case a.DryRun:
		var n store.HeldCounts
		if n, err = m.o.Store.HeldCounts(ctx, wa.At(m.o.Now())); err != nil {
			return out, err
		}
		if out.People = n.ByRule[a.Rule]; a.Rule == "" {
			out.People = n.Entries
		}
		return out, nil
	case a.Rule != "":
		out.People, err = m.o.Store.ReleaseAll(ctx, a.Rule)
	default:
		out.People, err = m.o.Store.ClearSuppressed(ctx)
	}
	if out.People > 0 {
		m.record(store.Action{Operator: operator, Verb: "release", Target: target, Effect: count(out.People) + " may be written to again"})
	}
	return out, err
}

// suppressed lists who is not written to.
func (m *Monitor) suppressed(ctx context.Context, a link.SuppressedArgs) (link.SuppressedPage, error) {
	out := link.SuppressedPage{Held: []link.Held{}}
	var from store.HeldMark
	if a.From != "" {
		if err := json.Unmarshal([]byte(a.From), &from); err != nil {
			return out, usage("%q is no place in the list: begin it again", wa.Clean(a.From))
		}
	}
	var only func(*store.Held) bool
	if a.Search != "" {
		only = searching(a.Search)
	}
	page, next, err := m.o.Store.HeldPage(ctx, wa.At(m.o.Now()), from, link.MaxHeld, only)
	if err != nil {
		return out, err
	}
	if a.Hashed {
		if err := m.hash(ctx, page); err != nil {
			return out, err
		}
	}
	for i := range page {
		out.Held = append(out.Held, m.heldView(&page[i]))
	}
	if next != nil {
		mark, err := json.Marshal(next)
		if err != nil {
			return out, err
		}
		out.Next = string(mark)
	}
	return out, nil
}

// hash puts a hash in the place of each number.
func (m *Monitor) hash(ctx context.Context, page []store.Held) error {
	numbers := make([]string, len(page))
	for i := range page {
		numbers[i] = page[i].Number
	}
	hashes, err := m.o.Store.HashNumbers(ctx, numbers)
	if err != nil {
		return err
	}
	for i := range page {
		if page[i].Number != "" {
			page[i].Number, page[i].Hash = "", list.HashHMAC+":"+hashes[i]
		}
	}
	return nil
}

// searching keeps lines with a text in them, numbers in any spelling.
func searching(text string) func(*store.Held) bool {
	text = strings.ToLower(strings.TrimSpace(text))
	number := ""
	if strings.Trim(text, "+0123456789 ()-./") == "" {
		number = wa.Digits(text)
	}
	return func(h *store.Held) bool {
		if number != "" && strings.Contains(h.Number, number) {
			return true
		}
		return slices.ContainsFunc([]string{h.Reason, h.Rule, h.By, h.BSUID, h.Hash}, func(s string) bool {
			return strings.Contains(strings.ToLower(s), text)
		})
	}
}

// heldView is a line of the list as a console gets it.
func (m *Monitor) heldView(h *store.Held) link.Held {
	out := link.Held{
		Hash: h.Hash, BSUID: wa.Clean(h.BSUID), Reason: wa.Clean(h.Reason), Rule: h.Rule,
		Since: moment(h.Since), Until: moment(h.Until), By: wa.Clean(h.By), Channels: h.Channels.Names(),
	}
	if h.Number != "" {
		out.Number = "+" + h.Number
	}
	if r := m.o.Store.Rules().Named(h.Rule); r != nil && h.Until == 0 {
		out.Ends = endsText(r)
	}
	return out
}

// endsText is what ends a rule's hold.
func endsText(r *wa.SuppressRule) string {
	switch {
	case r.Within > 0:
		return fmt.Sprintf("%d days later", int(r.Within.Hours()/24))
	case len(r.Codes) == 0:
		return wa.EndsResume.String()
	}
	return r.Ends.String()
}

func (m *Monitor) suppressionNow(ctx context.Context) (link.Suppression, error) {
	n, err := m.o.Store.HeldCounts(ctx, wa.At(m.o.Now()))
	if err != nil {
		return link.Suppression{}, err
	}
	out := link.Suppression{Entries: n.Entries, Hashed: n.Hashed, Plain: n.Plain, Rules: []link.SuppressRule{}}
	rules := m.o.Store.Rules()
	for i := range rules {
		r := &rules[i]
		out.Rules = append(out.Rules, link.SuppressRule{
			Name: r.Name, Text: r.Text, Codes: r.Codes, AtLeast: r.AtLeast, WithinDay: int(r.Within.Hours() / 24), Ends: endsText(r),
			Channels: r.Channels.Names(), Marketing: r.Marketing, On: !r.Off, People: n.ByRule[r.Name],
		})
	}
	return out, nil
}
