package ui

import (
	"encoding/json"
	"strconv"
	"time"

	"tickwatch/monitor/link"
)

// sending is a campaign of our own on its way.
func sending() *link.Snapshot {
	s := healthy()
	c := &s.Campaigns[0]
	c.Origin, c.State = "own", "running"
	c.Counts.Messages, c.Counts.Waiting, c.Counts.Claimed, c.Counts.Unknown, c.Counts.Refused = 20_028, 12_360, 24, 2, 2
	c.Sending = &link.Sending{
		PerSecond: 12.3, Pace: "600/m", OpenRequests: 12, EndsAt: ptr(sampleNow.Add(21 * time.Minute).UTC()),
		Ramp: &link.Ramp{Shares: []float64{0.01, 0.25, 1}, Step: 2},
	}
	s.Actions = []link.Action{
		{ID: "n1", At: sampleNow.Add(-40 * time.Minute).UTC(), Operator: "ines", Verb: link.VerbNote, Target: "autumn", Reason: "The picture was exchanged at 08:20, the first 1 % went well."},
		{ID: "n2", At: sampleNow.Add(-14 * time.Minute).UTC(), Operator: "rui", Verb: link.VerbNote, Target: "autumn", Reason: "Shop closes at 20:00: nothing must go out after 19:30."},
	}
	return s
}

// halted is that campaign after a pause of it, with a reason.
func halted() *link.Snapshot {
	s := sending()
	c := &s.Campaigns[0]
	c.State, c.Counts.Claimed, c.Counts.Waiting = "paused", 12, 12_372
	c.Sending.PerSecond, c.Sending.EndsAt, c.Sending.Held = 0, nil, "paused"
	s.Gates = []link.Gate{{
		Scope: link.ScopeCampaign, ID: "autumn", State: link.GatePaused, By: "ines", Reason: "the picture is the wrong one", Since: sampleNow.UTC(),
	}}
	return s
}

// allHalted is that campaign after a pause of it and one of everything; its
// number rests too.
func allHalted() *link.Snapshot {
	s := halted()
	s.Gates = append(s.Gates,
		link.Gate{Scope: link.ScopeAll, State: link.GatePaused, By: "rui", Since: sampleNow.UTC()},
		link.Gate{
			Scope: link.ScopeNumber, ID: "500100200300400", State: link.GatePaused, By: "tickwatch", Since: sampleNow.Add(-time.Minute).UTC(),
			Reason: "131048: Meta limits this number because of spam reports",
		})
	return s
}

// waits is that campaign while nothing may go out, though nobody paused it.
func waits() *link.Snapshot {
	s := sending()
	how := s.Campaigns[0].Sending
	s.Campaigns[0].Counts.Claimed = 0
	how.PerSecond, how.OpenRequests, how.Held = 0, 0, "until 10:00, when people may be written to"
	return s
}

// starts is a campaign of our own that is to begin.
func starts() *link.Snapshot {
	s := sending()
	c := &s.Campaigns[0]
	c.State, c.StartedAt, c.First30, c.Errors, c.Trend = "ready", nil, link.First30{Verdict: link.VerdictUnsure, Reason: "Nothing is sent yet."}, nil, nil
	c.Counts = link.Counts{Messages: 20_028, Waiting: 20_028}
	c.Sending = &link.Sending{Pace: "1000/h", StartsAt: ptr(sampleNow.Add(49 * time.Minute).Truncate(time.Minute).UTC()), ExpiresAt: ptr(sampleNow.Add(11 * time.Hour).Truncate(time.Hour).UTC())}
	return s
}

