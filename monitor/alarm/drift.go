package alarm

import (
	"math"
	"slices"
	"sort"
)

// cell is a stretch of messages that follow each other: how many are old enough to
// be judged, and how many of these are bad.
type cell struct {
	At     int64 // when it begins: it orders the cells and names them
	N, Bad int64
}

// line is a share of bad messages that a drift tests whether it is crossed.
type line struct {
	Share  float64
	Accuse float64 // so much evidence accuses: see drift
	Acquit float64 // and so much takes that back
}

// drift tells whether more messages are bad at present than lines allow. It is for
// one goroutine.
//
// Messages are taken in blocks of some that follow each other. For every
// block at which trouble may have begun, an e-process bets that since then more are
// bad than the line: a mixture of the chances under shares beyond the line, divided
// by the greatest chance under any share within it, both over all degrees of
// clustering (universal inference). The evidence is the sum of these bets, the
// Shiryaev-Roberts form of an e-detector: it judges the present rate however long
// all was well before, and may be looked at after every block. A rate on the line
// is accused after as many blocks as Accuse says, or later, on average. Once
// accused, the same bet the other way round decides when it is over.
type drift struct {
	model  *model
	lines  []line
	size   int64 // of a block, at least
	least  int64 // bad messages that accuse, at least
	cells  []cell
	dirty  int         // the first cell that has changed since the last look
	blocks []block     // what the cells make
	sums   [][]float64 // log-likelihoods by point, of all blocks before each and of all
	stands [][]standing
	spare  [][]float64 // rows of sums to be used again
	scan   scan

	trimmed bool // older cells were forgotten
}

type block struct {
	to     int // the cell after its last
	n, bad int64
}

// standing is where a line stands before a block.
type standing struct {
	accused  bool
	from     int     // no bet begins before this block
	evidence float64 // for what would change it
	best     int     // the block since which the evidence speaks most
}

const (
	blockSize = 20  // messages
	lookBack  = 256 // blocks in which the beginning of trouble is looked for
	keep      = 2 * lookBack
)

// newDrift makes a drift for one or two lines of rising share.
func newDrift(lines []line, of *kind, size int64) *drift {
	d := &drift{lines: lines, model: modelFor(lines, of), size: size}
	d.sums = [][]float64{make([]float64, len(d.model.points))}
	d.stands = [][]standing{make([]standing, len(lines))}
	d.scan.init(d.model)
	return d
}

// Add adds to a cell, a new one or one that is known; what it adds may be negative.
// Cells may come in any order; what is older than all that is looked at is ignored.
func (d *drift) Add(c cell) {
	if c.N == 0 && c.Bad == 0 {
		return
	}
	i := sort.Search(len(d.cells), func(i int) bool { return d.cells[i].At >= c.At })
	switch {
	case i < len(d.cells) && d.cells[i].At == c.At:
		d.cells[i].N += c.N
		d.cells[i].Bad += c.Bad
	case i == 0 && d.trimmed:
		return
	default:
		d.cells = slices.Insert(d.cells, i, c)
	}
	d.dirty = min(d.dirty, i)
}

// look brings everything up to date with the cells.
func (d *drift) look() {
	known := sort.Search(len(d.blocks), func(i int) bool { return d.blocks[i].to > d.dirty })
	d.forget(known)
	at := 0
	if known > 0 {
		at = d.blocks[known-1].to
	}
	var b block
	for ; at < len(d.cells); at++ {
		b.n, b.bad, b.to = b.n+d.cells[at].N, b.bad+d.cells[at].Bad, at+1
		if b.n >= d.size {
			d.add(b)
			b = block{}
		}
	}
	d.dirty = len(d.cells)
	if len(d.blocks) > keep {
		d.trim(len(d.blocks) - lookBack)
	}
}

// forget takes back all blocks but the first ones.
func (d *drift) forget(known int) {
	d.blocks = d.blocks[:known]
	d.spare = append(d.spare, d.sums[known+1:]...)
	d.sums, d.stands = d.sums[:known+1], d.stands[:known+1]
}

// trim forgets the oldest blocks.
func (d *drift) trim(blocks int) {
	cells := d.blocks[blocks-1].to
	d.cells = slices.Delete(d.cells, 0, cells)
	d.blocks = slices.Delete(d.blocks, 0, blocks)
	for i := range d.blocks {
		d.blocks[i].to -= cells
	}
	d.spare = append(d.spare, d.sums[:blocks]...)
	d.sums = slices.Delete(d.sums, 0, blocks)
	d.stands = slices.Delete(d.stands, 0, blocks)
	for _, of := range d.stands {
		for i := range of {
			of[i].from, of[i].best = max(0, of[i].from-blocks), max(0, of[i].best-blocks)
		}
	}
	d.dirty, d.trimmed = len(d.cells), true
}

// add judges one block more.
func (d *drift) add(b block) {
	before := d.sums[len(d.blocks)]
	var row []float64
	if n := len(d.spare); n > 0 {
		row, d.spare = d.spare[n-1], d.spare[:n-1]
	} else {
		row = make([]float64, len(before))
	}
	for p := range row {
		row[p] = before[p] + d.model.likelihood(p, b.n, min(max(b.bad, 0), b.n))
	}
	d.blocks, d.sums = append(d.blocks, b), append(d.sums, row)
	d.stands = append(d.stands, d.stand())
}

