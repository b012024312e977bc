package pane

import (
	"testing"
	"time"

	"tickwatch/monitor/link"
)

// What becomes of messages to own phones is said in one line, and of campaigns
// without them nothing.
func TestOwnPhones(t *testing.T) {
	half, last := 2.1, now.Add(-time.Minute)
	c := &link.Campaign{ID: "autumn", Origin: "own", State: "running", Sending: &link.Sending{PerSecond: 1}}
	s := &link.Snapshot{At: now, Campaigns: []link.Campaign{*c}}
	saysNot(t, QueueDetail(look(), s, c, 80, 24), "Own phones")
	for want, seeds := range map[string]link.Seeds{
		"Own phones: 11 of 12 arrived, half within 2.1 s, last 09:10.": {Sent: 12, Delivered: 11, MedianSeconds: &half, LastDeliveredAt: &last},
		"Own phones: 0 of 3 arrived, 1 failed, 2 may have gone out.":   {Sent: 3, Failed: 1, Unknown: 2},
		"Own phones get none: they opted out.":                         {Problem: "they opted out"},
	} {
		c.Seeds = &seeds
		says(t, QueueDetail(look(), s, c, 80, 24), want)
	}
}
