package monitor

import (
	"testing"
	"time"

	"tickwatch/monitor/fallback"
	"tickwatch/monitor/link"
	"tickwatch/monitor/list"
	"tickwatch/store"
	"tickwatch/wa"
)

// plannerOf is a planner of a list with consent to SMS and e-mail, over two real
// providers that nobody dials.
func plannerOf(t *testing.T) *fallbackPlanner {
	t.Helper()
	prices, err := fallback.ParsePrices("EUR", []string{"PT 0.05", "DE 0.08"})
	if err != nil {
		t.Fatal(err)
	}
	mails, err := fallback.ParsePrices("EUR", []string{"* 0.001"})
	if err != nil {
		t.Fatal(err)
	}
	channels, err := fallback.New(fallback.Config{
		PublicURL: "http://127.0.0.1:8480",
		SMS:       fallback.Channel{Provider: fallback.ProviderKannel, URL: "http://127.0.0.1:13013/cgi-bin/sendsms", User: "u", Password: wa.NewSecret("p"), Sender: "Shop", Prices: prices},
		Email:     fallback.Channel{Provider: fallback.ProviderSMTP, URL: "127.0.0.1:25", TLS: "none", Sender: "news@shop.example", Prices: mails},
	})
	if err != nil {
		t.Fatal(err)
	}
	text := func(s string) *fallback.Text {
		parsed, err := fallback.ParseText(s)
		if err != nil {
			t.Fatal(err)
		}
		return parsed
	}
	hours, err := list.ParseHours("mon-sat 08:00-20:00")
	if err != nil {
		t.Fatal(err)
	}
	noon := time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)
	return &fallbackPlanner{
		o: &Fallback{
			Channels: channels, Budget: wa.MoneyOf(1), Currency: "EUR", Zone: time.UTC, Allowed: list.Allowed{Hours: list.Windows{"": hours}},
			Texts: map[string]Texts{
				wa.ChannelSMS:   {"pt": {Body: text("Ola {first_name}")}},
				wa.ChannelEmail: {"": {Body: text("Hello {1}"), Subject: text("For {first_name}")}},
			},
		},
		plan: wa.Plan{
			Columns: []string{"first_name", "email", "sms_consent", "email_consent", "language"}, Bind: map[string]int{"1": 0},
			Contact: wa.Contact{Email: "email", Language: "language", Consent: map[string]string{wa.ChannelSMS: "sms_consent", wa.ChannelEmail: "email_consent"}},
			Form:    wa.TemplateForm{Language: "pt_PT"},
		},
		channels: []string{wa.ChannelSMS}, named: map[int]bool{}, parts: map[string]*link.FallbackChannel{}, samples: map[[2]string]link.FallbackSample{}, examples: map[string]string{}, now: noon, starts: noon.Add(time.Minute),
	}
}

