package monitor

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"tickwatch/monitor/cluster"
	"tickwatch/monitor/link"
	"tickwatch/monitor/list"
	"tickwatch/store"
	"tickwatch/wa"
)

const (
	// clustersEvery is how often a campaign's failures are searched, at most.
	clustersEvery = 5 * time.Second
	// clustersShare bounds the time that this takes: after a search so many times
	// as long is waited as it took.
	clustersShare = 20
	// clustersFrom is how many failures there are before the first search.
	clustersFrom = 20
)

// traits is what a campaign's failures have in common, as it was found last.
type traits struct {
	found []link.Cluster
	at    wa.Instant // 0 = was never looked for
	seen  [2]int64   // messages and failures then
}

// searchClusters looks for what failures have in common until ctx ends. It has a
// goroutine of its own, so that no snapshot waits for it; what it reads and counts
// raises no alarm and stops nothing.
func (m *Monitor) searchClusters(ctx context.Context) {
	for {
		began := time.Now()
		m.findClusters(ctx)
		wait := time.NewTimer(max(clustersEvery, clustersShare*time.Since(began)))
		select {
		case <-wait.C:
		case <-ctx.Done():
			wait.Stop()
			return
		}
	}
}

// findClusters searches the campaigns that are shown and of which more is known
// than at the last search.
func (m *Monitor) findClusters(ctx context.Context) {
	m.mu.Lock()
	now := wa.At(m.o.Now())
	due := map[int64]*live{} // by id, which must not be looked at without m.mu
	for _, l := range m.newest(now) {
		if n := (&l.Counts); n.Failed >= clustersFrom && l.traits.seen != [2]int64{n.Messages, n.Failed} {
			due[l.ID] = l
		}
	}
	m.mu.Unlock()
	for id, l := range due {
		if err := m.findClustersOf(ctx, id, l); err != nil && ctx.Err() == nil {
			m.o.Log.Warn("a campaign's failures could not be searched for what they have in common", "campaign", wa.Clean(l.Key), "error", err)
		}
	}
}

func (m *Monitor) findClustersOf(ctx context.Context, id int64, l *live) error {
	m.mu.Lock()
	now := wa.At(m.o.Now())
	seen := [2]int64{l.Counts.Messages, l.Counts.Failed}
	var plan wa.Plan
	if l.Own {
		plan = m.planOf(l)
	}
	names := m.templateNames(&plan)
	m.mu.Unlock()
	young := now - ms(m.o.Thresholds.JudgeAfter)
	judged, err := m.o.Store.Judged(ctx, id, young, cluster.MaxRows)
	if err != nil {
		return err
	}
	// In the order of sending, and not in that of what happened to come in first.
	slices.SortStableFunc(judged, func(a, b store.Judged) int {
		return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.Phone, b.Phone))
	})
	rows := clusterRows(judged, young, &plan, names)
	found := cluster.Find(rows, cluster.Options{Attributes: clusterAttributes(&plan), MinFailures: clustersFrom})
	out := make([]link.Cluster, 0, len(found))
	for i := range found {
		out = append(out, clusterView(&found[i], judged, plan.Campaign != 0))
	}
	m.mu.Lock()
	l.traits = traits{out, now, seen}
	m.mu.Unlock()
	m.wake()
	return nil
}

// templateNames are the names of templates by Meta's id. m.mu is held.
func (m *Monitor) templateNames(plan *wa.Plan) map[int64]wa.Template {
	names := map[int64]wa.Template{}
	for id, t := range m.templates {
		names[id] = wa.Template{Name: t.Name, Language: t.Language}
	}
	if plan.Form.ID != 0 {
		names[plan.Form.ID] = wa.Template{Name: plan.Form.Name, Language: plan.Form.Language}
	}
	return names
}

// Traits that every message may have, before the columns of its list.
const (
	traitCountry  = "country"
	traitTemplate = "template"
	traitLanguage = "language"
	traitNumber   = "number"
	traitCarrier  = "carrier"
	ownTraits     = 5
)

// clusterAttributes are what clusterRows gives of each message.
func clusterAttributes(plan *wa.Plan) []cluster.Attribute {
	all := []cluster.Attribute{
		{Name: traitCountry, Rank: cluster.RankCountry},
		{Name: traitTemplate, Rank: cluster.RankSending},
		{Name: traitLanguage, Rank: cluster.RankSending + 1},
		{Name: traitNumber, Rank: cluster.RankSending},
		{Name: traitCarrier, Rank: cluster.RankLast}, // a prefix that says the same can be set aside
	}
	filled := map[int]bool{}
	for _, column := range plan.Bind {
		filled[column] = true
	}
	for i, name := range plan.Columns {
		all = append(all, cluster.Attribute{Name: name, Rank: cluster.RankColumn, Empty: true, Words: filled[i]})
	}
	return all
}

