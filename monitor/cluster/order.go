package cluster

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"
)

// order is the rows along time or along the list.
type order struct {
	attribute string
	key       func(*Row) int64
	rows      []int32 // sorted by key
	failed    []int32 // those of rows that failed
	run       []int32 // of each row of the search: which run of failures it is in
}

// runGap is how many others may stand between two failures of a run: two lanes
// send side by side.
const runGap = 1

// gatherOrder makes the windows of an order: halves, quarters and so on down to
// 128ths of the rows, each width at every half step. Their number does not depend
// on the rows'.
func (s *search) gatherOrder(attribute string, key func(*Row) int64) {
	o := &order{attribute: attribute, key: key, run: make([]int32, len(s.rows))}
	for i := range s.rows {
		if key(&s.rows[i]) > 0 {
			o.rows = append(o.rows, int32(i))
		}
	}
	along := func(a, b int32) int {
		return cmp.Or(cmp.Compare(key(&s.rows[a]), key(&s.rows[b])), cmp.Compare(a, b))
	}
	if !slices.IsSortedFunc(o.rows, along) {
		slices.SortFunc(o.rows, along)
	}
	if len(o.rows) == 0 {
		return
	}
	run, last := int32(-1), math.MinInt
	for at, i := range o.rows {
		if s.codeOf[i] < 0 {
			continue
		}
		if at-last > runGap+1 {
			run++
		}
		o.run[i], last = run, at
		o.failed = append(o.failed, i)
	}
	s.orders = append(s.orders, o)
	least := s.leastSize()
	for half := 1; half <= widestStep; half++ {
		width := len(o.rows) >> half
		if width < least {
			break
		}
		for from := 0; from+width <= len(o.rows); from += max(width/2, 1) {
			s.sets = append(s.sets, o.window(s, from, from+width))
		}
	}
}

// window is the set of the rows from one place of the order to another.
func (o *order) window(s *search, from, to int) *set {
	return &set{
		attribute: o.attribute, rank: RankLast + 1, rows: o.rows[from:to:to], ordered: o,
		from: o.key(&s.rows[o.rows[from]]), to: o.key(&s.rows[o.rows[to-1]]),
	}
}

// fitted gives, for the best window of each order and code, the stretch around it
// that fits best: the windows were laid blindly. Its chance is the window's, which
// was looked for; the stretch was chosen by its failures.
func (s *search) fitted(tested []*candidate) []*candidate {
	type kind struct {
		o    *order
		code int
	}
	best := map[kind]*candidate{}
	var kinds []kind
	for _, c := range tested {
		k := kind{c.ordered, c.code}
		if c.ordered == nil {
			continue
		}
		if best[k] == nil {
			kinds = append(kinds, k)
		}
		if best[k] == nil || c.fit > best[k].fit {
			best[k] = c
		}
	}
	var out []*candidate
	for _, k := range kinds {
		c := best[k]
		for range 3 { // each time with the shares of the stretch before
			next := s.stretch(c)
			if next == nil || next.fit <= c.fit {
				break
			}
			c = next
		}
		out = append(out, c)
	}
	return out
}

// stretch is the stretch of a window's order that explains the failures best where
// shares inside and outside are the window's: the one with the highest sum.
func (s *search) stretch(c *candidate) *candidate {
	k, inside, failed, all := s.figures(c)
	in := (float64(k) + 0.5) / (float64(inside) + 1)
	out := (float64(failed-k) + 0.5) / (float64(all-inside) + 1)
	hit, miss := math.Log(in/out), math.Log((1-in)/(1-out))
	var sum, best float64
	start, from, to := 0, 0, 0
	for at, i := range c.ordered.rows {
		if s.gone[i] {
			continue
		}
		if sum <= 0 {
			sum, start = 0, at
		}
		if s.fails(int(i), c.code) {
			sum += hit
		} else {
			sum += miss
		}
		if sum > best {
			best, from, to = sum, start, at+1
		}
	}
	if to == 0 {
		return nil
	}
	next := &candidate{set: c.ordered.window(s, from, to), code: c.code, p: c.p}
	for _, i := range next.rows {
		if !s.gone[i] {
			s.count(&next.now, int(i))
		}
	}
	if !s.mayExplain(next.set, next.code) || !s.standsOut(next) {
		return nil
	}
	return next
}

// name says where a stretch lies: lines of the list, or minutes.
func (o *order) name(w *set) string {
	if o.attribute == AttributeLines {
		return fmt.Sprintf("%d-%d", w.from, w.to)
	}
	const minute = int64(time.Minute / time.Millisecond)
	from := time.UnixMilli(w.from / minute * minute).UTC()
	to := time.UnixMilli((w.to/minute + 1) * minute).UTC()
	if to.Sub(from) == time.Minute {
		return from.Format(time.RFC3339)
	}
	return from.Format(time.RFC3339) + "/" + to.Format(time.RFC3339)
}

// clump is how many failures of a candidate count as one, and how many the longest
// run has of them. What lies in order is counted in runs, as long as they are
// elsewhere. Of another trait it is between that and one, by how much more of a run
// shares the trait than if every failure had it by itself.
func (s *search) clump(c *candidate) (d float64, longest int) {
	inside := make([]bool, len(s.rows))
	for _, i := range c.rows {
		inside[i] = true
	}
	d = 1
	for _, o := range s.orders {
		r := s.runs(o, inside, c.code)
		longest = max(longest, r.longest)
		if c.ordered == o {
			return max(r.elsewhere, 1), r.longest
		}
		if c.ordered == nil {
			alone := float64(c.now.judged) / float64(s.all.judged) // the chance to have it
			d = max(d, min(r.elsewhere, 1+(r.inside-1-alone*(r.elsewhere-1))/(1-alone)))
		}
	}
	return d, longest
}

// runs is how the failures of an order lie.
type runs struct {
	elsewhere float64 // how long runs outside are, each failure asked for its run
	inside    float64 // likewise of the failures inside, those outside left out
	longest   int     // failures inside that one run has
}

func (s *search) runs(o *order, inside []bool, code int) runs {
	var k, failed int
	each := func(do func(in, out float64)) {
		var in, out float64
		run := int32(-1)
		for _, i := range o.failed {
			if s.gone[i] || !s.fails(int(i), code) {
				continue
			}
			if o.run[i] != run {
				do(in, out)
				in, out, run = 0, 0, o.run[i]
			}
			if inside[i] {
				in++
			} else {
				out++
			}
		}
		do(in, out)
	}
	r := runs{inside: 1}
	var squares, own float64
	each(func(in, out float64) {
		k, failed = k+int(in), failed+int(in+out)
		squares += out * out
		own += in * in
		r.longest = max(r.longest, int(in))
	})
	if k == 0 { // all of them are too young to have a moment: nothing tells of runs
		return runs{inside: 1, elsewhere: runLength}
	}
	if failed > k {
		r.elsewhere = squares / float64(failed-k)
	}
	if failed-k < enoughRuns {
		r.elsewhere = max(r.elsewhere, runLength)
	}
	r.inside = own / float64(k)
	return r
}
