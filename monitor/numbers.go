package monitor

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"tickwatch/monitor/alarm"
	"tickwatch/monitor/link"
	"tickwatch/wa"
)

// flaggedFor is the older rule's clock: a number that stays flagged for seven days
// falls to a lower limit (whatsapp.md §4: obsolete since October 2025).
const flaggedFor = wa.Instant(7 * 24 * time.Hour / time.Millisecond)

// judgeNumbers raises how the numbers stand, by whatever told it.
func (m *Monitor) judgeNumbers(now wa.Instant) {
	numbers := m.joinedNumbers()
	slices.SortFunc(numbers, func(a, b wa.Number) int {
		return cmp.Or(cmp.Compare(a.Display, b.Display), cmp.Compare(a.ID, b.ID))
	})
	used := m.numbersInUse(now)
	for _, n := range numbers {
		p := m.past.numbers[wa.Digits(n.Display)]
		if p == nil {
			p = &numberPast{}
		}
		name := cmp.Or(display(n.Display), n.ID)
		m.judgeRating(now, &n, name, used[n.ID])
		m.judgeStatus(now, &n, p, name, used[n.ID])
		m.judgeFalls(now, &n, p, name)
	}
	m.clearFormerNumbers(now, numbers)
	for _, account := range slices.Sorted(maps.Keys(m.past.accounts)) {
		m.judgeLimitFall(now, "limit of account "+account, m.past.accounts[account], "account "+wa.Clean(account))
	}
}

// clearFormerNumbers ends the alarms of numbers that are known by another name now: a
// webhook names some by their digits before another tells their id.
func (m *Monitor) clearFormerNumbers(now wa.Instant, numbers []wa.Number) {
	matters := [...]string{"number", "status", "limit of", "throughput of"}
	known := map[string]bool{}
	for account := range m.past.accounts {
		known["limit of account "+account] = true
	}
	for i := range numbers {
		for _, what := range matters {
			known[numberSubject(what, &numbers[i])] = true
		}
	}
	for _, kind := range [...]string{"quality", "limit"} {
		m.incidents.clearOthers(now, kind, func(name string) bool {
			return known[name] || !slices.ContainsFunc(matters[:], func(what string) bool { return strings.HasPrefix(name, what+" ") })
		})
	}
}

// numbersInUse are those that something goes out from. m.mu is held.
func (m *Monitor) numbersInUse(now wa.Instant) map[string]bool {
	used := map[string]bool{}
	for _, l := range m.campaigns {
		if !l.running(now) {
			continue
		}
		for _, id := range slices.Concat(l.Numbers, m.plans[l.ID].From) {
			used[id] = true
		}
	}
	return used
}

func numberSubject(what string, n *wa.Number) string { return what + " " + cmp.Or(n.ID, n.Display) }

func (m *Monitor) judgeRating(now wa.Instant, n *wa.Number, name string, used bool) {
	level, f := alarm.OK, finding{kind: "quality", subject: numberSubject("number", n)}
	switch n.Quality {
	case wa.QualityYellow:
		level = alarm.Watch
		f.text = fmt.Sprintf("Quality YELLOW of number %s: people block or report its messages", name)
		f.advice = "Slow down (-), and look at the list's consent and at the text: what people did in the last seven days makes the rating.\nDo not start another campaign from this number.\nRED comes next: only messages that people want bring it back."
	case wa.QualityRed:
		level = alarm.Act
		f.text = fmt.Sprintf("Quality RED of number %s: many people block or report its messages", name)
		f.advice = "Pause what goes out from it (p). Meta restricts numbers that stay RED.\nDo not start another campaign from this number.\nIt takes days of messages that people want to mend it."
	case wa.QualityGreen, wa.QualityUnknown:
	}
	if !used {
		level = min(level, alarm.Watch) // nothing goes out that could be paused
	}
	if now-n.QualityAt > staleNews {
		level = alarm.OK // nobody has been able to ask for a day
	}
	m.incidents.fact(now, level, f)
}

