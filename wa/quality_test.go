package wa

import "testing"

func TestParseLimit(t *testing.T) {
	for _, c := range []struct {
		in     string
		want   Limit
		people int // 0 = no number of people
	}{
		{"TIER_50", "TIER_50", 50},
		{"TIER_250", "TIER_250", 250},
		{"TIER_1K", "TIER_1K", 1000},
		{"TIER_2K", "TIER_2K", 2000},
		{"TIER_10K", "TIER_10K", 10_000},
		{"TIER_100K", "TIER_100K", 100_000},
		{"50", "TIER_50", 50},
		{"250", "TIER_250", 250},
		{"1000", "TIER_1K", 1000},
		{"2000", "TIER_2K", 2000},
		{"10000", "TIER_10K", 10_000},
		{"100000", "TIER_100K", 100_000},
		{"-1", "TIER_UNLIMITED", 0},
		{"UNLIMITED", "TIER_UNLIMITED", 0},
		{"TIER_UNLIMITED", "TIER_UNLIMITED", 0},
		{"TIER_NOT_SET", "TIER_NOT_SET", 0},
		{"", "", 0},
		{"TIER_NEW", "TIER_NEW", 0},
		{"TIER_", "TIER_", 0},
		{"TIER_K", "TIER_K", 0},
		{"TIER_0", "TIER_0", 0},
		{"TIER_-5K", "TIER_-5K", 0},
		{"TIER_99999999999999999999", "TIER_99999999999999999999", 0},
		{"777", "777", 0},
	} {
		got := ParseLimit(c.in)
		people, ok := got.People()
		if got != c.want || people != c.people || ok != (c.people > 0) {
			t.Errorf("ParseLimit(%q) = %q with %d people (%v), want %q with %d", c.in, got, people, ok, c.want, c.people)
		}
	}
}
