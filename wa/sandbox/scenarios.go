package sandbox

import (
	"fmt"
	"time"

	"tickwatch/wa"
)

// A healthy campaign: about 97 in 100 of the decided messages arrive.
var healthyFailures = []odds{
	{131026, 0.0135}, {131049, 0.0090}, {130472, 0.0040}, {131053, 0.0020}, {131050, 0.0006},
}

const healthyOptOuts = 0.0004

// A healthy campaign whose everyday failures come in runs: about 97 in 100 arrive,
// and apart from what Meta withholds nearly all that fails is in a run.
var (
	besideRuns = []odds{{131049, 0.0080}, {130472, 0.0030}, {131050, 0.0006}}
	inRuns     = []odds{{131000, 1}}
)

const shareInRuns = 0.022

// slowArrival is an evening on which phones are slow, and as many messages arrive in
// the end: about one in seven takes longer than a minute.
var slowArrival = curve{{0, 0.4}, {0.68, 5}, {0.80, 30}, {0.86, 60}, {0.93, 300}, {0.985, 1800}, {1, 6 * 3600}}

// badBlock is the block of numbers that the one-prefix scenario spoils; about
// nine in a hundred people of the list have such a number.
const badBlock = "22507"

// deadRows is the part of the list that the list-block scenario spoils, counted from 0:
// a sixth of the demo's. A list of ours goes out in a random order, so that a small
// block of it hurts little, and shows in what the failures have in common alone.
var deadRows = rows{from: 4000, to: 10_000}

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
	fall("fall-60", "falls to 60 %: the picture cannot be fetched any more (131053)", goodFirst, odds{131053, 0.370}, odds{131026, 0.0135}),
	fall("fall-80", "falls to 80 %: numbers that are not on WhatsApp (131026)", goodFirst, odds{131026, 0.170}, odds{131053, 0.0150}),
	fall("fall-85", "falls to 85 %: numbers that are not on WhatsApp (131026)", goodFirst, odds{131026, 0.122}, odds{131053, 0.0130}),
	fall("low-60", "is 60 %: the picture cannot be fetched (131053)", 0, odds{131053, 0.370}, odds{131026, 0.0135}),
	fall("low-80", "is 80 %: an old list, with numbers that are not on WhatsApp (131026)", 0, odds{131026, 0.170}, odds{131053, 0.0150}),
	fall("low-85", "is 85 %: an old list, with numbers that are not on WhatsApp (131026)", 0, odds{131026, 0.122}, odds{131053, 0.0130}),
	{
		Name: "list-block",
		Text: "6,000 rows of the list that follow each other are dead numbers (131026), the rest is healthy; Delivered goes to ACT, " +
			"Errors names the lines of the list, and once they are set aside (a) the rest arrives.",
		phases: []phase{{rows: &deadRows, fail: []odds{{131026, 0.94}, {131049, 0.004}}}},
	},
	{
		Name:    "slow-tail",
		Text:    "The campaign is healthy, but phones are slow: about one message in seven takes longer than a minute, and as many arrive in the end; Delivered stays OK and no alarm is raised.",
		arrival: slowArrival,
	},
	runs("runs-12", 12),
	runs("runs-30", 30),
}

// goodFirst is how long a campaign that falls is well: 600 messages at the demo's rate.
const goodFirst = 30 * time.Second

// fall is a campaign that from a moment on fails more, and that Meta does not
// withhold more of than of a healthy one.
func fall(name, what string, from time.Duration, fail ...odds) Scenario {
	begins := "From the start delivery "
	if from > 0 {
		begins = "After half a healthy minute delivery "
	}
	return Scenario{
		Name:   name,
		Text:   begins + what + "; Delivered goes to ACT, and the alarm says what to do.",
		phases: []phase{{from: from, fail: append(fail, odds{131049, 0.0090}, odds{130472, 0.0040}, odds{131050, 0.0006})}},
	}
}

// runs is a healthy campaign whose failures come so many at a time.
func runs(name string, run int) Scenario {
	return Scenario{
		Name:    name,
		Outside: true,
		Text:    fmt.Sprintf("Another system sends a campaign that is healthy, but whose failures come %d in a row, with long good stretches between them; Delivered stays OK and no alarm is raised.", run),
		phases:  []phase{{fail: besideRuns}, {rows: &rows{to: maxMessages, run: run, share: shareInRuns}, fail: inRuns}},
	}
}