// stand judges the lines after the newest block.
func (d *drift) stand() []standing {
	now := len(d.blocks)
	out := slices.Clone(d.stands[len(d.stands)-1])
	for i := range out {
		out[i].evidence, out[i].best = 0, now
	}
	most := [2]float64{math.Inf(-1), math.Inf(-1)}
	for k := now - 1; k >= max(0, now-lookBack); k -= step(now - k) {
		d.scan.since(d.sums[now], d.sums[k])
		for i := range out {
			s := &out[i]
			if k < s.from {
				continue
			}
			bet := d.bet(d.lines[i].Share, s.accused)
			s.evidence += math.Exp(bet)
			if bet > most[i] { // of equals the latest
				most[i], s.best = bet, k
			}
		}
	}
	for i := range out {
		s, l := &out[i], &d.lines[i]
		switch {
		case !s.accused && s.evidence >= l.Accuse && d.badSince(s.best) >= d.least:
			*s = standing{accused: true, from: now, best: s.best}
		case s.accused && s.evidence >= l.Acquit:
			*s = standing{from: s.best, best: s.best}
		}
	}
	return out
}

// badSince counts the bad messages since a block.
func (d *drift) badSince(from int) (bad int64) {
	for _, b := range d.blocks[from:] {
		bad += b.bad
	}
	return bad
}

// bet is the logarithm of the bet since the block that was scanned that more are bad
// than a share, or, reversed, that fewer are.
func (d *drift) bet(share float64, reversed bool) float64 {
	lo, hi := d.model.around(share)
	if reversed {
		return d.scan.bet(0, lo, lo, len(d.model.shares), true)
	}
	return d.scan.bet(hi, len(d.model.shares), 0, hi, false)
}

// evidence is the sum of the bets that began at a block or later and lasted till now.
func (d *drift) evidence(share float64, reversed bool, from int) (sum float64, best int) {
	now, most := len(d.blocks), math.Inf(-1)
	best = now
	for k := now - 1; k >= max(from, now-lookBack); k -= step(now - k) {
		d.scan.since(d.sums[now], d.sums[k])
		bet := d.bet(share, reversed)
		sum += math.Exp(bet)
		if bet > most {
			most, best = bet, k
		}
	}
	return sum, best
}

// step is how far apart the beginnings of bets are, so many blocks ago: what began
// long ago need not be told from what began some blocks later.
func step(ago int) int {
	switch {
	case ago < 32:
		return 1
	case ago < 64:
		return 4
	}
	return 8
}

// scan compares chances since one block.
type scan struct {
	clusters int
	weights  []float64 // logarithms, by clustering
	ranks    []float64 // by how near a share is to the line: nearer ones weigh more, for they take longest to show
	whole    []float64 // by how many shares: of their ranks' sum
	chances  []float64 // since the block, by point
	best     []float64 // of these, by share
}

func (s *scan) init(m *model) {
	s.clusters = len(m.clusters)
	for _, c := range m.clusters {
		s.weights = append(s.weights, math.Log(c.weight))
	}
	s.whole = append(s.whole, math.Inf(-1))
	sum := 0.0
	for i := range m.shares {
		s.ranks = append(s.ranks, -math.Log(float64(i+1)))
		sum += 1 / float64(i+1)
		s.whole = append(s.whole, math.Log(sum))
	}
	s.chances, s.best = make([]float64, len(m.points)), make([]float64, len(m.shares))
}

// since works out the chances since a block.
func (s *scan) since(now, before []float64) {
	p := 0
	for i := range s.best {
		best := math.Inf(-1)
		for range s.clusters {
			v := now[p] - before[p]
			s.chances[p] = v
			if v > best {
				best = v
			}
			p++
		}
		s.best[i] = best
	}
}

// tooLittle is below what a bet's logarithm is not worked out: it adds nothing.
const tooLittle = -4

// bet is the logarithm of the mixture of chances of some shares, weighed from the
// line on, over the greatest chance of others.
func (s *scan) bet(altFrom, altTo, nullFrom, nullTo int, reversed bool) float64 {
	null, alt := slices.Max(s.best[nullFrom:nullTo]), math.Inf(-1)
	for i := altFrom; i < altTo; i++ {
		alt = max(alt, s.best[i]+s.rank(i, altFrom, altTo, reversed))
	}
	if alt-null < tooLittle { // it is no more than that
		return alt - null
	}
	sum := 0.0
	for i := altFrom; i < altTo; i++ {
		rank := s.rank(i, altFrom, altTo, reversed)
		for c, w := range s.weights {
			if v := s.chances[i*s.clusters+c] + w + rank - alt; v > -8 {
				sum += math.Exp(v)
			}
		}
	}
	return alt - null + math.Log(sum) - s.whole[altTo-altFrom]
}

func (s *scan) rank(i, from, to int, reversed bool) float64 {
	if reversed {
		return s.ranks[to-1-i]
	}
	return s.ranks[i-from]
}
