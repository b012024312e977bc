package queue

import (
	"fmt"
	"time"

	"tickwatch/wa"
)

// How a number answers what comes back.
const (
	slowest      = 0.1             // messages a second that a number keeps however often it is slowed down
	recoverEvery = 3 * time.Second // after which a slowed number gets a tenth of its ceiling back
	restAtLeast  = time.Second     // after a rate limit that names no time
	restLong     = time.Minute     // after limits that count by the hour, and upkeep that takes minutes
	restMiddling = 10 * time.Second
	firstRest    = 5 * time.Second // without answers; doubles to longestRest
	longestRest  = time.Minute
	strikesOut   = 5 // sends without an answer, or of an unclear fault, in a row
)

// number is a sending number: how fast Meta takes messages from it, and whether
// it answers at all. Moments are of the daemon's clock. It is guarded by Queue.mu.
type number struct {
	id   string
	gate *gate
	pace pacer

	ceiling float64   // messages a second
	allowed float64   // the same after what Meta has refused; never above the ceiling
	cut     time.Time // when it was slowed down last
	raised  time.Time // when it got some back, or may begin to
	faults  int       // platform faults of no clear cause, in a row

	restUntil time.Time
	restWhy   string
	rested    time.Time     // when the latest rest for silence began
	rest      time.Duration // how long it was; 0 = it has answered since
	silent    int           // sends that brought no answer, in a row
	testing   bool          // after a rest, one request alone has to bring an answer
	busy      int           // its open requests, and those about to be

	back    time.Time          // when a request came back last
	waiting map[*campaign]bool // for one of its connections
}

func newNumber(id string, g *gate) *number {
	return &number{id: id, gate: g, waiting: map[*campaign]bool{}}
}

// limit sets the ceiling, in messages a second.
func (n *number) limit(rate float64) {
	if n.allowed == n.ceiling || n.allowed > rate {
		n.allowed = rate
	}
	n.ceiling = rate
}

// rate is how many messages a second it may send now.
func (n *number) rate(now time.Time) float64 {
	for n.allowed < n.ceiling && now.Sub(n.raised) >= recoverEvery {
		n.raised = n.raised.Add(recoverEvery)
		n.allowed = min(n.ceiling, n.allowed+n.ceiling/10)
	}
	return n.allowed
}

// resting tells whether it rests, and until when.
func (n *number) resting(now time.Time) (until time.Time, yes bool) {
	return n.restUntil, now.Before(n.restUntil)
}

// free is how many requests more it may open.
func (n *number) free(now time.Time, connections int) int {
	if _, yes := n.resting(now); yes {
		return 0
	}
	if n.testing {
		return max(0, 1-n.busy)
	}
	return max(0, connections-n.busy)
}

// stuck tells whether no connection is free, and none has become so for a span.
func (n *number) stuck(now time.Time, connections int, span time.Duration) bool {
	return n.busy >= connections && now.Sub(n.back) > span
}

// slow takes in a rate limit, or that Meta is overloaded: from a request that
// began at a moment. Sent is how many messages a second it has really sent lately.
// What was under way when the number was slowed down says nothing new.
func (n *number) slow(r *wa.Refusal, began, now time.Time, sent float64) {
	n.answered()
	if began.Before(n.cut) {
		return
	}
	if r.Code == 131000 || r.Code == 131027 || r.Code == 1 { // unclear: of one message, unless they come in a row
		if n.faults++; n.faults < strikesOut {
			return
		}
		n.faults = 0
	}
	from := n.rate(now)
	if sent > 0 {
		from = min(from, sent)
	}
	n.allowed = max(min(slowest, n.ceiling), from/2)
	n.cut = now
	n.sleep(now, max(restAfter(r.Code), r.RetryAfter), fmt.Sprintf("Meta slows this number down (%d)", r.Code))
	n.raised = n.restUntil
}

// restAfter is how long a number rests at least after a code.
func restAfter(code int) time.Duration {
	switch code {
	case 4, 80007, 131057, 2494100:
		return restLong
	case 2, 131016, 133004:
		return restMiddling
	}
	return restAtLeast
}

func (n *number) sleep(now time.Time, d time.Duration, why string) {
	if until := now.Add(d); until.After(n.restUntil) {
		n.restUntil, n.restWhy = until, why
	}
}

// answered takes in that Meta answered, whatever.
func (n *number) answered() {
	n.silent, n.rest, n.testing = 0, 0, false
}

// accepted takes in that Meta took a message.
func (n *number) accepted() {
	n.answered()
	n.faults = 0
}

// quiet takes in a send without an answer, which was about to begin at a moment.
// Five in a row rest the number, or a single one that was to test it. What was
// under way when it began to rest says nothing new.
func (n *number) quiet(launched, now time.Time) {
	if launched.Before(n.rested) {
		return
	}
	if n.silent++; n.silent < strikesOut && !n.testing {
		return
	}
	n.rest = min(longestRest, max(firstRest, 2*n.rest))
	n.silent, n.testing, n.rested = 0, true, now
	n.sleep(now, n.rest, "no answer from Meta")
}

// refreshed takes in that an operator has resumed it: it starts anew.
func (n *number) refreshed() {
	n.restUntil, n.rest, n.silent, n.testing, n.faults = time.Time{}, 0, 0, false, 0
	n.allowed = n.ceiling
}
