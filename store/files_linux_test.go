package store

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tickwatch/wa"
)

// A closed store holds no file open, and its log is in the database.
func TestCloseLetsGoOfFiles(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	ingest(t, s, statuses(status("1", wa.StatusSent, at(0), "x:1")))
	if _, err := s.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	links, err := filepath.Glob("/proc/self/fd/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range links {
		if to, err := os.Readlink(l); err == nil && strings.HasPrefix(to, dir) {
			t.Errorf("%s is still open", to)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*-wal")); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}
