package wa

import (
	"testing"

	"pgregory.net/rapid"
)

type report struct {
	status Status
	at     Instant
	code   int
}

func reports(atLeast int) *rapid.Generator[[]report] {
	one := rapid.Custom(func(t *rapid.T) report {
		r := report{
			status: rapid.SampledFrom([]Status{StatusSent, StatusDelivered, StatusRead, StatusPlayed, StatusFailed}).Draw(t, "status"),
			at:     Instant(rapid.Int64Range(0, 6).Draw(t, "at") * 1000), // few moments: ties are common; 0 = not known
		}
		if r.status == StatusFailed {
			r.code = rapid.SampledFrom([]int{0, 131026, 131049, 131050}).Draw(t, "code")
		}
		return r
	})
	return rapid.SliceOfN(one, atLeast, 12)
}

func climbAll(rs []report) Progress {
	var p Progress
	for _, r := range rs {
		p, _ = p.Climb(r.status, r.at, r.code)
	}
	return p
}

// TestProgressAnyOrder: whatever the order and however often the same reports
// come, the same is known of the message in the end.
func TestProgressAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rs := reports(0).Draw(t, "reports")
		repeated := append([]report{}, rs...)
		if len(rs) > 0 {
			repeated = append(repeated, rapid.SliceOfN(rapid.SampledFrom(rs), 0, 8).Draw(t, "repetitions")...)
		}
		shuffled := rapid.Permutation(repeated).Draw(t, "order")
		if a, b := climbAll(rs), climbAll(shuffled); a != b || a.State() != b.State() {
			t.Fatalf("%+v\nin another order with repetitions\n%+v", a, b)
		}
	})
}

// TestProgressRecount: Progress says what a plain look at all reports says.
func TestProgressRecount(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rs := reports(1).Draw(t, "reports")
		var p Progress
		seen := map[Status]bool{}
		for _, r := range rs {
			next, fresh := p.Climb(r.status, r.at, r.code)
			if fresh == seen[r.status] {
				t.Fatalf("%v is fresh: %v, after %v", r.status, fresh, seen)
			}
			if p.State() == StateDelivered && next.State() != StateDelivered {
				t.Fatalf("a delivered message fell to %v by %v", next.State(), r.status)
			}
			seen[r.status], p = true, next
		}

		want := StateInFlight
		switch {
		case seen[StatusDelivered] || seen[StatusRead] || seen[StatusPlayed]:
			want = StateDelivered
		case seen[StatusFailed]:
			want = StateFailed
		}
		if p.State() != want {
			t.Fatalf("state %v, want %v from %v", p.State(), want, rs)
		}
		first := func(of ...Status) (at Instant) {
			for _, r := range rs {
				for _, s := range of {
					if r.status == s && r.at != 0 && (at == 0 || r.at < at) {
						at = r.at
					}
				}
			}
			return at
		}
		clock := first(StatusSent)
		if clock == 0 {
			clock = first(StatusDelivered, StatusRead, StatusPlayed, StatusFailed)
		}
		if p.Clock() != clock {
			t.Fatalf("clock %d, want %d from %v", p.Clock(), clock, rs)
		}
		if arrived := first(StatusDelivered, StatusRead, StatusPlayed); p.ArrivedAt() != arrived {
			t.Fatalf("arrived at %d, want %d from %v", p.ArrivedAt(), arrived, rs)
		}
	})
}

func TestProgressLastCode(t *testing.T) {
	p := climbAll([]report{{StatusFailed, 5000, 131049}, {StatusFailed, 3000, 131026}, {StatusFailed, 5000, 131047}})
	if p.Code != 131049 || p.FailedAt != 3000 || p.CodeAt != 5000 {
		t.Errorf("want the last failure's code, and of two in one second the larger: %+v", p)
	}
}

func TestStatusNames(t *testing.T) {
	for s := StatusSent; s <= StatusFailed; s++ {
		if got, ok := ParseStatus(s.String()); !ok || got != s {
			t.Errorf("%v reads back as %v, %v", s, got, ok)
		}
	}
	for _, s := range []string{"", "unknown", "SENT", "warning", "deleted"} {
		if got, ok := ParseStatus(s); ok {
			t.Errorf("%q was taken for %v", s, got)
		}
	}
	if Status(0).String() != "" || Status(200).String() != "unknown" {
		t.Errorf("no status is %q, a foreign one %q", Status(0), Status(200))
	}
}
