package store

import (
	"flag"
	"os"
	"testing"
)

// TestMain gives each property fewer draws than rapid would by itself, for each
// draw here writes to a disk: -rapid.checks=1000 gives more.
func TestMain(m *testing.M) {
	flag.Parse()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "rapid.checks" })
	if !given {
		_ = flag.Set("rapid.checks", "40")
	}
	os.Exit(m.Run())
}
