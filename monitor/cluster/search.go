package cluster

import (
	"cmp"
	"slices"
)

// Bounds of a search.
const (
	maxCodes   = 5    // over all, and the four commonest codes
	maxSets    = 1000 // of one attribute, the largest
	minSize    = 10   // messages; fewer have no share
	maxShare   = 0.7  // of the judged messages: more is no trait
	minInside  = 5    // failures
	runLength  = 12   // failures of one short trouble, at least, among neighbours in order
	nearly     = 0.9  // of the fit: what fits as well
	covers     = 0.8  // of the failures: what explains the same
	asDense    = 0.87 // of the failed share: what is no clearly worse description
	aRun       = 24   // failures that one trouble may have caused at most: they alone prove nothing
	enoughRuns = 20   // failures elsewhere, to tell by them how long runs are
)

// figures count judged and failed messages; failed over all and by tested code.
type figures struct {
	judged int
	failed [maxCodes]int
}

// set is the rows that share a trait.
type set struct {
	attribute, value string
	rank             float64
	rows             []int32
	ordered          *order // of a window of it; nil = not one
	from, to         int64
	now              figures // of the rows that are not taken out
}

// candidate is a set as a cause of the failures with one code.
type candidate struct {
	*set
	code   int // index into search.codes
	p, fit float64
}

// search is the state of one Find.
type search struct {
	rows   []Row
	o      *Options
	codes  []int   // 0, and those that are tested by themselves
	codeOf []int   // of each row: -1 not failed, 0 failed, else index into codes
	gone   []bool  // explained by a better cluster
	first  figures // of all rows
	all    figures // of those that are not gone
	chance chance
	sets   []*set
	orders []*order
}

func newSearch(rows []Row, o *Options) *search {
	s := &search{rows: rows, o: o, codeOf: make([]int, len(rows)), gone: make([]bool, len(rows)), chance: newChance(len(rows))}
	byCode := map[int]int{}
	failed := 0
	for i := range rows {
		if rows[i].Failed {
			byCode[rows[i].Code]++
			failed++
		}
	}
	s.codes = []int{0}
	for code, n := range byCode {
		// A code that has nearly all failures says nothing that they do not say.
		if code != 0 && n >= o.MinFailures && float64(n) < 0.95*float64(failed) {
			s.codes = append(s.codes, code)
		}
	}
	slices.SortFunc(s.codes[1:], func(a, b int) int { return cmp.Or(cmp.Compare(byCode[b], byCode[a]), cmp.Compare(a, b)) })
	s.codes = s.codes[:min(len(s.codes), maxCodes)]
	for i := range rows {
		s.codeOf[i] = -1
		if rows[i].Failed {
			s.codeOf[i] = max(0, slices.Index(s.codes[1:], rows[i].Code)+1)
		}
		s.count(&s.all, i)
	}
	s.first = s.all
	return s
}

func (s *search) count(f *figures, i int) {
	f.judged++
	if c := s.codeOf[i]; c >= 0 {
		f.failed[0]++
		if c > 0 {
			f.failed[c]++
		}
	}
}

// fails tells whether a row failed, with a code if that is not the first.
func (s *search) fails(i, code int) bool {
	c := s.codeOf[i]
	return c >= 0 && (code == 0 || c == code)
}

// leastSize is how many rows a set has at least: fewer could not hold the share of
// any code's failures that is worth naming. It looks at no set's failures, so the
// sets that are left out are no looks.
func (s *search) leastSize() int {
	least := s.first.failed[0]
	for code := range s.codes {
		least = min(least, s.first.failed[code])
	}
	return max(minSize, int(s.o.MinShare*float64(least)))
}

// mayExplain tells whether a set has the size to be tested for a code.
func (s *search) mayExplain(f *set, code int) bool {
	n := float64(f.now.judged)
	return n >= max(minSize, s.o.MinShare*float64(s.first.failed[code])) && n <= maxShare*float64(s.all.judged)
}

