package list

import (
	"archive/zip"
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"
)

// workbook writes rows to a sheet, and to a file.
func workbook(t testing.TB, change func(*excelize.File), rows ...[]any) string {
	t.Helper()
	f := excelize.NewFile()
	defer f.Close()
	for i, row := range rows {
		cell, _ := excelize.CoordinatesToCellName(1, i+1)
		if err := f.SetSheetRow("Sheet1", cell, &row); err != nil {
			t.Fatal(err)
		}
	}
	if change != nil {
		change(f)
	}
	path := filepath.Join(t.TempDir(), "list")
	var out bytes.Buffer
	if err := f.Write(&out); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, out.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestSheetsAreReadAsTheyAreShown(t *testing.T) {
	day := time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)
	path := workbook(t, func(f *excelize.File) {
		shown := "0.00E+00"
		style, _ := f.NewStyle(&excelize.Style{CustomNumFmt: &shown})
		_ = f.SetCellStyle("Sheet1", "A3", "A3", style)
		thousands, _ := f.NewStyle(&excelize.Style{NumFmt: 3})
		_ = f.SetCellStyle("Sheet1", "A4", "A4", thousands)
		date, _ := f.NewStyle(&excelize.Style{NumFmt: 14})
		_ = f.SetCellStyle("Sheet1", "C2", "C2", date)
		_ = f.SetRowVisible("Sheet1", 4, false)
	},
		[]any{"phone", "name", "day"},
		[]any{491712345678, "Ana", day},
		[]any{491712345679, "José, \"Zé\"\nline"},
		[]any{491712345670, "Zoë", 12.5},
		nil,
		[]any{"+351912345678"},
	)
	columns, rows, err := readAll(path, "list.csv") // whatever it is called
	if err != nil {
		t.Fatal(err)
	}
	want := []Row{
		{2, []string{"491712345678", "Ana", "2026-11-20"}},
		{3, []string{"491712345679", "José, \"Zé\"\nline", ""}},
		{4, []string{"491712345670", "Zoë", "12.5"}},
		{6, []string{"+351912345678", "", ""}},
	}
	if diff := cmp.Diff([]string{"phone", "name", "day"}, columns); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(want, rows); diff != "" {
		t.Error(diff)
	}
	r, err := Open(path, "list.xlsx")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for err == nil {
		_, err = r.Next()
	}
	if notes := r.Notes(); len(notes) != 1 || notes[0].Count != 1 || !strings.Contains(notes[0].Text, "hidden") {
		t.Errorf("%+v", notes)
	}
}

func TestASheetIsChosenByName(t *testing.T) {
	path := workbook(t, func(f *excelize.File) {
		_, _ = f.NewSheet("People")
		_ = f.SetSheetRow("People", "A1", &[]any{"phone"})
		_ = f.SetSheetRow("People", "A2", &[]any{"+351912345678"})
		f.SetActiveSheet(1)
		_ = f.SetSheetVisible("Sheet1", false)
	}, []any{"a"}, []any{"b"})
	if shown, err := Open(path, "list.xlsx"); err != nil || shown.Columns()[0] != "phone" || len(shown.Notes()) != 1 {
		t.Error("a hidden sheet is not the list:", shown, err)
	} else {
		shown.Close()
	}
	r, err := OpenSheet(path, "list.xlsx", "people")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if r.Columns()[0] != "phone" {
		t.Error(r.Columns())
	}
	if _, err := OpenSheet(path, "list.xlsx", "none"); err == nil || err.Error() != `list.xlsx: there is no sheet "none"; there are: Sheet1, People` {
		t.Error(err)
	}
}

// repack writes a workbook again with a part changed.
func repack(t *testing.T, path, part string, change func([]byte) []byte) string {
	t.Helper()
	in, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, f := range in.File {
		r, _ := f.Open()
		var content bytes.Buffer
		_, _ = content.ReadFrom(r)
		to, _ := w.Create(f.Name)
		if f.Name == part {
			_, _ = to.Write(change(content.Bytes()))
		} else {
			_, _ = to.Write(content.Bytes())
		}
	}
	w.Close()
	return write(t, "repacked", out.String())
}

