package pane

import (
	"strings"
	"testing"
	"time"

	"tickwatch/monitor/link"
)

// The minutes of which nothing was heard are drawn as such, and named.
func TestDeliveredDetailDrawsTheGap(t *testing.T) {
	c := &link.Campaign{Name: "autumn", First30: link.First30{Verdict: link.VerdictUnsure, Reason: "provisional", Provisional: true}}
	for i := range 10 {
		c.Trend = append(c.Trend, link.Minute{At: now.Add(time.Duration(i) * time.Minute), Messages: 100, Delivered: 97, Failed: 3, Gap: i == 4 || i == 5})
	}
	got := DeliveredDetail(look(), c, 80, 24)
	if !strings.Contains(got, "┊ no webhook came") || !strings.Contains(got, "┊┊┊┊") {
		t.Errorf("no gap:\n%s", got)
	}
	if got := Delivered(look(), c, false, 40, 8); !strings.Contains(got, "┊┊") || strings.Contains(got, "┊┊┊") {
		t.Errorf("no gap in the pane:\n%s", got)
	}
	c.Trend[4].Gap, c.Trend[5].Gap = false, false
	if got := DeliveredDetail(look(), c, 80, 24); strings.Contains(got, "┊") {
		t.Errorf("a gap where there is none:\n%s", got)
	}
}

// What was found of the ways in stands in the window of the feed's alarm.
func TestFeedAlarmListsTheChecks(t *testing.T) {
	a := &link.Alarm{ID: "a1", Kind: "feed", Severity: "act", Text: "No webhook", Advice: "Mend it", RaisedAt: now}
	s := &link.Snapshot{}
	says(t, FeedAlarmDetail(look(), s, a, &Checked{Note: "looking…"}, 80, 22), "The ways in", "looking…")
	got := FeedAlarmDetail(look(), s, a, &Checked{Checks: []link.FeedCheck{
		{Name: "listener", OK: true, Text: "127.0.0.1:8480: the daemon answers"},
		{Name: "subscription", Text: "no app is subscribed", Mend: "subscribe the app"},
	}}, 80, 22)
	says(t, got, "OK    listener", "FAIL  subscription", "Do: subscribe the app")
}
