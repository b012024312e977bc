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
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"
	"pgregory.net/rapid"
)

// shownByExcelize reads a sheet with excelize alone: rows with anything in them, as they are shown,
// long numbers as they are stored.
func shownByExcelize(t rapid.TB, path, sheet string) (all []Row) {
	book, err := excelize.OpenFile(path, excelize.Options{ShortDatePattern: "yyyy-mm-dd"})
	if err != nil {
		t.Fatal(err)
	}
	defer book.Close()
	shown, err := book.Rows(sheet)
	if err != nil {
		t.Fatal(err)
	}
	stored, err := book.Rows(sheet)
	if err != nil {
		t.Fatal(err)
	}
	for line := int64(1); shown.Next() && stored.Next(); line++ {
		cells, err := shown.Columns()
		if err != nil {
			t.Fatal(err)
		}
		raw, err := stored.Columns(excelize.Options{RawCellValue: true})
		if err != nil {
			t.Fatal(err)
		}
		for i, cell := range cells {
			if (exponent.MatchString(cell) || grouped.MatchString(cell)) && i < len(raw) && len(raw[i]) >= wholeNumbers && strings.Trim(raw[i], "0123456789") == "" {
				cells[i] = raw[i]
			}
		}
		if len(cells) > 0 {
			all = append(all, Row{line, cells})
		}
	}
	return all
}

// shownByUs reads a sheet below what makes a list of it.
func shownByUs(path, sheet string) (all []Row, err error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	x, err := openXLSX(file, sheet)
	if err != nil {
		return nil, err
	}
	defer x.close()
	for {
		row, err := x.next()
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return all, err
		}
		if len(row.Cells) > 0 {
			all = append(all, Row{row.Line, slices.Clone(row.Cells)})
		}
	}
}

// texts that a cell may have, and that are written in more than one way.
var oddTexts = []string{
	"", " ", "Ana", " Ana ", "José", "line\nline", "tab\there", "a & b < c > d", `"quoted" 'too'`, "]]>", "_x000D_", "_x005F_x000D_", "_x0041_x0042_", "_xD83D__xDE00_", "_x00e9_", "_x12_",
	"😀", "+491712345678", "491712345678", "1.23E+11", "12,345,678", "0049171", "TRUE", "#N/A", "=1+1", "日本語", "&amp;", "\u00a0", strings.Repeat("long ", 2000),
}

var oddFormats = []string{
	"General", "0", "0.00", "0.000", "#,##0", "#,##0.00", "0%", "0.00E+00", "@", `@" Kg"`, `"Tel "@`, `"+"0`, "00000", "000-000-0000", "# ?/?", "yyyy-mm-dd", "dd/mm/yyyy", "d.m.yyyy", "dd.mm.yy",
	"yyyy\\-mm\\-dd\\ hh:mm:ss", "m/d/yyyy h:mm", "hh:mm:ss", "mm:ss.0", "h:mm AM/PM", "[h]:mm:ss", "d mmmm yyyy", "ddd dd mmm", "[$-407]d. mmmm yyyy", `yyyy"年"m"月"d"日"`, `#,##0.00 [$€-407]`, `#,##0.00;[Red]-#,##0.00`, `0.0#`, `_-* #,##0.00_-;-* #,##0.00_-;_-* "-"??_-;_-@_-`, `0.00;-0.00;"none";@`, `;;;`, `[<100]0.0;0`, `yyyy-mm-dd"T"hh:mm:ss`,
}

