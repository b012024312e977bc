package store

import (
	"context"
	"database/sql"
	"fmt"
)

// statements are the writer's prepared statements, those that run for every
// post or message.
type statements struct {
	raw, notice, failureText                  *sql.Stmt
	messageByID, insertMessage, updateMessage *sql.Stmt
	personByID, insertPerson                  *sql.Stmt
	campaign, pulse, errorMinute, feed        *sql.Stmt
	readPage, writePage                       *sql.Stmt
	insertRecipient, updateRecipient          *sql.Stmt
	recipientByID, recipientsAhead            *sql.Stmt
	recipientsAgain, nextDue                  *sql.Stmt
	insertAttempt, standing                   *sql.Stmt
	failing, wroteAt                          *sql.Stmt
	listedByID, insertListed                  *sql.Stmt
	journal, sheetRow                         *sql.Stmt
	fallbackByID                              *sql.Stmt
	insertFallback, updateFallback            *sql.Stmt

	all []*sql.Stmt
}

const messageColumns = `m.id, m.campaign, m.number, m.person, m.wamid, m.seen, m.sent_at, m.delivered_at, m.read_at, m.failed_at, m.code, m.code_at, m.accepted_at`

// Those that readers run, too.
const (
	readPage   = `SELECT entries FROM index_page WHERE id = ?`
	listedByID = `SELECT ` + listedColumns + ` FROM suppressed WHERE id = ?`
	wroteAt    = `SELECT coalesce(max(at), 0) FROM inbound WHERE person = ? AND type <> 'system'`
)

func (st *statements) prepare(ctx context.Context, c *sql.Conn) error {
	for _, p := range []struct {
		to   **sql.Stmt
		text string
	}{
		{&st.raw, `INSERT INTO raw (id, received_at, source, body, posts) VALUES (?, ?, '', ?, ?)`},
		{&st.notice, `INSERT INTO notice VALUES (?, ?, ?, ?, ?)`},
		{&st.failureText, `INSERT OR REPLACE INTO failure_text VALUES (?, ?)`},
		{&st.messageByID, `SELECT ` + messageColumns + `, coalesce(p.phone, ''), coalesce(p.bsuid, '')
			FROM message m LEFT JOIN person p ON p.id = m.person WHERE m.id = ?`},
		{&st.insertMessage, `INSERT INTO message (id, campaign, number, person, wamid, seen, state, sent_at, delivered_at, read_at, failed_at, code, code_at, accepted_at)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`},
		{&st.updateMessage, `UPDATE message SET campaign = ?, person = ?, wamid = ?, seen = ?, state = ?,
			sent_at = ?, delivered_at = ?, read_at = ?, failed_at = ?, code = ?, code_at = ?, accepted_at = ? WHERE id = ?`},
		{&st.personByID, `SELECT phone, bsuid FROM person WHERE id = ?`},
		{&st.insertPerson, `INSERT INTO person (id, phone, bsuid) VALUES (?, ?, ?)`},
		{&st.campaign, `UPDATE campaign SET run_from = ?, run_to = ?, latest = ?, messages = messages + ?, sent = sent + ?, delivered = delivered + ?, read = read + ?,
			failed = failed + ?, withheld = withheld + ?, refusers = refusers + ?, opt_outs = opt_outs + ?, paced = paced + ?,
			waiting = waiting + ?, set_aside = set_aside + ?, claimed = claimed + ?, unknown = unknown + ?, cancelled = cancelled + ?, refused = refused + ? WHERE id = ?`},
		{&st.pulse, `INSERT INTO pulse VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT DO UPDATE SET messages = messages + excluded.messages, delivered = delivered + excluded.delivered,
			failed = failed + excluded.failed, withheld = withheld + excluded.withheld,
			within_5 = within_5 + excluded.within_5, within_30 = within_30 + excluded.within_30,
			within_60 = within_60 + excluded.within_60, within_300 = within_300 + excluded.within_300,
			within_1800 = within_1800 + excluded.within_1800,
			failed_1800 = failed_1800 + excluded.failed_1800, withheld_1800 = withheld_1800 + excluded.withheld_1800,
			refused = refused + excluded.refused, paced = paced + excluded.paced`},
		{&st.errorMinute, `INSERT INTO error_minute VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET messages = messages + excluded.messages`},
		{&st.feed, `UPDATE feed SET commits = ?, posts = ?, refused = ?, not_understood = ?, updates = ?, duplicates = ?, last_event_at = ?,
			last_raw = ?, unsettled = ? WHERE one = 1`},
		{&st.readPage, readPage},
		{&st.insertRecipient, `INSERT INTO recipient VALUES (?, ?, ?, 0, ?, 0, 0, 0, ?, ?, '', ?)`},
		{&st.updateRecipient, `UPDATE recipient SET state = ?, again = ?, due = ?, tries = ?, message = ?, reason = ? WHERE id = ?`},
		{&st.recipientByID, `SELECT ` + recipientColumns + ` FROM recipient WHERE id = ?`},
		{&st.recipientsAhead, `SELECT ` + recipientColumns + ` FROM recipient WHERE id >= ? AND id <= ? ORDER BY id LIMIT ?`},
		{&st.recipientsAgain, `SELECT ` + recipientColumns + ` FROM recipient WHERE campaign = ? AND again = 1 AND due <= ? ORDER BY due, id LIMIT ?`},
		{&st.nextDue, `SELECT due, reason FROM recipient WHERE campaign = ? AND again = 1 ORDER BY due, id LIMIT 1`},
		{&st.insertAttempt, `INSERT INTO attempt VALUES (?, ?, ?, ?, ?)`},
		{&st.journal, `INSERT INTO journal VALUES (?, ?, ?, ?, ?)`},
		{&st.fallbackByID, `SELECT ` + fallbackColumns + ` FROM fallback WHERE id = ?`},
		{&st.insertFallback, `INSERT INTO fallback VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '', 0, 0, 0, ?, 0, 0, 0, ?, ?, '', '', '', ?)`},
		{&st.updateFallback, `UPDATE fallback SET token = ?, state = ?, accepted = ?, doubled = ?, due = ?, tries = ?, at = ?, told_at = ?,
			segments = ?, cost = ?, provider_id = ?, code = ?, reason = ?, expires = ? WHERE id = ?`},
		{&st.standing, `SELECT opted_out, opted_at, EXISTS (SELECT 1 FROM message WHERE person = ?1 AND state = 2),
			EXISTS (SELECT 1 FROM released WHERE person = ?1) FROM person WHERE id = ?1`},
		{&st.failing, `SELECT id, code, code_at FROM message WHERE person = ? AND state = 2`},
		{&st.wroteAt, wroteAt},
		{&st.listedByID, listedByID},
		{&st.insertListed, `INSERT INTO suppressed VALUES (?, ?, ?, ?, ?, ?, ?, ?)`},
		{&st.sheetRow, `INSERT INTO sheet_row (message, post, at) VALUES (?, ?, ?)`},
		{&st.writePage, `INSERT OR REPLACE INTO index_page VALUES (?, ?)`},
	} {
		stmt, err := c.PrepareContext(ctx, p.text)
		if err != nil {
			return fmt.Errorf("preparing %.40q: %w", p.text, err)
		}
		*p.to = stmt
		st.all = append(st.all, stmt)
	}
	return nil
}

// close frees the statements: SQLite keeps a connection's files open while it has any.
func (st *statements) close() {
	for _, stmt := range st.all {
		_ = stmt.Close()
	}
}
