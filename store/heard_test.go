package store

import (
	"fmt"
	"testing"

	"tickwatch/wa"
)

// What commits tell of what is heard adds up to what is: each of our own messages
// once, by the second in which Meta took it, whatever comes of it and how often.
func TestHeard(t *testing.T) {
	s := open(t, t.TempDir())
	sums := map[int64]Heard{}
	s.OnCommit(func(c *Change) {
		for _, cc := range c.Campaigns {
			for at, d := range cc.Heard {
				h := sums[at]
				h.Taken += d.Taken
				h.Heard += d.Heard
				sums[at] = h
			}
		}
	})
	var batch []Handover
	for i := range 4 {
		batch = append(batch, Handover{Person: wa.Person{Phone: fmt.Sprint("35190000001", i)}, WAMID: fmt.Sprint("wamid.", i), At: at(int64(i / 2))})
	}
	if _, err := s.HandOver(t.Context(), "autumn", sender, batch); err != nil {
		t.Fatal(err)
	}
	ingest(t, s,
		statuses(status("0", wa.StatusSent, at(5), ""), status("0", wa.StatusDelivered, at(6), "")),
		statuses(status("0", wa.StatusSent, at(5), "")), // again
		statuses(status("2", wa.StatusFailed, at(7), "")),
		statuses(status("2", wa.StatusDelivered, at(8), ""), status("stranger", wa.StatusSent, at(8), "another:1")),
	)
	first, second := at(0).Second(), at(1).Second()
	if sums[first] != (Heard{2, 1}) || sums[second] != (Heard{2, 1}) {
		t.Errorf("%v, of %d and %d", sums, first, second)
	}
	for second, h := range sums {
		if h.Taken == 0 && h.Heard != 0 {
			t.Errorf("something is heard of nothing that we handed over at %d: %+v", second, h)
		}
	}
}
