package cli

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func (s *benchScreen) text() string {
	var lines []string
	for _, row := range s.cells {
		lines = append(lines, strings.TrimRight(string(row), " "))
	}
	return strings.Join(lines, "\n")
}

// TestBenchScreen: what the console's renderer writes ends on the cells on which
// a terminal (ECMA-48, xterm) puts it.
func TestBenchScreen(t *testing.T) {
	const start = "\x1b[?1049h\x1b[2J\x1b[Habcdef\r\nghijkl\r\nmnopqr"
	for _, c := range []struct{ name, in, want string }{
		{"as it was", "", "abcdef\nghijkl\nmnopqr\n"},
		{"colours and modes", "\x1b[1;38;5;71mX\x1b[m\x1b[?25l\x1b[>4;1m\x1b]0;title\x07", "abcdef\nghijkl\nmnopqrX\n"},
		{"position", "\x1b[2;3HX\x1b[HY\x1b[;2HZ\x1b[4;1fV", "YZcdef\nghXjkl\nmnopqr\nV"},
		{"relative", "\x1b[2AX\x1b[3D\x1b[BY\x1b[CZ\x1b[2GV\x1b[4dW", "abcdefX\ngVijYlZ\nmnopqr\n  W"},
		{"beyond the edge", "\x1b[99;99HX\x1b[99A\x1b[99DY", "Ybcdef\nghijkl\nmnopqr\n         X"},
		{"erase", "\x1b[1;3H\x1b[K\x1b[2;3H\x1b[1K\x1b[3;2H\x1b[2X", "ab\n   jkl\nm  pqr\n"},
		{"erase the screen", "\x1b[2;3H\x1b[J", "abcdef\ngh\n\n"},
		{"insert and delete", "\x1b[1;2H\x1b[2@\x1b[2;2H\x1b[3P", "a  bcdef\ngkl\nmnopqr\n"},
		{"lines", "\x1b[1;1H\x1b[L\x1b[3;1H\x1b[2M", "\nabcdef\n\n"},
		{"scroll a part", "\x1b[2;3r\x1b[S\x1b[r\x1b[4;1HX", "abcdef\nmnopqr\n\nX"},
		{"scroll down", "\x1b[T", "\nabcdef\nghijkl\nmnopqr"},
		{"reverse index", "\x1b[1;1H\x1bMX", "X\nabcdef\nghijkl\nmnopqr"},
		{"line feed at the end", "\x1b[4;1Hz\nX", "ghijkl\nmnopqr\nz\n X"},
		{"repeat, tab and backspace", "\x1b[4;1Hx\x1b[3b\b\bY\tZ", "abcdef\nghijkl\nmnopqr\nxxYx    Z"},
		{"wrap", "\x1b[1;9H123", "abcdef  12\n3hijkl\nmnopqr\n"},
		{"wide glyphs of the frame", "\x1b[4;1H│▁█ 6,812", "abcdef\nghijkl\nmnopqr\n│▁█ 6,812"},
	} {
		t.Run(c.name, func(t *testing.T) {
			whole, torn := newBenchScreen(10, 4), newBenchScreen(10, 4)
			_, _ = whole.Write([]byte(start + c.in))
			for _, b := range []byte(start + c.in) {
				_, _ = torn.Write([]byte{b})
			}
			if diff := cmp.Diff(c.want, whole.text()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if whole.text() != torn.text() {
				t.Errorf("byte by byte it is\n%s", torn.text())
			}
		})
	}
	s := newBenchScreen(10, 4)
	_, _ = s.Write([]byte(start))
	if got := s.after("gh"); !strings.HasPrefix(got, "ijkl") || s.after("zz") != "" {
		t.Errorf("after gh is %q", got)
	}
}
