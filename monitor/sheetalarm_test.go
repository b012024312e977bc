package monitor

import (
	"context"
	"strings"
	"testing"
	"time"

	"tickwatch/monitor/link"
	"tickwatch/monitor/notify"
	"tickwatch/store"
)

// What keeps rows from the operator's sheet is an alarm: to watch while it may
// pass, to act on when somebody has to mend it, and over when it is.
func TestSheetAlarm(t *testing.T) {
	s, err := store.Open(t.Context(), store.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	state := notify.SheetState{}
	var last *link.Snapshot
	m, err := New(t.Context(), Options{Store: s, Publish: func(x *link.Snapshot) { last = x }, Now: time.Now, Sheet: func() notify.SheetState { return state }})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		state notify.SheetState
		want  string // severity of the open alarm; "" = none
	}{
		{notify.SheetState{}, ""},
		{notify.SheetState{Behind: 1200, Trouble: "Google does not answer"}, "watch"},
		{notify.SheetState{Behind: 1300, Trouble: "share it with rows@example.com", Lasting: true}, "act"},
		{notify.SheetState{Appended: 1300}, ""},
	} {
		state = c.state
		m.publish(context.Background())
		got := ""
		for _, a := range last.Alarms {
			if a.ClearedAt == nil {
				got = a.Severity
				if !strings.Contains(a.Text, "rows wait for the sheet: "+c.state.Trouble) {
					t.Errorf("%+v: %s", c.state, a.Text)
				}
			}
		}
		if got != c.want {
			t.Errorf("%+v: %q, want %q", c.state, got, c.want)
		}
	}
}
