package cli

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// Bounds that the figures are held against.
const (
	openBound   = 50.0      // ms, p99 at Meta's own rates
	burstBound  = 250.0     // ms, median of large POSTs that come together
	memoryBound = 150 << 20 // bytes
)

// ingestFigures is what `bench ingest --json` prints.
type ingestFigures struct {
	At          time.Time       `json:"at"`
	Version     string          `json:"version"`
	Go          string          `json:"go"`
	System      string          `json:"system"`
	CPUs        int             `json:"cpus"`
	FsyncMS     latencyFigures  `json:"fsync_ms"` // of one page, on the disk under test
	Connections int             `json:"connections"`
	Rounds      int             `json:"rounds"`
	Seconds     float64         `json:"seconds"`
	Closed      []closedFigures `json:"closed"`
	Open        []openFigures   `json:"open"`
	Burst       *burstFigures   `json:"burst,omitempty"`
	Memory      memoryFigures   `json:"memory_bytes"`
}

// memoryFigures are of the whole process, in bytes, the load generator included
// and the requests that lie ready left out; 0 = unknown.
type memoryFigures struct {
	Demand uint64 `json:"demand"` // open loop and burst, the pipeline alone
	Closed uint64 `json:"closed"` // closed loops, with what is compared
}

type latencyFigures struct {
	P50 float64 `json:"p50"`
	P99 float64 `json:"p99"`
}

// closedFigures compares the handlers on POSTs of one size. Rates are medians
// of the rounds; ratios are medians of the rounds' own ratios.
type closedFigures struct {
	Campaigns    string      `json:"campaigns"` // own or external
	Statuses     int         `json:"statuses_per_post"`
	Ceiling      sideFigures `json:"ceiling"`
	Tutorial     sideFigures `json:"tutorial"`
	Pipeline     sideFigures `json:"pipeline"`
	OverTutorial float64     `json:"pipeline_over_tutorial"`
	Floor        float64     `json:"pipeline_over_tutorial_floor"`
	OverCeiling  float64     `json:"pipeline_over_ceiling"`
	CeilingFloor float64     `json:"pipeline_over_ceiling_floor,omitempty"`
}

type sideFigures struct {
	Posts     float64        `json:"posts_per_second"`
	Statuses  float64        `json:"statuses_per_second"`
	LatencyMS latencyFigures `json:"latency_ms"`
	Rounds    []float64      `json:"rounds"` // POSTs a second of each
}

// openFigures are latencies at a fixed rate, from the moment that each POST was due.
type openFigures struct {
	Statuses  int            `json:"statuses_per_post"`
	Asked     int            `json:"posts_per_second_asked"`
	Posts     float64        `json:"posts_per_second"`
	LatencyMS latencyFigures `json:"latency_ms"`
	P999MS    float64        `json:"p999_ms"`
	Bound     float64        `json:"p99_bound_ms"`
}

type burstFigures struct {
	Posts    int     `json:"posts"`
	Statuses int     `json:"statuses_per_post"`
	MedianMS float64 `json:"median_ms"` // median of the rounds' medians
	MaxMS    float64 `json:"max_ms"`
	Bound    float64 `json:"median_bound_ms"`
}

// compareRounds sums up rounds of ceiling, tutorial and pipeline.
func compareRounds(size *benchSize, seen [3][]*outcome) *closedFigures {
	n := size.n
	var overTutorial, overCeiling []float64
	for i, pipeline := range seen[2] {
		overCeiling = append(overCeiling, pipeline.rate()/seen[0][i].rate())
		overTutorial = append(overTutorial, pipeline.rate()/seen[1][i].rate())
	}
	return &closedFigures{
		Campaigns: size.campaigns(), Floor: size.floor, CeilingFloor: size.ceilingFloor,
		Statuses: n, Ceiling: sideOf(n, seen[0]), Tutorial: sideOf(n, seen[1]), Pipeline: sideOf(n, seen[2]),
		OverTutorial: round3(median(overTutorial)), OverCeiling: round3(median(overCeiling)),
	}
}

