package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"tickwatch/monitor/link"
	"tickwatch/wa"
)

// forecast asks what would go out if this were opened or started.
func (s *session) forecast(ctx context.Context, args link.ForecastArgs) (*link.Forecast, error) {
	var f link.Forecast
	if err := s.do(ctx, link.VerbForecast, args, &f); err != nil {
		return nil, err
	}
	return &f, nil
}

// forecastText says how many go, how fast and until when, who gets nothing, and
// what else is paused.
func forecastText(f *link.Forecast, zone *time.Location, width int) string {
	var b strings.Builder
	head := people(f.Going) + " will get the message"
	if f.Going == 0 {
		head = "Nobody will get the message"
	}
	if f.Pace == "none" {
		head += ", as fast as Meta takes them"
	} else if f.Pace != "" {
		head += " at " + wa.Clean(f.Pace)
	}
	if f.EndsAt != nil {
		head += ", until about " + momentText(*f.EndsAt, zone)
	}
	if f.Going > 0 || len(f.Beside) == 0 {
		b.WriteString(head + ".\n")
	}
	if len(f.Beside) > 0 {
		b.WriteString(link.GoingBeside(f.Beside, f.Going > 0, amount) + "\n")
	}
	if len(f.LeftOut) > 0 {
		b.WriteString("Left out:\n" + leftOutText(f.LeftOut))
	}
	if f.Held != "" {
		b.WriteString("For now nothing goes out: " + wa.Clean(f.Held) + ".\n")
	}
	for _, g := range f.Closed {
		fmt.Fprintf(&b, "Stays paused: %s%s.\n", gateText(g.Scope, g.ID), pausedBy(&g, zone))
	}
	if text := faultsText(f.Findings, width); text != "" {
		b.WriteString("Found before:\n" + text)
	}
	return b.String()
}

// pausedBy says who paused, until when if it ends by itself, and why.
func pausedBy(g *link.Gate, zone *time.Location) string {
	text := ""
	if g.By != "" {
		text += " by " + wa.Clean(g.By)
	}
	if g.OpensAt != nil {
		text += " until " + momentText(*g.OpensAt, zone)
	}
	if g.Reason != "" {
		text += " (" + wa.Clean(g.Reason) + ")"
	}
	return text
}
