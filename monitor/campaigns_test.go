package monitor

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"tickwatch/monitor/link"
	"tickwatch/store"
	"tickwatch/wa"
	"tickwatch/wa/webhook"
)

// Courses are read from the store while it commits, because nobody knew them or
// because their start moved. No commit is lost on the way, and none counts
// twice: the figures are those of a monitor that reads everything afterwards.
func TestCoursesAreReadBetweenCommits(t *testing.T) {
	const campaigns, posters, posts = 15, 4, 12
	now := time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	s, err := store.Open(context.Background(), store.Options{Dir: filepath.Join(t.TempDir(), "data"), Now: clock, Decode: webhook.Decode})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	thresholds := DefaultThresholds()
	thresholds.MinMessages = 1
	open := func() *Monitor {
		m, err := New(context.Background(), Options{Store: s, Now: clock, Thresholds: thresholds, Publish: func(*link.Snapshot) {}})
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	shown := func(m *Monitor) *link.Snapshot {
		snapshot, err := m.status(context.Background(), link.StatusArgs{})
		if err != nil {
			t.Fatal(err)
		}
		return snapshot
	}
	m := open()
	ctx, cancel := context.WithCancel(context.Background())
	var others sync.WaitGroup
	others.Go(func() {
		for ctx.Err() == nil {
			m.publish(ctx)
		}
	})
	others.Go(func() {
		for ctx.Err() == nil {
			shown(m)
		}
	})
	for c := range campaigns {
		var senders sync.WaitGroup
		for p := range posters {
			senders.Go(func() {
				dice := rand.New(rand.NewPCG(uint64(c), uint64(p)))
				for n := range posts {
					post := &wa.Post{Source: "meta", ReceivedAt: wa.At(now), Body: []byte("{}")}
					for k := range 5 {
						earliest := now.Add(-time.Duration(20+min(n, 3)*5) * time.Minute) // the start moves back, and stays
						post.Statuses = append(post.Statuses, wa.StatusUpdate{
							Sender: wa.Sender{NumberID: "500"}, MessageID: fmt.Sprint("wamid.", c, ".", p, ".", n, ".", k), Status: wa.StatusDelivered,
							At: wa.At(earliest.Add(time.Duration(dice.IntN(600)) * time.Second)), CallbackData: fmt.Sprintf("campaign%d:", c),
						})
					}
					if err := s.Ingest(context.Background(), post); err != nil {
						t.Error(err)
					}
				}
			})
		}
		senders.Wait()
	}
	cancel()
	others.Wait()
	got := shown(m)
	want := shown(open())
	if diff := cmp.Diff(want.Campaigns, got.Campaigns, cmpopts.IgnoreFields(link.First30{}, "Verdict", "Reason")); diff != "" {
		t.Errorf("figures differ from those read afterwards (-afterwards +shown):\n%s", diff)
	}
}
