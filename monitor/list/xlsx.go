package list

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/xuri/excelize/v2"
)

// Bounds of a workbook: what it may unpack to, and how much of it may be anything
// but sheets and their texts.
const (
	maxUnpacked  = 2 << 30
	maxInMemory  = 64 << 20
	maxParts     = 10_000
	wholeNumbers = 9 // digits from which a number that is shown shortened is taken as it is stored
)

// structure are the parts that excelize gets, for what they say of sheets and of
// formats, and how many tags each may have.
var structure = map[string]int{
	"[content_types].xml": 1 << 15, "_rels/.rels": 1 << 10, "xl/workbook.xml": 1 << 17, "xl/_rels/workbook.xml.rels": 1 << 14, "xl/styles.xml": 1 << 20,
}

// ignored are parts that excelize would look at for nothing.
var ignored = map[string]bool{"xl/calcchain.xml": true, "xl/theme/theme1.xml": true, sharedStrings: true}

const sharedStrings = "xl/sharedstrings.xml"

// openXLSX takes the file over.
func openXLSX(file *os.File, sheet string) (_ rows, err error) {
	x := &xlsxRows{file: file, texts: &texts{}}
	if err := x.open(sheet); err != nil {
		return nil, errors.Join(asProblem(err), x.close())
	}
	return x, nil
}

func (x *xlsxRows) open(sheet string) (err error) {
	defer survive(&err)
	info, err := x.file.Stat()
	if err != nil {
		return err
	}
	archive, err := zip.NewReader(x.file, info.Size())
	if err != nil {
		return &Problem{Text: "this starts like an XLSX file but is damaged or cut off; save it again"}
	}
	if err := bounded(archive); err != nil {
		return err
	}
	book, err := frame(archive)
	if err != nil {
		return err
	}
	if x.sheet, x.noted, err = choose(book, sheet); err != nil {
		return err
	}
	part, err := partOf(book, x.sheet, archive)
	if err != nil {
		return err
	}
	x.formats = formatsOf(book, x.sheet, partName(part))
	for _, part := range archive.File {
		if strings.EqualFold(partName(part), sharedStrings) {
			if err := x.texts.read(part, filepath.Dir(x.file.Name())); err != nil {
				return err
			}
			break
		}
	}
	if x.unpacking, err = part.Open(); err != nil {
		return damaged(part, err)
	}
	x.xml, x.size = newMarkup(x.unpacking), part.UncompressedSize64
	return nil
}

// frame gives excelize a workbook that has a note in the place of each sheet, by
// which it is found: its number in the archive.
func frame(archive *zip.Reader) (*excelize.File, error) {
	var book bytes.Buffer
	to := zip.NewWriter(&book)
	for i, part := range archive.File {
		name := strings.ToLower(partName(part))
		content := fmt.Appendf(nil, `<worksheet><sheetData><row r="1"><c r="A1" t="str"><v>%d</v></c></row></sheetData></worksheet>`, i)
		if most, ok := structure[name]; ok {
			var err error
			if content, err = readPart(part, most); err != nil {
				return nil, err
			}
		} else if ignored[name] || strings.HasSuffix(name, "/") {
			continue
		}
		w, err := to.CreateHeader(&zip.FileHeader{Name: part.Name, Method: zip.Store})
		if err == nil {
			_, err = w.Write(content)
		}
		if err != nil {
			return nil, err
		}
	}
	if err := to.Close(); err != nil {
		return nil, err
	}
	return excelize.OpenReader(&book, excelize.Options{UnzipXMLSizeLimit: maxUnpacked, UnzipSizeLimit: maxUnpacked, ShortDatePattern: "yyyy-mm-dd"})
}

// partName is what a part is called; some write it as Windows does.
func partName(part *zip.File) string { return strings.ReplaceAll(part.Name, "\\", "/") }

func readPart(part *zip.File, tags int) ([]byte, error) {
	in, err := part.Open()
	if err != nil {
		return nil, damaged(part, err)
	}
	defer in.Close()
	content, err := io.ReadAll(in) // bounded has seen how much that can be
	if err != nil {
		return nil, damaged(part, err)
	}
	if bytes.Count(content, []byte{'<'}) > tags {
		return nil, &Problem{Text: fmt.Sprintf("the workbook has more in %s than a list needs; copy the list alone into a new workbook, or save it as CSV", part.Name)}
	}
	return content, nil
}

// partOf finds the part in which a sheet stands.
func partOf(book *excelize.File, sheet string, archive *zip.Reader) (*zip.File, error) {
	rows, err := book.Rows(sheet)
	if err != nil {
		return nil, err
	}
	if rows.Next() {
		note, err := rows.Columns()
		if err == nil && len(note) == 1 {
			if i, err := strconv.Atoi(note[0]); err == nil {
				return archive.File[i], nil
			}
		}
	}
	return nil, &Problem{Text: fmt.Sprintf("sheet %q is missing in the workbook; save it again, or as CSV", sheet)}
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
		case isSheet(name), name == sharedStrings:
			size = 0 // read piece by piece
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

// choose finds the sheet that is the list, and what is to be known of that.
func choose(book *excelize.File, named string) (sheet string, noted []Finding, err error) {
	sheets := book.GetSheetList()
	if len(sheets) == 0 {
		return "", nil, &Problem{Text: "there is no sheet in the workbook"}
	}
	if named == "" {
		i := slices.IndexFunc(sheets, func(s string) bool {
			visible, err := book.GetSheetVisible(s)
			return err == nil && visible
		})
		sheet = sheets[max(i, 0)]
		if len(sheets) > 1 {
			noted = []Finding{{OK, fmt.Sprintf("the list is sheet %q of %s", sheet, someOf(sheets)), 0}}
		}
		return sheet, noted, nil
	}
	i := slices.IndexFunc(sheets, func(s string) bool { return strings.EqualFold(s, named) })
	if i < 0 {
		return "", nil, &Problem{Text: fmt.Sprintf("there is no sheet %q; there are: %s", named, someOf(sheets))}
	}
	return sheets[i], nil, nil
}

// isSheet tells the parts of sheets, however large.
func isSheet(part string) bool {
	return strings.HasPrefix(strings.ToLower(part), "xl/worksheets/sheet")
}

func damaged(part *zip.File, err error) error {
	return &Problem{Text: fmt.Sprintf("the workbook is damaged (%s: %v); save it again, or as CSV", part.Name, err)}
}
