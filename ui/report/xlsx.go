package report

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/xuri/excelize/v2"
)

const (
	// sheetRows is what a sheet takes, its header included (Excel's limit).
	sheetRows = excelize.TotalRows
	// sheetText is after how many bytes of XML, at the most, another sheet is begun:
	// beyond 4 GB a part of the file needs headers that not every reader knows.
	sheetText = 3 << 30
	cellText  = 64 // of a cell's XML, besides its text
	escaped   = 6  // times as long a character may become
	// columnWidth shows a moment, or a long phone number, in full.
	columnWidth = 22
)

// xlsx writes a workbook of as many sheets as are needed. Each waits in a file
// until the workbook is put together, which goes straight to its writer.
type xlsx struct {
	book   *excelize.File
	sheet  *excelize.StreamWriter
	o      *TableOptions
	number []bool // by column
	cells  []any
	sheets int
	rows   int // of the sheet, header included
	text   int // bytes of XML that it may have

	most, mostText int // of a sheet
}

func newXLSX(to io.Writer, o *TableOptions) (*Table, error) {
	return newSheets(to, o, sheetRows, sheetText)
}

func newSheets(to io.Writer, o *TableOptions, most, mostText int) (*Table, error) {
	x := &xlsx{
		book: excelize.NewFile(excelize.Options{TmpDir: o.Folder}), o: o, cells: make([]any, len(o.Columns)), number: make([]bool, len(o.Columns)),
		most: most, mostText: mostText,
	}
	for i, c := range o.Columns {
		x.number[i] = c.Number
	}
	t := &Table{x.row, func() error { return errors.Join(x.end(to), x.book.Close()) }}
	if err := x.begin(); err != nil {
		return nil, errors.Join(err, x.book.Close())
	}
	return t, nil
}

// begin begins a sheet.
func (x *xlsx) begin() (err error) {
	x.sheets++
	name := x.o.Sheet
	if x.sheets > 1 {
		name = fmt.Sprintf("%s %d", name, x.sheets)
		_, err = x.book.NewSheet(name)
	} else {
		err = x.book.SetSheetName(x.book.GetSheetName(0), name)
	}
	if err != nil {
		return fmt.Errorf("beginning a sheet: %w", err)
	}
	if x.sheet, err = x.book.NewStreamWriter(name); err != nil {
		return fmt.Errorf("beginning a sheet: %w", err)
	}
	if err := x.sheet.SetColWidth(1, max(len(x.o.Columns), 1), columnWidth); err != nil {
		return fmt.Errorf("beginning a sheet: %w", err)
	}
	if err := x.sheet.SetPanes(&excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"}); err != nil {
		return fmt.Errorf("beginning a sheet: %w", err)
	}
	x.rows, x.text = 0, 0
	for i, c := range x.o.Columns {
		x.cells[i] = c.Name
	}
	return x.write(x.cells)
}

func (x *xlsx) row(cells []string) error {
	if x.rows == x.most || x.text >= x.mostText {
		if err := x.sheet.Flush(); err != nil {
			return fmt.Errorf("ending a sheet: %w", err)
		}
		if err := x.begin(); err != nil {
			return err
		}
	}
	for i, c := range cells {
		x.cells[i] = c
		if c == "" {
			x.cells[i] = nil // no cell
		} else if x.number[i] {
			if n, err := strconv.ParseInt(c, 10, 64); err == nil {
				x.cells[i] = n
			}
		}
		x.text += cellText + escaped*len(c)
	}
	return x.write(x.cells[:len(cells)])
}

func (x *xlsx) write(cells []any) error {
	x.rows++
	if err := x.sheet.SetRow("A"+strconv.Itoa(x.rows), cells); err != nil {
		return fmt.Errorf("writing row %d of a sheet: %w", x.rows, err)
	}
	return nil
}

// end puts the workbook together.
func (x *xlsx) end(to io.Writer) error {
	if err := x.sheet.Flush(); err != nil {
		return fmt.Errorf("ending a sheet: %w", err)
	}
	// The library would hold the whole file in memory: it hands its archive a buffer,
	// which is left empty here.
	x.book.SetZipWriter(func(io.Writer) excelize.ZipWriter { return zip.NewWriter(to) })
	if err := x.book.Write(io.Discard); err != nil {
		return fmt.Errorf("writing a workbook: %w", err)
	}
	return nil
}
