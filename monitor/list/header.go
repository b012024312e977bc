package list

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"tickwatch/wa"
)

// foreignFormat says what a file is that is no list; "" if it may be one.
func foreignFormat(head []byte) string {
	const instead = "; give a CSV or XLSX file"
	for magic, what := range map[string]string{
		"%PDF":             "this is a PDF document",
		"\x89PNG":          "this is an image",
		"\xff\xd8\xff":     "this is an image",
		"GIF8":             "this is an image",
		"RIFF":             "this is a media file",
		"\x1f\x8b":         "this is a compressed file",
		"{\\rtf":           "this is an RTF document",
		"\xd0\xcf\x11\xe0": "this is an old Excel file (.xls), or one with a password; save it as .xlsx without one, or as CSV",
		"SQLite format 3":  "this is a database",
		"\x7fELF":          "this is a program",
		"MZ\x90":           "this is a program",
	} {
		if bytes.HasPrefix(head, []byte(magic)) {
			if strings.Contains(what, "save it") {
				return what
			}
			return what + instead
		}
	}
	text := strings.ToLower(string(bytes.TrimLeft(head[:min(len(head), 256)], "\ufeff \t\r\n")))
	switch {
	case strings.HasPrefix(text, "<"):
		return "this is a web page or XML, whatever it is called; open it in a spreadsheet and save it as CSV or XLSX"
	case strings.HasPrefix(text, "{"), strings.HasPrefix(text, `[{`), strings.HasPrefix(text, `["`):
		return "this is JSON" + instead
	}
	return ""
}

// readHeader reads the columns' names and the sample.
func (r *Reader) readHeader() error {
	first, err := r.rows.next()
	for err == nil && blank(first.Cells) {
		first, err = r.rows.next()
	}
	if errors.Is(err, io.EOF) {
		return r.problem(0, 0, "there is nothing in it; a list needs a line of column names and a row for each person")
	}
	if err != nil {
		return r.placed(err)
	}
	first.Cells = append([]string(nil), first.Cells...)
	if len(first.Cells) > maxColumns {
		return r.problem(first.Line, maxColumns+1, fmt.Sprintf("more than %d columns; keep those that the message needs", maxColumns))
	}
	if isData(first.Cells) {
		r.columns = make([]string, len(first.Cells))
		for i := range r.columns {
			r.columns[i] = columnName("", i)
		}
		r.notes = append(r.notes, Finding{Watch, "the first line has no column names but a phone number, so it was read as a person; the columns are called " + r.names(), 0})
		if row, ok, err := r.fit(first); err != nil || ok {
			r.sample = append(r.sample, row)
		}
	} else {
		r.columns = uniqueNames(first.Cells)
	}
	for len(r.sample) < sampleRows {
		row, err := r.read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		row.Cells = append([]string(nil), row.Cells...)
		r.sample = append(r.sample, row)
	}
	if len(r.sample) == 0 {
		return r.problem(first.Line, 0, "there are column names, but no row below them; is this the right file or sheet?")
	}
	return nil
}

// isData tells a first line that is no header: names are no phone numbers, though
// a column may be called by a day.
func isData(cells []string) bool {
	for _, cell := range cells {
		if looksLikePhone(cell) && !date.MatchString(strings.TrimSpace(cell)) {
			return true
		}
	}
	return false
}

// uniqueNames makes names that can be shown, and told apart.
func uniqueNames(cells []string) []string {
	names := make([]string, len(cells))
	taken := map[string]bool{}
	for i, cell := range cells {
		name := columnName(cell, i)
		for n := 2; taken[name]; n++ {
			name = fmt.Sprintf("%s (%d)", columnName(cell, i), n)
		}
		taken[name] = true
		names[i] = name
	}
	return names
}

func columnName(cell string, i int) string {
	name := strings.TrimSpace(wa.Clean(cell))
	if runes := []rune(name); len(runes) > maxName {
		name = string(runes[:maxName])
	}
	if name == "" {
		return fmt.Sprintf("column%d", i+1)
	}
	return name
}
