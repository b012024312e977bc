package monitor

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"

	"tickwatch/monitor/link"
	"tickwatch/wa"
)

// rejected gives a page of the rows that no message came of.
func (m *Monitor) rejected(a link.RejectedArgs) (link.RejectedPage, error) {
	out := link.RejectedPage{Rows: []link.Rejected{}}
	if a.Campaign != "" {
		l, _, err := m.own(a.Campaign)
		if err != nil {
			return out, err
		}
		page, err := m.o.Store.Rejected(context.Background(), l.ID, a.After, rejectPage)
		for _, r := range page {
			out.Rows = append(out.Rows, link.Rejected{Line: r.Line, Value: r.Value, Reason: r.Reason})
		}
		out.More = len(page) == rejectPage
		return out, err
	}
	m.lists.mu.Lock()
	j := m.lists.jobs[a.Job]
	m.lists.mu.Unlock()
	if j == nil || !j.view().Done || j.rejected == nil { // it is written until the job is done
		return out, usage("no list is known as %q", wa.Clean(a.Job))
	}
	return j.rejectedPage(a.After, out)
}

// rejectedPage reads a page of the job's own file.
func (j *job) rejectedPage(after int64, out link.RejectedPage) (link.RejectedPage, error) {
	begin := int64(0)
	j.mu.Lock()
	if after == j.page.after {
		begin = j.page.begin
	}
	j.mu.Unlock()
	rows := csv.NewReader(io.NewSectionReader(j.rejected, begin, 1<<62))
	for end := begin; ; end = begin + rows.InputOffset() {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return out, fmt.Errorf("reading rejected rows: %w", err)
		}
		var line int64
		if _, err := fmt.Sscan(row[0], &line); err != nil || line <= after {
			continue
		}
		if len(out.Rows) == rejectPage {
			out.More = true
			j.mu.Lock()
			j.page.after, j.page.begin = out.Rows[rejectPage-1].Line, end
			j.mu.Unlock()
			return out, nil
		}
		out.Rows = append(out.Rows, link.Rejected{Line: line, Value: row[1], Reason: row[2]})
	}
}
