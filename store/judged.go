package store

import (
	"context"
	"fmt"
	"slices"

	"tickwatch/wa"
)

// Judged is a message of which it is known what became of it, or that is old enough
// for most of those that arrive to have done so, with what it has in common with others.
type Judged struct {
	ID       int64
	Failed   bool // or refused, and did not arrive
	Code     int  // of a failed one, its last
	At       wa.Instant
	Phone    string // digits; "" = not known
	Number   string // phone_number_id of the sender, else its digits
	Template int64  // Meta's id; 0 = another system sent it
	Line     int64  // of our list; 0 likewise
	Values   []byte // as ListedMessage.Values
}

const (
	// judgedWindow is how many ids one read of judged messages looks at.
	judgedWindow = listingWindow
	// judgedLooks bounds how many windows are looked at: the newest messages of a
	// campaign lie close together, unless it has long been over.
	judgedLooks = 8
)

// newestJudged goes back from an id. A campaign has no index of its messages: they
// are where the newest ids are.
const newestJudged = `SELECT m.id, m.seen, m.sent_at, m.delivered_at, m.read_at, m.failed_at, m.code, m.code_at, m.accepted_at,
	coalesce(r.phone, p.phone, ''), coalesce(nullif(n.number_id, ''), n.display, ''), coalesce(a.template, 0), coalesce(r.line, 0), coalesce(r.vals, '')
	FROM message m LEFT JOIN person p ON p.id = m.person LEFT JOIN number n ON n.id = m.number
	LEFT JOIN attempt a ON a.message = m.id LEFT JOIN recipient r ON r.id = a.recipient
	WHERE m.id > ?1 AND m.id <= ?2 AND m.campaign = ?3 AND (m.state = 2 OR ` + clockOf + ` < ?4)
	ORDER BY m.id DESC LIMIT ?5`

// Judged reads the newest judged messages of a campaign, at most limit, in the order
// of their ids: those that failed, and those whose clock started before a moment.
// What Meta holds back is not judged. Rows lag by a second or two (see pending).
func (s *Store) Judged(ctx context.Context, campaign int64, before wa.Instant, limit int) ([]Judged, error) {
	var upto int64
	if err := s.readers.QueryRowContext(ctx, "SELECT coalesce(max(id), 0) FROM message").Scan(&upto); err != nil {
		return nil, fmt.Errorf("reading judged messages: %w", err)
	}
	var all []Judged
	for range judgedLooks {
		if upto <= 0 || len(all) >= limit {
			break
		}
		after := upto - judgedWindow<<s.spread.Load()
		page, err := query(ctx, s.readers, scanJudged, newestJudged, after, upto, campaign, int64(before), limit-len(all))
		if err != nil {
			return nil, fmt.Errorf("reading judged messages: %w", err)
		}
		for _, j := range page {
			if !j.paced {
				all = append(all, j.Judged)
			}
		}
		upto = after
	}
	slices.Reverse(all)
	return all, nil
}

type judgedRow struct {
	Judged
	paced bool
}

func scanJudged(s scanner) (j judgedRow, err error) {
	var p wa.Progress
	err = s.Scan(&j.ID, &p.Seen, &p.SentAt, &p.DeliveredAt, &p.ReadAt, &p.FailedAt, &p.Code, &p.CodeAt, &p.AcceptedAt,
		&j.Phone, &j.Number, &j.Template, &j.Line, &j.Values)
	j.At, j.paced = p.Clock(), p.Paced()
	if j.Failed = p.State() == wa.StateFailed; j.Failed {
		j.Code = p.Code
	}
	return j, err
}