// judgeStatus raises a status that keeps a number from sending.
func (m *Monitor) judgeStatus(now wa.Instant, n *wa.Number, p *numberPast, name string, used bool) {
	level, f := alarm.OK, finding{kind: "quality", subject: numberSubject("status", n)}
	cannot := func(text, advice string) {
		level, f.text, f.advice = alarm.Act, fmt.Sprintf(text, name), advice
		if !used {
			level = alarm.Watch
		}
	}
	since := cmp.Or(p.statusSince, n.StatusAt, n.Since)
	switch n.Status {
	case "BANNED":
		cannot("Meta banned the number %s: nothing can be sent from it", "Pause what goes out from it. "+askMeta)
	case "RESTRICTED":
		cannot("Meta restricts the number %s: its limit is used up or its quality is too low", "Pause what goes out from it: only answers to people who wrote get through. "+askMeta)
	case "DISCONNECTED":
		cannot("The number %s is disconnected: nothing can be sent from it", "Connect it again in WhatsApp Manager, and pause what goes out from it until then.")
	case "RATE_LIMITED":
		f.kind, level = "limit", alarm.Watch
		f.text = fmt.Sprintf("Meta slows the number %s down: it sends faster than it may", name)
		f.advice = "Lower the pace of what goes out from it: tickwatch campaign pace ID RATE."
	case "FLAGGED":
		level, f.until = alarm.Watch, since+flaggedFor
		f.text = fmt.Sprintf("Meta flagged the number %s: its quality is low", name)
		f.advice = "By Meta's older rule it has seven days to get better, else its limit falls one step; since October 2025 quality does not lower the limit any more. Slow down either way."
		if now > f.until {
			level = alarm.OK
		}
	case "DELETED", "MIGRATED", "UNVERIFIED", "PENDING":
		if used {
			cannot("The number %s cannot send: its status is "+strings.ToLower(n.Status), "Pause what goes out from it, and look at it in WhatsApp Manager.")
		}
	}
	for _, kind := range []string{"quality", "limit"} { // of one number one of them at most
		if kind != f.kind {
			m.incidents.clear(now, subject{kind, f.subject})
		}
	}
	m.incidents.fact(now, level, f)
}

// judgeFalls raises a limit or a throughput that has become lower, for a day.
func (m *Monitor) judgeFalls(now wa.Instant, n *wa.Number, p *numberPast, name string) {
	m.judgeLimitFall(now, numberSubject("limit of", n), &p.limitPast, name)

	level, f := alarm.OK, finding{kind: "limit", subject: numberSubject("throughput of", n)}
	if p.mpsFellAt != 0 && now-p.mpsFellAt < staleNews && n.Throughput > 0 {
		level = alarm.Watch
		f.text = fmt.Sprintf("Meta takes fewer messages a second from %s: %.0f, was %.0f", name, n.Throughput, p.mpsWas)
		f.advice = "tickwatch keeps to it by itself; a campaign takes longer. If it was not expected, look into WhatsApp Manager."
	}
	m.incidents.fact(now, level, f)
}

// judgeLimitFall raises a limit of a number or an account that has become lower.
func (m *Monitor) judgeLimitFall(now wa.Instant, subject string, p *limitPast, name string) {
	level, f := alarm.OK, finding{kind: "limit", subject: subject}
	if p.fellAt != 0 && now-p.fellAt < staleNews {
		level = alarm.Watch
		f.text = fmt.Sprintf("Meta lowered the limit of %s", name)
		if p.was != "" {
			f.text += fmt.Sprintf(": %s, was %s", limitWords(p.limit), strings.TrimPrefix(limitWords(p.was), "limit "))
		}
		f.advice = "Look how much of a campaign still fits: tickwatch check tells. What goes over the limit Meta refuses."
	}
	m.incidents.fact(now, level, f)
}

// numberView is a number as a snapshot carries it. m.mu is held.
func (m *Monitor) numberView(n wa.Number, limits []link.Limit) link.Number {
	out := link.Number{
		ID: n.ID, Display: display(n.Display), Quality: string(n.Quality), Status: n.Status,
		Limit: string(n.Limit), Since: moment(n.Since), AskedAt: moment(n.QualityAt),
	}
	if n.Throughput > 0 {
		out.ThroughputMPS = &n.Throughput
	}
	if p := m.past.numbers[wa.Digits(n.Display)]; p != nil {
		out.QualityWas, out.QualitySince = string(p.qualityWas), moment(p.qualitySince)
	}
	if a := m.usage.ofNumber(n.ID); a != nil {
		out.Used24h = &a.People
		for _, l := range limits {
			if l.Account == a.Account {
				out.LimitReachedAt = l.ReachedAt
			}
		}
	}
	out.Health, out.HealthReason = m.healthView(wa.HealthOfNumber, n.ID)
	return out
}

// shownNumbers are the numbers that a snapshot carries: those in use first, then
// those with the latest news.
func (m *Monitor) shownNumbers(now wa.Instant, limits []link.Limit) []link.Number {
	all, used := m.joinedNumbers(), m.numbersInUse(now)
	rank := func(n *wa.Number) int {
		if used[n.ID] {
			return 0
		}
		return 1
	}
	slices.SortFunc(all, func(a, b wa.Number) int {
		return cmp.Or(cmp.Compare(rank(&a), rank(&b)), cmp.Compare(b.Since, a.Since), cmp.Compare(a.ID, b.ID))
	})
	out := []link.Number{}
	for _, n := range all[:min(len(all), link.MaxCampaigns)] {
		out = append(out, m.numberView(n, limits))
	}
	slices.SortFunc(out, func(a, b link.Number) int { return cmp.Or(cmp.Compare(a.Display, b.Display), cmp.Compare(a.ID, b.ID)) })
	return out
}

