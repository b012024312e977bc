package cli

import (
	"fmt"
	"strings"
)

// Bounds that the figures are held against.
const (
	growthFloor         = 0.6  // of the rate with a tenth of the messages; of campaigns of another system
	growthFloorOwn      = 0.85 // the same, of our own
	consoleFloor        = 0.90 // of the rate without a console
	snapshotBound       = 5.0  // ms
	restartAnswerBound  = 1.0  // seconds
	restartFiguresBound = 3.0  // seconds
)

// storedFigures is what `bench stored --json` prints. Rates are statuses a second.
type storedFigures struct {
	machineFigures
	Campaigns   string          `json:"campaigns"`
	Messages    int             `json:"messages"`
	Fewer       int             `json:"fewer_messages"` // in the store that is compared with
	StoredBytes int64           `json:"stored_bytes"`
	Rounds      int             `json:"rounds"`
	Seconds     float64         `json:"seconds"`
	Growth      growthFigures   `json:"growth"`
	Snapshot    snapshotFigures `json:"snapshot"`
	Console     consoleFigures  `json:"console"`
	Restart     restartFigures  `json:"restart"`
}

// growthFigures compare the two stores, fed in process.
type growthFigures struct {
	Fewer float64 `json:"fewer_statuses_per_second"`
	More  float64 `json:"statuses_per_second"`
	Ratio float64 `json:"ratio"`
	Floor float64 `json:"ratio_floor"`
}

// snapshotFigures are the cost of one: judged, drawn up, encoded and handed on.
type snapshotFigures struct {
	LatencyMS latencyFigures `json:"latency_ms"`
	Bound     float64        `json:"p99_bound_ms"`
}

// consoleFigures compare webhooks over HTTP without a console and with one.
type consoleFigures struct {
	Alone   float64 `json:"alone_statuses_per_second"`
	Watched float64 `json:"watched_statuses_per_second"`
	Ratio   float64 `json:"ratio"`
	Floor   float64 `json:"ratio_floor"`
}

// restartFigures are seconds from the start of the daemon.
type restartFigures struct {
	Answer       float64 `json:"answer_seconds"`
	AnswerBound  float64 `json:"answer_bound_seconds"`
	Figures      float64 `json:"figures_seconds"`
	FiguresBound float64 `json:"figures_bound_seconds"`
}

// text is the figures for people.
func (f *storedFigures) text() string {
	var b strings.Builder
	b.WriteString(f.machineFigures.text())
	fmt.Fprintf(&b, "%d messages of %s campaigns, %.1f GB; medians of %d rounds of %g s\n\n", f.Messages, f.Campaigns, float64(f.StoredBytes)/1e9, f.Rounds, f.Seconds)
	fmt.Fprintf(&b, "ingest in process:  %.0f statuses/s with %d stored, %.0f with %d: %.2f (floor %g: %s)\n",
		f.Growth.Fewer, f.Fewer, f.Growth.More, f.Messages, f.Growth.Ratio, f.Growth.Floor, metOrNot(f.Growth.Ratio >= f.Growth.Floor))
	fmt.Fprintf(&b, "ingest over HTTP:   %.0f statuses/s, with a console at %d snapshots/s %.0f: %.2f (floor %g: %s)\n",
		f.Console.Alone, snapshotRate, f.Console.Watched, f.Console.Ratio, f.Console.Floor, metOrNot(f.Console.Ratio >= f.Console.Floor))
	fmt.Fprintf(&b, "a snapshot:         p50 %.2f, p99 %.2f ms (under %g: %s)\n",
		f.Snapshot.LatencyMS.P50, f.Snapshot.LatencyMS.P99, f.Snapshot.Bound, metOrNot(f.Snapshot.LatencyMS.P99 < f.Snapshot.Bound))
	fmt.Fprintf(&b, "a restart:          answers a webhook after %.3f s (under %g: %s), shows the same figures after %.3f s (under %g: %s)\n",
		f.Restart.Answer, f.Restart.AnswerBound, metOrNot(f.Restart.Answer < f.Restart.AnswerBound),
		f.Restart.Figures, f.Restart.FiguresBound, metOrNot(f.Restart.Figures < f.Restart.FiguresBound))
	return b.String()
}
