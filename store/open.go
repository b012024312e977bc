package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"strconv"
	"strings"
	"syscall"

	"tickwatch/wa"
)

//go:embed schema/*.sql
var schema embed.FS

// oldestSQLite is the first version without the WAL-reset bug, which can
// corrupt a database that two connections write and checkpoint.
var oldestSQLite = [3]int{3, 51, 3}

func checkVersion(ctx context.Context, db *sql.DB, path string) error {
	var text string
	if err := db.QueryRowContext(ctx, "SELECT sqlite_version()").Scan(&text); err != nil {
		return fmt.Errorf("opening %s: %w; if it is no tickwatch store, move it away or set data.dir to another folder", path, err)
	}
	return judgeVersion(text)
}

func judgeVersion(text string) error {
	var v [3]int
	for i, part := range strings.SplitN(text, ".", 3) {
		n, err := strconv.Atoi(part)
		if err != nil {
			return fmt.Errorf("SQLite calls itself %q, which is no version", text)
		}
		v[i] = n
	}
	for i := range v {
		if v[i] != oldestSQLite[i] {
			if v[i] < oldestSQLite[i] {
				return fmt.Errorf("SQLite %s can corrupt the store (WAL-reset bug, fixed in 3.51.3); build tickwatch with a newer modernc.org/sqlite", text)
			}
			return nil
		}
	}
	return nil
}

// migrate brings the schema to the newest version, one transaction a step.
// PRAGMA user_version holds how many steps have been taken.
func migrate(ctx context.Context, db *sql.DB, path string) error {
	steps, err := fs.Glob(schema, "schema/*.sql")
	if err != nil {
		return err
	}
	var have int
	if err := db.QueryRowContext(ctx, "PRAGMA user_version").Scan(&have); err != nil {
		return fmt.Errorf("reading %s: %w", path, err)
	}
	if have > len(steps) {
		return fmt.Errorf("%s was written by a newer tickwatch (schema %d, this one knows %d): install that version again, or set data.dir to another folder", path, have, len(steps))
	}
	for i := have; i < len(steps); i++ {
		text, err := schema.ReadFile(steps[i])
		if err != nil {
			return err
		}
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return fmt.Errorf("bringing %s up to date: %w", path, err)
		}
		_, err = tx.ExecContext(ctx, string(text)+fmt.Sprintf("\nPRAGMA user_version = %d;", i+1))
		if err = errors.Join(err, finish(tx, err)); err != nil {
			return fmt.Errorf("bringing %s from schema %d to %d: %w; the store is as it was", path, i, i+1, err)
		}
	}
	return nil
}

func finish(tx *sql.Tx, err error) error {
	if err != nil {
		return tx.Rollback()
	}
	return tx.Commit()
}

// secureFile makes the database file 0600 before SQLite does it wider; SQLite
// gives the -wal and -shm files the same mode. A file that others may read is refused.
func secureFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return fmt.Errorf("opening the store: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("opening the store: %w", err)
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is no regular file: move it away", wa.Clean(path))
	}
	if info.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("%s holds phone numbers and others may read it (mode %04o): chmod 600 it and its -wal and -shm", wa.Clean(path), info.Mode().Perm())
	}
	return nil
}

func escapePath(path string) string { return (&url.URL{Path: path}).EscapedPath() }

// lock keeps a second daemon out: a file beside the database, locked for as
// long as this process lives, with the holder's pid in it.
type lock struct{ file *os.File }

func acquire(path string) (*lock, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, fmt.Errorf("locking the data folder: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		defer f.Close()
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("locking %s: %w", wa.Clean(path), err)
		}
		holder := make([]byte, 20)
		n, _ := f.Read(holder)
		pid := strings.TrimSpace(string(holder[:n]))
		if _, err := strconv.Atoi(pid); err != nil {
			pid = "unknown"
		}
		return nil, fmt.Errorf("another tickwatch daemon (pid %s) has this data folder: attach to it with `tickwatch watch`, or stop it first", pid)
	}
	if err := f.Truncate(0); err != nil {
		f.Close()
		return nil, fmt.Errorf("writing %s: %w", wa.Clean(path), err)
	}
	if _, err := f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0); err != nil {
		f.Close()
		return nil, fmt.Errorf("writing %s: %w", wa.Clean(path), err)
	}
	return &lock{f}, nil
}

// release lets go of the lock. The file stays: removing it could let two
// daemons lock two different files of the same name.
func (l *lock) release() error { return l.file.Close() }
