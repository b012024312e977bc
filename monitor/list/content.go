package list

import (
	"bytes"
	"errors"
	"strconv"
	"unicode/utf8"
)

const maxReference = 16 // bytes of what stands behind an &

// skip reads to the end of the element that was opened last.
func (m *markup) skip() error {
	for depth := m.depth(); m.depth() >= depth; {
		if _, err := m.next(); err != nil {
			return err
		}
	}
	return nil
}

// content appends the text of the element that was opened last, without that of
// the elements in it, and reads to its end.
func (m *markup) content(dst []byte) ([]byte, error) {
	for {
		t, err := m.next()
		if err != nil {
			return dst, err
		}
		switch t {
		case opens:
			if err := m.skip(); err != nil {
				return dst, err
			}
		case chars:
			if m.literal {
				dst, err = appendLiteral(dst, m.text)
			} else {
				dst, err = appendResolved(dst, m.text)
			}
			if err != nil {
				return dst, err
			}
			if len(dst) > maxRecord {
				return dst, errTooLong
			}
		case closes:
			return dst, nil
		}
	}
}

// rich appends the text of the element that was opened last, which stands in t,
// or in t of runs r (ECMA-376 part 1, 18.4.8); phonetic hints are no part of it.
func (m *markup) rich(dst []byte) ([]byte, error) {
	for runs := 0; ; {
		t, err := m.next()
		if err == nil && t == opens {
			switch {
			case string(m.name) == "t":
				dst, err = m.content(dst)
			case string(m.name) == "r" && runs == 0:
				runs++
			default:
				err = m.skip()
			}
		}
		if err != nil {
			return dst, err
		}
		if t == closes {
			if runs--; runs < 0 {
				return dst, nil
			}
		}
	}
}

// appendResolved appends XML text with its references resolved and its line ends made one.
func appendResolved(dst, raw []byte) ([]byte, error) {
	for len(raw) > 0 {
		n := bytes.IndexByte(raw, '&')
		if n < 0 {
			return appendLiteral(dst, raw)
		}
		var err error
		if dst, err = appendLiteral(dst, raw[:n]); err != nil {
			return dst, err
		}
		raw = raw[n+1:]
		end := bytes.IndexByte(raw[:min(len(raw), maxReference)], ';')
		r, known := reference(raw[:max(end, 0)])
		if !known {
			return dst, errors.New("an & that stands for nothing known")
		}
		dst = utf8.AppendRune(dst, r)
		raw = raw[end+1:]
	}
	return dst, nil
}

// appendLiteral appends characters that XML may have.
func appendLiteral(dst, raw []byte) ([]byte, error) {
	for i := 0; i < len(raw); {
		switch c := raw[i]; {
		case c == '\r':
			if i++; i == len(raw) || raw[i] != '\n' {
				dst = append(dst, '\n')
			}
		case c < utf8.RuneSelf:
			if c < ' ' && c != '\t' && c != '\n' {
				return dst, errors.New("a control character, which no text has")
			}
			dst = append(dst, c)
			i++
		default:
			r, n := utf8.DecodeRune(raw[i:])
			if n == 1 || r == 0xfffe || r == 0xffff {
				return dst, errors.New("it is not in UTF-8")
			}
			dst = append(dst, raw[i:i+n]...)
			i += n
		}
	}
	return dst, nil
}

// reference gives the character that &name; stands for.
func reference(name []byte) (rune, bool) {
	switch string(name) {
	case "lt":
		return '<', true
	case "gt":
		return '>', true
	case "amp":
		return '&', true
	case "quot":
		return '"', true
	case "apos":
		return '\'', true
	}
	if len(name) < 2 || name[0] != '#' {
		return 0, false
	}
	base, digits := 10, name[1:]
	if digits[0] == 'x' {
		base, digits = 16, digits[1:]
	}
	n, err := strconv.ParseUint(string(digits), base, 32)
	r := rune(min(n, utf8.MaxRune+1))
	ok := err == nil && utf8.ValidRune(r) && (r >= ' ' || r == '\t' || r == '\n' || r == '\r') && r != 0xfffe && r != 0xffff
	return r, ok
}
