package list

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// Bounds of XML. A workbook has a dozen elements in one another, and at most
// 32,767 characters in a cell.
const (
	maxDepth  = 100
	maxMarkup = maxRecord // bytes of one tag, or of one text
	readAhead = 64 << 10
)

var (
	errBreaksOff = errors.New("it breaks off")
	errNoXML     = errors.New("it is no XML")
	errTooLong   = fmt.Errorf("a text is longer than %d KiB", maxRecord>>10)
)

// token is what markup gives one of.
type token int

const (
	opens  token = iota // an element: name and attrs are set
	closes              // an element, an empty one too
	chars               // text and literal are set
)

// markup reads the XML of a workbook piece by piece, and holds one piece in
// memory. It takes XML 1.0 in UTF-8 and nothing that a workbook may not have: a
// DOCTYPE, with all that one can do harm with, is refused (ECMA-376 part 2, 9.1.7).
// Elements must end as they began; names are given without their prefix. What it
// gives is valid until the next call.
type markup struct {
	in      io.Reader
	read    int64 // bytes of it so far
	buf     []byte
	at, end int // of buf, what has been read and not been given yet

	open   []byte // names of the elements that are open, one behind the other
	opened []int  // where each begins
	begun  bool   // the first element has been seen
	empty  bool   // the start tag that was given last is an end tag too

	name    []byte
	attrs   []attr
	text    []byte
	literal bool // no & stands for something else in text
}

type attr struct{ name, value []byte }

func newMarkup(in io.Reader) *markup {
	return &markup{in: in, buf: make([]byte, readAhead)}
}

// depth is how many elements are open.
func (m *markup) depth() int { return len(m.opened) }

// next gives the next tag or text, io.EOF after the last element has ended.
// White space between tags is a text too.
func (m *markup) next() (token, error) {
	if m.empty {
		m.empty = false
		m.pop()
		return closes, nil
	}
	for {
		n := bytes.IndexByte(m.buf[m.at:m.end], '<')
		switch {
		case n > 0:
			m.text, m.literal = m.buf[m.at:m.at+n], false
			m.at += n
			if m.depth() > 0 {
				return chars, nil
			}
			if len(bytes.TrimLeft(m.text, " \t\r\n\ufeff")) > 0 {
				return 0, errNoXML
			}
		case n == 0:
			t, ok, err := m.tag()
			if ok || err != nil {
				return t, err
			}
		default:
			err := m.fill()
			if errors.Is(err, errBreaksOff) && m.begun && m.depth() == 0 && len(bytes.TrimLeft(m.buf[m.at:m.end], " \t\r\n")) == 0 {
				return 0, io.EOF
			}
			if err != nil {
				return 0, err
			}
		}
	}
}

// fill reads on.
func (m *markup) fill() error {
	if m.at > 0 {
		m.end = copy(m.buf, m.buf[m.at:m.end])
		m.at = 0
	}
	if m.end == len(m.buf) {
		if m.end >= maxMarkup {
			return errTooLong
		}
		m.buf = append(m.buf, make([]byte, len(m.buf))...)
	}
	n, err := io.ReadFull(m.in, m.buf[m.end:])
	m.end += n
	m.read += int64(n)
	switch {
	case n > 0:
		return nil // an error comes again
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return errBreaksOff
	}
	return err
}

// tag reads what begins with "<"; not ok is what says nothing: a comment, an instruction.
func (m *markup) tag() (_ token, ok bool, err error) {
	for m.end-m.at < len("<![CDATA[") && err == nil {
		err = m.fill()
	}
	if m.end-m.at < 2 {
		return 0, false, err
	}
	switch start := m.buf[m.at:m.end]; {
	case start[1] == '/':
		return closes, true, m.close()
	case start[1] == '?':
		piece, err := m.through("?>")
		if err == nil {
			err = inUTF8(piece)
		}
		return 0, false, err
	case bytes.HasPrefix(start, []byte("<!--")):
		m.at += len("<!--") // <!--> is none
		_, err := m.through("-->")
		return 0, false, err
	case bytes.HasPrefix(start, []byte("<![CDATA[")) && m.depth() > 0:
		piece, err := m.through("]]>")
		if err != nil {
			return 0, false, err
		}
		m.text, m.literal = piece[len("<![CDATA["):len(piece)-len("]]>")], true
		return chars, true, nil
	case start[1] == '!':
		return 0, false, errors.New("it declares what a workbook has not (<!)")
	}
	end, err := m.tagEnd()
	if err != nil {
		return 0, false, err
	}
	piece := m.buf[m.at+1 : end]
	m.at = end + 1
	return opens, true, m.start(piece)
}

