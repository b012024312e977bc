package list

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strconv"
)

// Bounds of a sheet (Excel's specifications and limits).
const (
	sheetRows    = 1 << 20
	sheetColumns = 1 << 14
)

// xlsxRows reads a sheet. Cells come as the sheet shows them (a date as a date),
// but long numbers as they are stored: the sheet may show them with an exponent.
// Excelize knows how they are shown; the sheet and the texts of its cells, which are
// nearly all of a workbook, are read here, in a tenth of its time.
type xlsxRows struct {
	file      *os.File
	unpacking io.ReadCloser
	xml       *markup
	size      uint64 // bytes of the sheet
	sheet     string
	texts     *texts
	formats   *formats
	noted     []Finding

	begun, ended bool  // sheetData, where the rows are
	line         int64 // the row that was begun last
	column       int   // the cell of it that was begun last, from 1; 0 = none
	hidden       int64

	value []byte // what the cell stores
	text  []byte // of the row, as it is shown
	ends  []int  // of its cells, in text
	cells []string
}

func (x *xlsxRows) next() (_ Row, err error) {
	defer survive(&err)
	for !x.ended {
		t, err := x.xml.next()
		if errors.Is(err, io.EOF) {
			return Row{}, io.EOF // a sheet of charts has no rows
		}
		if err != nil {
			return Row{}, x.damaged(err)
		}
		switch {
		case t == opens && !x.begun:
			x.begun = string(x.xml.name) == "sheetData"
		case t == opens && string(x.xml.name) == "row":
			return x.row()
		case t == opens && x.begun:
			if err := x.xml.skip(); err != nil {
				return Row{}, x.damaged(err)
			}
		case t == closes && string(x.xml.name) == "sheetData":
			x.ended = true
		}
	}
	for { // what else there is of the sheet: it may break off there, too
		if _, err := x.xml.next(); errors.Is(err, io.EOF) {
			return Row{}, io.EOF
		} else if err != nil {
			return Row{}, x.damaged(err)
		}
	}
}

// row reads a row behind its start.
func (x *xlsxRows) row() (Row, error) {
	line := x.line + 1
	if r := x.xml.attr("r"); r != nil {
		n, err := strconv.ParseInt(string(r), 10, 64)
		if err != nil || n < line || n > sheetRows {
			return Row{}, x.damaged(fmt.Errorf("a row with the number %q behind row %d", r, x.line))
		}
		line = n
	}
	x.line, x.column = line, 0
	if hidden, err := strconv.ParseBool(string(x.xml.attr("hidden"))); err == nil && hidden {
		x.hidden++
	}
	x.text, x.ends = x.text[:0], x.ends[:0]
	for {
		t, err := x.xml.next()
		switch {
		case err != nil:
		case t == closes:
			return x.made(), nil
		case t == opens && string(x.xml.name) == "c":
			err = x.readCell()
		case t == opens:
			err = x.xml.skip()
		}
		if err != nil {
			return Row{}, x.damaged(err)
		}
	}
}

// made gives the row that was read.
func (x *xlsxRows) made() Row {
	text, from := string(x.text), 0 // one copy, which the cells share
	x.cells, x.column = x.cells[:0], 0
	for _, end := range x.ends {
		x.cells = append(x.cells, text[from:end])
		from = end
	}
	return Row{x.line, x.cells}
}

// readCell reads a cell behind its start, and adds it to the row.
func (x *xlsxRows) readCell() error {
	column, err := cellColumn(x.xml.attr("r"), x.column+1, x.line)
	if err != nil {
		return err
	}
	x.column = column
	style, kind := 0, kindOf(x.xml.attr("t"))
	if s := x.xml.attr("s"); s != nil {
		if style, err = strconv.Atoi(string(s)); err != nil {
			return fmt.Errorf("a style %q", s)
		}
	}
	formula, err := x.readValue(kind)
	if err != nil {
		return err
	}
	start := len(x.text)
	if err := x.show(kind, style); err != nil {
		return err
	}
	if len(x.text) > maxRecord {
		return errTooLong
	}
	if len(x.text) == start && !formula {
		return nil // it is not there for its content
	}
	for len(x.ends) < column-1 {
		x.ends = append(x.ends, start)
	}
	x.ends = append(x.ends, len(x.text))
	return nil
}

