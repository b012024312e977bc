package store

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"

	"tickwatch/wa"
)

// listingWindow is how many ids one read of a listing looks at, at most: no read
// is open for longer than that takes, and so the log can be written back.
const listingWindow = 25_000

// MessageFilter says which messages are listed; the zero one lists all. What it
// asks for must all hold.
type MessageFilter struct {
	Campaign int64      // row id; 0 = any
	From, To wa.Instant // the message's clock, from From on and before To; 0 = no bound
	Failed   bool       // those that failed or were refused, and did not arrive
	Codes    []int      // those of Failed whose last code is one of these; none = any
	Number   string     // sent from: phone_number_id or digits; "" = any
}

// ListedMessage is a message with what belongs to it.
type ListedMessage struct {
	Message
	CampaignID int64
	From       string // sending number, digits; "" where no webhook named it
	FromID     string // its phone_number_id; "" likewise
	Title      string // of its code, by Meta's webhooks; foreign
	Listed     string // digits of the number that our list has for them; "" where another system sent it
	Line       int64  // of our list
	Attempt    int    // 1, or how often it was tried by then; 0 where another system sent it
	Values     []byte // JSON array of texts, by the campaign's wa.Plan.Columns; foreign

	retryOf int64
}

// Rejected is the message's row of the rejected list, if it is one that failed.
func (l *ListedMessage) Rejected() wa.Rejected {
	return wa.Rejected{
		At: l.Progress.CodeAt, From: l.From, FromID: l.FromID, To: cmp.Or(l.Phone, l.Listed), BSUID: l.BSUID, Refused: l.Progress.Refused(),
		Code: l.Progress.Code, Title: l.Title, Details: l.Details,
	}
}

// clockOf is wa.Progress.Clock in SQL; NULL when nothing is known.
const clockOf = `CASE WHEN m.accepted_at <> 0 THEN m.accepted_at WHEN m.sent_at <> 0 THEN m.sent_at ELSE
	nullif(min(ifnull(nullif(m.delivered_at, 0), 1 << 62), ifnull(nullif(m.read_at, 0), 1 << 62), ifnull(nullif(m.failed_at, 0), 1 << 62)), 1 << 62) END`

const listMessages = "SELECT " + messageColumns + `, coalesce(p.phone, ''), coalesce(p.bsuid, ''), coalesce(c.key, ''), coalesce(f.details, ''),
	coalesce(n.display, ''), coalesce(n.number_id, ''), coalesce(t.title, ''),
	coalesce(r.phone, ''), coalesce(r.line, 0), coalesce(r.retry_of, 0), a.message IS NOT NULL, coalesce(r.vals, '')
	FROM message m LEFT JOIN person p ON p.id = m.person LEFT JOIN campaign c ON c.id = m.campaign
	LEFT JOIN failure_text f ON f.message = m.id LEFT JOIN number n ON n.id = m.number LEFT JOIN code_title t ON t.code = m.code
	LEFT JOIN attempt a ON a.message = m.id LEFT JOIN recipient r ON r.id = a.recipient
	WHERE m.id > ?1 AND m.id <= ?2 AND ?3 IN (0, m.campaign) AND (NOT ?4 OR m.state = 2)
	AND (?5 = '[]' OR m.state = 2 AND m.code IN (SELECT value FROM json_each(?5)))
	AND (?6 = '' OR n.number_id = ?6 OR n.display = ?7)
	AND (?8 = 0 OR ` + clockOf + ` >= ?8) AND (?9 = 0 OR ` + clockOf + ` < ?9)
	ORDER BY m.id LIMIT ?10`

// LastMessage waits until every message that is known has its row, and gives the
// highest id of one; 0 = there is none. Messages up to it are all there is to list.
func (s *Store) LastMessage(ctx context.Context) (last int64, err error) {
	if err = s.Settled(ctx); err == nil {
		err = s.readers.QueryRowContext(ctx, "SELECT coalesce(max(id), 0) FROM message").Scan(&last)
	}
	if err != nil {
		return 0, fmt.Errorf("reading messages: %w", err)
	}
	return last, nil
}

