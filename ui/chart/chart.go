// Package chart draws small charts out of block characters: a sparkline in one
// row, columns over several, a bar, heat cells. Everything is pure: numbers and a size in,
// plain text out, every row exactly as wide as asked, without styles.
//
// A value that is not known is NaN and leaves its place empty; it is never
// drawn as zero. One that nobody could know, for nothing was heard, is Gap.
package chart

import (
	"math"
	"strings"
)

// blocks are the eight fillings of a cell, from the bottom.
var blocks = [...]rune{'▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'}

// Gap is a value that is missing because nothing was heard of it: a dashed line of
// the chart's whole height, and no column. It is a NaN of its own.
var Gap = math.Float64frombits(gapBits)

const gapBits = 0x7ff8_0000_0000_0717

// IsGap tells whether a value is Gap.
func IsGap(v float64) bool { return math.Float64bits(v) == gapBits }

// Dash is what a gap is drawn with.
const Dash = '┊'

// Spark draws the latest values in one row of the given width, one cell each,
// oldest first. Values are clamped to lo…hi; even the lowest is seen, and the
// highest leaves a gap to the row above.
func Spark(values []float64, lo, hi float64, width int) string {
	if width <= 0 {
		return ""
	}
	return row(values[max(0, len(values)-width):], width, func(v float64) int { return level(v, lo, hi, len(blocks)-1) })
}

// Columns draws the latest values as columns over height rows, top row first.
func Columns(values []float64, lo, hi float64, width, height int) []string {
	if width <= 0 || height <= 0 {
		return nil
	}
	values = values[max(0, len(values)-width):]
	rows := make([]string, height)
	for i := range rows {
		below := (height - 1 - i) * len(blocks) // levels under this row
		rows[i] = row(values, width, func(v float64) int { return level(v, lo, hi, height*len(blocks)) - below })
	}
	return rows
}

func row(values []float64, width int, filled func(float64) int) string {
	line := make([]rune, 0, width)
	for _, v := range values {
		if IsGap(v) {
			line = append(line, Dash)
			continue
		}
		line = append(line, cell(filled(v)))
	}
	return string(line) + strings.Repeat(" ", width-len(line))
}

// level is how high a column stands, 1…top eighths of a cell; 0 for a value
// that is not known.
func level(v, lo, hi float64, top int) int {
	if math.IsNaN(v) || math.IsNaN(lo) || math.IsNaN(hi) {
		return 0
	}
	share := 1.0
	if hi > lo {
		share = min(max((v-lo)/(hi-lo), 0), 1)
	}
	return 1 + int(math.Round(share*float64(top-1)))
}

// cell is a cell filled by some eighths.
func cell(eighths int) rune {
	if eighths <= 0 {
		return ' '
	}
	return blocks[min(eighths, len(blocks))-1]
}

// shades are the fillings of a heat cell, with the share that each begins at.
var shades = [...]struct {
	from float64
	fill string
}{{0.75, "█"}, {0.25, "▓"}, {0.1, "▒"}, {0, "░"}}

// Heat draws a share of one as a run of equal cells, the darker the larger it
// is: something, a tenth and more, a quarter and more, three quarters and more.
// Shape tells it without colour. Nothing and what is not known are blank.
func Heat(share float64, width int) string {
	if width <= 0 {
		return ""
	}
	if !(share > 0) {
		return strings.Repeat(" ", width)
	}
	for _, s := range shades {
		if share >= s.from {
			return strings.Repeat(s.fill, width)
		}
	}
	return ""
}

// Bar draws a share of one as a bar of the given width; a share above zero
// never vanishes and one below one never looks full.
func Bar(share float64, width int) string {
	if width <= 0 {
		return ""
	}
	full := 0
	if share > 0 {
		full = max(int(min(share, 1)*float64(width)), 1)
	}
	if full == width && share < 1 && width > 1 {
		full--
	}
	return strings.Repeat("█", full) + strings.Repeat("·", width-full)
}
