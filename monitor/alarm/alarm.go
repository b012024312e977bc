// Package alarm judges figures. It is pure: no I/O, and no clock but the moment
// that its caller passes, so that a replay comes to the same judgement at the
// same moment.
//
// How messages fare at present is judged by sequential tests
// (Campaign): bets against a line that are valid at every look and begin again all
// the time. Each bet is an e-process by universal inference: the chance of what was
// seen under a mixture of alternatives over the greatest under the null hypothesis
// (Wasserman, Ramdas, Balakrishnan, "Universal inference", PNAS 117, 2020). Their sum
// over the moments at which they began is the Shiryaev-Roberts form of an e-detector
// (Shin, Ramdas, Rinaldo, "E-detectors: a nonparametric framework for sequential
// change detection", New England Journal of Statistics in Data Science 2, 2024), whose
// average run length to a false alarm is at least its threshold, in blocks, while the
// null hypothesis holds. Both hypotheses are over shares and degrees of clustering, on
// a grid, of the beta-binomial distribution of bad messages in a block (Skellam, 1948).
// How often they are wrong, and how soon right, package board measures.
//
// A Threshold is the plain rule "below 95 % watch, below 90 % act" with what a
// plain rule needs to be bearable: a minimum volume, which its caller decides
// by passing no figure; a hold, so that one odd moment raises nothing; and
// hysteresis, so that a figure that lingers at the line does not ring again and
// again. It serves figures that are no shares of messages.
package alarm

import "tickwatch/wa"

// Level is how bad it is.
type Level uint8

// Levels, from good to bad.
const (
	OK Level = iota
	Watch
	Act
)

// Threshold is a rule over one figure. A figure beyond Watch or Act (above
// them, or below if Below is set) raises the level once it has been so for Hold;
// the level falls once the figure has been better than the line by Margin for
// Calm. Zero spans mean at once.
type Threshold struct {
	Watch, Act float64
	Below      bool
	Margin     float64
	Hold, Calm wa.Instant // milliseconds
}

// State is a figure's standing under a Threshold. The zero State is OK.
type State struct {
	Level   Level
	pending Level      // where the figure wants to go
	since   wa.Instant // since when
	wantsTo bool
}

// Judge looks at the figure now, and gives the level. Call it with growing moments.
func (s *State) Judge(t Threshold, now wa.Instant, figure float64) Level {
	wants := t.level(figure, 0)
	if wants < s.Level {
		// Falling takes more than having crossed the line back.
		wants = min(t.level(figure, t.Margin), s.Level)
	}
	if wants == s.Level {
		s.wantsTo = false
		return s.Level
	}
	// It goes only as far as the figure wanted to go all the while.
	rising := wants > s.Level
	switch {
	case !s.wantsTo || (s.pending > s.Level) != rising:
		s.wantsTo, s.since, s.pending = true, now, wants
	case rising:
		s.pending = min(s.pending, wants)
	default:
		s.pending = max(s.pending, wants)
	}
	wait := t.Calm
	if rising {
		wait = t.Hold
	}
	if now-s.since >= wait {
		s.Level, s.wantsTo = s.pending, false
	}
	return s.Level
}

// level is where the figure stands when every line is moved by margin towards the good.
func (t Threshold) level(figure, margin float64) Level {
	watch, act := t.Watch, t.Act
	if t.Below {
		figure, watch, act = -figure, -watch, -act
	}
	switch {
	case figure > act-margin:
		return Act
	case figure > watch-margin:
		return Watch
	}
	return OK
}

// Plain is the level of a figure by its lines alone.
func (t Threshold) Plain(figure float64) Level { return t.level(figure, 0) }