// clusterRows are messages as the search takes them. Those whose clock is younger
// than young are there for having failed: no moments are compared by them.
func clusterRows(judged []store.Judged, young wa.Instant, plan *wa.Plan, names map[int64]wa.Template) []cluster.Row {
	rows := make([]cluster.Row, len(judged))
	for i := range judged {
		j := &judged[i]
		values := make([]string, ownTraits, ownTraits+len(plan.Columns))
		if j.Phone != "" {
			values[0], values[4] = list.CountryOf("+"+j.Phone), list.CarrierOf(j.Phone)
		}
		if t, known := names[j.Template]; known {
			values[1], values[2] = t.Name+"/"+t.Language, t.Language
		} else if j.Template != 0 {
			values[1] = strconv.FormatInt(j.Template, 10)
		}
		values[3] = j.Number
		if len(j.Values) > 0 && len(plan.Columns) > 0 {
			var cells []string
			if json.Unmarshal(j.Values, &cells) == nil && len(cells) == len(plan.Columns) {
				for _, cell := range cells {
					values = append(values, listValue(cell))
				}
			}
		}
		rows[i] = cluster.Row{ID: int64(i), Failed: j.Failed, Code: j.Code, Phone: j.Phone, Line: j.Line, Traits: values}
		if j.At < young {
			rows[i].At = int64(j.At)
		}
	}
	return rows
}

// clusterView is a cluster as people see it. Its rows' IDs are indexes of judged.
func clusterView(c *cluster.Cluster, judged []store.Judged, own bool) link.Cluster {
	out := link.Cluster{
		Attribute: wa.Clean(c.Attribute), Value: wa.Clean(c.Value), Code: c.Code, Sent: int64(c.Judged), Failed: int64(c.Failed),
		Lift: c.Lift, PAdjusted: c.PAdjusted, Explains: c.Explains, Sends: c.Sends, MainCode: c.Main,
		Action: clusterAction(c, own), Examples: []link.ClusterExample{},
	}
	for _, i := range c.Examples {
		j := &judged[i]
		out.Examples = append(out.Examples, link.ClusterExample{Phone: wa.MaskPhone(j.Phone), Code: j.Code, SentAt: moment(j.At)})
	}
	return out
}

// clusterAction is the one thing to do about a cluster.
func clusterAction(c *cluster.Cluster, own bool) string {
	switch c.Attribute {
	case traitTemplate, traitLanguage:
		if own {
			return "Look at this template; send the rest with another one."
		}
		return "Look at this template; send with another one."
	case traitNumber:
		return "Look at the standing of this number, and pause it if it goes on."
	case traitCarrier:
		return "Numbers in the range of this carrier fail: it may have trouble. Pause if it goes on, and send the rest later."
	case cluster.AttributeMinute:
		if withheld(c.Main) {
			return "Meta chose not to deliver in that time: no clean-up of the list mends it. Slow down, or send the rest later."
		}
		return "They failed at one time: see whether it goes on, and pause if it does."
	}
	if !own {
		return "Leave these people out where the campaign is sent from, until it is clear why they fail."
	}
	if withheld(c.Main) {
		return "Meta chose not to deliver to them: no clean-up of the list mends that. Send to them later, or set them aside."
	}
	what := "then look at these people in the list."
	switch known := wa.Explain(c.Main, ""); known.Category {
	case wa.CategoryRecipient:
		what = "then have their numbers checked."
	case wa.CategoryMedia, wa.CategoryRequest, wa.CategoryTemplate:
		what = "then look at what the list puts into their message."
	}
	return "Set those that still wait aside, " + what
}

// withheld tells whether Meta chose not to deliver what fails with a code.
func withheld(code int) bool {
	switch wa.Explain(code, "").Category {
	case wa.CategoryEngagement, wa.CategoryExperiment:
		return true
	}
	return false
}

// showClusters searches for whoever owns the clock: at the end of a recording, when
// all of it is on the disk, so that it finds the same each time; before that, for
// people who watch, no more often than clustersEvery of their time.
func (m *Monitor) showClusters(ctx context.Context) {
	m.mu.Lock()
	ended := m.ended
	due := ended || !time.Now().Before(m.clustersDue)
	m.mu.Unlock()
	if !due {
		return
	}
	if ended {
		if err := m.o.Store.Settled(ctx); err != nil {
			return // what else reads the store says so
		}
		m.mu.Lock()
		for _, l := range m.campaigns {
			l.traits = traits{}
		}
		m.mu.Unlock()
	}
	began := time.Now()
	m.findClusters(ctx)
	m.mu.Lock()
	m.clustersDue = time.Now().Add(max(clustersEvery, clustersShare*time.Since(began)))
	m.mu.Unlock()
}

// listValue is a list's cell as it is compared with others.
func listValue(cell string) string { return strings.TrimSpace(cell) }
