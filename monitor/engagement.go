package monitor

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"time"

	"tickwatch/monitor/alarm"
	"tickwatch/monitor/link"
	"tickwatch/store"
	"tickwatch/wa"
)

// engagementEvery is how often it is read what people did after a campaign's
// messages, at most; engagementShare bounds the time that this takes, as
// clustersShare does.
const (
	engagementEvery = 2 * time.Second
	engagementShare = 20
)

// engaged is what people did after a campaign's messages, as it was read last.
type engaged struct {
	read  *store.Engagement
	fresh bool // nothing else is known since
}

// watchEngagement reads what people do until ctx ends.
func (m *Monitor) watchEngagement(ctx context.Context) {
	for {
		began := time.Now()
		m.readEngagement(ctx)
		wait := time.NewTimer(max(engagementEvery, engagementShare*time.Since(began)))
		select {
		case <-wait.C:
		case <-ctx.Done():
			wait.Stop()
			return
		}
	}
}

// readEngagement reads it of the campaigns that are shown and of which other is known.
func (m *Monitor) readEngagement(ctx context.Context) {
	m.mu.Lock()
	due := map[int64]*live{} // by id, which must not be looked at without m.mu
	for _, l := range m.newest(wa.At(m.o.Now())) {
		if !l.engaged.fresh {
			l.engaged.fresh = true // as of the commits until now, at least
			due[l.ID] = l
		}
	}
	m.mu.Unlock()
	for id, l := range due {
		e, err := m.o.Store.Engagement(ctx, id)
		m.mu.Lock()
		if err != nil {
			l.engaged.fresh = false
			if ctx.Err() == nil {
				m.o.Log.Warn("what people did after a campaign's messages could not be read", "campaign", wa.Clean(l.Key), "error", err)
			}
		} else {
			l.engaged.read = e
		}
		m.mu.Unlock()
	}
	if len(due) > 0 {
		m.wake()
	}
}

// engagementView is what a snapshot says of it; nil while nobody has written. m.mu is held.
func (m *Monitor) engagementView(now wa.Instant, l *live) *link.Engagement {
	e := l.engaged.read
	if e == nil || e.Inbound == 0 {
		return nil
	}
	out := &link.Engagement{
		Inbound: e.Inbound, People: e.People, Answered: share(e.Answered, e.Asked),
		Unanswered: e.Waiting, OldestUnansweredAt: moment(e.Oldest), Steps: []link.EngagementStep{}, PerMinute: []int64{},
	}
	out.FirstResponseMS, out.MeanResponseMS = responses(e)
	out.Templates = m.engagementByTemplate(l, e)
	n := &l.Counts
	add := func(step, label string, people, of int64) {
		out.Steps = append(out.Steps, link.EngagementStep{Step: step, Label: label, People: people, Share: share(people, of)})
	}
	add(link.StepDelivered, "", n.Delivered, n.Messages)
	add(link.StepRead, "", n.Read, n.Delivered)
	for _, s := range shownSteps(e.Steps) {
		add(s.Step, s.Label, s.People, n.Delivered)
	}
	if l.course != nil {
		out.PerMinute = l.course.inboundLately(now.Second() / 60)
	}
	if i := m.incidents.open[subject{"reports", l.Key + repliesSubject}]; i != nil && i.RaisedAt != 0 && l.course != nil {
		if s := l.course.spike(now.Second() / 60); s.over {
			out.Spike = &link.Spike{Since: i.RaisedAt.Time(), PerMinute: s.n, Usual: s.usual}
		}
	}
	return out
}

// responses are how long people waited; nil where nobody was answered.
func responses(e *store.Engagement) (first *link.ResponseTimes, mean *int64) {
	if e.Answered == 0 {
		return nil, nil
	}
	all := e.Mean
	return &link.ResponseTimes{P50: e.FirstP50, P95: e.FirstP95}, &all
}

// engagementByTemplate is what people did after each template of a campaign; nil
// where there is one only. m.mu is held.
func (m *Monitor) engagementByTemplate(l *live, e *store.Engagement) (all []link.EngagementTemplate) {
	if !l.Own || len(e.Templates) < 2 {
		return nil
	}
	plan := m.planOf(l)
	names := m.templateNames(&plan)
	for _, id := range slices.Sorted(maps.Keys(e.Templates)) {
		of := e.Templates[id]
		t := link.EngagementTemplate{People: of.People, Answered: share(of.Answered, of.Asked), Unanswered: of.Waiting, Steps: []link.EngagementStep{}}
		t.TemplateRef = link.TemplateRef{Name: cmp.Or(wa.Clean(names[id].Name), strconv.FormatInt(id, 10)), Language: wa.Clean(names[id].Language)}
		t.FirstResponseMS, t.MeanResponseMS = responses(of)
		for _, s := range shownSteps(of.Steps) {
			t.Steps = append(t.Steps, link.EngagementStep{Step: s.Step, Label: s.Label, People: s.People})
		}
		all = append(all, t)
	}
	slices.SortStableFunc(all, func(a, b link.EngagementTemplate) int { return cmp.Compare(b.People, a.People) })
	return all[:min(len(all), link.MaxStepLabels)]
}