// prepared gives a daemon the answers of the verbs of sending.
func (d *daemon) prepared() {
	give := func(verb string, answer any) {
		d.answers[verb] = func(json.RawMessage) (any, error) { return answer, nil }
	}
	give(link.VerbPause, link.Receipt{ClosedMS: 3.1, Waiting: 12_372, OpenRequests: 12, HandedOver: 7640, Unknown: 2, Outside: "none", Stored: true})
	give(link.VerbResume, link.Receipt{Waiting: 12_360, Outside: "none", Stored: true, Text: "Resumed: 12,019 messages go out, the last at about 09:32."})
	d.answers[link.VerbForecast] = func(args json.RawMessage) (any, error) {
		var a link.ForecastArgs
		if err := json.Unmarshal(args, &a); err != nil {
			return nil, err
		}
		return forecastOf(&a), nil
	}
	give(link.VerbChoices, choices())
	give(link.VerbSwap, link.Receipt{Waiting: 12_372, Outside: "none", Stored: true})
	d.answers[link.VerbRetry] = func(args json.RawMessage) (any, error) {
		var a link.RetryArgs
		if err := json.Unmarshal(args, &a); err != nil {
			return nil, err
		}
		out := link.Retried{Eligible: 86, LeftOut: []link.LeftOut{{Reason: "opted out since", Count: 3}, {Reason: "two marketing messages in 24 h already", Count: 9}}}
		if !a.DryRun {
			out.Queued = 86
		}
		return out, nil
	}
	d.answers[link.VerbFallback] = fallbackPlan
	give(link.VerbPace, link.Sending{Pace: "700/m", EndsAt: ptr(sampleNow.Add(18 * time.Minute).UTC())})
	give(link.VerbNote, link.Action{ID: "n3", At: sampleNow.UTC(), Operator: "ines", Verb: link.VerbNote})
}

func forecastOf(a *link.ForecastArgs) link.Forecast {
	f := link.Forecast{
		Going: 12_019, Pace: "600/m", EndsAt: ptr(sampleNow.Add(21 * time.Minute).UTC()), Word: "12,019",
		LeftOut:  []link.LeftOut{{Reason: "opted out", Count: 312}, {Reason: "two marketing messages in 24 h already", Count: 41}},
		Findings: []link.Finding{{Severity: link.VerdictWatch, Text: "The quality of autumn_offer/pt_PT is YELLOW."}, {Severity: link.VerdictOK, Text: "The messaging limit leaves room for 14,000 people.", Count: 14_000}},
	}
	for _, g := range allHalted().Gates {
		if g.Scope != a.Scope {
			f.Closed = append(f.Closed, g)
		}
	}
	return f
}

func choices() link.Choices {
	text := "Olá Ana,\n\na nova coleção de outono chegou. Até domingo tem 20 % em tudo,\ntambém na loja de Braga.\n\nPara não receber mais: PARAR\n[Ver a coleção]"
	out := link.Choices{
		Campaign: "autumn", Waiting: 12_372,
		Current: link.Choice{TemplateRef: link.TemplateRef{Name: "autumn_offer", Language: "pt_PT"}, Category: "MARKETING", Status: "APPROVED", Quality: "YELLOW", Preview: "[image]\n" + text},
		Others: []link.Choice{
			{TemplateRef: link.TemplateRef{Name: "autumn_text", Language: "pt_PT"}, Category: "MARKETING", Status: "APPROVED", Quality: "GREEN", Usable: true, Preview: text},
			{TemplateRef: link.TemplateRef{Name: "autumn_short", Language: "pt_PT"}, Category: "MARKETING", Status: "APPROVED", Usable: true, Why: "no quality rating yet", Preview: "Olá Ana, 20 % até domingo."},
			{TemplateRef: link.TemplateRef{Name: "autumn_code", Language: "pt_PT"}, Category: "MARKETING", Status: "APPROVED", Quality: "GREEN", Why: "it needs one more variable, button1"},
			{TemplateRef: link.TemplateRef{Name: "autumn_video", Language: "pt_PT"}, Category: "MARKETING", Status: "PAUSED", Quality: "RED", Why: "Meta has paused it"},
		},
	}
	for i := range 3 {
		out.Others = append(out.Others, link.Choice{
			TemplateRef: link.TemplateRef{Name: "order_update_" + strconv.Itoa(i+1), Language: "pt_PT"}, Category: "UTILITY", Status: "APPROVED", Quality: "GREEN", Why: "its category is another one",
		})
	}
	return out
}
