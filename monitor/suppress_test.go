package monitor_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"tickwatch/monitor/link"
	"tickwatch/wa"
)

// heldNow lists everybody who is not written to, page after page.
func (d *desk) heldNow(args link.SuppressedArgs) (all []link.Held) {
	d.Helper()
	for {
		page := command[link.SuppressedPage](d, link.VerbSuppressed, args)
		all = append(all, page.Held...)
		if page.Next == "" {
			return all
		}
		args.From = page.Next
	}
}

func (d *desk) uploaded(name, text string) string {
	d.Helper()
	return command[link.Uploaded](d, link.VerbUpload, link.UploadArgs{Name: name, Data: []byte(text)}).Upload
}

// A number on the list is left out of a check and of a campaign that waits, is found
// with the reason, and goes again once it is released; each change is recorded.
func TestSuppressOne(t *testing.T) {
	d := openDesk(t, t.TempDir())
	d.imports("Autumn", phones(3), numberA)
	until := d.clock.now().Add(48 * time.Hour).UTC()
	got := command[link.Suppressed](d, link.VerbSuppress, link.SuppressArgs{
		Numbers: []string{"+351 910 000 001", "12"}, SuppressAs: link.SuppressAs{Reason: "asked\x1b[2J by phone", Until: &until},
	})
	if got.Added != 1 || len(got.Rejected) != 1 || got.Rejected[0].Line != 2 {
		t.Fatalf("%+v", got)
	}
	f := command[link.Forecast](d, link.VerbForecast, link.ForecastArgs{GateArgs: link.GateArgs{Scope: link.ScopeCampaign, ID: "autumn"}, Start: true})
	if f.Going != 2 || len(f.LeftOut) != 1 || f.LeftOut[0] != (link.LeftOut{Reason: "suppressed: on the suppression list", Count: 1}) {
		t.Errorf("a start would send to %d, and not to %+v", f.Going, f.LeftOut)
	}
	if j := d.imports("Winter", phones(3), numberA); j.Check == nil || j.Check.Suppressed != 1 || j.Imported.Waiting != 2 {
		t.Errorf("another list: %+v", j.Check)
	} else if r := command[link.RejectedPage](d, link.VerbRejected, link.RejectedArgs{Job: j.ID}); len(r.Rows) != 1 || r.Rows[0].Reason != "suppressed: asked[2J by phone" {
		t.Errorf("its rejected rows: %+v", r.Rows)
	}
	found := command[link.Found](d, link.VerbFind, link.FindArgs{Query: "+351910000001"})
	if len(found.Held) != 1 || found.Held[0].Rule != "" || found.Held[0].By != "ann" || found.Held[0].Until == nil || !found.Held[0].Until.Equal(until) {
		t.Errorf("found: %+v", found.Held)
	}
	all := d.heldNow(link.SuppressedArgs{})
	if len(all) != 1 || all[0].Number != "+351910000001" || len(all[0].Channels) != 4 {
		t.Errorf("listed: %+v", all)
	}
	for search, n := range map[string]int{"910 000 001": 1, "by PHONE": 1, "ann": 1, "911": 0, "undeliverable": 0} {
		if got := d.heldNow(link.SuppressedArgs{Search: search}); len(got) != n {
			t.Errorf("%q finds %+v", search, got)
		}
	}
	args := link.ReleaseArgs{Number: "351910000001", DryRun: true}
	if r := command[link.Released](d, link.VerbRelease, args); r.People != 1 || len(r.Lifted) != 1 || len(d.heldNow(link.SuppressedArgs{})) != 1 {
		t.Errorf("a dry run: %+v", r)
	}
	args.DryRun = false
	if r := command[link.Released](d, link.VerbRelease, args); r.People != 1 || len(r.Kept) != 0 || len(d.heldNow(link.SuppressedArgs{})) != 0 {
		t.Errorf("released: %+v", r)
	}
	var verbs []string
	for _, a := range command[*link.Snapshot](d, link.VerbStatus, link.StatusArgs{}).Actions {
		verbs = append(verbs, a.Verb)
		if strings.Contains(a.Target, "910000001") {
			t.Errorf("the number stands in %+v", a)
		}
	}
	if !slices.Contains(verbs, "suppress") || !slices.Contains(verbs, "release") {
		t.Errorf("recorded: %v", verbs)
	}
}

