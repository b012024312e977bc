package theme

import (
	"strings"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
)

// spelling gives the ASCII stand-in of each glyph that the console draws with
// and of the marks that texts commonly carry; each is one cell wide.
var spelling = map[string]string{
	"┌": "+", "┐": "+", "└": "+", "┘": "+", "─": "-", "│": "|", "├": "+", "┤": "+",
	"▁": "_", "▂": ".", "▃": ":", "▄": "-", "▅": "=", "▆": "+", "▇": "*", "█": "#",
	"░": ".", "▒": "o", "▓": "%",
	"▸": ">", "›": ">", "…": "~", "·": "|", "–": "-", "—": "-", "↑": "^", "↓": "v", "┄": ".", "┊": "?",
	"‘": "'", "’": "'", "“": `"`, "”": `"`, "×": "x", "≥": ">", "≤": "<", "\u00a0": " ",
}

// latin1 spells U+00C0 to U+00FF without their accents.
const latin1 = "AAAAAAACEEEEIIIIDNOOOOOxOUUUUYTsaaaaaaaceeeeiiiidnooooo/ouuuuyty"

// ASCII spells a finished frame without any byte over 0x7e, cell for cell: no
// column moves. Accents are dropped; what has no stand-in becomes a question
// mark for each cell it took.
func ASCII(frame string) string {
	var b strings.Builder
	b.Grow(len(frame))
	for frame != "" {
		if frame[0] < utf8.RuneSelf && (len(frame) == 1 || frame[1] < utf8.RuneSelf) {
			b.WriteByte(frame[0])
			frame = frame[1:]
			continue
		}
		glyph, width := ansi.FirstGraphemeCluster(frame, ansi.GraphemeWidth)
		frame = frame[len(glyph):]
		b.WriteString(spell(glyph, width))
	}
	return b.String()
}

func spell(glyph string, width int) string {
	if glyph[0] < utf8.RuneSelf { // with a mark on it, which goes
		return glyph[:1] + strings.Repeat("?", max(width-1, 0))
	}
	if s, ok := spelling[glyph]; ok {
		return s
	}
	if r := []rune(glyph); r[0] >= 0xc0 && r[0] <= 0xff && width == 1 {
		return latin1[r[0]-0xc0 : r[0]-0xc0+1]
	}
	return strings.Repeat("?", width)
}

// Unicode tells from a terminal's environment ("NAME=value") whether it can
// show Unicode: its locale must say UTF-8, and the Linux console, whose fonts
// have no block elements, cannot.
func Unicode(env []string) bool {
	get := func(name string) string {
		value := ""
		for _, e := range env {
			if v, ok := strings.CutPrefix(e, name+"="); ok {
				value = v // the last one counts
			}
		}
		return value
	}
	if get("TERM") == "linux" {
		return false
	}
	for _, name := range [...]string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if v := strings.ToLower(get(name)); v != "" {
			return strings.Contains(v, "utf-8") || strings.Contains(v, "utf8")
		}
	}
	return false
}
