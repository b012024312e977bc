package ui

import (
	"time"

	"tickwatch/monitor/link"
)

// answered is a campaign that people answer, some of whom wait.
func answered() *link.Snapshot {
	s := trouble()
	steps := []link.EngagementStep{
		{Step: "delivered", People: 5931, Share: ptr(0.776)},
		{Step: "read", People: 2104, Share: ptr(0.354)},
		{Step: "reply", People: 212, Share: ptr(0.0357)},
		{Step: "button", Label: "Tell me more", People: 180, Share: ptr(0.0303)},
		{Step: "button", Label: "Not now", People: 33, Share: ptr(0.0055)},
		{Step: "list", Label: "Shop in Porto", People: 12, Share: ptr(0.002)},
		{Step: "reaction", People: 40, Share: ptr(0.0067)},
	}
	s.Campaigns[0].Engagement = &link.Engagement{
		Inbound: 512, People: 401, Answered: ptr(0.81), FirstResponseMS: &link.ResponseTimes{P50: 214_000, P95: 1_840_000}, MeanResponseMS: ptr(int64(301_000)),
		Unanswered: 38, OldestUnansweredAt: ptr(sampleNow.Add(-9 * time.Minute).UTC()), Steps: steps,
		PerMinute: []int64{0, 0, 2, 5, 6, 7, 6, 8, 5, 7, 42, 31},
		Spike:     &link.Spike{Since: sampleNow.Add(-2 * time.Minute).UTC(), PerMinute: 42, Usual: 6.2},
	}
	return s
}
