package store

import (
	"fmt"
	"testing"

	"tickwatch/wa"
)

// A declared campaign takes its number's messages that name no other, from its
// start on, those that have come already too; only to its list if it has one; and
// ends with silence. Others stay where they are.
func TestWatch(t *testing.T) {
	s := open(t, t.TempDir())
	hours := int64(3600)
	sent := func(id string, at wa.Instant, key string) *wa.Post {
		return statuses(status(id, wa.StatusSent, at, key))
	}
	ingest(t, s,
		sent("1", at(-200), ""), sent("2", at(100), ""), sent("3", at(120), ""), sent("4", at(130), "autumn:1"), sent("5", at(130), "autumn:2"),
		statuses(status("3", wa.StatusDelivered, at(125), "")),
	)
	c, err := s.Watch(t.Context(), Watch{Number: sender.NumberID, Name: "Spring list", Template: "spring", Started: at(0)})
	if err != nil || c.Key != "spring-list" || !c.Watched || c.Template != "spring" || c.Counts.Messages != 2 || c.Counts.Delivered != 1 {
		t.Fatalf("%+v, %v", c, err)
	}
	ingest(t, s, sent("6", at(200), ""), statuses(status("2", wa.StatusDelivered, at(210), "")))
	other := sender
	other.NumberID, other.Display = "500100200300409", "4915550009"
	u := status("7", wa.StatusSent, at(220), "")
	u.Sender = other
	ingest(t, s, statuses(u))
	listed, err := s.Watch(t.Context(), Watch{Number: sender.NumberID, Name: "few", Started: at(300), Phones: []string{"+351900000008"}})
	if err != nil || listed.Counts.Messages != 0 {
		t.Fatalf("%+v, %v", listed, err)
	}
	ingest(t, s, sent("8", at(310), ""), sent("9", at(311), ""))
	for range 2 {
		all := campaigns(t, s)
		for key, want := range map[string]int64{"spring-list": 4, "few": 1, "autumn": 2} {
			if got := all[key].Counts.Messages; got != want {
				t.Errorf("%s has %d messages, want %d", key, got, want)
			}
		}
		checkBooks(t, s)
		_ = s.Close()
		s = open(t, s.dir)
	}
	ingest(t, s, &wa.Post{ReceivedAt: received + wa.Instant(5*hours*1000), Statuses: []wa.StatusUpdate{status("10", wa.StatusSent, at(300+4*hours), "")}})
	if all := campaigns(t, s); all["spring-list"].Counts.Messages != 4 || len(all) != 6 {
		t.Errorf("after hours of silence: %d in %d campaigns", all["spring-list"].Counts.Messages, len(all))
	}
	// A key that comes later is stronger.
	ingest(t, s, statuses(status("6", wa.StatusRead, at(400), "autumn:9")))
	if all := campaigns(t, s); all["spring-list"].Counts.Messages != 3 || all["autumn"].Counts.Messages != 3 {
		t.Errorf("%+v", fmt.Sprint(all["spring-list"].Counts, all["autumn"].Counts))
	}
	checkBooks(t, s)
}
