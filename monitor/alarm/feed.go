package alarm

import "tickwatch/wa"

// Sickness is what ails a feed.
type Sickness uint8

// FeedWell is also a feed that nobody can tell anything of.
const (
	FeedWell   Sickness = iota
	FeedSilent          // what another system sends had steady news, and has none
	FeedBlind           // our own sends go on, and nothing is heard of them
)

// The rules of a Feed. A message of ours has its first status a second or two
// after Meta has taken it, whoever it is for; ten without any are no chance.
const (
	answerWithin = wa.Instant(10_000) // a message that is younger says nothing
	blindAfter   = wa.Instant(45_000) // of silence about our own, with blindMany without a status
	blindMany    = 10
	fewAfter     = wa.Instant(150_000) // and for slow sends, with fewer
	blindFew     = 4

	silentAfter = wa.Instant(60_000)
	// Of another system's newest messages half have no answer: they were cut off. A
	// send that is over has answers to all but the slow tail.
	newestMany, newestLeast = 30, 20
	dueWithin               = wa.Instant(600_000) // what is older need not be answered any more
	dueShare                = 0.10                // more have no answer than the slow tail explains
	// A send that is over has late answers after its last message; one that is cut off
	// has none.
	abruptly = 5 // seconds
	// The slow tail of deliveries and reads goes on after a send is over, and fades
	// over minutes. tailMissing of it missing at once is no fading.
	tailMissing = 10
	tailFades   = 0.5 // of its pace before is expected of it at least

	feedKept   = 900 // seconds
	outOfOrder = 60  // seconds by which clocks may disagree
)

// FeedNews is what came in at one moment.
type FeedNews struct {
	Handed int64 // messages of ours that Meta has taken since, those that it holds back left out
	Own    int64 // statuses of messages of ours
	Any    bool  // anything at all came in
	Late   int64 // statuses of messages over a minute old, whoever sent them, and reads
	// Outside are another system's messages by the second of their clock: those first
	// heard of now, and those that were delivered or failed now.
	Outside map[int64]Outside
}

// Outside counts messages of another system.
type Outside struct{ Messages, Answered int64 }

// Feed tells a sick feed from a campaign that fares badly, is over, or is sent in
// bursts: by what was sent, what was heard of it, and silence. It is told what
// came by Add and asked by Look. Once sick
// it stays so until something comes in, or nothing runs any more. The zero Feed has
// heard of nothing.
type Feed struct {
	received [feedKept]struct{ handed, late int64 } // by the second it came in
	at       int64                                  // the second of the newest cell
	clocks   [feedKept]struct {
		second int64
		Outside
	}

	newest int64 // second of the newest message of another system

	last  wa.Instant // anything came in
	own   wa.Instant // a status of ours did
	blind wa.Instant // the first hand-over since that; 0 = there is none
	sick  Sickness
	since wa.Instant
}

// Add takes in what came at a moment; one that is a little older than the one
// before counts as of then. What was handed over is taken as before the statuses of
// the same moment.
func (f *Feed) Add(now wa.Instant, n FeedNews) {
	if now.Second() < f.at && f.at-now.Second() < outOfOrder {
		now = wa.Instant(f.at * 1000)
	}
	f.forward(now)
	cell := &f.received[f.at%feedKept]
	cell.handed += n.Handed
	cell.late += n.Late
	if n.Handed > 0 && f.blind == 0 {
		f.blind = now
	}
	for second, o := range n.Outside {
		c := &f.clocks[((second%feedKept)+feedKept)%feedKept]
		switch {
		case c.second > second || second > f.at+outOfOrder:
			continue
		case c.second < second:
			c.second, c.Outside = second, Outside{}
		}
		if o.Messages > 0 {
			f.newest = max(f.newest, second)
		}
		c.Messages += o.Messages
		c.Answered += o.Answered
	}
	if n.Own > 0 {
		f.own, f.blind = now, 0
		if f.sick == FeedBlind {
			f.sick = FeedWell
		}
	}
	if n.Any || n.Own > 0 {
		f.last = now
		if f.sick == FeedSilent {
			f.sick = FeedWell
		}
	}
}

