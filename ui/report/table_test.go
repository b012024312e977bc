package report

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"
	"pgregory.net/rapid"

	"tickwatch/monitor/link"
	"tickwatch/monitor/list"
	"tickwatch/wa"
)

var columns = []link.RowsColumn{{Name: "phone"}, {Name: "=text"}, {Name: "tries", Number: true}}

func write(t interface{ Fatalf(string, ...any) }, o TableOptions, rows [][]string) []byte {
	var out bytes.Buffer
	table, err := NewTable(&out, o)
	if err != nil {
		t.Fatalf("%v", err)
	}
	for _, r := range rows {
		if err := table.Row(r); err != nil {
			t.Fatalf("%v", err)
		}
	}
	if err := table.Close(); err != nil {
		t.Fatalf("%v", err)
	}
	return out.Bytes()
}

// drawRows are rows as they come over the link: clean.
func drawRows(t *rapid.T) (rows [][]string) {
	hostile := []string{`=HYPERLINK("http://example.com","x")`, "+49 171", "-1+1", "@SUM(A1)", " =1", "_x0041_", "a,\"b\"", "</t><f>1+1</f>", "'+1", "00012", "1E5", "TRUE"}
	text := rapid.OneOf(rapid.SampledFrom(hostile), rapid.Map(rapid.String(), wa.Clean))
	for range rapid.IntRange(0, 9).Draw(t, "rows") {
		tries := ""
		if n := rapid.IntRange(-1, 1000).Draw(t, "tries"); n >= 0 {
			tries = strconv.Itoa(n)
		}
		rows = append(rows, []string{text.Draw(t, "phone"), text.Draw(t, "text"), tries})
	}
	return rows
}

func TestCSVHasNoFormula(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows := drawRows(t)
		for _, raw := range []bool{false, true} {
			got, err := csv.NewReader(bytes.NewReader(write(t, TableOptions{Format: CSV, Columns: columns, Raw: raw}, rows))).ReadAll()
			if err != nil || len(got) != len(rows)+1 {
				t.Fatalf("%d rows, want %d: %v", len(got), len(rows)+1, err)
			}
			for i, row := range got {
				for k, cell := range row {
					first := strings.TrimLeft(cell, " ")
					if !raw && first != "" && strings.ContainsAny(first[:1], "=+-@\t\r") {
						t.Fatalf("%q is a formula", cell)
					}
					want := columns[k].Name
					if i > 0 {
						want = rows[i-1][k]
					}
					if cell != want && (raw || cell != "'"+want) {
						t.Fatalf("%q, want %q", cell, want)
					}
				}
			}
		}
	})
}

// A workbook has every cell as it was, a number as a number and all else as text,
// however many sheets it takes.
func TestXLSXIsText(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		rows := drawRows(t)
		most := rapid.IntRange(2, 5).Draw(t, "rows of a sheet")
		var out bytes.Buffer
		table, err := newSheets(&out, &TableOptions{Columns: columns, Sheet: "rejected", Folder: dir}, most, 1<<30)
		if err != nil {
			t.Fatalf("%v", err)
		}
		for _, r := range rows {
			if err := table.Row(r); err != nil {
				t.Fatalf("%v", err)
			}
		}
		if err := table.Close(); err != nil {
			t.Fatalf("%v", err)
		}
		book, err := excelize.OpenReader(&out)
		if err != nil {
			t.Fatalf("%v", err)
		}
		defer book.Close()
		n := 0
		for i, sheet := range book.GetSheetList() {
			want := "rejected"
			if i > 0 {
				want += " " + strconv.Itoa(i+1)
			}
			if name, _ := book.GetCellValue(sheet, "B1"); sheet != want || name != "=text" {
				t.Fatalf("sheet %q, want %q; header %q", sheet, want, name)
			}
			for line := 2; line <= most && n < len(rows); line++ {
				for k, column := range []string{"A", "B", "C"} {
					cell := column + strconv.Itoa(line)
					value, err := book.GetCellValue(sheet, cell)
					formula, _ := book.GetCellFormula(sheet, cell)
					kind, _ := book.GetCellType(sheet, cell)
					if err != nil || value != rows[n][k] || formula != "" {
						t.Fatalf("%s!%s is %q (formula %q), want %q; %v", sheet, cell, value, formula, rows[n][k], err)
					}
					if value != "" && (kind == excelize.CellTypeInlineString) == columns[k].Number {
						t.Fatalf("%s!%s = %q is of type %d", sheet, cell, value, kind)
					}
				}
				n++
			}
		}
		if n != len(rows) {
			t.Fatalf("%d rows, want %d", n, len(rows))
		}
	})
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestNDJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows := drawRows(t)
		d := json.NewDecoder(bytes.NewReader(write(t, TableOptions{Format: NDJSON, Columns: columns}, rows)))
		for _, r := range rows {
			want := map[string]any{}
			for k, cell := range r {
				if cell != "" {
					want[columns[k].Name] = cell
				}
			}
			if r[2] != "" {
				n, _ := strconv.ParseFloat(r[2], 64)
				want["tries"] = n
			}
			var got map[string]any
			if err := d.Decode(&got); err != nil {
				t.Fatalf("%v", err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("%s", diff)
			}
		}
		if d.More() {
			t.Fatalf("more lines than rows")
		}
	})
}

