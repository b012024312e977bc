package list

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/charmap"
	"pgregory.net/rapid"
)

// write puts a list into a folder of its own.
func write(t testing.TB, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// readAll gives the names and rows of a list.
func readAll(path, name string) (columns []string, all []Row, err error) {
	r, err := Open(path, name)
	if err != nil {
		return nil, nil, err
	}
	defer r.Close()
	for {
		row, err := r.Next()
		if errors.Is(err, io.EOF) {
			return r.Columns(), all, nil
		}
		if err != nil {
			return r.Columns(), all, err
		}
		row.Cells = append([]string(nil), row.Cells...)
		all = append(all, row)
	}
}

func TestTheSameRowsHoweverTheyAreWritten(t *testing.T) {
	columns := []string{"phone", "name", "note"}
	rows := []Row{
		{2, []string{"+351912345678", "Zoë", "a, b; c\td|e"}},
		{3, []string{"+491712345678", "José", `says "hi"`}},
	}
	utf8 := "phone,name,note\n" + "+351912345678,Zoë,\"a, b; c\td|e\"\n" + "+491712345678,José,\"says \"\"hi\"\"\"\n"
	latin1, _ := charmap.ISO8859_1.NewEncoder().String(utf8)
	swap := func(d string) string {
		return "phone" + d + "name" + d + "note\n+351912345678" + d + "Zoë" + d + "\"a, b; c\td|e\"\n+491712345678" + d + "José" + d + "\"says \"\"hi\"\"\"\n"
	}
	for name, content := range map[string]string{
		"comma":            utf8,
		"semicolon":        swap(";"),
		"tab":              swap("\t"),
		"pipe":             swap("|"),
		"named":            "sep=^\n" + swap("^"),
		"BOM":              "\xef\xbb\xbf" + utf8,
		"CRLF":             strings.ReplaceAll(utf8, "\n", "\r\n"),
		"CR":               strings.ReplaceAll(utf8, "\n", "\r"),
		"Latin-1":          latin1,
		"UTF-16LE":         inUTF16(utf8, "\xff\xfe", false),
		"UTF-16BE":         inUTF16(utf8, "\xfe\xff", true),
		"UTF-16LE no BOM":  inUTF16(utf8, "", false),
		"no last line end": strings.TrimSuffix(utf8, "\n"),
		"bare quotes":      strings.Replace(utf8, `"says ""hi"""`, `says "hi"`, 1),
		"trailing commas":  strings.ReplaceAll(utf8, "\n", ",,\n"),
		"spaces before":    strings.Replace(utf8, `,"says`, `, "says`, 1),
		"blank lines":      utf8 + "\n\n,,\n",
	} {
		t.Run(name, func(t *testing.T) {
			gotColumns, got, err := readAll(write(t, "list.csv", content), "list.csv")
			if err != nil {
				t.Fatal(err)
			}
			want := rows
			if name == "trailing commas" {
				gotColumns = gotColumns[:3]
				for i := range got {
					got[i].Cells = got[i].Cells[:3]
				}
			}
			for i := range got {
				if name == "named" {
					got[i].Line--
				}
			}
			if diff := cmp.Diff(columns, gotColumns); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func inUTF16(text, bom string, big bool) string {
	out := []byte(bom)
	for _, u := range utf16.Encode([]rune(text)) {
		if big {
			out = append(out, byte(u>>8), byte(u))
		} else {
			out = append(out, byte(u), byte(u>>8))
		}
	}
	return string(out)
}

func TestWhatIsNoListIsSaidInOneLine(t *testing.T) {
	head := "phone,name\n+351912345678,Ana\n"
	for name, c := range map[string]struct{ content, want string }{
		"pdf.csv":              {"%PDF-1.7\n1 0 obj\n", "pdf.csv: this is a PDF document; give a CSV or XLSX file"},
		"png.csv":              {"\x89PNG\r\n\x1a\n", "png.csv: this is an image; give a CSV or XLSX file"},
		"old.xls":              {"\xd0\xcf\x11\xe0\xa1\xb1", "old.xls: this is an old Excel file (.xls), or one with a password; save it as .xlsx without one, or as CSV"},
		"zip.csv":              {"PK\x03\x04 and so on", "zip.csv: this starts like an XLSX file but is damaged or cut off; save it again"},
		"html.xls":             {"<html><table><tr><td>phone", "html.xls: this is a web page or XML, whatever it is called; open it in a spreadsheet and save it as CSV or XLSX"},
		"list.json":            {`[{"phone":"+351912345678"}]`, "list.json: this is JSON; give a CSV or XLSX file"},
		"empty.csv":            {"", "empty.csv: the file is empty; a list needs a line of column names and a row for each person"},
		"blank.csv":            {"\n \n\n", "blank.csv: there is nothing in it; a list needs a line of column names and a row for each person"},
		"bom.csv":              {"\xef\xbb\xbf", "bom.csv: there is nothing in it; a list needs a line of column names and a row for each person"},
		"header.csv":           {"phone,name\n", "header.csv, line 1: there are column names, but no row below them; is this the right file or sheet?"},
		"few.csv":              {head + "+491712345678\n", "few.csv, line 3, column 2: 1 columns where the first line has 2: is the row cut off, or a quote not closed?"},
		"many.csv":             {head + "+491712345678,Zoe,Berlin\n", "many.csv, line 3, column 3: 3 columns where the first line has 2: a value with the delimiter in it needs quotes around it"},
		"nul.csv":              {head + "+491712345678,Z\x00e\n", "nul.csv, line 3, column 2: a NUL byte, which no text has; save the list as CSV in UTF-8 again"},
		"nulq.csv":             {head + "+491712345678,\"Z\nZ\x00e\"\n", "nulq.csv, line 4, column 2: a NUL byte, which no text has; save the list as CSV in UTF-8 again"},
		"zeros.csv":            {strings.Repeat("\x00", 1<<16), "zeros.csv, line 1, column 1: a NUL byte, which no text has; save the list as CSV in UTF-8 again"},
		"quote.csv":            {head + "+491712345678,\"Zoe\n" + strings.Repeat("+351912345678,Ana\n", 100), "quote.csv, line 3, column 2: a quote is opened here and never closed; close it, or double the quotes that belong to the value"},
		"never.csv":            {head + "+491712345678,\"Zoe\n" + strings.Repeat("+351912345678,Ana\n", 100_000) + "\"\n", "never.csv, line 3, column 2: a quote is opened here and never closed; close it, or double the quotes that belong to the value"},
		"after.csv":            {head + "+491712345678,\"Zoe\" Z\n", "after.csv, line 3, column 2: text after a closing quote; double the quotes that belong to the value"},
		"long.csv":             {head + strings.Repeat("x", 3<<20) + "\n", "long.csv, line 3: the line is longer than 1024 KiB; is this a list of recipients, with a line for each person?"},
		"mixed.csv":            {head + strings.Repeat("+491712345678,Zoë\n", 9) + "+491712345678,Jos\xe9\n", `mixed.csv, line 12: this is UTF-8, but 1 bytes of it are not (first near "+491712345678,José"); mend them, or save the list as UTF-8 again`},
		"cyrillic.csv":         {head + "+79161234567,\xc0\xed\xed\xe0\n", `cyrillic.csv, line 3: this is neither UTF-8 nor Western European text (first near "+79161234567,Àííà"); save the list as CSV in UTF-8`},
		"esc\x1b[2J\u202e.csv": {"%PDF", "esc[2J.csv: this is a PDF document; give a CSV or XLSX file"},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := readAll(write(t, "upload", c.content), name)
			if err == nil || err.Error() != c.want {
				t.Errorf("%v\nwant %s", err, c.want)
			}
			var p *Problem
			if !errors.As(err, &p) {
				t.Errorf("%T is no Problem", err)
			}
		})
	}
}

func TestOnlyRegularFilesAreOpened(t *testing.T) {
	folder := t.TempDir()
	fifo := filepath.Join(folder, "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		folder:                        "list: this is a folder; give the file in it that holds the list",
		fifo:                          "list: this is a device or a pipe; save the list to a file and give that",
		"/dev/zero":                   "list: this is a device or a pipe; save the list to a file and give that",
		filepath.Join(folder, "none"): "list: it cannot be opened: no such file or directory",
	} {
		if _, _, err := readAll(path, "list"); err == nil || err.Error() != want {
			t.Errorf("%s: %v; want %s", path, err, want)
		}
	}
}

func TestLatin1SaysHowSureItIs(t *testing.T) {
	for content, want := range map[string]string{
		"phone,name\n+351912345678,Jos\xe9\n":            "quite sure",
		"phone,name\n+351912345678,Jos\xe9\n+1,\xa4\xa6": "not sure",
	} {
		r, err := Open(write(t, "list.csv", content), "list.csv")
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		notes := r.Notes()
		if len(notes) != 1 || notes[0].Severity != Watch || !strings.Contains(notes[0].Text, want) || !strings.Contains(notes[0].Text, "José") {
			t.Errorf("%q: %+v", content, notes)
		}
	}
}

// A character may lie on the edge of what is read at once.
func TestCharactersAreNotCutInTwo(t *testing.T) {
	for shift := range 24 {
		content := "phone,name\n" + strings.Repeat("x", shift) + "+351912345678,Ana\n" + strings.Repeat("+351912345678,日本語\n", 30_000)
		r, err := Open(write(t, "list.csv", content), "list.csv")
		if err != nil {
			t.Fatal(err)
		}
		r.Close()
	}
}

func TestNumbersInTheFirstLineAreNoNames(t *testing.T) {
	path := write(t, "phones.csv", "+351912345678\n+351912345679\n")
	columns, rows, err := readAll(path, "phones.csv")
	if err != nil || len(rows) != 2 || rows[0].Line != 1 || columns[0] != "column1" {
		t.Errorf("%v %v %v", columns, rows, err)
	}
}

func TestADayMayNameAColumn(t *testing.T) {
	columns, rows, err := readAll(write(t, "list.csv", "phone,2026-11-20\n+351912345678,x\n"), "list.csv")
	if err != nil || len(rows) != 1 || columns[1] != "2026-11-20" {
		t.Errorf("%v %v %v", columns, rows, err)
	}
}

func TestNamesAreToldApart(t *testing.T) {
	columns, _, err := readAll(write(t, "list.csv", "phone,,name,name,\x1b[31mred,"+strings.Repeat("x", 100)+"\n1,2,3,4,5,6\n"), "list.csv")
	want := []string{"phone", "column2", "name", "name (2)", "[31mred", strings.Repeat("x", maxName)}
	if diff := cmp.Diff(want, columns); diff != "" || err != nil {
		t.Error(err, diff)
	}
}

// A line of gigabytes is refused without being held.
func TestAnEndlessLineIsNotHeld(t *testing.T) {
	path := write(t, "endless.csv", "phone,name\n+351912345678,x")
	file, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	megabyte := bytes.Repeat([]byte("y"), 1<<20)
	for range 64 {
		if _, err := file.Write(megabyte); err != nil {
			t.Fatal(err)
		}
	}
	file.Close()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, _, err = readAll(path, "endless.csv")
	runtime.ReadMemStats(&after)
	if err == nil || !strings.HasPrefix(err.Error(), "endless.csv, line 2: the line is longer than") {
		t.Error(err)
	}
	if grew := after.TotalAlloc - before.TotalAlloc; grew > 16<<20 {
		t.Errorf("%d MiB were allocated", grew>>20)
	}
}

// Whatever a table is written with, the same rows come out.
func TestAnyTableComesBack(t *testing.T) {
	// Characters that are not ASCII stand alone, as in the West.
	cell := rapid.Custom(func(t *rapid.T) string {
		return strings.Join(rapid.SliceOf(rapid.SampledFrom(append(strings.Split("a b X 0 1 éx üx ñx €x ßx ' \" , ; | = + - @ . \t \n", " "), " "))).Draw(t, "characters"), "")
	})
	folder := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		width := rapid.IntRange(2, 6).Draw(t, "width")
		table := [][]string{append([]string(nil), []string{"phone", "b", "c", "d", "e", "f"}[:width]...)}
		for range rapid.IntRange(1, 80).Draw(t, "rows") {
			row := rapid.SliceOfN(cell, width, width).Draw(t, "row")
			row[0] = "+35191234567" + row[0]
			table = append(table, row)
		}
		var text bytes.Buffer
		w := csv.NewWriter(&text)
		w.Comma = rapid.SampledFrom([]rune(",;\t|")).Draw(t, "delimiter")
		w.UseCRLF = rapid.Bool().Draw(t, "CRLF")
		if err := w.WriteAll(table); err != nil {
			t.Fatal(err)
		}
		content := text.String()
		switch rapid.SampledFrom([]string{"UTF-8", "BOM", "Windows-1252", "UTF-16"}).Draw(t, "encoding") {
		case "BOM":
			content = "\xef\xbb\xbf" + content
		case "Windows-1252":
			content, _ = charmap.Windows1252.NewEncoder().String("\u00e9t\u00e9" + content[5:])
			table[0][0] = "été"
		case "UTF-16":
			content = inUTF16(content, "\xff\xfe", false)
		}
		path := filepath.Join(folder, "list.csv")
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		columns, rows, err := readAll(path, "list.csv")
		if err != nil {
			t.Fatalf("%v\n%q", err, content)
		}
		got := [][]string{columns}
		for _, row := range rows {
			got = append(got, row.Cells)
		}
		if diff := cmp.Diff(table, got); diff != "" {
			t.Fatalf("%s\n%q", diff, content)
		}
	})
}

func FuzzRead(f *testing.F) {
	for _, seed := range []string{
		"phone,name\n+351912345678,Ana\n", "sep=;\nphone;name\n1;\"2\n3\"\n", "\xff\xfep\x00h\x00", "\xef\xbb\xbfa\tb\r1\t2\r",
		"a|b\n\"x\" ,y\n", "PK\x03\x04", "phone\n\xe9\n", "a,b\n\"\"\"\n", "a\x00b\n",
	} {
		f.Add([]byte(seed))
	}
	folder := f.TempDir()
	f.Fuzz(func(t *testing.T, content []byte) {
		path := filepath.Join(folder, "list")
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		columns, rows, err := readAll(path, "list")
		if err != nil {
			if text := err.Error(); strings.ContainsAny(text, "\n\r\x1b\x00") || !strings.HasPrefix(text, "list") || len(text) > 2000 {
				t.Errorf("no clean line: %q", text)
			}
		}
		if lines := 1 + bytes.Count(content, []byte("\n")) + bytes.Count(content, []byte("\r")); len(rows) > lines {
			t.Errorf("%d rows of %d lines", len(rows), lines)
		}
		for _, row := range rows {
			if len(row.Cells) != len(columns) {
				t.Errorf("line %d has %d cells, there are %d columns", row.Line, len(row.Cells), len(columns))
			}
		}
	})
}
