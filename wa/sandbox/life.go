package sandbox

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

// step is one thing that happens to a message after Meta accepted it.
type step struct {
	after time.Duration // since acceptance, in whole milliseconds
	kind  kind
	code  int    // of a failure
	text  string // of a reply
}

// kind is what happens in a step.
type kind uint8

const (
	stepSent kind = iota
	stepDelivered
	stepRead
	stepFailed
	stepReply    // an ordinary answer
	stepStopText // the answer STOP
	stepStopButton
	stepStopPreference // marketing switched off inside WhatsApp
)

// Shares of the people reached, and of what happens to them.
const (
	shareChatOpen  = 0.015 // have the chat open: read comes without delivered
	shareReads     = 0.80  // read it sooner or later
	shareReplies   = 0.012 // answer something
	shareSentFirst = 0.25  // of undeliverable messages: reported sent before they fail
)

var replies = [...]string{"Obrigada!", "Quanto custa?", "Olá, ainda está disponível?", "👍", "Até quando é válido?", "Bonjour, c'est encore possible ?"}

var stopTexts = [...]string{"STOP", "Stop", "stop", "STOP.", "Stop!", "Unsubscribe"}

// live plans what becomes of a message: in order of time, for ever the same for
// the same source of chance, person and phase. The draws are made in a fixed
// order, whether they are needed or not, so that two scenarios of one seed
// differ in what is injected and in nothing else.
func live(r *rand.Rand, who person, ph phase) []step {
	var (
		fate, open, reads, reacts = r.Float64(), r.Float64(), r.Float64(), r.Float64()
		sent                      = 300*time.Millisecond + time.Duration(r.Float64()*1700)*time.Millisecond
		arrival                   = sent + ph.arriving().at(r.Float64())
		reading                   = readDelays.at(r.Float64())
		reaction                  = reactionDelays.at(r.Float64())
		failure                   = failureDelays.at(r.Float64())
		choice                    = r.IntN(1 << 20)
	)
	if code := pick(ph.fail, fate); code != 0 {
		steps := []step{{after: sent + failure, kind: stepFailed, code: code}}
		if code == 131026 && open < shareSentFirst {
			steps = slices.Insert(steps, 0, step{after: sent, kind: stepSent})
		}
		return steps
	}
	steps := []step{{after: sent, kind: stepSent}}
	if who.off {
		return steps
	}
	chatOpen := open < shareChatOpen
	react := reacts < ph.optOut+shareReplies
	switch {
	case chatOpen:
		reading = 0
	case react:
		reading = min(reading, (reaction / 2).Truncate(time.Millisecond)) // who reacts has read it
	}
	if !chatOpen {
		steps = append(steps, step{after: arrival, kind: stepDelivered})
	}
	if chatOpen || who.receipts && (react || reads < shareReads) {
		steps = append(steps, step{after: arrival + reading, kind: stepRead})
	}
	if react {
		s := step{after: arrival + reaction, kind: stepReply, text: replies[choice%len(replies)]}
		if reacts < ph.optOut {
			s.kind = stepStopText + kind(choice%3)
			s.text = stopTexts[choice/3%len(stopTexts)]
		}
		steps = append(steps, s)
	}
	slices.SortStableFunc(steps, func(a, b step) int { return cmp.Compare(a.after, b.after) })
	return steps
}

// pick gives the error code whose share of the range from 0 to 1 holds u; 0 for none.
func pick(fail []odds, u float64) int {
	for _, f := range fail {
		if u < f.share {
			return f.code
		}
		u -= f.share
	}
	return 0
}

// curve is a distribution of delays: points of its cumulative share, rising
// from 0 to 1, with delays in seconds. Between two points it is even on a
// logarithmic scale.
type curve []struct{ share, seconds float64 }

var (
	// The default delay curve of the design, from the sent status on, with a
	// tail of phones that come back within hours.
	deliveryDelays = curve{{0, 0.4}, {0.81, 5}, {0.85, 30}, {0.88, 60}, {0.95, 300}, {0.99, 1800}, {1, 6 * 3600}}
	// From the arrival on.
	readDelays     = curve{{0, 1}, {0.3, 20}, {0.55, 120}, {0.75, 900}, {0.9, 2 * 3600}, {1, 10 * 3600}}
	reactionDelays = curve{{0, 6}, {0.6, 45}, {0.9, 240}, {1, 1200}}
	// From the moment a message that went well would have been sent.
	failureDelays = curve{{0, 0.3}, {0.9, 4}, {0.98, 12}, {1, 60}}
)

// at is the delay that the share u of all cases does not exceed, in whole milliseconds.
func (c curve) at(u float64) time.Duration {
	for i := 1; i < len(c); i++ {
		lo, hi := c[i-1], c[i]
		if u <= hi.share {
			part := (u - lo.share) / (hi.share - lo.share)
			seconds := lo.seconds * math.Pow(hi.seconds/lo.seconds, part)
			return time.Duration(seconds*1000) * time.Millisecond
		}
	}
	return time.Duration(c[len(c)-1].seconds * float64(time.Second))
}
