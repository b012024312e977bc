package monitor

import (
	"slices"
	"strconv"
	"strings"

	"tickwatch/monitor/alarm"
	"tickwatch/monitor/cluster"
	"tickwatch/monitor/link"
	"tickwatch/monitor/queue"
	"tickwatch/wa"
)

// situation is what the advice on an alarm about a campaign depends on, beside the
// catalogue. The zero value is no such alarm.
type situation struct {
	kind   string // of the alarm; "" = its advice is what its finding says
	level  alarm.Level
	own    bool   // tickwatch sends it
	late   bool   // of delivery: nothing fails, but arrives late
	code   int    // of most failures, if coded
	coded  bool   // false = it is not known
	title  string // that came with the code
	paused bool   // nothing of it goes out; of another's, that is what is noted here
	common *link.Cluster
	aside  bool // what has it in common is set aside
	mute   bool // the key that pauses is not named
}

// mute tells whether the operator wants alarms of a kind not to name the key that
// pauses. A replay, which is told of no such wish, names it.
func (m *Monitor) mute(kind string) bool {
	return (kind == "delivery" || kind == "reports") && m.mode(kind) == AutoOff
}

// advise is what somebody can do about an alarm who is not a programmer: the
// catalogue's advice on the commonest code, and what this situation asks for.
func advise(s *situation) wa.Advice {
	a := s.advice()
	if s.mute {
		a.Now = strings.ReplaceAll(a.Now, " (p)", "")
	}
	return a
}

func (s *situation) advice() wa.Advice {
	switch {
	case s.kind == "reports":
		return s.onReports()
	case s.kind == "withheld":
		return wa.Advice{
			Now:   "Nothing in a hurry: these people get too much marketing, from you or from others. Let them rest, and let the others have it.",
			Not:   "Do not send to them again, and do not pause for them: a retry is withheld again, and a pause mends nothing.",
			After: "Send them fewer and better messages; tickwatch leaves out whom it happens to often. An SMS may reach some of them (r).",
		}
	case s.kind == "delivery" && s.late:
		return s.onLateness()
	case s.kind == "delivery":
		return s.onFailures()
	}
	return s.onOwnPause()
}

func (s *situation) onFailures() wa.Advice {
	var known wa.Advice
	if s.coded {
		known = wa.Explain(s.code, s.title).Steps()
	} else {
		known.Not = "Do not send again before it is clear why they fail."
	}
	if s.own && s.common != nil && s.aside {
		return wa.Advice{
			Now:   "What failed is set aside: " + commonName(s.common) + ". See whether the rest arrives now; if not, pause (p).",
			Not:   known.Not,
			After: join(known.Now, "Release them when that is mended, else cancel them (a).", known.After),
		}
	}
	if s.own && s.common != nil {
		return wa.Advice{
			Now:   "Set " + commonName(s.common) + " aside (a): the rest can go on.",
			Not:   known.Not,
			After: join(known.Now, "Release them when that is mended, else cancel them (a).", known.After),
		}
	}
	a := wa.Advice{Now: join(s.firstMove(), known.Now), Not: known.Not, After: known.After}
	if s.own && (s.level == alarm.Act || s.paused) && !strings.Contains(a.After, "(u)") {
		a.After = join("When the cause is gone, resume (u).", a.After)
	}
	return a
}

// firstMove is what comes first when too much fails.
func (s *situation) firstMove() string {
	switch act := s.level == alarm.Act; {
	case s.paused && s.own:
		return "It is paused: nothing more goes out."
	case act && s.own:
		return "Pause it (p): what waits is safe."
	case act && s.paused:
		return "Stop it where it is sent from, too: here it is only noted as paused."
	case act && s.mute:
		return "Stop it where it is sent from."
	case act:
		return "Stop it where it is sent from; a pause here (p) asks for that."
	case s.own:
		return "Look at why (enter on Errors), and pause if it gets worse (p)."
	}
	return "Look at why (enter on Errors); stop it where it is sent from if it gets worse."
}

func (s *situation) onLateness() wa.Advice {
	a := wa.Advice{
		Now:   "Wait: phones may be off, or Meta is slow, and most will arrive yet.",
		Not:   "Do not send again: people would get it twice.",
		After: "Look at what arrives within 5 minutes (enter on Delivered). If that stays low, slow down (-).",
	}
	if !s.own {
		a.After = strings.Replace(a.After, "slow down (-)", "slow down where it is sent from", 1)
	}
	return a
}

