package list

import (
	"testing"

	"pgregory.net/rapid"
)

// seen knows the same numbers and lines as a map.
func TestSeenIsASet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, want := newSeen(), map[uint64]int64{}
		number := rapid.Custom(func(t *rapid.T) uint64 {
			if rapid.Bool().Draw(t, "near") {
				return 491510000000 + rapid.Uint64Range(0, 5000).Draw(t, "n")
			}
			return rapid.Uint64Range(1, 999_999_999_999_999).Draw(t, "n")
		})
		for i, n := range rapid.SliceOfN(number, 1, 3000).Draw(t, "numbers") {
			line := int64(i + 2)
			slot, known, same := s.add(n, "as it stands", line)
			before, ok := want[n]
			if known != ok || known && (!same || s.line(slot) != before) {
				t.Fatalf("%d: known %v the same %v line %d, want %v line %d", n, known, same, s.line(slot), ok, before)
			}
			if !ok {
				want[n] = line
			}
		}
		if s.used != len(want) {
			t.Fatalf("%d numbers, want %d", s.used, len(want))
		}
	})
}