// through gives all up to a mark, and the mark.
func (m *markup) through(mark string) ([]byte, error) {
	for seen := 0; ; {
		if n := bytes.Index(m.buf[m.at+seen:m.end], []byte(mark)); n >= 0 {
			piece := m.buf[m.at : m.at+seen+n+len(mark)]
			m.at += len(piece)
			return piece, nil
		}
		seen = max(0, m.end-m.at-len(mark)+1)
		if err := m.fill(); err != nil {
			return nil, err
		}
	}
}

// tagEnd finds the ">" that ends a start tag, which may stand in a value as well.
func (m *markup) tagEnd() (int, error) {
	quote := byte(0)
	for i := m.at + 1; ; i++ {
		if i == m.end {
			seen := i - m.at
			if err := m.fill(); err != nil {
				return 0, err
			}
			i = m.at + seen
		}
		switch c := m.buf[i]; {
		case c == '<':
			return 0, errNoXML
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '>':
			return i, nil
		}
	}
}

// inUTF8 refuses the declaration of another encoding.
func inUTF8(instruction []byte) error {
	if !bytes.HasPrefix(instruction, []byte("<?xml ")) {
		return nil
	}
	_, encoding, named := bytes.Cut(instruction, []byte("encoding"))
	encoding = bytes.TrimLeft(encoding, " \t\r\n=\"'")
	if n := len("utf-8"); named && (len(encoding) < n || !bytes.EqualFold(encoding[:n], []byte("utf-8"))) {
		return errors.New("it is not in UTF-8")
	}
	return nil
}

// inName are the bytes of a name, in XML that somebody wrote by hand too.
var inName = func() (is [256]bool) {
	for c := range is {
		is[c] = c >= 0x80 || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == ':' || c == '_' || c == '-' || c == '.'
	}
	return is
}()

func cutName(b []byte) (name, rest []byte) {
	n := 0
	for n < len(b) && inName[b[n]] {
		n++
	}
	return b[:n], b[n:]
}

func cutSpace(b []byte) []byte {
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\n' || b[0] == '\t' || b[0] == '\r') {
		b = b[1:]
	}
	return b
}

// start takes a start tag apart.
func (m *markup) start(tag []byte) error {
	if n := len(tag); n > 0 && tag[n-1] == '/' {
		m.empty, tag = true, tag[:n-1]
	}
	name, rest := cutName(tag)
	if len(name) == 0 || m.begun && m.depth() == 0 {
		return errNoXML
	}
	m.attrs = m.attrs[:0]
	for {
		next := cutSpace(rest)
		if len(next) == 0 {
			break
		}
		if len(next) == len(rest) { // nothing parts it from what stands before
			return errNoXML
		}
		var a attr
		a.name, rest = cutName(next)
		if rest = cutSpace(rest); len(a.name) == 0 || len(rest) == 0 || rest[0] != '=' {
			return errNoXML
		}
		if rest = cutSpace(rest[1:]); len(rest) == 0 || rest[0] != '"' && rest[0] != '\'' {
			return errNoXML
		}
		n := bytes.IndexByte(rest[1:], rest[0])
		if n < 0 {
			return errNoXML
		}
		a.value, rest = rest[1:n+1], rest[n+2:]
		m.attrs = append(m.attrs, a)
	}
	if m.depth() == maxDepth {
		return fmt.Errorf("more than %d elements in one another", maxDepth)
	}
	m.begun = true
	m.opened = append(m.opened, len(m.open))
	m.open = append(m.open, name...)
	m.name = local(name)
	return nil
}

// close ends the element that was opened last.
func (m *markup) close() error {
	if m.depth() == 0 {
		return errNoXML
	}
	name := m.open[m.opened[m.depth()-1]:]
	piece, err := m.through(">")
	if err != nil {
		return err
	}
	piece = piece[len("</"):]
	if !bytes.HasPrefix(piece, name) || len(cutSpace(piece[len(name):])) != len(">") {
		return errNoXML
	}
	m.pop()
	return nil
}

func (m *markup) pop() {
	last := m.depth() - 1
	begin := m.opened[last]
	m.name = local(m.open[begin:])
	m.open, m.opened = m.open[:begin], m.opened[:last]
}

// local is a name without its prefix.
func local(name []byte) []byte {
	if i := bytes.LastIndexByte(name, ':'); i > 0 && i < len(name)-1 {
		return name[i+1:]
	}
	return name
}

// attr gives the value of an attribute of the start tag; nil if it has none.
func (m *markup) attr(name string) []byte {
	for i := range m.attrs {
		if string(m.attrs[i].name) != name {
			continue
		}
		value := m.attrs[i].value
		if bytes.IndexByte(value, '&') >= 0 {
			value, _ = appendResolved(nil, value) // what is wrong with it, its reader finds
		}
		return value
	}
	return nil
}
