package pane

import (
	"strings"
	"testing"

	"tickwatch/monitor/link"
)

// What each minute costs stands on the line only while an alarm does, fits 80
// columns, and gives way to a feed that is stalled.
func TestStatusSaysWhatWaitingCosts(t *testing.T) {
	s := &link.Snapshot{Feed: link.Feed{State: link.FeedLive}}
	c := &link.Campaign{ID: "autumn", Blast: &link.Blast{SentPerMinute: 720, FailuresLow: 90, FailuresHigh: 130, LimitShare: ptr(0.0072)}}
	line := func(w int) string { return Status(look(), s, c, true, w) }
	saysNot(t, line(80), "each minute")
	s.Alarms = []link.Alarm{{Kind: "host", Severity: "act"}, {Kind: "delivery", Severity: "act", Campaign: "winter"}}
	saysNot(t, line(80), "each minute")
	s.Alarms = append(s.Alarms, link.Alarm{Kind: "delivery", Severity: "watch", Campaign: "autumn"})
	says(t, line(80), "each minute: ~720 more sent, 90–130 fail, 0.7 % of the limit", "CET")
	says(t, line(60), "each minute: ~720 more sent, 90–130 fail ")
	c.Blast.LimitShare = nil
	saysNot(t, line(80), "limit")
	s.Feed.State = link.FeedStalled
	says(t, line(80), "FEED STALLED", "each minute ~720 more go out unseen")
	if c.Blast = nil; strings.Contains(line(80), "each minute") {
		t.Error("nothing goes out, and it says what it costs")
	}
}

// The figure beside HOST is the one that its alarm is about.
func TestStatusNamesTheFigureOfTheMachine(t *testing.T) {
	s := &link.Snapshot{Host: link.Host{CPU: ptr(0.2), Memory: ptr(0.93), Disk: ptr(0.72), Queue: ptr(0.8)}}
	for subject, want := range map[string]string{"cpu": "HOST CPU 20 %", "memory": "HOST memory 93 %", "disk": "HOST disk 72 %", "queue": "HOST queue 80 %", "answers": "HOST answers late", "store": "HOST stores nothing", "sheet": "HOST sheet", "notify": "HOST alarms not told"} {
		s.Alarms = []link.Alarm{{Kind: "host", Severity: "watch", Subject: subject}}
		says(t, Status(look(), s, nil, true, 100), want)
		if subject != "cpu" {
			saysNot(t, Status(look(), s, nil, true, 100), "CPU")
		}
	}
}

// What is said of a lost link is said whole, or in fewer words.
func TestStatusWithoutALinkIsNotCut(t *testing.T) {
	for w := 40; w <= 120; w++ {
		for _, l := range []Look{look(), readOnly()} {
			saysNot(t, Status(l, &link.Snapshot{At: now}, nil, false, w), "…")
		}
	}
}