// cellColumn gives the column of a cell that is called r, "B7" for instance, or
// has no name; it has to be in line, and from a column on.
func cellColumn(r []byte, from int, line int64) (int, error) {
	column, n := 0, 0
	for ; n < len(r) && column <= sheetColumns && (r[n]|0x20) >= 'a' && (r[n]|0x20) <= 'z'; n++ {
		column = 26*column + int(r[n]|0x20-'a') + 1
	}
	if len(r) == 0 {
		column = from
	} else if row, err := strconv.ParseInt(string(r[n:]), 10, 64); err != nil || row != line {
		return 0, fmt.Errorf("a cell called %q in row %d", r, line)
	}
	if column < from || column > sheetColumns {
		return 0, fmt.Errorf("a cell called %q behind column %d", r, from-1)
	}
	return column, nil
}

func kindOf(t []byte) string {
	switch string(t) {
	case kindBool:
		return kindBool
	case kindMoment:
		return kindMoment
	case kindShared:
		return kindShared
	case kindFormula:
		return kindFormula
	case kindText:
		return kindText
	}
	return kindNumber
}

// readValue reads what a cell stores to the cell's end, and tells whether a
// formula has made it.
func (x *xlsxRows) readValue(kind string) (formula bool, err error) {
	x.value = x.value[:0]
	inline := false // what a text has in itself comes before its value
	for {
		t, err := x.xml.next()
		if err != nil || t == closes {
			return formula, err
		}
		if t != opens {
			continue
		}
		switch name := string(x.xml.name); {
		case name == "v" && !inline:
			x.value, err = x.xml.content(x.value)
		case name == "is" && kind == kindText:
			inline = true
			x.value, err = x.xml.rich(x.value[:0])
			x.value = unescape(x.value)
		default:
			formula = formula || name == "f"
			err = x.xml.skip()
		}
		if err != nil {
			return formula, err
		}
	}
}

// show appends what a cell stores to the row, as its kind and style show it.
func (x *xlsxRows) show(kind string, style int) (err error) {
	switch kind {
	case kindShared:
		if stored := bytes.TrimSpace(x.value); len(stored) > 0 {
			n, err := strconv.Atoi(string(stored))
			if err != nil {
				return fmt.Errorf("it refers to a text %q", stored)
			}
			if x.value, err = x.texts.append(x.value[:0], n); err != nil {
				return err
			}
		}
		x.text = x.formats.appendText(x.text, x.value, style)
	case kindText:
		x.text = x.formats.appendText(x.text, x.value, style)
	case kindFormula:
		x.text = append(x.text, x.value...)
	case kindMoment:
		x.text = x.formats.appendAsked(x.text, styled{style, kind, string(x.value)})
	case kindBool:
		switch string(x.value) {
		case "1":
			x.text = append(x.text, "TRUE"...)
		case "0":
			x.text = append(x.text, "FALSE"...)
		default:
			x.text = x.formats.appendText(x.text, x.value, style)
		}
	default:
		start := len(x.text)
		x.text = x.formats.appendNumber(x.text, x.value, style)
		if isLong(x.value) && shortened(x.text[start:]) {
			x.text = append(x.text[:start], x.value...)
		}
	}
	return nil
}

// isLong tells a number of so many digits that it may be somebody's.
func isLong(stored []byte) bool {
	for _, c := range stored {
		if c < '0' || c > '9' {
			return false
		}
	}
	return len(stored) >= wholeNumbers
}

var grouped = regexp.MustCompile(`^\+?\d{1,3}([,. '’\x{a0}\x{202f}]\d{3})+$`)

// shortened tells a number that is shown with an exponent, or in groups.
func shortened(shown []byte) bool { return exponent.Match(shown) || grouped.Match(shown) }

// damaged says of an error where it is, as nearly as that is known.
func (x *xlsxRows) damaged(err error) error {
	return &Problem{Line: x.line, Column: x.column, Text: fmt.Sprintf("sheet %q is damaged here (%v); save the workbook again, or the list as CSV", x.sheet, err)}
}

func (x *xlsxRows) done() float64 {
	if read := float64(x.xml.read); read < float64(x.size) {
		return read / float64(x.size)
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
	errs := []error{x.file.Close()}
	if x.unpacking != nil {
		errs = append(errs, x.unpacking.Close())
	}
	return errors.Join(append(errs, x.texts.close())...)
}
