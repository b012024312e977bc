package monitor_test

import (
	"fmt"
	"strings"
	"testing"

	"tickwatch/monitor/link"
)

// What an operator sets aside is counted apart and known after a restart, twice is as
// good as once, and what was released or cancelled is not set aside any more. Each is
// in the ledger once.
func TestSettingAside(t *testing.T) {
	d := openDesk(t, t.TempDir())
	var to []string
	for i := range 12 {
		to = append(to, fmt.Sprintf("+3519%d00%05d", 1+i%3, i))
	}
	d.imports("Autumn", to, numberA)
	counts := func() link.Counts {
		return command[*link.Snapshot](d, link.VerbStatus, link.StatusArgs{Campaign: "autumn"}).Campaigns[0].Counts
	}
	set := func(value string, dry bool) link.Asides {
		return command[link.Asides](d, link.VerbAside, link.AsideArgs{Campaign: "autumn", Attribute: "prefix", Value: value, DryRun: dry})
	}
	if a := set("35191", true); a.Changed != 4 || counts().SetAside != 0 {
		t.Errorf("a dry run: %+v", a)
	}
	if a := set("35191", false); a.Changed != 4 || a.Already || len(a.Aside) != 1 || a.Aside[0].Messages != 4 {
		t.Errorf("%+v", a)
	}
	if a := set("35191", false); a.Changed != 0 || !a.Already {
		t.Errorf("again: %+v", a)
	}
	set("35192", false)
	d.stop()
	d = openDesk(t, d.dir)
	if n := counts(); n.SetAside != 8 || n.Waiting != 4 || n.Messages != 12 {
		t.Errorf("after a restart: %+v", n)
	}
	end := func(value string, cancel bool) link.Asides {
		return command[link.Asides](d, link.VerbAsideEnd, link.AsideEndArgs{Campaign: "autumn", Attribute: "prefix", Value: value, Cancel: cancel})
	}
	if a := end("35191", false); a.Changed != 4 || len(a.Aside) != 1 {
		t.Errorf("released: %+v", a)
	}
	if a := end("35192", true); a.Changed != 4 || len(a.Aside) != 0 {
		t.Errorf("cancelled: %+v", a)
	}
	if n := counts(); n.SetAside != 0 || n.Waiting != 8 || n.Cancelled != 4 || n.Messages != 12 {
		t.Errorf("%+v", n)
	}
	if _, err := try[link.Asides](d, link.VerbAsideEnd, link.AsideEndArgs{Campaign: "autumn", Attribute: "prefix", Value: "35191"}); err == nil || !strings.Contains(err.Error(), "aside list") {
		t.Errorf("what is not set aside is released: %v", err)
	}
	if _, err := try[link.Asides](d, link.VerbAside, link.AsideArgs{Campaign: "autumn", Attribute: "town", Value: "Faro"}); err == nil || !strings.Contains(err.Error(), "first_name") {
		t.Errorf("an unknown column is taken: %v", err)
	}
	var verbs []string
	for _, a := range command[*link.Snapshot](d, link.VerbStatus, link.StatusArgs{}).Actions {
		verbs = append(verbs, a.Verb)
	}
	if got := strings.Join(verbs, " "); !strings.HasPrefix(got, "cancel-aside release aside aside") {
		t.Errorf("the ledger: %s", got)
	}
}
