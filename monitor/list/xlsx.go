package list

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/xuri/excelize/v2"

	"tickwatch/wa"
)

// Bounds of a workbook: what it may unpack to on disk, and what of it is held in
// memory, which is all but the sheets and their texts.
const (
	maxUnpacked  = 2 << 30
	maxInMemory  = 64 << 20
	maxParts     = 10_000
	spillToDisk  = 4 << 20
	wholeNumbers = 9 // digits from which a number that is shown shortened is looked up as it is stored
)

// UnpackedFile is what the files are called that a large XLSX is unpacked to, beside
// it. Close removes them; a process that is killed leaves them behind.
const UnpackedFile = "excelize-*"

// xlsxRows reads a sheet. Cells come as the sheet shows them (a date as a date),
// but long numbers as they are stored: the sheet may show them with an exponent.
type xlsxRows struct {
	book   *excelize.File
	sheet  string
	shown  *excelize.Rows
	line   int64
	hidden int64
	noted  []Finding
	ends   []int64 // numbers of the last rows of all sheets

	stored      *excelize.Rows // nil until a cell needs it
	storedLine  int64
	storedCells []string
}

// openXLSX takes the file over.
func openXLSX(file *os.File, sheet string) (_ rows, err error) {
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	archive, err := zip.NewReader(file, info.Size())
	if err != nil {
		return nil, &Problem{Text: "this starts like an XLSX file but is damaged or cut off; save it again"}
	}
	if err := bounded(archive); err != nil {
		return nil, err
	}
	x := &xlsxRows{}
	if err := x.measure(archive); err != nil {
		return nil, err
	}
	if err := x.open(file.Name(), sheet); err != nil {
		return nil, errors.Join(asProblem(err), x.close())
	}
	return x, nil
}

func (x *xlsxRows) open(path, sheet string) (err error) {
	defer survive(&err)
	x.book, err = excelize.OpenFile(path, excelize.Options{
		UnzipSizeLimit: maxUnpacked, UnzipXMLSizeLimit: spillToDisk,
		TmpDir: filepath.Dir(path), ShortDatePattern: "yyyy-mm-dd",
	})
	if err != nil {
		return err
	}
	if err := x.choose(sheet); err != nil {
		return err
	}
	x.shown, err = x.book.Rows(x.sheet)
	return err
}

// survive makes an error of a panic: nobody vouches for what a workbook that was
// made to do harm does to its reader.
func survive(err *error) {
	if p := recover(); p != nil {
		*err = &Problem{Text: "it cannot be read as XLSX; save it again, or as CSV"}
	}
}

func asProblem(err error) error {
	if p := (*Problem)(nil); errors.As(err, &p) {
		return p
	}
	return &Problem{Text: fmt.Sprintf("it cannot be read as XLSX (%v); save it again, or as CSV", err)}
}

// bounded refuses what is no workbook, and what would unpack to more than a list can be.
func bounded(archive *zip.Reader) error {
	var all, held uint64
	var book bool
	for _, part := range archive.File {
		name := strings.ToLower(part.Name)
		size := part.UncompressedSize64
		all += size
		switch {
		case name == "xl/workbook.xml":
			book = true
		case isSheet(name), name == "xl/sharedstrings.xml":
			size = 0 // on disk
		case strings.HasPrefix(name, "content.xml"):
			return &Problem{Text: "this is an OpenDocument file; save it as XLSX or CSV"}
		case name == "xl/workbook.bin":
			return &Problem{Text: "this is a binary workbook (.xlsb); save it as XLSX or CSV"}
		}
		if held += size; all > maxUnpacked || held > maxInMemory || len(archive.File) > maxParts {
			return &Problem{Text: fmt.Sprintf("the workbook unpacks to more than a list needs (%d MiB of sheets, or %d MiB of pictures and the like); copy the list alone into a new workbook, or save it as CSV", maxUnpacked>>20, maxInMemory>>20)}
		}
	}
	if !book {
		return &Problem{Text: "this is a ZIP archive and no workbook; give the list in it, as CSV or XLSX"}
	}
	return nil
}

func (x *xlsxRows) choose(sheet string) error {
	sheets := x.book.GetSheetList()
	if len(sheets) == 0 {
		return &Problem{Text: "there is no sheet in the workbook"}
	}
	if sheet == "" {
		i := slices.IndexFunc(sheets, func(s string) bool {
			visible, err := x.book.GetSheetVisible(s)
			return err == nil && visible
		})
		x.sheet = sheets[max(i, 0)]
		if len(sheets) > 1 {
			x.noted = []Finding{{OK, fmt.Sprintf("the list is sheet %q of %s", x.sheet, someOf(sheets)), 0}}
		}
		return nil
	}
	i := slices.IndexFunc(sheets, func(s string) bool { return strings.EqualFold(s, sheet) })
	if i < 0 {
		return &Problem{Text: fmt.Sprintf("there is no sheet %q; there are: %s", sheet, someOf(sheets))}
	}
	x.sheet = sheets[i]
	return nil
}