// TestAnySheetIsReadAsExcelizeReadsIt holds the reader against the one it stands for.
func TestAnySheetIsReadAsExcelizeReadsIt(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		f := excelize.NewFile()
		defer f.Close()
		styles := []int{0}
		for range rapid.IntRange(0, 3).Draw(t, "styles") {
			style := &excelize.Style{}
			if rapid.Bool().Draw(t, "built in") {
				style.NumFmt = rapid.SampledFrom([]int{0, 1, 2, 3, 4, 9, 10, 11, 12, 14, 15, 17, 18, 20, 22, 37, 40, 44, 45, 46, 47, 49}).Draw(t, "number")
				style.Font = &excelize.Font{Bold: true}
			} else {
				style.CustomNumFmt = new(rapid.SampledFrom(oddFormats).Draw(t, "format"))
			}
			id, err := f.NewStyle(style)
			if err != nil {
				t.Fatal(err)
			}
			styles = append(styles, id)
		}
		for range rapid.IntRange(0, 30).Draw(t, "cells") {
			name, _ := excelize.CoordinatesToCellName(rapid.IntRange(1, 30).Draw(t, "column"), rapid.IntRange(1, 12).Draw(t, "row"))
			setAny(t, f, name)
			if err := f.SetCellStyle("Sheet1", name, name, rapid.SampledFrom(styles).Draw(t, "style")); err != nil {
				t.Fatal(err)
			}
		}
		if rapid.Bool().Draw(t, "merged") {
			_ = f.MergeCell("Sheet1", "B2", "C4")
		}
		if rapid.Bool().Draw(t, "since 1904") {
			_ = f.SetWorkbookProps(&excelize.WorkbookPropsOptions{Date1904: new(true)})
		}
		path := filepath.Join(dir, "list.xlsx")
		if err := f.SaveAs(path); err != nil {
			t.Fatal(err)
		}
		want := shownByExcelize(t, path, "Sheet1")
		got, err := shownByUs(path, "Sheet1")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
}

func setAny(t *rapid.T, f *excelize.File, cell string) {
	text := rapid.OneOf(rapid.SampledFrom(oddTexts), rapid.StringMatching(`[a-z0-9+_x &<\n]{0,20}`)).Draw(t, "text")
	number := rapid.OneOf(
		rapid.Float64Range(-1e6, 1e12), rapid.Float64Range(0, 60_000), rapid.Map(rapid.IntRange(0, 10_000_000), func(n int) float64 { return float64(n) / 100 }),
		rapid.Map(rapid.Int64Range(0, 999_999_999_999_999), func(n int64) float64 { return float64(n) }), rapid.SampledFrom([]float64{0, -1, 2.675, 1.005, 60, 61, 62, 1e15, 1e16, 1e21, 1e-7, 0.5}),
	).Draw(t, "value")
	var err error
	switch rapid.IntRange(0, 9).Draw(t, "kind") {
	case 0, 1:
		err = f.SetCellStr("Sheet1", cell, text)
	case 2:
		err = f.SetCellDefault("Sheet1", cell, text) // within the cell
	case 3, 4:
		err = f.SetCellFloat("Sheet1", cell, number, -1, 64)
	case 5:
		err = f.SetCellBool("Sheet1", cell, rapid.Bool().Draw(t, "yes"))
	case 6:
		err = f.SetCellRichText("Sheet1", cell, []excelize.RichTextRun{{Text: text}, {Text: " b", Font: &excelize.Font{Bold: true}}, {Text: text}})
	case 7:
		err = f.SetCellInt("Sheet1", cell, rapid.Int64Range(0, 999_999_999_999_999).Draw(t, "whole"))
	case 8:
		err = f.SetCellValue("Sheet1", cell, time.Unix(rapid.Int64Range(-2_000_000_000, 4_000_000_000).Draw(t, "moment"), 0).UTC())
	case 9:
		if err = f.SetCellStr("Sheet1", cell, text); err == nil {
			err = f.SetCellFormula("Sheet1", cell, "A1&A2")
		}
	}
	if err != nil {
		t.Fatal(err)
	}
}

// book writes a workbook of a sheet and its texts, as they are.
func book(t testing.TB, sheet, texts string) string {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	add := func(name, content string) {
		to, err := w.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(to, content)
	}
	for name, content := range bookParts {
		add(name, content)
	}
	add("xl/worksheets/sheet1.xml", sheet)
	add("xl/sharedStrings.xml", texts)
	w.Close()
	return write(t, "list.xlsx", out.String())
}

