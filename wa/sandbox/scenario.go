package sandbox

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"tickwatch/wa"
)

// Scenario is one course that the campaign can take.
type Scenario struct {
	Name string
	Text string // one sentence: what is injected, and what the screen should show of it

	phases []phase // the last that applies to a message wins; none: the healthy odds
	news   []news  // what Meta tells of the account as time goes by
}

// phase is how a part of the campaign fares. Nothing in it depends on chance:
// the odds are drawn per person.
type phase struct {
	from   time.Duration // applies to messages sent this long after the start, and later
	prefix string        // applies to numbers that begin with these digits; "" to all
	fail   []odds        // nil leaves the healthy odds
	optOut float64       // share of the people reached who opt out; 0 leaves the healthy share
}

// odds is the share of messages that fail with an error code.
type odds struct {
	code  int
	share float64
}

// news is a change of the account. Empty fields do not change.
type news struct {
	after           time.Duration
	templateStatus  string     // told by webhook
	templateQuality wa.Quality // told by webhook
	numberQuality   wa.Quality // never told: whoever wants to know must ask the Graph API (whatsapp.md §2.7)
	numberEvent     string     // told by webhook, for each number, with its limit
}

// A healthy campaign: about 97 in 100 of the decided messages arrive.
var healthyFailures = []odds{
	{131026, 0.0135}, {131049, 0.0090}, {130472, 0.0040}, {131053, 0.0020}, {131050, 0.0006},
}

const healthyOptOuts = 0.0004

// badBlock is the block of numbers that the one-prefix scenario spoils; about
// nine in a hundred people of the list have such a number.
const badBlock = "22507"

var scenarios = []Scenario{
	{
		Name: "healthy",
		Text: "Nothing is injected: about 97 % arrive and a few fail for everyday reasons; Delivered stays OK and no alarm is raised.",
	},
	{
		Name: "cliff",
		Text: "From minute 4 only about 60 % arrive, the rest fails with 131049 and 131026, and the template turns YELLOW at minute 8 and RED at 14; " +
			"Delivered falls to ACT, Errors names both codes, Quality follows.",
		phases: []phase{{
			from: 4 * time.Minute,
			fail: []odds{{131049, 0.22}, {131026, 0.14}, {130472, 0.025}, {131053, 0.01}, {131050, 0.005}},
		}},
		news: []news{
			{after: 8 * time.Minute, templateQuality: wa.QualityYellow},
			{after: 11 * time.Minute, numberQuality: wa.QualityYellow},
			{after: 14 * time.Minute, templateQuality: wa.QualityRed},
		},
	},
	{
		Name: "one-prefix",
		Text: "Numbers in Côte d'Ivoire that begin with 225 07 are a dead block of the list and fail with 131026, the rest is healthy; " +
			"Delivered falls below 95 % and Errors shows 131026 far ahead.",
		phases: []phase{{
			prefix: badBlock,
			fail:   []odds{{131026, 0.94}, {131049, 0.004}},
		}},
	},
	{
		Name: "optouts",
		Text: "From minute 3 more than 1 % of the people reached opt out, by reply, by button and in WhatsApp's own settings, and the template turns YELLOW at minute 9; " +
			"Reports goes to ACT while Delivered stays OK.",
		phases: []phase{{from: 3 * time.Minute, optOut: 0.025}},
		news:   []news{{after: 9 * time.Minute, templateQuality: wa.QualityYellow}},
	},
}

// Scenarios lists what can be played, the healthy campaign first.
func Scenarios() []Scenario { return slices.Clone(scenarios) }

func scenarioNamed(name string) (Scenario, error) {
	if name == "" {
		return scenarios[0], nil
	}
	var known []string
	for _, s := range scenarios {
		if s.Name == name {
			return s, nil
		}
		known = append(known, s.Name)
	}
	return Scenario{}, fmt.Errorf("sandbox: there is no scenario %q; choose one of: %s", name, strings.Join(known, ", "))
}

// at is what holds for a message to this number, sent this long after the start.
func (s Scenario) at(moment time.Duration, phone string) phase {
	now := phase{fail: healthyFailures, optOut: healthyOptOuts}
	for _, p := range s.phases {
		if moment < p.from || !strings.HasPrefix(phone, p.prefix) {
			continue
		}
		if p.fail != nil {
			now.fail = p.fail
		}
		if p.optOut != 0 {
			now.optOut = p.optOut
		}
	}
	return now
}
