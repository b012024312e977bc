package wa

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestBelieve(t *testing.T) {
	now := At(time.Date(2026, 11, 20, 8, 0, 0, 0, time.UTC))
	before := func(d time.Duration) Instant { return now - Instant(d.Milliseconds()) }
	for _, c := range []struct {
		name       string
		said, want Instant
	}{
		{"now", now, now},
		{"a second ago", before(time.Second), before(time.Second)},
		{"retried for a week", before(7 * 24 * time.Hour), before(7 * 24 * time.Hour)},
		{"as old as can be", before(OldestBelieved), before(OldestBelieved)},
		{"older", before(OldestBelieved) - 1, now},
		{"1970", 1, now},
		{"absent", 0, now},
		{"negative", -now, now},
		{"most negative", math.MinInt64, now},
		{"a millisecond ahead", now + 1, now},
		{"milliseconds read as seconds", now * 1000, now},
		{"largest", math.MaxInt64, now},
	} {
		if got := Believe(c.said, now); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got.Time(), c.want.Time())
		}
	}
}

func TestBelieveNeverLeavesTheWindow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		received := Instant(rapid.Int64Min(1).Draw(t, "received"))
		got := Believe(Instant(rapid.Int64().Draw(t, "said")), received)
		if got <= 0 || got > received || received-got > Instant(OldestBelieved.Milliseconds()) {
			t.Fatalf("believed %d, received at %d", got, received)
		}
		if again := Believe(got, received); again != got {
			t.Fatalf("believed %d, then %d", got, again)
		}
	})
}

func TestInstant(t *testing.T) {
	at := time.Date(2026, 11, 20, 8, 0, 1, 234_567_890, time.FixedZone("", 3600))
	i := At(at)
	if !i.Time().Equal(at.Truncate(time.Millisecond)) || i.Time().Location() != time.UTC {
		t.Errorf("%v became %v", at, i.Time())
	}
	if i.Second() != at.Unix() || (i+1500).Sub(i) != 1500*time.Millisecond {
		t.Errorf("second %d, difference %v", i.Second(), (i + 1500).Sub(i))
	}
	if At(time.Time{}) != 0 || !Instant(0).Time().IsZero() {
		t.Error("the unknown moment does not stay unknown")
	}
}

func TestPostUpdates(t *testing.T) {
	p := Post{
		Statuses: make([]StatusUpdate, 1), Inbound: make([]InboundMessage, 2), Preferences: make([]Preference, 4), Templates: make([]TemplateUpdate, 8),
		Numbers: make([]NumberUpdate, 16), Accounts: make([]AccountUpdate, 32), Faults: make([]Fault, 64), NotUnderstood: 128,
	}
	if p.Updates() != 127 {
		t.Errorf("%d updates, want 127", p.Updates())
	}
}
