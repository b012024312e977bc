// Package cluster finds what failed messages have in common. It is pure: no I/O,
// no clock, no randomness: the same rows give the same clusters.
//
// A cluster is a trait of messages, such as the prefix 22507 or city=Abidjan, that
// failed far more often than the others, over all or with one error code. Every
// candidate is put to a one-sided hypergeometric test: were the failures dealt out
// at random, how likely would so many have this trait? The answers are corrected
// for the many looks by Holm's method, which bounds the chance of naming
// anything where there is nothing, whatever the candidates have in common; they
// are nested and overlap, so a bound on the share of false names
// (Benjamini–Hochberg) would promise less and rest on more.
//
// Failures come in runs: a few seconds' trouble fails a dozen neighbours. What
// lies in order (time, lines of the list) is therefore counted in dozens, or in
// runs if those are longer, and a value whose failures are whole runs is, too.
//
// Of descriptions that cover about the same failures the simplest is named, and
// what a better one explains is taken out before the next is looked for.
//
// Memory and time are bounded by MaxRows and by the candidates of an attribute,
// whatever the campaign's length.
package cluster

import (
	"cmp"
	"slices"
)

// Attributes that the search makes by itself; others have the names of Options.
const (
	AttributePrefix = "prefix" // digits that a number begins with
	AttributeWord   = "word"   // of a filled-in variable, in lower case
	AttributeLines  = "lines"  // of the list, "4001-5000"
	AttributeMinute = "minute" // of the messages' clocks, RFC 3339 in UTC: one, or "from/to"
)

// MaxRows is how many rows are looked at, the newest ones.
const MaxRows = 20_000

// Row is one judged message: one that failed, or is old enough to count as not failed.
type Row struct {
	ID     int64
	Failed bool
	Code   int      // of a failed one
	Phone  string   // digits; "" = not known
	At     int64    // its clock, milliseconds; 0 = not known, or too young to compare moments by
	Line   int64    // of the list; 0 = none
	Traits []string // by Options.Attributes
}

// Attribute is a trait that the caller tells of each row.
type Attribute struct {
	Name string
	// Rank orders descriptions of the same failures: the lowest is named.
	Rank int
	// Empty says that "" is a value like others, and not "not known".
	Empty bool
	// Words says that the words of its values are looked at, too.
	Words bool
}

// Ranks of an Attribute. Prefixes lie between RankColumn and RankLast, the shorter
// first; words, lines and minutes come after all others.
const (
	RankCountry = 0
	RankSending = 10 // template, language, sending number
	RankColumn  = 20
	RankPrefix  = 30
	RankLast    = 60
)

// Options of a search; the zero value of a number takes its default.
type Options struct {
	Attributes []Attribute
	// Alpha bounds the chance that anything is named where nothing is; 0 = 0.001.
	// A campaign is looked at again and again, so it is far below the usual.
	Alpha float64
	// MinFailures is below how many nothing is looked for, over all and within a
	// code; 0 = 20.
	MinFailures int
	// MinShare is the least share of the failures (within a code: of that code's)
	// that is worth naming; 0 = 0.15.
	MinShare float64
	// MinTimes is how often as many must fail inside as outside; 0 = 2.
	MinTimes float64
	// Most is how many clusters are named; 0 = 5.
	Most int
}

// Cluster is a trait that stands out.
type Cluster struct {
	Attribute string
	Value     string
	Code      int // 0 = over all codes
	Judged    int // messages with the trait
	Failed    int // of them, with Code
	// Lift is the failed share inside over the failed share of all judged messages.
	Lift float64
	// PAdjusted is how likely as much would be by chance, after the correction for
	// all looks.
	PAdjusted float64
	// Explains is Failed as a share of all failures, whatever their code.
	Explains float64
	// Sends is Judged as a share of all judged messages.
	Sends float64
	// Examples are the newest failed rows, at most five, by their ID.
	Examples []int64
	// Main is the commonest code of the failures inside.
	Main int
	// From and To are the first and last line of AttributeLines, and the first and last
	// clock of AttributeMinute in milliseconds; 0 of the others.
	From, To int64
}

// leastChance is the smallest chance that is told: what is less likely still is no
// more certain.
const leastChance = 1e-300

// examples is how many rows a cluster shows.
const examples = 5

// Find names the clusters of rows that lie in the order of sending, the best
// first. None means that nothing stands out: no common trait.
func Find(rows []Row, o Options) []Cluster {
	o.defaults()
	if len(rows) > MaxRows {
		rows = rows[len(rows)-MaxRows:]
	}
	s := newSearch(rows, &o)
	if s.all.failed[0] < o.MinFailures {
		return nil
	}
	s.gather()
	var out []Cluster
	for len(out) < o.Most {
		best := s.best()
		if best == nil {
			break
		}
		out = append(out, s.describe(best))
		s.takeOut(best)
	}
	return out
}

func (o *Options) defaults() {
	o.Alpha = cmp.Or(o.Alpha, 0.001)
	o.MinFailures = cmp.Or(o.MinFailures, 20)
	o.MinShare = cmp.Or(o.MinShare, 0.15)
	o.MinTimes = cmp.Or(o.MinTimes, 2)
	o.Most = cmp.Or(o.Most, 5)
}

// describe draws up a cluster; its figures are of all rows, those of better
// clusters included.
func (s *search) describe(c *candidate) Cluster {
	out := Cluster{Attribute: c.attribute, Value: c.value, Code: s.codes[c.code], PAdjusted: max(c.p, leastChance), From: c.from, To: c.to}
	codes := map[int]int{}
	if c.ordered != nil {
		out.Value = c.ordered.name(c.set)
	}
	for _, i := range c.rows {
		r := &s.rows[i]
		out.Judged++
		if !s.fails(int(i), c.code) {
			continue
		}
		out.Failed++
		codes[r.Code]++
	}
	newest := slices.Clone(c.rows)
	slices.Sort(newest)
	for _, i := range slices.Backward(newest) {
		if len(out.Examples) < examples && s.fails(int(i), c.code) {
			out.Examples = append(out.Examples, s.rows[i].ID)
		}
	}
	for code, n := range codes {
		if n > codes[out.Main] || n == codes[out.Main] && code < out.Main {
			out.Main = code
		}
	}
	failed, judged := float64(s.first.failed[0]), float64(s.first.judged)
	out.Explains, out.Sends = float64(out.Failed)/failed, float64(out.Judged)/judged
	out.Lift = (float64(out.Failed) / float64(out.Judged)) / (float64(s.first.failed[c.code]) / judged)
	return out
}