// measure reads the whole archive once: no byte of it may be damaged. It notes
// where sheets end, for excelize takes one that breaks off for one that ends.
func (x *xlsxRows) measure(archive *zip.Reader) error {
	for _, part := range archive.File {
		in, err := part.Open()
		if err != nil {
			return damaged(part, err)
		}
		var last lastRow
		if _, err := io.CopyN(&last, in, maxUnpacked); !errors.Is(err, io.EOF) {
			return damaged(part, err)
		}
		in.Close()
		if isSheet(part.Name) {
			if !bytes.Contains(last.text, []byte("worksheet>")) {
				return damaged(part, errors.New("it breaks off"))
			}
			x.ends = append(x.ends, last.number)
		}
	}
	return nil
}

// isSheet tells the parts that excelize keeps on disk.
func isSheet(part string) bool {
	return strings.HasPrefix(strings.ToLower(part), "xl/worksheets/sheet")
}

func damaged(part *zip.File, err error) error {
	return &Problem{Text: fmt.Sprintf("the workbook is damaged (%s: %v); save it again, or as CSV", part.Name, err)}
}

var rowTag = regexp.MustCompile(`^(?:<|:)row\s(?:[^<>]*\s)?r=["'](\d{1,7})["']`)

// overlap is what is kept of a piece for the next: more than a row's tag has.
const overlap = 1 << 10

// lastRow takes a part of a workbook and finds the number of the last row in it;
// 0 where rows have none, or there is none.
type lastRow struct {
	number int64
	text   []byte
}

// Write looks at the next piece of the part.
func (l *lastRow) Write(piece []byte) (int, error) {
	l.text = append(l.text[:copy(l.text, l.text[max(0, len(l.text)-overlap):])], piece...)
	for at := len(l.text); at >= 0; {
		if at = bytes.LastIndex(l.text[:at], []byte("row")) - 1; at < 0 {
			break
		}
		if m := rowTag.FindSubmatch(l.text[at:min(len(l.text), at+overlap)]); m != nil {
			l.number = int64(atoi(string(m[1])))
			break
		}
	}
	return len(piece), nil
}

var grouped = regexp.MustCompile(`^\+?\d{1,3}([,. '’\x{a0}\x{202f}]\d{3})+$`)

func (x *xlsxRows) next() (_ Row, err error) {
	defer survive(&err)
	if !x.shown.Next() {
		if err := x.shown.Error(); err != nil {
			return Row{}, asProblem(err)
		}
		if !slices.Contains(x.ends, x.line) && !slices.Contains(x.ends, 0) {
			return Row{}, &Problem{Line: x.line, Text: "the sheet breaks off after this row; save it again, or as CSV"}
		}
		return Row{}, io.EOF
	}
	x.line++
	if x.shown.GetRowOpts().Hidden {
		x.hidden++
	}
	cells, err := x.shown.Columns()
	if err != nil {
		return Row{}, &Problem{Line: x.line, Text: fmt.Sprintf("the row cannot be read (%v); save the list again, or as CSV", err)}
	}
	for i, cell := range cells {
		shortened := len(cell) >= 4 && (exponent.MatchString(cell) || grouped.MatchString(cell))
		if !shortened {
			continue
		}
		stored, err := x.asStored()
		if err != nil {
			return Row{}, asProblem(err)
		}
		if i < len(stored) && len(stored[i]) >= wholeNumbers && stored[i] == wa.Digits(stored[i]) {
			cells[i] = stored[i]
		}
	}
	return Row{x.line, cells}, nil
}

// asStored gives the row that was shown last as it is stored.
func (x *xlsxRows) asStored() (cells []string, err error) {
	if x.stored == nil {
		if x.stored, err = x.book.Rows(x.sheet); err != nil {
			return nil, err
		}
	}
	for x.storedLine < x.line && x.stored.Next() {
		x.storedLine++
		if cells, err = x.stored.Columns(excelize.Options{RawCellValue: true}); err != nil {
			return nil, err
		}
		x.storedCells = cells
	}
	return x.storedCells, nil
}

func (x *xlsxRows) done() float64 {
	if end := slices.Max(append(x.ends, 1)); x.line < end {
		return float64(x.line) / float64(end)
	}
	return 1
}

func (x *xlsxRows) notes() []Finding {
	if x.hidden == 0 {
		return x.noted
	}
	return append(slices.Clip(x.noted), Finding{Watch, "rows of the sheet are hidden, by a filter perhaps; they are on the list all the same", x.hidden})
}

func (x *xlsxRows) close() error {
	var errs []error
	for _, open := range []*excelize.Rows{x.shown, x.stored} {
		if open != nil {
			errs = append(errs, open.Close())
		}
	}
	if x.book != nil {
		errs = append(errs, x.book.Close())
	}
	return errors.Join(errs...)
}
