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

	arrival   curve // from sent to delivered; nil: the usual one
	outage    span  // while it lasts no webhook gets through; Meta tries again
	everyMany bool  // every update is sent three to five times, over minutes
	burst     int   // the outside sender sends so many at once, then rests; 0: evenly
}

// span is a stretch of the campaign, in time since its start.
type span struct{ from, to time.Duration }

// phase is how a part of the campaign fares. Nothing in it depends on chance:
// the odds are drawn per person.
type phase struct {
	from   time.Duration // applies to messages sent this long after the start, and later
	over   time.Duration // takes hold evenly for so long, until it applies in full; 0: at once
	prefix string        // applies to numbers that begin with these digits; "" to all
	rows   *rows         // applies to people in these rows of the list; nil to all
	fail   []odds        // nil leaves the healthy odds
	optOut float64       // share of the people reached who opt out; 0 leaves the healthy share

	phones  map[string]bool // of rows, once the list is known
	arrival curve           // of the scenario; nil: the usual one
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
	now := phase{fail: healthyFailures, optOut: healthyOptOuts, arrival: s.arrival}
	for _, p := range s.phases {
		if moment < p.from || !strings.HasPrefix(phone, p.prefix) || p.rows != nil && !p.phones[phone] {
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