func TestADamagedWorkbookGivesNothing(t *testing.T) {
	var rows [][]any
	rows = append(rows, []any{"phone", "name"})
	for range 300 {
		rows = append(rows, []any{"+351912345678", "Ana"})
	}
	path := workbook(t, nil, rows...)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, got, err := readAll(path, "list.xlsx"); err != nil || len(got) != 300 {
		t.Fatal(len(got), err)
	}
	const sheet = "xl/worksheets/sheet1.xml"
	flipped := bytes.Clone(whole)
	flipped[bytes.Index(flipped, []byte(sheet))+200] ^= 0xff
	for name, damaged := range map[string]string{
		"cut off":     write(t, "cut", string(whole[:len(whole)/2])),
		"a byte":      write(t, "byte", string(flipped)),
		"broken XML":  repack(t, path, sheet, func(b []byte) []byte { return bytes.Replace(b, []byte(`<row r="200"`), []byte(`<row <r="200"`), 1) }),
		"no workbook": repack(t, path, "xl/workbook.xml", func([]byte) []byte { return nil }),
		"sheet ends":  repack(t, path, sheet, func(b []byte) []byte { b, _, _ = bytes.Cut(b, []byte(`<row r="200"`)); return b }),
		"sheet cut off": repack(t, path, sheet, func(b []byte) []byte {
			b, _, _ = bytes.Cut(b, []byte(`<row r="200"`))
			return append(b, `<row r="300"`...)
		}),
	} {
		if _, _, err := readAll(damaged, "list.xlsx"); err == nil || !strings.HasPrefix(err.Error(), "list.xlsx") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", name, err)
		}
		if left, _ := filepath.Glob(filepath.Join(filepath.Dir(damaged), UnpackedFile)); len(left) > 0 {
			t.Errorf("%s: left behind: %v", name, left)
		}
	}
}

func TestAZipBombIsRefused(t *testing.T) {
	path := workbook(t, nil, []any{"phone"}, []any{"+351912345678"})
	bomb := repack(t, path, "xl/theme/theme1.xml", func([]byte) []byte { return make([]byte, maxInMemory+1) })
	if _, _, err := readAll(bomb, "bomb.xlsx"); err == nil || !strings.Contains(err.Error(), "unpacks to more than a list needs") {
		t.Error(err)
	}
	for part, most := range structure { // a few bytes of each are a hundred in memory
		if part == "[content_types].xml" {
			part = "[Content_Types].xml"
		}
		bomb := repack(t, path, part, func(b []byte) []byte { return append(b, bytes.Repeat([]byte("<a/>"), most)...) })
		if _, _, err := readAll(bomb, "bomb.xlsx"); err == nil || !strings.Contains(err.Error(), "the workbook has more in "+part+" than a list needs") {
			t.Error(part, err)
		}
	}
}

// FuzzSheet makes a workbook of a sheet and its texts: whatever is in them, there
// is a table or a clean error.
func FuzzSheet(f *testing.F) {
	path := workbook(f, nil, []any{"phone", "name"}, []any{491712345678, "Ana"})
	in, err := zip.OpenReader(path)
	if err != nil {
		f.Fatal(err)
	}
	defer in.Close()
	parts := map[string][]byte{}
	for _, part := range in.File {
		r, _ := part.Open()
		var content bytes.Buffer
		_, _ = content.ReadFrom(r)
		parts[part.Name] = content.Bytes()
	}
	const sheet, texts = "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml"
	f.Add(parts[sheet], parts[texts])
	f.Add([]byte(`<worksheet><sheetData><row r="2"><c r="ZZ2" t="s"><v>-1</v></c></row></sheetData></worksheet>`), parts[texts])
	f.Fuzz(func(t *testing.T, a, b []byte) {
		var out bytes.Buffer
		w := zip.NewWriter(&out)
		for name, content := range parts {
			switch name {
			case sheet:
				content = a
			case texts:
				content = b
			}
			to, _ := w.Create(name)
			_, _ = to.Write(content)
		}
		w.Close()
		columns, rows, err := readAll(write(t, "list", out.String()), "list")
		if err != nil && strings.ContainsAny(err.Error(), "\n\r\x1b\x00") {
			t.Errorf("no clean line: %q", err)
		}
		for _, row := range rows {
			if len(row.Cells) != len(columns) {
				t.Errorf("line %d has %d cells, there are %d columns", row.Line, len(row.Cells), len(columns))
			}
		}
	})
}

// A large workbook is unpacked to files beside it, which Close removes.
func TestUnpackedFilesAreRemoved(t *testing.T) {
	path := workbook(t, nil, []any{"phone"}, []any{"+351912345678"})
	path = repack(t, path, "xl/sharedStrings.xml", func(b []byte) []byte {
		return append(bytes.TrimSuffix(b, []byte("</sst>")), strings.Repeat("<si><t>y</t></si>", spillToDisk/16)+"</sst>"...)
	})
	unpacked := filepath.Join(filepath.Dir(path), UnpackedFile)
	r, err := Open(path, "list.xlsx")
	if err != nil {
		t.Fatal(err)
	}
	if files, _ := filepath.Glob(unpacked); len(files) == 0 {
		t.Error("nothing was unpacked")
	}
	if row, err := r.Next(); err != nil || row.Cells[0] != "+351912345678" {
		t.Error(row, err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	if files, _ := filepath.Glob(unpacked); len(files) > 0 {
		t.Error("left behind:", files)
	}
}
