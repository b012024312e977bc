package store

import (
	"fmt"
	"testing"

	"tickwatch/wa"
)

// News of our own messages finds them by our id in the callback data, whether
// the wamid was known or not, and whatever another store's ids look like.
func TestOwnMessages(t *testing.T) {
	s := open(t, t.TempDir())
	var batch []Handover
	for i := range 3 {
		batch = append(batch, Handover{Person: wa.Person{Phone: fmt.Sprint("35190000001", i)}, At: at(int64(i))})
	}
	batch[0].WAMID = "wamid.1"
	first, err := s.HandOver(t.Context(), "autumn", sender, batch)
	if err != nil {
		t.Fatal(err)
	}
	own := func(i int64, id string, st wa.Status, store string) wa.StatusUpdate {
		u := status(id, st, at(10+i), wa.OwnData("autumn", store, first+i))
		u.Phone = fmt.Sprint("35190000001", i)
		return u
	}
	ingest(t, s,
		statuses(own(0, "1", wa.StatusSent, s.Name()), own(1, "2", wa.StatusDelivered, s.Name())),
		statuses(own(1, "2", wa.StatusRead, s.Name())),
		statuses(own(1, "9", wa.StatusDelivered, s.Name())),  // another message under the same id: not this one
		statuses(own(2, "3", wa.StatusDelivered, "another")), // not our id
	)
	if c := campaigns(t, s)["autumn"].Counts; c != (Counts{Messages: 5, Sent: 4, Delivered: 3, Read: 1}) {
		t.Errorf("%+v", c)
	}
	_ = s.Close()
	s = open(t, s.dir)
	ingest(t, s, statuses(status("2", wa.StatusPlayed, at(30), "")), statuses(own(2, "4", wa.StatusFailed, s.Name())))
	if c := campaigns(t, s)["autumn"].Counts; c != (Counts{Messages: 5, Sent: 4, Delivered: 3, Read: 1, Failed: 1}) {
		t.Errorf("after a restart: %+v", c)
	}
	if p := find(t, s, "wamid.4"); len(p.Messages) != 1 || p.Messages[0].ID != first+2 || p.Messages[0].Progress.Clock() != at(2) {
		t.Errorf("found by a wamid that a status told: %+v", p)
	}
	checkBooks(t, s)
}
