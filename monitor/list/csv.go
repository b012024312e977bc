package list

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// csvRows reads delimited text: quoted fields may hold delimiters, line ends and
// doubled quotes (RFC 4180); a quote within a bare field is part of it, as
// spreadsheets have it; a line ends with LF, CRLF or, in old files, CR.
type csvRows struct {
	file      *os.File
	size      int64
	in        *bufio.Reader
	delimiter byte
	eol       byte
	line      int64  // the last that was read
	long      []byte // a line that is longer than the buffer
	text      []byte // of a row with quotes
	ends      []int  // of its cells, in text
	cells     []string
	noted     []Finding
}

// delimiters that are told apart by themselves, in the order in which a tie is decided.
var delimiters = []byte{',', ';', '\t', '|'}

// openCSV finds out how a file is written, and reads it from its beginning.
func openCSV(file *os.File, head []byte) (rows, error) {
	c := &csvRows{file: file, eol: '\n'}
	text, err := c.decode(head)
	if err != nil {
		file.Close()
		return nil, err
	}
	c.in = bufio.NewReaderSize(text, headBytes)
	start, err := c.in.Peek(headBytes)
	if err != nil && !errors.Is(err, io.EOF) {
		file.Close()
		return nil, err
	}
	if bytes.IndexByte(start, '\n') < 0 && bytes.IndexByte(start, '\r') >= 0 {
		c.eol = '\r'
	}
	if named, ok := namedDelimiter(start, c.eol); ok {
		c.delimiter = named
		if _, err := c.readLine(); err != nil {
			file.Close()
			return nil, err
		}
	} else {
		c.delimiter = findDelimiter(start, c.eol)
	}
	return c, nil
}

// namedDelimiter reads the line "sep=;" by which Excel names one.
func namedDelimiter(start []byte, eol byte) (byte, bool) {
	line, _, _ := bytes.Cut(start, []byte{eol})
	line = bytes.TrimRight(line, "\r")
	if len(line) == 5 && bytes.EqualFold(line[:4], []byte("sep=")) {
		return line[4], true
	}
	return 0, false
}

// findDelimiter takes the one that splits the first lines into most columns, and
// most of them into as many as the first.
func findDelimiter(start []byte, eol byte) byte {
	if len(start) == headBytes { // the last line may be cut
		if i := bytes.LastIndexByte(start, eol); i > 0 {
			start = start[:i+1]
		}
	}
	best, most := delimiters[0], 0.0
	for _, d := range delimiters {
		c := &csvRows{in: bufio.NewReaderSize(bytes.NewReader(start), headBytes), delimiter: d, eol: eol}
		columns, same, all := 0, 0, 0
		for all < 200 {
			row, err := c.next()
			if errors.Is(err, io.EOF) {
				break
			}
			all++
			if err != nil {
				break
			}
			if all == 1 {
				columns = len(row.Cells)
			}
			if len(row.Cells) == columns {
				same++
			}
		}
		if columns < 2 {
			continue
		}
		if score := float64(same)/float64(all) + float64(columns)/(10*maxColumns); score > most {
			best, most = d, score
		}
	}
	return best
}

// next gives the next row; blank lines are rows of one empty cell.
func (c *csvRows) next() (Row, error) {
	line, err := c.readLine()
	if err != nil {
		return Row{}, err
	}
	first := c.line
	c.cells = c.cells[:0]
	if bytes.IndexByte(line, 0) >= 0 {
		return Row{}, c.nul(line)
	}
	if bytes.IndexByte(line, '"') < 0 {
		rest := string(line) // one copy, which the cells share
		for {
			i := strings.IndexByte(rest, c.delimiter)
			if i < 0 {
				break
			}
			c.cells = append(c.cells, rest[:i])
			rest = rest[i+1:]
		}
		c.cells = append(c.cells, rest)
		return Row{first, c.cells}, nil
	}
	if err := c.quoted(line); err != nil {
		return Row{}, err
	}
	text, from := string(c.text), 0
	for _, end := range c.ends {
		c.cells = append(c.cells, text[from:end])
		from = end
	}
	return Row{first, c.cells}, nil
}

