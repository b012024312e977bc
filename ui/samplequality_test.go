package ui

import (
	"time"

	"tickwatch/monitor/link"
)

// falling is a campaign from two numbers: one is RED, their common limit is nearly used
// up, and Meta has paused the template.
func falling() *link.Snapshot {
	s := sending()
	at := func(d time.Duration) *time.Time { return ptr(sampleNow.Add(d).UTC()) }
	used := int64(9412)
	second := s.Numbers[0]
	second.ID, second.Display, second.Quality, second.QualityWas, second.QualitySince = "500100200300401", "+351 910 000 001", "RED", "YELLOW", at(-12*time.Minute)
	second.Health, second.HealthReason = "LIMITED", "Display name not approved"
	s.Numbers = append(s.Numbers, second)
	for i := range s.Numbers {
		s.Numbers[i].Used24h, s.Numbers[i].LimitReachedAt = &used, at(3*time.Minute+20*time.Second)
		s.Numbers[i].ThroughputMPS = ptr(80.0)
	}
	c := &s.Campaigns[0]
	c.Numbers = []string{s.Numbers[0].ID, second.ID}
	c.Counts.Paced = 120
	c.Reports.Comparison = &link.Comparison{Other: "autumn_invitation", Days: 7, BlockedMore: ptr(true), Reason: "NO_SIGN_UP", OtherReason: "SPAM", At: *at(-30 * time.Minute)}
	t := &s.Templates[0]
	t.Name, t.Language = c.Template.Name, c.Template.Language
	t.Status, t.Reason, t.Pauses, t.PausedUntil, t.Quality, t.QualityWas, t.QualitySince = "PAUSED", "SECOND_PAUSE", 2, at(6*time.Hour), "RED", "GREEN", at(-20*time.Minute)
	t.NextCategory, t.NextCategoryAt = "UTILITY", at(200*time.Hour)
	s.Limits = []link.Limit{{
		Account: "400", Limit: "TIER_10K", Used24h: used, CountedAt: s.At, ReachedAt: at(3*time.Minute + 20*time.Second), Next: "TIER_100K",
		Needs: []link.Need{
			{Text: "half of the limit used in 7 days: 9,412 of 5,000 people", Met: ptr(true)},
			{Text: "quality high everywhere; low now: +351 910 000 001, autumn_offer", Met: ptr(false)},
		},
	}}
	return s
}
