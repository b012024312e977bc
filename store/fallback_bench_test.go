package store

import (
	"fmt"
	"testing"

	"tickwatch/wa"
)

// BenchmarkPlanFallback plans an SMS for ten thousand people of a campaign of a
// million messages: those that failed with one of twenty codes. The figure to reach
// is a second. An order uses up its people, so there are no more than twenty:
//
//	go test ./store -run '^$' -bench PlanFallback -benchtime 10x
func BenchmarkPlanFallback(b *testing.B) {
	const messages, people, codes, atOnce = 1_000_000, 10_000, 20, 1000
	s := open(b, b.TempDir())
	p := imported(b, s, messages, wa.CategoryUtility)
	for n := 0; n < messages; {
		got, err := s.Claim(b.Context(), wa.ClaimRequest{Campaign: p.Campaign, From: sender.NumberID, Limit: atOnce, Now: received})
		if err != nil || len(got.Messages) == 0 {
			b.Fatalf("%d messages, and then %v", n, err)
		}
		outcomes := make([]wa.Outcome, 0, atOnce)
		for _, c := range got.Messages {
			o := wa.Outcome{Message: c.Message, Kind: wa.OutcomeAccepted, At: received, Accepted: wa.Accepted{
				WAMID: fmt.Sprintf("wamid.HBgLMzUxOTAwMDAwMDAx%012d", c.Message), Person: wa.Person{Phone: c.Phone[1:]},
			}}
			if n%(messages/people/codes) == 0 {
				o = wa.Outcome{Message: c.Message, Kind: wa.OutcomeRefused, At: received, Code: 1 + n*codes*people/messages%codes}
			}
			outcomes = append(outcomes, o)
			n++
		}
		if err := s.Settle(b.Context(), outcomes...); err != nil {
			b.Fatal(err)
		}
	}
	used := 0
	plan := func(b *testing.B, code int, dry bool) {
		run := wa.FallbackRun{Campaign: p.Campaign, Key: p.Key, Channels: []string{wa.ChannelSMS}, Codes: []int{code}, OrderedAt: received, StartsAt: received}
		got, err := s.PlanFallback(b.Context(), run, people, textTo, dry)
		if err != nil || got.Run.Planned != people {
			b.Fatalf("%+v, %v", got, err)
		}
		if dry {
			return
		}
		if _, err := s.SetFallbackRun(b.Context(), got.Run.ID, wa.FallbackRunRunning); err != nil {
			b.Fatal(err)
		}
	}
	b.Run("dry", func(b *testing.B) {
		for b.Loop() {
			plan(b, codes, true)
		}
	})
	b.Run("order", func(b *testing.B) {
		for b.Loop() {
			if used++; used >= codes {
				b.Skip("all codes are used up: give -benchtime 10x")
			}
			plan(b, used, false)
		}
	})
}
