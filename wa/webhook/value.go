package webhook

import (
	"iter"
	"math"
	"strconv"
	"time"

	"tickwatch/wa"
)

// value is one value of a scanned document. The zero value stands for one that is
// not there; it must not be read.
type value struct {
	of *document
	i  uint32 // of its token
}

func (v value) missing() bool { return v.of == nil }

func (v value) token() *token { return &v.of.tokens[v.i] }

// raw is the value as it stands in the body, without the space around it.
func (v value) raw() []byte {
	t := v.token()
	return v.of.body[t.at:t.end]
}

// kind is the value's first byte, which tells what it is.
func (v value) kind() byte { return v.token().kind }

// what names the value's kind in a sentence.
func (v value) what() string {
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
func (v value) members() iter.Seq2[[]byte, value] {
	return func(yield func([]byte, value) bool) {
		if v.kind() != '{' {
			return
		}
		for i, end := v.i+1, v.token().next; i < end; {
			member := value{v.of, i + 1}
			if member.kind() != 'n' && !yield(value{v.of, i}.key(), member) {
				return
			}
			i = member.token().next
		}
	}
}

// elements walks a list. What is no list has no elements.
func (v value) elements() iter.Seq2[int, value] {
	return func(yield func(int, value) bool) {
		if v.kind() != '[' {
			return
		}
		n := 0
		for i, end := v.i+1, v.token().next; i < end; n++ {
			element := value{v.of, i}
			if !yield(n, element) {
				return
			}
			i = element.token().next
		}
	}
}

// key is the text of a key.
func (v value) key() []byte {
	t := v.token()
	inner := v.of.body[t.at+1 : t.end-1]
	if !t.plain {
		return appendUnescaped(nil, inner)
	}
	return inner
}

// text is the value as a string of its own, never a part of the body; false
// when it is no text. Bytes that are no UTF-8 become U+FFFD.
func (v value) text() (string, bool) {
	t := v.token()
	if t.kind != '"' {
		return "", false
	}
	inner := v.of.body[t.at+1 : t.end-1]
	if t.plain {
		return v.of.texts.of(inner), true
	}
	return v.of.texts.unescaped(inner), true
}

// digits is a number (or true, or false) as it was written, as a string of its own.
func (v value) digits() string { return v.of.texts.of(v.raw()) }

// shown is the beginning of the value, fit for Problem.
func (v value) shown() string {
	raw := v.raw()
	return shown(string(raw[:min(len(raw), maxShown)]))
}

// whole is the value as a whole number, which may be written as text; false
// when it is none or does not fit.
func (v value) whole() (int64, bool) {
	raw := v.raw()
	switch raw[0] {
	case '"':
		return whole(raw[1 : len(raw)-1])
	case '{', '[', 't', 'f', 'n':
		return 0, false
	}
	if n, ok := whole(raw); ok {
		return n, true
	}
	f, err := strconv.ParseFloat(string(raw), 64) // 1.795161600e9
	const exact = 1 << 53
	if err != nil || f != math.Trunc(f) || math.Abs(f) > exact {
		return 0, false
	}
	return int64(f), true
}

// whole reads a whole number, sign and all.
func whole(digits []byte) (int64, bool) {
	const short = 18 // digits that always fit
	if len(digits) == 0 || len(digits) > short {
		n, err := strconv.ParseInt(string(digits), 10, 64)
		return n, err == nil
	}
	n := int64(0)
	for _, c := range digits {
		if c < '0' || c > '9' {
			n, err := strconv.ParseInt(string(digits), 10, 64)
			return n, err == nil
		}
		n = n*10 + int64(c-'0')
	}
	return n, true
}

// instant is the value as a moment: Unix seconds in text or number, or a date
// and time of RFC 3339. A moment that is negative or out of all range is 0, not
// known; false means that the value is of another form altogether.
func (v value) instant() (wa.Instant, bool) {
	if string(v.raw()) == `""` {
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
