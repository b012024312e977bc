package store

import (
	"context"
	"database/sql"
	"fmt"

	"tickwatch/wa"
)

// Alarm is one stored incident. Moments that have not come are 0.
type Alarm struct {
	ID        int64
	Kind      string
	Severity  string
	Subject   string // what it is about: one open alarm a kind and subject
	Campaign  string // key, or ""
	Text      string
	Advice    string
	RaisedAt  wa.Instant
	ActedAt   wa.Instant
	ClearedAt wa.Instant
	AckedBy   string

	SnoozedUntil wa.Instant // it is quiet until then; SnoozedOn = until it grows. Stays when the snooze is over
	SnoozedBy    string     // "" = it is not quiet
	SnoozedAct   bool       // it was at act when it was quietened
}

// SnoozedOn is the SnoozedUntil of an alarm that is quiet until it grows.
const SnoozedOn wa.Instant = -1

// Action is something an operator, or tickwatch itself, did.
type Action struct {
	ID       int64
	At       wa.Instant
	Operator string
	Verb     string
	Target   string
	Reason   string
	Effect   string
}

// SaveAlarms writes alarms, new or changed, in one commit; their IDs are the
// caller's. With an action, that is recorded in the same commit.
func (s *Store) SaveAlarms(alarms []Alarm, action *Action) error {
	err := s.write(func(ctx context.Context, c *sql.Conn) error {
		for _, a := range alarms {
			if _, err := c.ExecContext(ctx, "INSERT OR REPLACE INTO alarm ("+alarmColumns+") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
				a.ID, a.Kind, a.Severity, a.Subject, a.Campaign, a.Text, a.Advice, int64(a.RaisedAt), int64(a.ActedAt), int64(a.ClearedAt), a.AckedBy,
				int64(a.SnoozedUntil), a.SnoozedBy, a.SnoozedAct); err != nil {
				return err
			}
		}
		if action == nil {
			return nil
		}
		_, err := c.ExecContext(ctx, "INSERT INTO action (id, at, operator, verb, target, reason, effect) VALUES (?, ?, ?, ?, ?, ?, ?)",
			action.ID, int64(action.At), action.Operator, action.Verb, action.Target, action.Reason, action.Effect)
		return err
	})
	if err != nil {
		return fmt.Errorf("storing alarms: %w", err)
	}
	return nil
}

const alarmColumns = "id, kind, severity, subject, campaign, text, advice, raised_at, acted_at, cleared_at, acked_by, snoozed_until, snoozed_by, snoozed_act"

// readAlarms reads every open alarm and the latest cleared ones.
func readAlarms(ctx context.Context, q querier) ([]Alarm, error) {
	return query(ctx, q, scanAlarm, "SELECT "+alarmColumns+" FROM alarm WHERE cleared_at = 0 UNION ALL SELECT * FROM (SELECT "+alarmColumns+
		" FROM alarm WHERE cleared_at <> 0 ORDER BY cleared_at DESC, id DESC LIMIT 50) ORDER BY id")
}

func readActions(ctx context.Context, q querier) ([]Action, error) {
	return query(ctx, q, scanAction, "SELECT id, at, operator, verb, target, reason, effect FROM (SELECT * FROM action ORDER BY id DESC LIMIT 50) ORDER BY id")
}

func scanAlarm(s scanner) (a Alarm, err error) {
	return a, s.Scan(&a.ID, &a.Kind, &a.Severity, &a.Subject, &a.Campaign, &a.Text, &a.Advice, &a.RaisedAt, &a.ActedAt, &a.ClearedAt, &a.AckedBy, &a.SnoozedUntil, &a.SnoozedBy, &a.SnoozedAct)
}

func scanAction(s scanner) (a Action, err error) {
	return a, s.Scan(&a.ID, &a.At, &a.Operator, &a.Verb, &a.Target, &a.Reason, &a.Effect)
}