// A workbook need not be written as Excel writes it.
func TestAnyWayToWriteASheetIsRead(t *testing.T) {
	const texts = `<?xml version="1.0"?><sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><si><t>phone</t></si><si><t xml:space="preserve"> a &lt; b </t></si><si><r><rPr><b/></rPr><t>bo</t></r><r><t>ld</t></r><rPh sb="0" eb="1"><t>hint</t></rPh>` +
		`<phoneticPr fontId="1"/></si><si/><si><t><![CDATA[<raw> &amp;]]></t></si><si><t>a_x000D_b_x005F_x000A_</t></si><si><t>1<!-- no -->2</t></si></sst>`
	cells := []string{
		`<c t="s"><v> 1 </v></c>`, `<c t="s"><v>2</v></c>`, `<c t="s"><v>3</v></c><c t="s"><v>4</v></c>`, `<c t="s"><v>5</v></c>`, `<c t='s' s="1"><v>6</v></c>`, `<c t="s"/>`,
		`<c t="inlineStr"><is><t>in</t></is></c>`, `<c t="inlineStr"><is><r><t>r_x0009_</t></r><rPh><t>no</t></rPh></is></c>`, `<c t="inlineStr"><v>v</v></c>`, `<c t="inlineStr"/>`,
		`<c><v>491712345678</v></c>`, `<c s="1"><v>45000</v></c>`, `<c s="1"><v>45000.75</v></c>`, `<c s="2"><v>2.6749999999999998</v></c>`, `<c s="2"><v>-2.5</v></c>`, `<c s="99"><v>12345678901234567</v></c>`, `<c s="-1"><v>1</v></c>`,
		`<c t="n"><v>1e3</v></c>`, `<c><v>4.91712345678E+11</v></c>`, `<c><v>0x10</v></c>`, `<c><v>1_000</v></c>`, `<c><v>Inf</v></c>`, `<c><v></v></c>`, `<c s="2"/>`, `<c><v>0.1234567890123456789</v></c>`, `<c><v>007</v></c>`,
		`<c t="b"><v>1</v></c>`, `<c t="b"><v>0</v></c>`, `<c t="b" s="2"><v>true</v></c>`, `<c t="e"><v>#N/A</v></c>`, `<c t="e" s="1"><v>#REF!</v></c>`, `<c t="x"><v>5</v></c>`,
		`<c t="d" s="1"><v>2026-11-20T10:11:12Z</v></c>`, `<c t="d"><v>2026-11-20T10:11:12Z</v></c>`, `<c t="d" s="1"><v>2026-11-20</v></c>`, `<c t="d" s="1"><v>20261120T101112.5</v></c>`,
		`<c t="str"><f>A1&amp;"x"</f><v>made_x000D_</v></c>`, `<c><f>1+1</f><v>2</v></c>`, `<c><f>1+1</f></c>`, `<c t="str"><f/><v></v></c>`, `<c t="b"><f>TRUE()</f><v>1</v></c>`, `<c><f t="shared" si="0"/><v>3.50</v></c>`,
		`<x:c xmlns:x="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><x:v>7</x:v></x:c>`, `<c><extLst><ext><v>no</v></ext></extLst><v>8</v></c>`, `<c><v>9<!-- > --></v></c>`, `<c t="str"><v>&#233;&quot;&apos;&gt;</v></c>`, `<c t="str"><v>a` + "\r\n" + `b&#13;c</v></c>`, " ", "<!-- c -->",
	}
	rapid.Check(t, func(r *rapid.T) {
		var sheet strings.Builder
		sheet.WriteString(`<worksheet><cols><col min="1"/></cols><sheetData>`)
		for line := 1; line <= 5; line++ {
			switch rapid.IntRange(0, 4).Draw(r, "row") {
			case 0:
				fmt.Fprintf(&sheet, `<row r="%d">`, line*10)
			case 1:
				fmt.Fprintf(&sheet, "<row\n hidden='1'  r='%d' x:y=\"z\">", line*10)
			default:
				sheet.WriteString("<row>")
			}
			for range rapid.IntRange(0, 5).Draw(r, "cells") {
				sheet.WriteString(rapid.SampledFrom(cells).Draw(r, "cell"))
			}
			sheet.WriteString("</row>" + rapid.SampledFrom([]string{"", "\n", "<!-- row -->"}).Draw(r, "between"))
		}
		sheet.WriteString(`</sheetData><mergeCells count="1"><mergeCell ref="A1:B2"/></mergeCells></worksheet>`)
		path := book(t, sheet.String(), texts)
		got, err := shownByUs(path, "People")
		if err != nil {
			r.Fatal(err)
		}
		if diff := cmp.Diff(shownByExcelize(r, path, "People"), got); diff != "" {
			r.Error(sheet.String(), diff)
		}
	})
}

