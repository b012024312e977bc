package webhook

import (
	"bytes"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// texts makes the strings of posts. They are cut from small pieces of memory of
// their own, never from the body, whose buffer is used again: so a status costs
// no allocation, and a string that is kept for long holds on to one piece.
type texts struct {
	piece   strings.Builder
	scratch []byte
}

const (
	pieceSize   = 2 << 10
	keptScratch = 64 << 10
)

// of makes a string of bytes. Those that come with every status cost no memory.
func (t *texts) of(s []byte) string {
	switch string(s) {
	case "":
		return ""
	case "sent":
		return "sent"
	case "delivered":
		return "delivered"
	case "read":
		return "read"
	case "failed":
		return "failed"
	case "PMP":
		return "PMP"
	case "regular":
		return "regular"
	case "marketing":
		return "marketing"
	}
	if len(s) > pieceSize/4 {
		return string(s)
	}
	if t.piece.Cap()-t.piece.Len() < len(s) {
		t.piece.Reset() // the strings cut from the former piece keep it
		t.piece.Grow(pieceSize)
	}
	begin := t.piece.Len()
	t.piece.Write(s)
	return t.piece.String()[begin:]
}

// unescaped makes a string of what stands between the quotes of a JSON string.
// As encoding/json has it, each byte that is no UTF-8 becomes U+FFFD, and so
// does each half of a surrogate pair without the other.
func (t *texts) unescaped(s []byte) string {
	t.scratch = appendUnescaped(t.scratch[:0], s)
	text := t.of(t.scratch)
	if cap(t.scratch) > keptScratch {
		t.scratch = nil
	}
	return text
}

func appendUnescaped(to, s []byte) []byte {
	for {
		back := bytes.IndexByte(s, '\\')
		if back < 0 {
			return appendValid(to, s)
		}
		to, s = appendValid(to, s[:back]), s[back:]
		switch c := s[1]; c {
		case 'u':
			var r rune
			r, s = codePoint(s)
			to = utf8.AppendRune(to, r)
			continue
		case 'b':
			to = append(to, '\b')
		case 'f':
			to = append(to, '\f')
		case 'n':
			to = append(to, '\n')
		case 'r':
			to = append(to, '\r')
		case 't':
			to = append(to, '\t')
		default: // quote, backslash, slash
			to = append(to, c)
		}
		s = s[2:]
	}
}

func appendValid(to, s []byte) []byte {
	if utf8.Valid(s) {
		return append(to, s...)
	}
	for _, r := range string(s) { // gives U+FFFD for each byte that is none
		to = utf8.AppendRune(to, r)
	}
	return to
}

// codePoint reads the \u that s begins with, and the second half if it is the
// first of a surrogate pair; it gives what follows too.
func codePoint(s []byte) (rune, []byte) {
	first, _ := codeUnit(s)
	s = s[6:]
	if !utf16.IsSurrogate(first) {
		return first, s
	}
	if second, ok := codeUnit(s); ok {
		if r := utf16.DecodeRune(first, second); r != utf8.RuneError {
			return r, s[6:]
		}
	}
	return utf8.RuneError, s
}

// codeUnit reads the \u and four hexadecimal digits that s begins with; false
// when it does not.
func codeUnit(s []byte) (rune, bool) {
	if len(s) < 6 || s[0] != '\\' || s[1] != 'u' {
		return 0, false
	}
	var r rune
	for _, c := range s[2:6] {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}
