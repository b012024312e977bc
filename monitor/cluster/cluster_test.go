package cluster_test

import (
	"fmt"
	"strings"
	"testing"

	"tickwatch/monitor/cluster"
)

func hasPrefix(prefix string) func(*cluster.Row) bool {
	return func(r *cluster.Row) bool { return strings.HasPrefix(r.Phone, prefix) }
}

// The figures are counted again by other means.
func TestFiguresOfACluster(t *testing.T) {
	w := newWorld(3, 4000, false)
	n := w.plant(0.6, 131026, hasPrefix("22507"))
	w.noise(60, 1)
	found := find(w)
	if len(found) == 0 {
		t.Fatal("nothing found")
	}
	c := found[0]
	judged, failed, all := 0, 0, 0
	examples := map[int64]bool{}
	for i := range w.rows {
		r := &w.rows[i]
		if r.Failed {
			all++
		}
		if hasPrefix("22507")(r) {
			judged++
			if r.Failed && (c.Code == 0 || r.Code == c.Code) {
				failed++
				examples[r.ID] = true
			}
		}
	}
	if c.Value != "22507" || c.Judged != judged || c.Failed != failed || c.Main != 131026 || failed < n {
		t.Errorf("got %+v; %d judged, %d failed", c, judged, failed)
	}
	if got, want := c.Explains, float64(failed)/float64(all); got != want {
		t.Errorf("explains %g, not %g", got, want)
	}
	if len(c.Examples) != 5 {
		t.Errorf("%d examples", len(c.Examples))
	}
	for _, id := range c.Examples {
		if !examples[id] {
			t.Errorf("example %d did not fail with it", id)
		}
	}
}

// A country, its prefix and a city with the same people are one cluster: the country.
func TestSameFailuresAreNamedOnce(t *testing.T) {
	w := newWorld(4, 4000, false)
	for i := range w.rows {
		if hasPrefix("225")(&w.rows[i]) {
			w.rows[i].Traits[3] = "Abidjan"
		} else if w.rows[i].Traits[3] == "Abidjan" {
			w.rows[i].Traits[3] = "Porto"
		}
	}
	w.plant(0.5, 131026, hasPrefix("225"))
	w.noise(50, 1)
	found := find(w)
	if len(found) != 1 || found[0].Attribute != "country" || found[0].Value != "CI" {
		t.Errorf("got %+v", found)
	}
}

// Of two causes both are named, the larger first.
func TestTwoCauses(t *testing.T) {
	w := newWorld(5, 8000, false)
	w.plant(0.7, 131026, hasPrefix("22507"))
	w.plant(0.3, 131053, func(r *cluster.Row) bool { return r.Traits[2] == "222" && !hasPrefix("225")(r) })
	w.noise(100, 1)
	names := map[string]bool{}
	for _, c := range find(w) {
		names[c.Attribute+"="+c.Value] = true
	}
	if !names["prefix=22507"] || !names["number=222"] {
		t.Errorf("got %v", names)
	}
}

// One short trouble is no trait of the moment at which it happened.
func TestOneRunProvesNothing(t *testing.T) {
	w := newWorld(6, 4000, true)
	for i := 1000; i < 1020; i++ {
		w.fail(i, 131000)
	}
	w.noise(20, 1)
	if found := find(w); len(found) > 0 {
		t.Errorf("got %+v", found)
	}
}

// The same rows in whatever memory give the same clusters, and only the newest count.
func TestNewestRowsOnly(t *testing.T) {
	w := newWorld(7, cluster.MaxRows+5000, false)
	for i := range 5000 { // long ago
		if hasPrefix("22507")(&w.rows[i]) {
			w.fail(i, 131026)
		}
	}
	w.noise(300, 1)
	for i := range 5000 {
		w.rows[i].Failed = w.rows[i].Failed || hasPrefix("22507")(&w.rows[i])
	}
	if found := find(w); len(found) > 0 {
		t.Errorf("what is over is named: %+v", found)
	}
}

func TestFewFailuresAreNotLookedAt(t *testing.T) {
	w := newWorld(8, 4000, false)
	n := 0
	w.plant(1, 131026, func(r *cluster.Row) bool { n++; return hasPrefix("22507")(r) && n < 500 })
	failed := 0
	for i := range w.rows {
		if w.rows[i].Failed {
			if failed++; failed >= 20 {
				w.rows[i].Failed = false
			}
		}
	}
	if found := find(w); len(found) > 0 {
		t.Errorf("got %+v", found)
	}
}

// A number that is another's beginning, and one that is written to again and again,
// as a test phone is, do no harm; no prefix names a whole number.
func TestNumbersOfSeveralLengths(t *testing.T) {
	for _, numbers := range [][2]string{{"4930123456", "493012345612"}, {"221771234567", "221771234568"}, {"4930123", "49301234"}} {
		var rows []cluster.Row
		for i := range 2000 {
			row := cluster.Row{ID: int64(i), Phone: fmt.Sprintf("3519%08d", i*7919%100_000_000), At: int64(i+1) * 50}
			if i%25 == 0 {
				row.Phone, row.Failed, row.Code = numbers[0], true, 131026
			}
			if i == 99 {
				row.Phone = numbers[1]
			}
			rows = append(rows, row)
		}
		for _, c := range cluster.Find(rows, cluster.Options{}) {
			if c.Attribute == cluster.AttributePrefix && len(c.Value) > len(numbers[0])-4 {
				t.Errorf("%v: prefix %s names a person", numbers, c.Value)
			}
		}
	}
}

// Failures that are all too young to have a moment have a cause, too.
func TestYoungFailuresHaveACause(t *testing.T) {
	var rows []cluster.Row
	for i := range 2000 {
		row := cluster.Row{ID: int64(i), At: int64(i+1) * 50, Traits: []string{"PT"}}
		if i >= 1880 {
			row.At, row.Failed, row.Code, row.Traits = 0, true, 131026, []string{"SN"}
		}
		rows = append(rows, row)
	}
	found := cluster.Find(rows, cluster.Options{Attributes: []cluster.Attribute{{Name: "country"}}})
	if len(found) == 0 || found[0].Value != "SN" {
		t.Errorf("%+v", found)
	}
}