// What is exported can be imported: the numbers are those that were written, in
// every format.
func TestAnImportReadsItBack(t *testing.T) {
	rows := [][]string{{"+351912345678", "Olá", "1"}, {"+4915112345678", "=1+1", "2"}}
	for _, o := range []TableOptions{{Format: CSV}, {Format: CSV, Raw: true}, {Format: XLSX, Sheet: "rejected", Folder: t.TempDir()}} {
		o.Columns = columns
		path := filepath.Join(t.TempDir(), "out"+o.Format)
		if err := os.WriteFile(path, write(t, o, rows), 0o600); err != nil {
			t.Fatal(err)
		}
		file, err := list.Open(path, filepath.Base(path))
		if err != nil {
			t.Fatal(err)
		}
		j, err := list.NewJudge(file, list.Options{}, list.Facts{})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rows {
			v, err := j.Next()
			if err != nil || v.Phone != r[0] {
				t.Errorf("%s, raw %v: %+v, %v, want %s", o.Format, o.Raw, v, err, r[0])
			}
		}
		file.Close()
	}
	rejected := wa.Rejected{At: 1_795_170_000_000, From: "4915550001", To: "351912345678", Code: 131026}
	path := filepath.Join(t.TempDir(), "rejected.csv")
	names := []link.RowsColumn{}
	for _, n := range wa.RejectedColumns {
		names = append(names, link.RowsColumn{Name: n})
	}
	if err := os.WriteFile(path, write(t, TableOptions{Format: CSV, Columns: names}, [][]string{rejected.Cells()}), 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := list.Open(path, "rejected.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	j, err := list.NewJudge(file, list.Options{Phone: "Message_To"}, list.Facts{})
	if err != nil {
		t.Fatal(err)
	}
	if v, err := j.Next(); err != nil || v.Phone != "+351912345678" {
		t.Errorf("%+v, %v", v, err)
	}
}

func TestTableFormat(t *testing.T) {
	for path, want := range map[string]string{"a.csv": CSV, "b.c/a.XLSX": XLSX, "a.ndjson": "", "csv": "", "": "", "a.csv.gz": ""} {
		if got := TableFormat(path, CSV, XLSX); got != want {
			t.Errorf("%q: %q", path, got)
		}
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("the disk is full") }

// A disk that is full is an error by the end at the latest, and leaves no file.
func TestAFullDisk(t *testing.T) {
	for _, format := range []string{CSV, XLSX, NDJSON} {
		dir := t.TempDir()
		table, err := NewTable(full{}, TableOptions{Format: format, Columns: columns, Sheet: "x", Folder: dir})
		if err == nil {
			_ = table.Row([]string{"+1", "x", "1"})
			err = table.Close()
		}
		if err == nil || !strings.Contains(err.Error(), "the disk is full") {
			t.Errorf("%s: %v", format, err)
		}
		if left, _ := os.ReadDir(dir); len(left) > 0 {
			t.Errorf("%s left %v", format, left)
		}
	}
}

// BenchmarkXLSX writes a million rejected rows; heap-MB is the most that was
// held, counted every ten thousand rows.
func BenchmarkXLSX(b *testing.B) { benchmark(b, XLSX) }

// BenchmarkCSV is BenchmarkXLSX for CSV.
func BenchmarkCSV(b *testing.B) { benchmark(b, CSV) }

func benchmark(b *testing.B, format string) {
	var names []link.RowsColumn
	for _, n := range wa.RejectedColumns {
		names = append(names, link.RowsColumn{Name: n})
	}
	for b.Loop() {
		f, err := os.Create(filepath.Join(b.TempDir(), "rejected"+format))
		if err != nil {
			b.Fatal(err)
		}
		table, err := NewTable(f, TableOptions{Format: format, Columns: names, Sheet: "rejected", Folder: b.TempDir()})
		if err != nil {
			b.Fatal(err)
		}
		most := uint64(0)
		hold := func() {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			most = max(most, m.Sys-m.HeapReleased)
		}
		for i := range 1_000_000 {
			r := wa.Rejected{At: wa.Instant(1_795_170_000_000 + i), From: "4915550001", To: strconv.Itoa(351_900_000_000 + i), Code: 131026, Details: "Message Undeliverable."}
			if err := table.Row(r.Cells()); err != nil {
				b.Fatal(err)
			}
			if i%10_000 == 0 {
				hold()
			}
		}
		err = table.Close()
		hold()
		size, _ := f.Seek(0, 1)
		if err := errors.Join(err, f.Close()); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(most)/1e6, "held-MB")
		b.ReportMetric(float64(size)/1e6, "file-MB")
	}
}