// judgeLimits raises that a messaging limit is nearly used up. Watch from 70 % on, or
// where what waits does not fit; act from 90 %, or 15 minutes before the limit is hit,
// while something goes out that does not fit. What fits alarms nobody before 90 %.
func (m *Monitor) judgeLimits(now wa.Instant) {
	standing := map[string]bool{}
	for i := range m.usage.accounts {
		a := &m.usage.accounts[i]
		_, limit, ok := m.limitFor(a)
		if !ok {
			continue
		}
		f := finding{kind: "limit", subject: usedSubject + a.Account}
		standing[f.subject] = true
		level := m.limitLevel(now, a, limit, &f)
		m.incidents.fact(now, level, f)
	}
	m.incidents.clearOthers(now, "limit", func(name string) bool {
		return !strings.HasPrefix(name, usedSubject) || standing[name]
	})
}

const (
	usedSubject = "used "
	limitWatch  = 0.7
	limitAct    = 0.9
	limitSoon   = 15 * time.Minute
)

func (m *Monitor) limitLevel(now wa.Instant, a *accountUsage, limit int64, f *finding) alarm.Level {
	waiting, others := m.load(now, a)
	share := float64(a.People) / float64(limit)
	in, reached := a.reachedIn(limit)
	over := waiting - max(limit-a.People, 0) // of what waits, so many do not fit
	fits := !others && over <= 0
	f.text = fmt.Sprintf("%s of %s people in 24 hours are used", count(a.People), count(limit))
	switch {
	case a.People >= limit:
		f.text = fmt.Sprintf("The limit is used up: %s of %s people in 24 hours", count(a.People), count(limit))
	case reached && !fits:
		f.text += fmt.Sprintf("; limit reached in %s at this pace", soonWords(in))
	}
	if waiting > 0 {
		f.text += fmt.Sprintf("; %s still wait", count(waiting))
		if over > 0 {
			f.text += fmt.Sprintf(", %s more than fit", count(over))
		}
	}
	f.advice = "Pause (p) and go on tomorrow, or slow down: Meta refuses what goes over the limit. People count once in 24 hours, and not while they are talking with you."
	if fits {
		f.advice = "What waits still fits. Another campaign today may not: tickwatch check tells."
	}
	going := waiting > 0 || others
	switch {
	case going && !fits && (share >= limitAct || reached && in <= limitSoon && share >= 0.5):
		return alarm.Act
	case going && !fits && share >= limitWatch, over > 0, share >= limitAct:
		return alarm.Watch
	}
	return alarm.OK
}

// soonWords prints how long it takes until something happens.
func soonWords(d time.Duration) string {
	switch {
	case d < time.Minute:
		return "less than a minute"
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	}
	return fmt.Sprintf("%d h", int(d.Hours()))
}

// nextTier is the limit that follows, and what Meta asks for it (whatsapp.md §4), as
// far as our own data tell. m.mu is held.
func (m *Monitor) nextTier(a *accountUsage, limit wa.Limit) (next string, needs []link.Need) {
	to := limit.Next()
	if to == "" {
		return "", nil
	}
	yes := func(b bool) *bool { return &b }
	if to == "TIER_2K" {
		needs = append(needs, link.Need{Text: fmt.Sprintf("2,000 delivered messages of high quality in 30 days: %s delivered so far; which of them Meta counts it does not say", count(m.usage.delivered30(a.Account)))})
		return string(to), append(needs, link.Need{Text: "or the business verified with Meta, which tickwatch cannot see"})
	}
	if people, ok := limit.People(); ok {
		used := m.usage.used7(a.Account)
		needs = append(needs, link.Need{
			Text: fmt.Sprintf("half of the limit used in 7 days: %s of %s people", count(used), count(int64(people)/2)), Met: yes(used >= int64(people)/2),
		})
	}
	var low []string
	for _, id := range slices.Sorted(slices.Values(a.Numbers)) {
		if n := m.numbers[id]; n.Quality == wa.QualityYellow || n.Quality == wa.QualityRed {
			low = append(low, cmp.Or(display(n.Display), id))
		}
	}
	for _, id := range slices.Sorted(maps.Keys(m.templates)) {
		if t := m.templates[id]; t.Quality == wa.QualityYellow || t.Quality == wa.QualityRed {
			low = append(low, t.Name)
		}
	}
	text := "quality high on all numbers and templates: none is known to be low"
	if len(low) > 0 {
		text = "quality high everywhere; low now: " + wa.Clean(strings.Join(low[:min(len(low), 3)], ", "))
	}
	needs = append(needs, link.Need{Text: text, Met: yes(len(low) == 0)})
	return string(to), needs
}
