package wa

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

const days = Instant(24 * 60 * 60 * 1000)

// What each rule holds and what ends it, as the guides say (see the rules' table).
func TestSuppressRules(t *testing.T) {
	const now = 100 * days
	failed := func(code int, ago ...Instant) (all []Failed) {
		for _, d := range ago {
			all = append(all, Failed{code, now - d})
		}
		return all
	}
	for name, c := range map[string]struct {
		p     Record
		want  []string
		until Instant // of the first
	}{
		"nothing happened":          {Record{}, nil, 0},
		"not on WhatsApp":           {Record{Failures: failed(131026, 90*days)}, []string{RuleUndelivered}, 0},
		"withheld once":             {Record{Failures: failed(131049, 15*days)}, []string{RuleWithheld}, now + days},
		"withheld 16 days ago":      {Record{Failures: failed(131049, 16*days)}, nil, 0},
		"withheld just in time":     {Record{Failures: failed(131049, 16*days-1)}, []string{RuleWithheld}, now + 1},
		"the latest counts":         {Record{Failures: failed(131049, 15*days, 2*days)}, []string{RuleWithheld}, now + 14*days},
		"withheld twice, long ago":  {Record{Failures: failed(131049, 40*days, 50*days)}, nil, 0},
		"withheld three times":      {Record{Failures: failed(131049, 40*days, 50*days, 60*days)}, []string{RuleWithheldOft}, 0},
		"both kinds count together": {Record{Failures: append(failed(131049, 40*days, 50*days), failed(130472, 60*days)...), WroteAt: now}, []string{RuleWithheldOft}, 0},
		"in an experiment":          {Record{Failures: failed(130472, 60*days)}, []string{RuleExperiment}, 0},
		"wrote before it":           {Record{Failures: failed(130472, 60*days), WroteAt: now - 60*days}, []string{RuleExperiment}, 0},
		"wrote after it":            {Record{Failures: failed(130472, 60*days), WroteAt: now - 60*days + 1}, nil, 0},
		"stopped marketing":         {Record{Failures: failed(131050, 60*days), WroteAt: now}, []string{RuleRefuser}, 0},
		"and resumed":               {Record{Failures: failed(131050, 60*days), ResumedAt: now - days}, nil, 0},
		"and resumed before":        {Record{Failures: failed(131050, 60*days), ResumedAt: now - 61*days}, []string{RuleRefuser}, 0},
		"blocked":                   {Record{Failures: failed(130403, 60*days), WroteAt: now}, []string{RuleBlocked}, 0},
		"opted out":                 {Record{OptedOut: true, WordAt: now - days}, []string{RuleOptedOut}, 0},
		"released":                  {Record{OptedOut: true, WordAt: 5, Failures: failed(131026, days), Released: map[string]Instant{RuleOptedOut: 5, RuleUndelivered: now - days}}, nil, 0},
		"again after a release":     {Record{Failures: failed(131026, days), Released: map[string]Instant{RuleUndelivered: now - days - 1}}, []string{RuleUndelivered}, 0},
		"released from another":     {Record{Failures: failed(131026, days), Released: map[string]Instant{RuleWithheld: now}}, []string{RuleUndelivered}, 0},
		"another code":              {Record{Failures: failed(131053, 0, 0, 0)}, nil, 0},
		"several":                   {Record{OptedOut: true, WordAt: 1, Failures: failed(131026, 0)}, []string{RuleOptedOut, RuleUndelivered}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			holds := DefaultSuppressRules().Holds(&c.p, now)
			for _, h := range holds {
				got = append(got, h.Rule)
			}
			if !slices.Equal(got, c.want) {
				t.Fatalf("held by %v, want %v", got, c.want)
			}
			if len(holds) > 0 && holds[0].Until != c.until {
				t.Errorf("until %v, want %v", holds[0].Until.Time(), c.until.Time())
			}
		})
	}
}

