package cli

import (
	"context"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"tickwatch/monitor/link"
	"tickwatch/wa"
	"tickwatch/wa/sandbox"
)

// In the demo people whose message failed can be reached by SMS as in earnest:
// planned, a minute, the first ones, a look, the rest; receipts come, and who
// answers STOP has opted out.
func TestDemoFallback(t *testing.T) {
	dir, err := os.MkdirTemp("", "tickwatch-test-")
	if err != nil {
		t.Fatal(err)
	}
	const speed = 100
	c := &demoCmd{Speed: speed}
	noon := time.Date(2026, 11, 20, 13, 0, 0, 0, time.UTC) // by day in all of the list's countries
	clock := scaled(noon, speed)
	secret := wa.NewSecret("a secret of the test")
	meta, err := sandbox.New(sandbox.Options{Scenario: "one-prefix", Seed: 1, Speed: speed, Now: clock, Messages: -1, Rate: demoRate, Secret: secret, SMSRate: demoSMSRate})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	d, err := c.start(ctx, dir, clock, secret, meta, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	o := &office{stage: raise(ctx, t, d, meta, clock, cancel), socket: d.cfg.Link.Socket, dir: dir}
	if err := d.launchDemo(ctx, meta, 1500, demoRate); err != nil {
		t.Fatal(err)
	}
	o.whenCampaign(t, sandbox.CampaignKey, "all are out", func(c link.Campaign) bool { return c.Counts.Waiting+c.Counts.Claimed+c.Counts.InFlight < 100 })

	plan := order[link.FallbackPlan](t, o, link.VerbFallback, link.FallbackArgs{Campaign: sandbox.CampaignKey, Channels: []string{wa.ChannelSMS}, DryRun: true})
	languages := map[string]bool{}
	for _, s := range plan.Samples {
		languages[s.Language] = true
		if strings.Contains(s.Text, "{") || !strings.Contains(s.To, "…") && !strings.Contains(s.To, "*") {
			t.Errorf("sample: %+v", s)
		}
	}
	consent := slices.ContainsFunc(plan.LeftOut, func(l link.LeftOut) bool { return strings.HasPrefix(l.Reason, "no consent") && l.Count > 0 })
	if plan.Eligible < 60 || len(languages) < 3 || plan.Cost <= 0 || plan.Cost > plan.Budget || !consent || len(meta.AcceptedSMS()) > 0 {
		t.Fatalf("planned: %+v", plan)
	}
	ordered := order[link.FallbackPlan](t, o, link.VerbFallback, link.FallbackArgs{Campaign: sandbox.CampaignKey, Channels: []string{wa.ChannelSMS}, Expect: plan.Eligible})
	first := ordered.Run.First
	o.whenCampaign(t, sandbox.CampaignKey, "the first are out", func(c link.Campaign) bool { return c.Fallback.Run != nil && c.Fallback.Run.Looked })
	for _, m := range meta.AcceptedSMS() {
		if m.At.Before(ordered.Run.StartsAt) {
			t.Errorf("one left at %v, before %v", m.At, ordered.Run.StartsAt)
		}
	}
	if n := int64(len(meta.AcceptedSMS())); n == 0 || n > first {
		t.Errorf("%d of the first %d were taken before the look", n, first)
	}
	order[link.Receipt](t, o, link.VerbFallbackGoOn, link.GoOnArgs{Campaign: sandbox.CampaignKey})
	o.whenCampaign(t, sandbox.CampaignKey, "all receipts have come", func(c link.Campaign) bool {
		f, b := c.Fallback, meta.SMSBooks()
		return f.Waiting == 0 && b.Waiting == 0 && f.Accepted == int64(b.Accepted) && f.Delivered+f.Failed >= int64(b.Delivered+b.Failed-b.Untold)
	})
	people := map[string]bool{}
	for _, m := range meta.AcceptedSMS() {
		if people[m.To] {
			t.Errorf("%s has two", m.To)
		}
		people[m.To] = true
	}
	to := meta.AcceptedSMS()[0].To
	meta.WriteSMS(to, "Stop")
	o.until(t, "the opt-out is known", func(*link.Snapshot) bool {
		return order[link.Found](t, o, link.VerbFind, link.FindArgs{Query: to}).OptedOut
	})
}