// best is the next cluster; nil when nothing stands out.
func (s *search) best() *candidate {
	tested := s.test()
	if len(tested) == 0 {
		return nil
	}
	tested = append(tested, s.fitted(tested)...)
	best := slices.MaxFunc(tested, func(a, b *candidate) int { return cmp.Compare(a.fit, b.fit) })
	return s.simplest(best, tested)
}

// test gives the candidates that are significant and large enough to be named.
func (s *search) test() []*candidate {
	var found []*candidate
	looks := 0
	for _, f := range s.sets {
		f.now = figures{}
		for _, i := range f.rows {
			if !s.gone[i] {
				s.count(&f.now, int(i))
			}
		}
		for code := range s.codes {
			if !s.mayExplain(f, code) {
				continue
			}
			looks++
			c := &candidate{set: f, code: code}
			if s.standsOut(c) {
				found = append(found, c)
			}
		}
	}
	found = slices.DeleteFunc(found, func(c *candidate) bool { return c.p*float64(looks-len(found)) > s.o.Alpha })
	for _, c := range found { // clumps only make it likelier
		k, inside, failed, all := s.figures(c)
		d, longest := s.clump(c)
		less := min(longest, aRun, k)
		c.p = max(s.chance.weighed(k, inside, failed, all, d), s.chance.weighed(k-less, inside-less, failed-less, all-less, d))
	}
	// Holm: the smallest is multiplied by the looks, the next by one less.
	slices.SortStableFunc(found, func(a, b *candidate) int { return cmp.Compare(a.p, b.p) })
	var highest float64
	for i, c := range found {
		highest = max(highest, min(1, c.p*float64(looks-i)))
		c.p = highest
	}
	return slices.DeleteFunc(found, func(c *candidate) bool { return c.p > s.o.Alpha })
}

// standsOut tells whether a candidate's figures are worth naming at all; where
// they are, its fit and chance are known then.
func (s *search) standsOut(c *candidate) bool {
	k, inside, failed, all := s.figures(c)
	if k < minInside || float64(k) < s.o.MinShare*float64(s.first.failed[c.code]) {
		return false
	}
	if float64(k)*float64(all-inside) < s.o.MinTimes*float64(failed-k)*float64(inside) {
		return false
	}
	c.p = s.chance.atLeast(k, inside, failed, all)
	c.fit = fit(k, inside, failed, all)
	return true
}

// figures of a candidate: its failures, its messages, all failures, all messages.
func (s *search) figures(c *candidate) (k, inside, failed, all int) {
	return c.now.failed[c.code], c.now.judged, s.all.failed[c.code], s.all.judged
}

// simplest is the simplest description of about the same failures as best's: one
// that has most of them, and among its own messages nearly as many fail.
func (s *search) simplest(best *candidate, among []*candidate) *candidate {
	inside := make([]bool, len(s.rows))
	for _, i := range best.rows {
		inside[i] = true
	}
	least := float64(best.now.failed[best.code])
	share := least / float64(best.now.judged)
	out := best
	for _, c := range among {
		if c.plainness() > out.plainness() || c.plainness() == out.plainness() && c.fit <= out.fit ||
			c.code != best.code && c.fit < nearly*best.fit ||
			float64(c.now.failed[best.code]) < asDense*share*float64(c.now.judged) {
			continue
		}
		both := 0
		for _, i := range c.rows {
			if inside[i] && !s.gone[i] && s.fails(int(i), best.code) {
				both++
			}
		}
		if float64(both) >= covers*least {
			out = c
		}
	}
	return out
}

// plainness is lower for what is simpler to say.
func (c *candidate) plainness() float64 {
	if c.code != 0 {
		return c.rank + 0.5
	}
	return c.rank
}

// takeOut takes the rows of a cluster out of what is looked at from here on.
func (s *search) takeOut(c *candidate) {
	for _, i := range c.rows {
		s.gone[i] = true
	}
	s.all = figures{}
	for i := range s.rows {
		if !s.gone[i] {
			s.count(&s.all, i)
		}
	}
}
