package cli_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tickwatch/monitor/link"
	"tickwatch/wa/sandbox"
)

// TestSuppressEndToEnd: who is put on the list gets nothing, whether their list was
// imported before or comes after, and is found with the reason; the list goes out
// and comes in again; and who is released is written to.
func TestSuppressEndToEnd(t *testing.T) {
	t.Parallel()
	h := openHouse(t)
	winter := []string{
		"campaign", "import", h.list("winter.csv", 20), "--template", sandbox.CampaignTemplate + "/" + sandbox.CampaignLanguage,
		"--from", sandbox.Numbers()[0], "--map", "header=image", "--map", "1=first_name", "--json", "--name",
	}
	h.does(append(winter, "winter")...)
	const who = "+351911000003"
	h.does("suppress", "add", who, "--reason", "asked by phone")
	var made link.Import
	if err := json.Unmarshal([]byte(h.does(append(winter, "spring")...)), &made); err != nil || made.Waiting != 19 || made.Rejected != 3 {
		t.Errorf("a list that came later: %+v, %v", made, err)
	}
	h.does("campaign", "pace", "winter", "none")
	h.does("campaign", "start", "winter", "--yes")
	waitFor(t, "all are sent to", func() bool { n := h.campaign("winter").Counts; return n.Waiting+n.Claimed == 0 })
	if n := h.campaign("winter").Counts; n.Cancelled != 1 {
		t.Errorf("one was to be left out: %+v", n)
	}
	if out := h.does("find", who); !strings.Contains(out, "not written to: on the suppression list: asked by phone") || !strings.Contains(out, "cancelled  winter  (suppressed: asked by phone)") {
		t.Errorf("found:\n%s", out)
	}
	var held []link.Held
	if err := json.Unmarshal([]byte(h.does("suppress", "list", "--search", "by phone", "--json")), &held); err != nil || len(held) != 1 || held[0].Number != who || held[0].Rule != "" || held[0].Since == nil || held[0].Until != nil {
		t.Errorf("listed: %+v, %v", held, err)
	}

	file := filepath.Join(h.dir, "black.csv")
	h.does("suppress", "export", "--hashed", "--search", "by phone", "--out", file)
	if b, err := os.ReadFile(file); err != nil || strings.Contains(string(b), "911000003") || !strings.Contains(string(b), "hmac:") {
		t.Errorf("exported: %s, %v", b, err)
	}
	if _, diagnostics, code := tickwatch(t, h.env(), "suppress", "remove", who); code != 4 {
		t.Errorf("released unasked: %d, %s", code, diagnostics)
	}
	h.does("suppress", "remove", who, "--yes")
	if out := h.does("find", who); strings.Contains(out, "not written to") {
		t.Errorf("released, and:\n%s", out)
	}
	h.does("suppress", "import", file)
	if out := h.does("find", who); !strings.Contains(out, "asked by phone") {
		t.Errorf("imported again, and:\n%s", out)
	}
	h.does("suppress", "remove", who, "--yes")
	if out := h.does("suppress", "list", "--search", "by phone", "--json"); strings.TrimSpace(out) != "[]" {
		t.Errorf("released again, and listed: %s", out)
	}
}