// What is wrong in a command is said, and nothing is changed.
func TestSuppressRefuses(t *testing.T) {
	d := openDesk(t, t.TempDir())
	past := d.clock.now().Add(-time.Hour)
	for name, c := range map[string]struct {
		verb string
		args any
		want string
	}{
		"nobody":         {link.VerbSuppress, link.SuppressArgs{}, "between 1 and"},
		"a past moment":  {link.VerbSuppress, link.SuppressArgs{Numbers: []string{"+351910000001"}, SuppressAs: link.SuppressAs{Until: &past}}, "is over"},
		"a fax":          {link.VerbSuppress, link.SuppressArgs{Numbers: []string{"+351910000001"}, SuppressAs: link.SuppressAs{Channels: []string{"fax"}}}, "no channel"},
		"no rule":        {link.VerbRelease, link.ReleaseArgs{Number: "1", Rule: "131026"}, "there are opted-out"},
		"a wish of many": {link.VerbRelease, link.ReleaseArgs{Rule: wa.RuleOptedOut, All: true}, "one by one"},
		"nothing":        {link.VerbRelease, link.ReleaseArgs{}, "give one number"},
		"a wrong place":  {link.VerbSuppressed, link.SuppressedArgs{From: "x"}, "no place"},
		"a wrong hash":   {link.VerbSuppressImport, link.SuppressImportArgs{Hashed: "md5"}, "no kind of hash"},
	} {
		if _, err := try[any](d, c.verb, c.args); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if all := d.heldNow(link.SuppressedArgs{}); len(all) != 0 {
		t.Errorf("%+v", all)
	}
}

// Lists of numbers and of hashes come in, what cannot be read is named, and what
// goes out by HMAC comes in again.
func TestSuppressImport(t *testing.T) {
	d := openDesk(t, t.TempDir())
	sum := func(text string) string { s := sha256.Sum256([]byte(text)); return hex.EncodeToString(s[:]) }
	imports := func(name, text string, args link.SuppressImportArgs) link.Job {
		args.Upload = d.uploaded(name, text)
		return d.done(command[link.Job](d, link.VerbSuppressImport, args))
	}
	j := imports("black.csv", "Telefone;reason;until;channels\n+351910000001;letter;;\n12;;;\n'+351910000002;;2030-01-02T03:04:05Z;sms\n+351910000003;;soon;\n+351910000004;;;fax\n", link.SuppressImportArgs{})
	if j.Problem != nil || *j.Suppressed != (link.SuppressImport{Rows: 5, Added: 2, Rejected: 3}) {
		t.Fatalf("numbers: %+v, %+v", j.Problem, j.Suppressed)
	}
	rows := command[link.RejectedPage](d, link.VerbRejected, link.RejectedArgs{Job: j.ID}).Rows
	if len(rows) != 3 || rows[0].Line != 3 || !strings.Contains(rows[1].Reason, "until is no moment") || !strings.Contains(rows[2].Reason, "no channel") {
		t.Errorf("rejected: %+v", rows)
	}
	j = imports("plain.csv", sum("351910000005")+"\n"+sum("+351910000006")+"\nzz\n", link.SuppressImportArgs{Hashed: "sha256", SuppressAs: link.SuppressAs{Reason: "agency"}})
	if j.Problem == nil {
		t.Errorf("a column that is not all hashes: %+v", j.Suppressed)
	}
	j = imports("plain.csv", "digest\n"+sum("351910000005")+"\n"+sum("+351910000006")+"\n", link.SuppressImportArgs{Hashed: "sha256", SuppressAs: link.SuppressAs{Reason: "agency"}})
	if j.Problem != nil || *j.Suppressed != (link.SuppressImport{Rows: 2, Added: 2, Plain: 2}) {
		t.Fatalf("hashes: %+v, %+v", j.Problem, j.Suppressed)
	}
	if j := imports("one.csv", sum("351910000005"), link.SuppressImportArgs{Hashed: "sha256"}); j.Problem == nil || !strings.Contains(j.Problem.Text, "no row below") {
		t.Errorf("a single line: %+v", j.Problem)
	}
	if j := imports("again.csv", sum("351910000007")+"\n"+sum("351910000005")+"\n", link.SuppressImportArgs{Hashed: "sha256"}); j.Problem != nil || *j.Suppressed != (link.SuppressImport{Rows: 2, Added: 1, Renewed: 1, Plain: 2}) {
		t.Errorf("without a heading: %+v, %+v", j.Problem, j.Suppressed)
	}
	now := command[link.Suppression](d, link.VerbSuppression, nil)
	if now.Entries != 5 || now.Hashed != 3 || now.Plain != 3 || len(now.Rules) != len(wa.DefaultSuppressRules()) {
		t.Errorf("%+v", now)
	}
	d.imports("Autumn", append(phones(8), "+351910000009"), numberA)
	f := command[link.Forecast](d, link.VerbForecast, link.ForecastArgs{GateArgs: link.GateArgs{Scope: link.ScopeCampaign, ID: "autumn"}, Start: true})
	if f.Going != 5 { // 0, 2 (closed for SMS only), 3, 4 and 9
		t.Errorf("goes to %d: %+v", f.Going, f.LeftOut)
	}

	var out strings.Builder
	out.WriteString("hash,reason\n")
	hashed := d.heldNow(link.SuppressedArgs{Hashed: true})
	for _, h := range hashed {
		if h.Number != "" || strings.Contains(fmt.Sprint(h), "351910") {
			t.Errorf("a number is told: %+v", h)
		}
		out.WriteString(h.Hash + "," + h.Reason + "\n")
	}
	if r := command[link.Released](d, link.VerbRelease, link.ReleaseArgs{All: true}); r.People != 5 || len(d.heldNow(link.SuppressedArgs{})) != 0 {
		t.Fatalf("cleared: %+v", r)
	}
	j = imports("back.csv", out.String(), link.SuppressImportArgs{})
	if j.Problem != nil || j.Suppressed.Added != 5 || j.Suppressed.Plain != 3 {
		t.Fatalf("back again: %+v, %+v", j.Problem, j.Suppressed)
	}
	if found := command[link.Found](d, link.VerbFind, link.FindArgs{Query: "+351910000001"}); len(found.Held) != 1 || found.Held[0].Reason != "letter" {
		t.Errorf("found by its hash: %+v", found.Held)
	}
}
