package cli

import (
	"fmt"
	"strings"
	"time"
)

// Floors and bounds of the queue.
const (
	sendFloor        = 1000.0    // messages a second
	sendShare        = 0.99      // of the floor: it is also all that Meta takes from one number
	sendGrowth       = 1.2       // cost of a message, the larger queue against the smaller
	pauseBound       = 50.0      // ms, p99
	pauseLimit       = 500.0     // ms, ever
	resumeBound      = 100.0     // ms
	importBound      = 30.0      // s for a million rows
	importMemory     = 150 << 20 // bytes
	importBoundsRows = 1_000_000
)

// queueFigures is what `bench queue --json` prints.
type queueFigures struct {
	machineFigures
	FsyncMS     latencyFigures `json:"fsync_ms"` // of one page, on the disk under test
	Rows        int            `json:"rows"`
	Fewer       int            `json:"fewer"` // rows of the queue that it is compared with
	Connections int            `json:"connections"`
	AnswerMS    float64        `json:"answer_ms"` // that the stand-in takes
	Rounds      int            `json:"rounds"`
	Seconds     float64        `json:"seconds"`
	Import      importFigures  `json:"import"`
	Send        sendFigures    `json:"send"`
	Pause       pauseFigures   `json:"pause"`
	Resume      resumeFigures  `json:"resume"`
	Accepted    int            `json:"accepted"` // messages that the stand-in's own log has, of both queues
	Unknown     int64          `json:"unknown"`  // of these, those whose answer is not known
	Twice       int            `json:"twice"`    // of these, second ones to a person
}

type importFigures struct {
	Seconds     float64 `json:"seconds"`           // upload included
	Processor   float64 `json:"processor_seconds"` // that daemon and command took meanwhile, of both processors
	PeakBytes   uint64  `json:"peak_bytes"`
	Bound       float64 `json:"seconds_bound"` // for as many rows
	MemoryBound uint64  `json:"peak_bytes_bound"`
}

// sendFigures compare queues. Rates and costs are medians of the rounds, Growth is
// the median of their ratios.
type sendFigures struct {
	PerSecond      float64 `json:"messages_per_second"`
	FewerPerSecond float64 `json:"messages_per_second_of_fewer"`
	Floor          float64 `json:"messages_per_second_floor"`
	CostMS         float64 `json:"processor_ms_per_message"` // of the daemon, webhooks included
	FewerCostMS    float64 `json:"processor_ms_per_message_of_fewer"`
	Growth         float64 `json:"cost_growth"`
	GrowthBound    float64 `json:"cost_growth_bound"`
}

// pauseFigures run from the moment before the command is sent.
type pauseFigures struct {
	Pauses    int            `json:"pauses"`
	PerSecond float64        `json:"messages_per_second"` // begun meanwhile, before each
	LastMS    latencyFigures `json:"last_request_ms"`     // until the last request begins, as the stand-in read it
	MaxMS     float64        `json:"last_request_max_ms"`
	BegunMS   latencyFigures `json:"last_begun_ms"` // until the daemon let the last one begin, by its own word
	AnswerMS  latencyFigures `json:"answer_ms"`     // until the answer is here
	// Late counts pauses after whose answer the stand-in still read a request that had
	// been written to its connection before, and LateMaxMS says how long after.
	Late      int     `json:"read_after_answer"`
	LateMaxMS float64 `json:"read_after_answer_max_ms"`

	Bound float64 `json:"p99_bound_ms"`
	Limit float64 `json:"max_bound_ms"`
}

type resumeFigures struct {
	FirstMS latencyFigures `json:"first_request_ms"` // until the first request begins
	MaxMS   float64        `json:"first_request_max_ms"`
	Bound   float64        `json:"bound_ms"`
}

// queueRound is what one measurement of a queue at work gave.
type queueRound struct {
	rate float64       // messages handed over a second
	cost time.Duration // processor time of this process for each
}

// sendOf compares rounds of the larger and the smaller queue.
func sendOf(more, fewer []queueRound) sendFigures {
	var rates, fewerRates, costs, fewerCosts, ratios []float64
	for i := range more {
		rates, fewerRates = append(rates, more[i].rate), append(fewerRates, fewer[i].rate)
		costs, fewerCosts = append(costs, ms(more[i].cost)), append(fewerCosts, ms(fewer[i].cost))
		ratios = append(ratios, float64(more[i].cost)/float64(fewer[i].cost))
	}
	return sendFigures{
		PerSecond: round3(median(rates)), FewerPerSecond: round3(median(fewerRates)), Floor: sendFloor,
		CostMS: round3(median(costs)), FewerCostMS: round3(median(fewerCosts)), Growth: round3(median(ratios)), GrowthBound: sendGrowth,
	}
}

