package ui

import (
	"encoding/json"
	"testing"
	"time"

	"tickwatch/monitor/link"
)

// Enter on the feed's alarm asks the daemon to look at the ways in, and lists what
// it found; on any other alarm it asks nothing.
func TestEnterOnTheFeedAlarmLooks(t *testing.T) {
	s := healthy()
	s.Alarms = []link.Alarm{
		{ID: "a8", Kind: "feed", Severity: "act", Text: "No webhook about our own messages for 3 min", RaisedAt: sampleNow.Add(-3 * time.Minute)},
		{ID: "a7", Kind: "host", Severity: "watch", Text: "This machine's processors are 80 % busy", RaisedAt: sampleNow.Add(-5 * time.Minute)},
	}
	c := newConsole(t, 80, 24, Options{})
	c.d.answers[link.VerbCheckFeed] = func(json.RawMessage) (any, error) {
		return link.FeedChecks{Checks: []link.FeedCheck{
			{Name: "listener", OK: true, Text: "127.0.0.1:8480: the daemon answers"},
			{Name: "subscription", Text: "no app is subscribed to the account\x1b[31m", Mend: "subscribe the app"},
		}}, nil
	}
	c.live(s)
	c.m.focus = alarmsFocus
	c.press("enter").sees("The ways in", "OK    listener", "FAIL  subscription", "Do: subscribe the app")
	if len(c.d.calls) != 1 {
		t.Errorf("called %q", c.d.calls)
	}
	c.press("esc", "down", "enter").sees("processors are 80 % busy")
	c.seesNot("The ways in")
	if len(c.d.calls) != 1 {
		t.Errorf("of another alarm it called %q", c.d.calls)
	}

	c.d.answers[link.VerbCheckFeed] = func(json.RawMessage) (any, error) {
		return nil, &link.Fault{Kind: link.FaultRefused, Text: "there is nothing to check"}
	}
	c.press("esc", "up", "enter").sees("there is nothing to check")
}
