package monitor

import (
	"context"
	"fmt"
	"testing"
	"time"

	"tickwatch/monitor/link"
	"tickwatch/store"
	"tickwatch/wa"
	"tickwatch/wa/webhook"
)

// benched is a monitor of twenty campaigns in their first half hour, and the
// change that the latest commit made.
func benched(b *testing.B) (*Monitor, *store.Change) {
	b.Helper()
	ctx := context.Background()
	s, err := store.Open(ctx, store.Options{Dir: b.TempDir(), Decode: webhook.Decode})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.Close() })
	m, err := New(ctx, Options{Store: s, Thresholds: DefaultThresholds(), Publish: func(*link.Snapshot) {}})
	if err != nil {
		b.Fatal(err)
	}
	var last *store.Change
	s.OnCommit(func(c *store.Change) { last = c; m.apply(c) })
	number := 0
	post := func(at time.Time, messages int) {
		p := &wa.Post{Source: "meta", ReceivedAt: wa.At(time.Now()), Body: []byte("{}")}
		for range messages {
			number++
			u := wa.StatusUpdate{
				MessageID: fmt.Sprintf("wamid.%08d", number), At: wa.At(at), CallbackData: fmt.Sprintf("autumn-%d:%d", number%link.MaxCampaigns, number),
				Sender: wa.Sender{NumberID: "106540352242922"}, Person: wa.Person{Phone: fmt.Sprintf("351%09d", number)},
			}
			later := u
			u.Status, later.Status, later.At = wa.StatusSent, wa.StatusDelivered, u.At+wa.Instant(number%9000)
			if number%30 == 0 {
				later.Status, later.Code = wa.StatusFailed, []int{131026, 131049, 131053, 130472}[number/30%4]
			}
			p.Statuses = append(p.Statuses, u, later)
		}
		if err := s.Ingest(ctx, p); err != nil {
			b.Fatal(err)
		}
	}
	for minute := range 12 {
		post(time.Now().Add(time.Duration(minute-13)*time.Minute), 600)
	}
	m.Publish(ctx)
	post(time.Now().Add(-time.Minute), 20)
	if len(last.Campaigns) != link.MaxCampaigns {
		b.Fatalf("the change touches %d campaigns", len(last.Campaigns))
	}
	return m, last
}

// BenchmarkApply is how long a commit that touches twenty campaigns holds up the
// store's writer.
func BenchmarkApply(b *testing.B) {
	m, change := benched(b)
	b.ReportAllocs()
	for b.Loop() {
		change.Seq++
		m.apply(change)
	}
}

// BenchmarkPublish is a snapshot of twenty campaigns, judged and drawn up.
func BenchmarkPublish(b *testing.B) {
	m, change := benched(b)
	b.ReportAllocs()
	for b.Loop() {
		change.Seq++
		m.apply(change)
		m.Publish(b.Context())
	}
}

// BenchmarkTotals is what a scrape of the metrics asks the monitor for.
func BenchmarkTotals(b *testing.B) {
	m, _ := benched(b)
	b.ReportAllocs()
	for b.Loop() {
		m.Totals()
	}
}
