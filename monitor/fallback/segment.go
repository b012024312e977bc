package fallback

import (
	"slices"
	"strings"
)

// Encoding is how the characters of an SMS are written.
type Encoding string

// Encodings of an SMS (3GPP TS 23.038).
const (
	GSM7 Encoding = "GSM-7" // 7 bits a character, two characters' room for some
	UCS2 Encoding = "UCS-2" // 16 bits, two characters' room outside of the basic plane
)

// Room of one SMS and of a part of several, which loses 6 bytes to the header
// that joins them (3GPP TS 23.040), in septets and in units of 16 bits.
const (
	gsmAlone, gsmPart   = 160, 153
	ucs2Alone, ucs2Part = 70, 67
)

// gsmBasic and gsmExtension are the default alphabet and its extension table
// (3GPP TS 23.038 §6.2.1): a character of the latter is an escape and a second
// septet. The escape itself and the extension's form feed are left out: no text
// means them.
const (
	gsmBasic = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?" +
		"¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
	gsmExtension = "^{}\\[~]|€"
)

// septets is the room of each character that GSM-7 has.
var septets = func() map[rune]int {
	all := map[rune]int{}
	for _, r := range gsmBasic {
		all[r] = 1
	}
	for _, r := range gsmExtension {
		all[r] = 2
	}
	return all
}()

// Segments is a text as it goes out by SMS.
type Segments struct {
	Encoding Encoding
	Parts    []string // together they are the text; an empty text has one empty part
	Forced   []rune   // characters that GSM-7 does not have, each once, in the text's order
}

// Split cuts a text into the parts that an SMS needs for it. No part ends within
// the two septets or units of one character.
func Split(text string) Segments {
	s := Segments{Encoding: GSM7}
	for _, r := range text {
		if septets[r] == 0 && !slices.Contains(s.Forced, r) {
			s.Encoding = UCS2
			s.Forced = append(s.Forced, r)
		}
	}
	room, alone, part := func(r rune) int { return septets[r] }, gsmAlone, gsmPart
	if s.Encoding == UCS2 {
		room, alone, part = units, ucs2Alone, ucs2Part
	}
	if s.Parts = cut(text, alone, room); len(s.Parts) > 1 {
		s.Parts = cut(text, part, room)
	}
	return s
}

// cut fills parts one after the other.
func cut(text string, most int, room func(rune) int) []string {
	var parts []string
	begin, used := 0, 0
	for i, r := range text {
		need := room(r)
		if used+need > most {
			parts = append(parts, text[begin:i])
			begin, used = i, 0
		}
		used += need
	}
	return append(parts, text[begin:])
}

// units is the room of a character in UTF-16.
func units(r rune) int {
	if r >= 0x10000 {
		return 2
	}
	return 1
}

// plainer are characters that word processors put in, and what GSM-7 has for them.
var plainer = strings.NewReplacer(
	"\u2018", "'", "\u2019", "'", "\u201a", "'", "\u201b", "'", "\u2032", "'", "\u00b4", "'", "`", "'",
	"\u201c", `"`, "\u201d", `"`, "\u201e", `"`, "\u201f", `"`, "\u2033", `"`, "\u00ab", `"`, "\u00bb", `"`,
	"\u2039", "'", "\u203a", "'",
	"\u2010", "-", "\u2011", "-", "\u2012", "-", "\u2013", "-", "\u2014", "-", "\u2015", "-", "\u2212", "-",
	"\u2026", "...", "\u2022", "-", "\u00b7", "-", "\u2043", "-",
	"\u00a0", " ", "\u2002", " ", "\u2003", " ", "\u2007", " ", "\u2009", " ", "\u200a", " ", "\u202f", " ", "\t", " ",
	"\u200b", "", "\u2060", "", "\ufeff", "", "\u00ad", "",
	"\u00d7", "x", "\u2044", "/", "\u2190", "<-", "\u2192", "->",
)

// Suggest offers a text that says the same in fewer parts, with typographic
// quotes, dashes, spaces and the like as GSM-7 has them. ok is false where that
// saves nothing. It is an offer: what is sent is what the operator wrote.
func Suggest(text string) (plain string, ok bool) {
	plain = plainer.Replace(text)
	return plain, len(Split(plain).Parts) < len(Split(text).Parts)
}
