package cli

import (
	"fmt"
	"time"

	"tickwatch/monitor/link"
	"tickwatch/wa"
)

// benchSnapshot is as large as a snapshot gets in earnest: every list at its
// bound, every campaign in the middle of its first half hour, every text of the
// length that it has in the catalogue.
func benchSnapshot(now time.Time) *link.Snapshot {
	s := &link.Snapshot{
		Rev: 1, At: now, Version: version(), Gates: []link.Gate{},
		Feed: link.Feed{
			State: link.FeedLive, LastEventAt: &now, Posts: 1_204_331, Updates: 3_911_204, Duplicates: 1201,
			AnswerMS: &link.Quantiles{P50: 1.4, P99: 8.9}, PerSecond: 412.7,
		},
		Host: link.Host{CPU: new(0.31), MemoryBytes: new(uint64(96 << 20)), DiskFreeBytes: new(uint64(41 << 30))},
	}
	for i := range link.MaxCampaigns {
		id := fmt.Sprintf("10654035224%04d", i)
		name := fmt.Sprintf("autumn_offer_%d", i)
		s.Campaigns = append(s.Campaigns, benchCampaign(now, name, id))
		s.Numbers = append(s.Numbers, link.Number{
			ID: id, Display: fmt.Sprintf("+351 900 000 %03d", i), Quality: string(wa.QualityGreen), Status: "CONNECTED", Limit: "TIER_10K", Since: &now,
		})
		s.Templates = append(s.Templates, link.Template{
			ID: fmt.Sprint(880_000_000_000_000 + i), Name: name, Language: "pt_PT", Category: "MARKETING", Status: "APPROVED", Quality: string(wa.QualityGreen),
		})
	}
	for i := range link.MaxAlarms {
		raised := now.Add(-time.Duration(i) * time.Minute)
		s.Alarms = append(s.Alarms, link.Alarm{
			ID: fmt.Sprintf("a%d", i), Kind: "delivery", Severity: link.VerdictAct, Campaign: s.Campaigns[i%link.MaxCampaigns].ID, RaisedAt: raised, ActedAt: &raised,
			Text:   "84.0 % arrived, of 7,063 decided in the last 5 min: 940 of 1,132 failures are 131053, media upload error.",
			Advice: "Look at the errors, and stop the send where it is sent from if it goes on.",
		})
	}
	for i := range link.MaxActions {
		s.Actions = append(s.Actions, link.Action{
			ID: fmt.Sprint(i), At: now.Add(-time.Duration(i) * time.Hour), Operator: "operator", Verb: "ack", Target: fmt.Sprintf("a%d", i), Effect: s.Alarms[0].Text,
		})
	}
	return s
}

func benchCampaign(now time.Time, name, number string) link.Campaign {
	start, end := now.Add(-11*time.Minute), now.Add(19*time.Minute)
	c := link.Campaign{
		ID: name, Name: name, Origin: "external", State: "running", StartedAt: &start,
		Template: &link.TemplateRef{Name: name, Language: "pt_PT"}, Numbers: []string{number}, Clusters: []link.Cluster{},
		Counts: link.Counts{Messages: 76_400, HandedOver: 76_400, Sent: 76_110, Delivered: 68_120, Read: 30_200, Failed: 2510, Withheld: 1200, InFlight: 5770},
		First30: link.First30{
			From: &start, To: &end, Messages: 76_400, Delivered: 68_120, Failed: 2510, Withheld: 1200, InFlight: 5770,
			Observed: new(0.8916230366492147), Settled: new(0.9644626929067395), Projected: new(0.9641), Low: new(0.9583), High: new(0.9702),
			Verdict: link.VerdictOK, Reason: "96.4 % of 70,630 decided messages arrived, above the 95 % that is well.",
		},
		Reports: link.Reports{OptOuts: 40, Rate: new(0.000587), Refusers: 71, Verdict: link.VerdictOK},
	}
	for range link.MaxClusters {
		k := link.Cluster{
			Attribute: "prefix", Value: "22507", Code: 131026, Sent: 6870, Failed: 1780, Lift: 7.887550200803213, PAdjusted: 1e-300, Explains: 0.7091633466135459,
			Sends: 0.09726175834627211, MainCode: 131026, Action: "Set those that still wait aside, then have their numbers checked.",
		}
		for range 5 {
			k.Examples = append(k.Examples, link.ClusterExample{Phone: "+225********70", Code: 131026, SentAt: &start})
		}
		c.Clusters = append(c.Clusters, k)
	}
	c.ClustersAt = &now
	for _, seconds := range []int64{5, 30, 60, 300, 1800} {
		c.First30.ByAge = append(c.First30.ByAge, link.AgeShare{Seconds: seconds, Share: 0.8471204188481675, Messages: 70_233})
	}
	for i := range link.MaxTrend {
		at := now.Truncate(time.Minute).Add(time.Duration(i-link.MaxTrend+1) * time.Minute)
		c.Trend = append(c.Trend, link.Minute{At: at, Messages: 6530 + int64(i), Delivered: 5811, Failed: 214})
		c.Reports.Trend = append(c.Reports.Trend, int64(i%3))
	}
	for i, e := range wa.Catalogue()[:link.MaxErrors] {
		row := link.Error{
			Code: e.Code, Title: e.Title, Category: e.Category, Count: int64(1200 >> (i / 2)), Share: 0.047808764940239045,
			Advice: e.Advice, Hint: e.Hint, Retry: e.Retry, SMS: e.Fallback,
		}
		for minute := range link.MaxTrend {
			row.Trend = append(row.Trend, int64(minute*(i+1)%17))
		}
		c.Errors = append(c.Errors, row)
	}
	return c
}