// Who gets what, or nothing and why.
func TestFallbackPlanner(t *testing.T) {
	for _, c := range []struct {
		what   string
		change func(p *fallbackPlanner, c *store.FallbackCandidate)
		why    string // "" = they get one
		by     string // the channel, of those who do
		due    bool   // at a later hour
	}{
		{what: "by SMS", by: wa.ChannelSMS},
		{what: "opted out", change: func(_ *fallbackPlanner, c *store.FallbackCandidate) { c.OptedOut = true }, why: "opted out"},
		{what: "had one", change: func(_ *fallbackPlanner, c *store.FallbackCandidate) { c.Reached = true }, why: "had or gets another attempt already"},
		{what: "retried", change: func(_ *fallbackPlanner, c *store.FallbackCandidate) { c.Retried = true }, why: "is tried again by WhatsApp"},
		{what: "refused marketing", change: func(_ *fallbackPlanner, c *store.FallbackCandidate) { c.Code = 131050 }, why: "131050: another channel does not help, or must not be used"},
		{what: "perhaps", change: func(_ *fallbackPlanner, c *store.FallbackCandidate) { c.Code = 131053 }, why: "131053: only if you choose this code"},
		{what: "perhaps, chosen", change: func(p *fallbackPlanner, c *store.FallbackCandidate) { c.Code, p.named[131053] = 131053, true }, by: wa.ChannelSMS},
		{what: "without a code", change: func(_ *fallbackPlanner, c *store.FallbackCandidate) { c.Code = 0 }, why: "0: only if you choose this code"},
		{what: "undelivered", change: func(_ *fallbackPlanner, c *store.FallbackCandidate) { c.Code, c.Late = 0, true }, by: wa.ChannelSMS},
		{what: "no consent", change: func(_ *fallbackPlanner, c *store.FallbackCandidate) { c.Values[2] = "no" }, why: "no consent to SMS"},
		{what: "a declaration is no answer to a no", change: func(p *fallbackPlanner, c *store.FallbackCandidate) { c.Values[2], p.consent = "", true }, why: "no consent to SMS"},
		{what: "no column", change: func(p *fallbackPlanner, _ *store.FallbackCandidate) { p.plan.Contact.Consent = nil }, why: "the list does not say who consented to SMS"},
		{what: "no column, declared", change: func(p *fallbackPlanner, _ *store.FallbackCandidate) { p.plan.Contact.Consent, p.consent = nil, true }, by: wa.ChannelSMS},
		{what: "opted out of it in the list", change: func(p *fallbackPlanner, c *store.FallbackCandidate) {
			p.plan.Contact.Refused, p.consent, c.Values[4] = map[string][]string{wa.ChannelSMS: {"first_name", "language"}}, true, "x"
			c.Values[0] = "no"
		}, why: "opted out of SMS, says the list"},
		{what: "opted out of another in the list", change: func(p *fallbackPlanner, _ *store.FallbackCandidate) {
			p.plan.Contact.Refused = map[string][]string{wa.ChannelEmail: {"first_name"}}
		}, by: wa.ChannelSMS},
		{what: "another language", change: func(_ *fallbackPlanner, c *store.FallbackCandidate) { c.Values[4] = "de" }, why: "no SMS text in their language (de)"},
		{what: "no name", change: func(_ *fallbackPlanner, c *store.FallbackCandidate) { c.Values[0] = " " }, why: "no value for {first_name} of the SMS text"},
		{what: "no price", change: func(_ *fallbackPlanner, c *store.FallbackCandidate) { c.Phone = "+33612345678" }, why: "no price for +33 (FR)"},
		{what: "over the budget", change: func(p *fallbackPlanner, _ *store.FallbackCandidate) { p.spent = wa.MoneyOf(0.96) }, why: "over the budget"},
		{what: "at night", change: func(p *fallbackPlanner, _ *store.FallbackCandidate) { p.starts = p.starts.Add(11 * time.Hour) }, by: wa.ChannelSMS, due: true},
		{what: "at night, left out", change: func(p *fallbackPlanner, _ *store.FallbackCandidate) {
			p.starts, p.leaveOut = p.starts.Add(11*time.Hour), true
		}, why: "outside the allowed hours at their place"},
		{what: "the second channel", change: func(p *fallbackPlanner, c *store.FallbackCandidate) {
			p.channels, c.Values[2] = []string{wa.ChannelSMS, wa.ChannelEmail}, "no"
		}, by: wa.ChannelEmail},
		{what: "e-mail at night", change: func(p *fallbackPlanner, _ *store.FallbackCandidate) {
			p.channels, p.starts = []string{wa.ChannelEmail}, p.starts.Add(11*time.Hour)
		}, by: wa.ChannelEmail, due: true},
		{what: "over a Sunday, longer than anything may wait", change: func(p *fallbackPlanner, _ *store.FallbackCandidate) {
			p.starts, p.o.Expires = p.starts.Add(35*time.Hour), 24*time.Hour
		}, by: wa.ChannelSMS, due: true},
		{what: "zones that never agree", change: func(p *fallbackPlanner, c *store.FallbackCandidate) {
			p.channels, c.Phone = []string{wa.ChannelEmail}, "+18005550123"
			p.o.Allowed.Hours["US"] = list.Hours{From: 9 * 60, To: 19 * 60, Days: p.o.Allowed.Hours[""].Days}
		}, why: wa.ReasonNoHour},
		{what: "no address", change: func(p *fallbackPlanner, c *store.FallbackCandidate) {
			p.channels, c.Values[1] = []string{wa.ChannelEmail}, "ana at shop"
		}, why: "no e-mail address"},
		{what: "the first channel says why", change: func(p *fallbackPlanner, c *store.FallbackCandidate) {
			p.channels, c.Values[1], c.Values[2] = []string{wa.ChannelSMS, wa.ChannelEmail}, "", "no"
		}, why: "no consent to SMS"},
	} {
		p := plannerOf(t)
		who := &store.FallbackCandidate{
			Message: 1, Code: 131026, At: wa.At(p.now), Phone: "+351912345678",
			Values: []string{"Ana", "ana@example.com", "yes", "yes", "pt-BR"},
		}
		if c.change != nil {
			c.change(p, who)
		}
		d, why := p.judge(who)
		if why != c.why || why == "" && (d.Channel != c.by || (d.Due != 0) != c.due || d.Cost <= 0 || d.Segments != 1) {
			t.Errorf("%s: %+v, %q; want %q by %q (later: %v)", c.what, d, why, c.why, c.by, c.due)
		}
	}
}

// Of those whose row lacks a variable one is named, masked.
func TestPlanNamesWhoLacksAVariable(t *testing.T) {
	p := plannerOf(t)
	for _, phone := range []string{"+351912345678", "+351912345679"} {
		p.judge(&store.FallbackCandidate{Message: 1, Code: 131026, Phone: phone, Values: []string{"", "", "yes", "yes", "pt"}})
	}
	const why = "no value for {first_name} of the SMS text"
	v := p.view(&store.FallbackPlanned{LeftOut: map[string]int64{why: 2, "opted out": 1}})
	if len(v.LeftOut) != 2 || v.LeftOut[0].Example != wa.MaskPhone("+351912345678") || v.LeftOut[1].Example != "" {
		t.Errorf("%+v", v.LeftOut)
	}
}

// Where the failures have wrong numbers in common the plan says so; a bad minute or a
// bad image says nothing about numbers.
func TestPlanNamesWrongNumbers(t *testing.T) {
	for _, c := range []struct {
		found link.Cluster
		wrong bool
	}{
		{link.Cluster{Attribute: "prefix", Value: "22507", MainCode: 131026, Explains: 0.8}, true},
		{link.Cluster{Attribute: "lines", Value: "1-500", MainCode: 131026, Explains: 0.5}, true},
		{link.Cluster{Attribute: "minute", Value: "2026-11-27T12:00:00Z", MainCode: 131026, Explains: 0.9}, false},
		{link.Cluster{Attribute: "city", Value: "Faro", MainCode: 131053, Explains: 0.9}, false},
	} {
		p := plannerOf(t)
		p.live = &live{traits: traits{found: []link.Cluster{c.found}}}
		if got := p.wrongNumbers(); (got != nil) != c.wrong {
			t.Errorf("%+v: %+v", c.found, got)
		}
	}
}
