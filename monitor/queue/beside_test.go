package queue_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"tickwatch/monitor/queue"
	"tickwatch/wa"
)

// A message by another channel passes the gates of everything, of its channel and
// of its campaign, and no other; those that have passed are told of by a pause.
func TestCrossing(t *testing.T) {
	q, err := queue.New(context.Background(), queue.Options{Store: newMemory(t), Sender: &meta{}})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		scope, id string
		bars      bool
	}{
		{"all", "", true},
		{"channel", wa.ChannelSMS, true},
		{"campaign", "autumn", true},
		{"channel", wa.ChannelWhatsApp, false},
		{"channel", wa.ChannelVoice, false},
		{"campaign", "winter", false},
		{"number", "1001", false},
	} {
		open := q.Crossing(wa.ChannelSMS, "autumn")
		if err := open.Begin(); err != nil {
			t.Fatalf("before %s %s is closed: %v", c.scope, c.id, err)
		}
		if err := open.Begin(); err == nil {
			t.Error("one message begins twice")
		}
		late := q.Crossing(wa.ChannelSMS, "autumn")
		r, err := q.Pause(context.Background(), c.scope, c.id, "anna", "")
		if err != nil {
			t.Fatal(err)
		}
		if want := map[bool]int{true: 1}[c.bars]; r.Beside != want || r.Open != 0 {
			t.Errorf("%s %s: %d are on their way, and %d to Meta, want %d", c.scope, c.id, r.Beside, r.Open, want)
		}
		if err := late.Begin(); errors.Is(err, wa.ErrGateClosed) != c.bars {
			t.Errorf("%s %s is closed: %v", c.scope, c.id, err)
		}
		if bars := late.Barred() != ""; bars != c.bars {
			t.Errorf("%s %s is closed: %q", c.scope, c.id, late.Barred())
		}
		late.Over()
		open.Over()
		open.Over()
		if _, err := q.Resume(context.Background(), c.scope, c.id, "anna", time.Time{}); err != nil {
			t.Fatal(err)
		}
	}
	r, err := q.Pause(context.Background(), "all", "", "anna", "")
	if err != nil || r.Beside != 0 {
		t.Errorf("in the end %d are on their way (%v)", r.Beside, err)
	}
}
