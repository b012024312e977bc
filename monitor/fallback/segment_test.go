package fallback

import (
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestSplit(t *testing.T) {
	n := strings.Repeat
	for _, c := range []struct {
		text     string
		parts    int
		encoding Encoding
		forced   string
	}{
		{"", 1, GSM7, ""},
		{n("a", 160), 1, GSM7, ""},
		{n("a", 161), 2, GSM7, ""},
		{n("a", 306), 2, GSM7, ""},
		{n("a", 307), 3, GSM7, ""},
		{n("€", 80), 1, GSM7, ""}, // 160 septets
		{n("€", 81), 2, GSM7, ""},
		{n("€", 76) + "a" + n("€", 76), 2, GSM7, ""}, // 153 + 152
		{n("€", 153), 3, GSM7, ""},                   // 76 fit into a part of 153 septets, not 76.5
		{"a" + n("€", 152), 2, GSM7, ""},             // 1 + 2×76, and 2×76
		{n("Ж", 70), 1, UCS2, "Ж"},
		{n("Ж", 71), 2, UCS2, "Ж"},
		{n("Ж", 134), 2, UCS2, "Ж"},
		{n("Ж", 135), 3, UCS2, "Ж"},
		{n("😀", 35), 1, UCS2, "😀"},
		{n("😀", 36), 2, UCS2, "😀"},
		{n("😀", 67), 3, UCS2, "😀"},   // 33 fit into a part of 67 units
		{"Olá, ção", 1, UCS2, "áçã"}, // of these GSM-7 has only capital Ç
		{"àèéìòù ÄÖÜäöüß Ñ ñ ¿¡ Å å Æ æ Ø ø Ç £ ¥ §", 1, GSM7, ""},
		{"^{}\\[~]|€\r\n", 1, GSM7, ""},
		{"“a”", 1, UCS2, "“”"},
		{"a\tb", 1, UCS2, "\t"},
	} {
		got := Split(c.text)
		if len(got.Parts) != c.parts || got.Encoding != c.encoding || string(got.Forced) != c.forced {
			t.Errorf("%.30q of %d: %d parts in %s, forced by %q; want %d in %s, %q", c.text, len(c.text), len(got.Parts), got.Encoding, string(got.Forced), c.parts, c.encoding, c.forced)
		}
	}
}

// texts draws texts of characters that matter: of one and two septets, of one and
// two units.
func texts(t *rapid.T) string {
	alphabet := []rune("aä€^😀Ж“\nÇç")
	if rapid.Bool().Draw(t, "GSM-7 alone") {
		alphabet = []rune("aä€^\nÇ{~")
	}
	return string(rapid.SliceOfN(rapid.SampledFrom(alphabet), 0, 700).Draw(t, "text"))
}

// TestSplitHolds: the parts are the text, none is over its room, none could have
// taken the first character of the next, and no character is cut.
func TestSplitHolds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := texts(t)
		s := Split(text)
		if diff := cmp.Diff(text, strings.Join(s.Parts, "")); diff != "" {
			t.Fatal(diff)
		}
		room := func(part string) int {
			if s.Encoding == UCS2 {
				return len(utf16.Encode([]rune(part)))
			}
			return len([]rune(part)) + len([]rune(part)) - len([]rune(strings.Map(func(r rune) rune {
				if strings.ContainsRune(gsmExtension, r) {
					return -1
				}
				return r
			}, part)))
		}
		most := map[Encoding][2]int{GSM7: {160, 153}, UCS2: {70, 67}}[s.Encoding]
		if len(s.Parts) == 1 {
			if room(text) > most[0] {
				t.Fatalf("%d in one part", room(text))
			}
			return
		}
		if room(text) <= most[0] {
			t.Fatalf("%d in %d parts", room(text), len(s.Parts))
		}
		for i, part := range s.Parts {
			if room(part) > most[1] || part == "" || !strings.Contains(text, part) {
				t.Fatalf("part %d of %d: %q", i+1, len(s.Parts), part)
			}
			if i+1 < len(s.Parts) {
				if next := string([]rune(s.Parts[i+1])[0]); room(part+next) <= most[1] {
					t.Fatalf("part %d leaves room for %q", i+1, next)
				}
			}
		}
		if (s.Encoding == UCS2) != (len(s.Forced) > 0) {
			t.Fatalf("%s, forced by %q", s.Encoding, string(s.Forced))
		}
	})
}

// TestSuggest: it is offered only where it saves parts, and never asks for
// characters that GSM-7 does not have.
func TestSuggest(t *testing.T) {
	if plain, ok := Suggest("“Olá” – it’s " + strings.Repeat("a", 70)); ok || plain != `"Olá" - it's `+strings.Repeat("a", 70) {
		t.Errorf("%q, %v: á forces UCS-2 all the same", plain, ok)
	}
	if plain, ok := Suggest("“Hello” – it’s " + strings.Repeat("a", 70)); !ok || plain != `"Hello" - it's `+strings.Repeat("a", 70) {
		t.Errorf("%q, %v", plain, ok)
	}
	rapid.Check(t, func(t *rapid.T) {
		text := string(rapid.SliceOfN(rapid.SampledFrom([]rune("a€“”’–…\u00a0Ж😀")), 0, 300).Draw(t, "text"))
		plain, ok := Suggest(text)
		if before, after := Split(text), Split(plain); ok != (len(after.Parts) < len(before.Parts)) || len(after.Forced) > len(before.Forced) {
			t.Fatalf("%q: %v, from %d parts to %d", text, ok, len(before.Parts), len(after.Parts))
		}
	})
	for _, old := range []string{"\u2018", "\u201e", "\u2026", "\u00a0", "\u2011", "\u2192"} {
		if now := plainer.Replace(old); len(Split(now).Forced) > 0 {
			t.Errorf("%q becomes %q, which forces UCS-2", old, now)
		}
	}
}
