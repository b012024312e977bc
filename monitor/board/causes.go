package board

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"tickwatch/monitor/cluster"
)

// CauseRow is how often the search for causes named what was planted first, or, where
// nothing was, named nothing.
type CauseRow struct {
	Name  string  `json:"name"`
	Seeds int     `json:"seeds"`
	Right float64 `json:"right"`
}

// planted is a cause: belongs tells whose messages fail for it, named which cluster names it.
type planted struct {
	name    string
	fail    float64 // share of those who belong
	belongs func(*cluster.Row) bool
	named   func(*cluster.Cluster) bool
	run     int // the other failures come in runs of so many
}

const (
	causeMessages = 6000
	blockFrom     = 2000 // of the list
	blockTo       = 2499
)

var causeCities = []string{"Lisboa", "Porto", "Berlin", "Abidjan", "Faro", "Recife"}

func plantedCauses() []planted {
	lines := func(c *cluster.Cluster) bool {
		return c.Attribute == cluster.AttributeLines && min(c.To, blockTo)-max(c.From, blockFrom) > 350
	}
	return []planted{
		{
			"one prefix fails", 0.9, func(r *cluster.Row) bool { return strings.HasPrefix(r.Phone, "22507") },
			func(c *cluster.Cluster) bool { return c.Attribute == cluster.AttributePrefix && c.Value == "22507" }, 1,
		},
		{
			"one prefix fails, other failures in runs of 12", 0.9, func(r *cluster.Row) bool { return strings.HasPrefix(r.Phone, "22507") },
			func(c *cluster.Cluster) bool { return c.Attribute == cluster.AttributePrefix && c.Value == "22507" }, 12,
		},
		{
			"one city of the list fails", 0.6, func(r *cluster.Row) bool { return r.Traits[1] == "Faro" },
			func(c *cluster.Cluster) bool { return c.Attribute == "city" && c.Value == "Faro" }, 1,
		},
		{"500 rows of the list fail", 0.6, func(r *cluster.Row) bool { return r.Line >= blockFrom && r.Line <= blockTo }, lines, 1},
		{"no cause: failures of each for itself", 0, nil, nil, 1},
		{"no cause: failures in runs of 12", 0, nil, nil, 12},
		{"no cause: failures in runs of 30", 0, nil, nil, 30},
	}
}

var causeAttributes = []cluster.Attribute{
	{Name: "country", Rank: cluster.RankCountry},
	{Name: "city", Rank: cluster.RankColumn, Empty: true},
	{Name: "segment", Rank: cluster.RankColumn, Empty: true},
	{Name: "first_name", Rank: cluster.RankColumn, Words: true},
}

// Causes plants causes that explain half of the failures or more.
func Causes(seeds int, seed uint64) []CauseRow {
	var out []CauseRow
	for _, p := range plantedCauses() {
		row := CauseRow{Name: p.name, Seeds: seeds}
		for n := range seeds {
			found := cluster.Find(p.rows(rand.New(rand.NewPCG(seed, uint64(n)))), cluster.Options{Attributes: causeAttributes})
			if p.named == nil && len(found) == 0 || p.named != nil && len(found) > 0 && p.named(&found[0]) {
				row.Right++
			}
		}
		row.Right /= float64(seeds)
		out = append(out, row)
	}
	return out
}

// rows draws a campaign. As many fail without the cause as with it, or fewer.
func (p *planted) rows(r *rand.Rand) []cluster.Row {
	lines := r.Perm(causeMessages)
	rows := make([]cluster.Row, causeMessages)
	for i := range rows {
		country, code := "PT", "3519"+fmt.Sprint(1+r.IntN(4))
		if r.Float64() < 0.2 {
			country, code = "CI", "225"+[...]string{"01", "05", "07"}[r.IntN(3)]
		}
		rows[i] = cluster.Row{
			ID: int64(i + 1), Phone: fmt.Sprintf("%s%07d", code, r.IntN(10_000_000)), At: day*1000 + int64(i)*1000/perSecond, Line: int64(lines[i] + 2),
			Traits: []string{country, causeCities[r.IntN(len(causeCities))], [...]string{"new", "old", "vip"}[r.IntN(3)], fmt.Sprintf("Name%d", r.IntN(400))},
		}
	}
	failed := 0
	if p.belongs != nil {
		for i := range rows {
			if p.belongs(&rows[i]) && r.Float64() < p.fail {
				rows[i].Failed, rows[i].Code = true, 131026
				failed++
			}
		}
	} else {
		failed = causeMessages / 20
	}
	for left := failed; left > 0; {
		at, code := r.IntN(causeMessages), [...]int{131026, 131049, 131053}[r.IntN(3)]
		for i := at; i < min(at+p.run, causeMessages) && left > 0; i++ {
			if !rows[i].Failed {
				rows[i].Failed, rows[i].Code = true, code
				left--
			}
		}
	}
	return slices.Clip(rows)
}