// shownSteps are the steps in the order of the way: written answers, then at most
// MaxStepLabels of what can be chosen, what most people chose first, then reactions.
// Labels that look the same once cleaned are one.
func shownSteps(all []store.Step) []store.Step {
	var replies, reactions []store.Step
	var labels []store.Step
	for _, s := range all {
		switch s.Step {
		case wa.StepButton, wa.StepList:
			s.Label = wa.Clean(s.Label)
			at := slices.IndexFunc(labels, func(o store.Step) bool { return o.Step == s.Step && o.Label == s.Label })
			if at < 0 {
				labels = append(labels, s)
			} else {
				labels[at].People += s.People
			}
		case wa.StepReaction:
			reactions = append(reactions, s)
		default:
			replies = append(replies, s)
		}
	}
	slices.SortStableFunc(labels, func(a, b store.Step) int { return cmp.Compare(b.People, a.People) })
	labels = labels[:min(len(labels), link.MaxStepLabels)]
	return slices.Concat(replies, labels, reactions)
}

// inboundLately is what came in within each of the latest minutes, oldest first, the
// last one still under way; empty when nothing did.
func (c *course) inboundLately(minute int64) []int64 {
	out, some := make([]int64, link.MaxTrend), false
	for i := range out {
		out[i] = c.inbound[minute-link.MaxTrend+1+int64(i)]
		some = some || out[i] > 0
	}
	if !some {
		return []int64{}
	}
	return out
}

const (
	// spikeLeast is how many messages a minute are no spike whatever is usual.
	spikeLeast = 10
	// spikeSpan is by how many minutes before it a minute is judged, and
	// spikeHistory how many of them there must be: a send that has just begun has
	// nothing that is usual.
	spikeSpan, spikeHistory = 30, 10
	// spikeSure is how seldom chance alone brings so many: once in a thousand
	// minutes, if people write independently of each other (Poisson).
	spikeSure = 0.001
	// spikeTimes times the usual is the least that is worth a word: people do not
	// write as independently as that.
	spikeTimes = 2
	// spikeKept is for how many minutes a spike is told of after its last minute.
	spikeKept = 5
	// exposed is for how many minutes after a message most of those who answer do.
	exposed = 10
)

// repliesSubject tells the alarm about replies from the one about opt-outs.
const repliesSubject = " / replies"

// spike is the strongest of the latest minutes with more messages than usual.
type spike struct {
	over  bool
	n     int64
	usual float64
}

func (c *course) spike(minute int64) (worst spike) {
	for m := minute - spikeKept; m <= minute; m++ {
		if n := c.inbound[m]; n >= spikeLeast && n > worst.n {
			if usual, ok := c.usual(m); ok && float64(n) >= spikeTimes*usual && n > poissonBound(usual, spikeSure) {
				worst = spike{true, n, usual}
			}
		}
	}
	return worst
}

// usual is how many messages a minute should bring: the mean of the half hour before
// it, or what as many messages as arrived just before have brought so far, at the
// most, whichever is more. False when there is too little before it.
func (c *course) usual(minute int64) (float64, bool) {
	from := max(minute-spikeSpan, c.first)
	if len(c.order) == 0 || minute-from < spikeHistory {
		return 0, false
	}
	var lately, before, delivered int64
	for m, n := range c.inbound {
		if m < minute {
			before += n
		}
		if m >= from && m < minute {
			lately += n
		}
	}
	for m, p := range c.minutes {
		if m < minute {
			delivered += p.Delivered
		}
	}
	usual := float64(lately) / float64(minute-from)
	if delivered > 0 {
		// Of what has not been seen in n, three in n is the most that is likely.
		each := float64(before+3) / float64(delivered*exposed)
		usual = max(usual, each*float64(c.reached(minute)))
	}
	return usual, true
}

// reached is how many messages arrived of those sent in the minutes up to one.
func (c *course) reached(minute int64) (n int64) {
	for m := minute - exposed + 1; m <= minute; m++ {
		n += c.minutes[m].Delivered
	}
	return n
}

// poissonBound is the number that a Poisson variable of a mean exceeds with at most
// a probability.
func poissonBound(mean, p float64) int64 {
	if mean <= 0 {
		return 0
	}
	const large = 500 // from here on the normal curve says the same
	if mean > large {
		return int64(math.Ceil(mean + 3.1*math.Sqrt(mean)))
	}
	term, k := math.Exp(-mean), int64(0)
	for sum := term; 1-sum > p; sum += term {
		k++
		term *= mean / float64(k)
	}
	return k
}

// judgeReplies says when far more people write than usual: somebody has to read it.
func (m *Monitor) judgeReplies(now wa.Instant, l *live) {
	s, level := l.course.spike(now.Second()/60), alarm.OK
	f := finding{kind: "reports", subject: l.Key + repliesSubject, campaign: l.Key}
	if s.over {
		level = alarm.Watch
		f.text = fmt.Sprintf("Many replies: %s in a minute, usually about %.0f", count(s.n), s.usual)
		f.advice = "Read what people write. If they complain, pause the send; if they ask, see to it that somebody answers."
	}
	m.incidents.fact(now, level, f)
}
