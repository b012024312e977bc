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