// ListMessages reads the next messages that a filter lets through, in the order of
// their ids, which is about that of sending: at most limit, with an id above after
// and up to end. It looks at a stretch of the ids only and says how far it came:
// all is read when that is end. It holds no read open between two calls.
func (s *Store) ListMessages(ctx context.Context, f MessageFilter, after, end int64, limit int) (page []ListedMessage, upto int64, err error) {
	codes, err := json.Marshal(append([]int{}, f.Codes...))
	if err != nil {
		return nil, 0, err
	}
	upto = min(end, after+listingWindow<<s.spread.Load())
	page, err = query(ctx, s.readers, readListed, listMessages,
		after, upto, f.Campaign, f.Failed, string(codes), f.Number, digits(f.Number), int64(f.From), int64(f.To), limit)
	for i := range page {
		if err == nil && page[i].retryOf != 0 {
			page[i].Attempt, err = s.attemptAfter(ctx, page[i].retryOf)
		}
	}
	if err != nil {
		return nil, 0, fmt.Errorf("listing messages: %w", err)
	}
	if len(page) == limit {
		upto = page[limit-1].ID
	}
	return page, upto, nil
}

func readListed(s scanner) (l ListedMessage, err error) {
	var m message
	var ours bool
	p := &m.progress
	err = s.Scan(&m.id, &m.campaign, &m.number, &m.person, &m.wamid, &p.Seen,
		&p.SentAt, &p.DeliveredAt, &p.ReadAt, &p.FailedAt, &p.Code, &p.CodeAt, &p.AcceptedAt, &l.Phone, &l.BSUID, &l.Campaign, &l.Details,
		&l.From, &l.FromID, &l.Title, &l.Listed, &l.Line, &l.retryOf, &ours, &l.Values)
	l.ID, l.WAMID, l.Progress, l.person, l.CampaignID = m.id, m.wamid, m.progress, m.person, m.campaign
	if ours {
		l.Attempt = 1
	}
	return l, err
}

// attemptAfter is which attempt of a person's message follows the one that failed.
func (s *Store) attemptAfter(ctx context.Context, failed int64) (n int, err error) {
	err = s.readers.QueryRowContext(ctx, `WITH RECURSIVE before(message) AS (
		SELECT ? UNION SELECT r.retry_of FROM before b JOIN attempt a ON a.message = b.message JOIN recipient r ON r.id = a.recipient WHERE r.retry_of <> 0
	) SELECT 1 + count(*) FROM before`, failed).Scan(&n)
	return n, err
}

// ListedRecipient is a message of one of our own campaigns that is not with Meta.
type ListedRecipient struct {
	QueuedMessage
	ID         int64
	CampaignID int64
	Listed     string // digits of the number that our list has for them
	Line       int64
	Attempt    int    // which it will be
	Values     []byte // as ListedMessage.Values

	retryOf int64
}

const listRecipients = `SELECT r.id, r.campaign, c.key, CASE WHEN p.state = 'cancelled' AND r.state < 2 THEN 4 ELSE r.state END,
	CASE WHEN p.state = 'cancelled' AND r.state < 2 THEN '` + reasonCancelled + `' ELSE r.reason END, r.due, r.phone, r.line, r.retry_of, r.vals
	FROM recipient r JOIN plan p ON p.campaign = r.campaign JOIN campaign c ON c.id = r.campaign
	WHERE r.id > ? AND r.id <= ? AND ? IN (0, r.campaign) AND r.state < 5 ORDER BY r.id LIMIT ?`

// LastRecipient is the highest id of a row of the queue; 0 = there is none.
func (s *Store) LastRecipient(ctx context.Context) (last int64, err error) {
	if err = s.readers.QueryRowContext(ctx, "SELECT coalesce(max(id), 0) FROM recipient").Scan(&last); err != nil {
		return 0, fmt.Errorf("reading the queue: %w", err)
	}
	return last, nil
}

// ListRecipients reads on in the queue as ListMessages does in the messages: those
// of a campaign (0 = of all) that wait, are set aside, going out, cancelled or may
// have gone out.
func (s *Store) ListRecipients(ctx context.Context, campaign, after, end int64, limit int) (page []ListedRecipient, upto int64, err error) {
	upto = min(end, after+listingWindow)
	page, err = query(ctx, s.readers, func(s scanner) (l ListedRecipient, err error) {
		var state int
		err = s.Scan(&l.ID, &l.CampaignID, &l.Campaign, &state, &l.Reason, &l.Due, &l.Listed, &l.Line, &l.retryOf, &l.Values)
		if err == nil {
			l.State, l.Attempt = rowNames[state], 1
		}
		return l, err
	}, listRecipients, after, upto, campaign, limit)
	for i := range page {
		if err == nil && page[i].retryOf != 0 {
			page[i].Attempt, err = s.attemptAfter(ctx, page[i].retryOf)
		}
	}
	if err != nil {
		return nil, 0, fmt.Errorf("listing the queue: %w", err)
	}
	if len(page) == limit {
		upto = page[limit-1].ID
	}
	return page, upto, nil
}
