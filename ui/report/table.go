package report

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"tickwatch/monitor/link"
	"tickwatch/wa"
)

// Formats of a table, which are how the names of their files end.
const (
	CSV    = ".csv"
	XLSX   = ".xlsx"
	NDJSON = ".ndjson"
)

// TableFormat is the format that a file's name asks for; "" = none of those offered.
func TableFormat(path string, offered ...string) string {
	if ext := strings.ToLower(filepath.Ext(path)); slices.Contains(offered, ext) {
		return ext
	}
	return ""
}

// TableOptions says how a table is written. Format is needed.
type TableOptions struct {
	Format  string // CSV, XLSX or NDJSON
	Columns []link.RowsColumn
	Sheet   string // name of an XLSX's sheet
	Folder  string // where an XLSX's sheets wait on disk until they are whole

	// Raw leaves out what keeps a spreadsheet from taking a text of a CSV for a
	// formula: for programs, and not to be opened in a spreadsheet.
	Raw bool
}

// Table writes rows as a file, one after the other: the memory it takes does not
// grow with them. Cells must be clean (wa.Clean). What it writes opens in a
// spreadsheet as what it is: no cell is taken for a formula.
//
//   - CSV is UTF-8 with commas, quoted where needed (RFC 4180). A cell that could be
//     taken for a formula, as a phone number with its plus, gets an apostrophe before
//     it, which the spreadsheet shows and an import of tickwatch leaves out.
//   - XLSX has text cells, and numbers in columns of numbers. What does not fit into a
//     sheet goes on in another.
//   - NDJSON is an object a line, with the columns in their order; empty cells are
//     left out.
type Table struct {
	row   func(cells []string) error
	close func() error
}

// NewTable begins a table with its header.
func NewTable(to io.Writer, o TableOptions) (*Table, error) {
	switch o.Format {
	case CSV:
		return newCSV(to, &o)
	case XLSX:
		return newXLSX(to, &o)
	case NDJSON:
		return newNDJSON(to, &o), nil
	}
	return nil, fmt.Errorf("%q is no format of a table", o.Format)
}

// Row writes a row, by the table's columns.
func (t *Table) Row(cells []string) error { return t.row(cells) }

// Close writes what is held back, and ends the table. The writer below stays open.
// It must be called after an error of Row, too.
func (t *Table) Close() error { return t.close() }

func newCSV(to io.Writer, o *TableOptions) (*Table, error) {
	w := csv.NewWriter(to)
	guard := wa.Guard
	if o.Raw {
		guard = func(text string) string { return text }
	}
	guarded := make([]string, len(o.Columns))
	row := func(cells []string) error {
		for i, c := range cells {
			guarded[i] = guard(c)
		}
		return w.Write(guarded[:len(cells)])
	}
	names := make([]string, len(o.Columns))
	for i, c := range o.Columns {
		names[i] = c.Name
	}
	t := &Table{row, func() error { w.Flush(); return w.Error() }}
	return t, row(names)
}

func newNDJSON(to io.Writer, o *TableOptions) *Table {
	w := bufio.NewWriter(to)
	names := make([][]byte, len(o.Columns))
	for i, c := range o.Columns {
		names[i], _ = json.Marshal(c.Name) // a text always encodes
	}
	var line []byte
	row := func(cells []string) error {
		line = append(line[:0], '{')
		for i, c := range cells {
			if c == "" {
				continue
			}
			value := []byte(c)
			if !o.Columns[i].Number || !json.Valid(value) {
				value, _ = json.Marshal(c)
			}
			if len(line) > 1 {
				line = append(line, ',')
			}
			line = append(append(append(line, names[i]...), ':'), value...)
		}
		_, err := w.Write(append(line, '}', '\n'))
		return err
	}
	return &Table{row, w.Flush}
}
