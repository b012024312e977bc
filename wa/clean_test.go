package wa

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// hostile are texts that would act on a terminal, a log or the reader's eye if
// they reached it as they came (reliability.md C5), and what is left of them.
var hostile = []struct{ name, in, want string }{
	{"SGR colour", "\x1b[31mred\x1b[0m", "[31mred[0m"},
	{"SGR conceal", "\x1b[8mhidden\x1b[28m", "[8mhidden[28m"},
	{"SGR blink", "\x1b[5mblink", "[5mblink"},
	{"hyperlink", "\x1b]8;;https://example.com\x1b\\click\x1b]8;;\x1b\\", "]8;;https://example.com\\click]8;;\\"},
	{"clipboard", "\x1b]52;c;cm0gLXJm\a", "]52;c;cm0gLXJm"},
	{"window title", "\x1b]0;owned\a", "]0;owned"},
	{"clear screen", "\x1b[2J\x1b[H", "[2J[H"},
	{"alternate screen", "\x1b[?1049h", "[?1049h"},
	{"device control", "\x1bP1$rx\x1b\\", "P1$rx\\"},
	{"status report", "\x1b[6n", "[6n"},
	{"device attributes", "\x1b[c", "[c"},
	{"reset", "\x1bc", "c"},
	{"mouse reporting", "\x1b[?1000h", "[?1000h"},
	{"eight-bit control", "\u009b31mred", "31mred"},
	{"eight-bit string", "\u009d0;owned\u009c", "0;owned"},
	{"carriage return", "AAAA\rBB", "AAAA BB"},
	{"backspace", "safe\b\b\b\bevil", "safeevil"},
	{"null", "a\x00b", "ab"},
	{"delete", "a\x7fb", "ab"},
	{"bell", "a\ab", "ab"},
	{"shift out", "a\x0eb\x0f", "ab"},
	{"line feed", "one\ntwo", "one two"},
	{"tab", "one\ttwo", "one two"},
	{"line separators", "one\u2028two\u2029three", "one two three"},
	{"right to left", "invoice\u202egpj.exe", "invoicegpj.exe"},
	{"isolates", "\u2066a\u2069\u200f\u061cb", "ab"},
	{"zero width", "pay\u200bpal\u200d\u2060\ufeff", "paypal"},
	{"soft hyphen", "pay\u00adpal", "paypal"},
	{"tags", "hi\U000e0068\U000e0069\U000e007f", "hi"},
	{"variation selectors", "a\ufe0f\U000e0100b", "ab"},
	{"fillers", "\u3164\u115f\u1160\uffa0\u2800x", "x"},
	{"private use", "\ue000x\U000f0000", "x"},
	{"noncharacters", "\ufffex\U0010ffff", "x"},
	{"zalgo", "Z" + strings.Repeat("\u0301", 50) + "a", "Z\u0301\u0301\u0301a"},
	{"zalgo through zero width", "Z" + strings.Repeat("\u0301\u200b", 50), "Z\u0301\u0301\u0301"},
	{"skin tones", "a" + strings.Repeat("\U0001f3fb", 9), "a" + strings.Repeat("\U0001f3fb", 3)},
	{"Hangul vowels", "\u1100" + strings.Repeat("\u1161", 9), "\u1100" + strings.Repeat("\u1161", 3)},
	{"mark in front", "\u0301\u0302a", "a"},
	{"broken UTF-8", "a\xff\xfeb\xc3", "a\ufffd\ufffdb\ufffd"},
	{"surrogates", "\xed\xa0\x80", "\ufffd\ufffd\ufffd"},
	{"overlong", "\xc0\x9b[31m", "\ufffd\ufffd[31m"},
}

func TestCleanHostile(t *testing.T) {
	for _, h := range hostile {
		if got := Clean(h.in); got != h.want {
			t.Errorf("%s: %q became %q, want %q", h.name, h.in, got, h.want)
		}
		checkClean(t, h.in)
	}
}

func TestCleanLeavesHonestText(t *testing.T) {
	for _, s := range []string{
		"", "autumn_offer/pt_PT", "Olá, São João!", "Zażółć gęślą jaźń", "Привет", "مرحبا بالعالم", "שלום", "नमस्ते क्षत्रिय", "สวัสดีชั้น", "tiếng Việt",
		"tie\u0302\u0301ng Vie\u0323\u0302t", "日本語　テスト", "ﾊﾟﾋﾟ", "각 한국어", "\u1112\u1161\u11ab\u1100\u116e\u11a8", "👍🏽 🎉", "€ 5,00 – “ok”…", "a\u00a0b",
	} {
		if got := Clean(s); got != s {
			t.Errorf("%q became %q", s, got)
		}
	}
}

// checkClean holds what Clean promises of any text.
func checkClean(t interface{ Fatalf(string, ...any) }, in string) {
	out := Clean(in)
	if !utf8.ValidString(out) {
		t.Fatalf("%q became %q, no valid UTF-8", in, out)
	}
	if again := Clean(out); again != out {
		t.Fatalf("%q became %q, and that %q", in, out, again)
	}
	if utf8.RuneCountInString(out) > utf8.RuneCountInString(in) {
		t.Fatalf("%q grew to %q", in, out)
	}
	marks := maxMarks // none may come first
	for _, r := range out {
		if unicode.In(r, unicode.Cc, unicode.Cf, unicode.Cs, unicode.Co, unicode.Zl, unicode.Zp) {
			t.Fatalf("%q became %q, with %U in it", in, out, r)
		}
		if !joins(r) {
			marks = 0
		} else if marks++; marks > maxMarks {
			t.Fatalf("%q became %q, with more than %d marks in one place or a mark in front", in, out, maxMarks)
		}
	}
}

func FuzzClean(f *testing.F) {
	for _, h := range hostile {
		f.Add(h.in)
	}
	f.Fuzz(func(t *testing.T, s string) { checkClean(t, s) })
}

// TestCleanAnyCharacter draws from all of Unicode, which a fuzzer reaches slowly.
func TestCleanAnyCharacter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		checkClean(t, rapid.OneOf(rapid.String(), rapid.StringOf(rapid.Int32Range(0, unicode.MaxRune))).Draw(t, "text"))
	})
	for r := range unicode.MaxRune + 1 {
		checkClean(t, "a"+string(r)+"b")
		checkClean(t, string(r))
	}
}

func TestMaskPhone(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"+351900000001", "+351*******01"},
		{"351900000001", "+351*******01"},
		{"+14155550123", "+141******23"},
		{"PT.8400012345", "PT.********45"},
		{"123456", "+123*56"},
		{"12345", "+*****"},
		{"+1", "+*"},
		{"+", "+"},
		{"", ""},
		{"\x1b[31m351", "[31**51"},
		{"0" + strings.Repeat("1", 100), "+011********11"},
	} {
		if got := MaskPhone(c.in); got != c.want {
			t.Errorf("MaskPhone(%q) = %q, want %q", c.in, got, c.want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		phone := rapid.StringMatching(`\+?[0-9]{0,20}`).Draw(t, "phone")
		masked := MaskPhone(phone)
		if n := len(strings.Trim(masked, "+")) - strings.Count(masked, "*"); n > 5 {
			t.Fatalf("%q shows %d digits: %q", phone, n, masked)
		}
		if len(strings.TrimPrefix(phone, "+")) > 0 && !strings.Contains(masked, "*") {
			t.Fatalf("%q is not masked: %q", phone, masked)
		}
		checkClean(t, masked)
	})
}
