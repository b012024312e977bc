package wa

import (
	"strconv"
	"strings"
)

// Quality is Meta's three-level rating of a number or a template, made of
// blocks, reports and reads. Open: another value is shown as it came.
type Quality string

// The ratings that Meta documents.
const (
	QualityGreen   Quality = "GREEN"
	QualityYellow  Quality = "YELLOW"
	QualityRed     Quality = "RED"
	QualityUnknown Quality = "UNKNOWN"
)

// Limit is a messaging limit as Meta names it, "TIER_10K": how many people a
// business portfolio may reach outside of open conversations in 24 hours.
type Limit string

// ParseLimit takes a limit as text ("TIER_2K", "2000") or as a number that was
// printed, and gives it the tier's name where Meta has one. An empty text is no limit.
func ParseLimit(s string) Limit {
	switch s {
	case "50", "250":
		return Limit("TIER_" + s)
	case "1000", "2000", "10000", "100000":
		return Limit("TIER_" + strings.TrimSuffix(s, "000") + "K")
	case "-1", "UNLIMITED":
		return "TIER_UNLIMITED"
	}
	return Limit(s)
}

// Below tells whether a limit is a lower one than another. What is not known or set
// is neither lower nor higher.
func (l Limit) Below(other Limit) bool {
	rank := func(l Limit) int {
		if l == "TIER_UNLIMITED" {
			return 1 << 30
		}
		n, _ := l.People()
		return n
	}
	a, b := rank(l), rank(other)
	return a > 0 && b > 0 && a < b
}

// Next is the limit that follows a limit (whatsapp.md §4); "" where none does.
func (l Limit) Next() Limit {
	switch l {
	case "TIER_50", "TIER_250", "TIER_1K":
		return "TIER_2K"
	case "TIER_2K":
		return "TIER_10K"
	case "TIER_10K":
		return "TIER_100K"
	case "TIER_100K":
		return "TIER_UNLIMITED"
	}
	return ""
}

// People is the limit as a count of people in 24 hours; false where it is
// unlimited, not set, or no tier that we know.
func (l Limit) People() (int, bool) {
	s, ok := strings.CutPrefix(string(l), "TIER_")
	if !ok {
		return 0, false
	}
	factor := 1
	if k, ok := strings.CutSuffix(s, "K"); ok {
		s, factor = k, 1000
	}
	n, err := strconv.Atoi(s)
	if err != nil || n <= 0 || n > 1_000_000 {
		return 0, false
	}
	return n * factor, true
}
