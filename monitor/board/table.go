package board

import (
	"context"
	"fmt"
	"strings"
)

// Board is all that was played.
type Board struct {
	Seed   uint64     `json:"seed"`
	Rows   []Row      `json:"incidents"`
	Bounds []Bound    `json:"bounds"`
	Causes []CauseRow `json:"causes"`
}

// Make plays everything, or as much as ctx lets it.
func Make(ctx context.Context, seeds int, seed uint64, processors int) Board {
	rows := Play(ctx, Incidents(), seeds, seed, processors)
	if ctx.Err() != nil {
		return Board{Seed: seed, Rows: rows}
	}
	return Board{Seed: seed, Rows: rows, Bounds: Bounds(max(seeds, 200), seed), Causes: Causes(min(seeds, 200), seed)}
}

// Markdown draws the board as tables.
func (b *Board) Markdown() string {
	var out strings.Builder
	line := func(format string, a ...any) { fmt.Fprintf(&out, format+"\n", a...) }
	line("| campaign | alarm | wrong | found | judged, median / 95 %% | seconds, median / 95 %% | plain rule: wrong | found | seconds |\n|---|---|---|---|---|---|---|---|---|")
	for _, r := range b.Rows {
		found, judged, seconds, plainFound, plainSeconds := "", "", "", "", ""
		if r.Expected != "" {
			found, judged, seconds = share100(r.Found), pair(r.Judged, r.Late), pair(r.Seconds, r.Slow)
		}
		if r.Expected == "reports" {
			judged += " counted, " + pair(r.Delivered, r.LateDelivered) + " delivered"
		}
		if r.Expected == "delivery" {
			plainFound, plainSeconds = share100(r.PlainFound), number(r.PlainSeconds)
		}
		line("| %s | %s | %s | %s | %s | %s | %s | %s | %s |", r.Name, r.Expected, share100(r.Wrong), found, judged, seconds, share100(r.PlainWrong), plainFound, plainSeconds)
	}
	line("\n| a test that knew all beforehand | judged, median |\n|---|---|")
	for _, x := range b.Bounds {
		line("| %.0f %% arrive%s | %s |", 100*x.Rate, inRuns(x.Run), number(x.Judged))
	}
	line("\n| cause | right |\n|---|---|")
	for _, x := range b.Causes {
		line("| %s | %s |", x.Name, share100(x.Right))
	}
	return out.String()
}

func share100(s float64) string {
	return strings.TrimSuffix(strings.TrimSuffix(fmt.Sprintf("%.1f", 100*s), "0"), ".") + " %"
}

func number(n int64) string {
	if n < 0 {
		return "–"
	}
	return fmt.Sprint(n)
}

func pair(a, b int64) string { return number(a) + " / " + number(b) }
