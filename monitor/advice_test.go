package monitor

import (
	"strings"
	"testing"

	"tickwatch/monitor/alarm"
	"tickwatch/monitor/link"
	"tickwatch/wa"
)

// What comes first depends on the situation, and the catalogue's advice is in it, word
// for word as explain gives it.
func TestAdvice(t *testing.T) {
	block := &link.Cluster{Attribute: "lines", Value: "4002-10001", Explains: 0.9, MainCode: 131026}
	failing := situation{kind: "delivery", level: alarm.Act, own: true, code: 131026, coded: true}
	with := func(change func(*situation)) situation { s := failing; change(&s); return s }
	for name, c := range map[string]struct {
		s               situation
		now, not, after string // that it says
		never           string // that it does not say anywhere
	}{
		"ours, to act on":              {failing, "Pause it (p)", "Do not send these again", "resume (u)", "(a)"},
		"ours, to watch":               {with(func(s *situation) { s.level = alarm.Watch }), "pause if it gets worse (p)", "Do not send", "SMS", "resume"},
		"ours, paused":                 {with(func(s *situation) { s.paused = true }), "It is paused", "Do not send", "resume (u)", "(p)"},
		"ours, one block":              {with(func(s *situation) { s.common = block }), "Set lines 4,002–10,001 of the list aside (a)", "Do not send", "Release them", "(p)"},
		"ours, one block set aside":    {with(func(s *situation) { s.common, s.aside = block, true }), "is set aside: lines 4,002–10,001", "Do not send", "Release them", "Set lines"},
		"ours, code unknown":           {with(func(s *situation) { s.coded = false }), "Pause it (p)", "Do not send again", "resume (u)", "131026"},
		"another's":                    {with(func(s *situation) { s.own = false }), "Stop it where it is sent from", "Do not send", "SMS", "resume"},
		"another's, to watch":          {with(func(s *situation) { s.own, s.level = false, alarm.Watch }), "if it gets worse", "Do not send", "SMS", "(p)"},
		"another's, one block":         {with(func(s *situation) { s.own, s.common = false, block }), "Stop it where it is sent from", "Do not send", "SMS", "(a)"},
		"the picture":                  {with(func(s *situation) { s.code = 131053 }), "Fix the file", "before it is mended", "(r)", "(a)"},
		"late":                         {situation{kind: "delivery", own: true, late: true, level: alarm.Watch}, "Wait", "Do not send again", "slow down (-)", "(p)"},
		"late, another's":              {situation{kind: "delivery", late: true, level: alarm.Watch}, "Wait", "Do not send again", "where it is sent from", "(-)"},
		"another's, noted as paused":   {with(func(s *situation) { s.own, s.paused = false, true }), "only noted as paused", "Do not send", "SMS", "(p)"},
		"ours, no key is to be named":  {with(func(s *situation) { s.mute = true }), "Pause it: what waits", "Do not send", "resume (u)", "(p)"},
		"another's, no key either":     {with(func(s *situation) { s.own, s.mute = false, true }), "Stop it where it is sent from", "Do not send", "SMS", "pause"},
		"opt-outs, no key either":      {situation{kind: "reports", own: true, level: alarm.Act, mute: true}, "Pause it before", "said stop", "consent", "(p)"},
		"withheld":                     {situation{kind: "withheld", own: true, level: alarm.Act}, "Let them rest", "do not pause", "fewer and better", "(p)"},
		"opt-outs":                     {situation{kind: "reports", own: true, level: alarm.Act}, "Pause it (p)", "said stop", "consent", "(r)"},
		"opt-outs, to watch":           {situation{kind: "reports", own: true, level: alarm.Watch}, "Slow down (-)", "said stop", "consent", "(r)"},
		"opt-outs, paused":             {situation{kind: "reports", own: true, level: alarm.Act, paused: true}, "It is paused", "said stop", "resume (u)", "(p)"},
		"opt-outs, another's":          {situation{kind: "reports", level: alarm.Act}, "where it is sent from", "said stop", "consent", "(u)"},
		"paused by itself":             {situation{kind: "template", own: true, level: alarm.Act, paused: true, code: 132015, coded: true}, "(t), then resume (u)", "Do not resume", "first pause", "(p)"},
		"paused, the template is gone": {situation{kind: "template", own: true, level: alarm.Act, paused: true, code: 132001, coded: true}, "nobody fails", "Do not resume", "(t), resume (u)", "first pause"},
		"paused, the account":          {situation{kind: "account", own: true, level: alarm.Act, paused: true, code: 131042, coded: true}, "billing", "Do not resume", "resume (u)", "(p)"},
		"paused, nothing is known":     {situation{kind: "list", own: true, level: alarm.Act, paused: true}, "", "", "", "("},
	} {
		a := advise(&c.s)
		if !strings.Contains(a.Now, c.now) || !strings.Contains(a.Not, c.not) || !strings.Contains(a.After, c.after) || strings.Contains(a.String(), c.never) {
			t.Errorf("%s: %q", name, a)
		}
		if n := len(a.String()); n > 420 {
			t.Errorf("%s: %d characters are too many to be read at night: %q", name, n, a)
		}
		if c.s.coded && c.s.kind == "delivery" {
			steps := wa.Explain(c.s.code, "").Steps()
			for _, part := range []string{steps.Now, steps.Not, steps.After} {
				if !strings.Contains(a.String(), part) {
					t.Errorf("%s: %q does not say %q, as explain does", name, a, part)
				}
			}
		}
	}
}

