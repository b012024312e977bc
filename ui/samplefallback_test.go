package ui

import (
	"encoding/json"
	"time"

	"tickwatch/monitor/link"
)

// reachable is a paused campaign whose failures may be reached by SMS and e-mail.
func reachable() *link.Snapshot {
	s := halted()
	s.Channels = []string{"sms", "email"}
	return s
}

// reaching is that campaign with a fallback in a state.
func reaching(state string) *link.Snapshot {
	s := reachable()
	f := &s.Campaigns[0].Fallback
	f.Eligible, f.Waiting, f.Currency = 131, 98, "EUR"
	f.Run = &link.FallbackRun{
		ID: "f1", State: state, By: "ines", Channels: []string{"sms"}, Ordered: sampleNow.Add(-18 * time.Second).UTC(), StartsAt: sampleNow.Add(42 * time.Second).UTC(),
		Planned: 98, First: 50,
	}
	if state == link.FallbackLooking {
		f.Run.Looked, f.Waiting, f.Accepted, f.Delivered, f.Failed, f.Cost = true, 48, 47, 41, 5, 2.12
	}
	return s
}

// fallbackPlan is what a daemon answers to a dry run, or an order.
func fallbackPlan(args json.RawMessage) (any, error) {
	var a link.FallbackArgs
	if err := json.Unmarshal(args, &a); err != nil {
		return nil, err
	}
	p := link.FallbackPlan{
		Eligible: 98, UndoSeconds: 60, First: 50, Segments: 131, Cost: 5.895, Currency: "EUR", Budget: 50, Spent: 2.25,
		LeftOut: []link.LeftOut{
			{Reason: "no consent to SMS", Count: 21}, {Reason: "opted out", Count: 3}, {Reason: "no value for {first_name} of the SMS text", Count: 2},
		},
		Channels: []link.FallbackChannel{{Channel: "sms", Eligible: 98, Segments: 131, Cost: 5.895}},
		Codes:    []link.FallbackCode{{Code: 131026, Title: "Message Undeliverable", Count: 86}, {Code: 131053, Title: "Media upload error", Count: 12}},
		Later:    31, OpensAt: ptr(sampleNow.Add(23 * time.Hour).UTC()), LastAt: ptr(sampleNow.Add(24 * time.Hour).UTC()), NoZone: 2,
		Samples: []link.FallbackSample{
			{Channel: "sms", Language: "pt_PT", To: "+351 *** *** 011", Text: "Olá Ana, a nova coleção de outono chegou: até domingo 20 % em tudo. STOP para não receber mais.", Segments: 2, Unicode: "ã"},
			{Channel: "sms", Language: "de", To: "+49 *** *** 702", Text: "Hallo Ben, die neue Herbstkollektion ist da: bis Sonntag 20 % auf alles.", Segments: 1},
		},
		Warnings: []string{"the campaign is paused: nothing goes out by SMS until it is resumed. To hold WhatsApp alone, pause that channel."},
	}
	if a.Hours == link.HoursLeaveOut {
		p.Eligible, p.Later, p.OpensAt, p.LastAt = 67, 0, nil, nil
		p.LeftOut = append(p.LeftOut, link.LeftOut{Reason: "outside the allowed hours at their place", Count: 31})
	}
	if !a.DryRun {
		p.Run = reaching(link.FallbackPending).Campaigns[0].Fallback.Run
	}
	return p, nil
}