// readLine gives the next line without its end. It is valid until the next.
func (c *csvRows) readLine() ([]byte, error) {
	line, err := c.in.ReadSlice(c.eol)
	if errors.Is(err, bufio.ErrBufferFull) {
		c.long = c.long[:0]
		for errors.Is(err, bufio.ErrBufferFull) {
			if c.long = append(c.long, line...); len(c.long) > maxRecord {
				return nil, &Problem{Line: c.line + 1, Text: fmt.Sprintf("the line is longer than %d KiB; is this a list of recipients, with a line for each person?", maxRecord>>10)}
			}
			line, err = c.in.ReadSlice(c.eol)
		}
		c.long = append(c.long, line...)
		line = c.long
	}
	if err != nil && (!errors.Is(err, io.EOF) || len(line) == 0) {
		return nil, err
	}
	c.line++
	if err == nil {
		line = line[:len(line)-1]
	}
	if c.eol == '\n' && len(line) > 0 && line[len(line)-1] == '\r' {
		line = line[:len(line)-1]
	}
	return line, nil
}

// nul says where a byte stands that no text has.
func (c *csvRows) nul(line []byte) error {
	before := line[:bytes.IndexByte(line, 0)]
	return &Problem{Line: c.line, Column: 1 + bytes.Count(before, []byte{c.delimiter}), Text: "a NUL byte, which no text has; save the list as CSV in UTF-8 again"}
}

// quoted splits a row with quotes in it into text and ends. The row may go on
// over further lines.
func (c *csvRows) quoted(line []byte) error {
	c.text, c.ends = c.text[:0], c.ends[:0]
	for {
		field := bytes.TrimLeft(line, " ")
		if len(field) == 0 || field[0] != '"' || c.delimiter == ' ' {
			i := bytes.IndexByte(line, c.delimiter)
			if i < 0 {
				c.text = append(c.text, line...)
				c.ends = append(c.ends, len(c.text))
				return nil
			}
			c.text = append(c.text, line[:i]...)
			c.ends = append(c.ends, len(c.text))
			line = line[i+1:]
			continue
		}
		rest, err := c.quotedField(field[1:])
		if err != nil {
			return err
		}
		c.ends = append(c.ends, len(c.text))
		if rest = bytes.TrimLeft(rest, " "); len(rest) == 0 {
			return nil
		}
		if rest[0] != c.delimiter {
			return &Problem{Line: c.line, Column: len(c.ends), Text: "text after a closing quote; double the quotes that belong to the value"}
		}
		line = rest[1:]
	}
}

// quotedField appends a field from behind its opening quote to text, and gives
// what stands behind the closing one.
func (c *csvRows) quotedField(line []byte) (rest []byte, err error) {
	opened, column := c.line, len(c.ends)+1
	unclosed := &Problem{Line: opened, Column: column, Text: "a quote is opened here and never closed; close it, or double the quotes that belong to the value"}
	for {
		i := bytes.IndexByte(line, '"')
		if i < 0 {
			c.text = append(append(c.text, line...), '\n')
			if len(c.text) > maxRecord {
				return nil, unclosed
			}
			if line, err = c.readLine(); errors.Is(err, io.EOF) {
				return nil, unclosed
			}
			if err != nil {
				return nil, err
			}
			if bytes.IndexByte(line, 0) >= 0 {
				return nil, &Problem{Line: c.line, Column: column, Text: "a NUL byte, which no text has; save the list as CSV in UTF-8 again"}
			}
			continue
		}
		c.text = append(c.text, line[:i]...)
		line = line[i+1:]
		if len(line) == 0 || line[0] != '"' {
			return line, nil
		}
		c.text = append(c.text, '"')
		line = line[1:]
	}
}

// done counts what has been read of the file, what is in the buffer too.
func (c *csvRows) done() float64 {
	at, err := c.file.Seek(0, io.SeekCurrent)
	if err != nil || c.size == 0 {
		return 0
	}
	return min(1, float64(at)/float64(c.size))
}

func (c *csvRows) notes() []Finding { return c.noted }

func (c *csvRows) close() error { return c.file.Close() }
