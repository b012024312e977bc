package cli_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"tickwatch/monitor/link"
	"tickwatch/wa/sandbox"
)

// house is a daemon that sends through the stand-in for Meta, and the commands
// of somebody who shares its machine.
type house struct {
	t    *testing.T
	dir  string
	data string
}

// openHouse starts a demo for its daemon and its stand-in; the demo's own
// campaign is paused.
func openHouse(t *testing.T) *house {
	t.Helper()
	h := &house{t: t, dir: folder(t)}
	demo := exec.Command("tickwatch", "demo", "--headless", "--for", "10m")
	demo.Env = environment(h.dir)
	if err := demo.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = demo.Process.Signal(syscall.SIGTERM)
		_ = demo.Wait() // it ends by a signal
	})
	waitFor(t, "the demo's campaign goes out", func() bool {
		found, _ := filepath.Glob(filepath.Join(h.dir, "tickwatch-demo-*", "tickwatch.sock"))
		if len(found) != 1 {
			return false
		}
		h.data = filepath.Dir(found[0])
		_, _, code := tickwatch(t, h.env(), "pause", sandbox.CampaignKey)
		return code == 0
	})
	return h
}

func (h *house) env() []string { return append(environment(h.dir), "TICKWATCH_DATA_DIR="+h.data) }

// does runs a command that succeeds, and gives what it prints.
func (h *house) does(args ...string) string {
	h.t.Helper()
	out, diagnostics, code := tickwatch(h.t, h.env(), args...)
	if code != 0 {
		h.t.Fatalf("%s: exit code %d: %s", strings.Join(args, " "), code, diagnostics)
	}
	return out
}

func (h *house) campaign(id string) (c link.Campaign) {
	h.t.Helper()
	if err := json.Unmarshal([]byte(h.does("campaign", "show", id, "--json")), &c); err != nil {
		h.t.Fatal(err)
	}
	return c
}

// list writes a list of n people, with a number that is none and one that comes twice.
func (h *house) list(name string, n int) string {
	h.t.Helper()
	var b strings.Builder
	b.WriteString("phone,first_name,image\n")
	for i := range n {
		fmt.Fprintf(&b, "+35191%07d,Ana,%s\n", 1000000+i, sandbox.CampaignMedia)
	}
	b.WriteString("12,Rui,\n+351911000000,Ana,\n")
	path := filepath.Join(h.dir, name)
	if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
		h.t.Fatal(err)
	}
	return path
}

