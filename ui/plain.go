package ui

import (
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"tickwatch/monitor/link"
	"tickwatch/ui/pane"
)

// Plain is a snapshot as plain text, without colour, escapes or boxes: for
// scripts, logs and terminals that cannot draw. Times are in zone (nil is UTC);
// lines are wrapped at width, 0 is 80. It ends with a line break.
func Plain(s *link.Snapshot, zone *time.Location, width int) string {
	if width <= 0 {
		width = 80
	}
	var b strings.Builder
	for _, line := range pane.Plain(cleaned(s), zone) {
		indent := len(line) - len(strings.TrimLeft(line, " "))
		text := ansi.Wrap(line[indent:], max(width-indent, 10), "")
		for i, part := range strings.Split(text, "\n") {
			if i == 1 {
				indent += 2
			}
			b.WriteString(strings.Repeat(" ", indent) + strings.TrimSpace(part) + "\n")
		}
	}
	return b.String()
}
