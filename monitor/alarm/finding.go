package alarm

import "math"

// finding is what a drift says of one of its lines.
type finding struct {
	Accused  bool
	Evidence float64 // for what would change that; see line
	Since    int64   // the cell since which it speaks most
	N, Bad   int64   // messages since then, or of the last blocks where nothing speaks
	Beyond   float64 // while accused: a share that more than is bad, as surely as the line is crossed; else 0
	from     int     // the block since which it speaks most
}

// calmBlocks are looked at where nothing speaks against the present rate.
const calmBlocks = 25

// Judge says how the lines stand, in their order.
func (d *drift) Judge() []finding {
	d.look()
	out := make([]finding, len(d.lines))
	for i, s := range d.stands[len(d.stands)-1] {
		f := &out[i]
		f.Accused, f.Evidence = s.accused, s.evidence
		from := max(s.from, len(d.blocks)-calmBlocks)
		if s.accused {
			from = d.worst(d.lines[i].Share)
			f.Beyond = d.beyond(&d.lines[i])
		} else if s.evidence > 1 {
			from = s.best
		}
		f.N, f.Bad, f.from = d.countFrom(from)
		if from < len(d.blocks) {
			at := 0
			if from > 0 {
				at = d.blocks[from-1].to
			}
			f.Since = d.cells[at].At
		}
	}
	return out
}

// within tells whether fewer are surely bad than a line, since a cell.
func (d *drift) within(line int, since int64) bool {
	from := len(d.blocks)
	for from > 0 && d.cells[d.blocks[from-1].to-1].At >= since && len(d.blocks)-from < lookBack {
		from--
	}
	if from < len(d.blocks) { // the longest bet mostly says it
		d.scan.since(d.sums[len(d.blocks)], d.sums[from])
		if math.Exp(d.bet(d.lines[line].Share, true)) >= well {
			return true
		}
	}
	sum, _ := d.evidence(d.lines[line].Share, true, from)
	return sum >= well
}

// worst is the block since which a line looks crossed the most.
func (d *drift) worst(share float64) int {
	_, best := d.evidence(share, false, max(0, len(d.blocks)-lookBack))
	return best
}

// countFrom sums the messages since a block.
func (d *drift) countFrom(from int) (n, bad int64, at int) {
	from = min(from, len(d.blocks))
	for _, b := range d.blocks[from:] {
		n, bad = n+b.n, bad+b.bad
	}
	return n, bad, from
}

// beyond is the greatest share of the model's that is crossed by the same evidence as the line.
func (d *drift) beyond(l *line) float64 {
	from := max(0, len(d.blocks)-lookBack)
	out := l.Share
	for _, share := range d.model.shares {
		if share <= l.Share {
			continue
		}
		if sum, _ := d.evidence(share, false, from); sum < l.Accuse {
			break
		}
		out = share
	}
	return out
}

// more is about how many messages would make the present rate plain, beyond a line
// or within it; 0 = none, -1 = that cannot be said.
func (d *drift) more(line int, f *finding) int64 {
	if f.N == 0 {
		return -1
	}
	l := &d.lines[line]
	rate := (float64(f.Bad) + 0.5) / (float64(f.N) + 1)
	need, have := l.Accuse, f.Evidence
	if rate <= l.Share {
		need = well
		have, _ = d.evidence(l.Share, true, f.from)
	}
	if have = max(have, 1); have >= need {
		return 0
	}
	gain := divergence(rate, l.Share) / (1 + float64(d.size-1)*d.clustering(f.from))
	if gain < 1e-4 {
		return -1
	}
	return int64(math.Ceil(math.Log(need/have)/gain/blockSize)) * blockSize
}

// clustering is the correlation that fits the blocks since one the best.
func (d *drift) clustering(from int) float64 {
	row, most, rho := d.sums[len(d.blocks)], math.Inf(-1), 0.0
	for p := range row {
		if v := row[p] - d.sums[min(from, len(d.blocks))][p]; v > most {
			most, rho = v, d.model.points[p].rho
		}
	}
	return rho
}

// divergence is how much a message tells, in nats, that one rate and not another holds.
func divergence(rate, other float64) float64 {
	return rate*math.Log(rate/other) + (1-rate)*math.Log((1-rate)/(1-other))
}