// Meta's own decision is no cause of the delivery alarm, which leaves it out.
func TestTheCauseIsNotTheWithheld(t *testing.T) {
	c := course{errors: map[int]*errorCourse{
		131049: {minutes: map[int64]int64{10: 900}}, 131053: {minutes: map[int64]int64{10: 30}}, 131026: {minutes: map[int64]int64{10: 20}},
	}}
	if code, n := c.worstCode(10, 3); code != 131053 || n != 30 {
		t.Errorf("%d with %d failures", code, n)
	}
}

// A trait that the minute, the template, the carrier or Meta explains cannot be set aside.
func TestLeadingTrait(t *testing.T) {
	prefix := link.Cluster{Attribute: "prefix", Value: "22507", Explains: 0.7, MainCode: 131026}
	for name, c := range map[string]struct {
		found []link.Cluster
		want  string
	}{
		"a prefix":             {[]link.Cluster{{Attribute: "minute", Explains: 0.9, MainCode: 131026}, prefix}, "22507"},
		"of too few":           {[]link.Cluster{{Attribute: "city", Value: "Abidjan", Explains: 0.4, MainCode: 131026}}, ""},
		"whom Meta withholds":  {[]link.Cluster{{Attribute: "country", Value: "US", Explains: 0.9, MainCode: 131049}}, ""},
		"a template, a number": {[]link.Cluster{{Attribute: "template", Explains: 0.9}, {Attribute: "number", Explains: 0.9}}, ""},
		"a carrier":            {[]link.Cluster{{Attribute: "carrier", Value: "MEO", Explains: 0.9, MainCode: 131026}, prefix}, "22507"},
		"nothing":              {nil, ""},
	} {
		l := live{traits: traits{found: c.found}}
		got := ""
		if k := l.leading(); k != nil {
			got = k.Value
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// What an alarm says never denies itself: where the newest messages fare better than
// what it was raised for, it says that this is not sure to last, and the words that
// stay are those of when it was worst.
func TestEasing(t *testing.T) {
	bad, better := alarm.Verdict{Level: alarm.Act, N: 481, Bad: 149, Beyond: 0.1}, alarm.Verdict{Level: alarm.Act, N: 24, Beyond: 0.1}
	if got := arrives(&bad, false); got != "69.0 % arrive now (481 judged), surely under 90 %" {
		t.Error(got)
	}
	if got := arrives(&better, false); strings.Contains(got, "surely") || !strings.Contains(got, "100.0 % of the newest 24") {
		t.Error(got)
	}
	in := incidents{open: map[subject]*incident{}}
	f := finding{kind: "delivery", subject: "autumn", text: arrives(&bad, false)}
	in.fact(1000, alarm.Act, f)
	f.text, f.easing = arrives(&better, false), eases(&better)
	in.fact(2000, alarm.Act, f)
	if got := in.all()[0].Text; !strings.HasPrefix(got, "Easing: 100.0 %") {
		t.Error(got)
	}
	in.fact(3000, alarm.OK, f)
	if got := in.all()[0]; got.ClearedAt != 3000 || !strings.HasPrefix(got.Text, "69.0 %") {
		t.Errorf("%+v", got.Alarm)
	}
}

// What is only likely is called so, and how much can be known an assumption.
func TestOptOutWords(t *testing.T) {
	v := alarm.Verdict{Level: alarm.Act, N: 800, Bad: 16, Beyond: 0.005}
	if got := optOutsNow(&v, ""); got != "2.00 % opt out now, likely more than 0.5 %" {
		t.Error(got)
	}
	v.Sure = true
	if got := optOutsNow(&v, " (a proxy)"); got != "2.00 % opt out now (a proxy), surely more than 0.5 %" {
		t.Error(got)
	}
	if got := knownSoFar(&alarm.Judgement{Known: 0.621, Least: 0.029}); got != "2 to 62 % of the opt-outs can be known yet (assumed)" {
		t.Error(got)
	}
	if got := knownSoFar(&alarm.Judgement{Known: 1, Least: 1}); got != "100 % of the opt-outs can be known yet (assumed)" {
		t.Error(got)
	}
}
