package wa

import (
	"strings"
	"unicode"
)

// maxMarks is how many marks may join one character before the rest is dropped;
// real scripts need at most a few, "zalgo" text piles up dozens, and terminals
// disagree about the width of such piles.
const maxMarks = 3

// Clean makes foreign text fit for one line of a terminal, a log or a table
// cell. Message texts, profile names, template names, error strings, file names
// and the like all pass it before anyone sees them. Line breaks and tabs become
// spaces; other control characters (C0, DEL, C1), marks that turn the writing
// direction, zero-width characters and invisible tags are dropped; invalid
// UTF-8 becomes U+FFFD.
func Clean(s string) string {
	if plain(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	marks := 0
	for _, r := range s {
		switch {
		case r == '\n' || r == '\t' || r == '\r' || r == '\u2028' || r == '\u2029':
			b.WriteByte(' ')
			marks = 0
		case hidden(r):
		case joins(r):
			if marks++; marks <= maxMarks && b.Len() > 0 {
				b.WriteRune(r)
			}
		default:
			marks = 0
			b.WriteRune(r)
		}
	}
	return b.String()
}

func plain(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return true
}

// hidden tells characters that act on the terminal or the reader's eye without
// being seen: Unicode's categories Cc, Cf, Cs and Co, and whatever else renders
// as nothing (variation selectors, blank fillers, tags, noncharacters).
func hidden(r rune) bool {
	const brailleBlank = '\u2800'
	return r == brailleBlank || unicode.In(r, unicode.Cc, unicode.Cf, unicode.Cs, unicode.Co,
		unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point, unicode.Noncharacter_Code_Point)
}

// joins tells characters that are drawn on or into the one before: combining
// marks and the like, skin tones, and the vowels and finals of taken-apart Hangul.
func joins(r rune) bool {
	switch {
	case unicode.In(r, unicode.M, unicode.Other_Grapheme_Extend):
		return true
	case r >= 0x1F3FB && r <= 0x1F3FF, r >= 0x1160 && r <= 0x11FF, r >= 0xD7B0 && r <= 0xD7FF:
		return true
	}
	return false
}

// Guard keeps a spreadsheet that opens a CSV file from taking a text for a formula
// (OWASP ASVS 5, 1.2.10), by an apostrophe before it. Phone numbers with a plus get
// one too. The spreadsheet shows it, the number is whole, and lists that are
// imported are read without it.
func Guard(text string) string {
	if first := strings.TrimLeft(text, " "); first != "" && strings.IndexByte("=+-@\t\r", first[0]) >= 0 {
		return "'" + text
	}
	return text
}

// MaskPhone hides the middle of a phone number where it need not be seen in
// full: country code and the last two digits stay. Anything that is not a phone
// number is cut to its first and last characters.
func MaskPhone(phone string) string {
	plus := ""
	s := Clean(phone)
	if strings.HasPrefix(s, "+") {
		plus, s = "+", s[1:]
	} else if s != "" && strings.Trim(s, "0123456789") == "" {
		plus = "+"
	}
	r := []rune(s)
	const front, back = 3, 2
	if len(r) <= front+back {
		return plus + strings.Repeat("*", len(r))
	}
	return plus + string(r[:front]) + strings.Repeat("*", min(len(r)-front-back, 8)) + string(r[len(r)-back:])
}
