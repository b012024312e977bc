package webhook_test

import (
	"bytes"
	"encoding/json"
	"iter"
	"math"
	"strconv"
	"time"
	"unicode/utf8"

	"tickwatch/wa"
)

// A value is the raw JSON of one value, without the space around it.
//
// It must come out of a body that encoding/json has found valid: walking it
// then needs no error paths and no recursion, and costs one pass over the bytes
// for each level that is looked into, however deep the value is nested.
type refValue []byte

// kind is the value's first byte, which tells what it is.
func (v refValue) kind() byte { return v[0] }

// what names the value's kind in a sentence.
func (v refValue) what() string {
	switch v.kind() {
	case '{':
		return "an object"
	case '[':
		return "a list"
	case '"':
		return "text"
	case 't', 'f':
		return "true or false"
	case 'n':
		return "null"
	}
	return "a number"
}

// members walks an object in the order of its text, repeated keys and all.
// Members that are null are left out: Meta writes null where it means absent.
// What is no object has no members. A key is only lent until the next step.
func (v refValue) members() iter.Seq2[[]byte, refValue] {
	return func(yield func([]byte, refValue) bool) {
		if v.kind() != '{' {
			return
		}
		for i := skipSpace(v, 1); v[i] != '}'; {
			end := endOfString(v, i)
			key := unquoted(v[i:end])
			i = skipSpace(v, end) + 1 // the colon
			i = skipSpace(v, i)
			end = endOfValue(v, i)
			if v[i] != 'n' && !yield(key, v[i:end]) {
				return
			}
			if i = skipSpace(v, end); v[i] == ',' {
				i = skipSpace(v, i+1)
			}
		}
	}
}

// elements walks a list. What is no list has no elements.
func (v refValue) elements() iter.Seq2[int, refValue] {
	return func(yield func(int, refValue) bool) {
		if v.kind() != '[' {
			return
		}
		for n, i := 0, skipSpace(v, 1); v[i] != ']'; n++ {
			end := endOfValue(v, i)
			if !yield(n, v[i:end]) {
				return
			}
			if i = skipSpace(v, end); v[i] == ',' {
				i = skipSpace(v, i+1)
			}
		}
	}
}

// text is the value as a string of its own, never a part of the body; false
// when it is no text. Bytes that are no UTF-8 become U+FFFD.
func (v refValue) text() (string, bool) {
	if v.kind() != '"' {
		return "", false
	}
	if s := v[1 : len(v)-1]; bytes.IndexByte(s, '\\') < 0 && utf8.Valid(s) {
		return word(s), true
	}
	return unescaped(v), true
}

// whole is the value as a whole number, which may be written as text; false
// when it is none or does not fit.
func (v refValue) whole() (int64, bool) {
	switch v.kind() {
	case '"':
		n, err := strconv.ParseInt(string(v[1:len(v)-1]), 10, 64)
		return n, err == nil
	case '{', '[', 't', 'f', 'n':
		return 0, false
	}
	if n, err := strconv.ParseInt(string(v), 10, 64); err == nil {
		return n, true
	}
	f, err := strconv.ParseFloat(string(v), 64) // 1.795161600e9
	const exact = 1 << 53
	if err != nil || f != math.Trunc(f) || math.Abs(f) > exact {
		return 0, false
	}
	return int64(f), true
}

// instant is the value as a moment: Unix seconds in text or number, or a date
// and time of RFC 3339. A moment that is negative or out of all range is 0, not
// known; false means that the value is of another form altogether.
func (v refValue) instant() (wa.Instant, bool) {
	if string(v) == `""` {
		return 0, true
	}
	if seconds, ok := v.whole(); ok {
		if seconds < 0 || seconds > math.MaxInt64/1000 {
			return 0, true
		}
		return wa.Instant(seconds * 1000), true
	}
	s, _ := v.text()
	for _, layout := range [...]string{time.RFC3339, "2006-01-02T15:04:05-0700"} {
		if t, err := time.Parse(layout, s); err == nil {
			return max(0, wa.At(t)), true
		}
	}
	return 0, false
}

// unquoted is the text of a key.
func unquoted(key refValue) []byte {
	if bytes.IndexByte(key, '\\') >= 0 || !utf8.Valid(key) {
		return []byte(unescaped(key))
	}
	return key[1 : len(key)-1]
}

func unescaped(quoted refValue) string {
	var s string
	_ = json.Unmarshal(quoted, &s) // cannot fail: a valid string
	return s
}

// word makes a string of bytes; those that come with every status cost no memory.
func word(s []byte) string {
	switch string(s) {
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
	return string(s)
}

func skipSpace(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\t' || b[i] == '\r') {
		i++
	}
	return i
}

// endOfValue is the index behind the value that begins at i.
func endOfValue(b []byte, i int) int {
	switch b[i] {
	case '"':
		return endOfString(b, i)
	case '{', '[':
		return endOfNest(b, i)
	}
	for i < len(b) {
		switch b[i] {
		case ',', ']', '}', ' ', '\n', '\t', '\r':
			return i
		}
		i++
	}
	return i
}

func endOfNest(b []byte, i int) int {
	for depth := 0; ; {
		switch b[i] {
		case '"':
			i = endOfString(b, i)
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
		}
		i++
	}
}

// endOfString is the index behind the closing quote of the string that begins at i.
func endOfString(b []byte, i int) int {
	for i++; ; i++ {
		i += bytes.IndexByte(b[i:], '"')
		back := i
		for b[back-1] == '\\' {
			back--
		}
		if (i-back)%2 == 0 {
			return i + 1
		}
	}
}
