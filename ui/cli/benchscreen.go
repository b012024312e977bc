package cli

import (
	"strings"
	"unicode"

	"github.com/charmbracelet/x/ansi"
)

// benchScreen is what a terminal shows of the bytes that it was sent: as much of
// a terminal as the console needs, texts without styles. What it does not know
// it leaves out, so that a text which the measurement waits for would not come,
// rather than come too soon.
type benchScreen struct {
	width, height int
	cells         [][]rune
	x, y          int
	top, bottom   int // rows that scroll
	last          rune
	parser        *ansi.Parser
}

func newBenchScreen(width, height int) *benchScreen {
	s := &benchScreen{width: width, height: height, bottom: height - 1, parser: ansi.NewParser()}
	for range height {
		s.cells = append(s.cells, blank(width))
	}
	s.parser.SetHandler(ansi.Handler{Print: s.print, Execute: s.control, HandleCsi: s.csi, HandleEsc: s.escape})
	return s
}

func blank(width int) []rune { return []rune(strings.Repeat(" ", width)) }

// Write takes what the console sends; a sequence may be cut anywhere.
func (s *benchScreen) Write(p []byte) (int, error) {
	for _, b := range p {
		s.parser.Advance(b)
	}
	return len(p), nil
}

// after is what stands behind a label on its line, "" without it.
func (s *benchScreen) after(label string) string {
	for _, line := range s.cells {
		if _, rest, found := strings.Cut(string(line), label); found {
			return rest
		}
	}
	return ""
}

func (s *benchScreen) print(r rune) {
	if unicode.Is(unicode.Mn, r) { // it stands on the cell before
		return
	}
	if s.x >= s.width { // a terminal wraps when the next one comes
		s.x = 0
		s.down()
	}
	s.cells[s.y][s.x] = r
	s.x++
	s.last = r
}

func (s *benchScreen) control(b byte) {
	switch b {
	case '\b':
		s.x = max(min(s.x, s.width-1)-1, 0)
	case '\t':
		s.x = min((s.x/8+1)*8, s.width-1)
	case '\n':
		s.down()
	case '\r':
		s.x = 0
	}
}

func (s *benchScreen) down() {
	if s.y == s.bottom {
		s.scroll(s.top, 1)
	} else {
		s.y = min(s.y+1, s.height-1)
	}
}

// scroll moves the rows from one to the last that scrolls, up by n or down by -n.
func (s *benchScreen) scroll(from, n int) {
	if from > s.bottom {
		return
	}
	rows := s.cells[from : s.bottom+1]
	for ; n > 0; n-- {
		copy(rows, rows[1:])
		rows[len(rows)-1] = blank(s.width)
	}
	for ; n < 0; n++ {
		copy(rows[1:], rows)
		rows[0] = blank(s.width)
	}
}

func (s *benchScreen) escape(cmd ansi.Cmd) {
	switch cmd.Final() {
	case 'M':
		if s.y == s.top {
			s.scroll(s.top, -1)
		} else {
			s.y = max(s.y-1, 0)
		}
	case 'D':
		s.down()
	}
}

func (s *benchScreen) csi(cmd ansi.Cmd, params ansi.Params) {
	if cmd.Prefix() != 0 || cmd.Intermediate() != 0 {
		return // modes and questions
	}
	n, _, _ := params.Param(0, 1)
	n = max(min(n, s.width*s.height), 1)
	if s.move(cmd.Final(), n, params) {
		return
	}
	row := s.cells[s.y]
	x := min(s.x, s.width-1)
	n = min(n, max(s.width, s.height))
	kind, _, _ := params.Param(0, 0)
	switch cmd.Final() {
	case 'J':
		s.erase(kind, x)
	case 'K':
		eraseLine(row, kind, x)
	case 'X':
		copy(row[x:min(x+n, s.width)], blank(s.width))
	case '@':
		n = min(n, s.width-x)
		copy(row[x+n:], row[x:])
		copy(row[x:x+n], blank(n))
	case 'P':
		n = min(n, s.width-x)
		copy(row[x:], row[x+n:])
		copy(row[s.width-n:], blank(n))
	case 'b':
		for range n {
			s.print(s.last)
		}
	case 'L':
		s.scroll(s.y, -n)
	case 'M':
		s.scroll(s.y, n)
	case 'S':
		s.scroll(s.top, n)
	case 'T':
		s.scroll(s.top, -n)
	}
}

// move carries out the sequences that move the cursor; false for the others.
func (s *benchScreen) move(final byte, n int, params ansi.Params) bool {
	second := func(or int) int { v, _, _ := params.Param(1, or); return v }
	switch final {
	case 'A':
		s.y -= n
	case 'B', 'e':
		s.y += n
	case 'C', 'a':
		s.x += n
	case 'D':
		s.x -= n
	case 'E':
		s.x, s.y = 0, s.y+n
	case 'F':
		s.x, s.y = 0, s.y-n
	case 'G', '`':
		s.x = n - 1
	case 'I':
		s.x = (s.x/8 + n) * 8
	case 'Z':
		s.x = (s.x+7)/8*8 - 8*n
	case 'd':
		s.y = n - 1
	case 'H', 'f':
		s.y, s.x = n-1, second(1)-1
	case 'r':
		s.top, s.bottom = min(n, s.height)-1, min(max(second(s.height), n), s.height)-1
		s.x, s.y = 0, 0
	default:
		return false
	}
	s.x, s.y = max(min(s.x, s.width-1), 0), max(min(s.y, s.height-1), 0)
	return true
}

func (s *benchScreen) erase(kind, x int) {
	eraseLine(s.cells[s.y], kind, x)
	for y := range s.cells {
		if kind == 2 || kind == 0 && y > s.y || kind == 1 && y < s.y {
			s.cells[y] = blank(s.width)
		}
	}
}

// eraseLine blanks a row from x on (0), up to x (1) or whole (2).
func eraseLine(row []rune, kind, x int) {
	switch kind {
	case 0:
		copy(row[x:], blank(len(row)))
	case 1:
		copy(row[:x+1], blank(len(row)))
	case 2:
		copy(row, blank(len(row)))
	}
}
