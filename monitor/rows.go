package monitor

import (
	"context"
	"fmt"

	"tickwatch/monitor/link"
	"tickwatch/store"
	"tickwatch/wa"
)

const (
	// rowsAtOnce bounds the rows of a page, rowsText about what their cells hold in
	// bytes: as JSON they may take several times as much.
	rowsAtOnce = 2000
	rowsText   = 512 << 10
	// readsAtOnce bounds how often a page looks into the store, so that a table with
	// few rows does not keep the console waiting.
	readsAtOnce = 8
	// longestCell is what a spreadsheet's cell takes, in characters.
	longestCell = 32_767
)

// rows draws up one page of a table. Whoever may not see phone numbers must ask
// with Masked.
func (m *Monitor) rows(ctx context.Context, a link.RowsArgs) (link.RowsPage, error) {
	p := &rowsPage{m: m, args: &a, mark: a.From}
	if a.Campaign != "" && a.Kind == link.RowsCleanup {
		return link.RowsPage{}, usage("people are cleaned up across all campaigns: leave the campaign out")
	}
	if a.Campaign != "" {
		m.mu.Lock()
		l, err := m.find(a.Campaign)
		m.mu.Unlock()
		if err != nil {
			return link.RowsPage{}, err
		}
		p.campaign = l.ID
	}
	if !a.From.Began {
		m.o.Log.Info("a table is exported", "what", wa.Clean(a.Kind), "campaign", wa.Clean(a.Campaign), "masked", a.Masked)
	}
	var fill func(context.Context) error
	switch a.Kind {
	case link.RowsRejected:
		fill = p.rejected
	case link.RowsMessages:
		fill = p.messages
	case link.RowsCleanup:
		fill = p.cleanup
	case link.RowsFallback:
		fill = p.fallbacks
	default:
		return link.RowsPage{}, usage("%q is no table: there are %s, %s, %s and %s", wa.Clean(a.Kind), link.RowsRejected, link.RowsMessages, link.RowsFallback, link.RowsCleanup)
	}
	if err := fill(ctx); err != nil {
		return link.RowsPage{}, err
	}
	out := link.RowsPage{Columns: p.columns, Rows: p.all, Share: min(max(p.share, 0), 1)}
	if out.Rows == nil {
		out.Rows = [][]string{}
	}
	if !p.over {
		p.mark.Began = true
		out.Next = &p.mark
	} else {
		out.Share = 1
	}
	return out, nil
}

// rowsPage is a page of a table as it fills.
type rowsPage struct {
	m        *Monitor
	args     *link.RowsArgs
	campaign int64 // row id; 0 = all
	mark     link.RowsMark
	columns  []link.RowsColumn
	all      [][]string
	size     int // of all, about
	share    float64
	over     bool // this is the last page
}

// add takes a row; full says that the page takes no other.
func (p *rowsPage) add(cells []string) (full bool) {
	for i, c := range cells {
		if len(c) > longestCell {
			cells[i] = string([]rune(c)[:min(longestCell, len([]rune(c)))])
		}
		p.size += len(cells[i]) + 4
	}
	p.all = append(p.all, cells)
	return p.full()
}

func (p *rowsPage) full() bool { return len(p.all) >= rowsAtOnce || p.size >= rowsText }

// phone is a number with its plus, or as much of it as may be seen.
func (p *rowsPage) phone(digits string) string {
	if p.args.Masked {
		return wa.MaskPhone(digits)
	}
	return wa.E164(wa.Clean(digits))
}

// begin notes how far the messages go that belong to the table.
func (p *rowsPage) begin(ctx context.Context) (err error) {
	if !p.mark.Began {
		p.mark.At = int64(wa.At(p.m.o.Now()))
		p.mark.LastMessage, err = p.m.o.Store.LastMessage(ctx)
	}
	return err
}

// list gives the messages that a filter lets through to take, until that has
// enough, or the page has looked at enough.
func (p *rowsPage) list(ctx context.Context, f store.MessageFilter, take func(*store.ListedMessage) (full bool)) error {
	for range readsAtOnce {
		if p.mark.Message >= p.mark.LastMessage || p.full() {
			return nil
		}
		page, upto, err := p.m.o.Store.ListMessages(ctx, f, p.mark.Message, p.mark.LastMessage, rowsAtOnce)
		if err != nil {
			return err
		}
		for i := range page {
			p.mark.Message = page[i].ID
			if take(&page[i]) {
				return nil
			}
		}
		p.mark.Message = upto
	}
	return nil
}

// rejected lists what failed or was refused.
func (p *rowsPage) rejected(ctx context.Context) error {
	for _, name := range wa.RejectedColumns {
		p.columns = append(p.columns, link.RowsColumn{Name: name})
	}
	if err := p.begin(ctx); err != nil {
		return err
	}
	err := p.list(ctx, store.MessageFilter{Campaign: p.campaign, Failed: true}, func(l *store.ListedMessage) bool {
		r := l.Rejected()
		if p.args.Masked {
			r.BSUID = wa.MaskPhone(r.BSUID)
		}
		cells := r.Cells()
		if p.args.Masked && r.To != "" {
			cells[2] = wa.MaskPhone(r.To)
		}
		return p.add(cells)
	})
	p.over = p.mark.Message >= p.mark.LastMessage
	p.share = float64(p.mark.Message) / float64(max(p.mark.LastMessage, 1))
	return err
}

// knownNumber says whether messages were sent from a number; nil if so.
func (m *Monitor) knownNumber(number string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, n := range m.numbers {
		if n.ID == number || n.Display != "" && n.Display == wa.Digits(number) {
			return nil
		}
	}
	return &link.Fault{Kind: link.FaultFailed, Text: fmt.Sprintf("%q is none of the numbers that messages were sent from: `tickwatch status` lists them", wa.Clean(number))}
}