// What is wrong with a sheet is said in one line, with the place.
func TestADamagedSheetSaysWhere(t *testing.T) {
	const texts = `<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><si><t>phone</t></si></sst>`
	head := `<worksheet><sheetData><row r="1"><c r="A1" t="s"><v>0</v></c></row><row r="2"><c r="A2"><v>491712345678</v></c></row>`
	end := `</sheetData></worksheet>`
	if _, rows, err := readAll(book(t, head+end, texts), "list.xlsx"); err != nil || len(rows) != 1 {
		t.Fatal(rows, err)
	}
	for sheet, want := range map[string]string{
		head + `<row r="2147483648"/>` + end:                                  `line 2: sheet "People" is damaged here (a row with the number "2147483648" behind row 2)`,
		head + `<row r="1048577"/>` + end:                                     `line 2: sheet "People" is damaged here (a row with the number "1048577" behind row 2)`,
		head + `<row r="2"/>` + end:                                           `(a row with the number "2" behind row 2)`,
		head + `<row r="x"/>` + end:                                           `(a row with the number "x" behind row 2)`,
		head + `<row r="3"><c r="B3"/><c r="A3"/></row>` + end:                `line 3, column 2: sheet "People" is damaged here (a cell called "A3" behind column 2)`,
		head + `<row r="3"><c r="B3"/><c r="B3"/></row>` + end:                `(a cell called "B3" behind column 2)`,
		head + `<row r="3"><c r="A4"/></row>` + end:                           `line 3: sheet "People" is damaged here (a cell called "A4" in row 3)`,
		head + `<row r="3"><c r="XFE3"/></row>` + end:                         `(a cell called "XFE3" behind column 0)`,
		head + `<row r="3"><c r="AAAAAAAAAAAAAAAAAAAAAAAAA3"/></row>` + end:   `(a cell called "AAAAAAAAAAAAAAAAAAAAAAAAA3" in row 3)`,
		head + `<row r="3"><c t="s"><v>1</v></c></row>` + end:                 `line 3, column 1: sheet "People" is damaged here (it refers to text 1, and the workbook has 1)`,
		head + `<row r="3"><c t="s"><v>-1</v></c></row>` + end:                `it refers to text -1, and the workbook has 1`,
		head + `<row r="3"><c t="s"><v>one</v></c></row>` + end:               `it refers to a text "one"`,
		head + `<row r="3"><c s="x"/></row>` + end:                            `a style "x"`,
		head + `<row r="3"><c t="str"><v>&lol;</v></c></row>` + end:           `line 3, column 1: sheet "People" is damaged here (an & that stands for nothing known)`,
		head + `<row r="3"><c t="str"><v>&#0;</v></c></row>` + end:            `an & that stands for nothing known`,
		head + "<row r=\"3\"><c t=\"str\"><v>\x01</v></c></row>" + end:        `a control character, which no text has`,
		head + "<row r=\"3\"><c t=\"str\"><v>\xe9</v></c></row>" + end:        `it is not in UTF-8`,
		head + `<row r="3"><c t="str"><v>a`:                                   `line 3, column 1: sheet "People" is damaged here (it breaks off)`,
		head + `<row r="3"></rwo>` + end:                                      `it is no XML`,
		head + `<row r="3">` + end:                                            `it is no XML`,
		head + `</sheetData>`:                                                 `line 2: sheet "People" is damaged here (it breaks off)`,
		head + `</sheetData></worksheet><more/>`:                              `it is no XML`,
		`<!DOCTYPE a [<!ENTITY lol "lol">]>` + head + end:                     `it declares what a workbook has not (<!)`,
		`<?xml version="1.0" encoding="UTF-16"?>` + head + end:                `it is not in UTF-8`,
		head + `<row r="3"><c t="str"><v>` + strings.Repeat("y", maxRecord+1): `a text is longer than 1024 KiB`,
		head + `<row r="3">` + strings.Repeat(`<c t="str"><v>`+strings.Repeat("y", maxRecord/3)+`</v></c>`, 4) + `</row>` + end: `line 3, column 4: sheet "People" is damaged here (a text is longer than 1024 KiB)`,
		head + strings.Repeat(`<row><x>`, maxDepth): `more than 100 elements in one another`,
	} {
		_, _, err := readAll(book(t, sheet, texts), "list.xlsx")
		if err == nil || !strings.HasPrefix(err.Error(), "list.xlsx") || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%.200s: %v", sheet[min(len(sheet), len(head)):], err)
		}
	}
	for texts, want := range map[string]string{
		`<sst><si><t>phone</t></si>`:                                                          `list.xlsx: the workbook is damaged (xl/sharedStrings.xml: it breaks off); save it again, or as CSV`,
		`<sst><si><t>phone</t></si></sst`:                                                     `(xl/sharedStrings.xml: it breaks off)`,
		`<!DOCTYPE sst><sst><si><t/></si></sst>`:                                              `(xl/sharedStrings.xml: it declares what a workbook has not (<!))`,
		`<sst><si><t>` + strings.Repeat("y", 2<<20):                                           `(xl/sharedStrings.xml: a text is longer than 1024 KiB)`,
		`<sst><si>` + strings.Repeat(`<r><t>`+strings.Repeat("y", maxRecord/3)+`</t></r>`, 4): `(xl/sharedStrings.xml: a text is longer than 1024 KiB)`,
		`<sst/>`: `line 1, column 1: sheet "People" is damaged here (it refers to text 0, and the workbook has 0)`,
	} {
		if _, _, err := readAll(book(t, head+end, texts), "list.xlsx"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.50s: %v", texts, err)
		}
	}
}

