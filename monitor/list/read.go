package list

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"syscall"

	"tickwatch/wa"
)

// Bounds of a list. A file beyond one of them is refused with a clear line.
const (
	maxColumns = 512
	maxRecord  = 1 << 20    // bytes of one row
	maxRows    = 20_000_000 // what one campaign can hold in the memory of the doubles
	maxName    = 64         // characters of a column's name that are kept
	sampleRows = 50         // by which columns are recognised
	headBytes  = 64 << 10   // by which format and delimiter are recognised
)

// Row is one row of a list.
type Row struct {
	Line  int64    // of the file (its first, where it has several), or row of the sheet; from 1
	Cells []string // as many as the header has; as they stood, foreign text
}

// rows is a table, whatever its format. A row is valid until the next.
type rows interface {
	next() (Row, error) // io.EOF after the last
	done() float64      // share of the file that has been read
	notes() []Finding   // of what has been read
	close() error
}

// Reader reads the rows of a list.
type Reader struct {
	name    string
	rows    rows
	columns []string
	sample  []Row // the first rows, which were read ahead
	given   int   // of the sample
	count   int64
	notes   []Finding
	padded  bool // short rows are filled up: sheets do not store what is empty at their end
	failed  error
}

// Open opens the list at path. name is what the operator calls it, for messages;
// what kind of file it is, its content says. The first line holds the columns'
// names. An XLSX is read from its first sheet, see OpenSheet. Until Close, what
// a large XLSX is unpacked to stands beside it, see UnpackedFile.
func Open(path, name string) (*Reader, error) { return OpenSheet(path, name, "") }

// OpenSheet is Open for a named sheet of an XLSX; "" is its first.
func OpenSheet(path, name, sheet string) (*Reader, error) {
	r := &Reader{name: wa.Clean(name)}
	file, err := openRegular(path)
	if err != nil {
		return nil, r.problem(0, 0, err.Error())
	}
	if err := r.open(file, sheet); err != nil {
		r.Close()
		return nil, err
	}
	return r, nil
}

// openRegular opens a file for reading and refuses what is none: a folder, a
// pipe that would block, a device that never ends.
func openRegular(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		var of *os.PathError
		if errors.As(err, &of) {
			err = of.Err // the operator knows the file by its name, not by our path
		}
		return nil, fmt.Errorf("it cannot be opened: %w", err)
	}
	info, err := file.Stat()
	switch {
	case err != nil:
		err = fmt.Errorf("it cannot be looked at: %w", err)
	case info.IsDir():
		err = errors.New("this is a folder; give the file in it that holds the list")
	case !info.Mode().IsRegular():
		err = errors.New("this is a device or a pipe; save the list to a file and give that")
	case info.Size() == 0:
		err = errors.New("the file is empty; a list needs a line of column names and a row for each person")
	default:
		return file, nil
	}
	file.Close()
	return nil, err
}

// open takes the file over, whether it fails or not.
func (r *Reader) open(file *os.File, sheet string) error {
	head := make([]byte, headBytes)
	n, err := file.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		file.Close()
		return r.problem(0, 0, fmt.Sprintf("it cannot be read: %v", err))
	}
	head = head[:n]
	if bytes.HasPrefix(head, []byte("PK\x03\x04")) {
		r.padded = true
		r.rows, err = openXLSX(file, sheet)
	} else if no := foreignFormat(head); no != "" {
		file.Close()
		return r.problem(0, 0, no)
	} else {
		r.rows, err = openCSV(file, head)
	}
	if err != nil {
		return r.placed(err)
	}
	return r.readHeader()
}

// Columns are the clean names of the columns, each different from the others.
func (r *Reader) Columns() []string { return r.columns }

// Name is what the operator calls the file, cleaned.
func (r *Reader) Name() string { return r.name }

// Sample is the first rows, at most 50. They are given by Next all the same.
func (r *Reader) Sample() []Row { return r.sample }

// Notes are what is to be known of how the file was read; whole after the last row.
func (r *Reader) Notes() []Finding { return append(slices.Clip(r.notes), r.rows.notes()...) }

// Done is the share of the file that has been read, 0 to 1.
func (r *Reader) Done() float64 { return r.rows.done() }

// Next gives the next row that has anything in it, io.EOF after the last. Its
// cells stay valid, the slice that holds them is used again for the next row.
func (r *Reader) Next() (Row, error) {
	if r.given < len(r.sample) {
		r.given++
		return r.sample[r.given-1], nil
	}
	return r.read()
}

func (r *Reader) read() (Row, error) {
	for r.failed == nil {
		row, err := r.rows.next()
		if err != nil {
			if !errors.Is(err, io.EOF) {
				err = r.placed(err)
			}
			r.failed = err
			break
		}
		row, ok, err := r.fit(row)
		if err != nil {
			r.failed = err
			break
		}
		if !ok {
			continue
		}
		if r.count++; r.count > maxRows {
			r.failed = r.problem(row.Line, 0, fmt.Sprintf("more than %d rows; split the list", maxRows))
			break
		}
		return row, nil
	}
	return Row{}, r.failed
}

// fit gives a row as many cells as the header has, or says why it cannot; not ok
// is a blank row.
func (r *Reader) fit(row Row) (_ Row, ok bool, err error) {
	cells, want := row.Cells, len(r.columns)
	if blank(cells) {
		return row, false, nil
	}
	if len(cells) > want && blank(cells[want:]) {
		cells = cells[:want] // delimiters at the end of the line
	}
	switch {
	case len(cells) > want:
		return row, false, r.problem(row.Line, want+1, fmt.Sprintf("%d columns where the first line has %d: a value with the delimiter in it needs quotes around it", len(cells), want))
	case len(cells) < want && !r.padded:
		return row, false, r.problem(row.Line, len(cells)+1, fmt.Sprintf("%d columns where the first line has %d: is the row cut off, or a quote not closed?", len(cells), want))
	}
	for len(cells) < want {
		cells = append(cells, "")
	}
	return Row{row.Line, cells}, true, nil
}

func blank(cells []string) bool {
	for _, cell := range cells {
		if strings.TrimSpace(cell) != "" {
			return false
		}
	}
	return true
}

// Close lets go of the file, and removes what was unpacked beside it.
func (r *Reader) Close() error {
	if r.rows == nil {
		return nil
	}
	return r.rows.close()
}

// names are the columns' names as a sentence lists them.
func (r *Reader) names() string { return someOf(r.columns) }

// someOf lists names, the first dozen of many.
func someOf(names []string) string {
	const most = 12
	if len(names) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
	}
	return strings.Join(names, ", ")
}

func (r *Reader) problem(line int64, column int, text string) error {
	return &Problem{r.name, line, column, text}
}

// placed gives an error of a table the name of the file.
func (r *Reader) placed(err error) error {
	var p *Problem
	if errors.As(err, &p) {
		p.File = r.name
		return p
	}
	return r.problem(0, 0, fmt.Sprintf("it cannot be read: %v", err))
}
