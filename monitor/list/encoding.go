package list

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// decode gives the file's text as UTF-8. What is not UTF-8 is recognised by its
// content; a note says as what, and how sure that is.
func (c *csvRows) decode(head []byte) (io.Reader, error) {
	info, err := c.file.Stat()
	if err != nil {
		return nil, err
	}
	c.size = info.Size()
	if order, ok := utf16Order(head); ok {
		text := transform.NewReader(c.file, unicode.UTF16(order, unicode.UseBOM).NewDecoder())
		c.noted = append(c.noted, Finding{OK, "the file was read as UTF-16, as spreadsheets write \"Unicode text\"", 0})
		return text, nil
	}
	skip := 0
	if bytes.HasPrefix(head, []byte("\xef\xbb\xbf")) {
		skip = 3
	}
	var s survey
	if err := s.read(io.NewSectionReader(c.file, 0, c.size)); err != nil {
		return nil, err
	}
	if _, err := c.file.Seek(int64(skip), io.SeekStart); err != nil {
		return nil, err
	}
	if s.invalid == 0 {
		return c.file, nil
	}
	note, err := s.judge(skip > 0)
	if err != nil {
		return nil, err
	}
	c.noted = append(c.noted, note)
	return charmap.Windows1252.NewDecoder().Reader(c.file), nil
}

// utf16Order tells UTF-16 by its byte order mark, or by the NUL that half of its
// bytes are where the text is Latin.
func utf16Order(head []byte) (unicode.Endianness, bool) {
	if bytes.HasPrefix(head, []byte("\xff\xfe")) {
		return unicode.LittleEndian, true
	}
	if bytes.HasPrefix(head, []byte("\xfe\xff")) {
		return unicode.BigEndian, true
	}
	var nul [2]int
	for i, b := range head {
		if b == 0 {
			nul[i%2]++
		}
	}
	most := len(head) * 2 / 5
	switch {
	case len(head) < 8:
	case nul[1] > most && nul[0] < most/8:
		return unicode.LittleEndian, true
	case nul[0] > most && nul[1] < most/8:
		return unicode.BigEndian, true
	}
	return unicode.LittleEndian, false
}

// survey counts what tells one 8-bit encoding from another, over a whole file: the
// first character that is not ASCII may stand in its last row.
type survey struct {
	continued int64 // bytes by which right UTF-8 goes on, one or more for each character that is not ASCII
	invalid   int64 // bytes that are no UTF-8
	letters   int64 // of them: what Western European words are made of in Windows-1252
	runs      int64 // of them: those between two others, as words of other scripts have
	undefined int64 // of them: no character in Windows-1252
	line      int64 // of the first
	example   []byte
	lines     int64
}

func (s *survey) read(r io.Reader) error {
	buf := make([]byte, 256<<10)
	kept := 0
	for {
		n, err := r.Read(buf[kept:])
		text := buf[:kept+n]
		end := errors.Is(err, io.EOF)
		if err != nil && !end {
			return err
		}
		cut := len(text)
		if !end { // a character may go on in the next piece
			for back := 1; back < utf8.UTFMax && back <= len(text); back++ {
				if b := text[len(text)-back]; utf8.RuneStart(b) {
					if !utf8.FullRune(text[len(text)-back:]) {
						cut = len(text) - back
					}
					break
				}
			}
		}
		s.take(text[:cut])
		kept = copy(buf, text[cut:])
		if end {
			return nil
		}
	}
}

func (s *survey) take(text []byte) {
	if utf8.Valid(text) {
		s.continued += int64(len(text) - utf8.RuneCount(text))
		s.lines += int64(bytes.Count(text, []byte{'\n'}))
		return
	}
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRune(text[i:])
		switch {
		case r == '\n':
			s.lines++
		case r == utf8.RuneError && size == 1:
			s.bad(text, i)
		default:
			s.continued += int64(size - 1)
		}
		i += size
	}
}

// What Western European text has of Windows-1252's upper half besides letters, and
// what that has no character for.
const (
	westernMarks = "\x80\x8a\x8c\x8e\x91\x92\x93\x94\x96\x97\x9a\x9c\x9e\x9f\xa0\xaa\xb0\xb4\xba"
	noCharacter  = "\x81\x8d\x8f\x90\x9d"
)

func (s *survey) bad(text []byte, i int) {
	if s.invalid++; s.invalid == 1 {
		s.line = s.lines + 1
		from, to := i, i
		for from > 0 && i-from < 20 && text[from-1] >= ' ' {
			from--
		}
		for to < len(text) && to-i < 20 && text[to] >= ' ' {
			to++
		}
		s.example, _ = charmap.Windows1252.NewDecoder().Bytes(text[from:to])
	}
	b := text[i]
	if strings.IndexByte(noCharacter, b) >= 0 {
		s.undefined++
	}
	if b >= 0xC0 && b != 0xD7 && b != 0xF7 || strings.IndexByte(westernMarks, b) >= 0 {
		s.letters++
	}
	if i > 0 && text[i-1] >= utf8.RuneSelf && i+1 < len(text) && text[i+1] >= utf8.RuneSelf {
		s.runs++
	}
}

// judge says what the file is written in, or that nobody can know.
func (s *survey) judge(marked bool) (Finding, error) {
	where := &Problem{Line: s.line}
	switch {
	case marked || s.continued > s.invalid:
		where.Text = fmt.Sprintf("this is UTF-8, but %d bytes of it are not (first near %q); mend them, or save the list as UTF-8 again", s.invalid, s.example)
		return Finding{}, where
	case s.undefined > 0 || s.runs*4 > s.invalid:
		where.Text = fmt.Sprintf("this is neither UTF-8 nor Western European text (first near %q); save the list as CSV in UTF-8", s.example)
		return Finding{}, where
	}
	sure := "quite sure, but look at the names"
	if s.letters*10 < s.invalid*9 {
		sure = "not sure: look at the names before you send"
	}
	return Finding{Watch, fmt.Sprintf("the file is not UTF-8 and was read as Latin-1 (Windows-1252); %s. Line %d reads %q", sure, s.line, s.example), 0}, nil
}
