package theme

import (
	"strings"
	"testing"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"
	"pgregory.net/rapid"
)

func TestASCII(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"┌─ Errors ─┐", "+- Errors -+"},
		{"▁▂▃▄▅▆▇█", "_.:-=+*#"},
		{"promoção de verão…", "promocao de verao~"},
		{"95.8–97.0 % · ↑↓ ▸", "95.8-97.0 % | ^v >"},
		{"漢字", "????"},
		{"e\u0301 👍", "e ??"},
		{"\x1b[1mOK\x1b[m", "\x1b[1mOK\x1b[m"},
	} {
		if got := ASCII(c.in); got != c.want {
			t.Errorf("ASCII(%q) = %q, want %q", c.in, got, c.want)
		}
	}
}

// No column moves, and nothing but ASCII is left.
func TestASCIIKeepsTheWidth(t *testing.T) {
	for glyph, s := range spelling {
		if len(s) != 1 || ansi.StringWidth(glyph) != 1 {
			t.Errorf("%q is spelled %q", glyph, s)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		in := rapid.StringOf(rapid.OneOf(rapid.RuneFrom([]rune("▁█─│é漢👍🇵🇹\u0301\u200dx ñ\n")), rapid.Rune().Filter(func(r rune) bool { return r > 0x9f }))).Draw(t, "in")
		out := ASCII(in)
		if i := strings.IndexFunc(out, func(r rune) bool { return r > 0x7e }); i >= 0 {
			t.Fatalf("%q is not ASCII", out)
		}
		if a, b := ansi.StringWidth(in), ansi.StringWidth(out); a != b {
			t.Fatalf("%q is %d wide, %q is %d", in, a, out, b)
		}
	})
}

func TestUnicode(t *testing.T) {
	for _, c := range []struct {
		env  string
		want bool
	}{
		{"TERM=xterm-256color LANG=en_US.UTF-8", true},
		{"TERM=xterm LANG=pt_PT.utf8", true},
		{"TERM=linux LANG=en_US.UTF-8", false},
		{"TERM=xterm LANG=en_US.UTF-8 LC_ALL=C", false},
		{"TERM=xterm LANG=C LC_CTYPE=C.UTF-8", true},
		{"TERM=xterm LC_ALL= LANG=C.UTF-8", true},
		{"TERM=xterm LANG=pt_PT.ISO-8859-1", false},
		{"TERM=xterm", false},
		{"LANG=C LANG=C.UTF-8", true},
	} {
		if got := Unicode(strings.Fields(c.env)); got != c.want {
			t.Errorf("%s: %v, want %v", c.env, got, c.want)
		}
	}
}

// What must not be missed is a block even where there is no colour.
func TestUrgentWordsAreReversed(t *testing.T) {
	for _, dark := range []bool{true, false} {
		for _, p := range []colorprofile.Profile{colorprofile.Unknown, colorprofile.ASCII, colorprofile.ANSI, colorprofile.ANSI256, colorprofile.TrueColor} {
			th := New(dark, p)
			for name, s := range map[string]lipgloss.Style{"watch": th.Watch, "act": th.Act, "paused": th.Paused} {
				if !s.GetReverse() || !s.GetBold() {
					t.Errorf("%s is not bold and reversed on %v, dark %v", name, p, dark)
				}
			}
		}
	}
	if s := Stale(); s.Act.GetReverse() || !s.Act.GetFaint() || !s.Strong.GetFaint() {
		t.Error("a stale verdict stands out")
	}
}