// Resume takes up that a feed was silent since a moment, before a restart.
func (f *Feed) Resume(since wa.Instant) { f.sick, f.since, f.last = FeedSilent, since, since }

// Look judges the feed now, and says since when it is sick: the last that came of
// what is missing, or the first message of ours that nothing was ever heard of.
// running is whether any campaign is.
func (f *Feed) Look(now wa.Instant, running bool) (s Sickness, since wa.Instant) {
	f.forward(now)
	switch {
	case !running:
		f.sick = FeedWell
	case f.sick != FeedBlind && f.isBlind(now):
		f.sick, f.since = FeedBlind, f.own
		if f.own == 0 {
			f.since = f.blind
		}
	case f.sick == FeedWell && f.isSilent(now):
		f.sick, f.since = FeedSilent, f.last
	}
	if f.sick == FeedWell {
		return FeedWell, 0
	}
	return f.sick, f.since
}

// Blind is since when our own sends go on unheard; 0 = they do not.
func (f *Feed) Blind() wa.Instant {
	if f.sick != FeedBlind {
		return 0
	}
	return f.blind
}

// isBlind tells whether our own sends go on without any status.
func (f *Feed) isBlind(now wa.Instant) bool {
	if f.blind == 0 {
		return false
	}
	silence := now - max(f.own, f.blind)
	if silence < blindAfter {
		return false
	}
	var unheard int64
	for s := max(f.own.Second()+1, f.at-feedKept+1); s <= (now - answerWithin).Second(); s++ {
		unheard += f.received[s%feedKept].handed
	}
	return unheard >= blindMany || silence >= fewAfter && unheard >= blindFew
}

// isSilent tells whether what another system sends was cut off.
func (f *Feed) isSilent(now wa.Instant) bool {
	if f.last == 0 || now-f.last < silentAfter {
		return false
	}
	if f.cutOff(now) {
		return true
	}
	return f.tail()*float64(now-f.last)/1000*tailFades >= tailMissing
}

// cutOff tells whether messages were new until the silence began, and of the newest
// ones half, or of those of ten minutes more than a healthy send explains, have no
// answer yet.
func (f *Feed) cutOff(now wa.Instant) bool {
	if now-f.last > dueWithin || f.last.Second()-f.newest > abruptly {
		return false
	}
	var all, newest Outside
	for s := f.newest; s >= (now - dueWithin).Second(); s-- {
		c := &f.clocks[((s%feedKept)+feedKept)%feedKept]
		if c.second != s {
			continue
		}
		if newest.Messages < newestMany {
			newest.Messages += c.Messages
			newest.Answered += c.Answered
		}
		all.Messages += c.Messages
		all.Answered += c.Answered
	}
	due := all.Messages - all.Answered
	return newest.Messages >= newestLeast && 2*newest.Answered <= newest.Messages ||
		due >= newestLeast && float64(due) > dueShare*float64(all.Messages)
}

// tail is how many late statuses came in a second before the silence: the least of
// the last half minute and the last three minutes, so that a burst is none.
func (f *Feed) tail() float64 {
	end := f.last.Second()
	rate := func(from, to, span int64) float64 {
		var n int64
		for s := max(from, f.at-feedKept+1, 0) + 1; s <= to; s++ {
			n += f.received[s%feedKept].late
		}
		return float64(n) / float64(span)
	}
	return min(rate(end-30, end, 30), rate(end-60, end, 60), rate(end-120, end-60, 60), rate(end-180, end-120, 60))
}

// forward empties the cells of the seconds that have gone by. A clock that was set
// back starts anew.
func (f *Feed) forward(now wa.Instant) {
	s := now.Second()
	if s < f.at {
		*f = Feed{}
	}
	if s-f.at >= feedKept {
		clear(f.received[:])
		f.at = s
	}
	for f.at < s {
		f.at++
		f.received[f.at%feedKept] = struct{ handed, late int64 }{}
	}
}