// The error segment leaves other channels open, and what is no marketing goes to
// those whom Meta withholds marketing from; people's own word closes everything.
func TestWhatAHoldCloses(t *testing.T) {
	for _, r := range DefaultSuppressRules() {
		h := Hold{Channels: r.Channels, Marketing: r.Marketing}
		sms := r.Wish || r.Name == RuleBlocked
		if got := h.Closes(ChannelSMS, true, 1); got != sms {
			t.Errorf("%s closes SMS: %v", r.Name, got)
		}
		if !h.Closes(ChannelWhatsApp, true, 1) {
			t.Errorf("%s lets marketing through", r.Name)
		}
		notices := r.Name == RuleOptedOut || r.Name == RuleUndelivered || r.Name == RuleBlocked
		if got := h.Closes(ChannelWhatsApp, false, 1); got != notices {
			t.Errorf("%s closes what is no marketing: %v", r.Name, got)
		}
		if h.Closes("pigeon", true, 1) {
			t.Errorf("%s closes a channel that there is not", r.Name)
		}
	}
	for _, name := range ErrorSegment {
		if r := DefaultSuppressRules().Named(name); r == nil || r.Channels != OnWhatsApp {
			t.Errorf("%s of the error segment is %+v", name, r)
		}
	}
}

// A hold by time ends exactly when it says.
func TestHoldUntil(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := SuppressRule{
			Name: "r", Codes: []int{1, 2}, AtLeast: rapid.IntRange(1, 3).Draw(t, "at least"),
			Within: time.Duration(rapid.Int64Range(1, 50).Draw(t, "within")) * time.Millisecond,
		}
		p := Record{WroteAt: 1 << 40}
		for range rapid.IntRange(0, 6).Draw(t, "failures") {
			p.Failures = append(p.Failures, Failed{rapid.IntRange(1, 3).Draw(t, "code"), Instant(rapid.Int64Range(0, 100).Draw(t, "at"))})
		}
		now := Instant(rapid.Int64Range(100, 160).Draw(t, "now"))
		h, held := r.Hold(&p, now)
		if !held {
			return
		}
		if h.Since > now || h.Until <= now {
			t.Fatalf("holds at %d: %+v", now, h)
		}
		if _, still := r.Hold(&p, h.Until-1); !still {
			t.Fatalf("ends before %d", h.Until)
		}
		if _, still := r.Hold(&p, h.Until); still {
			t.Fatalf("goes on at %d", h.Until)
		}
	})
}

func TestTurnOff(t *testing.T) {
	for name, want := range map[string]string{
		"131026": RuleUndelivered, RuleWithheldOft: RuleWithheldOft, "131049": RuleWithheld, "130472": RuleExperiment,
		"131050": "", RuleOptedOut: "", "131053": "", "": "",
	} {
		rules := DefaultSuppressRules()
		err := rules.TurnOff(name)
		if (err == nil) != (want != "") {
			t.Errorf("%q: %v", name, err)
		}
		for _, r := range rules {
			if r.Off != (r.Name == want) {
				t.Errorf("%q: %s is off: %v", name, r.Name, r.Off)
			}
			if _, held := r.Hold(&Record{Failures: []Failed{{131026, 1}}}, 2); r.Off && held {
				t.Errorf("%q: %s holds", name, r.Name)
			}
		}
	}
}

// The rules can count otherwise, and the error segment goes as a whole.
func TestRulesAsConfigured(t *testing.T) {
	rules := DefaultSuppressRules()
	rules.Withheld(2, 5)
	p := Record{Failures: []Failed{{131049, 1}, {131049, 1}, {131049, 1}, {130472, 1}}, WroteAt: 2}
	if h := rules.Holds(&p, 3*days); len(h) != 0 {
		t.Errorf("held by %+v", h)
	}
	p.Failures = append(p.Failures, Failed{131049, days + 1})
	if h := rules.Holds(&p, 3*days); len(h) != 2 || h[1].Until != 3*days+1 {
		t.Errorf("held by %+v", h)
	}
	if err := rules.TurnOff(ErrorSegmentName); err != nil {
		t.Fatal(err)
	}
	for _, r := range rules {
		if r.Off != slices.Contains(ErrorSegment, r.Name) {
			t.Errorf("%s is off: %v", r.Name, r.Off)
		}
		for _, code := range r.Codes {
			if e, known := LookUp(code); !known || e.Suppression == SuppressNone {
				t.Errorf("%s counts %d, which is no reason to the catalogue", r.Name, code)
			}
		}
	}
}

func TestChannels(t *testing.T) {
	if c, err := ChannelsOf(); err != nil || c != OnAll || c.String() != "every channel" {
		t.Errorf("none: %v, %v", c, err)
	}
	c, err := ChannelsOf("sms", "whatsapp", "sms")
	if err != nil || c != OnSMS|OnWhatsApp || c.String() != "whatsapp, sms" || c.Has("email") {
		t.Errorf("two: %v, %v", c, err)
	}
	if _, err := ChannelsOf("fax"); err == nil {
		t.Error("a fax is taken for a channel")
	}
}
