package webhook

import (
	"encoding/binary"
	"math/bits"
)

// maxDepth is how deep a body may be nested: as deep as encoding/json goes.
const maxDepth = 10_000

// token is one key or one value of a scanned body.
type token struct {
	at, end uint32 // where its text stands in the body, with quotes and brackets
	next    uint32 // index of the token behind this one and all that it holds
	kind    byte   // its first byte, which tells what it is
	plain   bool   // a string of ASCII without escapes: it means what its bytes say
}

// document is the JSON of one body, found valid and cut into tokens, so that its
// parts can be read in any order at the cost of one pass over the bytes. The
// tokens stand in the order of the text: behind a list its elements, behind an
// object its keys, each followed by its value. A document can be used again.
type document struct {
	body   []byte
	tokens []token
	open   []uint32 // lists and objects around the place of the scan, outermost first
	texts  texts    // what is read
}

// scan cuts the first value of a body into tokens and gives the index behind it,
// or -1 when that is no JSON. It takes and refuses what encoding/json does, to
// the byte, and does not recur. A body has at most maxDecoded bytes.
func (d *document) scan(body []byte) (end int) {
	d.body, d.tokens, d.open = body, d.tokens[:0], d.open[:0]
	for i := skipSpace(body, 0); i >= 0 && i < len(body); { // a value must begin here
		switch c := body[i]; c {
		case '{', '[':
			if len(d.open) == maxDepth {
				return -1
			}
			d.open = append(d.open, place(len(d.tokens)))
			d.add(i, i, c, false) // it will be closed
			i = skipSpace(body, i+1)
			if i == len(body) || body[i] != closing(c) { // an empty one is closed below
				if c == '{' {
					i = d.key(i)
				}
				continue
			}
		case '"':
			end, plain := endOfString(body, i)
			i = d.add(i, end, c, plain)
		default:
			i = d.add(i, endOfScalar(body, i), c, false)
		}
		if i = d.proceed(i); len(d.open) == 0 {
			return i
		}
	}
	return -1
}

// add takes a token that holds no others, and gives its end.
func (d *document) add(at, end int, kind byte, plain bool) int {
	d.tokens = append(d.tokens, token{})
	t := &d.tokens[len(d.tokens)-1] // in place: to copy a token that was just written stalls the processor
	t.at, t.end, t.next, t.kind, t.plain = place(at), place(end), place(len(d.tokens)), kind, plain
	return end
}

// key takes the key that must stand at i, and gives the index behind its colon
// and the space there; -1 when there is none.
func (d *document) key(i int) int {
	if i >= len(d.body) || d.body[i] != '"' {
		return -1
	}
	end, plain := endOfString(d.body, i)
	if end < 0 {
		return -1
	}
	d.add(i, end, '"', plain)
	if i = skipSpace(d.body, end); i == len(d.body) || d.body[i] != ':' {
		return -1
	}
	return skipSpace(d.body, i+1)
}

// proceed goes on from behind a value to where the next one must begin, closing
// what is closed in between; when all is closed it gives the end. -1 = no JSON.
func (d *document) proceed(i int) int {
	for i >= 0 && len(d.open) > 0 {
		if i = skipSpace(d.body, i); i == len(d.body) {
			return -1
		}
		around := &d.tokens[d.open[len(d.open)-1]]
		switch c := around.kind; d.body[i] {
		case ',':
			if i = skipSpace(d.body, i+1); c == '{' {
				return d.key(i)
			}
			return i
		case closing(c):
			i++
			around.end, around.next = place(i), place(len(d.tokens))
			d.open = d.open[:len(d.open)-1]
		default:
			return -1
		}
	}
	return i
}

// place is an index of the body or of its tokens, which are never more.
func place(i int) uint32 { return uint32(i) } //nolint:gosec // maxDecoded bounds bodies

// closing is the bracket that closes what c opens.
func closing(c byte) byte { return c + 2 } // as it is in ASCII, for both kinds

func skipSpace(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\t' || b[i] == '\r') {
		i++
	}
	return i
}

// endOfString is the index behind the closing quote of the string that begins at
// i, or -1; plain when all of it is ASCII without escapes. Where none of eight
// bytes ends it, is escaped, forbidden or not ASCII, they are passed over at once.
func endOfString(b []byte, i int) (end int, plain bool) {
	const ones, high = 0x0101010101010101, 0x8080808080808080
	plain = true
	for i++; ; {
		for i+8 <= len(b) {
			// A byte below n loses n with a borrow, which sets its high bit; below 1
			// is only the one that was looked for. What a borrow does to the bytes
			// above does not matter: the first one found is right.
			x := binary.LittleEndian.Uint64(b[i:])
			found := (((x ^ ones*'"') - ones) | ((x ^ ones*'\\') - ones) | (x - ones*' ') | x) & high
			if found != 0 {
				i += bits.TrailingZeros64(found) / 8
				break
			}
			i += 8
		}
		if i >= len(b) {
			return -1, false
		}
		switch c := b[i]; {
		case c == '"':
			return i + 1, plain
		case c == '\\':
			if i = endOfEscape(b, i); i < 0 {
				return -1, false
			}
			plain = false
		case c < ' ':
			return -1, false
		default:
			plain = plain && c < 0x80
			i++
		}
	}
}

// endOfEscape is the index behind the escape that begins at i, or -1.
func endOfEscape(b []byte, i int) int {
	if i+1 == len(b) {
		return -1
	}
	switch b[i+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i + 2
	case 'u':
		if _, ok := codeUnit(b[i:]); ok {
			return i + 6
		}
	}
	return -1
}

// endOfScalar is the index behind the number, true, false or null that begins at
// i, or -1.
func endOfScalar(b []byte, i int) int {
	word := ""
	switch b[i] {
	case 't':
		word = "true"
	case 'f':
		word = "false"
	case 'n':
		word = "null"
	default:
		return endOfNumber(b, i)
	}
	if len(b)-i < len(word) || string(b[i:i+len(word)]) != word {
		return -1
	}
	return i + len(word)
}

// endOfNumber is the index behind the number that begins at i, or -1.
func endOfNumber(b []byte, i int) int {
	if b[i] == '-' {
		i++
	}
	begin := i
	if i = skipDigits(b, i); i == begin {
		return -1
	}
	if b[begin] == '0' {
		i = begin + 1 // nothing may follow a leading zero
	}
	if i < len(b) && b[i] == '.' {
		begin = i + 1
		if i = skipDigits(b, begin); i == begin {
			return -1
		}
	}
	if i < len(b) && (b[i] == 'e' || b[i] == 'E') {
		if i++; i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		begin = i
		if i = skipDigits(b, begin); i == begin {
			return -1
		}
	}
	return i
}

func skipDigits(b []byte, i int) int {
	for i < len(b) && '0' <= b[i] && b[i] <= '9' {
		i++
	}
	return i
}
