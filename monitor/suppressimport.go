package monitor

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"tickwatch/monitor/link"
	"tickwatch/monitor/list"
	"tickwatch/store"
	"tickwatch/wa"
)

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