// TestOwnCampaign takes a campaign of our own from its list to its end, by
// commands alone.
func TestOwnCampaign(t *testing.T) {
	t.Parallel()
	h := openHouse(t)
	template := sandbox.CampaignTemplate + "/" + sandbox.CampaignLanguage
	list := h.list("winter.csv", 400)
	bind := []string{"--map", "header=image", "--map", "1=first_name"}

	if out := h.does("check", list); !strings.HasPrefix(out, "402 rows, 400 people") {
		t.Errorf("check: %s", out)
	}
	out := h.does(append([]string{"campaign", "import", list, "--name", "winter", "--template", template, "--from", sandbox.Numbers()[0], "--json"}, bind...)...)
	var made link.Import
	if err := json.Unmarshal([]byte(out), &made); err != nil || made.Waiting != 400 || made.Rejected != 2 {
		t.Fatalf("import: %s", out)
	}
	rejected, err := os.ReadFile(filepath.Join(h.dir, "winter.rejected.csv"))
	if err != nil || strings.Count(string(rejected), "\n") != 3 || !strings.Contains(string(rejected), "402,") {
		t.Errorf("rejected rows: %v\n%s", err, rejected)
	}
	if out := h.does("campaign", "list"); !strings.Contains(out, "winter") || !strings.Contains(out, "draft") || strings.Contains(out, "other systems") {
		t.Errorf("campaign list:\n%s", out)
	}
	if c := h.campaign("winter"); c.State != "draft" || c.Counts.Waiting != 400 || c.Origin != "own" {
		t.Errorf("after the import: %+v", c)
	}

	h.does("campaign", "pace", "winter", "40/s")
	h.does("campaign", "start", "winter", "--yes")
	waitFor(t, "it goes out", func() bool { return h.campaign("winter").Counts.HandedOver > 5 })
	var receipt link.Receipt
	if err := json.Unmarshal([]byte(h.does("pause", "winter", "--reason", "look", "--json")), &receipt); err != nil || receipt.Already || !receipt.Stored {
		t.Errorf("pause: %+v, %v", receipt, err)
	}
	h.does("swap", "winter", "--template", "autumn_offer_b/pt_PT", "--yes")
	c := h.campaign("winter")
	if c.State != "paused" || c.Template.Name != "autumn_offer_b" || c.Counts.Waiting+c.Counts.Claimed+c.Counts.HandedOver+c.Counts.Unknown+c.Counts.Refused != 400 {
		t.Errorf("after pause and swap: %+v", c)
	}

	// A stop holds whatever is resumed below it.
	h.does("stop")
	h.does("resume", "winter", "--yes")
	if c := h.campaign("winter"); c.State != "paused" {
		t.Errorf("resumed below a stop, it is %s", c.State)
	}
	h.does("resume", "--yes")
	waitFor(t, "it goes on", func() bool { return h.campaign("winter").Counts.HandedOver > receipt.HandedOver+5 })
	h.does("campaign", "cancel", "winter", "--yes")
	waitFor(t, "nothing is under way", func() bool { n := h.campaign("winter").Counts; return n.Waiting+n.Claimed == 0 })
	if n := h.campaign("winter").Counts; n.Cancelled == 0 || n.HandedOver+n.Cancelled+n.Unknown+n.Refused != 400 {
		t.Errorf("in the end: %+v", n)
	}
}

// TestManyRejected: each rejected row is written once, whatever the pages.
func TestManyRejected(t *testing.T) {
	t.Parallel()
	h := openHouse(t)
	const doubled = 1300
	list, rejects := filepath.Join(h.dir, "doubled.csv"), filepath.Join(h.dir, "r.csv")
	if err := os.WriteFile(list, []byte("phone\n"+strings.Repeat("+351911000000\n", doubled+1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, diagnostics, _ := tickwatch(t, h.env(), "check", list, "--rejected", rejects); !strings.Contains(diagnostics, "marked ACT") && diagnostics != "" {
		t.Fatal(diagnostics)
	}
	got, err := os.ReadFile(rejects)
	lines := strings.Split(strings.TrimSpace(string(got)), "\n")
	if err != nil || len(lines) != doubled+1 {
		t.Fatalf("%d lines, %v", len(lines), err)
	}
	for i, line := range lines[1:] {
		if !strings.HasPrefix(line, fmt.Sprintf("%d,", i+3)) {
			t.Fatalf("rejected row %d is %s", i+1, line)
		}
	}
}

// TestBrokenOffList: ctrl-c leaves nothing of a list, neither on its way to the
// daemon nor while the daemon reads it.
func TestBrokenOffList(t *testing.T) {
	t.Parallel()
	h := openHouse(t)
	list := h.list("large.csv", 800_000)
	for _, when := range []string{"uploading the list  [", "reading the list  [", "writing the campaign  ["} {
		s := talk(t, h.dir, nil, "--data-dir", h.data, "campaign", "import", list, "--name", "large", "--from", sandbox.Numbers()[0],
			"--template", sandbox.CampaignTemplate+"/"+sandbox.CampaignLanguage, "--map", "header=image", "--map", "1=first_name")
		s.types(when, "\x03")
		s.ends(1, "broken off: nothing was changed")
		if left, _ := filepath.Glob(filepath.Join(h.data, "upload-*")); len(left) > 0 {
			t.Errorf("%s: %v is left", when, left)
		}
		if out := h.does("campaign", "list", "large"); !strings.HasPrefix(out, "No campaign of our own has large in its name") {
			t.Errorf("%s: a campaign is left:\n%s", when, out)
		}
	}
}