// queueStop is what one resume and the pause after it gave.
type queueStop struct {
	first       time.Duration // from the resume until the first request was read
	last, begun time.Duration // from the pause until the last one was read, or begun by the daemon's word
	answer      time.Duration // from the pause to its answer
	late        time.Duration // from there until the last one was read; mostly below 0
	rate        float64       // requests a second between them
}

func stopsOf(all []queueStop) (p pauseFigures, r resumeFigures) {
	var first, last, begun, answer []time.Duration
	var rates []float64
	for _, o := range all {
		first, last, begun, answer = append(first, o.first), append(last, o.last), append(begun, o.begun), append(answer, o.answer)
		rates = append(rates, o.rate)
		if o.late > 0 {
			p.Late++
			p.LateMaxMS = max(p.LateMaxMS, round3(ms(o.late)))
		}
	}
	p.Pauses, p.PerSecond, p.Bound, p.Limit, r.Bound = len(all), round3(median(rates)), pauseBound, pauseLimit, resumeBound
	p.LastMS, p.MaxMS = spread(last)
	p.BegunMS, _ = spread(begun)
	p.AnswerMS, _ = spread(answer)
	r.FirstMS, r.MaxMS = spread(first)
	return p, r
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// spread sums up latencies.
func spread(all []time.Duration) (f latencyFigures, most float64) {
	o := outcome{latencies: all}
	o.sort()
	return latencyFigures{P50: round3(o.percentile(0.5)), P99: round3(o.percentile(0.99))}, round3(o.percentile(1))
}

// text is the figures for people.
func (f *queueFigures) text() string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	b.WriteString(f.machineFigures.text())
	line("a page is synced in %.2f ms (p99 %.2f)", f.FsyncMS.P50, f.FsyncMS.P99)
	line("%d connections from one number, answers after %.0f ms, medians of %d rounds of %g s\n", f.Connections, f.AnswerMS, f.Rounds, f.Seconds)
	i := &f.Import
	line("import of %s: %.1f s (under %.1f: %s), %.1f s of a processor, the daemon's memory at most %d MB (under %d: %s)", plural(int64(f.Rows), "row"),
		i.Seconds, i.Bound, metOrNot(i.Seconds < i.Bound), i.Processor, i.PeakBytes>>20, i.MemoryBound>>20, metOrNot(i.PeakBytes < i.MemoryBound))
	s := &f.Send
	line("handed over from a queue of %s: %.0f messages/s, each attempt on disk before (%.0f, all that Meta takes from a number: %s)",
		plural(int64(f.Rows), "row"), s.PerSecond, s.Floor, metOrNot(s.PerSecond >= s.Floor*sendShare))
	line("a message costs the daemon %.2f ms of a processor, webhooks included; of %s %.2f ms: ratio %.2f (under %g: %s)",
		s.CostMS, plural(int64(f.Fewer), "row"), s.FewerCostMS, s.Growth, s.GrowthBound, metOrNot(s.Growth <= s.GrowthBound))
	p := &f.Pause
	line("%d pauses at %.0f messages/s, from the command to the last start of a request: p50 %.1f, p99 %.1f, max %.1f ms (p99 under %g: %s; never over %g: %s)",
		p.Pauses, p.PerSecond, p.LastMS.P50, p.LastMS.P99, p.MaxMS, p.Bound, metOrNot(p.LastMS.P99 < p.Bound), p.Limit, metOrNot(p.MaxMS < p.Limit))
	line("  by the daemon's word: p50 %.1f, p99 %.1f ms; until its answer: p50 %.1f, p99 %.1f ms", p.BegunMS.P50, p.BegunMS.P99, p.AnswerMS.P50, p.AnswerMS.P99)
	if p.Late > 0 {
		line("  after the answer the stand-in came to read requests that had left before: %s, up to %.1f ms late", plural(int64(p.Late), "time"), p.LateMaxMS)
	}
	r := &f.Resume
	line("from a resume to the first start: p50 %.1f, p99 %.1f, max %.1f ms (under %g: %s)", r.FirstMS.P50, r.FirstMS.P99, r.MaxMS, r.Bound, metOrNot(r.FirstMS.P99 < r.Bound))
	line("the stand-in's own log: %s accepted, %d unknown here, %d to somebody twice (none: %s)",
		plural(int64(f.Accepted), "message"), f.Unknown, f.Twice, metOrNot(f.Twice == 0))
	return b.String()
}