// Texts are found in whatever order, where there are too many to hold as well.
func TestManyTextsAreFound(t *testing.T) {
	const many = 200_000
	text := func(i int) string {
		if i%20_000 == 7 {
			return strings.Repeat(fmt.Sprint(i, " "), 10_000)
		}
		return strings.Repeat("x", i*31%23) + fmt.Sprint(i)
	}
	for _, n := range []int{100, many} {
		var part strings.Builder
		part.WriteString(`<sst>`)
		for i := range n {
			fmt.Fprintf(&part, `<si><t>%s</t></si>`, text(i))
		}
		part.WriteString(`</sst>`)
		path := book(t, `<worksheet/>`, part.String())
		archive, err := zip.OpenReader(path)
		if err != nil {
			t.Fatal(err)
		}
		defer archive.Close()
		all := &texts{}
		i := slices.IndexFunc(archive.File, func(p *zip.File) bool { return p.Name == "xl/sharedStrings.xml" })
		if err := all.read(archive.File[i], t.TempDir()); err != nil {
			t.Fatal(err)
		}
		if onDisk := all.file != nil; onDisk != (n == many) {
			t.Errorf("%d texts on disk: %v", n, onDisk)
		}
		for i := range 2 * n {
			number := i % n
			if i >= n {
				number = i * 7919 % n
			}
			if got, err := all.append(nil, number); err != nil || string(got) != text(number) {
				t.Fatalf("text %d of %d: %.50q, %v", number, n, got, err)
			}
		}
		if err := all.close(); err != nil {
			t.Error(err)
		}
	}
}