func (s *situation) onReports() wa.Advice {
	a := wa.Advice{
		Not:   "Do not write to those who said stop again, by any channel; tickwatch leaves them out.",
		After: "Look at the list's consent and at the text. Send the rest with another template (t), then resume (u), or cancel it.",
	}
	switch act := s.level == alarm.Act; {
	case s.paused && s.own:
		a.Now = "It is paused: nothing more goes out. People do not want this message."
	case act && s.own:
		a.Now = "Pause it (p) before Meta lowers the quality: people do not want this message."
	case s.own:
		a.Now = "Slow down (-), and look at the opt-outs (enter on Reports); pause if they go on (p)."
		a.After = "Look at the list's consent and at the text; another template may do better (t)."
	default:
		a.Now = "Stop it where it is sent from before Meta lowers the quality: people do not want this message."
		switch {
		case s.paused:
			a.Now += " Here it is only noted as paused."
		case !s.mute:
			a.Now += " A pause here (p) asks for that."
		}
		a.After = "Look at the list's consent and at the text before the rest goes out."
	}
	return a
}

// onOwnPause is about a gate that tickwatch closed by itself.
func (s *situation) onOwnPause() wa.Advice {
	if !s.coded {
		return wa.Advice{}
	}
	a := wa.Explain(s.code, s.title).Steps()
	if s.kind != "template" {
		return a
	}
	const safe = "Nothing more goes out, and nobody fails for it."
	if s.code == wa.CodeTemplatePaused {
		return wa.Advice{
			Now:   safe + " Send the rest with another approved template (t), then resume (u).",
			Not:   "Do not resume with this template: Meta refuses every message.",
			After: "Mend its text before it is used again: the first pause lasts 3 hours, the second 6, and then Meta disables it.",
		}
	}
	a.Now = join(safe, a.Now)
	return a
}

func join(parts ...string) string { return strings.Join(strings.Fields(strings.Join(parts, " ")), " ") }

// leading is the trait that most of a campaign's failures share and that can be set
// aside; nil where there is none.
func (l *live) leading() *link.Cluster {
	for i := range l.traits.found {
		k := &l.traits.found[i]
		if k.Explains < mostFailures || withheld(k.MainCode) {
			continue
		}
		switch k.Attribute {
		case traitCarrier, traitTemplate, traitLanguage, traitNumber, cluster.AttributeMinute:
			continue
		}
		return k
	}
	return nil
}

// mostFailures is how many a trait explains that is worth more than a pause.
const mostFailures = 0.5

// commonName is a trait in the words of a sentence.
func commonName(k *link.Cluster) string {
	switch k.Attribute {
	case traitCountry:
		return "the people of country " + k.Value
	case cluster.AttributePrefix:
		return "the numbers that begin with +" + k.Value
	case cluster.AttributeLines:
		from, to, _ := strings.Cut(k.Value, "-")
		return "lines " + grouped(from) + "–" + grouped(to) + " of the list"
	}
	return "those with " + k.Attribute + " = " + strconv.Quote(k.Value)
}

func grouped(digits string) string {
	if n, err := strconv.ParseInt(digits, 10, 64); err == nil {
		return count(n)
	}
	return digits
}

// alarmView is an alarm as people see it, with advice for the situation as it is: it
// may have been paused since, or been found out why it fails. m.mu is held.
func (m *Monitor) alarmView(i *incident, v *queue.View) link.Alarm {
	out, about := i.view(), i.about
	l := m.byKey[i.Campaign]
	if about.kind == "" || i.ClearedAt != 0 || l == nil {
		return out
	}
	about.mute = m.mute(i.Kind)
	about.paused = !l.Own && gateClosed(v, link.ScopeCampaign, l.Key)
	if l.Own {
		plan := m.planOf(l)
		about.paused = v.StopFile || m.heldByGate(v, l, &plan)
		if about.common = l.leading(); about.common != nil {
			trait := wa.Trait{Attribute: about.common.Attribute, Value: about.common.Value}
			about.aside = slices.ContainsFunc(plan.Aside, trait.Same)
		}
	}
	a := advise(&about)
	out.Advice, out.DoNot, out.After = a.Now, a.Not, a.After
	return out
}

// alarmViews are the alarms of a snapshot. m.mu is held.
func (m *Monitor) alarmViews(v *queue.View) []link.Alarm {
	out := []link.Alarm{}
	for _, i := range m.incidents.all() {
		if len(out) == link.MaxAlarms {
			break
		}
		out = append(out, m.alarmView(i, v))
	}
	return out
}