func sideOf(n int, rounds []*outcome) sideFigures {
	var rates, p50, p99 []float64
	for _, o := range rounds {
		rates = append(rates, math.Round(o.rate()))
		p50, p99 = append(p50, o.percentile(0.5)), append(p99, o.percentile(0.99))
	}
	posts := median(rates)
	return sideFigures{
		Posts: posts, Statuses: posts * float64(n), Rounds: rates,
		LatencyMS: latencyFigures{P50: round3(median(p50)), P99: round3(median(p99))},
	}
}

func openOf(n, asked int, o *outcome) openFigures {
	return openFigures{
		Statuses: n, Asked: asked, Posts: math.Round(o.rate()), Bound: openBound,
		LatencyMS: latencyFigures{P50: round3(o.percentile(0.5)), P99: round3(o.percentile(0.99))}, P999MS: round3(o.percentile(0.999)),
	}
}

// median is the middle one, the mean of two if their number is even; 0 of none.
func median(values []float64) float64 {
	v := slices.Sorted(slices.Values(values))
	switch n := len(v); {
	case n == 0:
		return 0
	case n%2 == 0:
		return (v[n/2-1] + v[n/2]) / 2
	default:
		return v[n/2]
	}
}

func round3(x float64) float64 { return math.Round(x*1000) / 1000 }

// text is the figures for people.
func (f *ingestFigures) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, %s, %d processors; a page is synced in %.2f ms (p99 %.2f)\n", f.Go, f.System, f.CPUs, f.FsyncMS.P50, f.FsyncMS.P99)
	fmt.Fprintf(&b, "%d connections on loopback\n\n", f.Connections)
	for _, o := range f.Open {
		fmt.Fprintf(&b, "at %d POST/s of %d (%.0f reached), from when each was due: p50 %.2f, p99 %.2f, p99.9 %.2f ms (p99 under %g: %s)\n",
			o.Asked, o.Statuses, o.Posts, o.LatencyMS.P50, o.LatencyMS.P99, o.P999MS, o.Bound, metOrNot(o.LatencyMS.P99 < o.Bound))
	}
	if u := f.Burst; u != nil {
		fmt.Fprintf(&b, "%d POSTs of %d at once: median %.0f ms, last %.0f ms (median under %g: %s)\n",
			u.Posts, u.Statuses, u.MedianMS, u.MaxMS, u.Bound, metOrNot(u.MedianMS < u.Bound))
	}
	if m := f.Memory.Demand; m > 0 {
		fmt.Fprintf(&b, "memory at most %d MB meanwhile, load generator included (under %d: %s)\n",
			m>>20, memoryBound>>20, metOrNot(m < memoryBound))
	}
	fmt.Fprintf(&b, "\nas fast as answers come, medians of %d rounds of %g s:\n", f.Rounds, f.Seconds)
	fmt.Fprintf(&b, "%-8s  %-12s %10s %12s %9s %9s\n", "per POST", "", "POST/s", "statuses/s", "p50 ms", "p99 ms")
	for _, c := range f.Closed {
		for i, s := range [...]struct {
			name string
			sideFigures
		}{{"answers only", c.Ceiling}, {"tutorial", c.Tutorial}, {"tickwatch", c.Pipeline}} {
			size := ""
			switch i {
			case 0:
				size = fmt.Sprint(c.Statuses)
			case 1:
				size = c.Campaigns
			}
			fmt.Fprintf(&b, "%8s  %-12s %10.0f %12.0f %9.2f %9.2f\n", size, s.name, s.Posts, s.Statuses, s.LatencyMS.P50, s.LatencyMS.P99)
		}
		fmt.Fprintf(&b, "%8s  tickwatch is %.2f of tutorial (floor %g: %s), %.2f of answers only%s\n\n", "",
			c.OverTutorial, c.Floor, metOrNot(c.OverTutorial >= c.Floor), c.OverCeiling, c.ceilingVerdict())
	}
	if m := f.Memory.Closed; m > 0 {
		fmt.Fprintf(&b, "memory at most %d MB meanwhile, tutorial and load generator included\n", m>>20)
	}
	return b.String()
}

func (c *closedFigures) ceilingVerdict() string {
	if c.CeilingFloor == 0 {
		return ""
	}
	return fmt.Sprintf(" (floor %g: %s)", c.CeilingFloor, metOrNot(c.OverCeiling >= c.CeilingFloor))
}

func metOrNot(ok bool) string {
	if ok {
		return "met"
	}
	return "NOT met"
}
