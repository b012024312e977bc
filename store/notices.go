package store

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"tickwatch/wa"
)

// Notice is one stored piece of news that is no message: of a template, a
// number or an account, or an error that Meta reported by itself.
type Notice struct {
	Seq  int64
	Kind string     // one of the Notice… kinds
	At   wa.Instant // by Meta's clock
	// News is what it says: a wa.TemplateUpdate, TemplateEdit, NumberUpdate,
	// NameUpdate, SecurityUpdate, CapabilityUpdate, AccountUpdate, AccountAlert, Fault
	// Changed or Comparison.
	News any
}

// Kinds of a Notice, as they are stored.
const (
	NoticeTemplate   = "template"
	NoticeEdit       = "components"
	NoticeNumber     = "number"
	NoticeName       = "number_name"
	NoticeSecurity   = "security"
	NoticeCapability = "capability"
	NoticeAccount    = "account"
	NoticeAlert      = "alert"
	NoticeFault      = "fault"
	NoticePolled     = "polled" // a poll found it
	NoticeCompared   = "compared"
)

// maxScan bounds how many notices of a kind a search looks at.
const maxScan = 20_000

// Notices reads the newest notices of some kinds that want is true for (nil =
// all), newest first, at most limit of them.
func (s *Store) Notices(ctx context.Context, limit int, want func(*Notice) bool, kinds ...string) ([]Notice, error) {
	var all []Notice
	for _, kind := range kinds {
		found, err := s.noticesOf(ctx, kind, limit, want)
		if err != nil {
			return nil, fmt.Errorf("reading what happened (%s): %w", kind, err)
		}
		all = append(all, found...)
	}
	slices.SortFunc(all, func(a, b Notice) int { return cmp.Or(cmp.Compare(b.At, a.At), cmp.Compare(b.Seq, a.Seq)) })
	return all[:min(len(all), limit)], nil
}

// Its middle condition is the index's own (notice_standing).
const noticesNewestFirst = `SELECT seq, at, body FROM notice
	WHERE kind = ? AND kind NOT IN ('inbound', 'preference') ORDER BY at DESC, seq DESC LIMIT ?`

// noticesOf reads row by row, so that a search ends as soon as it has enough.
func (s *Store) noticesOf(ctx context.Context, kind string, limit int, want func(*Notice) bool) (found []Notice, err error) {
	rows, err := s.readers.QueryContext(ctx, noticesNewestFirst, kind, maxScan)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() && len(found) < limit {
		n := Notice{Kind: kind}
		var body []byte
		if err := rows.Scan(&n.Seq, &n.At, &body); err != nil {
			return nil, err
		}
		if n.News, err = newsOf(kind, body); err != nil {
			return nil, fmt.Errorf("notice %d: %w", n.Seq, err)
		}
		if want == nil || want(&n) {
			found = append(found, n)
		}
	}
	return found, rows.Err()
}

// newsOf decodes the body of a notice.
func newsOf(kind string, body []byte) (any, error) {
	switch kind {
	case NoticeTemplate:
		return decoded[wa.TemplateUpdate](body)
	case NoticeEdit:
		return decoded[wa.TemplateEdit](body)
	case NoticeNumber:
		return decoded[wa.NumberUpdate](body)
	case NoticeName:
		return decoded[wa.NameUpdate](body)
	case NoticeSecurity:
		return decoded[wa.SecurityUpdate](body)
	case NoticeCapability:
		return decoded[wa.CapabilityUpdate](body)
	case NoticeAccount:
		return decoded[wa.AccountUpdate](body)
	case NoticeAlert:
		return decoded[wa.AccountAlert](body)
	case NoticeFault:
		return decoded[wa.Fault](body)
	case NoticePolled:
		return decoded[wa.Changed](body)
	case NoticeCompared:
		return decoded[wa.Comparison](body)
	}
	return nil, fmt.Errorf("no news are known by the kind %q", kind)
}

func decoded[T any](body []byte) (any, error) {
	var v T
	err := json.Unmarshal(body, &v)
	return v, err
}

// AccountOf is the WhatsApp Business Account that a number belongs to, by its
// digits; "" where Meta has not told.
func (s *Store) AccountOf(ctx context.Context, display string) (string, error) {
	all, err := query(ctx, s.readers, func(s scanner) (id string, err error) { return id, s.Scan(&id) },
		"SELECT account FROM number WHERE display = ? AND account <> '' LIMIT 1", digits(display))
	if err != nil || len(all) == 0 {
		return "", err
	}
	return all[0], nil
}

// LatestAlarms reads the alarms to which something happened last, newest first.
func (s *Store) LatestAlarms(ctx context.Context, limit int) ([]Alarm, error) {
	all, err := query(ctx, s.readers, scanAlarm, "SELECT "+alarmColumns+" FROM alarm ORDER BY max(raised_at, acted_at, cleared_at) DESC, id DESC LIMIT ?", limit)
	if err != nil {
		return nil, fmt.Errorf("reading alarms: %w", err)
	}
	return all, nil
}

// LatestActions reads the latest actions, newest first.
func (s *Store) LatestActions(ctx context.Context, limit int) ([]Action, error) {
	all, err := query(ctx, s.readers, scanAction, "SELECT id, at, operator, verb, target, reason, effect FROM action ORDER BY id DESC LIMIT ?", limit)
	if err != nil {
		return nil, fmt.Errorf("reading actions: %w", err)
	}
	return all, nil
}

// Span is a campaign's first and latest message, by their clocks.
type Span struct {
	Key, Name     string
	First, Latest wa.Instant // First is cut to the second
}

// LatestSpans reads the campaigns with the latest messages, newest first.
func (s *Store) LatestSpans(ctx context.Context, limit int) ([]Span, error) {
	if err := s.Settled(ctx); err != nil {
		return nil, fmt.Errorf("reading when campaigns ran: %w", err)
	}
	all, err := query(ctx, s.readers, func(s scanner) (c Span, err error) {
		var second int64
		err = s.Scan(&c.Key, &c.Name, &c.Latest, &second)
		c.First = wa.Instant(second * 1000)
		return c, err
	}, `SELECT key, name, latest, coalesce((SELECT second FROM pulse WHERE campaign = c.id AND messages > 0 ORDER BY second LIMIT 1), latest / 1000)
		FROM campaign c WHERE messages > 0 ORDER BY latest DESC, id DESC LIMIT ?`, limit)
	if err != nil {
		return nil, fmt.Errorf("reading when campaigns ran: %w", err)
	}
	return all, nil
}
