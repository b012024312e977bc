package monitor

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"tickwatch/monitor/link"
	"tickwatch/store"
	"tickwatch/wa"
)

// managerName is where figures are read off that nobody says otherwise of.
const managerName = "WhatsApp Manager"

// typedSubject tells the alarm about typed figures from the one about opt-outs.
const typedSubject = " / typed"

// reported keeps a figure that an operator read off WhatsApp Manager.
func (m *Monitor) reported(ctx context.Context, a link.ReportedArgs, operator string) (link.Reports, error) {
	if a.Count < 0 || a.Count > math.MaxInt32 {
		return link.Reports{}, usage("%d is no count of people", a.Count)
	}
	m.mu.Lock()
	l, err := m.find(a.Campaign)
	m.mu.Unlock()
	if err != nil {
		return link.Reports{}, err
	}
	r := wa.Reported{
		What: wa.ReportedReports, People: a.Count, Source: cmp.Or(strings.TrimSpace(wa.Clean(a.Source)), managerName),
		By: operator, At: wa.At(m.o.Now()),
	}
	if a.Blocks {
		r.What = wa.ReportedBlocks
	}
	if err := m.o.Store.SaveReported(ctx, l.Key, &r); err != nil {
		return link.Reports{}, err
	}
	m.keepReported(l.Key, &r)
	m.record(store.Action{Operator: operator, Verb: link.VerbReported, Target: l.Key, Effect: fmt.Sprintf("%s, by %s", typedWords(&r), r.Source)})
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.reports(wa.At(m.o.Now()), l), nil
}

// keepReported takes a figure over in the place of the one before.
func (m *Monitor) keepReported(campaign string, r *wa.Reported) {
	m.mu.Lock()
	defer m.mu.Unlock()
	others := slices.DeleteFunc(slices.Clone(m.typed[campaign]), func(o wa.Reported) bool { return o.What == r.What })
	m.typed[campaign] = append(others, *r)
}

// showReported adds what was typed to a campaign's reports. m.mu is held.
func (m *Monitor) showReported(l *live, out *link.Reports) {
	for _, r := range m.typed[l.Key] {
		if r.What == wa.ReportedBlocks {
			out.Blocked, out.BlockedBy, out.BlockedAt = &r.People, r.By, moment(r.At)
			out.Source = cmp.Or(out.Source, r.Source)
			continue
		}
		out.Reported, out.ReportedBy, out.ReportedAt, out.Source = &r.People, r.By, moment(r.At), r.Source
	}
	worst := m.worstTyped(l)
	if worst == nil {
		return
	}
	level := verdictOf(m.o.Thresholds.reports().Plain(typedRate(worst, l)))
	if standing, _ := m.incidents.standing("reports", l.Key+typedSubject); link.Rank(standing) > link.Rank(level) {
		level = standing
	}
	if link.Rank(level) > link.Rank(out.Verdict) {
		out.Verdict = level
	}
}

// worstTyped is the figure that the most people stand behind; nil when there is none,
// or when the campaign has reached too few to say.
func (m *Monitor) worstTyped(l *live) *wa.Reported {
	if l.Counts.Delivered < m.o.Thresholds.MinMessages || len(m.typed[l.Key]) == 0 {
		return nil
	}
	worst := slices.MaxFunc(m.typed[l.Key], func(a, b wa.Reported) int {
		return cmp.Or(cmp.Compare(a.People, b.People), cmp.Compare(a.What, b.What))
	})
	return &worst
}

// typedRate is the share of people reached that a figure stands for; 0 for so few that
// they say nothing.
func typedRate(r *wa.Reported, l *live) float64 {
	if r.People < minOptOuts {
		return 0
	}
	return float64(r.People) / float64(l.Counts.Delivered)
}

// judgeReported puts typed figures to the rule for opt-outs. m.mu is held.
func (m *Monitor) judgeReported(now wa.Instant, l *live) {
	r := m.worstTyped(l)
	if r == nil {
		return
	}
	rate := typedRate(r, l)
	m.incidents.judge(now, finding{kind: "reports", subject: l.Key + typedSubject, campaign: l.Key}, m.o.Thresholds.reports(), rate,
		func() (string, string) {
			return fmt.Sprintf("%.2f %% of those who got it: %s, by %s, typed by %s %s ago", math.Ceil(1e4*rate)/100, typedWords(r), wa.Clean(r.Source), wa.Clean(r.By), lasted(now.Sub(r.At))),
				advise(&situation{kind: "reports", level: m.o.Thresholds.reports().Plain(rate), own: l.Own, mute: m.mute("reports")}).Lines()
		})
}

// typedWords says what a figure counts.
func typedWords(r *wa.Reported) string {
	if r.What == wa.ReportedBlocks {
		return count(r.People) + " blocked you"
	}
	return count(r.People) + " reported it"
}
