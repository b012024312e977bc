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

	// Outside says that it shows how another system sends; only the outside sender
	// can play it.
	Outside bool

	phases []phase // the last that applies to a message wins; none: the healthy odds
	news   []news  // what Meta tells of the account as time goes by

	outage    span // while it lasts no webhook gets through; Meta tries again
	everyMany bool // every update is sent three to five times, over minutes
	burst     int  // the outside sender sends so many at once, then rests; 0: evenly
}

// span is a stretch of the campaign, in time since its start.
type span struct{ from, to time.Duration }

// phase is how a part of the campaign fares. Nothing in it depends on chance:
// the odds are drawn per person.
type phase struct {
	from   time.Duration // applies to messages sent this long after the start, and later
	over   time.Duration // takes hold evenly for so long, until it applies in full; 0: at once
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
	template        *template  // nil means the campaign's
	number          *number    // nil means all
	templateStatus  string     // told by webhook, with info
	info            *otherInfo // title and text of a pause
	templateQuality wa.Quality // told by webhook
	numberQuality   wa.Quality // never told: whoever wants to know must ask the Graph API (whatsapp.md §2.7)
	numberStatus    string     // never told, as the quality
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
	{
		Name: "leak",
		Text: "From minute 2 delivery falls a little all the time, from 97 % to about 80 % at minute 17, mostly by 131026, as towards the older end of a list; " +
			"Delivered goes to WATCH and minutes later to ACT, without a moment at which it broke.",
		phases: []phase{{
			from: 2 * time.Minute, over: 15 * time.Minute,
			fail: []odds{{131026, 0.135}, {131049, 0.045}, {130472, 0.006}, {131053, 0.005}, {131050, 0.005}},
		}},
	},
	{
		Name: "paused-template",
		Text: "From minute 2 more people opt out, the template turns YELLOW at minute 4 and RED at 7, and at 8 Meta pauses it for three hours (132015): " +
			"tickwatch pauses the campaign by itself, nobody fails for it, and what waits can go out with another template; Alarms and Quality name the paused one.",
		phases: []phase{{from: 2 * time.Minute, optOut: 0.004}},
		news: []news{
			{after: 4 * time.Minute, templateQuality: wa.QualityYellow},
			{after: 7 * time.Minute, templateQuality: wa.QualityRed},
			{after: 8 * time.Minute, templateStatus: statusPaused, info: &otherInfo{"FIRST_PAUSE", "Paused for 3 hours after feedback"}},
		},
	},
	{
		Name: "feed-outage",
		Text: "The campaign is healthy, but from minute 4 to 6:45 no webhook gets through, and Meta repeats them afterwards with their old times; " +
			"the feed stalls and says so, comes back to LIVE, and then nothing is missing.",
		outage: span{4 * time.Minute, 6*time.Minute + 45*time.Second},
	},
	{
		Name:      "duplicates",
		Text:      "The campaign is healthy, but every update comes three to five times, shuffled, over minutes; the feed is about four times as busy, and every other figure is that of healthy.",
		everyMany: true,
	},
	{
		Name: "withheld",
		Text: "From minute 3 Meta chooses not to deliver ever more messages, 12 % of them from minute 5 on (131049, and 130472 for its experiments), the rest is healthy; " +
			"Delivered falls, and Errors has 131049 far ahead, which no clean-up of the list mends.",
		phases: []phase{{
			from: 3 * time.Minute, over: 2 * time.Minute,
			fail: []odds{{131026, 0.0135}, {131049, 0.1000}, {130472, 0.0200}, {131053, 0.0020}, {131050, 0.0006}},
		}},
	},
	{
		Name:  "burst",
		Text:  "The campaign is healthy, but is sent in bursts of 600 messages within seconds, with silence between them; the figures stay calm, Delivered stays OK and the feed does not stall.",
		burst: 600, Outside: true,
	},
}

// burstWithin is how long the outside sender takes over one burst.
const burstWithin = 4 * time.Second

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
		share := p.hold(moment)
		if p.fail != nil {
			now.fail = blend(now.fail, p.fail, share)
		}
		if p.optOut != 0 {
			now.optOut = (1-share)*now.optOut + share*p.optOut
		}
	}
	return now
}

// hold is how far a phase has taken hold at a moment after its beginning, from 0 to 1.
func (p phase) hold(moment time.Duration) float64 {
	if moment-p.from >= p.over {
		return 1
	}
	return float64(moment-p.from) / float64(p.over)
}

// blend is what holds when the share of all messages that fare by the second
// odds is this large, and the rest still fares by the first.
func blend(first, second []odds, share float64) []odds {
	if share == 1 {
		return second
	}
	out := make([]odds, 0, len(first)+len(second))
	for _, o := range first {
		out = append(out, odds{o.code, o.share * (1 - share)})
	}
	for _, o := range second {
		out = append(out, odds{o.code, o.share * share})
	}
	return out
}

// due is when, after the start, a row of the list is to be sent.
func (s Scenario) due(row int, rate float64) time.Duration {
	if s.burst == 0 {
		return seconds(float64(row) / rate)
	}
	// As many in the long run as without bursts.
	nth := row % s.burst
	rest := seconds(float64(s.burst) / rate)
	return seconds(float64(row-nth)/rate) + min(burstWithin, rest)*time.Duration(nth)/time.Duration(s.burst)
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
