package cli

import (
	"fmt"
	"strings"
)

// Bounds that the figures are held against.
const (
	pixelBound   = 400.0  // ms, p99 from commit to pixel
	trafficBound = 1000.0 // bytes a second to a terminal of 80x24
)

// frameFigures is what `bench frame --json` prints.
type frameFigures struct {
	machineFigures
	Seconds float64        `json:"seconds"`
	Calm    pixelFigures   `json:"commit_to_pixel_single"`
	Steady  pixelFigures   `json:"commit_to_pixel_steady"`
	Traffic trafficFigures `json:"terminal_traffic"`
	Draw    []drawFigures  `json:"draw"`
}

// pixelFigures are times from the answer to a webhook to the bytes that show it.
type pixelFigures struct {
	Webhooks  int            `json:"webhooks"`
	LatencyMS latencyFigures `json:"latency_ms"`
	MaxMS     float64        `json:"max_ms"`
	Bound     float64        `json:"p99_bound_ms"`
}

type trafficFigures struct {
	BytesPerSecond float64 `json:"bytes_per_second"`
	Bound          float64 `json:"bytes_per_second_bound"`
}

// drawFigures are the cost of one call of View.
type drawFigures struct {
	Width  int     `json:"width"`
	Height int     `json:"height"`
	Micros float64 `json:"microseconds"`
	Allocs int64   `json:"allocs"`
	Bytes  int64   `json:"bytes"`
}

func pixelsOf(o *outcome) pixelFigures {
	return pixelFigures{
		Webhooks: o.posts, Bound: pixelBound, MaxMS: round3(o.percentile(1)),
		LatencyMS: latencyFigures{P50: round3(o.percentile(0.5)), P99: round3(o.percentile(0.99))},
	}
}

// text is the figures for people.
func (f *frameFigures) text() string {
	var b strings.Builder
	b.WriteString(f.machineFigures.text())
	fmt.Fprintf(&b, "a daemon and a console on a terminal of %dx%d, %g s each\n\n", frameWidth, frameHeight, f.Seconds)
	for _, p := range [...]struct {
		name string
		pixelFigures
	}{{"single webhooks", f.Calm}, {"a steady stream", f.Steady}} {
		fmt.Fprintf(&b, "commit to pixel, %-16s p50 %6.1f, p99 %6.1f, last %6.1f ms, of %d (p99 under %g: %s)\n",
			p.name+":", p.LatencyMS.P50, p.LatencyMS.P99, p.MaxMS, p.Webhooks, p.Bound, metOrNot(p.LatencyMS.P99 < p.Bound))
	}
	t := f.Traffic
	fmt.Fprintf(&b, "terminal traffic, four small changes a second: %.0f bytes a second (under %g: %s)\n", t.BytesPerSecond, t.Bound, metOrNot(t.BytesPerSecond < t.Bound))
	for _, d := range f.Draw {
		fmt.Fprintf(&b, "one View at %dx%d: %.0f µs, %d allocations, %d kB\n", d.Width, d.Height, d.Micros, d.Allocs, d.Bytes/1000)
	}
	return b.String()
}
