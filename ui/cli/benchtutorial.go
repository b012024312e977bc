package cli

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"

	"tickwatch/wa/webhook"
)

// tutorial is the webhook handler that a tutorial gives, made with care: it
// checks the signature, reads the body with encoding/json, and in one
// transaction a POST keeps each status as an event and as the state of its
// message, under the wamid as primary key. Its answers are durable (WAL,
// synchronous=FULL) and its statements prepared. It keeps no raw bodies, people,
// campaigns or totals. It is what `bench ingest` compares with, and nothing else
// uses it; that is why it speaks SQL outside the store.
type tutorial struct {
	signed *webhook.Verifier
	db     *sql.DB
	event  *sql.Stmt
	state  *sql.Stmt
}

const tutorialSchema = `
CREATE TABLE message (wamid TEXT PRIMARY KEY, campaign TEXT NOT NULL, phone TEXT NOT NULL,
	rank INTEGER NOT NULL, status TEXT NOT NULL, at INTEGER NOT NULL, code INTEGER NOT NULL);
CREATE TABLE event (id INTEGER PRIMARY KEY, wamid TEXT NOT NULL, status TEXT NOT NULL, at INTEGER NOT NULL, code INTEGER NOT NULL);`

func openTutorial(ctx context.Context, path string, signed *webhook.Verifier) (_ *tutorial, err error) {
	const pragmas = "?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)"
	t := &tutorial{signed: signed}
	if t.db, err = sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+pragmas); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("making the database to compare with: %w", err), t.db.Close())
		}
	}()
	t.db.SetMaxOpenConns(1) // SQLite has one writer
	if _, err := t.db.ExecContext(ctx, tutorialSchema); err != nil {
		return nil, err
	}
	t.event, err = t.db.PrepareContext(ctx, `INSERT INTO event (wamid, status, at, code) VALUES (?, ?, ?, ?)`)
	if err != nil {
		return nil, err
	}
	t.state, err = t.db.PrepareContext(ctx, `INSERT INTO message VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
		rank = excluded.rank, status = excluded.status, at = excluded.at, code = excluded.code WHERE excluded.rank > rank`)
	return t, err
}

// tutorialBody is the part of Meta's payload that the tutorial reads.
type tutorialBody struct {
	Entry []struct {
		Changes []struct {
			Value struct {
				Statuses []struct {
					ID        string `json:"id"`
					Status    string `json:"status"`
					Timestamp string `json:"timestamp"`
					Recipient string `json:"recipient_id"`
					Callback  string `json:"biz_opaque_callback_data"`
					Errors    []struct {
						Code int `json:"code"`
					} `json:"errors"`
				} `json:"statuses"`
			} `json:"value"`
		} `json:"changes"`
	} `json:"entry"`
}

var tutorialRanks = map[string]int{"sent": 1, "failed": 2, "delivered": 3, "read": 4, "played": 4}

// ServeHTTP answers 200 once the body's statuses are on disk.
func (t *tutorial) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, "the body broke off", http.StatusBadRequest)
		return
	}
	if err := t.signed.Verify(r.Header.Values(webhook.SignatureHeader), body); err != nil {
		http.Error(w, "the signature is missing or wrong", http.StatusUnauthorized)
		return
	}
	var b tutorialBody
	if err := json.Unmarshal(body, &b); err != nil {
		http.Error(w, "the body is no JSON", http.StatusBadRequest)
		return
	}
	if err := t.store(r.Context(), &b); err != nil {
		http.Error(w, "not stored", http.StatusServiceUnavailable)
		return
	}
	_, _ = io.WriteString(w, "stored")
}

func (t *tutorial) store(ctx context.Context, b *tutorialBody) error {
	tx, err := t.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()                                       // after a commit it does nothing
	event, state := tx.StmtContext(ctx, t.event), tx.StmtContext(ctx, t.state) //nolint:sqlclosecheck // the end of the transaction closes them
	for _, entry := range b.Entry {
		for _, change := range entry.Changes {
			for _, s := range change.Value.Statuses {
				at, _ := strconv.ParseInt(s.Timestamp, 10, 64)
				code := 0
				if len(s.Errors) > 0 {
					code = s.Errors[0].Code
				}
				if _, err := event.ExecContext(ctx, s.ID, s.Status, at, code); err != nil {
					return err
				}
				if _, err := state.ExecContext(ctx, s.ID, s.Callback, s.Recipient, tutorialRanks[s.Status], s.Status, at, code); err != nil {
					return err
				}
			}
		}
	}
	return tx.Commit()
}

// Close closes the database.
func (t *tutorial) Close() error { return t.db.Close() }
