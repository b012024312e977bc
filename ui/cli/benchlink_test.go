package cli_test

import (
	"encoding/json"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
)

// TestBenchLink: a short measurement ends, gives every figure, and leaves
// nothing behind.
func TestBenchLink(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	env := environment(dir)
	out, diagnostics, code := tickwatch(t, env, "bench", "link", "--json", "--seconds", "0.5", "--rounds", "1")
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, diagnostics)
	}
	var f struct {
		SnapshotBytes int `json:"snapshot_bytes"`
		Links         []struct {
			Consoles, Stuck int
			CPU             float64
			FanOutMS        *struct{ P50, P99 float64 } `json:"fan_out_ms"`
			Bytes           int64
			Snapshots       []int
		}
	}
	if err := json.Unmarshal([]byte(out), &f); err != nil {
		t.Fatal(err)
	}
	if f.SnapshotBytes < 100_000 || len(f.Links) != 5 {
		t.Fatalf("something was not measured: %s", out)
	}
	for _, l := range f.Links {
		if l.CPU <= 0 {
			t.Errorf("%d consoles cost nothing", l.Consoles)
		}
		if l.Consoles == 0 {
			continue
		}
		if l.FanOutMS == nil || l.FanOutMS.P50 <= 0 || l.FanOutMS.P99 < l.FanOutMS.P50 || len(l.Snapshots) != 1 || l.Bytes == 0 {
			t.Errorf("%d consoles: %+v", l.Consoles, l)
			continue
		}
		if all := int64(l.Snapshots[0] * l.Consoles * f.SnapshotBytes); l.Bytes < all*9/10 {
			t.Errorf("%d consoles took %d bytes of %d", l.Consoles, l.Bytes, all)
		}
	}
	left := 0
	_ = filepath.WalkDir(dir, func(path string, _ fs.DirEntry, _ error) error {
		if strings.Contains(path, "tickwatch-bench-") {
			left++
		}
		return nil
	})
	if left > 0 {
		t.Errorf("%d files were left behind", left)
	}
}

func TestBenchUsage(t *testing.T) {
	t.Parallel()
	env := environment(folder(t))
	for _, args := range []string{
		"link --seconds=0", "link --seconds=NaN", "link --rounds=0", "frame --seconds=0", "frame --dir=/no/such",
		"stored --messages=1", "stored --seconds=31", "stored --rounds=22", "stored --dir=/no/such",
	} {
		if out, diagnostics, code := tickwatch(t, env, append([]string{"bench"}, strings.Fields(args)...)...); code != 2 || out != "" {
			t.Errorf("%s: exit code %d, %q", args, code, diagnostics)
		}
	}
}
