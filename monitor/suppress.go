package monitor

import (
	"cmp"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
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

// suppressImport puts a list's people on the suppression list.
func (m *Monitor) suppressImport(operator string, a link.SuppressImportArgs) (link.Job, error) {
	as, err := listing(operator, &a.SuppressAs, m.o.Now())
	if err != nil {
		return link.Job{}, err
	}
	if a.Hashed != "" && a.Hashed != list.HashHMAC && a.Hashed != list.HashSHA256 {
		return link.Job{}, usage("%q is no kind of hash: there are %s and %s", wa.Clean(a.Hashed), list.HashHMAC, list.HashSHA256)
	}
	return m.begin(a.Upload, "reading the list", func(ctx context.Context, u *upload, j *job) error {
		r, err := list.Open(u.path, u.name)
		if err != nil {
			return err
		}
		defer func() { _ = r.Close() }()
		names, err := list.NewNames(r, list.NamesOptions{Phone: a.Phone, Country: a.Country, Hashed: a.Hashed})
		if err != nil {
			return err
		}
		into := &suppressing{m: m, j: j, as: as}
		if err := into.read(ctx, r, names); err != nil {
			return err
		}
		j.update(func(s *link.Job) { s.Rows, s.Suppressed = into.done.Rows, &into.done })
		m.record(store.Action{
			Operator: operator, Verb: "suppress", Target: "the list " + r.Name(), Reason: as.Reason,
			Effect: fmt.Sprintf("%s people not written to, %s rows rejected", count(into.done.Added+into.done.Renewed), count(into.done.Rejected)),
		})
		return nil
	})
}

// suppressing is an import of suppressed people on its way.
type suppressing struct {
	m    *Monitor
	j    *job
	as   store.Listing
	all  []store.Listing
	done link.SuppressImport
}

// suppressAtOnce is how many people are handed to the store together.
const suppressAtOnce = 2000

func (i *suppressing) read(ctx context.Context, r *list.Reader, names *list.Names) error {
	file, err := os.CreateTemp(i.m.o.Sending.Folder, uploadFile)
	if err != nil {
		return fmt.Errorf("making room for rejected rows: %w", err)
	}
	_ = os.Remove(file.Name())
	i.j.rejected = file
	rejects := csv.NewWriter(file)
	for {
		n, err := names.Next()
		if errors.Is(err, io.EOF) {
			rejects.Flush()
			return errors.Join(rejects.Error(), i.write(ctx, r))
		}
		if err != nil {
			return err
		}
		i.done.Rows++
		if n.Reason != "" {
			i.done.Rejected++
			if len(n.Value) > maxRejected {
				n.Value = strings.ToValidUTF8(n.Value[:maxRejected], "") + "…"
			}
			if err := rejects.Write([]string{fmt.Sprint(n.Line), n.Value, n.Reason}); err != nil {
				return fmt.Errorf("keeping a rejected row: %w", err)
			}
			continue
		}
		if i.all = append(i.all, i.listing(&n)); len(i.all) == suppressAtOnce {
			if err := i.write(ctx, r); err != nil {
				return err
			}
		}
	}
}

func (i *suppressing) listing(n *list.Name) store.Listing {
	l := i.as
	l.Number, l.Hash, l.Plain = n.Number, n.Hash, n.Plain
	if l.Reason == "" {
		l.Reason = wa.Clean(n.Why)
	}
	if l.Until == 0 {
		l.Until = n.Until
	}
	if n.Channels != 0 && i.as.Channels == wa.OnAll {
		l.Channels = n.Channels
	}
	if n.Plain {
		i.done.Plain++
	}
	return l
}

func (i *suppressing) write(ctx context.Context, r *list.Reader) error {
	added, renewed, err := i.m.o.Store.Suppress(ctx, i.all)
	i.done.Added, i.done.Renewed, i.all = i.done.Added+added, i.done.Renewed+renewed, i.all[:0]
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return fmt.Errorf("%w; %s people are on the suppression list already, import it again for the rest", err, count(i.done.Added+i.done.Renewed))
	}
	i.j.update(func(s *link.Job) { s.Rows, s.Share = i.done.Rows, r.Done() })
	return nil
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
