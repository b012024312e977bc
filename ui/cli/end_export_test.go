package cli_test

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"

	"tickwatch/wa"
)

// exported runs an export and reads its file as rows, the header first.
func exported(t *testing.T, env []string, dir, name string, args ...string) (rows [][]string) {
	t.Helper()
	path := filepath.Join(dir, name)
	out, diagnostics, code := tickwatch(t, env, append(append([]string{"export"}, args...), "--out", path)...)
	if code != 0 || !strings.Contains(out, "keep it to yourself") {
		t.Fatalf("export %v: exit code %d, %s%s", args, code, out, diagnostics)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("%s: %v, %v", name, info, err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	switch filepath.Ext(name) {
	case ".csv":
		rows, err = csv.NewReader(f).ReadAll()
	case ".xlsx":
		var book *excelize.File
		if book, err = excelize.OpenReader(f); err == nil {
			rows, err = book.GetRows(book.GetSheetName(0))
		}
	default:
		for lines := bufio.NewScanner(f); lines.Scan(); {
			if !json.Valid(lines.Bytes()) {
				t.Errorf("%s: %s", name, lines.Text())
			}
			rows = append(rows, []string{lines.Text()})
		}
		rows = append([][]string{nil}, rows...)
	}
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return rows
}

// Tables have a row for everything that the status counts, in every format, and
// are the same whether a daemon answers or the data folder is read.
func TestExportedTables(t *testing.T) {
	t.Parallel()
	s := serve(t, folder(t))
	s.deliver(newCrowd(11).webhooks(300))
	c := settled(t, s).Campaigns[0]
	env, dir := environment(s.dir), t.TempDir()
	before := exported(t, env, dir, "a.csv", "rejected", "--campaign", campaignID)
	if diff := cmp.Diff(wa.RejectedColumns, before[0]); diff != "" || int64(len(before)-1) != c.Counts.Failed || c.Counts.Failed == 0 {
		t.Errorf("%d rejected, the status has %d; columns: %s", len(before)-1, c.Counts.Failed, diff)
	}
	for _, row := range before[1:] {
		if !strings.HasPrefix(row[2], "'+") || row[3] != "failed" {
			t.Errorf("%q", row)
		}
	}
	if raw := exported(t, env, dir, "raw.csv", "rejected", "--raw"); !strings.HasPrefix(raw[1][2], "+") {
		t.Errorf("raw: %q", raw[1])
	}
	if book := exported(t, env, dir, "a.xlsx", "rejected"); len(book) != len(before) || "'"+book[1][2] != before[1][2] {
		t.Errorf("%d rows, the first %q", len(book), book[1])
	}
	for _, name := range []string{"m.csv", "m.xlsx", "m.ndjson"} {
		if rows := exported(t, env, dir, name, "messages", "--campaign", campaignID); int64(len(rows)-1) != c.Counts.Messages {
			t.Errorf("%s: %d messages, the status has %d", name, len(rows)-1, c.Counts.Messages)
		}
	}
	middle := time.Now().Add(-80 * time.Minute).Format(time.RFC3339)
	early := exported(t, env, dir, "early.csv", "messages", "--from=-200h", "--to", middle)
	late := exported(t, env, dir, "late.csv", "messages", "--from", middle)
	if int64(len(early)+len(late)-2) != c.Counts.Messages || len(early) < 2 || len(late) < 2 {
		t.Errorf("%d early and %d late, the status has %d", len(early)-1, len(late)-1, c.Counts.Messages)
	}
	people := exported(t, env, dir, "c.csv", "cleanup")
	if len(people) < 2 {
		t.Errorf("nobody to clean up")
	}
	if code := s.end(syscall.SIGINT); code != 0 {
		t.Fatalf("exit code %d", code)
	}
	if diff := cmp.Diff(before, exported(t, env, dir, "b.csv", "rejected", "--campaign", campaignID)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(people, exported(t, env, dir, "d.csv", "cleanup")); diff != "" {
		t.Error(diff)
	}
}

// The data folder alone is enough to say who was hit, also where nothing arrived.
func TestExportWithoutADaemon(t *testing.T) {
	t.Parallel()
	s := serve(t, folder(t))
	s.deliver([][]byte{fmt.Appendf(nil, `{"object":"whatsapp_business_account","entry":[{"id":"4","changes":[{"field":"messages","value":{"messaging_product":"whatsapp",
		"metadata":{"display_phone_number":"4915550001","phone_number_id":"5"},"statuses":[{"id":"wamid.1","status":"failed","timestamp":"%d",
		"recipient_id":"351900000001","biz_opaque_callback_data":"autumn:1","errors":[{"code":131026,"title":"t"}]}]}}]}]}`, time.Now().Add(-time.Hour).Unix())})
	if code := s.end(syscall.SIGINT); code != 0 {
		t.Fatalf("exit code %d", code)
	}
	rows := exported(t, environment(s.dir), t.TempDir(), "hit.csv", "messages", "--from=-2h", "--to=-30m", "--code", "131026", "--where", "country=PT")
	if len(rows) != 1 { // the number is none that Portugal gives out
		t.Errorf("%q", rows)
	}
	rows = exported(t, environment(s.dir), t.TempDir(), "hit.csv", "messages", "--from=-2h", "--to=-30m", "--code", "131026", "--where", "prefix=35190")
	if len(rows) != 2 || rows[1][0] != "wamid.1" || rows[1][5] != "failed" {
		t.Errorf("%q", rows)
	}
}
