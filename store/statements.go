package store

import (
	"context"
	"database/sql"
	"fmt"
)

// statements are the writer's prepared statements, those that run for every
// post or message.
type statements struct {
	raw, event, notice, failureText             *sql.Stmt
	messageByKey, insertMessage, updateMessage  *sql.Stmt
	personByPhone, personByBSUID, insertPerson  *sql.Stmt
	campaign, pulse, errorMinute, feed, senders *sql.Stmt
}

const messageColumns = `m.id, m.campaign, m.number, m.person, m.wamid, m.seen, m.sent_at, m.delivered_at, m.read_at, m.failed_at, m.code, m.code_at`

func (st *statements) prepare(ctx context.Context, c *sql.Conn) error {
	for _, p := range []struct {
		to   **sql.Stmt
		text string
	}{
		{&st.raw, `INSERT INTO raw VALUES (?, ?, ?, ?)`},
		{&st.event, `INSERT INTO status_event VALUES (?, ?, ?, ?, ?, ?)`},
		{&st.notice, `INSERT INTO notice VALUES (?, ?, ?, ?, ?)`},
		{&st.failureText, `INSERT OR REPLACE INTO failure_text VALUES (?, ?)`},
		{&st.messageByKey, `SELECT ` + messageColumns + `, coalesce(p.phone, ''), coalesce(p.bsuid, '')
			FROM message m LEFT JOIN person p ON p.id = m.person WHERE m.wamid_key = ? AND m.wamid = ?`},
		{&st.insertMessage, `INSERT INTO message VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`},
		{&st.updateMessage, `UPDATE message SET campaign = ?, person = ?, seen = ?, state = ?,
			sent_at = ?, delivered_at = ?, read_at = ?, failed_at = ?, code = ?, code_at = ? WHERE id = ?`},
		{&st.personByPhone, `SELECT id, phone, bsuid FROM person WHERE phone = ? AND phone <> ''`},
		{&st.personByBSUID, `SELECT id, phone, bsuid FROM person WHERE bsuid = ? AND bsuid <> ''`},
		{&st.insertPerson, `INSERT INTO person (id, phone, bsuid) VALUES (?, ?, ?)`},
		{&st.campaign, `UPDATE campaign SET run_from = ?, run_to = ?, latest = ?, messages = ?, sent = ?, delivered = ?, read = ?,
			failed = ?, withheld = ?, refusers = ?, opt_outs = ? WHERE id = ?`},
		{&st.pulse, `INSERT INTO pulse VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT DO UPDATE SET messages = messages + excluded.messages, delivered = delivered + excluded.delivered,
			failed = failed + excluded.failed, withheld = withheld + excluded.withheld,
			within_5 = within_5 + excluded.within_5, within_30 = within_30 + excluded.within_30,
			within_60 = within_60 + excluded.within_60, within_300 = within_300 + excluded.within_300,
			within_1800 = within_1800 + excluded.within_1800,
			failed_1800 = failed_1800 + excluded.failed_1800, withheld_1800 = withheld_1800 + excluded.withheld_1800`},
		{&st.errorMinute, `INSERT INTO error_minute VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET messages = messages + excluded.messages`},
		{&st.feed, `UPDATE feed SET commits = ?, posts = ?, refused = ?, not_understood = ?, updates = ?, duplicates = ?, last_event_at = ? WHERE one = 1`},
		{&st.senders, `INSERT OR IGNORE INTO campaign_number VALUES (?, ?)`},
	} {
		stmt, err := c.PrepareContext(ctx, p.text)
		if err != nil {
			return fmt.Errorf("preparing %.40q: %w", p.text, err)
		}
		*p.to = stmt
	}
	return nil
}
